/* SPDX-License-Identifier: Apache-2.0
 *
 * Who a certificate names, read from its DER (RFC 5280 section 4.1, X.690 section 10) without making objects of it: the edge
 * has verified it, and this is asked for every request of every device. Lengths are taken in their one DER form only; whatever
 * is odd is refused, as in x509.c, and tests/fuzz/x509_fuzz.c holds the two readers against each other.
 */
#include "crypto/x509.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include <openssl/evp.h>
#include <string.h>

#define DER_MAX 8192

enum { T_INTEGER = 0x02, T_BITS = 0x03, T_OID = 0x06, T_UTF8 = 0x0C, T_PRINTABLE = 0x13, T_IA5 = 0x16, T_UTC = 0x17, T_TIME = 0x18, T_SEQUENCE = 0x30, T_SET = 0x31, T_VERSION = 0xA0 };

struct der { const uint8_t *p; size_t n; };

/* Take one element off the front: its content, and, where asked, the element with its head. */
static bool element(struct der *in, int tag, struct der *content, struct der *whole)
{
	if (in->n < 2 || (tag && in->p[0] != tag))
		return false;
	size_t head = 2, len = in->p[1];
	if (len > 0x80) {
		size_t k = len & 0x7F;
		if (k > 2 || in->n < 2 + k || !in->p[2])
			return false;
		for (len = 0; head < 2 + k; head++)
			len = len << 8 | in->p[head];
		if (len < 0x80)
			return false;
	} else if (len == 0x80) {
		return false;
	}
	if (len > in->n - head)
		return false;
	if (content)
		*content = (struct der){ in->p + head, len };
	if (whole)
		*whole = (struct der){ in->p, head + len };
	in->p += head + len;
	in->n -= head + len;
	return true;
}

/* AttributeTypeAndValue: into `out` where it is the serialNumber (2.5.4.5), which may stand there once. */
static bool attribute(struct der a, char out[65])
{
	static const uint8_t serial_number[] = { 0x55, 0x04, 0x05 };
	struct der type, value;
	if (!element(&a, T_OID, &type, NULL))
		return false;
	int tag = a.n ? a.p[0] : 0;
	if (!element(&a, 0, &value, NULL) || a.n)
		return false;
	if (type.n != sizeof serial_number || memcmp(type.p, serial_number, type.n))
		return true;
	if (*out || !value.n || value.n > 64 || (tag != T_UTF8 && tag != T_PRINTABLE && tag != T_IA5) ||
	    !ctm_text_printable((const char *)value.p, value.n) || memchr(value.p, '\n', value.n))
		return false;
	memcpy(out, value.p, value.n);
	out[value.n] = 0;
	return true;
}

static bool subject(struct der names, char out[65])
{
	struct der set, one;
	*out = 0;
	while (names.n) {
		if (!element(&names, T_SET, &set, NULL))
			return false;
		while (set.n)
			if (!element(&set, T_SEQUENCE, &one, NULL) || !attribute(one, out))
				return false;
	}
	return true;
}

/* YYMMDDHHMMSSZ of 1950 to 2049 or YYYYMMDDHHMMSSZ (RFC 5280 section 4.1.2.5). */
static bool moment(struct der t, int tag, int64_t *ms)
{
	int v[7], digits = tag == T_TIME ? 4 : 2;
	size_t at = 0;
	if (t.n != (tag == T_TIME ? 15u : 13u) || t.p[t.n - 1] != 'Z')
		return false;
	for (size_t i = 0; i < 6; i++, digits = 2)
		for (v[i] = 0; digits; digits--, at++) {
			if (t.p[at] < '0' || t.p[at] > '9')
				return false;
			v[i] = v[i] * 10 + (t.p[at] - '0');
		}
	if (tag == T_UTC)
		v[0] += v[0] < 50 ? 2000 : 1900;
	if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 || v[5] > 59)
		return false;
	*ms = (((ctm_civil_days(v[0], v[1], v[2]) * 24 + v[3]) * 60 + v[4]) * 60 + v[5]) * 1000;
	return true;
}

/* The second of the two times. */
static bool validity(struct der v, int64_t *end_ms)
{
	struct der t;
	if (!element(&v, 0, NULL, NULL) || !v.n)
		return false;
	int tag = v.p[0];
	return (tag == T_UTC || tag == T_TIME) && element(&v, tag, &t, NULL) && !v.n && moment(t, tag, end_ms);
}

static bool certificate(struct der in, struct ctm_cert_who *out)
{
	struct der cert, tbs, times, names, key;
	if (!element(&in, T_SEQUENCE, &cert, NULL) || in.n || !element(&cert, T_SEQUENCE, &tbs, NULL) || !element(&cert, T_SEQUENCE, NULL, NULL) ||
	    !element(&cert, T_BITS, NULL, NULL) || cert.n)
		return false;
	if (!element(&tbs, T_VERSION, NULL, NULL) || !element(&tbs, T_INTEGER, NULL, NULL) || !element(&tbs, T_SEQUENCE, NULL, NULL) ||
	    !element(&tbs, T_SEQUENCE, NULL, NULL) || !element(&tbs, T_SEQUENCE, &times, NULL) || !element(&tbs, T_SEQUENCE, &names, NULL) ||
	    !element(&tbs, T_SEQUENCE, NULL, &key))
		return false;
	ctm_digest_of(key.p, key.n, out->spki_sha256);
	return subject(names, out->serial_number) && validity(times, &out->not_after_ms);
}

/* The bytes between the two lines of the armour (RFC 7468). */
static bool unarmour(const char *pem, size_t n, uint8_t out[DER_MAX], size_t *len)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n", end[] = "\n-----END CERTIFICATE-----";
	char text[(DER_MAX / 3) * 4];
	size_t k = 0;
	const char *stop = n > sizeof begin && !memcmp(pem, begin, sizeof begin - 1) ? memmem(pem, n, end, sizeof end - 1) : NULL;
	if (!stop)
		return false;
	for (const char *p = pem + sizeof begin - 1; p < stop; p++) {
		if (*p == '\n' || *p == '\r')
			continue;
		if (k == sizeof text)
			return false;
		text[k++] = *p;
	}
	int got = k && k % 4 == 0 ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)k) : -1;
	if (got < 3)
		return false;
	*len = (size_t)got - (text[k - 1] == '=') - (text[k - 2] == '=');
	return true;
}

int ctm_cert_who(const char *pem, size_t n, struct ctm_cert_who *out, struct ctm_err *err)
{
	uint8_t der[DER_MAX];
	struct ctm_cert_who who = { 0 };
	size_t len;
	if (!unarmour(pem, n, der, &len) || !certificate((struct der){ der, len }, &who))
		return ctm_fail(err, CTM_E_SYNTAX, "certificate", NULL, "not a PEM certificate whose subject can be read");
	*out = who;
	return 0;
}
