/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges of update and reset: U01, U02, U03, U04, U09, R02, R03, R05, C11. Pure (judge.h). A refused update counts only when the
 * same sample, in the same state, takes the good package, and when version, image and security counter read back unchanged.
 */
#include "lab/judge.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static const char *booted(const ctm_json *state)
{
	return j_text(ctm_json_get(state, "version"), "booted");
}

/* The named specimen as recorded by this check. */
static const struct ctm_obs *specimen(struct ctm_view *v, const char *name)
{
	const struct ctm_obs *found = NULL;
	size_t i = 0;

	for (const struct ctm_obs *o; (o = v_next(v, "specimen", &i));)
		if (strcmp(j_text(o->data, "name"), name) == 0)
			found = o;
	return found;
}

/* A usable specimen and an owner; else says why not and returns NULL. */
static const struct ctm_obs *ready(struct ctm_view *v, const char *name)
{
	const struct ctm_obs *o = specimen(v, name);

	if (!o || !ctm_json_getb(o->data, "usable", false)) {
		v_say(v, CTM_V_INCONCLUSIVE, "Specimen \"%s\" is missing: %s.", name, o ? j_text(o->data, "why") : "it was not read");
		return NULL;
	}
	return v_owner(v) ? o : NULL;
}

/* Hex of a digest with or without its "sha256:" before it. */
static const char *bare(const char *digest)
{
	return ctm_starts(digest, "sha256:") ? digest + 7 : digest;
}

/* ---- U01 ---- */

V_JUDGE(update_good)
{
	const struct ctm_obs *good = ready(v, "good");
	const ctm_json *before = v_reply(v, "state/before"), *after = v_reply(v, "state/good"), *identity = v_reply(v, "identity/after");
	const char *version;
	int status = v_status(v, "good");

	if (!good)
		return;
	version = j_text(good->data, "version");
	if (!before) {
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the update could not be read.");
		return;
	}
	if (!j_taken(status))
		v_say(v, CTM_V_FAIL, "The maker's good package %s was not accepted (status %d).", version, status);
	if (!after)
		v_say(v, CTM_V_FAIL, "After the update the state could not be read.");
	else if (strcmp(booted(after), version) != 0)
		v_say(v, CTM_V_FAIL, "After the update the sample runs %s, not %s.", booted(after), version);
	else if (strcmp(bare(j_text(after, "image_sha256")), bare(j_text(good->data, "image_sha256"))) != 0)
		v_say(v, CTM_V_FAIL, "After the update the running image is not the image of the package.");
	if (identity && strcmp(j_text(identity, "version"), version) != 0)
		v_say(v, CTM_V_FAIL, "After the update the identity still reports version %s.", j_text(identity, "version"));
	if (!booted(before)[0])
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the update names no version: a change of version was not shown.");
	if (strcmp(booted(before), version) == 0 && v->verdict < 0)
		v_say(v, CTM_V_INCONCLUSIVE, "The sample already ran %s before: a change of version was not shown. Put it back to an earlier version and run again.", version);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The good package was accepted: the version went from %s to %s, the running image is the package's.", booted(before), version);
}

/* ---- refusals ---- */

/* Does a state name all that an update changes? What is absent on both sides would compare as unchanged. */
static bool tells_all(const ctm_json *state)
{
	return booted(state)[0] && j_text(state, "image_sha256")[0] && ctm_json_geti(state, "security_counter", -1) >= 0;
}

/* One attempt that must be refused and must leave everything as it was. */
static void must_refuse(struct ctm_view *v, const char *step, const char *what, const ctm_json *before)
{
	char after_step[80];
	const ctm_json *after;
	const struct ctm_obs *o = v_call(v, step);
	int status = v_status(v, step);

	snprintf(after_step, sizeof after_step, "state/%s", step);
	after = v_reply(v, after_step);
	if (j_taken(status))
		v_say(v, CTM_V_FAIL, "%s was accepted (status %d).", what, status);
	else if (!j_refused(status))
		v_say(v, CTM_V_INCONCLUSIVE, "%s got status %d, which is no clear refusal.", what, status);
	else
		v_note(v, "%s: refused with status %d, %s.", what, status, j_text(ctm_json_get(o->data, "reply"), "error"));
	if (!after)
		v_say(v, CTM_V_INCONCLUSIVE, "After the attempt (%s) the state could not be read back.", what);
	else if (!tells_all(before) || !tells_all(after))
		v_say(v, CTM_V_INCONCLUSIVE, "The state around the attempt (%s) leaves out version, image or security counter, so that nothing changed is not shown.", what);
	else if (strcmp(booted(before), booted(after)) != 0 || strcmp(j_text(before, "image_sha256"), j_text(after, "image_sha256")) != 0 ||
		 ctm_json_geti(before, "security_counter", -1) != ctm_json_geti(after, "security_counter", -1))
		v_say(v, CTM_V_FAIL, "After the attempt (%s) version, image or security counter differ from before.", what);
}

static void control_good(struct ctm_view *v)
{
	if (!j_taken(v_status(v, "control/good")))
		v_say(v, CTM_V_INCONCLUSIVE, "The unchanged good package was not accepted in the same state (status %d): a device that takes nothing also refuses the bad.", v_status(v, "control/good"));
}

V_JUDGE(update_tampered)
{
	const ctm_json *before = v_reply(v, "state/before");

	if (!ready(v, "good"))
		return;
	if (!before) {
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the attempts could not be read.");
		return;
	}
	must_refuse(v, "tampered/payload", "A package with one bit of its image flipped", before);
	must_refuse(v, "tampered/header", "A package with image and manifest changed to fit, under the old signature", before);
	must_refuse(v, "tampered/signature", "A package with one bit of its signature flipped", before);
	control_good(v);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Three tampered packages were refused without effect; the unchanged package was accepted in the same state.");
}

V_JUDGE(update_unsigned)
{
	const ctm_json *before = v_reply(v, "state/before");

	if (!ready(v, "good"))
		return;
	if (!before) {
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the attempts could not be read.");
		return;
	}
	must_refuse(v, "unsigned/zeroes", "A package with an empty signature", before);
	must_refuse(v, "unsigned/bare", "A package with a bare, unsigned manifest", before);
	must_refuse(v, "unsigned/other-key", "A package signed by another key", before);
	control_good(v);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Unsigned and wrongly signed packages were refused without effect; the maker's own was accepted in the same state.");
}

V_JUDGE(update_older)
{
	const struct ctm_obs *older = ready(v, "older"), *good;
	const ctm_json *before = v_reply(v, "state/before");

	if (!older)
		return;
	good = specimen(v, "good");
	if (!before || !good) {
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the attempt could not be read.");
		return;
	}
	if (ctm_json_geti(older->data, "counter", 0) >= ctm_json_geti(before, "security_counter", -1))
		v_say(v, CTM_V_INCONCLUSIVE, "The \"older\" specimen (security counter %lld) is not older than what runs (%lld).", (long long)ctm_json_geti(older->data, "counter", 0),
			(long long)ctm_json_geti(before, "security_counter", -1));
	must_refuse(v, "older", "The maker's own older package", before);
	control_good(v);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The older package %s, correctly signed, was refused over %s; the good one was accepted in the same state.", j_text(older->data, "version"), booted(before));
}

V_JUDGE(update_open)
{
	const ctm_json *before = v_reply(v, "state/before");

	if (!ready(v, "good"))
		return;
	if (!before) {
		v_say(v, CTM_V_INCONCLUSIVE, "The state before the attempts could not be read.");
		return;
	}
	must_refuse(v, "open/nobody", "An update without a session", before);
	must_refuse(v, "open/invented", "An update with an invented token", before);
	control_good(v);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Updates without authority were refused without effect; the same package by the owner was accepted.");
}

/* ---- reset ---- */

/* The reset happened and the sample came back; else says so. */
static bool was_reset(struct ctm_view *v)
{
	int status = v_status(v, "reset/reset");

	if (status < 0)
		v_say(v, CTM_V_INCONCLUSIVE, "No reset was made.");
	else if (!j_taken(status))
		v_say(v, CTM_V_FAIL, "The owner's reset was not accepted (status %d).", status);
	else if (v_status(v, "reset/login.initial") < 0)
		v_say(v, CTM_V_INCONCLUSIVE, "After the reset the sample did not come back.");
	else
		return true;
	return false;
}

V_JUDGE(reset_default)
{
	const ctm_json *settings = ctm_json_get(v->facts->declaration, "settings"), *before, *after;
	int changed = 0;

	if (!was_reset(v))
		return;
	before = v_reply(v, "reset/config/before");
	after = v_reply(v, "reset/config/after");
	if (v_status(v, "reset/login.initial") != 200)
		v_say(v, CTM_V_FAIL, "After the reset the printed password does not open the sample (status %d).", v_status(v, "reset/login.initial"));
	if (j_taken(v_status(v, "reset/login.changed")))
		v_say(v, CTM_V_FAIL, "After the reset the former owner's password still opens the sample.");
	else if (!j_refused(v_status(v, "reset/login.changed")) && v_status(v, "reset/login.changed") != 429)
		v_say(v, CTM_V_INCONCLUSIVE, "After the reset the former owner's password got status %d.", v_status(v, "reset/login.changed"));
	if (!before || !after) {
		v_say(v, CTM_V_INCONCLUSIVE, "The configuration before and after the reset could not be read.");
		return;
	}
	for (size_t i = 0; i < ctm_json_len(settings); i++) {
		const ctm_json *s = ctm_json_at(settings, i), *want = ctm_json_get(s, "secure_default");
		const char *name = j_text(s, "name");
		if (!want)
			continue;
		changed += !j_same(want, ctm_json_get(before, name));
		if (!j_same(want, ctm_json_get(after, name)))
			v_say(v, CTM_V_FAIL, "After the reset, setting \"%s\" is not at its secure default.", name);
	}
	if (!changed)
		v_say(v, CTM_V_INCONCLUSIVE, "No setting stood away from its default before the reset, so nothing was shown.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d settings stood away from their secure defaults and are back; the printed password holds again and the former one does not.", changed);
}

/* What a reply carries, as text: JSON in canonical form, or the text as it came. */
static void reply_text(const struct ctm_obs *o, struct ctm_buf *b)
{
	const ctm_json *r = o ? ctm_json_get(o->data, "reply") : NULL;

	if (r && ctm_json_canonical(r, b))
		ctm_buf_reset(b);
	else if (o && !r)
		ctm_buf_str(b, j_text(o->data, "reply_text"));
}

/* The marker that a reply shows: "mark" and 16 more characters. */
static bool marker_in(const struct ctm_obs *o, char out[24])
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	const char *p;

	reply_text(o, &b);
	p = strstr(ctm_buf_cstr(&b), "mark");
	if (!p || strlen(p) < 20)
		return false;
	snprintf(out, 24, "%.20s", p);
	return true;
}

static bool carries(const struct ctm_obs *o, const char *marker)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);

	reply_text(o, &b);
	return marker[0] && strstr(ctm_buf_cstr(&b), marker);
}

V_JUDGE(reset_data)
{
	static const char *const gone[] = { "reset/gone/0", "reset/gone/1" }, *const planted[] = { "reset/planted/0", "reset/planted/1" };
	static const char *const elsewhere[] = { "reset/config/after", "reset/log/after", "reset/state/after" };
	char marker[24] = "";
	int seen = 0;

	if (!was_reset(v))
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct ctm_obs *before = v_call(v, planted[i]), *after = v_call(v, gone[i]);
		int status = v_status(v, gone[i]);
		seen += marker_in(before, marker);
		if (j_taken(status) || carries(after, marker))
			v_say(v, CTM_V_FAIL, "User data planted before the reset can still be read afterwards (%s).", j_text(after->data, "path"));
		else if (status != 404)
			v_say(v, CTM_V_INCONCLUSIVE, "Asking for planted user data after the reset got status %d.", status);
	}
	for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
		if (carries(v_call(v, elsewhere[i]), marker))
			v_say(v, CTM_V_FAIL, "The marker of planted user data turns up in %s after the reset.", elsewhere[i] + 6);
	if (seen < 2)
		v_say(v, CTM_V_INCONCLUSIVE, "The planted user data could not be read before the reset, so its absence afterwards proves nothing.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "User data planted before the reset could be read then and is gone now, also from configuration, state and log. The inside of the storage was not examined.");
}

V_JUDGE(reset_open)
{
	const ctm_json *before = v_reply(v, "config/before"), *after = v_reply(v, "config/after");
	static const char *const steps[] = { "open/nobody", "open/invented" }, *const who[] = { "without a session", "with an invented token" };

	if (!v_owner(v) && v->verdict != CTM_V_INCONCLUSIVE)
		return;
	for (size_t i = 0; i < 2; i++) {
		int status = v_status(v, steps[i]);
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "A reset %s was accepted (status %d).", who[i], status);
		else if (!j_refused(status))
			v_say(v, CTM_V_INCONCLUSIVE, "A reset %s got status %d.", who[i], status);
	}
	if (v_status(v, "kept") == 404)
		v_say(v, CTM_V_FAIL, "After the attempts the owner's data is gone.");
	else if (v_status(v, "kept") != 200 || !before || !after)
		v_say(v, CTM_V_INCONCLUSIVE, "The state could not be read back after the attempts.");
	else if (!j_same(before, after))
		v_say(v, CTM_V_FAIL, "After the attempts the configuration differs from before.");
	/* A device that has no reset at all refuses everybody: the owner's own reset, made later in the run, is the control. */
	if (!j_taken(v_status(v, "reset/reset")))
		v_say(v, CTM_V_INCONCLUSIVE, "The owner's own reset was not accepted in this run (status %d), so the refusals have no control.", v_status(v, "reset/reset"));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "A reset without authority was refused, with configuration and data as before; the owner's own reset was accepted later in the run.");
}

V_JUDGE(token_void)
{
	int works = v_status(v, "reset/second-session.works"), after = v_status(v, "reset/second-session.after"), old = v_status(v, "reset/old-token"),
		old_config = v_status(v, "reset/old-token.config");

	if (works != 200)
		v_say(v, CTM_V_INCONCLUSIVE, "The second session did not work while it should (status %d), so its end shows nothing.", works);
	if (j_taken(after))
		v_say(v, CTM_V_FAIL, "After signing out, the session's token still works (status %d).", after);
	else if (works == 200 && after != 401 && after != 403)
		v_say(v, CTM_V_INCONCLUSIVE, "After signing out, the token got status %d.", after);
	if (!was_reset(v))
		return;
	if (j_taken(old) || j_taken(old_config))
		v_say(v, CTM_V_FAIL, "After the reset, a token from before it still works.");
	else if (!j_refused(old) || !j_refused(old_config))
		v_say(v, CTM_V_INCONCLUSIVE, "After the reset, the old token got status %d and %d.", old, old_config);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "A token worked, and was void after sign-out; another was void after the reset.");
}
