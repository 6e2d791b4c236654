/* SPDX-License-Identifier: Apache-2.0
 *
 * Mbed TLS 2.28 back end: see ctm/mbedtls.h. Each call loads the curve and frees it again, so that nothing of it stays in the
 * product's buffer between calls. Secret scalars are blinded with the generator.
 */
#include "ctm/mbedtls.h"
#include <mbedtls/ecdsa.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <string.h>

struct generator {
	mbedtls_hmac_drbg_context drbg;
	ctm_noise_fn noise;
	void *noise_ctx;
};

typedef char hash_fits[sizeof(mbedtls_sha256_context) <= sizeof(struct ctm_hash) ? 1 : -1];
typedef char generator_fits[sizeof(struct generator) <= sizeof(struct ctm_mbedtls) ? 1 : -1];

static struct generator *gen;           /* the caller's storage; NULL before begin */

static int noise(void *ctx, unsigned char *out, size_t n)
{
	struct generator *g = ctx;

	return g->noise(g->noise_ctx, out, n) ? MBEDTLS_ERR_HMAC_DRBG_ENTROPY_SOURCE_FAILED : 0;
}

int ctm_mbedtls_begin(struct ctm_mbedtls *m, ctm_noise_fn noise_fn, void *noise_ctx)
{
	struct generator *g = (struct generator *)(void *)m->opaque;

	ctm_mbedtls_end();
	g->noise = noise_fn;
	g->noise_ctx = noise_ctx;
	mbedtls_hmac_drbg_init(&g->drbg);
	if (mbedtls_hmac_drbg_seed(&g->drbg, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), noise, g, (const unsigned char *)"ctm", 3)) {
		mbedtls_hmac_drbg_free(&g->drbg);
		return CTM_SDK_FAIL;
	}
	gen = g;
	return 0;
}

void ctm_mbedtls_end(void)
{
	if (gen)
		mbedtls_hmac_drbg_free(&gen->drbg);
	gen = NULL;
}

static int rng(void *ctx, unsigned char *out, size_t n)
{
	return gen ? mbedtls_hmac_drbg_random(&gen->drbg, out, n) : MBEDTLS_ERR_HMAC_DRBG_ENTROPY_SOURCE_FAILED;
}

static int random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		size_t k = n < MBEDTLS_HMAC_DRBG_MAX_REQUEST ? n : MBEDTLS_HMAC_DRBG_MAX_REQUEST;

		if (rng(NULL, p, k))
			return CTM_SDK_FAIL;
		p += k;
		n -= k;
	}
	return 0;
}

static mbedtls_sha256_context *running(struct ctm_hash *h)
{
	return (mbedtls_sha256_context *)(void *)h->opaque;
}

static int hash_init(struct ctm_hash *h)
{
	memset(h, 0, sizeof *h);
	mbedtls_sha256_init(running(h));
	return mbedtls_sha256_starts_ret(running(h), 0) ? CTM_SDK_FAIL : 0;
}

static int hash_update(struct ctm_hash *h, const void *p, size_t n)
{
	return mbedtls_sha256_update_ret(running(h), p, n) ? CTM_SDK_FAIL : 0;
}

static int hash_final(struct ctm_hash *h, uint8_t out[CTM_HASH_BYTES])
{
	int rc = mbedtls_sha256_finish_ret(running(h), out);

	mbedtls_sha256_free(running(h));
	return rc ? CTM_SDK_FAIL : 0;
}

static int hash_parts(const struct ctm_bytes *parts, size_t n, uint8_t out[CTM_HASH_BYTES])
{
	struct ctm_hash h;
	int rc = hash_init(&h), rc2;

	for (size_t i = 0; !rc && i < n; i++)
		if (parts[i].n)
			rc = hash_update(&h, parts[i].p, parts[i].n);
	rc2 = hash_final(&h, out);
	return rc ? rc : rc2;
}

/* Curve, a point and two numbers: what every operation needs, freed together. */
struct work {
	mbedtls_ecp_group g;
	mbedtls_ecp_point q;
	mbedtls_mpi a, b, d;
};

static int work_init(struct work *w)
{
	mbedtls_ecp_group_init(&w->g);
	mbedtls_ecp_point_init(&w->q);
	mbedtls_mpi_init(&w->a);
	mbedtls_mpi_init(&w->b);
	mbedtls_mpi_init(&w->d);
	return mbedtls_ecp_group_load(&w->g, MBEDTLS_ECP_DP_SECP256R1) ? CTM_SDK_FAIL : 0;
}

static void work_free(struct work *w)
{
	mbedtls_mpi_free(&w->d);
	mbedtls_mpi_free(&w->b);
	mbedtls_mpi_free(&w->a);
	mbedtls_ecp_point_free(&w->q);
	mbedtls_ecp_group_free(&w->g);
}

static int verify(int alg, const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts,
		  const uint8_t sig[CTM_SIG_BYTES])
{
	uint8_t hash[CTM_HASH_BYTES];
	struct work w;
	int rc;

	if (alg != CTM_COSE_ES256)
		return CTM_SDK_UNSUPPORTED;
	if (publen != CTM_PUB_MAX || pub[0] != 4)
		return CTM_SDK_INPUT;
	rc = work_init(&w);
	if (!rc && (mbedtls_ecp_point_read_binary(&w.g, &w.q, pub, publen) || mbedtls_ecp_check_pubkey(&w.g, &w.q)))
		rc = CTM_SDK_INPUT;
	if (!rc)
		rc = hash_parts(parts, nparts, hash);
	if (!rc && (mbedtls_mpi_read_binary(&w.a, sig, 32) || mbedtls_mpi_read_binary(&w.b, sig + 32, 32)))
		rc = CTM_SDK_FAIL;
	if (!rc && mbedtls_ecdsa_verify(&w.g, hash, sizeof hash, &w.q, &w.a, &w.b))
		rc = CTM_SDK_VERIFY;
	work_free(&w);
	return rc;
}

int ctm_mbedtls_sign(void *p256, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	const struct ctm_p256 *k = p256;
	const struct ctm_bytes all = { tbs, n };
	uint8_t hash[CTM_HASH_BYTES];
	struct work w;
	int rc = work_init(&w);

	if (!rc && (mbedtls_mpi_read_binary(&w.d, k->secret, sizeof k->secret) || mbedtls_ecp_check_privkey(&w.g, &w.d)))
		rc = CTM_SDK_INPUT;
	if (!rc)
		rc = hash_parts(&all, 1, hash);
	if (!rc && (mbedtls_ecdsa_sign_det_ext(&w.g, &w.a, &w.b, &w.d, hash, sizeof hash, MBEDTLS_MD_SHA256, rng, NULL) ||
		    mbedtls_mpi_write_binary(&w.a, sig, 32) || mbedtls_mpi_write_binary(&w.b, sig + 32, 32)))
		rc = CTM_SDK_FAIL;
	work_free(&w);
	return rc;
}

int ctm_mbedtls_keygen(struct ctm_p256 *out)
{
	struct work w;
	size_t n = 0;
	int rc = work_init(&w);

	if (!rc && (mbedtls_ecp_gen_keypair(&w.g, &w.d, &w.q, rng, NULL) || mbedtls_mpi_write_binary(&w.d, out->secret, sizeof out->secret) ||
		    mbedtls_ecp_point_write_binary(&w.g, &w.q, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, out->pub, sizeof out->pub)))
		rc = CTM_SDK_FAIL;
	work_free(&w);
	return rc;
}

/* One block of PBKDF2 is as long as what is asked for. */
static int pbkdf2(mbedtls_md_context_t *m, const void *password, size_t n, const uint8_t *salt, uint32_t rounds, uint8_t out[CTM_HASH_BYTES])
{
	static const uint8_t first[4] = { 0, 0, 0, 1 };
	uint8_t u[CTM_HASH_BYTES] = { 0 };
	int rc = mbedtls_md_hmac_starts(m, password, n);

	if (!rc && !(rc = mbedtls_md_hmac_update(m, salt, CTM_SALT_BYTES)))
		rc = mbedtls_md_hmac_update(m, first, sizeof first);
	if (!rc)
		rc = mbedtls_md_hmac_finish(m, u);
	memcpy(out, u, sizeof u);
	for (uint32_t i = 1; !rc && i < rounds; i++) {
		rc = mbedtls_md_hmac_reset(m);
		if (!rc && !(rc = mbedtls_md_hmac_update(m, u, sizeof u)))
			rc = mbedtls_md_hmac_finish(m, u);
		for (size_t k = 0; k < sizeof u; k++)
			out[k] ^= u[k];
	}
	ctm_sdk_wipe(u, sizeof u);
	return rc;
}

int ctm_mbedtls_kdf(const void *password, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint32_t rounds, uint8_t out[CTM_HASH_BYTES])
{
	mbedtls_md_context_t m;
	int rc;

	mbedtls_md_init(&m);
	rc = mbedtls_md_setup(&m, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
	if (!rc)
		rc = pbkdf2(&m, password, n, salt, rounds, out);
	mbedtls_md_free(&m);
	return rc ? CTM_SDK_FAIL : 0;
}

static int seal(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in, size_t n,
		uint8_t *out)
{
	mbedtls_gcm_context g;
	int rc;

	mbedtls_gcm_init(&g);
	rc = mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key, CTM_AEAD_KEY * 8);
	if (!rc)
		rc = mbedtls_gcm_crypt_and_tag(&g, MBEDTLS_GCM_ENCRYPT, n, nonce, CTM_AEAD_NONCE, ad.p, ad.n, in, out, CTM_AEAD_TAG, out + n);
	mbedtls_gcm_free(&g);
	return rc ? CTM_SDK_FAIL : 0;
}

static int open_sealed(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in,
		       size_t n, uint8_t *out)
{
	mbedtls_gcm_context g;
	uint8_t tag[CTM_AEAD_TAG];
	int rc;

	if (n < CTM_AEAD_TAG)
		return CTM_SDK_VERIFY;
	n -= CTM_AEAD_TAG;
	memcpy(tag, in + n, sizeof tag);
	mbedtls_gcm_init(&g);
	rc = mbedtls_gcm_setkey(&g, MBEDTLS_CIPHER_ID_AES, key, CTM_AEAD_KEY * 8);
	if (!rc)
		rc = mbedtls_gcm_auth_decrypt(&g, n, nonce, CTM_AEAD_NONCE, ad.p, ad.n, tag, sizeof tag, in, out);
	mbedtls_gcm_free(&g);
	if (rc && n)
		ctm_sdk_wipe(out, n);
	return rc ? CTM_SDK_VERIFY : 0;
}

const struct ctm_crypto *ctm_mbedtls_crypto(void)
{
	static const struct ctm_crypto backend = {
		.can = CTM_CAN_ES256 | CTM_CAN_AEAD,
		.sha256_init = hash_init, .sha256_update = hash_update, .sha256_final = hash_final,
		.verify = verify, .random = random_bytes, .seal = seal, .open = open_sealed,
	};

	return &backend;
}
