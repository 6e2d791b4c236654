/* SPDX-License-Identifier: Apache-2.0
 *
 * A fictional maker's releases for tests of the update modules: images, manifests, director statements, signed here and now.
 */
#ifndef TESTS_SDK_RELEASE_H
#define TESTS_SDK_RELEASE_H
#include "memport.h"
#include "ctm/cose.h"
#include "ctm/update.h"
#include <openssl/evp.h>

struct package {
	uint8_t manifest[1024], image[MEM_IMAGE];
	size_t manifestn, imagen;
};

struct release {
	const char *version, *class_name;       /* class NULL: PC-1 */
	uint64_t counter;
	size_t filler;                          /* bytes behind the header */
	const char *rollback;                   /* NULL: none */
	EVP_PKEY *signer;
};

static inline struct ctm_bytes text(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, strlen(s) };
}

static inline size_t sign_as(EVP_PKEY *key, const char *type, const uint8_t *payload, size_t n, uint8_t *out, size_t cap)
{
	size_t len = 0;

	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, key, CTM_COSE_EDDSA, NULL, 0, type, payload, n, out, cap, &len), 0);
	return len;
}

/* Sign a manifest about the image that p holds. */
static inline void release_of_image(struct package *p, struct release r)
{
	struct ctm_manifest m = { .component = text("device"), .version = text(r.version), .counter = r.counter, .min_version = text("0") };
	uint8_t payload[768];
	size_t n = 0;

	if (r.rollback) {
		m.rollback[0] = text(r.rollback);
		m.rollbacks = 1;
	}
	ctm_vendor_id("larkspur.example", m.vendor);
	ctm_class_id(m.vendor, r.class_name ? r.class_name : "PC-1", m.class_id);
	m.size = p->imagen;
	assert_int_equal(ctm_sdk_sha256(ctm_openssl_crypto(), p->image, p->imagen, m.digest), 0);
	assert_int_equal(ctm_manifest_encode(&m, payload, sizeof payload, &n), 0);
	p->manifestn = sign_as(r.signer, CTM_MANIFEST_TYPE, payload, n, p->manifest, sizeof p->manifest);
}

static inline void release(struct package *p, struct release r)
{
	p->imagen = (size_t)snprintf((char *)p->image, 128, "CTM-IMAGE 1 PC-1 %s\n", r.version);
	for (size_t i = 0; i < r.filler; i++)
		p->image[p->imagen++] = (uint8_t)(r.counter + i / 64 + i % 7);
	release_of_image(p, r);
}

static inline struct ctm_bytes manifest_of(const struct package *p)
{
	return (struct ctm_bytes){ p->manifest, p->manifestn };
}

static inline struct ctm_bytes image_of(const struct package *p)
{
	return (struct ctm_bytes){ p->image, p->imagen };
}

static inline void raw_key(EVP_PKEY *key, uint8_t out[CTM_PUB_MAX], size_t *n)
{
	*n = CTM_PUB_MAX;
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, out, n), 1);
}

/* A PC-1 that trusts `key`. */
static inline struct ctm_update a_device(const struct ctm_port *port, EVP_PKEY *key)
{
	struct ctm_update x = { .port = port, .component = "device", .model = "PC-1", .running = CTM_SLOTS, .slot = CTM_SLOTS };

	ctm_vendor_id("larkspur.example", x.vendor);
	ctm_class_id(x.vendor, "PC-1", x.class_id);
	raw_key(key, x.release_key, &x.release_keylen);
	return x;
}

#endif
