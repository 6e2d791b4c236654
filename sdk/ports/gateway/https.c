/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTPS to the platform by libcurl: TLS 1.2 or later, one pinned CA, no redirects, no proxies, everything with a deadline.
 */
#include "gateway.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define CALL_S 10L

struct sink {
	char *p;
	size_t n, cap;
};

static size_t take(char *p, size_t one, size_t n, void *arg)
{
	struct sink *s = arg;

	if (n >= s->cap - s->n)
		return 0;
	memcpy(s->p + s->n, p, n);
	s->n += n;
	return n;
}

int https_begin(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

int https_post(const struct conf *c, const char *path, const char *type, const void *body, size_t n, long *status, char *answer, size_t cap)
{
	CURL *h = curl_easy_init();
	struct curl_slist *headers = NULL;
	struct sink sink = { answer, 0, cap };
	char url[1024], line[128], why[CURL_ERROR_SIZE] = "";
	CURLcode rc = CURLE_FAILED_INIT;

	snprintf(url, sizeof url, "%s%s", c->platform, path);
	snprintf(line, sizeof line, "Content-Type: %s", type);
	headers = curl_slist_append(NULL, line);
	if (h && headers) {
		curl_easy_setopt(h, CURLOPT_URL, url);
		curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
		curl_easy_setopt(h, CURLOPT_PROXY, "");
		curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(h, CURLOPT_TIMEOUT, CALL_S);
		curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)n);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, (const char *)body);
		curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(h, CURLOPT_WRITEDATA, &sink);
		curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
		rc = curl_easy_perform(h);
	}
	if (rc == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, status);
	else
		fprintf(stderr, "ctm-gateway: %s: %s\n", url, *why ? why : curl_easy_strerror(rc));
	answer[sink.n] = 0;
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return rc == CURLE_OK ? 0 : -1;
}
