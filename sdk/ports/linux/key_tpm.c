/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in a TPM 2.0 through libtss2's ESAPI (TCG TSS 2.0 Enhanced System API; TPM 2.0 Library, part 3). A device key is a primary key:
 * the TPM derives it from its seed and the template, and the template carries the SHA-256 of the key's name, so every name is another
 * key and none has to be stored. The storage key is an NV index that is undefined when it shall be gone for good: unlike a sealed
 * blob in a file it cannot be put back from a copy.
 */
#include "keys.h"
#include "agent.h"
#include "ctm/openssl.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#define SEAL_INDEX 0x01800c70       /* NV index of the owner's range (TCG Registry of Reserved Handles: 0x01800000 to 0x01bfffff) */

#define ESYS(X) \
	X(Esys_Initialize) X(Esys_Finalize) X(Esys_CreatePrimary) X(Esys_Sign) X(Esys_FlushContext) X(Esys_Free) X(Esys_TR_FromTPMPublic) \
	X(Esys_TR_Close) X(Esys_NV_DefineSpace) X(Esys_NV_UndefineSpace) X(Esys_NV_Write) X(Esys_NV_Read)
#define TCTI(X) X(Tss2_TctiLdr_Initialize) X(Tss2_TctiLdr_Finalize)

static struct {
#define X(name) __typeof__(&name) name;
	ESYS(X)
	TCTI(X)
#undef X
	bool loaded;
} tss;

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR key;
};

static int load(struct why *w)
{
	void *esys, *tcti;

	if (tss.loaded)
		return 0;
	esys = dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL);
	tcti = dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!esys || !tcti)
		return why_say(w, CTM_SDK_STORAGE, "keys in a TPM need libtss2 (%s)", dlerror());
#define X(name) if (!(*(void **)&tss.name = dlsym(esys, #name))) return why_say(w, CTM_SDK_STORAGE, "libtss2-esys has no %s", #name);
	ESYS(X)
#undef X
#define X(name) if (!(*(void **)&tss.name = dlsym(tcti, #name))) return why_say(w, CTM_SDK_STORAGE, "libtss2-tctildr has no %s", #name);
	TCTI(X)
#undef X
	tss.loaded = true;
	return 0;
}

static void disconnect(void *ctx)
{
	struct tpm *t = ctx;

	if (!t)
		return;
	if (t->key != ESYS_TR_NONE)
		tss.Esys_FlushContext(t->esys, t->key);
	if (t->esys)
		tss.Esys_Finalize(&t->esys);
	if (t->tcti)
		tss.Tss2_TctiLdr_Finalize(&t->tcti);
	free(t);
}

static int connect_to(const char *words, struct tpm **out, struct why *w)
{
	struct tpm *t;
	int rc = load(w);

	if (rc)
		return rc;
	if (!(t = calloc(1, sizeof *t)))
		return why_say(w, CTM_SDK_FAIL, "out of memory");
	t->key = ESYS_TR_NONE;
	if (tss.Tss2_TctiLdr_Initialize(words, &t->tcti) || tss.Esys_Initialize(&t->esys, t->tcti, NULL)) {
		disconnect(t);
		return why_say(w, CTM_SDK_STORAGE, "the TPM at \"%.200s\" does not answer", words);
	}
	*out = t;
	return 0;
}

/* ECC P-256 signing key, ECDSA with SHA-256, fixed to this TPM; unique.x makes it this name's. */
static int template_of(const struct key_name *k, TPM2B_PUBLIC *pub)
{
	char label[96];
	int n = snprintf(label, sizeof label, "ctm-key/1 %.32s %u", k->name, k->number);

	memset(pub, 0, sizeof *pub);
	pub->publicArea = (TPMT_PUBLIC){
		.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_NODA,
		.parameters.eccDetail = { .symmetric.algorithm = TPM2_ALG_NULL, .curveID = TPM2_ECC_NIST_P256, .kdf.scheme = TPM2_ALG_NULL,
					  .scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 } },
	};
	pub->publicArea.unique.ecc.x.size = CTM_HASH_BYTES;
	pub->publicArea.unique.ecc.y.size = CTM_HASH_BYTES;
	return ctm_sdk_sha256(ctm_openssl_crypto(), label, (size_t)n, pub->publicArea.unique.ecc.x.buffer);
}

/* A number of at most 32 bytes, right-aligned. */
static bool number(const TPM2B_ECC_PARAMETER *v, uint8_t out[32])
{
	if (v->size > 32)
		return false;
	memset(out, 0, 32);
	memcpy(out + 32 - v->size, v->buffer, v->size);
	return true;
}

static int sign(void *ctx, const uint8_t digest[CTM_HASH_BYTES], uint8_t sig[CTM_SIG_BYTES])
{
	struct tpm *t = ctx;
	TPM2B_DIGEST d = { .size = CTM_HASH_BYTES };
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 };
	const TPMT_TK_HASHCHECK none = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
	TPMT_SIGNATURE *s = NULL;
	bool good;

	memcpy(d.buffer, digest, CTM_HASH_BYTES);
	if (tss.Esys_Sign(t->esys, t->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &d, &scheme, &none, &s))
		return CTM_SDK_FAIL;
	good = s->sigAlg == TPM2_ALG_ECDSA && number(&s->signature.ecdsa.signatureR, sig) && number(&s->signature.ecdsa.signatureS, sig + 32);
	tss.Esys_Free(s);
	return good ? 0 : CTM_SDK_FAIL;
}

static int tpm_check(const char *words, struct why *w)
{
	return *words ? 0 : why_say(w, CTM_SDK_INPUT, "a TPM is named as libtss2 does, for instance tpm:device:/dev/tpmrm0");
}

/* make makes no difference: the key of a name is there as long as the TPM has its seed. */
static int tpm_open(const char *words, int dir, const struct key_name *k, bool make, EVP_PKEY **out, struct why *w)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_DATA no_data = { 0 };
	const TPML_PCR_SELECTION no_pcrs = { 0 };
	TPM2B_PUBLIC in, *pub = NULL;
	uint8_t point[CTM_PUB_MAX] = { 4 };
	struct tpm *t = NULL;
	int rc = connect_to(words, &t, w);

	if (rc)
		return rc;
	if (template_of(k, &in) || tss.Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
							  &no_data, &no_pcrs, &t->key, &pub, NULL, NULL, NULL)) {
		t->key = ESYS_TR_NONE;
		rc = why_say(w, CTM_SDK_STORAGE, "the TPM gives no key; its owner hierarchy must be open to this device");
	} else if (!number(&pub->publicArea.unique.ecc.x, point + 1) || !number(&pub->publicArea.unique.ecc.y, point + 33) ||
		   !(*out = key_remote(point, sign, t, disconnect))) {
		rc = why_say(w, CTM_SDK_FAIL, "the TPM's key cannot be used");
	}
	tss.Esys_Free(pub);
	if (rc)
		disconnect(t);
	return rc;
}

static int tpm_forget(const char *words, int dir, const struct key_name *k)
{
	return 0;                   /* nothing of it is stored */
}

/* ---- the storage key ---- */

static int define(struct tpm *t, ESYS_TR *index)
{
	const TPM2B_AUTH no_auth = { 0 };
	const TPM2B_NV_PUBLIC pub = { .nvPublic = { .nvIndex = SEAL_INDEX, .nameAlg = TPM2_ALG_SHA256, .dataSize = CTM_AEAD_KEY,
						    .attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA } };

	return tss.Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, &pub, index) ? CTM_SDK_STORAGE : 0;
}

static int make_seal(struct tpm *t)
{
	TPM2B_MAX_NV_BUFFER b = { .size = CTM_AEAD_KEY };
	ESYS_TR index = ESYS_TR_NONE;
	int rc = ctm_openssl_crypto()->random(b.buffer, CTM_AEAD_KEY);

	if (!rc)
		rc = define(t, &index);
	if (!rc && tss.Esys_NV_Write(t->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &b, 0)) {
		tss.Esys_NV_UndefineSpace(t->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE);
		rc = CTM_SDK_STORAGE;
	}
	ctm_sdk_wipe(&b, sizeof b);
	return rc;
}

static int read_seal(struct tpm *t, ESYS_TR index, uint8_t key[CTM_AEAD_KEY])
{
	TPM2B_MAX_NV_BUFFER *b = NULL;
	int rc = tss.Esys_NV_Read(t->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, CTM_AEAD_KEY, 0, &b) || b->size != CTM_AEAD_KEY ?
			 CTM_SDK_STORAGE : 0;

	if (!rc)
		memcpy(key, b->buffer, CTM_AEAD_KEY);
	if (b)
		ctm_sdk_wipe(b->buffer, sizeof b->buffer);
	tss.Esys_Free(b);
	return rc;
}

static int tpm_seal_key(const char *words, int make, uint8_t key[CTM_AEAD_KEY], struct why *w)
{
	struct tpm *t = NULL;
	ESYS_TR index = ESYS_TR_NONE;
	int rc = connect_to(words, &t, w);

	if (rc)
		return rc;
	if (tss.Esys_TR_FromTPMPublic(t->esys, SEAL_INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index))
		index = ESYS_TR_NONE;
	if (make < 0) {
		if (index != ESYS_TR_NONE && tss.Esys_NV_UndefineSpace(t->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE))
			rc = CTM_SDK_STORAGE;
	} else {
		/* An index that was defined and not written before power went holds nothing: it is made anew. */
		rc = index == ESYS_TR_NONE ? CTM_SDK_NONE : read_seal(t, index, key);
		if (rc && make) {
			if (index != ESYS_TR_NONE)
				tss.Esys_NV_UndefineSpace(t->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE);
			rc = make_seal(t);
			if (!rc)
				rc = tss.Esys_TR_FromTPMPublic(t->esys, SEAL_INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index) ? CTM_SDK_STORAGE :
					read_seal(t, index, key);
		}
	}
	disconnect(t);
	return rc;
}

const struct key_place key_place_tpm = { "tpm", tpm_check, tpm_open, tpm_forget, tpm_seal_key };
