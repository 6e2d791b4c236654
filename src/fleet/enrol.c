/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment: a unit shows its one-time code and a request signed by a key it made itself, and gets a certificate for that
 * key. Once only: the code is burnt and the key bound to the serial.
 *
 * Order of the steps (prepare, on a worker): the attempt is counted durably before the code is looked at, so parallel guessing
 * gains nothing; after TRIES attempts the serial rests for REST_MS. An unknown serial, a wrong code and a unit without a code
 * get one and the same answer. Only then the signer is asked. The use case binds the key in one compare-and-set.
 *
 * A unit whose answer got lost may ask again with the same key (its request proves possession) and gets a fresh
 * certificate. Another key for an enrolled serial is refused and told on the unit's timeline, once per key: it may be a clone.
 */
#include "fleet/fleet.h"
#include "base/text.h"
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
#define CERT_DAYS 1095
#define SIGNER_TIMEOUT_MS 5000

struct unit { char id[40], state[16], code_hash[72], spki[72], maker[128]; int64_t tries, locked_ms; };

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
	ctm_copy(u->maker, sizeof u->maker, ctm_q_str(q, "maker"));
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
	if (a->unit.locked_ms > cx->now_ms)
		return ctm_fail(cx->err, CTM_E_GUARD, "code", NULL, "too many attempts for this serial; it rests for %lld more seconds",
			(long long)((a->unit.locked_ms - cx->now_ms) / 1000 + 1));
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

struct stranger { const char *id, *spki; };

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
	return ctm_timeline_add(cx->db, cx->now_ms, "device", s->id, "ctm", "Somebody tried to enrol this serial again with another key; refused. It may be a clone.", s->spki, cx->err);
}

static int refuse(struct ctm_cx *cx)
{
	ctm_err_clear(cx->err);
	return ctm_fail(cx->err, CTM_E_AUTH, "code", NULL, "this serial and code do not belong together, or the code has been used");
}

/* Ask the signer for a certificate over the request. */
static int certificate(struct ctm_cx *cx, const struct unit *u, const char *csr, ctm_json **reply)
{
	CTM_AUTO_JSON *ask = ctm_json_obj();
	char socket[512];
	ctm_json_sets(ask, "op", "device-certificate");
	ctm_json_sets(ask, "csr", csr);
	ctm_json_sets(ask, "serial", ctm_in(cx, "serial"));
	ctm_json_sets(ask, "org", u->maker);
	ctm_json_seti(ask, "days", CERT_DAYS);
	if (ctm_json_sets(ask, "use", "device"))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return ctm_signer_call(ctm_app_dir(cx->app, "run/signer.sock", socket, sizeof socket), ask, SIGNER_TIMEOUT_MS, reply, cx->err);
}

int ctm_prepare_enrol(struct ctm_cx *cx)
{
	const char *serial = ctm_in(cx, "serial"), *csr = ctm_in(cx, "csr");
	struct ctm_cert_info info;
	char hash[CTM_DIGEST_MAX];
	int rc = ctm_csr_read(csr, strlen(csr), &info, cx->err);
	if (rc)
		return ctm_fail_prefix(cx->err, "certificate request");
	if (!ctm_streq(info.serial_number, serial))
		return ctm_fail(cx->err, CTM_E_INPUT, "csr", "RFC 2986", "the request is for serial \"%.40s\", not for %s", info.serial_number, serial);
	if (!ctm_streq(info.key_type, "EC P-256"))
		return ctm_fail(cx->err, CTM_E_INPUT, "csr", NULL, "a device key is EC P-256, not %s", info.key_type);
	struct attempt a = { .serial = serial };
	if ((rc = ctm_write(cx->app, count_attempt, &a, cx->err)))
		return rc == CTM_E_NOTFOUND ? refuse(cx) : rc;
	struct unit *u = &a.unit;
	if (ctm_streq(u->state, "enrolled") && !ctm_streq(u->spki, info.spki_sha256)) {
		struct stranger s = { u->id, info.spki_sha256 };
		if ((rc = ctm_write(cx->app, tell_stranger, &s, cx->err)))
			return rc;
		return ctm_fail(cx->err, CTM_E_STATE, "serial", NULL, "this serial is enrolled with another key; the maker has been told");
	}
	ctm_device_code_hash(serial, ctm_in(cx, "code"), hash);
	bool same_key = ctm_streq(u->state, "enrolled");
	if (!same_key && (!ctm_streq(u->state, "built") || strlen(u->code_hash) != strlen(hash) || !ctm_memeq_ct(u->code_hash, hash, strlen(hash))))
		return refuse(cx);
	CTM_AUTO_JSON *reply = NULL;
	struct ctm_cert_info cert;
	if ((rc = certificate(cx, u, csr, &reply)))
		return rc;
	const char *pem = ctm_json_gets(reply, "certificate"), *ca = ctm_json_gets(reply, "ca");
	if (!pem || !ca || ctm_cert_read(pem, strlen(pem), &cert, cx->err) || !ctm_streq(cert.spki_sha256, info.spki_sha256))
		return ctm_fail(cx->err, CTM_E_FAIL, "certificate", NULL, "the signer's answer is not a certificate for this key");
	if (!(cx->prepared = ctm_json_obj()))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	ctm_json_sets(cx->prepared, "id", u->id);
	ctm_json_sets(cx->prepared, "certificate", pem);
	ctm_json_sets(cx->prepared, "ca", ca);
	ctm_json_sets(cx->prepared, "cert_sha256", cert.cert_sha256);
	ctm_json_sets(cx->prepared, "spki_sha256", cert.spki_sha256);
	ctm_json_sets(cx->prepared, "code_hash", u->code_hash);
	return ctm_json_setb(cx->prepared, "again", same_key);
}

int ctm_uc_enrol(struct ctm_cx *cx, ctm_json *out)
{
	const ctm_json *p = cx->prepared;
	const char *id = ctm_json_gets(p, "id"), *serial = ctm_in(cx, "serial");
	bool again = ctm_json_getb(p, "again", false);
	CTM_AUTO_JSON *data = ctm_json_obj();
	char actor[96];
	struct ctm_q *q = ctm_q(cx->db, again ? "device.renew_cert" : "device.enrol");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "cert", ctm_json_gets(p, "cert_sha256"));
	ctm_q_text(q, "spki", ctm_json_gets(p, "spki_sha256"));
	if (!again) {
		ctm_q_text(q, "code_hash", ctm_json_gets(p, "code_hash"));
		ctm_q_int(q, "now", cx->now_ms);
	}
	int64_t changed = 0;
	int rc = ctm_q_run(q, &changed, cx->err);
	if (rc)
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "serial", NULL, "this serial has just been enrolled by somebody else");
	snprintf(actor, sizeof actor, "device %s", serial);
	ctm_json_sets(data, "serial", serial);
	ctm_json_sets(data, "spki_sha256", ctm_json_gets(p, "spki_sha256"));
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "device", id, actor, again ? "Asked for its certificate again with the same key." : "Enrolled with its own key.",
		ctm_json_gets(p, "cert_sha256"), cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, id, "device.enrol", "device", id, NULL, data, cx->err)) ||
		(!again && (rc = ctm_event_emit(cx->db, cx->now_ms, "device.enrolled", "device", id, data, cx->err))))
		return rc;
	ctm_json_sets(out, "certificate", ctm_json_gets(p, "certificate"));
	ctm_json_sets(out, "ca", ctm_json_gets(p, "ca"));
	return ctm_json_sets(out, "device_id", id);
}
