/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in a PKCS#11 token (Cryptoki 2.40) by the module's own function list. A key is a pair of objects with one label; the private
 * one is sensitive and cannot be extracted. One session per key, open as long as the key is in use.
 */
#include "keys.h"
#include "agent.h"
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL 64
#define SLOTS_MAX 64

struct words {
	char module[512], token[LABEL], pin_source[512];
};

struct token {
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	char pin[128];
};

/* "module=..;token=..;pin-source=.." in any order, each once. */
static int split(const char *s, struct words *out, struct why *w)
{
	const struct { const char *name; char *to; size_t cap; } rows[] = {
		{ "module=", out->module, sizeof out->module }, { "token=", out->token, sizeof out->token },
		{ "pin-source=", out->pin_source, sizeof out->pin_source },
	};

	memset(out, 0, sizeof *out);
	while (*s) {
		size_t n = strcspn(s, ";"), i = 0;

		while (i < 3 && strncmp(s, rows[i].name, strlen(rows[i].name)) != 0)
			i++;
		size_t skip = i < 3 ? strlen(rows[i].name) : 0;
		if (i == 3 || rows[i].to[0] || n <= skip || n - skip >= rows[i].cap)
			return why_say(w, CTM_SDK_INPUT, "a PKCS#11 token is named as pkcs11:module=FILE;token=LABEL;pin-source=FILE");
		memcpy(rows[i].to, s + skip, n - skip);
		s += n + (s[n] == ';');
	}
	return out->module[0] && out->token[0] && out->pin_source[0] ? 0 :
		why_say(w, CTM_SDK_INPUT, "a PKCS#11 token needs module, token and pin-source");
}

static int pkcs11_check(const char *words, struct why *w)
{
	struct words v;

	return split(words, &v, w);
}

/* The module, initialised once per process (C_Initialize says so when it was before). */
static int load(const char *module, CK_FUNCTION_LIST **f, struct why *w)
{
	void *lib = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = NULL;
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv;

	if (lib)
		*(void **)&get = dlsym(lib, "C_GetFunctionList");
	if (!get || get(f) != CKR_OK)
		return why_say(w, CTM_SDK_STORAGE, "%.200s is not a PKCS#11 module", module);
	rv = (*f)->C_Initialize(&args);
	return rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? 0 : why_say(w, CTM_SDK_STORAGE, "the PKCS#11 module cannot be initialised (0x%lx)", rv);
}

/* Labels are padded with blanks to 32 bytes. */
static bool label_is(const CK_UTF8CHAR label[32], const char *want)
{
	size_t n = strlen(want);

	if (n > 32 || memcmp(label, want, n) != 0)
		return false;
	while (n < 32 && label[n] == ' ')
		n++;
	return n == 32;
}

static int find_slot(CK_FUNCTION_LIST *f, const char *token, CK_SLOT_ID *out, struct why *w)
{
	CK_SLOT_ID slot[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_TOKEN_INFO info;

	if (f->C_GetSlotList(CK_TRUE, slot, &n) != CKR_OK)
		return why_say(w, CTM_SDK_STORAGE, "the PKCS#11 module lists no slots");
	for (CK_ULONG i = 0; i < n; i++)
		if (f->C_GetTokenInfo(slot[i], &info) == CKR_OK && label_is(info.label, token)) {
			*out = slot[i];
			return 0;
		}
	return why_say(w, CTM_SDK_STORAGE, "there is no PKCS#11 token \"%.60s\"", token);
}

static void close_token(void *ctx)
{
	struct token *t = ctx;

	if (!t)
		return;
	if (t->session)
		t->f->C_CloseSession(t->session);
	ctm_sdk_wipe(t->pin, sizeof t->pin);
	free(t);
}

static int log_in(struct token *t)
{
	CK_RV rv = t->f->C_Login(t->session, CKU_USER, (CK_UTF8CHAR *)t->pin, strlen(t->pin));

	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? 0 : CTM_SDK_STORAGE;
}

static int open_token(const char *words, struct token **out, struct why *w)
{
	struct words v;
	struct token *t;
	CK_SLOT_ID slot = 0;
	size_t n = 0;
	int rc = split(words, &v, w);

	if (rc)
		return rc;
	if (!(t = calloc(1, sizeof *t)))
		return why_say(w, CTM_SDK_FAIL, "out of memory");
	rc = load(v.module, &t->f, w);
	if (!rc)
		rc = find_slot(t->f, v.token, &slot, w);
	if (!rc)
		rc = file_load(v.pin_source, t->pin, sizeof t->pin, &n, w);
	t->pin[strcspn(t->pin, "\r\n")] = 0;
	if (!rc && t->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &t->session) != CKR_OK)
		rc = why_say(w, CTM_SDK_STORAGE, "no session with the PKCS#11 token \"%.60s\"", v.token);
	if (!rc && log_in(t))
		rc = why_say(w, CTM_SDK_STORAGE, "the PKCS#11 token \"%.60s\" refuses the PIN in %.200s", v.token, v.pin_source);
	if (rc)
		close_token(t);
	else
		*out = t;
	return rc;
}

static void label_of(const struct key_name *k, char out[LABEL])
{
	snprintf(out, LABEL, "ctm %.32s %u", k->name, k->number);
}

static int find_object(struct token *t, CK_OBJECT_CLASS cls, char *label, CK_OBJECT_HANDLE *out)
{
	CK_ATTRIBUTE want[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_LABEL, label, strlen(label) } };
	CK_ULONG n = 0;

	if (t->f->C_FindObjectsInit(t->session, want, 2) != CKR_OK)
		return CTM_SDK_STORAGE;
	if (t->f->C_FindObjects(t->session, out, 1, &n) != CKR_OK)
		n = 0;
	t->f->C_FindObjectsFinal(t->session);
	return n ? 0 : CTM_SDK_NONE;
}

static int generate(struct token *t, char *label)
{
	static CK_BYTE p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };   /* RFC 5480: secp256r1 */
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_MECHANISM how = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE pub[] = { { CKA_TOKEN, &yes, 1 }, { CKA_VERIFY, &yes, 1 }, { CKA_EC_PARAMS, p256, sizeof p256 }, { CKA_LABEL, label, strlen(label) } };
	CK_ATTRIBUTE priv[] = { { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 }, { CKA_EXTRACTABLE, &no, 1 },
				{ CKA_SIGN, &yes, 1 }, { CKA_LABEL, label, strlen(label) } };
	CK_OBJECT_HANDLE a, b;

	return t->f->C_GenerateKeyPair(t->session, &how, pub, 4, priv, 6, &a, &b) == CKR_OK ? 0 : CTM_SDK_STORAGE;
}

/* The point of the public object: an OCTET STRING around 04 || x || y. */
static int read_point(struct token *t, char *label, uint8_t pub[CTM_PUB_MAX])
{
	CK_OBJECT_HANDLE h = 0;
	CK_BYTE value[80];
	CK_ATTRIBUTE point = { CKA_EC_POINT, value, sizeof value };
	int rc = find_object(t, CKO_PUBLIC_KEY, label, &h);

	if (rc)
		return rc;
	if (t->f->C_GetAttributeValue(t->session, h, &point, 1) != CKR_OK)
		return CTM_SDK_STORAGE;
	if (point.ulValueLen != CTM_PUB_MAX + 2 || value[0] != 4 || value[1] != CTM_PUB_MAX || value[2] != 4)
		return CTM_SDK_UNSUPPORTED;
	memcpy(pub, value + 2, CTM_PUB_MAX);
	return 0;
}

static int sign(void *ctx, const uint8_t digest[CTM_HASH_BYTES], uint8_t sig[CTM_SIG_BYTES])
{
	struct token *t = ctx;
	CK_MECHANISM how = { CKM_ECDSA, NULL, 0 };
	CK_BYTE in[CTM_HASH_BYTES], out[CTM_SIG_BYTES];
	CK_ULONG n = sizeof out;

	memcpy(in, digest, sizeof in);
	if (t->f->C_SignInit(t->session, &how, t->key) != CKR_OK || t->f->C_Sign(t->session, in, sizeof in, out, &n) != CKR_OK || n != sizeof out)
		return CTM_SDK_FAIL;
	memcpy(sig, out, sizeof out);
	return 0;
}

static void remove_pair(struct token *t, char *label)
{
	CK_OBJECT_HANDLE h;

	while (find_object(t, CKO_PRIVATE_KEY, label, &h) == 0 && t->f->C_DestroyObject(t->session, h) == CKR_OK)
		;
	while (find_object(t, CKO_PUBLIC_KEY, label, &h) == 0 && t->f->C_DestroyObject(t->session, h) == CKR_OK)
		;
}

static int pkcs11_open(const char *words, int dir, const struct key_name *k, bool make, EVP_PKEY **out, struct why *w)
{
	char label[LABEL];
	uint8_t pub[CTM_PUB_MAX];
	struct token *t = NULL;
	int rc = open_token(words, &t, w);

	if (rc)
		return rc;
	label_of(k, label);
	if (make) {
		remove_pair(t, label);
		rc = generate(t, label);
	}
	if (!rc)
		rc = find_object(t, CKO_PRIVATE_KEY, label, &t->key);
	if (!rc)
		rc = read_point(t, label, pub);
	if (!rc && !(*out = key_remote(pub, sign, t, close_token)))
		rc = CTM_SDK_FAIL;
	if (rc) {
		close_token(t);
		return rc == CTM_SDK_NONE ? rc : why_say(w, rc, "the PKCS#11 token has no key \"%s\" that can be used", label);
	}
	return 0;
}

static int pkcs11_forget(const char *words, int dir, const struct key_name *k)
{
	char label[LABEL];
	struct why w;
	struct token *t = NULL;
	int rc = open_token(words, &t, &w);

	if (rc)
		return rc;
	label_of(k, label);
	remove_pair(t, label);
	close_token(t);
	return 0;
}

const struct key_place key_place_pkcs11 = { "pkcs11", pkcs11_check, pkcs11_open, pkcs11_forget, NULL };
