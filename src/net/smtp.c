/* SPDX-License-Identifier: Apache-2.0 */
#include "net/smtp.h"
#include "base/file.h"
#include "base/text.h"
#include "net/mail.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TIMEOUT_MS 30000

/* ---- configuration ---- */

static bool this_machine(const char *server)
{
	const char *h = strstr(server, "://") + 3;
	size_t n = *h == '[' ? strcspn(h, "]") + 1 : strcspn(h, ":");
	return (n == 9 && !strncmp(h, "localhost", 9)) || (n > 4 && !strncmp(h, "127.", 4) && strspn(h, "0123456789.") == n) || (n == 5 && !strncmp(h, "[::1]", 5));
}

static bool server_ok(const char *s)
{
	const char *h = ctm_starts(s, "smtp://") ? s + 7 : ctm_starts(s, "smtps://") ? s + 8 : NULL;
	int64_t port;
	if (!h)
		return false;
	size_t n = *h == '[' ? strcspn(h, "]") + 1 : strcspn(h, ":");
	bool name = n && strspn(h, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-[]:") >= n;
	return name && (!h[n] || (h[n] == ':' && !ctm_parse_i64(h + n + 1, 1, 65535, &port)));
}

static int read_secret(const char *dir, struct ctm_smtp_conf *c, struct ctm_err *err)
{
	char path[1200];
	struct stat st;
	snprintf(path, sizeof path, "%s/keys/mail.secret", dir);
	if (stat(path, &st))
		return ctm_fail(err, CTM_E_NOTFOUND, "keys/mail.secret", NULL, "the password of %s belongs into keys/mail.secret (mode 0600): %s", c->user, strerror(errno));
	if (st.st_mode & 0077)
		return ctm_fail(err, CTM_E_GUARD, "keys/mail.secret", NULL, "others may read keys/mail.secret; chmod 600 it");
	CTM_AUTO_BUF b = CTM_BUF(4096);
	int rc = ctm_file_read(path, 4096, &b, err);
	if (rc)
		return rc;
	size_t n = strcspn(ctm_buf_cstr(&b), "\r\n");
	if (!n || n >= sizeof c->secret)
		rc = ctm_fail(err, CTM_E_INPUT, "keys/mail.secret", NULL, "the first line of keys/mail.secret is the password, at most %zu bytes", sizeof c->secret - 1);
	else {
		memcpy(c->secret, b.p, n);
		c->secret[n] = 0;
	}
	explicit_bzero(b.p, b.len);
	return rc;
}

int ctm_smtp_conf_read(const ctm_json *mail, const char *dir, struct ctm_smtp_conf *out, struct ctm_err *err)
{
	static const char *const known[] = { "server", "from", "user", "ca_file", "tls" };
	struct ctm_smtp_conf c = { .timeout_ms = TIMEOUT_MS };
	struct ctm_jc j = ctm_jc_root(mail, "ctm.json, mail");
	const char *server = NULL, *from = NULL, *user = NULL, *ca = NULL, *tls = NULL;
	int rc = ctm_jc_is(&j, CTM_J_OBJ, err);
	rc = rc ? rc : ctm_jc_only(&j, known, sizeof known / sizeof *known, err);
	rc = rc ? rc : ctm_jc_str(&j, "server", 1, sizeof c.server - 1, &server, err);
	rc = rc ? rc : ctm_jc_str(&j, "from", 3, sizeof c.from - 1, &from, err);
	rc = rc ? rc : ctm_jc_opt_str(&j, "user", sizeof c.user - 1, &user, err);
	rc = rc ? rc : ctm_jc_opt_str(&j, "ca_file", sizeof c.ca_file - 1, &ca, err);
	rc = rc ? rc : ctm_jc_opt_str(&j, "tls", 16, &tls, err);
	if (rc)
		return rc;
	if (!server_ok(server))
		return ctm_fail(err, CTM_E_INPUT, "/mail/server", NULL, "ctm.json: mail.server is an address such as smtp://mail.example.org:587 or smtps://mail.example.org:465");
	if (!ctm_mail_address_ok(from))
		return ctm_fail(err, CTM_E_INPUT, "/mail/from", NULL, "ctm.json: mail.from is a plain mail address such as ctm@example.org");
	if (tls && !ctm_streq(tls, "starttls") && !ctm_streq(tls, "none"))
		return ctm_fail(err, CTM_E_INPUT, "/mail/tls", NULL, "ctm.json: mail.tls is \"starttls\" (the default of smtp://) or \"none\"; smtps:// has TLS from the start");
	c.plain = ctm_streq(tls, "none");
	if (c.plain && (ctm_starts(server, "smtps:") || !this_machine(server)))
		return ctm_fail(err, CTM_E_INPUT, "/mail/tls", NULL, "ctm.json: mail without TLS goes to a server on this machine only (127.0.0.1, [::1], localhost)");
	ctm_copy(c.server, sizeof c.server, server);
	ctm_copy(c.from, sizeof c.from, from);
	ctm_copy(c.user, sizeof c.user, user ? user : "");
	ctm_copy(c.ca_file, sizeof c.ca_file, ca ? ca : "");
	if (*c.user && dir && (rc = read_secret(dir, &c, err)))
		return rc;
	*out = c;
	explicit_bzero(c.secret, sizeof c.secret);
	return 0;
}

void ctm_smtp_conf_wipe(struct ctm_smtp_conf *c) { explicit_bzero(c->secret, sizeof c->secret); }

/* ---- a dialogue ---- */

struct upload { const char *p; size_t n; };

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
	struct upload *u = arg;
	size_t k = size * n < u->n ? size * n : u->n;
	memcpy(p, u->p, k);
	u->p += k;
	u->n -= k;
	return k;
}

static size_t on_write(char *p, size_t size, size_t n, void *arg) { return size * n; }

static CURLcode setup(CURL *h, const struct ctm_smtp_conf *c, char error[CURL_ERROR_SIZE])
{
	CURLcode e = curl_easy_setopt(h, CURLOPT_URL, c->server);
	e = e ? e : curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	e = e ? e : curl_easy_setopt(h, CURLOPT_PROXY, "");
	e = e ? e : curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	e = e ? e : curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	e = e ? e : curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	e = e ? e : curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	e = e ? e : curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
	e = e ? e : curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_write);
	e = e ? e : curl_easy_setopt(h, CURLOPT_USE_SSL, (long)(c->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	e = e ? e : curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!e && *c->ca_file) {
		e = curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
		e = e ? e : curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	}
	if (!e && *c->user) {
		e = curl_easy_setopt(h, CURLOPT_USERNAME, c->user);
		e = e ? e : curl_easy_setopt(h, CURLOPT_PASSWORD, c->secret);
	}
	return e;
}

static int explain(CURL *h, const struct ctm_smtp_conf *c, CURLcode e, const char *error, struct ctm_err *err)
{
	const char *why = *error ? error : curl_easy_strerror(e);
	long code = 0;
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &code);
	switch (e) {
	case CURLE_OPERATION_TIMEDOUT:
		return ctm_fail(err, CTM_E_TIMEOUT, c->server, NULL, "the mail server %s did not answer within %d seconds", c->server, c->timeout_ms / 1000);
	case CURLE_LOGIN_DENIED:
		return ctm_fail(err, CTM_E_AUTH, c->server, "RFC 4954", "the mail server %s refuses the user %s or the password in keys/mail.secret", c->server, c->user);
	case CURLE_USE_SSL_FAILED: case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CONNECT_ERROR: case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
		return ctm_fail(err, CTM_E_VERIFY, c->server, "RFC 3207", "no trusted connection to the mail server %s: %s", c->server, why);
	case CURLE_OUT_OF_MEMORY:
		return ctm_fail(err, CTM_E_NOMEM, c->server, NULL, "out of memory");
	default:
		break;
	}
	if (code >= 500 && code < 600)
		return ctm_fail(err, CTM_E_INPUT, c->server, "RFC 5321", "the mail server %s refuses this mail (%ld): %s", c->server, code, why);
	if (code >= 400)
		return ctm_fail(err, CTM_E_BUSY, c->server, "RFC 5321", "the mail server %s cannot take this mail now (%ld): %s", c->server, code, why);
	return ctm_fail(err, CTM_E_IO, c->server, NULL, "the mail server %s cannot be used: %s", c->server, why);
}

/* to NULL: no mail, only NOOP. */
static int dialogue(const struct ctm_smtp_conf *c, const char *to, struct upload *u, struct ctm_err *err)
{
	char error[CURL_ERROR_SIZE] = "", from[300], rcpt[300];
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the mail client cannot be started");
	CURL *h = curl_easy_init();
	struct curl_slist *list = NULL;
	CURLcode e = h ? setup(h, c, error) : CURLE_OUT_OF_MEMORY;
	if (!e && to) {
		snprintf(from, sizeof from, "<%s>", c->from);
		snprintf(rcpt, sizeof rcpt, "<%s>", to);
		list = curl_slist_append(NULL, rcpt);
		e = list ? curl_easy_setopt(h, CURLOPT_MAIL_FROM, from) : CURLE_OUT_OF_MEMORY;
		e = e ? e : curl_easy_setopt(h, CURLOPT_MAIL_RCPT, list);
		e = e ? e : curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
		e = e ? e : curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
		e = e ? e : curl_easy_setopt(h, CURLOPT_READDATA, u);
	} else if (!e) {
		e = curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
		e = e ? e : curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, "NOOP");
	}
	e = e ? e : curl_easy_perform(h);
	int rc = !e ? 0 : h ? explain(h, c, e, error, err) : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the mail client cannot be started");
	curl_slist_free_all(list);
	curl_easy_cleanup(h);
	curl_global_cleanup();
	return rc;
}

int ctm_smtp_send(const struct ctm_smtp_conf *c, const char *to, const void *mail, size_t n, struct ctm_err *err)
{
	struct upload u = { mail, n };
	if (!ctm_mail_address_ok(to))
		return ctm_fail(err, CTM_E_INPUT, "to", "RFC 5321", "\"%.80s\" is not a mail address this platform can write to", to);
	return dialogue(c, to, &u, err);
}

int ctm_smtp_probe(const struct ctm_smtp_conf *c, struct ctm_err *err) { return dialogue(c, NULL, NULL, err); }
