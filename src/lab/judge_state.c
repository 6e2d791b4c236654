/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges of identity, state awareness and log: S01, S02, S04, S05, S09. Pure (judge.h).
 */
#include "lab/judge.h"
#include "base/text.h"
#include "crypto/x509.h"
#include <stdio.h>
#include <string.h>

/* The certificate recorded last by this check; false when there is none that can be read. */
static bool certificate(struct ctm_view *v, struct ctm_cert_info *c, const struct ctm_trace_blob **pem)
{
	const struct ctm_obs *o = v_own(v, "tls.chain");

	*pem = o ? v_blob(v, j_text(o->data, "chain")) : NULL;
	return *pem && ctm_cert_read((*pem)->p, (*pem)->n, c, NULL) == 0;
}

/* ---- S01 ---- */

V_JUDGE(identity)
{
	const struct ctm_obs *label = v_own(v, "label");
	const ctm_json *identity = v_reply(v, "identity"), *fleet = label ? ctm_json_get(label->data, "fleet") : NULL;
	const struct ctm_trace_blob *pem;
	struct ctm_cert_info c;
	const char *printed;

	if (!label || !identity) {
		v_say(v, CTM_V_INCONCLUSIVE, "The sample gave no identity (status %d).", v_status(v, "identity"));
		return;
	}
	printed = j_text(label->data, "serial");
	if (strcmp(j_text(identity, "serial"), printed) != 0)
		v_say(v, CTM_V_FAIL, "The sample reports serial \"%s\", its nameplate says \"%s\".", j_text(identity, "serial"), printed);
	if (strcmp(j_text(identity, "model"), j_text(label->data, "model")) != 0)
		v_say(v, CTM_V_FAIL, "The sample reports model \"%s\", its nameplate says \"%s\".", j_text(identity, "model"), j_text(label->data, "model"));
	if (!certificate(v, &c, &pem)) {
		v_say(v, CTM_V_INCONCLUSIVE, "The sample showed no certificate that can be read.");
		return;
	}
	if (strcmp(c.serial_number, printed) != 0)
		v_say(v, CTM_V_FAIL, "The certificate names serial \"%s\", the nameplate \"%s\".", c.serial_number, printed);
	if (strcmp(j_text(identity, "spki_sha256"), c.spki_sha256) != 0)
		v_say(v, CTM_V_FAIL, "The key digest in the identity is not that of the certificate.");
	if (fleet && ctm_json_gets(fleet, "serial") && strcmp(j_text(fleet, "serial"), printed) != 0)
		v_say(v, CTM_V_FAIL, "The maker's backend knows this unit as \"%s\".", j_text(fleet, "serial"));
	if (fleet && ctm_json_gets(fleet, "spki_sha256") && strcmp(j_text(fleet, "spki_sha256"), c.spki_sha256) != 0)
		v_say(v, CTM_V_FAIL, "The maker's backend knows another key for this unit.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Serial %s stands alike in the identity, the certificate%s and on the nameplate.", printed, fleet ? ", the maker's backend" : "");
}

/* ---- S02 ---- */

/* Does this reply's signature hold for that nonce? */
static bool holds(const struct ctm_key *key, const char *serial, const char *nonce, const char *signature)
{
	CTM_AUTO_BUF msg = CTM_BUF(512), sig = CTM_BUF(128);

	ctm_buf_printf(&msg, "ctm-identity-proof/1\n%s\n%s\n", serial, nonce);
	return !msg.failed && !ctm_unb64url(signature, strlen(signature), &sig) && sig.len == 64 &&
		!ctm_key_verify(key, msg.p, msg.len, (const uint8_t *)sig.p, sig.len);
}

V_JUDGE(proof)
{
	const struct ctm_obs *p1 = v_call(v, "proof/1"), *p2 = v_call(v, "proof/2");
	const ctm_json *identity = v_reply(v, "identity");
	const struct ctm_trace_blob *pem;
	const char *serial, *n[2], *s[2];
	struct ctm_cert_info c;
	CTM_AUTO_KEY *key = NULL;

	if (!certificate(v, &c, &pem) || !p1 || !p2 || !identity) {
		v_say(v, CTM_V_INCONCLUSIVE, "The sample showed no certificate or no identity, so there is nothing to prove against.");
		return;
	}
	if (ctm_cert_public_key(pem->p, pem->n, &key, NULL)) {
		v_say(v, CTM_V_FAIL, "The certificate's key (%s) is of no kind that the proof can use.", c.key_type);
		return;
	}
	serial = j_text(identity, "serial");
	n[0] = j_text(ctm_json_get(p1->data, "request"), "nonce");
	n[1] = j_text(ctm_json_get(p2->data, "request"), "nonce");
	s[0] = j_text(ctm_json_get(p1->data, "reply"), "signature");
	s[1] = j_text(ctm_json_get(p2->data, "reply"), "signature");
	for (int i = 0; i < 2; i++)
		if (!holds(key, serial, n[i], s[i]))
			v_say(v, CTM_V_FAIL, "For challenge %d the sample gave %s.", i + 1, s[i][0] ? "a signature that does not hold under its certificate" : "no signature");
	if (s[0][0] && (strcmp(s[0], s[1]) == 0 || holds(key, serial, n[1], s[0])))
		v_say(v, CTM_V_FAIL, "The answer to one challenge also serves for another: it can be replayed.");
	if (j_taken(v_status(v, "proof/short")))
		v_say(v, CTM_V_FAIL, "A challenge of three bytes was signed; the interface promises 32.");
	else if (!j_refused(v_status(v, "proof/short")))
		v_say(v, CTM_V_INCONCLUSIVE, "A challenge of three bytes got status %d, which is no clear refusal.", v_status(v, "proof/short"));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Two fresh challenges were signed by the key of the certificate; neither answer serves for the other challenge.");
}

/* ---- S04 ---- */

V_JUDGE(log_access)
{
	static const char *const steps[] = { "log/nobody", "log/invented", "state/nobody", "state/invented", "config/nobody" };

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		int status = v_status(v, steps[i]);
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "%s was answered with status %d without authority.", steps[i], status);
		else if (!j_refused(status))
			v_say(v, CTM_V_INCONCLUSIVE, "%s got status %d.", steps[i], status);
	}
	if (!v_owner(v))
		return;
	if (v_status(v, "log/owner") != 200 || v_status(v, "state/owner") != 200)
		v_say(v, CTM_V_INCONCLUSIVE, "The owner could not read log and state either (status %d and %d).", v_status(v, "log/owner"), v_status(v, "state/owner"));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Log, state and configuration are refused without a session and with an invented token; the owner reads them.");
}

/* ---- S05 ---- */

/* The last sequence number of a log that was read. */
static int64_t last_seq(const ctm_json *log)
{
	const ctm_json *entries = ctm_json_get(log, "entries");
	int64_t last = 0;

	for (size_t i = 0; i < ctm_json_len(entries); i++)
		if (ctm_json_geti(ctm_json_at(entries, i), "seq", 0) > last)
			last = ctm_json_geti(ctm_json_at(entries, i), "seq", 0);
	return last;
}

/* Does the event stand there after that number? An entry of an earlier day is no evidence that this one was kept. */
static bool recorded(const ctm_json *entries, const char *event, int64_t after)
{
	for (size_t i = 0; i < ctm_json_len(entries); i++) {
		const ctm_json *e = ctm_json_at(entries, i);
		if (strcmp(j_text(e, "event"), event) == 0 && ctm_json_geti(e, "at_ms", 0) > 0 && ctm_json_geti(e, "seq", 0) > after)
			return true;
	}
	return false;
}

V_JUDGE(log_events)
{
	const ctm_json *before = v_reply(v, "log/before"), *after = v_reply(v, "log/after"), *events = v_param(v, "events"), *entries;

	if (!v_owner(v))
		return;
	if (!before || !after) {
		v_say(v, CTM_V_INCONCLUSIVE, "The owner could not read the log.");
		return;
	}
	entries = ctm_json_get(after, "entries");
	for (size_t i = 0; i < ctm_json_len(events); i++) {
		const char *event = ctm_json_str(ctm_json_at(events, i));
		char step[64];
		snprintf(step, sizeof step, "trigger/%.50s", event ? event : "");
		if (v_status(v, step) < 1)
			v_say(v, CTM_V_INCONCLUSIVE, "The event %s could not be triggered.", event ? event : "");
		else if (event && !recorded(entries, event, last_seq(before)))
			v_say(v, CTM_V_FAIL, "The event %s happened and is not in the log.", event);
	}
	for (size_t i = 1; i < ctm_json_len(entries); i++)
		if (ctm_json_geti(ctm_json_at(entries, i), "seq", 0) != ctm_json_geti(ctm_json_at(entries, i - 1), "seq", 0) + 1)
			v_say(v, CTM_V_FAIL, "The log's sequence numbers have a gap.");
	if (!ctm_json_len(events))
		v_say(v, CTM_V_INCONCLUSIVE, "The check names no event to trigger.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Each of %zu triggered events stands in the log with its time and kind, in sequence.", ctm_json_len(events));
}

/* ---- S09 ---- */

static const char *bare(const char *digest)
{
	return ctm_starts(digest, "sha256:") ? digest + 7 : digest;
}

V_JUDGE(version_match)
{
	static const char *const kinds[] = { "claimed", "booted", "verified" };
	const struct ctm_obs *release = v_own(v, "release");
	const ctm_json *identity = v_reply(v, "identity"), *state = v_reply(v, "state");
	const char *want = release ? j_text(release->data, "version") : "", *image = release ? j_text(release->data, "image_sha256") : "";

	if (!want[0] || !image[0]) {
		v_say(v, CTM_V_INCONCLUSIVE, "The bench does not name version and image digest of the release.");
		return;
	}
	if (strcmp(want, j_text(v->facts->declaration, "version")) != 0)
		v_say(v, CTM_V_INCONCLUSIVE, "The declaration is for version %s, the release for %s.", j_text(v->facts->declaration, "version"), want);
	if (!v_owner(v))
		return;
	if (!identity || !state) {
		v_say(v, CTM_V_INCONCLUSIVE, "Identity or state could not be read.");
		return;
	}
	if (strcmp(j_text(identity, "version"), want) != 0)
		v_say(v, CTM_V_FAIL, "The identity reports version %s, the release is %s.", j_text(identity, "version"), want);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(j_text(ctm_json_get(state, "version"), kinds[i]), want) != 0)
			v_say(v, CTM_V_FAIL, "The state's %s version is %s, the release is %s.", kinds[i], j_text(ctm_json_get(state, "version"), kinds[i]), want);
	if (strcasecmp(bare(j_text(state, "image_sha256")), bare(image)) != 0)
		v_say(v, CTM_V_FAIL, "The running image is not the release's image.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Identity and state report %s, and the running image is the release's.", want);
}
