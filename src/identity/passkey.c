/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/passkey.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "ctm/cbor.h"
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <stdio.h>
#include <string.h>

#define FLAG_PRESENT 0x01
#define FLAG_ATTESTED 0x40
#define AUTH_DATA_MIN 37               /* hash of the relying party, flags, counter */

int ctm_passkey_rp(const char *public_url, struct ctm_passkey_rp *out, struct ctm_err *err)
{
	static const struct { const char *scheme, *port; } schemes[] = { { "https://", ":443" }, { "http://", ":80" } };
	struct ctm_passkey_rp rp;
	for (size_t i = 0; i < 2; i++) {
		if (!ctm_starts(public_url, schemes[i].scheme))
			continue;
		char host[260];
		const char *h = public_url + strlen(schemes[i].scheme);
		size_t n = strcspn(h, "/?#");
		if (!n || n >= sizeof host || memchr(h, '@', n) || h[0] == '[')
			break;
		for (size_t j = 0; j <= n; j++)
			host[j] = j < n && h[j] >= 'A' && h[j] <= 'Z' ? (char)(h[j] - 'A' + 'a') : j < n ? h[j] : 0;
		size_t name = strcspn(host, ":");
		if (!name || name >= sizeof rp.id)
			break;
		memcpy(rp.id, host, name);
		rp.id[name] = 0;
		if (ctm_streq(host + name, schemes[i].port))    /* a browser leaves the usual port out of the origin */
			host[name] = 0;
		snprintf(rp.origin, sizeof rp.origin, "%s%s", schemes[i].scheme, host);
		*out = rp;
		return 0;
	}
	return ctm_fail(err, CTM_E_INPUT, "public_url", NULL, "passkeys need a public_url with a host name");
}

int ctm_passkey_client(const struct ctm_passkey_rp *rp, const char *type, struct ctm_passkey_bytes client, char challenge[64], struct ctm_err *err)
{
	CTM_AUTO_JSON *j = NULL;
	int rc = ctm_json_parse(client.p, client.n, 8192, "client_data", &j, err);
	if (rc)
		return rc;
	const char *c = ctm_json_gets(j, "challenge");
	if (!ctm_streq(ctm_json_gets(j, "type"), type))
		return ctm_fail(err, CTM_E_VERIFY, "client_data", "WebAuthn 7.1, 7.2", "the answer of the passkey is not of the kind that was asked for; nothing was kept, try again");
	if (!ctm_streq(ctm_json_gets(j, "origin"), rp->origin) || ctm_json_getb(j, "crossOrigin", false))
		return ctm_fail(err, CTM_E_VERIFY, "client_data", "WebAuthn 7.1, 7.2", "the passkey answered to another address than %s; open this address and try again", rp->origin);
	if (!c || !*c || strlen(c) >= 64)
		return ctm_fail(err, CTM_E_VERIFY, "client_data", "WebAuthn 7.1, 7.2", "the answer of the passkey carries no challenge of ours; try again");
	ctm_copy(challenge, 64, c);
	return 0;
}

/* ---- new credential ---- */

struct attestation { char fmt[16]; struct ctm_bytes statement, auth; };

/* The frame: a map with fmt, attStmt and authData, each once. */
static int read_attestation(struct ctm_passkey_bytes in, struct attestation *out, struct ctm_err *err)
{
	struct ctm_cbor_r r = ctm_cbor_reader(in.p, in.n);
	struct attestation a = { .fmt = "" };
	size_t n = ctm_cbor_map(&r);
	unsigned seen = 0;
	for (size_t i = 0; i < n && i < 4 && !r.err; i++) {
		struct ctm_bytes key = ctm_cbor_text(&r);
		unsigned bit = 0;
		if (key.n == 3 && !memcmp(key.p, "fmt", 3)) {
			struct ctm_bytes f = ctm_cbor_text(&r);
			bit = f.n < sizeof a.fmt ? 1 : 0;
			if (bit && f.n)
				memcpy(a.fmt, f.p, f.n);
		} else if (key.n == 7 && !memcmp(key.p, "attStmt", 7)) {
			a.statement = ctm_cbor_skip(&r);
			bit = 2;
		} else if (key.n == 8 && !memcmp(key.p, "authData", 8)) {
			a.auth = ctm_cbor_bytes(&r);
			bit = 4;
		}
		if (!bit || seen & bit)
			break;
		seen |= bit;
	}
	if (n != 3 || seen != 7 || ctm_cbor_end(&r))
		return ctm_fail(err, CTM_E_SYNTAX, "attestation", "WebAuthn 6.5.4", "the passkey's attestation object is malformed; nothing was kept");
	*out = a;
	return 0;
}

static int check_auth(const struct ctm_passkey_rp *rp, const uint8_t *p, size_t n, uint8_t flags, struct ctm_err *err)
{
	uint8_t want[CTM_SHA256];
	ctm_sha256(rp->id, strlen(rp->id), want);
	if (n < AUTH_DATA_MIN || !ctm_memeq_ct(p, want, sizeof want))
		return ctm_fail(err, CTM_E_VERIFY, "auth_data", "WebAuthn 7.1, 7.2", "the passkey belongs to another site than %s", rp->id);
	if ((p[32] & flags) != flags)
		return ctm_fail(err, CTM_E_VERIFY, "auth_data", "WebAuthn 7.1, 7.2", "the passkey did not see a person touch it; try again");
	return 0;
}

/* The credential as libfido2 reads it under one algorithm; false when it is of another or malformed. */
static bool read_credential(fido_cred_t *c, const struct ctm_passkey_rp *rp, int alg, const struct attestation *a, const uint8_t hash[CTM_SHA256])
{
	return c && fido_cred_set_type(c, alg) == FIDO_OK && fido_cred_set_rp(c, rp->id, NULL) == FIDO_OK && fido_cred_set_fmt(c, a->fmt) == FIDO_OK &&
		fido_cred_set_authdata_raw(c, a->auth.p, a->auth.n) == FIDO_OK && fido_cred_set_clientdata_hash(c, hash, CTM_SHA256) == FIDO_OK;
}

static int check_statement(fido_cred_t *c, const struct attestation *a, struct ctm_err *err)
{
	if (ctm_streq(a->fmt, "none")) {
		if (a->statement.n == 1 && a->statement.p[0] == 0xa0)
			return 0;
		return ctm_fail(err, CTM_E_VERIFY, "attestation", "WebAuthn 8.7", "the passkey says that it attests nothing, and brings a statement");
	}
	if (fido_cred_set_attstmt(c, a->statement.p, a->statement.n) == FIDO_OK &&
		(fido_cred_x5c_len(c) ? fido_cred_verify(c) : fido_cred_verify_self(c)) == FIDO_OK)
		return 0;
	return ctm_fail(err, CTM_E_VERIFY, "attestation", "WebAuthn 8.2", "the passkey's attestation does not verify; nothing was kept");
}

static int take_credential(fido_cred_t *c, int alg, struct ctm_passkey_new *out, struct ctm_err *err)
{
	size_t id = fido_cred_id_len(c), key = fido_cred_pubkey_len(c);
	if (!id || id > sizeof out->id || key != (alg == CTM_PASSKEY_ES256 ? 64 : 32))
		return ctm_fail(err, CTM_E_VERIFY, "attestation", "WebAuthn 7.1", "the passkey's id or key has an unusual length; nothing was kept");
	struct ctm_passkey_new n = { .key = { .alg = alg, .key_n = key }, .id_n = id, .count = fido_cred_sigcount(c) };
	memcpy(n.id, fido_cred_id_ptr(c), id);
	memcpy(n.key.key, fido_cred_pubkey_ptr(c), key);
	*out = n;
	return 0;
}

int ctm_passkey_verify_new(const struct ctm_passkey_rp *rp, struct ctm_passkey_bytes client, struct ctm_passkey_bytes attestation,
	struct ctm_passkey_new *out, struct ctm_err *err)
{
	static const int algs[] = { CTM_PASSKEY_ES256, CTM_PASSKEY_EDDSA };
	struct attestation a;
	uint8_t hash[CTM_SHA256];
	int rc = read_attestation(attestation, &a, err);
	if (!rc && !ctm_streq(a.fmt, "none") && !ctm_streq(a.fmt, "packed"))
		rc = ctm_fail(err, CTM_E_UNSUPPORTED, "attestation", "WebAuthn 8", "attestation of the format \"%s\" is not read; the browser should send none", a.fmt);
	if (!rc)
		rc = check_auth(rp, a.auth.p, a.auth.n, FLAG_PRESENT | FLAG_ATTESTED, err);
	if (rc)
		return rc;
	ctm_sha256(client.p, client.n, hash);
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
		fido_cred_t *c = fido_cred_new();
		bool read = read_credential(c, rp, algs[i], &a, hash);
		if (read && !(rc = check_statement(c, &a, err)))
			rc = take_credential(c, algs[i], out, err);
		fido_cred_free(&c);
		if (read)
			return rc;
	}
	return ctm_fail(err, CTM_E_UNSUPPORTED, "attestation", "WebAuthn 7.1", "the passkey's key is neither ES256 nor EdDSA, or its data is malformed; nothing was kept");
}

/* ---- use ---- */

static int verify_signature(const fido_assert_t *a, const struct ctm_passkey_key *key)
{
	int rc = FIDO_ERR_INTERNAL;
	if (key->alg == CTM_PASSKEY_ES256) {
		es256_pk_t *pk = es256_pk_new();
		if (pk && es256_pk_from_ptr(pk, key->key, key->key_n) == FIDO_OK)
			rc = fido_assert_verify(a, 0, COSE_ES256, pk);
		es256_pk_free(&pk);
	} else {
		eddsa_pk_t *pk = eddsa_pk_new();
		if (pk && eddsa_pk_from_ptr(pk, key->key, key->key_n) == FIDO_OK)
			rc = fido_assert_verify(a, 0, COSE_EDDSA, pk);
		eddsa_pk_free(&pk);
	}
	return rc;
}

int ctm_passkey_verify_use(const struct ctm_passkey_rp *rp, const struct ctm_passkey_key *key, struct ctm_passkey_bytes client,
	struct ctm_passkey_bytes auth_data, struct ctm_passkey_bytes signature, uint32_t *count, struct ctm_err *err)
{
	uint8_t hash[CTM_SHA256];
	int rc = check_auth(rp, auth_data.p, auth_data.n, FLAG_PRESENT, err);
	if (rc)
		return rc;
	ctm_sha256(client.p, client.n, hash);
	fido_assert_t *a = fido_assert_new();
	bool good = a && fido_assert_set_rp(a, rp->id) == FIDO_OK && fido_assert_set_clientdata_hash(a, hash, sizeof hash) == FIDO_OK &&
		fido_assert_set_count(a, 1) == FIDO_OK && fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
		fido_assert_set_authdata_raw(a, 0, auth_data.p, auth_data.n) == FIDO_OK && fido_assert_set_sig(a, 0, signature.p, signature.n) == FIDO_OK &&
		verify_signature(a, key) == FIDO_OK;
	uint32_t n = good ? fido_assert_sigcount(a, 0) : 0;
	fido_assert_free(&a);
	if (!good)
		return ctm_fail(err, CTM_E_VERIFY, "signature", "WebAuthn 7.2", "the passkey's signature does not verify; you are not signed in");
	*count = n;
	return 0;
}
