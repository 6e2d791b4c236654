/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate request: see ctm/csr.h. DER is written from its end to its beginning, so every length is known when its turn comes: the
 * part that is signed first, ending where the signature will begin; then signature and frame around it; then all moves to the front.
 */
#include "ctm/csr.h"
#include <string.h>

#define SIG_MAX 87              /* algorithm (12) and signature as a bit string (2 + 1 + 2 + 2 * 35) */
#define FRAME 4

struct der {
	uint8_t *begin, *at;    /* written from `at` on; at == NULL: did not fit */
};

static void put(struct der *d, const void *p, size_t n)
{
	if (!d->at || (size_t)(d->at - d->begin) < n) {
		d->at = NULL;
		return;
	}
	d->at -= n;
	memcpy(d->at, p, n);
}

/* Tag and length in front of what stands between at and end. */
static void wrap(struct der *d, uint8_t tag, const uint8_t *end)
{
	size_t n = d->at ? (size_t)(end - d->at) : 0;
	uint8_t h[4] = { tag, (uint8_t)n, 0, 0 };
	size_t k = 2;

	if (n > 0xff) {
		h[1] = 0x82;
		h[2] = (uint8_t)(n >> 8);
		h[3] = (uint8_t)n;
		k = 4;
	} else if (n > 0x7f) {
		h[1] = 0x81;
		h[2] = (uint8_t)n;
		k = 3;
	}
	put(d, h, k);
}

/* One part of the subject: attribute 2.5.4.kind. An underscore is no PrintableString. */
static void put_name(struct der *d, uint8_t kind, const char *s)
{
	const uint8_t oid[5] = { 0x06, 0x03, 0x55, 0x04, kind };
	const uint8_t *end = d->at;
	size_t n = strlen(s);
	uint8_t tag = 0x13;

	for (size_t i = 0; i < n; i++)
		if (s[i] == '_')
			tag = 0x0c;
	put(d, s, n);
	wrap(d, tag, end);
	put(d, oid, sizeof oid);
	wrap(d, 0x30, end);
	wrap(d, 0x31, end);
}

static void put_info(struct der *d, const char *serial, const uint8_t pub[CTM_PUB_MAX])
{
	static const uint8_t version[3] = { 0x02, 0x01, 0x00 }, none[2] = { 0xa0, 0x00 };
	/* SubjectPublicKeyInfo of a P-256 key, up to the point (RFC 5480). */
	static const uint8_t key[26] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
					 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
	const uint8_t *end = d->at, *names;

	put(d, none, sizeof none);
	put(d, pub, CTM_PUB_MAX);
	put(d, key, sizeof key);
	names = d->at;
	put_name(d, 5, serial);         /* serialNumber */
	put_name(d, 3, serial);         /* CN */
	wrap(d, 0x30, names);
	put(d, version, sizeof version);
	wrap(d, 0x30, end);
}

/* A positive INTEGER of 32 bytes: shortest form. */
static void put_number(struct der *d, const uint8_t v[32])
{
	const uint8_t *end = d->at;
	size_t skip = 0;

	while (skip < 31 && !v[skip])
		skip++;
	put(d, v + skip, 32 - skip);
	if (v[skip] & 0x80)
		put(d, "", 1);
	wrap(d, 0x02, end);
}

/* Algorithm and signature, ending at end; its length. */
static size_t put_signature(struct der *d, const uint8_t sig[CTM_SIG_BYTES])
{
	static const uint8_t ecdsa_sha256[12] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	const uint8_t *end = d->at;

	put_number(d, sig + 32);
	put_number(d, sig);
	wrap(d, 0x30, end);
	put(d, "", 1);
	wrap(d, 0x03, end);
	put(d, ecdsa_sha256, sizeof ecdsa_sha256);
	return d->at ? (size_t)(end - d->at) : 0;
}

int ctm_csr_write(const struct ctm_port *port, const char *serial, const uint8_t pub[CTM_PUB_MAX], uint8_t *out, size_t cap, size_t *n)
{
	uint8_t sig[CTM_SIG_BYTES], tail[SIG_MAX];
	struct der d = { out, out + (cap > SIG_MAX ? cap - SIG_MAX : 0) }, t = { tail, tail + sizeof tail };
	uint8_t *end = d.at;
	size_t sign_n;
	int rc;

	if (!ctm_serial_ok(serial))
		return CTM_SDK_INPUT;
	put_info(&d, serial, pub);
	if (!d.at || d.at - out < FRAME)
		return CTM_SDK_TOOBIG;
	if ((rc = port->sign(port->ctx, d.at, (size_t)(end - d.at), sig)))
		return rc;
	sign_n = put_signature(&t, sig);
	memcpy(end, tail + sizeof tail - sign_n, sign_n);
	wrap(&d, 0x30, end + sign_n);
	*n = (size_t)(end + sign_n - d.at);
	memmove(out, d.at, *n);
	return 0;
}
