/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges of network exposure and protection in transit: N01, N04, N06, N07, T01, T02, T03. Pure (judge.h).
 */
#include "lab/judge.h"
#include "base/text.h"
#include "crypto/x509.h"
#include <stdio.h>
#include <string.h>

/* ---- N01 ---- */

static bool in_list(const ctm_json *list, int64_t n)
{
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_json_int(ctm_json_at(list, i), -1) == n)
			return true;
	return false;
}

static const ctm_json *declared(const struct ctm_view *v, int64_t port)
{
	const ctm_json *list = ctm_json_get(v->facts->declaration, "interfaces");

	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *f = ctm_json_at(list, i);
		const char *t = ctm_json_gets(f, "transport");
		if (ctm_json_geti(f, "port", -1) == port && (!t || strcmp(t, "tcp") == 0))
			return f;
	}
	return NULL;
}

static const struct ctm_obs *scan_of(struct ctm_view *v, const char *role)
{
	const struct ctm_obs *found = NULL;
	size_t i = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "port.scan", &i));)
		if (ctm_streq(j_text(o->data, "role"), role))
			found = o;
	return found;
}

V_JUDGE(ports_declared)
{
	const struct ctm_obs *target = scan_of(v, "target"), *control = scan_of(v, "control");
	const ctm_json *open = target ? ctm_json_get(target->data, "open") : NULL, *host = control && ctm_json_getb(control->data, "shared_host", false) ? ctm_json_get(control->data, "open") : NULL;
	bool canary = (target && ctm_streq(j_text(target->data, "canary"), "seen")) || (control && ctm_streq(j_text(control->data, "canary"), "seen"));
	int64_t silent = target ? ctm_json_geti(target->data, "silent", 0) : 0, limit = v_int(v, "max_silent", 0);
	int undeclared = 0, fine = 0;

	if (!target) {
		v_say(v, CTM_V_INCONCLUSIVE, "The sample was not scanned.");
		return;
	}
	for (size_t i = 0; i < ctm_json_len(open); i++) {
		int64_t port = ctm_json_int(ctm_json_at(open, i), 0);
		if (declared(v, port)) {
			fine++;
		} else if (in_list(host, port)) {
			v_note(v, "TCP port %lld is held by the bench host on all of its addresses (it also answers on the control address) and was set aside.", (long long)port);
		} else {
			undeclared++;
			v_say(v, CTM_V_FAIL, "TCP port %lld is open and not in the declaration.", (long long)port);
		}
	}
	if (!canary)
		v_say(v, CTM_V_INCONCLUSIVE, "The canary port planted by the bench was not seen, so the scanner cannot be trusted to see anything.");
	/* Of a sample that is dead, or of an address that is not the sample's, every port is refused. */
	if (!fine && ctm_json_len(ctm_json_get(v->facts->declaration, "interfaces")))
		v_say(v, CTM_V_INCONCLUSIVE, "Not even a declared port was seen open: the scan may not have met the sample.");
	if (silent > limit)
		v_say(v, CTM_V_INCONCLUSIVE, "%lld ports gave no answer at all (limit %lld): they may be filtered, not closed.", (long long)silent, (long long)limit);
	if (!undeclared)
		v_say(v, CTM_V_PASS, "Ports 1 to 65535 were tried in %lld ms: %d declared and open, %lld refused, %lld silent; the canary was seen.",
			(long long)ctm_json_geti(target->data, "ms", 0), fine, (long long)ctm_json_geti(target->data, "refused", 0), (long long)silent);
}

/* ---- N04 ---- */

V_JUDGE(declared_answer)
{
	size_t i = 0;
	int n = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "interface", &i)); n++) {
		const char *id = j_text(o->data, "id"), *protocol = j_text(o->data, "protocol");
		long long port = (long long)ctm_json_geti(o->data, "port", 0), status = (long long)ctm_json_geti(o->data, "http_status", 0);
		bool connected = ctm_json_getb(o->data, "connected", false);
		if (!connected)
			v_say(v, CTM_V_FAIL, "Declared interface %s (%s on TCP port %lld) does not answer.", id[0] ? id : "?", protocol, port);
		else if (ctm_streq(protocol, "https") && status == 0)
			v_say(v, CTM_V_FAIL, "Declared interface %s accepts connections on TCP port %lld but does not speak %s.", id[0] ? id : "?", port, protocol);
		else
			v_say(v, CTM_V_PASS, "Declared interface %s (%s on TCP port %lld) answers.", id[0] ? id : "?", protocol, port);
	}
	if (!n)
		v_say(v, CTM_V_INCONCLUSIVE, "The declaration names no interface with a port.");
}

/* ---- N06, N07: what the first bytes are ---- */

/* Name of a legacy remote service by its first bytes; NULL when they look like none. text is NUL-terminated. */
static const char *legacy_service(const char *p, size_t n)
{
	char lower[160];
	size_t k = 0;

	if (n >= 2 && (unsigned char)p[0] == 0xff && (unsigned char)p[1] >= 0xf0)
		return "telnet (option negotiation)";
	for (; k < n && k + 1 < sizeof lower; k++)
		lower[k] = (char)(p[k] >= 'A' && p[k] <= 'Z' ? p[k] + 32 : p[k] ? p[k] : ' ');
	lower[k] = '\0';
	if (ctm_starts(lower, "http/"))
		return NULL;
	if (ctm_starts(lower, "220") && strstr(lower, "ftp"))
		return "FTP";
	if (strstr(lower, "login:") || strstr(lower, "username:") || strstr(lower, "password:"))
		return "a log-in prompt in clear text";
	if (ctm_starts(lower, "ssh-1."))
		return "SSH version 1";
	while (k && (lower[k - 1] == ' ' || lower[k - 1] == '\n' || lower[k - 1] == '\r'))
		k--;
	if (k && k < 120 && (lower[k - 1] == '#' || lower[k - 1] == '$' || lower[k - 1] == '>'))
		return "a command prompt";
	if (strstr(lower, "busybox") || strstr(lower, "uid=") || strstr(lower, "debug"))
		return "a debug or command shell";
	return NULL;
}

static const char *legacy_hex(const char *hex)
{
	uint8_t b[64];
	size_t n = hex ? strlen(hex) : 0;

	if (!n || n > 2 * sizeof b || ctm_unhex(hex, n, b))
		return NULL;
	return legacy_service((const char *)b, n / 2);
}

V_JUDGE(legacy_shell)
{
	const struct ctm_obs *control = v_own(v, "port.shell-control");
	const char *what;
	size_t i = 0;
	int talks = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "port.talk", &i)); talks++)
		if ((what = legacy_hex(j_text(o->data, "first"))))
			v_say(v, CTM_V_FAIL, "TCP port %lld answers like %s.", (long long)ctm_json_geti(o->data, "port", 0), what);
	if (!control || !legacy_hex(j_text(control->data, "first")))
		v_say(v, CTM_V_INCONCLUSIVE, "The bench's own telnet greeting was not recognised, so silence proves nothing.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "No open port greets or prompts like telnet, rlogin, FTP, rsh or a shell (%d conversations); the bench's own greeting was recognised.", talks);
}

V_JUDGE(clear_http)
{
	size_t i = 0;
	int talks = 0, http = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "port.talk", &i)); talks++) {
		const struct ctm_trace_blob *b = v_blob(v, j_text(o->data, "blob"));
		long long port = (long long)ctm_json_geti(o->data, "port", 0);
		int64_t status = 0;
		char code[4] = "";
		if (ctm_json_getb(o->data, "connected", false) && !b && !ctm_json_getb(o->data, "closed", false))
			v_say(v, CTM_V_INCONCLUSIVE, "TCP port %lld took the request and neither answered nor closed in time: it may be slow, not silent.", port);
		if (!b || b->n < 12 || strncmp(b->p, "HTTP/1.", 7) != 0)
			continue;
		http++;
		memcpy(code, b->p + 9, 3);
		if (ctm_parse_i64(code, 100, 599, &status))
			continue;
		if (status == 400 || status == 426 || (status >= 300 && status < 400 && strcasestr(b->p, "location: https://")))
			v_note(v, "TCP port %lld answers plain HTTP with %lld only: it sends the asker to TLS or refuses.", port, (long long)status);
		else
			v_say(v, CTM_V_FAIL, "TCP port %lld answers plain HTTP with status %lld on %s, without TLS.", port, (long long)status, j_text(o->data, "way"));
	}
	if (talks == 0)
		v_say(v, CTM_V_INCONCLUSIVE, "No open port was spoken to.");
	else if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "No open port gives data over plain HTTP (%d requests, %d answers in HTTP).", talks, http);
}

/* ---- T01 ---- */

V_JUDGE(tls_floor)
{
	const ctm_json *allowed = v_param(v, "allowed");
	bool any_good = false, tls = false;
	size_t i = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "tls.version", &i));) {
		const char *asked = j_text(o->data, "asked"), *end = j_text(o->data, "end");
		long long port = (long long)ctm_json_geti(o->data, "port", 0);
		bool ok = false;
		for (size_t k = 0; k < ctm_json_len(allowed); k++)
			ok = ok || ctm_streq(ctm_json_str(ctm_json_at(allowed, k)), asked);
		if (ctm_streq(end, "offered")) {
			tls = true;
			any_good = any_good || ok;
			if (ok)
				v_note(v, "TCP port %lld offers %s.", port, asked);
			else
				v_say(v, CTM_V_FAIL, "TCP port %lld completes a handshake in %s (%s).", port, asked, j_text(o->data, "suite"));
		} else if (!ok && !ctm_json_getb(o->data, "bench_speaks_it", false)) {
			v_say(v, CTM_V_INCONCLUSIVE, "The bench could not speak %s, so it cannot say that port %lld refuses it.", asked, port);
		} else if (!ok && ctm_streq(end, "failed")) {
			v_say(v, CTM_V_INCONCLUSIVE, "The attempt in %s on TCP port %lld neither completed nor was refused: %s.", asked, port, j_text(o->data, "detail"));
		} else if (!ok) {
			v_note(v, "TCP port %lld does not offer %s: %s (%s).", port, asked, end, j_text(o->data, "detail"));
		}
	}
	if (!tls)
		v_say(v, CTM_V_INCONCLUSIVE, "No port completed any TLS handshake.");
	else if (any_good && v->verdict < 0)
		v_say(v, CTM_V_PASS, "Only permitted TLS versions are offered, and the bench has shown that it speaks the others.");
}

/* ---- T02 ---- */

static const char *weak_suite(const ctm_json *s, const ctm_json *words)
{
	const char *name = j_text(s, "name");

	for (size_t i = 0; name && i < ctm_json_len(words); i++) {
		const char *w = ctm_json_str(ctm_json_at(words, i));
		if (w && strstr(name, w))
			return w;
	}
	return NULL;
}

V_JUDGE(tls_suites)
{
	const ctm_json *words = v_param(v, "forbidden"), *kx = v_param(v, "forbidden_key_exchange");
	int64_t min_bits = v_int(v, "min_bits", 128);
	bool good = false;
	size_t i = 0;
	int n = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "tls.suites", &i));) {
		const ctm_json *list = ctm_json_get(o->data, "suites");
		const char *version = j_text(o->data, "version");
		for (size_t k = 0; k < ctm_json_len(list); k++, n++) {
			const ctm_json *s = ctm_json_at(list, k);
			const char *name = j_text(s, "name"), *how = j_text(s, "kx"), *word = weak_suite(s, words);
			bool bad_kx = false;
			for (size_t j = 0; j < ctm_json_len(kx); j++)
				bad_kx = bad_kx || ctm_streq(ctm_json_str(ctm_json_at(kx, j)), how);
			if (word)
				v_say(v, CTM_V_FAIL, "%s accepts %s (%s is forbidden).", version, name, word);
			else if (bad_kx)
				v_say(v, CTM_V_FAIL, "%s accepts %s: key exchange %s gives no forward secrecy.", version, name, how);
			else if (ctm_json_geti(s, "bits", 0) < min_bits)
				v_say(v, CTM_V_FAIL, "%s accepts %s with %lld bits.", version, name, (long long)ctm_json_geti(s, "bits", 0));
			if (ctm_json_getb(s, "aead", false) && (ctm_streq(how, "ECDHE") || ctm_streq(how, "any")))
				good = true;
		}
	}
	if (n == 0)
		v_say(v, CTM_V_INCONCLUSIVE, "No TLS suite was seen at all.");
	else if (!good)
		v_say(v, CTM_V_FAIL, "No suite with ephemeral key exchange and authenticated encryption is accepted.");
	else if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d suites are accepted, each permitted; forward secrecy with authenticated encryption is there.", n);
}

/* ---- T03 ---- */

static void judge_strength(struct ctm_view *v, const struct ctm_cert_info *c)
{
	int64_t rsa = v_int(v, "min_rsa_bits", 2048), ec = v_int(v, "min_ec_bits", 224);
	bool is_rsa = ctm_starts(c->key_type, "RSA");

	if (c->key_bits < (is_rsa ? rsa : ec))
		v_say(v, CTM_V_FAIL, "Strength: the certificate's key is %s with %d bits.", c->key_type, c->key_bits);
	if (strcasestr(c->sig_alg, "sha1") || strcasestr(c->sig_alg, "md5"))
		v_say(v, CTM_V_FAIL, "Strength: the certificate is signed with %s.", c->sig_alg);
	if (c->is_ca)
		v_say(v, CTM_V_FAIL, "Strength: the device presents a CA certificate as its own.");
}

V_JUDGE(certificate)
{
	const struct ctm_obs *o = v_own(v, "tls.chain");
	const struct ctm_trace_blob *chain = o ? v_blob(v, j_text(o->data, "chain")) : NULL, *ca = o ? v_blob(v, j_text(o->data, "declared_ca")) : NULL;
	const char *serial = o ? j_text(o->data, "nameplate_serial") : "";
	struct ctm_cert_info c;
	struct ctm_err why = { 0 };

	if (!chain || !ca) {
		v_say(v, CTM_V_INCONCLUSIVE, "No certificate was seen: %s.", o ? j_text(o->data, "detail") : "no handshake was made");
		return;
	}
	if (ctm_cert_read(chain->p, chain->n, &c, &why)) {
		v_say(v, CTM_V_FAIL, "The certificate cannot be read: %s.", why.msg);
		return;
	}
	if (ctm_cert_verify(chain->p, chain->n, ca->p, o->at_ms, &why))
		v_say(v, CTM_V_FAIL, "Trust: the certificate does not chain to the declared device CA: %s.", why.msg);
	if (o->at_ms < c.not_before_ms || o->at_ms > c.not_after_ms)
		v_say(v, CTM_V_FAIL, "Dates: the certificate was not valid at the time of the test.");
	if (!ctm_streq(c.serial_number, serial))
		v_say(v, CTM_V_FAIL, "Identity: the certificate names serial \"%s\", the nameplate \"%s\".", c.serial_number, serial);
	judge_strength(v, &c);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The certificate (%s, %s) chains to the declared CA, is in date and names the serial of the nameplate.", c.key_type, c.sig_alg);
}
