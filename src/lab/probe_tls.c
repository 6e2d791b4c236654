/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of protection in transit: versions (T01), suites (T02) and certificate (T03) of every open port that speaks TLS, not
 * only of the usual ones. Each version is tried alone on a fresh connection; the control is a handshake of this library with
 * itself in that version, so "not offered" never means "the bench cannot speak it".
 */
#include "lab/probe.h"
#include "lab/scan.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/handshake.h"
#include <stdio.h>
#include <string.h>

#define TLS_PORTS_MAX 8
#define SUITES_MAX 64

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

/* One handshake on a fresh connection to the sample. h is filled; a failed connection is an end of its own. */
static int shake(struct ctm_run *r, int port, struct ctm_handshake *h, struct ctm_err *err)
{
	struct in_addr a;
	CTM_AUTO_FD fd = -1;
	int why = 0, rc = ctm_target_allowed(r->plan, r->bench->address, &a, err);

	if (rc)
		return rc;
	h->timeout_ms = (int)run_param(r, "timeout_ms", 1500);
	ctm_connect(a, port, h->timeout_ms, &fd, &why);
	if (fd < 0) {
		h->end = CTM_HS_FAILED;
		h->alert = -1;
		snprintf(h->detail, sizeof h->detail, "no connection: %s", strerror(why));
		return 0;
	}
	return ctm_handshake_run(fd, h, err);
}

/* Ports to look at: declared ones and the inventory's, each once. */
static size_t tls_ports(struct ctm_run *r, int out[TLS_PORTS_MAX])
{
	const ctm_json *list = ctm_json_get(r->declaration, "interfaces");
	size_t n = 0;

	out[n++] = r->bench->port;
	for (size_t i = 0; i < ctm_json_len(list) + ctm_json_len(r->ports) && n < TLS_PORTS_MAX; i++) {
		int64_t port = i < ctm_json_len(list) ? ctm_json_geti(ctm_json_at(list, i), "port", 0) :
			ctm_json_int(ctm_json_at(r->ports, i - ctm_json_len(list)), 0);
		bool known = port < 1 || port > 65535;
		for (size_t k = 0; k < n; k++)
			known = known || out[k] == port;
		if (!known)
			out[n++] = (int)port;
	}
	return n;
}

static int record_try(struct ctm_run *r, const char *kind, int port, const struct ctm_handshake *h, bool speaks, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_seti(data, "port", port) || ctm_json_sets(data, "asked", ctm_tls_names[h->max]) || ctm_json_sets(data, "end", ctm_handshake_ends[h->end]) ||
	    ctm_json_seti(data, "alert", h->alert) || ctm_json_sets(data, "detail", h->detail) || ctm_json_sets(data, "got", h->version) ||
	    ctm_json_sets(data, "suite", h->cipher) || ctm_json_setb(data, "bench_speaks_it", speaks)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, kind, data, err);
}

CTM_PROBE(tls_versions)
{
	int ports[TLS_PORTS_MAX], rc = 0;
	size_t n = tls_ports(r, ports);
	bool speaks[CTM_TLS_COUNT];

	for (int v = 0; v < CTM_TLS_COUNT && !rc; v++)
		rc = ctm_handshake_speaks((enum ctm_tls)v, &speaks[v], err);
	for (size_t i = 0; i < n && !rc; i++)
		for (int v = CTM_TLS_COUNT - 1; v >= 0 && !rc; v--) {
			struct ctm_handshake h = { .min = (enum ctm_tls)v, .max = (enum ctm_tls)v, .chain = CTM_BUF(1 << 16) };
			rc = shake(r, ports[i], &h, err);
			ctm_buf_free(&h.chain);
			if (!rc)
				rc = record_try(r, "tls.version", ports[i], &h, speaks[v], err);
		}
	return rc;
}

/* ---- suites: offer all, see which one the server takes, offer all but that one, and so on ---- */

static int add_suite(ctm_json *list, const struct ctm_handshake *h)
{
	ctm_json *s = ctm_json_obj();

	if (!s || ctm_json_sets(s, "name", h->cipher) || ctm_json_sets(s, "kx", h->kx) || ctm_json_setb(s, "aead", h->aead) || ctm_json_seti(s, "bits", h->key_bits)) {
		ctm_json_free(s);
		return CTM_E_NOMEM;
	}
	return ctm_json_add(list, s);
}

static int suites_of(struct ctm_run *r, int port, enum ctm_tls v, ctm_json *list, struct ctm_handshake *h, struct ctm_err *err)
{
	static const char *const tls13[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256" };
	CTM_AUTO_BUF offer = CTM_BUF(8192);
	int rc;

	ctm_buf_str(&offer, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
	for (int i = 0; i < SUITES_MAX; i++) {
		*h = (struct ctm_handshake){ .min = v, .max = v, .ciphers = ctm_buf_cstr(&offer), .chain = CTM_BUF(1 << 16) };
		if (v == CTM_TLS13) {
			if (i >= (int)(sizeof tls13 / sizeof tls13[0]))
				return 0;
			h->suites = tls13[i];
		}
		rc = shake(r, port, h, err);
		ctm_buf_free(&h->chain);
		if (rc)
			return rc;
		if (h->end != CTM_HS_OFFERED && v != CTM_TLS13)
			return 0;
		if (h->end == CTM_HS_OFFERED && add_suite(list, h))
			return oom(err);
		if (h->end == CTM_HS_OFFERED)
			ctm_buf_printf(&offer, ":-%s", h->cipher);
		if ((rc = ctm_buf_err(&offer, "ciphers", err)))
			return rc;
	}
	return 0;
}

CTM_PROBE(tls_suites)
{
	int ports[TLS_PORTS_MAX], rc = 0;
	size_t n = tls_ports(r, ports);

	for (size_t i = 0; i < n && !rc; i++)
		for (int v = 0; v < CTM_TLS_COUNT && !rc; v++) {
			ctm_json *data = ctm_json_obj(), *list = ctm_json_arr();
			struct ctm_handshake h = { 0 };
			if (!data || !list)
				rc = oom(err);
			if (!rc)
				rc = suites_of(r, ports[i], (enum ctm_tls)v, list, &h, err);
			if (rc || ctm_json_seti(data, "port", ports[i]) || ctm_json_sets(data, "version", ctm_tls_names[v]) ||
			    ctm_json_sets(data, "last_end", ctm_handshake_ends[h.end]) || ctm_json_sets(data, "last_detail", h.detail)) {
				ctm_json_free(data);
				ctm_json_free(list);
				return rc ? rc : oom(err);
			}
			if (ctm_json_set(data, "suites", list)) {
				ctm_json_free(data);
				return oom(err);
			}
			rc = run_record(r, "tls.suites", data, err);
		}
	return rc;
}

/* ---- certificate ---- */

/* The sample's certificate chain as PEM; kept as a blob and recorded as "tls.chain". Used by S01 and S02 too. */
int lab_chain(struct ctm_run *r, struct ctm_buf *pem, struct ctm_err *err)
{
	struct ctm_handshake h = { .min = CTM_TLS10, .max = CTM_TLS13, .chain = CTM_BUF(1 << 16) };
	char digest[CTM_DIGEST_MAX] = "", ca[CTM_DIGEST_MAX];
	ctm_json *data = ctm_json_obj();
	int rc = shake(r, r->bench->port, &h, err);

	if (!rc && h.chain.len)
		rc = ctm_trace_blob(r->trace, h.chain.p, h.chain.len, digest, err);
	if (!rc)
		rc = ctm_trace_blob(r->trace, r->bench->device_ca.p, r->bench->device_ca.len, ca, err);
	if (!rc && pem)
		ctm_buf_add(pem, h.chain.p, h.chain.len);
	ctm_buf_free(&h.chain);
	if (rc || !data || ctm_json_seti(data, "port", r->bench->port) || ctm_json_sets(data, "end", ctm_handshake_ends[h.end]) ||
	    ctm_json_sets(data, "detail", h.detail) || ctm_json_sets(data, "chain", digest) || ctm_json_sets(data, "declared_ca", ca) ||
	    ctm_json_sets(data, "nameplate_serial", r->bench->serial)) {
		ctm_json_free(data);
		return rc ? rc : oom(err);
	}
	return run_record(r, "tls.chain", data, err);
}

CTM_PROBE(tls_certificate)
{
	return lab_chain(r, NULL, err);
}
