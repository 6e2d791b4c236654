/* SPDX-License-Identifier: Apache-2.0
 *
 * Two-copy record: NAME.0 and NAME.1, each "CTMR", number (8 bytes), length (4), SHA-256 of number + length + body, body. The
 * digest finds torn and rotten copies; it does not defend against somebody who can write storage. Nothing here holds a body:
 * copies are judged in pieces, loaded straight into the caller's buffer and written as head + body.
 */
#include "ctm/port.h"
#include <stdbool.h>
#include <string.h>

#define HEAD (4 + 8 + 4 + CTM_HASH_BYTES)
#define SUM 16          /* the digest's place in the head */
#define PIECE 64
#ifndef CTM_PLANT
#define CTM_PLANT 0             /* a bug planted on purpose, for the test of the power-cut simulator (tests/sim) */
#endif

struct copy {
	char file[CTM_NAME_MAX + 3];
	uint8_t head[HEAD];
	uint64_t number;        /* 0: there is no such copy */
	size_t n;
};

static void copy_name(char out[CTM_NAME_MAX + 3], const char *name, int which)
{
	size_t n = strlen(name);

	if (n > CTM_NAME_MAX)
		n = CTM_NAME_MAX;
	memcpy(out, name, n);
	out[n] = '.';
	out[n + 1] = (char)('0' + which);
	out[n + 2] = 0;
}

/* What the head claims; number 0 when it is none. */
static int read_head(const struct ctm_port *port, const char *name, int which, struct copy *c)
{
	size_t got = 0;
	int rc;

	copy_name(c->file, name, which);
	c->number = 0;
	rc = port->read(port->ctx, c->file, 0, c->head, HEAD, &got);
	if (rc)
		return rc == CTM_SDK_STORAGE ? rc : 0;
	if (got == HEAD && memcmp(c->head, "CTMR", 4) == 0 && ctm_sdk_get(c->head + 12, 4) <= CTM_RECORD_MAX) {
		c->number = ctm_sdk_get(c->head + 4, 8);
		c->n = (size_t)ctm_sdk_get(c->head + 12, 4);
	}
	return 0;
}

/* Is the copy whole? Its body passes through `out` when that holds all of it, else through a small piece. 0, NONE, STORAGE. */
static int check(const struct ctm_port *port, const struct copy *c, uint8_t *out, size_t cap)
{
	uint8_t piece[PIECE], sum[CTM_HASH_BYTES];
	bool whole = c->n <= cap;
	struct ctm_hash h;
	size_t at = 0, got = 1;
	int rc, rc2;

	if (!c->number)
		return CTM_SDK_NONE;
	if ((rc = port->crypto->sha256_init(&h)))
		return rc;
	rc = port->crypto->sha256_update(&h, c->head + 4, SUM - 4);
	while (!rc && at < c->n && got) {
		uint8_t *to = whole ? out + at : piece;
		size_t want = c->n - at;

		if (!whole && want > PIECE)
			want = PIECE;
		got = 0;
		rc = port->read(port->ctx, c->file, HEAD + at, to, want, &got);
		if (!rc && got)
			rc = port->crypto->sha256_update(&h, to, got);
		at += got;
	}
	rc2 = port->crypto->sha256_final(&h, sum);
	ctm_sdk_wipe(piece, sizeof piece);
	rc = rc ? rc : rc2;
	if (rc)
		return rc == CTM_SDK_STORAGE ? rc : CTM_SDK_NONE;
	return at == c->n && ctm_sdk_same(sum, c->head + SUM, sizeof sum) ? 0 : CTM_SDK_NONE;
}

/* The newest whole copy, its body in buf when it fits: the higher number first, the other one when that is torn. */
static int newest(const struct ctm_port *port, const char *name, struct copy *c, int *which, void *buf, size_t cap)
{
	uint64_t other;
	int rc;

	if ((rc = read_head(port, name, 1, c)))
		return rc;
	other = c->number;
	if ((rc = read_head(port, name, 0, c)))
		return rc;
	*which = other > c->number;
	for (int tries = 0; tries < 2; tries++, *which = !*which) {
		if (!(rc = read_head(port, name, *which, c)))
			rc = check(port, c, buf, cap);
		if (rc != CTM_SDK_NONE)
			return rc;
	}
	return CTM_SDK_NONE;
}

int ctm_record_load(const struct ctm_port *port, const char *name, void *buf, size_t cap, size_t *len)
{
	struct copy c;
	int which, rc = newest(port, name, &c, &which, buf, cap);

	if (!rc && c.n > cap)
		rc = CTM_SDK_TOOBIG;
	if (!rc)
		*len = c.n;
	return rc;
}

int ctm_record_store(const struct ctm_port *port, const char *name, const void *buf, size_t n)
{
	struct ctm_bytes parts[2];
	struct ctm_hash h;
	struct copy c;
	int which, rc, rc2;

	if (n > CTM_RECORD_MAX)
		return CTM_SDK_TOOBIG;
	rc = newest(port, name, &c, &which, NULL, 0);
	if (rc && rc != CTM_SDK_NONE)
		return rc;
	ctm_sdk_put(c.head + 4, rc ? 1 : c.number + 1, 8);
	copy_name(c.file, name, rc ? 0 : CTM_PLANT == 2 ? which : !which);
	memcpy(c.head, "CTMR", 4);
	ctm_sdk_put(c.head + 12, n, 4);
	if ((rc = port->crypto->sha256_init(&h)))
		return rc;
	rc = port->crypto->sha256_update(&h, c.head + 4, SUM - 4);
	if (!rc)
		rc = port->crypto->sha256_update(&h, buf, n);
	rc2 = port->crypto->sha256_final(&h, c.head + SUM);
	parts[0] = (struct ctm_bytes){ c.head, HEAD };
	parts[1] = (struct ctm_bytes){ buf, n };
	rc = rc ? rc : rc2;
	return rc ? rc : port->write(port->ctx, c.file, parts, 2);
}

/* The older copy goes first: power between the two leaves what was newest, never what was before it. */
int ctm_record_erase(const struct ctm_port *port, const char *name)
{
	struct copy c;
	int which = 0, rc = newest(port, name, &c, &which, NULL, 0);

	if (rc && rc != CTM_SDK_NONE)
		return rc;
	copy_name(c.file, name, !which);
	if ((rc = port->erase(port->ctx, c.file)))
		return rc;
	copy_name(c.file, name, which);
	return port->erase(port->ctx, c.file);
}
