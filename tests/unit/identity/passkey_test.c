/* SPDX-License-Identifier: Apache-2.0
 *
 * Passkeys against an authenticator made of the platform's own keys: registration and sign-in with ES256 and EdDSA, and every
 * way in which an answer can be wrong (WebAuthn Level 2, 7.1, 7.2, 13.4.3). One's own page: sessions and passkeys of nobody else.
 */
#include "cx.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "ctm/cbor.h"
#include "identity/identity.h"
#include "identity/passkey.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct ctm_routes *const tables[] = { &ctm_identity_routes, NULL };
static struct cxkit k;
static struct ctm_who tester;

/* What the authenticator and the browser say; tests change one thing. */
struct soft {
	struct ctm_key *key;
	int alg;
	uint8_t id[16];
	uint32_t count;
	uint8_t flags;
	const char *rp, *origin, *fmt, *type;
	bool cross;
};

static struct soft soft_new(int alg)
{
	struct soft s = { .alg = alg, .count = 1, .flags = 0x05, .rp = "localhost", .origin = "http://localhost:8080", .fmt = "none" };
	assert_int_equal(ctm_key_generate(alg == CTM_PASSKEY_ES256 ? CTM_ALG_ES256 : CTM_ALG_ED25519, &s.key, NULL), 0);
	ctm_random(s.id, sizeof s.id);
	return s;
}

static size_t cose_key(const struct soft *s, uint8_t *p, size_t cap)
{
	uint8_t raw[65];
	struct ctm_cbor_w w = ctm_cbor_writer(p, cap);
	bool es = s->alg == CTM_PASSKEY_ES256;
	size_t n = ctm_key_raw(s->key, raw);
	assert_int_equal(n, es ? 65 : 32);
	ctm_cbor_put_map(&w, es ? 5 : 4);
	ctm_cbor_put_int(&w, 1);
	ctm_cbor_put_int(&w, es ? 2 : 1);
	ctm_cbor_put_int(&w, 3);
	ctm_cbor_put_int(&w, s->alg);
	ctm_cbor_put_int(&w, -1);
	ctm_cbor_put_int(&w, es ? 1 : 6);
	ctm_cbor_put_int(&w, -2);
	ctm_cbor_put_bytes(&w, es ? raw + 1 : raw, 32);
	if (es) {
		ctm_cbor_put_int(&w, -3);
		ctm_cbor_put_bytes(&w, raw + 33, 32);
	}
	assert_int_equal(ctm_cbor_done(&w), 0);
	return w.len;
}

static size_t auth_data(const struct soft *s, bool attested, uint8_t p[256])
{
	ctm_sha256(s->rp, strlen(s->rp), p);
	p[32] = (uint8_t)(s->flags | (attested ? 0x40 : 0));
	for (int i = 0; i < 4; i++)
		p[33 + i] = (uint8_t)(s->count >> (24 - 8 * i));
	if (!attested)
		return 37;
	memset(p + 37, 0, 17);
	p[54] = sizeof s->id;
	memcpy(p + 55, s->id, sizeof s->id);
	return 55 + sizeof s->id + cose_key(s, p + 55 + sizeof s->id, 256 - 55 - sizeof s->id);
}

static void b64(const void *p, size_t n, char out[2048])
{
	CTM_AUTO_BUF b = CTM_BUF(2047);
	ctm_b64url(&b, p, n);
	assert_true(ctm_copy(out, 2048, ctm_buf_cstr(&b)));
}

static void client_data(const struct soft *s, const char *type, const char *challenge, char json[512])
{
	snprintf(json, 512, "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"%s\",\"crossOrigin\":%s}", s->type ? s->type : type, challenge, s->origin, s->cross ? "true" : "false");
}

/* DER of the two halves of an ES256 signature. */
static size_t der(const uint8_t raw[64], uint8_t out[80])
{
	size_t n = 2;
	for (int half = 0; half < 2; half++) {
		const uint8_t *p = raw + 32 * half;
		size_t len = 32;
		while (len > 1 && !p[0] && !(p[1] & 0x80))
			p++, len--;
		bool pad = p[0] & 0x80;
		out[n++] = 2;
		out[n++] = (uint8_t)(len + pad);
		if (pad)
			out[n++] = 0;
		memcpy(out + n, p, len);
		n += len;
	}
	out[0] = 0x30;
	out[1] = (uint8_t)(n - 2);
	return n;
}

static void challenge(const struct ctm_who *who, const char *path, char out[64])
{
	CTM_AUTO_JSON *o = cxkit_good(&k, who, &(struct cxcall){ "POST", path });
	assert_true(ctm_copy(out, 64, ctm_json_gets(o, "challenge")));
}

struct made { char client[2048], att[2048]; };

static void make(const struct soft *s, const char *value, struct made *m)
{
	char json[512];
	uint8_t auth[256], att[512];
	client_data(s, "webauthn.create", value, json);
	b64(json, strlen(json), m->client);
	size_t n = auth_data(s, true, auth);
	struct ctm_cbor_w w = ctm_cbor_writer(att, sizeof att);
	ctm_cbor_put_map(&w, 3);
	ctm_cbor_put_str(&w, "fmt");
	ctm_cbor_put_str(&w, s->fmt);
	ctm_cbor_put_str(&w, "attStmt");
	ctm_cbor_put_map(&w, 0);
	ctm_cbor_put_str(&w, "authData");
	ctm_cbor_put_bytes(&w, auth, n);
	b64(att, w.len, m->att);
}

static int add(const struct ctm_who *who, const struct made *m)
{
	return cxkit_call(&k, who, &(struct cxcall){ "POST", "/account/passkeys", IN("name", "Phone", "client_data", m->client, "attestation", m->att) }, NULL);
}

static int registered(const struct ctm_who *who, const struct soft *s)
{
	char value[64];
	struct made m;
	challenge(who, "/api/v1/passkeys/challenge", value);
	make(s, value, &m);
	return add(who, &m);
}

struct used { char id[2048], client[2048], auth[2048], sig[2048], handle[2048]; };

static void use(const struct soft *s, const char *value, const char *person, struct used *u)
{
	char json[512];
	uint8_t msg[256 + CTM_SHA256], raw[64], d[80];
	client_data(s, "webauthn.get", value, json);
	b64(json, strlen(json), u->client);
	size_t n = auth_data(s, false, msg);
	b64(msg, n, u->auth);
	ctm_sha256(json, strlen(json), msg + n);
	assert_int_equal(ctm_key_sign(s->key, msg, n + CTM_SHA256, raw), 0);
	if (s->alg == CTM_PASSKEY_ES256)
		b64(d, der(raw, d), u->sig);
	else
		b64(raw, sizeof raw, u->sig);
	b64(s->id, sizeof s->id, u->id);
	b64(person, strlen(person), u->handle);
}

static int send_used(const struct used *u)
{
	return cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/signin/passkey",
		IN("credential", u->id, "client_data", u->client, "auth_data", u->auth, "signature", u->sig, "user_handle", u->handle) }, NULL);
}

static int signin(const struct soft *s, const char *person)
{
	char value[64];
	struct used u;
	challenge(&cxkit_nobody, "/api/v1/signin/passkey/challenge", value);
	use(s, value, person, &u);
	return send_used(&u);
}

/* A person with a session begun just now: who changes passkeys must have one. */
static struct ctm_who somebody(const char *role, const char *org)
{
	struct ctm_who who = cxkit_person(&k, role, org);
	cxkit_session(&k, &who);
	return who;
}

static int setup(void **state)
{
	cxkit_open(&k, tables);
	tester = somebody("lab.tester", "");
	return 0;
}

static int teardown(void **state)
{
	cxkit_close(&k);
	return 0;
}

static void both_algorithms_register_and_sign_in(void **state)
{
	static const int algs[] = { CTM_PASSKEY_ES256, CTM_PASSKEY_EDDSA };
	for (size_t i = 0; i < 2; i++) {
		struct ctm_who who;
		struct ctm_err err = { 0 };
		bool renew;
		struct soft s = soft_new(algs[i]);
		assert_int_equal(registered(&tester, &s), 0);
		s.count++;
		assert_int_equal(signin(&s, tester.person_id), 0);
		assert_string_equal(k.location, "/");
		assert_int_equal(ctm_session_find(k.ro, k.now_ms, k.set_session, "browser", &who, &renew, &err), 0);
		assert_string_equal(who.person_id, tester.person_id);
		assert_string_equal(who.org_id, tester.org_id);
		ctm_key_free(s.key);
	}
}

static void authenticators_without_a_counter_are_welcome(void **state)
{
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	s.count = 0;
	assert_int_equal(registered(&tester, &s), 0);
	assert_int_equal(signin(&s, tester.person_id), 0);
	assert_int_equal(signin(&s, tester.person_id), 0);
	ctm_key_free(s.key);
}

static void a_counter_that_does_not_move_on_is_refused_and_told(void **state)
{
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	s.count = 7;
	assert_int_equal(registered(&tester, &s), 0);
	assert_int_equal(signin(&s, tester.person_id), CTM_E_VERIFY);
	s.count = 8;
	assert_int_equal(signin(&s, tester.person_id), 0);
	s.count = 3;
	assert_int_equal(signin(&s, tester.person_id), CTM_E_VERIFY);
	CTM_AUTO_JSON *lines = NULL;
	struct ctm_q *q = ctm_q(k.ro, "audit.of");
	ctm_q_text(q, "kind", "person");
	ctm_q_text(q, "subject", tester.person_id);
	ctm_q_int(q, "limit", 1);
	assert_int_equal(ctm_q_rows(q, 1, &lines, NULL), 0);
	assert_string_equal(ctm_json_gets(ctm_json_at(lines, 0), "action"), "passkey.copied");
	ctm_key_free(s.key);
}

static void a_challenge_works_once(void **state)
{
	char value[64];
	struct made m;
	struct used u;
	struct soft s = soft_new(CTM_PASSKEY_EDDSA);
	challenge(&tester, "/api/v1/passkeys/challenge", value);
	make(&s, value, &m);
	assert_int_equal(add(&tester, &m), 0);
	assert_int_equal(add(&tester, &m), CTM_E_VERIFY);
	s.count = 9;
	challenge(&cxkit_nobody, "/api/v1/signin/passkey/challenge", value);
	use(&s, value, tester.person_id, &u);
	assert_int_equal(send_used(&u), 0);
	assert_int_equal(send_used(&u), CTM_E_VERIFY);
	ctm_key_free(s.key);
}

static void a_failed_answer_costs_its_challenge(void **state)
{
	char value[64];
	struct made bad, good;
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	challenge(&tester, "/api/v1/passkeys/challenge", value);
	s.rp = "evil.test";
	make(&s, value, &bad);
	s.rp = "localhost";
	make(&s, value, &good);
	assert_int_equal(add(&tester, &bad), CTM_E_VERIFY);
	assert_int_equal(add(&tester, &good), CTM_E_VERIFY);
	ctm_key_free(s.key);
}

static void a_challenge_lives_five_minutes_and_belongs_to_one_person(void **state)
{
	char value[64];
	struct made m;
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	struct ctm_who other = somebody( "lab.tester", tester.org_id);
	challenge(&tester, "/api/v1/passkeys/challenge", value);
	make(&s, value, &m);
	assert_int_equal(add(&other, &m), CTM_E_VERIFY);
	k.now_ms += 5 * 60 * 1000;
	assert_int_equal(add(&tester, &m), CTM_E_VERIFY);
	k.now_ms -= 1;
	assert_int_equal(add(&tester, &m), 0);
	ctm_key_free(s.key);
}

static void a_challenge_of_our_own_making_is_refused(void **state)
{
	struct used u;
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	assert_int_equal(registered(&tester, &s), 0);
	s.count++;
	use(&s, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", tester.person_id, &u);
	assert_int_equal(send_used(&u), CTM_E_VERIFY);
	ctm_key_free(s.key);
}

/* One thing wrong at a time, at registration and at sign-in. */
static void every_wrong_answer_is_refused(void **state)
{
	static const struct { const char *what, *rp, *origin, *type; uint8_t flags; bool cross; } wrong[] = {
		{ "another site", "evil.test", NULL, NULL, 5, false }, { "another origin", NULL, "https://evil.test", NULL, 5, false },
		{ "another port", NULL, "http://localhost:8081", NULL, 5, false }, { "https for http", NULL, "https://localhost:8080", NULL, 5, false },
		{ "another kind", NULL, NULL, "payment.get", 5, false }, { "nobody present", NULL, NULL, NULL, 4, false },
		{ "framed by another site", NULL, NULL, NULL, 5, true },
	};
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	assert_int_equal(registered(&tester, &s), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct soft w = s, n = soft_new(CTM_PASSKEY_EDDSA);
		ctm_key_free(n.key);
		memcpy(n.id, w.id, 1);
		w.count = 100 + (uint32_t)i;
		w.rp = wrong[i].rp ? wrong[i].rp : s.rp;
		w.origin = wrong[i].origin ? wrong[i].origin : s.origin;
		w.type = wrong[i].type;
		w.flags = wrong[i].flags;
		w.cross = wrong[i].cross;
		if (signin(&w, tester.person_id) != CTM_E_VERIFY)
			fail_msg("sign-in with %s", wrong[i].what);
		memcpy(w.id, n.id, sizeof w.id);
		if (registered(&tester, &w) != CTM_E_VERIFY)
			fail_msg("registration with %s", wrong[i].what);
	}
	s.count = 99;
	assert_int_equal(signin(&s, "019a0000-0000-7000-8000-000000000000"), CTM_E_VERIFY);
	struct soft thief = soft_new(CTM_PASSKEY_ES256);
	memcpy(thief.id, s.id, sizeof s.id);
	thief.count = 99;
	assert_int_equal(signin(&thief, tester.person_id), CTM_E_VERIFY);
	assert_int_equal(registered(&tester, &thief), CTM_E_EXISTS);
	assert_int_equal(signin(&s, tester.person_id), 0);
	ctm_key_free(thief.key);
	ctm_key_free(s.key);
}

static void attestation_is_read_strictly(void **state)
{
	char value[64];
	struct made m;
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	s.fmt = "tpm";
	assert_int_equal(registered(&tester, &s), CTM_E_UNSUPPORTED);
	s.fmt = "packed";             /* without a statement */
	assert_int_equal(registered(&tester, &s), CTM_E_VERIFY);
	s.fmt = "none";
	challenge(&tester, "/api/v1/passkeys/challenge", value);
	make(&s, value, &m);
	m.att[strlen(m.att) - 4] = 0;
	assert_int_equal(add(&tester, &m), CTM_E_SYNTAX);
	ctm_key_free(s.key);
}

static void nobody_touches_another_persons_passkeys_and_sessions(void **state)
{
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	struct ctm_who other = somebody( "lab.tester", tester.org_id), owner = somebody( "maker.owner", "");
	assert_int_equal(registered(&owner, &s), 0);
	s.count++;
	assert_int_equal(signin(&s, owner.person_id), 0);
	CTM_AUTO_JSON *mine = cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/account" });
	const char *passkey = ctm_json_gets(ctm_json_at(ctm_json_get(mine, "passkeys"), 0), "id");
	const char *session = NULL;
	for (size_t i = 0; i < ctm_json_len(ctm_json_get(mine, "sessions")); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(ctm_json_get(mine, "sessions"), i), "how"), "passkey"))
			session = ctm_json_gets(ctm_json_at(ctm_json_get(mine, "sessions"), i), "id");
	assert_non_null(passkey);
	assert_non_null(session);
	cxkit_bad(&k, &other, &(struct cxcall){ "POST", "/account/passkeys/{id}/remove", IN("id", passkey) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &other, &(struct cxcall){ "POST", "/account/passkeys/{id}/rename", IN("id", passkey, "name", "Mine") }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &other, &(struct cxcall){ "POST", "/account/sessions/{id}/revoke", IN("id", session) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &other, &(struct cxcall){ "POST", "/account/organisation", IN("org_id", owner.org_id) }, CTM_E_NOTFOUND);
	ctm_json_free(cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/account/sessions/{id}/revoke", IN("id", session) }));
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/account/sessions/{id}/revoke", IN("id", session) }, CTM_E_NOTFOUND);
	ctm_json_free(cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/account/passkeys/{id}/remove", IN("id", passkey) }));
	s.count++;
	assert_int_equal(signin(&s, owner.person_id), CTM_E_VERIFY);
	ctm_key_free(s.key);
}

static void passkeys_are_changed_by_those_who_signed_in_just_now(void **state)
{
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	char value[64];
	struct made m;
	struct ctm_who who = somebody("lab.tester", tester.org_id);
	assert_int_equal(registered(&who, &s), 0);
	CTM_AUTO_JSON *mine = cxkit_good(&k, &who, &(struct cxcall){ "GET", "/account" });
	const char *passkey = ctm_json_gets(ctm_json_at(ctm_json_get(mine, "passkeys"), 0), "id");
	challenge(&who, "/api/v1/passkeys/challenge", value);
	make(&s, value, &m);
	k.now_ms += 10 * 60 * 1000 + 1;
	assert_int_equal(add(&who, &m), CTM_E_GUARD);
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/passkeys/{id}/remove", IN("id", passkey) }, CTM_E_GUARD);
	k.now_ms -= 1;
	ctm_json_free(cxkit_good(&k, &who, &(struct cxcall){ "POST", "/account/passkeys/{id}/remove", IN("id", passkey) }));
	k.now_ms -= 10 * 60 * 1000;
	ctm_key_free(s.key);
}

static void a_disabled_person_has_no_passkey(void **state)
{
	struct soft s = soft_new(CTM_PASSKEY_ES256);
	struct ctm_who gone = somebody( "lab.tester", ""), op = somebody( "platform.operator", "");
	assert_int_equal(registered(&gone, &s), 0);
	s.count++;
	ctm_json_free(cxkit_good(&k, &op, &(struct cxcall){ "POST", "/api/v1/people/{id}/disable", IN("id", gone.person_id) }));
	assert_int_equal(signin(&s, gone.person_id), CTM_E_VERIFY);
	ctm_key_free(s.key);
}

static void origin_follows_the_public_address(void **state)
{
	static const struct { const char *url, *origin, *id; } good[] = {
		{ "https://ctm.example", "https://ctm.example", "ctm.example" }, { "https://CTM.example:443/", "https://ctm.example", "ctm.example" },
		{ "http://localhost:8080", "http://localhost:8080", "localhost" }, { "https://ctm.example:8443/desk", "https://ctm.example:8443", "ctm.example" },
	};
	static const char *const bad[] = { "", "ctm.example", "ftp://ctm.example", "https://", "https://:8443", "https://user@ctm.example", "https://[::1]" };
	struct ctm_passkey_rp rp;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(ctm_passkey_rp(good[i].url, &rp, NULL), 0);
		assert_string_equal(rp.origin, good[i].origin);
		assert_string_equal(rp.id, good[i].id);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ctm_passkey_rp(bad[i], &rp, NULL), CTM_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_algorithms_register_and_sign_in), cmocka_unit_test(authenticators_without_a_counter_are_welcome),
		cmocka_unit_test(a_counter_that_does_not_move_on_is_refused_and_told), cmocka_unit_test(a_challenge_works_once),
		cmocka_unit_test(a_failed_answer_costs_its_challenge), cmocka_unit_test(a_challenge_lives_five_minutes_and_belongs_to_one_person),
		cmocka_unit_test(a_challenge_of_our_own_making_is_refused), cmocka_unit_test(every_wrong_answer_is_refused),
		cmocka_unit_test(attestation_is_read_strictly), cmocka_unit_test(nobody_touches_another_persons_passkeys_and_sessions),
		cmocka_unit_test(passkeys_are_changed_by_those_who_signed_in_just_now),
		cmocka_unit_test(a_disabled_person_has_no_passkey), cmocka_unit_test(origin_follows_the_public_address),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
