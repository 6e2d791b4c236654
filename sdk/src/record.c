/* SPDX-License-Identifier: Apache-2.0
 *
 * Two-copy record: NAME.0 and NAME.1, each "CTMR", number (8 bytes), length (4), SHA-256 of number + length + body, body. The
 * digest finds torn and rotten copies; it does not defend against somebody who can write storage.
 */
#include "ctm/port.h"
#include <stdbool.h>
#include <string.h>

#define HEAD (4 + 8 + 4 + CTM_HASH_BYTES)

struct copy {
	uint8_t frame[HEAD + CTM_RECORD_MAX];
	uint64_t number;
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

static void put_be(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static int digest(const struct ctm_port *port, const uint8_t *frame, size_t body, uint8_t out[CTM_HASH_BYTES])
{
	struct ctm_hash h;
	int rc = port->crypto->sha256_init(&h), rc2;

	if (rc)
		return rc;
	rc = port->crypto->sha256_update(&h, frame + 4, 12);
	if (!rc)
		rc = port->crypto->sha256_update(&h, frame + HEAD, body);
	rc2 = port->crypto->sha256_final(&h, out);
	return rc ? rc : rc2;
}

/* A whole copy, or NONE. */
static int read_copy(const struct ctm_port *port, const char *name, int which, struct copy *c)
{
	char file[CTM_NAME_MAX + 3];
	uint8_t d[CTM_HASH_BYTES];
	size_t n = 0;
	int rc;

	copy_name(file, name, which);
	rc = port->read(port->ctx, file, c->frame, sizeof c->frame, &n);
	if (rc == CTM_SDK_STORAGE)
		return rc;
	if (rc || n < HEAD || memcmp(c->frame, "CTMR", 4) != 0 || get_be(c->frame + 12, 4) != n - HEAD)
		return CTM_SDK_NONE;
	if ((rc = digest(port, c->frame, n - HEAD, d)))
		return rc;
	if (!ctm_sdk_same(d, c->frame + 16, sizeof d))
		return CTM_SDK_NONE;
	c->number = get_be(c->frame + 4, 8);
	c->n = n - HEAD;
	return 0;
}

/* Number of the newest whole copy and which it is; -1 when none. */
static int newest(const struct ctm_port *port, const char *name, struct copy *c, int *which)
{
	uint64_t best = 0;

	*which = -1;
	for (int i = 0; i < 2; i++) {
		int rc = read_copy(port, name, i, c);

		if (rc && rc != CTM_SDK_NONE)
			return rc;
		if (!rc && (*which < 0 || c->number > best)) {
			best = c->number;
			*which = i;
		}
	}
	c->number = best;
	return 0;
}

int ctm_record_load(const struct ctm_port *port, const char *name, void *buf, size_t cap, size_t *len)
{
	struct copy c;
	int which, rc = newest(port, name, &c, &which);

	if (rc)
		return rc;
	if (which < 0)
		return CTM_SDK_NONE;
	if ((rc = read_copy(port, name, which, &c)))
		return rc;
	if (c.n > cap)
		rc = CTM_SDK_TOOBIG;
	if (!rc) {
		memcpy(buf, c.frame + HEAD, c.n);
		*len = c.n;
	}
	ctm_sdk_wipe(c.frame, sizeof c.frame);
	return rc;
}

int ctm_record_store(const struct ctm_port *port, const char *name, const void *buf, size_t n)
{
	char file[CTM_NAME_MAX + 3];
	struct copy c;
	int which, rc = newest(port, name, &c, &which);

	if (rc)
		return rc;
	if (n > CTM_RECORD_MAX)
		return CTM_SDK_TOOBIG;
	memcpy(c.frame, "CTMR", 4);
	put_be(c.frame + 4, which < 0 ? 1 : c.number + 1, 8);
	put_be(c.frame + 12, n, 4);
	if (n)
		memcpy(c.frame + HEAD, buf, n);
	rc = digest(port, c.frame, n, c.frame + 16);
	copy_name(file, name, which == 0 ? 1 : 0);
	if (!rc)
		rc = port->write(port->ctx, file, c.frame, HEAD + n);
	ctm_sdk_wipe(c.frame, sizeof c.frame);
	return rc;
}

int ctm_record_erase(const struct ctm_port *port, const char *name)
{
	char file[CTM_NAME_MAX + 3];
	int rc, rc2;

	copy_name(file, name, 0);
	rc = port->erase(port->ctx, file);
	copy_name(file, name, 1);
	rc2 = port->erase(port->ctx, file);
	return rc ? rc : rc2;
}
