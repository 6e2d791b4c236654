/* SPDX-License-Identifier: Apache-2.0
 *
 * COSE_Sign1: see ctm/cose.h for the profile. The Sig_structure (RFC 9052 4.4) is
 *     84 6a "Signature1" bstr(protected) 40 bstr(payload)
 * and is always shorter than the message itself, so signing builds it in the output buffer first, and the message over it
 * afterwards; verifying hands it to the back end as head + payload without copying the payload.
 */
#include "ctm/cose.h"
#include "ctm/cbor.h"
#include <limits.h>
#include <string.h>

#define TAG_SIGN1 18
#define HDR_ALG 1
#define HDR_CRIT 2
#define HDR_CONTENT_TYPE 3
#define HDR_KID 4
#define PROTECTED_OWN 160      /* bytes of a protected header we write */

/* Bits of the labels seen, over both headers: a label may stand once (RFC 9052 3). */
static int seen_once(unsigned *seen, int64_t label)
{
	unsigned bit = label >= 1 && label <= 7 ? 1u << label : 0;

	if (*seen & bit)
		return CTM_SDK_SYNTAX;
	*seen |= bit;
	return 0;
}

static int one_header(struct ctm_cbor_r *r, bool is_protected, int64_t label, struct ctm_cose1 *o)
{
	struct ctm_bytes b;
	int64_t alg;

	switch (label) {
	case HDR_ALG:
		if (!is_protected || (ctm_cbor_peek(r) != CTM_CBOR_UINT && ctm_cbor_peek(r) != CTM_CBOR_NINT))
			return CTM_SDK_UNSUPPORTED;
		alg = ctm_cbor_int(r);
		if (alg != CTM_COSE_EDDSA && alg != CTM_COSE_ES256)
			return CTM_SDK_UNSUPPORTED;
		o->alg = (int)alg;
		return r->err;
	case HDR_CRIT:
		return CTM_SDK_UNSUPPORTED;
	case HDR_CONTENT_TYPE:
		if (!is_protected)
			return CTM_SDK_UNSUPPORTED;
		if (ctm_cbor_peek(r) == CTM_CBOR_TEXT) {
			b = ctm_cbor_text(r);
			o->content_type = (const char *)b.p;
			o->content_typelen = b.n;
		} else {
			uint64_t v = ctm_cbor_uint(r);

			if (v > 65535)
				return CTM_SDK_INPUT;
			o->content_format = (int64_t)v;
		}
		return r->err;
	case HDR_KID:
		b = ctm_cbor_bytes(r);
		if (b.n > CTM_COSE_KID_MAX)
			return CTM_SDK_TOOBIG;
		o->kid = b.p;
		o->kidlen = b.n;
		return r->err;
	default:
		ctm_cbor_skip(r);
		return r->err;
	}
}

static int headers(struct ctm_cbor_r *r, bool is_protected, unsigned *seen, struct ctm_cose1 *o)
{
	size_t pairs = ctm_cbor_map(r);
	int rc;

	for (; pairs && !r->err; pairs--) {
		if (ctm_cbor_peek(r) == CTM_CBOR_TEXT) {
			ctm_cbor_text(r);
			ctm_cbor_skip(r);
			continue;
		}
		int64_t label = ctm_cbor_int(r);

		if (r->err)
			break;
		if ((rc = seen_once(seen, label)) || (rc = one_header(r, is_protected, label, o)))
			return rc;
	}
	return r->err;
}

static int protected_headers(struct ctm_bytes b, unsigned *seen, struct ctm_cose1 *o)
{
	struct ctm_cbor_r r = ctm_cbor_reader(b.p, b.n);
	int rc;

	if (!b.n)
		return CTM_SDK_UNSUPPORTED;     /* no alg */
	if (b.n > CTM_COSE_PROTECTED_MAX)
		return CTM_SDK_TOOBIG;
	if ((rc = ctm_cbor_check(b.p, b.n)))
		return rc;
	if ((rc = headers(&r, true, seen, o)))
		return rc;
	return o->alg ? ctm_cbor_end(&r) : CTM_SDK_UNSUPPORTED;
}

int ctm_cose_sign1_peek(const uint8_t *msg, size_t n, struct ctm_cose1 *out)
{
	struct ctm_cbor_r r = ctm_cbor_reader(msg, n);
	struct ctm_cose1 o;
	struct ctm_bytes prot, payload, sig;
	unsigned seen = 0;
	int rc;

	if (n > CTM_COSE_MAX)
		return CTM_SDK_TOOBIG;
	if ((rc = ctm_cbor_check(msg, n)))
		return rc;
	memset(&o, 0, sizeof o);
	o.content_format = -1;
	if (ctm_cbor_peek(&r) != CTM_CBOR_TAG || ctm_cbor_tag(&r) != TAG_SIGN1)
		return CTM_SDK_UNSUPPORTED;
	if (ctm_cbor_array(&r) != 4)
		return r.err ? r.err : CTM_SDK_SYNTAX;
	prot = ctm_cbor_bytes(&r);
	if (r.err)
		return r.err;
	if ((rc = protected_headers(prot, &seen, &o)) || (rc = headers(&r, false, &seen, &o)))
		return rc;
	if (ctm_cbor_peek(&r) == CTM_CBOR_SIMPLE)
		return CTM_SDK_UNSUPPORTED;     /* detached payload */
	payload = ctm_cbor_bytes(&r);
	sig = ctm_cbor_bytes(&r);
	if ((rc = ctm_cbor_end(&r)))
		return rc;
	if (sig.n != CTM_SIG_BYTES)
		return CTM_SDK_SYNTAX;
	o.protected_hdr = prot.p;
	o.protectedlen = prot.n;
	o.payload = payload.p;
	o.payloadlen = payload.n;
	o.sig = sig.p;
	*out = o;
	return 0;
}

/* The Sig_structure around the two byte strings: before the protected header's bytes, and between them and the payload's. */
static void put_tbs_first(struct ctm_cbor_w *w, size_t protlen)
{
	ctm_cbor_put_array(w, 4);
	ctm_cbor_put_str(w, "Signature1");
	ctm_cbor_put_bytes_head(w, protlen);
}

static void put_tbs_second(struct ctm_cbor_w *w, size_t payloadlen)
{
	ctm_cbor_put_bytes(w, NULL, 0);         /* external data: none */
	ctm_cbor_put_bytes_head(w, payloadlen);
}

int ctm_cose_sign1_verify(const struct ctm_crypto *c, const uint8_t *msg, size_t n, struct ctm_cose1 *out,
			  const uint8_t *pub, size_t publen)
{
	uint8_t first[32], second[16];
	struct ctm_cbor_w w1 = ctm_cbor_writer(first, sizeof first), w2 = ctm_cbor_writer(second, sizeof second);
	struct ctm_bytes parts[4];
	struct ctm_cose1 o;
	int rc = ctm_cose_sign1_peek(msg, n, &o);

	if (rc)
		return rc;
	if (publen != (o.alg == CTM_COSE_EDDSA ? 32u : 65u))
		return CTM_SDK_VERIFY;
	put_tbs_first(&w1, o.protectedlen);
	put_tbs_second(&w2, o.payloadlen);
	if (w1.err || w2.err)
		return CTM_SDK_FAIL;
	parts[0] = (struct ctm_bytes){ first, w1.len };
	parts[1] = (struct ctm_bytes){ o.protected_hdr, o.protectedlen };
	parts[2] = (struct ctm_bytes){ second, w2.len };
	parts[3] = (struct ctm_bytes){ o.payload, o.payloadlen };
	rc = c->verify(o.alg, pub, publen, parts, 4, o.sig);
	if (!rc)
		*out = o;
	return rc;
}

bool ctm_cose_is(const struct ctm_cose1 *m, const char *type)
{
	return m->content_type && m->content_typelen == strlen(type) && memcmp(m->content_type, type, m->content_typelen) == 0;
}

int ctm_cose_sign1_typed(const struct ctm_crypto *c, const uint8_t *msg, size_t n, const char *type, const uint8_t *pub, size_t publen,
			 struct ctm_bytes *payload)
{
	struct ctm_cose1 o;
	int rc = ctm_cose_sign1_verify(c, msg, n, &o, pub, publen);

	if (rc)
		return rc;
	if (!ctm_cose_is(&o, type))
		return CTM_SDK_UNSUPPORTED;
	*payload = (struct ctm_bytes){ o.payload, o.payloadlen };
	return 0;
}

static int put_protected(struct ctm_cbor_w *w, int alg, const uint8_t *kid, size_t kidlen, const char *content_type)
{
	ctm_cbor_put_map(w, 1u + (content_type != NULL) + (kidlen != 0));
	ctm_cbor_put_uint(w, HDR_ALG);
	ctm_cbor_put_int(w, alg);
	if (content_type) {
		ctm_cbor_put_uint(w, HDR_CONTENT_TYPE);
		ctm_cbor_put_str(w, content_type);
	}
	if (kidlen) {
		ctm_cbor_put_uint(w, HDR_KID);
		ctm_cbor_put_bytes(w, kid, kidlen);
	}
	return ctm_cbor_done(w);
}

int ctm_cose_sign1_sign(ctm_sign_fn sign, void *sign_ctx, int alg, const uint8_t *kid, size_t kidlen,
			const char *content_type, const uint8_t *payload, size_t n,
			uint8_t *out, size_t cap, size_t *outlen)
{
	uint8_t prot[PROTECTED_OWN], sig[CTM_SIG_BYTES];
	struct ctm_cbor_w p = ctm_cbor_writer(prot, sizeof prot), w = ctm_cbor_writer(out, cap);
	int rc;

	if (alg != CTM_COSE_EDDSA && alg != CTM_COSE_ES256)
		return CTM_SDK_UNSUPPORTED;
	if (kidlen > CTM_COSE_KID_MAX || n > CTM_COSE_MAX - CTM_COSE_OVERHEAD)
		return CTM_SDK_TOOBIG;
	if ((rc = put_protected(&p, alg, kid, kidlen, content_type)))
		return rc;
	put_tbs_first(&w, p.len);
	ctm_cbor_put_raw(&w, prot, p.len);
	put_tbs_second(&w, n);
	ctm_cbor_put_raw(&w, payload, n);
	if (w.err)
		return w.err;
	if ((rc = sign(sign_ctx, out, w.len, sig)))
		return rc;
	w = ctm_cbor_writer(out, cap);
	ctm_cbor_put_tag(&w, TAG_SIGN1);
	ctm_cbor_put_array(&w, 4);
	ctm_cbor_put_bytes(&w, prot, p.len);
	ctm_cbor_put_map(&w, 0);
	ctm_cbor_put_bytes(&w, payload, n);
	ctm_cbor_put_bytes(&w, sig, sizeof sig);
	if (w.err)
		return w.err;
	*outlen = w.len;
	return 0;
}
