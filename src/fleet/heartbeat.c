/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeats of small devices (ctm.heartbeat/1, read by the SDK's own code). Two ways in, one media type: the CBOR map as it is, from a
 * device with a certificate; or COSE_Sign1 around it, brought by a gateway that may be anybody. The signed one names the device's key,
 * and the unit is the one that key was bound to at enrolment; who carried it does not matter. Both are kept the way a state
 * report is kept, so replays, clones and changes are judged by one rule.
 */
#include "fleet/fleet.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "ctm/heartbeat.h"
#include "ctm/metric.h"
#include "ctm/openssl.h"
#include <stdio.h>
#include <string.h>

#define SIGN1_TAG 0xd2       /* first byte of a COSE_Sign1 message */

static int refuse(struct ctm_cx *cx, int code)
{
	if (code == CTM_SDK_VERIFY || code == CTM_SDK_INPUT)
		return ctm_fail(cx->err, code == CTM_SDK_VERIFY ? CTM_E_AUTH : CTM_E_INPUT, "body", "ctm.heartbeat/1", "%s", ctm_sdk_text(code));
	return ctm_fail(cx->err, CTM_E_SYNTAX, "body", "ctm.heartbeat/1", "%s", ctm_sdk_text(code));
}

/* "sha256:hex" of the SubjectPublicKeyInfo (RFC 5480) around a point of P-256: the name under which a device's key is kept. */
static void spki_of(const uint8_t pub[CTM_PUB_MAX], char out[CTM_DIGEST_MAX])
{
	static const uint8_t head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
					0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
	uint8_t der[sizeof head + CTM_PUB_MAX];
	memcpy(der, head, sizeof head);
	memcpy(der + sizeof head, pub, CTM_PUB_MAX);
	ctm_digest_of(der, sizeof der, out);
}

/* The heartbeat's bytes: what was signed, or the body itself. */
static int unwrap(struct ctm_cx *cx, struct ctm_bytes *beat, char spki[CTM_DIGEST_MAX])
{
	const uint8_t *p = (const uint8_t *)cx->text;
	uint8_t pub[CTM_PUB_MAX];
	spki[0] = '\0';
	if (!cx->text_len || p[0] != SIGN1_TAG) {
		*beat = (struct ctm_bytes){ p, cx->text_len };
		return cx->who->roles & CTM_ROLE_DEVICE ? 0 : ctm_fail(cx->err, CTM_E_AUTH, NULL, NULL, "a heartbeat without a signature needs the device's certificate");
	}
	int rc = ctm_heartbeat_open(ctm_openssl_crypto(), p, cx->text_len, pub, beat);
	if (rc)
		return refuse(cx, rc);
	spki_of(pub, spki);
	return 0;
}

/* On a worker: the signature, before the writer is asked for anything. */
int ctm_prepare_heartbeat(struct ctm_cx *cx)
{
	struct ctm_bytes beat;
	struct ctm_heartbeat h;
	char spki[CTM_DIGEST_MAX];
	int rc = unwrap(cx, &beat, spki);
	if (rc)
		return rc;
	if ((rc = ctm_heartbeat_decode(beat.p, beat.n, &h)))
		return refuse(cx, rc);
	if (!(cx->prepared = ctm_json_obj()) || ctm_json_sets(cx->prepared, "spki", spki))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	ctm_json_seti(cx->prepared, "at", beat.p - (const uint8_t *)cx->text);
	return ctm_json_seti(cx->prepared, "n", (int64_t)beat.n);
}

/* The unit whose key signed; cx->who becomes that unit, whoever carried it. */
static int signer(struct ctm_cx *cx, const char *spki)
{
	struct ctm_who *who = ctm_arena_alloc(cx->arena, sizeof *who);
	CTM_AUTO_Q *q = ctm_q(cx->db, "device.by_spki");
	ctm_q_text(q, "spki", spki);
	int rc = who ? ctm_q_one(q, cx->err) : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_AUTH, NULL, NULL, "the key that signed this heartbeat belongs to no enrolled device");
	}
	if (rc)
		return rc;
	who->roles = CTM_ROLE_DEVICE;
	ctm_copy(who->device_id, sizeof who->device_id, ctm_q_str(q, "id"));
	ctm_copy(who->device_serial, sizeof who->device_serial, ctm_q_str(q, "serial"));
	ctm_copy(who->device_spki, sizeof who->device_spki, spki);
	cx->who = who;
	return 0;
}

static const char *metric_name(unsigned id, char own[8])
{
	const struct ctm_metric *m = ctm_metric_row(id);
	snprintf(own, 8, "m%u", id);             /* a product's own: its name stands in the product's table */
	return m ? m->name : own;
}

static ctm_json *put_start(ctm_json *o, const char *member, const char *number, unsigned code)
{
	ctm_json *at = ctm_json_obj();
	const char *name = ctm_reboot_name(code);
	ctm_json_seti(at, number, code);
	if (name)
		ctm_json_sets(at, "name", name);
	ctm_json_setb(at, "unexpected", ctm_reboot_unexpected(code));
	ctm_json_set(o, member, at);
	return at;
}

static void put_crash(ctm_json *o, const struct ctm_crash *c)
{
	char pc[16], lr[16];
	snprintf(pc, sizeof pc, "0x%08x", (unsigned)c->pc);
	snprintf(lr, sizeof lr, "0x%08x", (unsigned)c->lr);
	ctm_json *at = put_start(o, "crash", "reason", c->reason);
	ctm_json_seti(at, "count", c->count);
	ctm_json_sets(at, "pc", pc);
	ctm_json_sets(at, "lr", lr);
	ctm_json_seti(at, "uptime_s", c->uptime_s);
	ctm_json_sets(at, "version", c->version);
}

static void put_metrics(ctm_json *o, const struct ctm_heartbeat *h)
{
	ctm_json *metrics = ctm_json_obj(), *readings = ctm_json_arr(), *because = ctm_json_arr();
	char own[8];
	for (unsigned i = 0; i < h->readings; i++) {
		const struct ctm_metric *m = ctm_metric_row(h->reading[i].id);
		const char *name = metric_name(h->reading[i].id, own);
		ctm_json *r = ctm_json_obj();
		ctm_json_seti(metrics, name, h->reading[i].value);
		ctm_json_sets(r, "name", name);
		ctm_json_seti(r, "value", h->reading[i].value);
		ctm_json_sets(r, "unit", m ? m->unit : "");
		ctm_json_add(readings, r);
	}
	for (unsigned i = 0; i < h->reasons; i++)
		ctm_json_add(because, ctm_json_news(metric_name(h->because[i], own)));
	ctm_json_set(o, "metrics", metrics);
	ctm_json_set(o, "readings", readings);
	if (h->reasons)
		ctm_json_set(o, "because", because);
	else
		ctm_json_free(because);
}

/* The report as it is kept and shown: the members of a state report, and what only a heartbeat says. */
static int as_json(struct ctm_cx *cx, const struct ctm_heartbeat *h, const struct ctm_report *r, bool relayed, struct ctm_buf *text)
{
	CTM_AUTO_JSON *o = ctm_json_obj();
	ctm_json *version = ctm_json_obj();
	ctm_json_seti(o, "seq", r->seq);
	ctm_json_sets(version, "claimed", r->claimed);
	ctm_json_sets(version, "booted", r->booted);
	ctm_json_sets(version, "verified", r->verified);
	ctm_json_set(o, "version", version);
	ctm_json_seti(o, "boot_counter", r->boot_counter);
	ctm_json_sets(o, "health", r->health);
	if (h->time_s)
		ctm_json_seti(o, "time_s", h->time_s);
	put_start(o, "reboot", "code", h->reboot);
	if (h->crash.reason)
		put_crash(o, &h->crash);
	if (h->dropped)
		ctm_json_seti(o, "dropped", h->dropped);
	ctm_json_setb(o, "relayed", relayed);
	put_metrics(o, h);
	int rc = ctm_json_compact(o, text);
	return rc || (rc = ctm_buf_err(text, "heartbeat", cx->err)) ? ctm_fail(cx->err, rc, "body", NULL, "the heartbeat cannot be kept") : 0;
}

int ctm_uc_heartbeat(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_BUF text = CTM_BUF(16384);
	const char *spki = ctm_json_gets(cx->prepared, "spki");
	const uint8_t *beat = (const uint8_t *)cx->text + ctm_json_geti(cx->prepared, "at", 0);
	struct ctm_heartbeat h;
	int rc = *spki ? signer(cx, spki) : cx->who->device_next_key ? ctm_device_promote(cx) : 0;
	if (rc)
		return rc;
	if ((rc = ctm_heartbeat_decode(beat, (size_t)ctm_json_geti(cx->prepared, "n", 0), &h)))
		return refuse(cx, rc);
	struct ctm_report r = { .claimed = h.claimed, .booted = h.booted, .verified = h.verified, .health = h.degraded ? "likely-degraded" : "likely-normal",
		.seq = (int64_t)h.seq, .boot_counter = (int64_t)h.boots };
	if ((rc = as_json(cx, &h, &r, *spki != '\0', &text)))
		return rc;
	return ctm_report_keep(cx, &r, ctm_buf_cstr(&text), out);
}
