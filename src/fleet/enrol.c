/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment: a unit shows its one-time code, or the identity its factory gave it (IDevID, IEEE 802.1AR), and a request signed by a key
 * it made itself, and gets a certificate for that key. Once only: the code is burnt and the key bound to the serial.
 *
 * Order of the steps (prepare, on a worker): the attempt is counted durably before the code is looked at, so parallel guessing
 * gains nothing; after TRIES attempts the serial rests for REST_MS. An unknown serial, a wrong code and a unit without a code
 * get one and the same answer. Only then the signer is asked. The use case binds the key in one compare-and-set.
 *
 * A unit whose answer got lost may ask again with the same key (its request proves possession) and gets a fresh
 * certificate. Another key for an enrolled serial is refused and told on the unit's timeline, once per key: it may be a clone. Where
 * that stranger holds the IDevID of the unit, two things have one identity, and the unit is marked suspect.
 *
 * Renewal: an enrolled unit gives a request for the same or a new key. A new key is believed beside the old one until it is first
 * used; then the old one is not. So whichever answer gets lost, the unit has a key that is believed.
 */
#include "fleet/fleet.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include "crypto/x509.h"
#include "device/device.h"
#include "event/event.h"
#include "event/timeline.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define TRIES 5
#define REST_MS (15 * 60 * 1000LL)
#define CERT_DAYS 90             /* short, because renewal is the unit's own business (RFC 7030 4.2.2) and nothing checks for revocation on the way */
#define SIGNER_TIMEOUT_MS 5000

struct unit { char id[40], state[16], code_hash[72], spki[72], next_spki[72], maker[128], org[40]; int64_t tries, locked_ms; };

static int find(struct ctm_db *db, const char *serial, struct unit *u, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "device.by_serial");
	ctm_q_text(q, "serial", serial);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	ctm_copy(u->id, sizeof u->id, ctm_q_str(q, "id"));
	ctm_copy(u->state, sizeof u->state, ctm_q_str(q, "state"));
	ctm_copy(u->code_hash, sizeof u->code_hash, ctm_q_str(q, "code_hash"));
	ctm_copy(u->spki, sizeof u->spki, ctm_q_str(q, "spki_sha256"));
	ctm_copy(u->next_spki, sizeof u->next_spki, ctm_q_str(q, "next_spki"));
	ctm_copy(u->maker, sizeof u->maker, ctm_q_str(q, "maker"));
	ctm_copy(u->org, sizeof u->org, ctm_q_str(q, "org_id"));
	u->tries = ctm_q_i64(q, "enrol_tries");
	u->locked_ms = ctm_q_i64(q, "enrol_locked_ms");
	return 0;
}

/* One attempt, counted. Refused while the serial rests. */
struct attempt { const char *serial; struct unit unit; };

static int count_attempt(struct ctm_cx *cx, void *arg)
{
	struct attempt *a = arg;
	int rc = find(cx->db, a->serial, &a->unit, cx->err);
	if (rc)
		return rc;
	if (ctm_time_holds(a->unit.locked_ms, cx->now_ms, REST_MS))
		return ctm_fail(cx->err, CTM_E_GUARD, "code", NULL, "too many attempts for this serial; it rests for %lld more seconds",
			(long long)((a->unit.locked_ms - cx->now_ms) / 1000) + 1);
	int64_t tries = a->unit.tries + 1;
	bool rest = tries >= TRIES;
	struct ctm_q *q = ctm_q(cx->db, "device.try");
	ctm_q_text(q, "id", a->unit.id);
	ctm_q_int(q, "tries", rest ? 0 : tries);
	ctm_q_int(q, "locked", rest ? cx->now_ms + REST_MS : 0);
	if ((rc = ctm_q_run(q, NULL, cx->err)) || !rest)
		return rc;
	return ctm_timeline_add(cx->db, cx->now_ms, "device", a->unit.id, "ctm", "Too many attempts to enrol; resting for 15 minutes.", NULL, cx->err);
}

struct stranger { const char *id, *spki; bool proven; };

static int tell_stranger(struct ctm_cx *cx, void *arg)
{
	const struct stranger *s = arg;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "device.told");
		bool row = false;
		ctm_q_text(q, "id", s->id);
		ctm_q_text(q, "ref", s->spki);
		int rc = ctm_q_step(q, &row, cx->err);
		if (rc || row)
			return rc;
	}
	if (s->proven) {
		struct ctm_q *q = ctm_q(cx->db, "device.suspect");
		ctm_q_text(q, "id", s->id);
		ctm_q_text(q, "why", "Two keys were shown for the factory identity of this unit.");
		int rc = ctm_q_run(q, NULL, cx->err);
		if (rc)
			return rc;
	}
	return ctm_timeline_add(cx->db, cx->now_ms, "device", s->id, "ctm", s->proven ?
		"Something with this unit's factory identity tried to enrol with another key; refused. There are two of it, or it was reset." :
		"Somebody tried to enrol this serial again with another key; refused. It may be a clone.", s->spki, cx->err);
}

static int refuse(struct ctm_cx *cx)
{
	ctm_err_clear(cx->err);
	return ctm_fail(cx->err, CTM_E_AUTH, "code", NULL, "this serial and code do not belong together, or the code has been used");
}

/* Ask the signer for a certificate over the request. */
static int certificate(struct ctm_cx *cx, const struct unit *u, const char *serial, const char *csr, ctm_json **reply)
{
	CTM_AUTO_JSON *ask = ctm_json_obj();
	char socket[512];
	ctm_json_sets(ask, "op", "device-certificate");
	ctm_json_sets(ask, "csr", csr);
	ctm_json_sets(ask, "serial", serial);
	ctm_json_sets(ask, "org", u->maker);
	ctm_json_seti(ask, "days", CERT_DAYS);
	if (ctm_json_sets(ask, "use", "device"))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return ctm_signer_call(ctm_app_dir(cx->app, "run/signer.sock", socket, sizeof socket), ask, SIGNER_TIMEOUT_MS, reply, cx->err);
}

/* The request is a good one: signed by its own key, of the kind a device has, for this serial. */
static int read_csr(struct ctm_cx *cx, const char *serial, const char *csr, struct ctm_cert_info *info)
{
	int rc = ctm_csr_read(csr, strlen(csr), info, cx->err);
	if (rc)
		return ctm_fail_prefix(cx->err, "certificate request");
	if (!ctm_streq(info->serial_number, serial))
		return ctm_fail(cx->err, CTM_E_INPUT, "csr", "RFC 2986", "the request is for serial \"%.40s\", not for %s", info->serial_number, serial);
	return ctm_streq(info->key_type, "EC P-256") ? 0 : ctm_fail(cx->err, CTM_E_INPUT, "csr", NULL, "a device key is EC P-256, not %s", info->key_type);
}

/* Ask the signer, and leave for the use case what it binds. */
static int prepare(struct ctm_cx *cx, const struct unit *u, const char *serial, const char *csr, const struct ctm_cert_info *info)
{
	CTM_AUTO_JSON *reply = NULL;
	struct ctm_cert_info cert;
	int rc = certificate(cx, u, serial, csr, &reply);
	if (rc)
		return rc;
	const char *pem = ctm_json_gets(reply, "certificate"), *ca = ctm_json_gets(reply, "ca");
	if (!pem || !ca || ctm_cert_read(pem, strlen(pem), &cert, cx->err) || !ctm_streq(cert.spki_sha256, info->spki_sha256))
		return ctm_fail(cx->err, CTM_E_FAIL, "certificate", NULL, "the signer's answer is not a certificate for this key");
	if (!(cx->prepared = ctm_json_obj()))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	ctm_json_sets(cx->prepared, "id", u->id);
	ctm_json_sets(cx->prepared, "org_id", u->org);
	ctm_json_sets(cx->prepared, "was_spki", u->spki);
	ctm_json_sets(cx->prepared, "serial", serial);
	ctm_json_sets(cx->prepared, "certificate", pem);
	ctm_json_sets(cx->prepared, "ca", ca);
	ctm_json_sets(cx->prepared, "cert_sha256", cert.cert_sha256);
	ctm_json_sets(cx->prepared, "spki_sha256", cert.spki_sha256);
	ctm_json_seti(cx->prepared, "until_ms", cert.not_after_ms);
	return ctm_json_sets(cx->prepared, "code_hash", u->code_hash);
}

int ctm_enrol_begin(struct ctm_cx *cx, const char *serial, const char *code, const char *csr)
{
	struct ctm_cert_info info;
	char hash[CTM_DIGEST_MAX];
	int rc = read_csr(cx, serial, csr, &info);
	if (rc)
		return rc;
	struct attempt a = { .serial = serial };
	if ((rc = ctm_write(cx->app, count_attempt, &a, cx->err)))
		return rc == CTM_E_NOTFOUND ? refuse(cx) : rc;
	struct unit *u = &a.unit;
	if (ctm_streq(u->state, "enrolled") && !ctm_streq(u->spki, info.spki_sha256)) {
		struct stranger s = { u->id, info.spki_sha256, !code };
		if ((rc = ctm_write(cx->app, tell_stranger, &s, cx->err)))
			return rc;
		return ctm_fail(cx->err, CTM_E_STATE, "serial", NULL, "this serial is enrolled with another key; the maker has been told");
	}
	bool same_key = ctm_streq(u->state, "enrolled");
	if (!same_key && !ctm_streq(u->state, "built"))
		return refuse(cx);
	if (!same_key && code) {
		ctm_device_code_hash(serial, code, hash);
		if (strlen(u->code_hash) != strlen(hash) || !ctm_memeq_ct(u->code_hash, hash, strlen(hash)))
			return refuse(cx);
	}
	rc = prepare(cx, u, serial, csr, &info);
	return rc ? rc : ctm_json_setb(cx->prepared, "again", same_key);
}

int ctm_renew_begin(struct ctm_cx *cx, const char *csr)
{
	const char *serial = cx->who->device_serial;
	struct ctm_cert_info info;
	struct unit u;
	int rc = read_csr(cx, serial, csr, &info);
	rc = rc ? rc : find(cx->db, serial, &u, cx->err);
	rc = rc ? rc : prepare(cx, &u, serial, csr, &info);
	return rc ? rc : ctm_json_setb(cx->prepared, "renew", true);
}

int ctm_prepare_enrol(struct ctm_cx *cx)
{
	return ctm_enrol_begin(cx, ctm_in(cx, "serial"), ctm_in(cx, "code"), ctm_in(cx, "csr"));
}

/* ---- binding ---- */

/* One key, one unit: a key that another unit has too identifies neither. */
static int nobody_else(struct ctm_cx *cx, const char *id, const char *spki)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "device.key_taken");
	bool row = false;
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "spki", spki);
	int rc = ctm_q_step(q, &row, cx->err);
	return rc ? rc : row ? ctm_fail(cx->err, CTM_E_GUARD, "csr", NULL, "another unit has this key; every unit needs one of its own") : 0;
}

int ctm_device_promote(struct ctm_cx *cx)
{
	char actor[96];
	CTM_AUTO_JSON *after = ctm_json_obj();
	struct ctm_q *q = ctm_q(cx->db, "device.promote");
	int64_t changed = 0;
	ctm_q_text(q, "id", cx->who->device_id);
	ctm_q_text(q, "spki", cx->who->device_spki);
	ctm_q_int(q, "until", cx->who->device_until_ms);
	int rc = ctm_q_run(q, &changed, cx->err);
	if (rc || !changed)
		return rc;             /* another request of the unit came first */
	snprintf(actor, sizeof actor, "device %s", cx->who->device_serial);
	ctm_json_sets(after, "spki_sha256", cx->who->device_spki);
	rc = ctm_timeline_add(cx->db, cx->now_ms, "device", cx->who->device_id, actor, "Uses its renewed key; the old one is no longer believed.", cx->who->device_spki, cx->err);
	return rc ? rc : ctm_audit(cx->db, cx->now_ms, cx->who->device_id, "device.rekey", "device", cx->who->device_id, NULL, after, cx->err);
}

/* The statement that binds the key, and the line that says so. */
static int bind(struct ctm_cx *cx, const char **line, const char **action)
{
	const ctm_json *p = cx->prepared;
	const char *id = ctm_json_gets(p, "id"), *spki = ctm_json_gets(p, "spki_sha256");
	bool again = ctm_json_getb(p, "again", false), renew = ctm_json_getb(p, "renew", false);
	bool same = again || (renew && ctm_streq(spki, cx->who->device_spki));
	int rc = nobody_else(cx, id, spki);
	if (!rc && cx->who->device_next_key)
		rc = ctm_device_promote(cx);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, same ? "device.renew_cert" : renew ? "device.next_key" : "device.enrol");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "cert", ctm_json_gets(p, "cert_sha256"));
	ctm_q_text(q, "spki", spki);
	if (same || !renew)
		ctm_q_int(q, "until", ctm_json_geti(p, "until_ms", 0));
	if (!same && !renew) {
		ctm_q_text(q, "code_hash", ctm_json_gets(p, "code_hash"));
		ctm_q_int(q, "now", cx->now_ms);
	}
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	*line = again ? "Asked for its certificate again with the same key." : same ? "Renewed its certificate with the same key." :
		renew ? "Renewed its certificate with a new key." : ctm_streq(cx->who->device_serial, "") ? "Enrolled with its own key." : "Enrolled with its own key, known by its factory identity.";
	*action = renew ? "device.renew" : "device.enrol";
	return changed ? 0 : ctm_fail(cx->err, CTM_E_STATE, "serial", NULL, "this serial has just been enrolled by somebody else");
}

int ctm_enrol_finish(struct ctm_cx *cx)
{
	const ctm_json *p = cx->prepared;
	const char *id = ctm_json_gets(p, "id"), *serial = ctm_json_gets(p, "serial"), *line = "", *action = "";
	const char *was = ctm_json_gets(p, "was_spki");
	CTM_AUTO_JSON *before = was && *was ? ctm_json_obj() : NULL, *data = ctm_json_obj();
	char actor[96];
	int rc = bind(cx, &line, &action);
	if (rc)
		return rc;
	snprintf(actor, sizeof actor, "device %s", serial);
	ctm_audit_for(cx->db, ctm_json_gets(p, "org_id"));
	if (before)
		ctm_json_sets(before, "spki_sha256", was);
	ctm_json_sets(data, "serial", serial);
	ctm_json_sets(data, "spki_sha256", ctm_json_gets(p, "spki_sha256"));
	bool first = !ctm_json_getb(p, "again", false) && !ctm_json_getb(p, "renew", false);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "device", id, actor, line, ctm_json_gets(p, "cert_sha256"), cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, id, action, "device", id, before, data, cx->err)) ||
		(first && (rc = ctm_event_emit(cx->db, cx->now_ms, "device.enrolled", "device", id, data, cx->err))))
		return rc;
	return 0;
}

int ctm_uc_enrol(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_enrol_finish(cx);
	if (rc)
		return rc;
	ctm_json_sets(out, "certificate", ctm_json_gets(cx->prepared, "certificate"));
	ctm_json_sets(out, "ca", ctm_json_gets(cx->prepared, "ca"));
	return ctm_json_sets(out, "device_id", ctm_json_gets(cx->prepared, "id"));
}
