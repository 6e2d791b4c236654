/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/brake.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "store/audit.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define REST_MAX_MS (15 * 60 * 1000LL)
#define FORGET_MS (24 * 3600 * 1000LL)
#define PLACE_MS (30 * 24 * 3600 * 1000LL)
#define PLACES_MAX 50

static const struct { const char *name; int64_t free; } lanes[] = {
	[CTM_LANE_PAIR] = { "pair", 5 }, [CTM_LANE_ACCOUNT] = { "account", 20 }, [CTM_LANE_ADDRESS] = { "address", 20 },
};

int64_t ctm_brake_rest_ms(unsigned lane, int64_t failures)
{
	int64_t over = failures - lanes[lane].free;
	if (over <= 0)
		return 0;
	return over > 10 ? REST_MAX_MS : 1000LL << (over - 1);
}

/* "account:" and a digest: rows of one size, and no address or mail address in the clear. */
static void lane_key(unsigned lane, const char *email, const char *address, char out[100])
{
	char text[400], digest[CTM_DIGEST_MAX];
	snprintf(text, sizeof text, "%s\n%s", lane == CTM_LANE_ADDRESS ? "" : email, lane == CTM_LANE_ACCOUNT ? "" : address);
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	ctm_digest_of(text, strlen(text), digest);
	snprintf(out, 100, "%s:%s", lanes[lane].name, digest + 7);
}

static void place_of(const char *person, const char *address, char out[CTM_DIGEST_MAX])
{
	char text[200];
	snprintf(text, sizeof text, "%s\n%s", person, address);
	ctm_digest_of(text, strlen(text), out);
}

static int known_place(struct ctm_cx *cx, const char *email, const char *address, bool *known)
{
	char place[CTM_DIGEST_MAX];
	CTM_AUTO_Q *p = ctm_q(cx->db, "person.by_email");
	ctm_q_text(p, "email", email);
	*known = false;
	int rc = ctm_q_one(p, cx->err);
	if (rc == CTM_E_NOTFOUND || (!rc && !*address)) {
		ctm_err_clear(cx->err);
		return 0;
	}
	if (rc)
		return rc;
	place_of(ctm_q_str(p, "id"), address, place);
	CTM_AUTO_Q *q = ctm_q(cx->db, "place.known");
	ctm_q_text(q, "person", ctm_q_str(p, "id"));
	ctm_q_text(q, "place", place);
	ctm_q_int(q, "since", cx->now_ms - PLACE_MS);
	return ctm_q_step(q, known, cx->err);
}

static int told_resting(struct ctm_err *err, int64_t ms)
{
	int64_t s = (ms + 999) / 1000;
	return ctm_fail(err, CTM_E_LIMIT, NULL, NULL, "too many attempts; try again in %lld %s, or sign in with a passkey or a one-time link",
		(long long)(s < 90 ? s : (s + 59) / 60), s == 1 ? "second" : s < 90 ? "seconds" : "minutes");
}

struct lane { char key[100]; int64_t failures, until_ms; };

static int look(struct ctm_cx *cx, struct lane *l)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "brake.get");
	ctm_q_text(q, "lane", l->key);
	bool row = false;
	int rc = ctm_q_step(q, &row, cx->err);
	l->failures = !rc && row ? ctm_q_i64(q, "failures") : 0;
	l->until_ms = !rc && row ? ctm_q_i64(q, "until_ms") : 0;
	return rc;
}

static int put(struct ctm_cx *cx, const char *key, int64_t failures, int64_t until_ms)
{
	struct ctm_q *q = ctm_q(cx->db, "brake.put");
	ctm_q_text(q, "lane", key);
	ctm_q_int(q, "failures", failures);
	ctm_q_int(q, "until", until_ms);
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

/* One line in the audit chain when an account's lane begins to rest: not one for each guess. */
static int tell(struct ctm_cx *cx, unsigned lane, const struct lane *l)
{
	if (l->failures != lanes[lane].free + 1)
		return 0;
	char rests[64];
	snprintf(rests, sizeof rests, "rests after %lld failures", (long long)l->failures);
	return ctm_audit_state(cx->db, cx->now_ms, "anonymous", "signin.braked", "signin", l->key, "open", rests, cx->err);
}

int ctm_brake_take(struct ctm_cx *cx, const char *email, const char *address)
{
	struct lane l[3];
	bool known, in[3] = { true, true, *address != 0 };
	struct ctm_q *q = ctm_q(cx->db, "brake.purge");
	ctm_q_int(q, "before", cx->now_ms - FORGET_MS);
	int rc = ctm_q_run(q, NULL, cx->err);
	if (!rc)
		rc = known_place(cx, email, address, &known);
	if (!rc)
		in[CTM_LANE_ACCOUNT] = !known;
	for (unsigned i = 0; i < 3 && !rc; i++) {
		if (!in[i])
			continue;
		lane_key(i, email, address, l[i].key);
		rc = look(cx, &l[i]);
		if (!rc && ctm_time_holds(l[i].until_ms, cx->now_ms, REST_MAX_MS))
			rc = told_resting(cx->err, l[i].until_ms - cx->now_ms);
	}
	for (unsigned i = 0; i < 3 && !rc; i++) {
		if (!in[i])
			continue;
		l[i].failures++;
		rc = put(cx, l[i].key, l[i].failures, cx->now_ms + ctm_brake_rest_ms(i, l[i].failures));
		rc = rc ? rc : tell(cx, i, &l[i]);
	}
	return rc;
}

static int drop(struct ctm_db *db, const char *key, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "brake.drop");
	ctm_q_text(q, "lane", key);
	return ctm_q_run(q, NULL, err);
}

static int keep_place(struct ctm_cx *cx, const char *person, const char *address)
{
	char place[CTM_DIGEST_MAX];
	place_of(person, address, place);
	struct ctm_q *q = ctm_q(cx->db, "place.keep");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "place", place);
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, NULL, cx->err);
	q = ctm_q(cx->db, "place.purge");
	ctm_q_text(q, "person", person);
	ctm_q_int(q, "before", cx->now_ms - PLACE_MS);
	ctm_q_int(q, "keep", PLACES_MAX);
	int rc2 = ctm_q_run(q, NULL, rc ? NULL : cx->err);
	return rc ? rc : rc2;
}

int ctm_brake_good(struct ctm_cx *cx, const char *person, const char *email, const char *address)
{
	struct lane l;
	int rc = 0;
	for (unsigned i = CTM_LANE_PAIR; i <= CTM_LANE_ACCOUNT && !rc; i++) {
		lane_key(i, email, address, l.key);
		rc = drop(cx->db, l.key, cx->err);
	}
	if (rc || !*address)
		return rc;
	lane_key(CTM_LANE_ADDRESS, email, address, l.key);
	rc = look(cx, &l);
	if (!rc && l.failures > 0)
		rc = put(cx, l.key, l.failures - 1, 0);
	return rc ? rc : keep_place(cx, person, address);
}

int ctm_brake_forget(struct ctm_db *db, const char *email, struct ctm_err *err)
{
	char key[100];
	lane_key(CTM_LANE_ACCOUNT, email, "", key);
	int rc = drop(db, key, err);
	lane_key(CTM_LANE_PAIR, email, "", key);
	return rc ? rc : drop(db, key, err);
}
