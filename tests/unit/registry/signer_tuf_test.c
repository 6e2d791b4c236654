/* SPDX-License-Identifier: Apache-2.0
 *
 * What the signer signs for update repositories: each refusal by its name, versions over restarts, a new key that begins anew, and
 * signatures that the device's own code takes.
 */
#include "state.h"
#include "crypto/role.h"
#include "ctm/cose.h"
#include "ctm/director.h"
#include "ctm/openssl.h"
#include "registry/signer_core.h"
#include "registry/signer_tuf.h"

#define DAY INT64_C(86400000)
#define HEX "1111111111111111111111111111111111111111111111111111111111111111"

static struct state st;
static struct ctm_signer *signer;

static void make_key(const char *name)
{
	CTM_AUTO_KEY *k = NULL;
	char rel[64], path[512];

	assert_int_equal(ctm_key_generate(CTM_ALG_ED25519, &k, NULL), 0);
	snprintf(rel, sizeof rel, "keys/%s.pem", name);
	state_path(&st, rel, path);
	assert_int_equal(ctm_key_store(k, path, NULL), 0);
}

static void reopen(void)
{
	struct ctm_err err = { 0 };

	ctm_signer_closep(&signer);
	if (ctm_signer_open(st.dir, &signer, &err))
		fail_msg("%s: %s", err.field, err.msg);
}

static int setup(void **state)
{
	state_make(&st, NULL);
	make_key("snapshot");
	make_key("timestamp");
	make_key("director");
	reopen();
	return 0;
}

static int teardown(void **state)
{
	ctm_signer_closep(&signer);
	state_drop(&st);
	return 0;
}

/* {op, repository, signed}; metas: "targets.json=3,pl-A.json=1". */
static ctm_json *request(const char *type, const char *repository, int version, int64_t ahead_ms, const char *metas)
{
	ctm_json *req = ctm_json_obj(), *body = ctm_role_body(type, version, ctm_now_ms() + ahead_ms), *meta = ctm_json_obj();
	char name[80];
	int v, n = 0;

	for (const char *s = metas; sscanf(s, "%79[^=]=%d%n", name, &v, &n) == 2; s += n + (s[n] == ','))
		assert_int_equal(ctm_json_set(meta, name, ctm_role_meta(v, s, 1)), 0);
	assert_int_equal(ctm_json_setf(req, "op", "tuf-%s", type) | ctm_json_sets(req, "repository", repository) | ctm_json_set(body, "meta", meta) |
		ctm_json_set(req, "signed", body), 0);
	return req;
}

static void expect(ctm_json *req, const char *want)
{
	CTM_AUTO_JSON *r = ctm_signer_answer(signer, req);
	const char *got = ctm_json_gets(ctm_json_get(r, "error"), "rule");

	if (strcmp(got ? got : "", want))
		fail_msg("wanted \"%s\", got \"%s\": %s", want, got ? got : "", ctm_json_gets(ctm_json_get(r, "error"), "msg"));
	ctm_json_free(req);
}

static void a_client_takes_the_signature(void **state)
{
	CTM_AUTO_JSON *req = request("snapshot", "larkspur", 1, 14 * DAY, "targets.json=1,pl-A.json=2");
	CTM_AUTO_JSON *e = ctm_role_envelope(ctm_json_copy(ctm_json_get(req, "signed"))), *keys = ctm_json_obj(), *role = ctm_json_obj(), *r, *key = NULL;
	CTM_AUTO_KEY *k = NULL;
	ctm_json *ids = ctm_json_arr();
	struct ctm_tuf_signers s;
	char path[512], id[CTM_ROLE_ID];

	state_path(&st, "keys/snapshot.pem", path);
	assert_int_equal(ctm_key_load(path, &k, NULL), 0);
	assert_int_equal(ctm_role_key(k, &key, id, NULL), 0);
	assert_int_equal(ctm_json_set(keys, id, ctm_json_copy(key)) | ctm_json_adds(ids, id) | ctm_json_set(role, "keyids", ids) | ctm_json_seti(role, "threshold", 1), 0);
	r = ctm_signer_answer(signer, req);
	assert_string_equal(ctm_json_gets(r, "keyid"), id);
	assert_int_equal(ctm_role_put(e, id, ctm_json_gets(r, "sig"), NULL), 0);
	assert_int_equal(ctm_role_judge(e, "snapshot", keys, role, &s, NULL), 0);
	assert_int_equal(s.count, 1);
}

static void versions_only_grow(void **state)
{
	CTM_AUTO_JSON *again = request("snapshot", "a", 5, 5 * DAY, "targets.json=3,pl-A.json=2"), *copy = ctm_json_copy(again);

	expect(ctm_json_copy(again), "");
	expect(ctm_json_copy(copy), "");                                                      /* the same once more */
	expect(request("snapshot", "a", 5, 6 * DAY, "targets.json=3,pl-A.json=2"), "tuf.content");
	expect(request("snapshot", "a", 4, 5 * DAY, "targets.json=3,pl-A.json=2"), "tuf.version");
	expect(request("snapshot", "a", 6, 5 * DAY, "targets.json=2,pl-A.json=2"), "tuf.rollback");
	expect(request("snapshot", "a", 6, 5 * DAY, "targets.json=3"), "tuf.rollback");
	expect(request("snapshot", "b", 1, 5 * DAY, "targets.json=1"), "");                   /* another repository */
	expect(request("timestamp", "a", 1, 2 * DAY, "snapshot.json=5"), "");
	expect(request("timestamp", "a", 2, 2 * DAY, "snapshot.json=4"), "tuf.rollback");
	reopen();
	expect(request("snapshot", "a", 4, 5 * DAY, "targets.json=3,pl-A.json=2"), "tuf.version");
	expect(request("snapshot", "a", 7, 5 * DAY, "targets.json=3"), "tuf.rollback");
	expect(request("snapshot", "a", 7, 5 * DAY, "targets.json=4,pl-A.json=2,pl-B.json=1"), "");
	expect(ctm_json_copy(copy), "tuf.version");
}

static void a_new_key_begins_anew(void **state)
{
	expect(request("snapshot", "a", 500, 5 * DAY, "targets.json=900"), "");
	make_key("snapshot");
	reopen();
	expect(request("snapshot", "a", 2, 5 * DAY, "targets.json=3"), "");
	expect(request("snapshot", "a", 1, 5 * DAY, "targets.json=3"), "tuf.version");
}

static void nothing_lasts_long(void **state)
{
	expect(request("snapshot", "a", 1, -DAY, "targets.json=1"), "tuf.expiry");
	expect(request("snapshot", "a", 1, (CTM_SNAPSHOT_DAYS_MAX + 1) * DAY, "targets.json=1"), "tuf.expiry");
	expect(request("timestamp", "a", 1, (CTM_TIMESTAMP_DAYS_MAX + 1) * DAY, "snapshot.json=1"), "tuf.expiry");
}

static ctm_json *with(ctm_json *req, const char *member, ctm_json *v)
{
	assert_int_equal(ctm_json_set((ctm_json *)ctm_json_get(req, "signed"), member, v), 0);
	return req;
}

static void only_what_such_a_role_says(void **state)
{
	expect(request("snapshot", "a", 0, DAY, "targets.json=1"), "tuf.shape");
	expect(request("snapshot", "a", 1, DAY, "pl-A.json=1"), "tuf.shape");
	expect(request("timestamp", "a", 1, DAY, "snapshot.json=1,targets.json=1"), "tuf.shape");
	expect(request("snapshot", "a b", 1, DAY, "targets.json=1"), "tuf.shape");
	expect(request("snapshot", "../a", 1, DAY, "targets.json=1"), "tuf.shape");
	expect(request("snapshot", "a", 1, DAY, "targets.json=1,x=1"), "tuf.shape");
	expect(with(request("snapshot", "a", 1, DAY, "targets.json=1"), "_type", ctm_json_news("root")), "tuf.shape");
	expect(with(request("snapshot", "a", 1, DAY, "targets.json=1"), "roles", ctm_json_obj()), "tuf.shape");
	expect(with(request("snapshot", "a", 1, DAY, "targets.json=1"), "expires", ctm_json_news("2999-01-01")), "tuf.shape");
	expect(with(request("snapshot", "a", 1, DAY, "targets.json=1"), "meta", ctm_json_news("x")), "tuf.shape");
	expect(with(request("snapshot", "a", 1, DAY, "targets.json=1"), "spec_version", ctm_json_news("2.0")), "tuf.shape");
}

static ctm_json *direction(int64_t ahead_ms, const char *target)
{
	ctm_json *r = ctm_json_obj();

	assert_int_equal(ctm_json_sets(r, "op", "director") | ctm_json_sets(r, "device", "LK-1") | ctm_json_sets(r, "component", "device") | ctm_json_seti(r, "counter", 7) |
		ctm_json_seti(r, "not_after_s", (ctm_now_ms() + ahead_ms) / 1000), 0);
	if (target)
		assert_int_equal(ctm_json_sets(r, "target", target) | ctm_json_seti(r, "size", 5) | ctm_json_sets(r, "digest", "sha256:" HEX), 0);
	return r;
}

static void a_device_reads_the_direction(void **state)
{
	CTM_AUTO_JSON *req = direction(DAY, "PC-1/1.2.0/image"), *r = ctm_signer_answer(signer, req);
	CTM_AUTO_BUF cose = CTM_BUF(4096);
	CTM_AUTO_KEY *k = NULL;
	struct ctm_cose1 m;
	struct ctm_direction d;
	char path[512];
	uint8_t raw[65];

	assert_non_null(ctm_json_gets(r, "cose"));
	assert_int_equal(ctm_unb64(ctm_json_gets(r, "cose"), strlen(ctm_json_gets(r, "cose")), &cose), 0);
	state_path(&st, "keys/director.pem", path);
	assert_int_equal(ctm_key_load(path, &k, NULL), 0);
	assert_int_equal(ctm_cose_sign1_verify(ctm_openssl_crypto(), (uint8_t *)cose.p, cose.len, &m, raw, ctm_key_raw(k, raw)), 0);
	assert_int_equal(ctm_direction_decode(m.payload, m.payloadlen, "device", &d), 0);
	assert_int_equal(d.counter, 7);
	assert_int_equal(d.size, 5);
	assert_memory_equal(d.target.p, "PC-1/1.2.0/image", d.target.n);
	expect(direction(DAY, NULL), "");
	expect(direction((CTM_DIRECTOR_DAYS_MAX + 1) * DAY, NULL), "director.expiry");
	expect(direction(-DAY, NULL), "director.expiry");
	expect(direction(DAY, ""), "director.shape");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_client_takes_the_signature), T(versions_only_grow), T(a_new_key_begins_anew), T(nothing_lasts_long), T(only_what_such_a_role_says),
		T(a_device_reads_the_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
