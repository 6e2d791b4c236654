/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges of credentials and settings: C01, C02, C04, C05, C07, C08, C09, R01, R08. Pure (judge.h). A refusal counts only with
 * its control: the right password accepted, the strong password taken, the owner's change applied.
 */
#include "lab/judge.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

/* ---- C01, C02 ---- */

V_JUDGE(default_passwords)
{
	const struct ctm_obs *o = v_own(v, "login.tries");
	long long made, accepted, refusals, locked;
	int64_t control;

	if (!o) {
		if (v_own(v, "owner"))
			v_owner(v);
		else
			v_say(v, CTM_V_INCONCLUSIVE, "No password was tried.");
		return;
	}
	made = (long long)ctm_json_geti(o->data, "made", 0);
	accepted = (long long)ctm_json_geti(o->data, "accepted", 0);
	refusals = (long long)ctm_json_geti(o->data, "refused", 0);
	locked = (long long)ctm_json_geti(o->data, "locked", 0);
	control = ctm_json_geti(o->data, "control_status", 0);
	if (accepted)
		v_say(v, CTM_V_FAIL, "%lld of %lld passwords from the list of defaults were accepted.", accepted, made);
	if (control != 200)
		v_say(v, CTM_V_INCONCLUSIVE, "The right password was not accepted afterwards (status %lld), so the refusals prove nothing.", (long long)control);
	if (refusals + accepted < v_int(v, "min_tries", 1))
		v_say(v, CTM_V_INCONCLUSIVE, "Only %lld attempts were answered.", refusals + accepted);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%lld attempts: %lld refused, %lld met the lock-out and were waited out (%lld ms); the right password was accepted afterwards.",
			made, refusals, locked, (long long)ctm_json_geti(o->data, "waited_ms", 0));
}

/* ---- C04 ---- */

V_JUDGE(nameplate_password)
{
	const struct ctm_obs *o = v_own(v, "nameplate");
	const ctm_json *derived = o ? ctm_json_get(o->data, "derived") : NULL;
	int64_t length = o ? ctm_json_geti(o->data, "length", 0) : 0, min = v_int(v, "min_length", 8);

	if (!o) {
		v_say(v, CTM_V_INCONCLUSIVE, "The nameplate was not read.");
		return;
	}
	if (ctm_json_getb(o->data, "common", false))
		v_say(v, CTM_V_FAIL, "The printed password is one of the common ones.");
	for (size_t i = 0; i < ctm_json_len(derived); i++)
		v_say(v, CTM_V_FAIL, "The printed password can be derived: %s.", ctm_json_str(ctm_json_at(derived, i)));
	if (ctm_json_geti(o->data, "tried", 0) < 1)
		v_say(v, CTM_V_INCONCLUSIVE, "The printed password was compared with nothing.");
	if (length < min)
		v_say(v, CTM_V_FAIL, "The printed password has %lld characters, fewer than %lld.", (long long)length, (long long)min);
	if (ctm_json_geti(o->data, "distinct", 0) < v_int(v, "min_distinct", 5))
		v_say(v, CTM_V_FAIL, "The printed password uses only %lld different characters.", (long long)ctm_json_geti(o->data, "distinct", 0));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "The printed password (%lld characters) is none of %lld common or derived ones that were tried. One sample was seen: uniqueness over units is the maker's declaration.",
			(long long)length, (long long)ctm_json_geti(o->data, "tried", 0));
}

/* ---- C05 ---- */

V_JUDGE(lockout)
{
	const ctm_json *lock = ctm_json_get(ctm_json_get(v->facts->declaration, "credentials"), "lockout");
	int64_t declared = ctm_json_geti(lock, "attempts", 0);
	int tries = 0, lock_at = 0, during, after;
	char step[32];

	if (!v_owner(v))
		return;
	for (int i = 1; i <= 100; i++) {
		int status;
		snprintf(step, sizeof step, "wrong/%d", i);
		if ((status = v_status(v, step)) < 0)
			break;
		tries = i;
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "A wrong password was accepted.");
		if (status == 429 && !lock_at)
			lock_at = i;
	}
	during = v_status(v, "right/locked");
	after = v_status(v, "right/after");
	if (!tries) {
		v_say(v, CTM_V_INCONCLUSIVE, "No wrong password was tried.");
		return;
	}
	if (!lock_at)
		v_say(v, CTM_V_FAIL, "%d wrong passwords in a row were answered without any lock or delay.", tries);
	else if (declared > 0 && lock_at > declared + 1)
		v_say(v, CTM_V_FAIL, "The lock came at attempt %d; the declaration says after %lld wrong ones.", lock_at, (long long)declared);
	if (lock_at && j_taken(during))
		v_say(v, CTM_V_FAIL, "While locked, the right password was accepted, so a guesser is not held up.");
	else if (lock_at && !j_refused(during) && during != 429)
		v_say(v, CTM_V_INCONCLUSIVE, "While locked, the right password got status %d: whether the lock holds for it was not seen.", during);
	if (!j_taken(after))
		v_say(v, CTM_V_INCONCLUSIVE, "The right password was not accepted after the stated time (status %d): the refusals have no control.", after);
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Locked at attempt %d, also for the right password; after the stated time the right password was accepted again.", lock_at);
}

/* ---- C07 ---- */

V_JUDGE(weak_password)
{
	char step[32];
	int tries = 0, status;

	if (!v_owner(v))
		return;
	for (int i = 1; i <= 64; i++) {
		snprintf(step, sizeof step, "weak/%d", i);
		if ((status = v_status(v, step)) < 0)
			break;
		tries++;
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "Weak password number %d of the check's list was accepted.", i);
		else if (!j_refused(status))
			v_say(v, CTM_V_INCONCLUSIVE, "Weak password number %d of the list got status %d.", i, status);
	}
	if (!tries)
		v_say(v, CTM_V_INCONCLUSIVE, "No weak password was tried.");
	if (!j_taken(v_status(v, "control/strong")))
		v_say(v, CTM_V_INCONCLUSIVE, "A strong password was not accepted either (status %d), so the refusals prove nothing.", v_status(v, "control/strong"));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d weak passwords were refused; a strong one was taken.", tries);
}

/* ---- C08 ---- */

V_JUDGE(first_use)
{
	static const char *const steps[] = { "reset/first-use.config", "reset/first-use.log", "reset/first-use.write", "reset/first-use.userdata" };
	const struct ctm_obs *login = v_call(v, "reset/login.initial");

	if (!login || ctm_json_geti(login->data, "status", 0) != 200) {
		v_say(v, CTM_V_INCONCLUSIVE, "The sample could not be brought to its first use: the printed password was not accepted after a reset.");
		return;
	}
	if (!ctm_json_getb(ctm_json_get(login->data, "reply"), "must_change", false))
		v_say(v, CTM_V_FAIL, "The first session does not ask for a change of the printed password.");
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		int status = v_status(v, steps[i]);
		if (j_taken(status) || status == 404)
			v_say(v, CTM_V_FAIL, "With the printed password unchanged, %s was answered with status %d.", steps[i] + 16, status);
		else if (!j_refused(status))
			v_say(v, CTM_V_INCONCLUSIVE, "With the printed password unchanged, %s got status %d.", steps[i] + 16, status);
	}
	if (v_status(v, "reset/config/after") != 200)
		v_say(v, CTM_V_INCONCLUSIVE, "After the change of password the configuration was not readable either, so the refusals have no control.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Until the printed password is changed nothing but that change is possible; afterwards the owner gets in.");
}

/* ---- C09 ---- */

static void judge_stranger(struct ctm_view *v, const char *who)
{
	static const char *const what[] = { "config", "userdata", "userdata-delete", "userdata-read", "password" };
	char step[64];

	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		int status;
		snprintf(step, sizeof step, "open/%s/%s", who, what[i]);
		status = v_status(v, step);
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "With %s, %s was accepted (status %d).", strcmp(who, "nobody") == 0 ? "no session" : "an invented token", what[i], status);
		else if (!j_refused(status))
			v_say(v, CTM_V_INCONCLUSIVE, "With %s, %s got status %d.", strcmp(who, "nobody") == 0 ? "no session" : "an invented token", what[i], status);
	}
}

V_JUDGE(open_write)
{
	const ctm_json *before = v_reply(v, "config/before"), *after = v_reply(v, "config/after");

	if (!v_owner(v))
		return;
	judge_stranger(v, "nobody");
	judge_stranger(v, "invented");
	if (!before || !after)
		v_say(v, CTM_V_INCONCLUSIVE, "The configuration could not be read back.");
	else if (!j_same(before, after))
		v_say(v, CTM_V_FAIL, "The configuration read back by the owner differs from before.");
	if (v_status(v, "owner/userdata-after") != 200)
		v_say(v, v_status(v, "owner/userdata-after") == 404 ? CTM_V_FAIL : CTM_V_INCONCLUSIVE, "The owner's data was not there afterwards (status %d).", v_status(v, "owner/userdata-after"));
	if (!j_taken(v_status(v, "control/config")))
		v_say(v, CTM_V_INCONCLUSIVE, "The same change by the owner was not accepted (status %d), so the refusals prove nothing.", v_status(v, "control/config"));
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "Every write without a session and with an invented token was refused, the state read back was unchanged, and the same write by the owner was accepted.");
}

/* ---- R01 ---- */

static int differing(const ctm_json *want, const ctm_json *got, const char **name)
{
	const ctm_json *val;
	const char *key;
	void *it = NULL;
	int n = 0;

	while (ctm_json_each(want, &it, &key, &val))
		if (!j_same(val, ctm_json_get(got, key))) {
			*name = key;
			n++;
		}
	return n;
}

V_JUDGE(config_apply)
{
	const struct ctm_obs *apply = v_call(v, "apply");
	const ctm_json *change = apply ? ctm_json_get(apply->data, "request") : NULL, *before = v_reply(v, "config/before"), *after = v_reply(v, "config/after"),
		*restored = v_reply(v, "config/restored");
	const char *name = "";

	if (!v_owner(v))
		return;
	if (!apply || !before) {
		v_say(v, CTM_V_INCONCLUSIVE, "The configuration could not be read by the owner.");
		return;
	}
	if (!j_taken((int)ctm_json_geti(apply->data, "status", 0)))
		v_say(v, CTM_V_FAIL, "A valid change by the owner was refused (status %lld).", (long long)ctm_json_geti(apply->data, "status", 0));
	else if (!after)
		v_say(v, CTM_V_INCONCLUSIVE, "The configuration could not be read back.");
	else if (differing(change, after, &name))
		v_say(v, CTM_V_FAIL, "Setting \"%s\" was accepted but is not what reads back.", name);
	if (!differing(change, before, &name))
		v_say(v, CTM_V_INCONCLUSIVE, "What was set is what stood there before: that a change is applied was not shown.");
	if (!restored)
		v_say(v, CTM_V_INCONCLUSIVE, "Whether the settings went back to what they were could not be read.");
	else if (!j_same(before, restored))
		v_say(v, CTM_V_FAIL, "Putting the settings back did not give the configuration of before.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%zu settings were changed by the owner, read back as set, and put back.", ctm_json_len(change));
}

/* ---- R08 ---- */

V_JUDGE(config_invalid)
{
	const ctm_json *before = v_reply(v, "config/before"), *after = v_reply(v, "config/after");
	size_t i = 0;
	int tries = 0;

	if (!v_owner(v))
		return;
	for (const struct ctm_obs *o; (o = v_next(v, "call", &i));) {
		const char *step = j_text(o->data, "step");
		int status = (int)ctm_json_geti(o->data, "status", 0);
		if (!ctm_starts(step, "bad/"))
			continue;
		tries++;
		if (j_taken(status))
			v_say(v, CTM_V_FAIL, "An invalid value was accepted: %s.", step + 4);
		else if (status == 0 || status >= 500)
			v_say(v, CTM_V_FAIL, "An invalid value was not refused in order but met with %s: %s.", status ? "an internal error" : "silence", step + 4);
	}
	if (!before || !after)
		v_say(v, CTM_V_INCONCLUSIVE, "The configuration could not be read back.");
	else if (!j_same(before, after))
		v_say(v, CTM_V_FAIL, "After the refused values the configuration differs from before.");
	if (!j_taken(v_status(v, "control/valid")))
		v_say(v, CTM_V_INCONCLUSIVE, "Valid values were refused as well (status %d), so the refusals prove nothing.", v_status(v, "control/valid"));
	if (!tries)
		v_say(v, CTM_V_INCONCLUSIVE, "No invalid value was tried: the declaration names no setting.");
	if (v->verdict < 0)
		v_say(v, CTM_V_PASS, "%d invalid values were refused, the configuration stayed as it was, and valid values were accepted.", tries);
}
