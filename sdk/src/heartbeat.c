/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeat: see ctm/heartbeat.h. Reading is one loop over the map with a case per key; the wire is deterministic, so keys ascend
 * and none comes twice. What must be there is a bit set compared at the end; that absent means "as the booted one" or "none" is
 * written the same way by both sides, and a present key that says so is refused, so that one heartbeat has one encoding.
 */
#include "ctm/heartbeat.h"
#include "ctm/cbor.h"
#include <string.h>

#define MUST (1u << CTM_H_FORMAT | 1u << CTM_H_SEQ | 1u << CTM_H_BOOTED | 1u << CTM_H_BOOTS | 1u << CTM_H_HEALTH | 1u << CTM_H_REBOOT | \
	      1u << CTM_H_METRICS)

static bool version_or_none(const char *s)
{
	return !*s || ctm_version_ok(s, strlen(s));
}

static bool values_ok(const struct ctm_heartbeat *h)
{
	if (!h->seq || h->seq > INT64_MAX || h->boots > INT64_MAX || h->time_s < 0 || h->degraded > 1 || !h->reboot)
		return false;
	if (h->readings > CTM_READINGS_MAX || h->reasons > CTM_RULES_MAX || !h->degraded != !h->reasons)
		return false;
	for (unsigned i = 0; i < h->readings; i++)
		if (!h->reading[i].id || (i && h->reading[i].id <= h->reading[i - 1].id))
			return false;
	for (unsigned i = 0; i < h->reasons; i++)
		if (!h->because[i] || (i && h->because[i] <= h->because[i - 1]))
			return false;
	if (h->crash.reason && !ctm_reboot_unexpected(h->crash.reason))
		return false;
	return version_or_none(h->booted) && version_or_none(h->verified) && version_or_none(h->claimed) && version_or_none(h->crash.version);
}

static void put_key(struct ctm_cbor_w *w, enum ctm_heartbeat_key key)
{
	ctm_cbor_put_uint(w, (uint64_t)key);
}

static void put_number(struct ctm_cbor_w *w, enum ctm_heartbeat_key key, uint64_t v)
{
	put_key(w, key);
	ctm_cbor_put_uint(w, v);
}

/* Versions were judged: they are ASCII. */
static void put_text(struct ctm_cbor_w *w, const char *s)
{
	size_t n = strlen(s);

	ctm_cbor_put_text_head(w, n);
	ctm_cbor_put_raw(w, s, n);
}

static void put_version(struct ctm_cbor_w *w, enum ctm_heartbeat_key key, const char *s)
{
	put_key(w, key);
	put_text(w, s);
}

static void put_crash(struct ctm_cbor_w *w, const struct ctm_crash *c)
{
	put_key(w, CTM_H_CRASH);
	ctm_cbor_put_array(w, 6);
	ctm_cbor_put_uint(w, c->count);
	ctm_cbor_put_uint(w, c->reason);
	ctm_cbor_put_uint(w, c->pc);
	ctm_cbor_put_uint(w, c->lr);
	ctm_cbor_put_uint(w, c->uptime_s);
	put_text(w, c->version);
}

int ctm_heartbeat_encode(const struct ctm_heartbeat *h, uint8_t *out, size_t cap, size_t *n)
{
	struct ctm_cbor_w w = ctm_cbor_writer(out, cap);
	bool verified = strcmp(h->verified, h->booted) != 0, claimed = strcmp(h->claimed, h->booted) != 0;

	if (!values_ok(h))
		return CTM_SDK_INPUT;
	ctm_cbor_put_map(&w, 7u + (h->time_s != 0) + verified + claimed + (h->dropped != 0) + (h->crash.reason != 0) + (h->degraded != 0));
	put_number(&w, CTM_H_FORMAT, CTM_HEARTBEAT_FORMAT);
	put_number(&w, CTM_H_SEQ, h->seq);
	if (h->time_s)
		put_number(&w, CTM_H_TIME, (uint64_t)h->time_s);
	put_version(&w, CTM_H_BOOTED, h->booted);
	put_number(&w, CTM_H_BOOTS, h->boots);
	put_number(&w, CTM_H_HEALTH, h->degraded);
	put_number(&w, CTM_H_REBOOT, h->reboot);
	put_key(&w, CTM_H_METRICS);
	ctm_cbor_put_map(&w, h->readings);
	for (unsigned i = 0; i < h->readings; i++) {
		ctm_cbor_put_uint(&w, h->reading[i].id);
		ctm_cbor_put_int(&w, h->reading[i].value);
	}
	if (verified)
		put_version(&w, CTM_H_VERIFIED, h->verified);
	if (claimed)
		put_version(&w, CTM_H_CLAIMED, h->claimed);
	if (h->dropped)
		put_number(&w, CTM_H_DROPPED, h->dropped);
	if (h->crash.reason)
		put_crash(&w, &h->crash);
	if (h->degraded) {
		put_key(&w, CTM_H_BECAUSE);
		ctm_cbor_put_array(&w, h->reasons);
		for (unsigned i = 0; i < h->reasons; i++)
			ctm_cbor_put_uint(&w, h->because[i]);
	}
	if (w.err)
		return w.err;
	*n = w.len;
	return 0;
}

/* A number up to max; a greater one fails the reader. */
static uint64_t take(struct ctm_cbor_r *r, uint64_t max)
{
	uint64_t v = ctm_cbor_uint(r);

	if (!r->err && v > max)
		r->err = CTM_SDK_INPUT;
	return v;
}

static void take_version(struct ctm_cbor_r *r, char out[CTM_VERSION_MAX + 1])
{
	struct ctm_bytes b = ctm_cbor_text(r);

	if (!r->err && b.n > CTM_VERSION_MAX)
		r->err = CTM_SDK_INPUT;
	if (r->err)
		return;
	memset(out, 0, CTM_VERSION_MAX + 1);
	if (b.n)
		memcpy(out, b.p, b.n);
	if (strlen(out) != b.n)
		r->err = CTM_SDK_INPUT;
}

static void take_metrics(struct ctm_cbor_r *r, struct ctm_heartbeat *h)
{
	size_t n = ctm_cbor_map(r);

	if (n > CTM_READINGS_MAX)
		r->err = CTM_SDK_TOOBIG;
	for (size_t i = 0; i < n && !r->err; i++) {
		int64_t v;

		h->reading[i].id = (uint8_t)take(r, 255);
		v = ctm_cbor_int(r);
		if (v < INT32_MIN || v > INT32_MAX)
			r->err = CTM_SDK_INPUT;
		h->reading[i].value = (int32_t)v;
	}
	h->readings = (uint8_t)n;
}

static void take_crash(struct ctm_cbor_r *r, struct ctm_crash *c)
{
	if (ctm_cbor_array(r) != 6 && !r->err)
		r->err = CTM_SDK_INPUT;
	c->count = (uint32_t)take(r, UINT32_MAX);
	c->reason = (uint8_t)take(r, 255);
	c->pc = (uint32_t)take(r, UINT32_MAX);
	c->lr = (uint32_t)take(r, UINT32_MAX);
	c->uptime_s = (uint32_t)take(r, UINT32_MAX);
	take_version(r, c->version);
	if (!r->err && !c->reason)
		r->err = CTM_SDK_INPUT;
}

static void take_because(struct ctm_cbor_r *r, struct ctm_heartbeat *h)
{
	size_t n = ctm_cbor_array(r);

	if (!r->err && (!n || n > CTM_RULES_MAX))
		r->err = CTM_SDK_INPUT;
	for (size_t i = 0; i < n && !r->err; i++)
		h->because[i] = (uint8_t)take(r, 255);
	h->reasons = (uint8_t)n;
}

static void take_key(struct ctm_cbor_r *r, uint64_t key, struct ctm_heartbeat *h)
{
	switch (key) {
	case CTM_H_FORMAT:
		if (ctm_cbor_uint(r) != CTM_HEARTBEAT_FORMAT && !r->err)
			r->err = CTM_SDK_UNSUPPORTED;
		break;
	case CTM_H_SEQ: h->seq = take(r, INT64_MAX); break;
	case CTM_H_TIME: h->time_s = (int64_t)take(r, INT64_MAX); break;
	case CTM_H_BOOTED: take_version(r, h->booted); break;
	case CTM_H_BOOTS: h->boots = take(r, INT64_MAX); break;
	case CTM_H_HEALTH: h->degraded = (uint8_t)take(r, 1); break;
	case CTM_H_REBOOT: h->reboot = (uint8_t)take(r, 255); break;
	case CTM_H_METRICS: take_metrics(r, h); break;
	case CTM_H_VERIFIED: take_version(r, h->verified); break;
	case CTM_H_CLAIMED: take_version(r, h->claimed); break;
	case CTM_H_DROPPED: h->dropped = (uint32_t)take(r, UINT32_MAX); break;
	case CTM_H_CRASH: take_crash(r, &h->crash); break;
	case CTM_H_BECAUSE: take_because(r, h); break;
	default: r->err = CTM_SDK_UNSUPPORTED;
	}
}

/* What is absent, filled in; a key that says what its absence would have said is another encoding of the same: INPUT. */
static int complete(struct ctm_heartbeat *h, unsigned seen)
{
	if ((seen & 1u << CTM_H_TIME && !h->time_s) || (seen & 1u << CTM_H_DROPPED && !h->dropped) ||
	    (seen & 1u << CTM_H_VERIFIED && strcmp(h->verified, h->booted) == 0) ||
	    (seen & 1u << CTM_H_CLAIMED && strcmp(h->claimed, h->booted) == 0))
		return CTM_SDK_INPUT;
	if (!(seen & 1u << CTM_H_VERIFIED))
		memcpy(h->verified, h->booted, sizeof h->verified);
	if (!(seen & 1u << CTM_H_CLAIMED))
		memcpy(h->claimed, h->booted, sizeof h->claimed);
	return values_ok(h) ? 0 : CTM_SDK_INPUT;
}

int ctm_heartbeat_decode(const uint8_t *p, size_t n, struct ctm_heartbeat *out)
{
	struct ctm_cbor_r r = ctm_cbor_reader(p, n);
	struct ctm_heartbeat h;
	unsigned seen = 0;
	size_t pairs;
	int rc = ctm_cbor_check(p, n);

	if (rc)
		return rc;
	memset(&h, 0, sizeof h);
	for (pairs = ctm_cbor_map(&r); pairs && !r.err; pairs--) {
		uint64_t key = ctm_cbor_uint(&r);

		if (!r.err)
			take_key(&r, key, &h);
		if (!r.err)
			seen |= 1u << key;
	}
	if ((rc = ctm_cbor_end(&r)))
		return rc;
	if ((seen & MUST) != MUST)
		return CTM_SDK_INPUT;
	if (!(rc = complete(&h, seen)))
		*out = h;
	return rc;
}
