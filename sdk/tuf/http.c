/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching over libcurl. Plain http is for loopback addresses, or for the caller who says so: a repository is safe over any
 * transport, but over an open one everybody on the way learns what a device lacks.
 */
#include "ctm/tuf.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_S 15L
#define SLOW_BYTES 512L        /* a second, over SLOW_S: below is a server that only holds the client */
#define SLOW_S 30L
#define ASIDE_MAX ((size_t)64 << 10)

struct ctm_tuf_http {
	CURL *curl;
	const char *ca;
	bool plain;
};

struct transfer {
	ctm_tuf_sink sink;
	void *ctx;
	CURL *curl;
	uint64_t left;
	uint64_t from;
	size_t aside;          /* bytes of an answer that is none */
	char range[24];
	int rc;
};

static bool loopback(const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL;
	struct in_addr a;
	bool yes = false;

	if (u && !curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0))
		yes = !strcmp(host, "localhost") || !strcmp(host, "[::1]") || (inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
	curl_free(host);
	curl_url_cleanup(u);
	return yes;
}

static size_t arrived(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t all = size * n, skip = 0;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	/* What comes with a refusal is read to keep the connection, not for ever. */
	if (status != 200 && status != 206) {
		t->aside += all;
		return t->aside > ASIDE_MAX ? 0 : all;
	}
	/* A server without ranges begins again: pass over what is there. */
	if (status == 200) {
		skip = all < t->from ? all : (size_t)t->from;
		t->from -= skip;
	}
	if (all - skip > t->left)
		t->rc = CTM_SDK_TOOBIG;
	else if (all > skip)
		t->rc = t->sink(t->ctx, (const uint8_t *)p + skip, all - skip);
	t->left -= t->rc ? 0 : all - skip;
	return t->rc ? 0 : all;
}

static CURLcode set_up(struct ctm_tuf_http *h, const char *url, struct transfer *t)
{
	CURL *c = h->curl;
	CURLcode e = CURLE_OK;

	curl_easy_reset(c);
	e = curl_easy_setopt(c, CURLOPT_URL, url);
	e = e ? e : curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, h->plain || loopback(url) ? "https,http" : "https");
	e = e ? e : curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	e = e ? e : curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	e = e ? e : curl_easy_setopt(c, CURLOPT_PROXY, "");
	e = e ? e : curl_easy_setopt(c, CURLOPT_USERAGENT, "ctm-tuf");
	e = e ? e : curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	e = e ? e : curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	e = e ? e : curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, SLOW_S);
	e = e ? e : curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, arrived);
	e = e ? e : curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	e = e ? e : curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	if (!e && h->ca)
		e = curl_easy_setopt(c, CURLOPT_CAINFO, h->ca);
	/* Not CURLOPT_RESUME_FROM: that one fails where a server has no ranges. */
	if (!e && t->from) {
		snprintf(t->range, sizeof t->range, "%llu-", (unsigned long long)t->from);
		e = curl_easy_setopt(c, CURLOPT_RANGE, t->range);
	}
	return e;
}

static int fetch(void *ctx, const char *url, uint64_t from, uint64_t max, ctm_tuf_sink sink, void *sink_ctx)
{
	struct ctm_tuf_http *h = ctx;
	struct transfer t = { .sink = sink, .ctx = sink_ctx, .curl = h->curl, .left = max, .from = from };
	CURLcode e = set_up(h, url, &t);
	long status = 0;

	if (!e)
		e = curl_easy_perform(h->curl);
	if (t.rc)
		return t.rc;
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if ((!e || t.aside > ASIDE_MAX) && (status == 403 || status == 404))
		return CTM_SDK_NONE;
	if (!e && status == 416)
		return CTM_SDK_TRUNCATED;      /* the server's file ends before what is asked for */
	return e || (status != 200 && status != 206) ? CTM_SDK_NETWORK : 0;
}

int ctm_tuf_http_open(const char *ca, bool plain_http, struct ctm_tuf_http **out)
{
	struct ctm_tuf_http *h = calloc(1, sizeof *h);

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) || !(h->curl = curl_easy_init())) {
		free(h);
		return CTM_SDK_FAIL;
	}
	h->ca = ca;
	h->plain = plain_http;
	*out = h;
	return 0;
}

void ctm_tuf_http_close(struct ctm_tuf_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
	curl_global_cleanup();
}

struct ctm_tuf_net ctm_tuf_http_net(struct ctm_tuf_http *h)
{
	return (struct ctm_tuf_net){ h, fetch };
}
