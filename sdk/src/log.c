/* SPDX-License-Identifier: Apache-2.0
 *
 * Security log: see ctm/log.h. Stored as two-copy records "log.NN", each a CBOR array of up to CTM_LOG_BLOCK entries
 * [seq, at_ms, event, detail, hash]; block of seq s is (s - 1) / BLOCK modulo BLOCKS. Only the newest block is rewritten.
 */
#include "ctm/log.h"
#include "ctm/cbor.h"
#include <string.h>

struct block {
	struct ctm_log_entry e[CTM_LOG_BLOCK];
	size_t n;
};

/* Whole blocks among so many entries, and what is left over: by the low 32 bits, since the processor's 64-bit division would cost more
 * than this module's reading, and no device logs four thousand million events. */
static uint32_t blocks_of(uint64_t entries)
{
	return (uint32_t)entries / CTM_LOG_BLOCK;
}

static uint32_t rest_of(uint64_t entries)
{
	return (uint32_t)entries % CTM_LOG_BLOCK;
}

static void block_name(uint32_t number, char out[CTM_NAME_MAX + 1])
{
	unsigned k = (unsigned)(number % CTM_LOG_BLOCKS);

	memcpy(out, "log.", 4);
	out[4] = (char)('0' + k / 10);
	out[5] = (char)('0' + k % 10);
	out[6] = 0;
}

static int take_text(struct ctm_cbor_r *r, char *out, size_t max)
{
	struct ctm_bytes b = ctm_cbor_text(r);

	if (r->err || b.n > max)
		return CTM_SDK_SYNTAX;
	if (b.n)
		memcpy(out, b.p, b.n);
	out[b.n] = 0;
	return 0;
}

static int take_entry(struct ctm_cbor_r *r, struct ctm_log_entry *e)
{
	struct ctm_bytes h;

	if (ctm_cbor_array(r) != 5)
		return CTM_SDK_SYNTAX;
	e->seq = ctm_cbor_uint(r);
	e->at_ms = ctm_cbor_int(r);
	if (take_text(r, e->event, CTM_LOG_EVENT) || take_text(r, e->detail, CTM_LOG_DETAIL))
		return CTM_SDK_SYNTAX;
	h = ctm_cbor_bytes(r);
	if (r->err || h.n != CTM_HASH_BYTES)
		return CTM_SDK_SYNTAX;
	memcpy(e->hash, h.p, h.n);
	return 0;
}

/* NONE when nothing usable is stored there. */
static int load_block(const struct ctm_port *port, uint32_t number, struct block *b)
{
	uint8_t buf[CTM_RECORD_MAX];
	char name[CTM_NAME_MAX + 1];
	struct ctm_cbor_r r;
	size_t n = 0;
	int rc;

	block_name(number, name);
	if ((rc = ctm_record_load(port, name, buf, sizeof buf, &n)))
		return rc;
	if (ctm_cbor_check(buf, n))
		return CTM_SDK_NONE;
	r = ctm_cbor_reader(buf, n);
	b->n = ctm_cbor_array(&r);
	if (!b->n || b->n > CTM_LOG_BLOCK)
		return CTM_SDK_NONE;
	for (size_t i = 0; i < b->n; i++)
		if (take_entry(&r, &b->e[i]))
			return CTM_SDK_NONE;
	return 0;
}

static void put_facts(struct ctm_cbor_w *w, const struct ctm_log_entry *e)
{
	ctm_cbor_put_uint(w, e->seq);
	ctm_cbor_put_int(w, e->at_ms);
	ctm_cbor_put_str(w, e->event);
	ctm_cbor_put_str(w, e->detail);
}

static int store_block(const struct ctm_port *port, uint32_t number, const struct block *b)
{
	uint8_t buf[CTM_RECORD_MAX];
	struct ctm_cbor_w w = ctm_cbor_writer(buf, sizeof buf);
	char name[CTM_NAME_MAX + 1];
	int rc;

	ctm_cbor_put_array(&w, b->n);
	for (size_t i = 0; i < b->n; i++) {
		ctm_cbor_put_array(&w, 5);
		put_facts(&w, &b->e[i]);
		ctm_cbor_put_bytes(&w, b->e[i].hash, CTM_HASH_BYTES);
	}
	if ((rc = ctm_cbor_done(&w)))
		return rc;
	block_name(number, name);
	return ctm_record_store(port, name, buf, w.len);
}

int ctm_log_hash(const struct ctm_crypto *c, const uint8_t before[CTM_HASH_BYTES], const struct ctm_log_entry *e,
		 uint8_t out[CTM_HASH_BYTES])
{
	uint8_t buf[CTM_HASH_BYTES + CTM_LOG_EVENT + CTM_LOG_DETAIL + 64];
	struct ctm_cbor_w w = ctm_cbor_writer(buf + CTM_HASH_BYTES, sizeof buf - CTM_HASH_BYTES);

	memcpy(buf, before, CTM_HASH_BYTES);
	ctm_cbor_put_array(&w, 4);
	put_facts(&w, e);
	return w.err ? w.err : ctm_sdk_sha256(c, buf, CTM_HASH_BYTES + w.len, out);
}

int ctm_log_load(struct ctm_log *l)
{
	struct block b;

	l->last = 0;
	memset(l->head, 0, sizeof l->head);
	for (uint32_t k = 0; k < CTM_LOG_BLOCKS; k++) {
		int rc = load_block(l->port, k, &b);

		if (rc == CTM_SDK_NONE)
			continue;
		if (rc)
			return rc;
		if (b.e[b.n - 1].seq > l->last) {
			l->last = b.e[b.n - 1].seq;
			memcpy(l->head, b.e[b.n - 1].hash, CTM_HASH_BYTES);
		}
	}
	return 0;
}

static void clean(char *out, size_t max, const char *in)
{
	size_t n = 0;

	for (; n < max && in[n]; n++)
		out[n] = in[n] >= 0x20 && in[n] < 0x7f ? in[n] : '?';
	out[n] = 0;
}

int ctm_log_add(struct ctm_log *l, const char *event, const char *detail)
{
	uint64_t seq = l->last + 1;
	uint32_t number = blocks_of(l->last);
	struct block b;
	struct ctm_log_entry *e;
	int rc;

	b.n = 0;
	if (rest_of(l->last)) {
		rc = load_block(l->port, number, &b);
		if (rc && rc != CTM_SDK_NONE)
			return rc;
		if (rc || b.n != rest_of(l->last) || b.e[b.n - 1].seq != l->last)
			return CTM_SDK_STORAGE;
	}
	e = &b.e[b.n++];
	memset(e, 0, sizeof *e);
	e->seq = seq;
	e->at_ms = l->port->now_ms(l->port->ctx);
	clean(e->event, CTM_LOG_EVENT, event);
	clean(e->detail, CTM_LOG_DETAIL, detail);
	if ((rc = ctm_log_hash(l->port->crypto, l->head, e, e->hash)) || (rc = store_block(l->port, number, &b)))
		return rc;
	l->last = seq;
	memcpy(l->head, e->hash, CTM_HASH_BYTES);
	return 0;
}

int ctm_log_read(const struct ctm_log *l, uint64_t after, struct ctm_log_entry *out, size_t cap, size_t *n)
{
	uint64_t oldest = l->last > CTM_LOG_ENTRIES ? l->last - CTM_LOG_ENTRIES : 0;
	struct block b;
	size_t got = 0;

	if (after < oldest)
		after = oldest;
	for (uint32_t k = blocks_of(after); got < cap && (uint64_t)k * CTM_LOG_BLOCK < l->last; k++) {
		int rc = load_block(l->port, k, &b);

		if (rc == CTM_SDK_NONE)
			continue;
		if (rc)
			return rc;
		for (size_t i = 0; i < b.n && got < cap; i++)
			if (b.e[i].seq > after && blocks_of(b.e[i].seq - 1) == k)
				out[got++] = b.e[i];
	}
	*n = got;
	return 0;
}
