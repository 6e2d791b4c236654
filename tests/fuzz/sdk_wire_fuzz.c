/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that reads signed bytes from outside: CBOR, COSE_Sign1, manifest, package, image header, base64url. Besides not breaking: what
 * the checker takes, the reader walks to the end, and what is decoded encodes to the same bytes.
 */
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include "ctm/identity.h"
#include "ctm/manifest.h"
#include "ctm/update.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void manifest(const uint8_t *p, size_t n)
{
	uint8_t again[CTM_MANIFEST_MAX];
	struct ctm_manifest m;
	size_t len = 0;

	if (ctm_manifest_decode(p, n, &m))
		return;
	must(ctm_manifest_encode(&m, again, sizeof again, &len) == 0);
	must(len == n && memcmp(again, p, n) == 0);
}

static void decoders(const uint8_t *p, size_t n)
{
	uint8_t raw[256];
	char text[400];
	size_t len = 0;

	if (ctm_b64u_decode((const char *)p, n, raw, sizeof raw, &len) == 0) {
		must(len <= sizeof raw);
		ctm_b64u_encode(raw, len, text);
		must(strlen(text) == n && memcmp(text, p, n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctm_cbor_r r = ctm_cbor_reader(data, size);
	struct ctm_bytes a, b;
	struct ctm_cose1 c;
	struct ctm_manifest m;
	struct ctm_image_header h;
	int good = ctm_cbor_check(data, size) == 0;

	ctm_cbor_skip(&r);
	must(!good || ctm_cbor_end(&r) == 0);
	if (ctm_cose_sign1_peek(data, size, &c) == 0) {
		must(good && c.payload >= data && c.payload + c.payloadlen <= data + size && c.sig + CTM_SIG_BYTES <= data + size);
		manifest(c.payload, c.payloadlen);
	}
	manifest(data, size);
	(void)ctm_manifest_peek(data, size, &m);
	if (ctm_package_split(data, size, &a, &b) == 0)
		must(a.p == data + 4 && b.p == a.p + a.n && b.p + b.n == data + size);
	(void)ctm_image_header(data, size, &h);
	decoders(data, size);
	return 0;
}
