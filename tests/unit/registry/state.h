/* SPDX-License-Identifier: Apache-2.0
 *
 * A state directory for tests: keys, ctm.json and trust.json as `ctm init` leaves them, with fictional names.
 */
#ifndef TESTS_REGISTRY_STATE_H
#define TESTS_REGISTRY_STATE_H
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/x509.h"
#include "registry/note.h"
#include "registry/statement.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#define CLA "Harborlight Certification (fictional)"
#define ORIGIN "harborlight.example/log"

struct state { char dir[256]; struct ctm_vkey log; uint8_t cla[32]; };

static inline void state_path(const struct state *s, const char *rel, char out[512])
{
	snprintf(out, 512, "%s/%s", s->dir, rel);
}

static inline void state_key(struct state *s, const char *name, enum ctm_alg alg, ctm_json *trust)
{
	CTM_AUTO_KEY *k = NULL;
	char path[512], rel[64], id[17], hex[131];
	uint8_t raw[65];
	CTM_AUTO_BUF b = CTM_BUF(16384);
	struct ctm_err err = { 0 };

	assert_int_equal(ctm_key_generate(alg, &k, &err), 0);
	snprintf(rel, sizeof rel, "keys/%s.pem", name);
	state_path(s, rel, path);
	if (ctm_key_store(k, path, &err))
		fail_msg("%s", err.msg);
	size_t n = ctm_key_raw(k, raw);
	ctm_key_id(k, id);
	ctm_hex(raw, n, hex);
	if (!strcmp(name, "ca")) {
		assert_int_equal(ctm_ca_new(k, "Test device CA", CLA, ctm_now_ms(), 30, &b, &err), 0);
		assert_int_equal(ctm_json_sets(trust, "device_ca", ctm_buf_cstr(&b)), 0);
	} else if (!strcmp(name, "log")) {
		ctm_json *log = ctm_json_obj();
		ctm_vkey_write(ORIGIN, raw, &b);
		assert_int_equal(ctm_vkey_parse(ctm_buf_cstr(&b), &s->log, NULL), 0);
		assert_int_equal(ctm_json_sets(log, "origin", ORIGIN) || ctm_json_sets(log, "vkey", ctm_buf_cstr(&b)) || ctm_json_set(trust, "log", log), 0);
	} else {
		ctm_json *list = ctm_json_arr(), *one = ctm_json_obj();
		if (!strcmp(name, "cla"))
			memcpy(s->cla, raw, 32);
		assert_int_equal(ctm_json_sets(one, "name", !strcmp(name, "cla") ? CLA : "Tidewater Bench (fictional)") || ctm_json_sets(one, "key_id", id) ||
			ctm_json_sets(one, "ed25519", hex) || ctm_json_add(list, one) || ctm_json_set(trust, name, list), 0);
	}
}

static inline void state_make(struct state *s, const char *more_conf)
{
	char path[512], conf[512];
	CTM_AUTO_JSON *trust = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(1 << 16);

	snprintf(s->dir, sizeof s->dir, "%s/ctm-state-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(s->dir));
	state_path(s, "keys", path);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), 0);
	assert_int_equal(ctm_json_sets(trust, "format", "ctm.trust/1"), 0);
	state_key(s, "log", CTM_ALG_ED25519, trust);
	state_key(s, "cla", CTM_ALG_ED25519, trust);
	state_key(s, "lab", CTM_ALG_ED25519, trust);
	state_key(s, "ca", CTM_ALG_ES256, trust);
	assert_int_equal(ctm_json_pretty(trust, &b), 0);
	state_path(s, "trust.json", path);
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0644, NULL), 0);
	snprintf(conf, sizeof conf, "{\"origin\":\"%s\",\"public_url\":\"http://localhost:8080\"%s}\n", ORIGIN, more_conf ? more_conf : "");
	state_path(s, "ctm.json", path);
	assert_int_equal(ctm_file_write(path, conf, strlen(conf), 0600, NULL), 0);
}

static inline int state_rm_one(const char *p, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(p);
}

static inline void state_drop(const struct state *s)
{
	assert_int_equal(nftw(s->dir, state_rm_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline ctm_json *json_of(const char *text)
{
	ctm_json *j = NULL;
	struct ctm_err err = { 0 };

	if (ctm_json_parse(text, strlen(text), 1 << 20, "test", &j, &err))
		fail_msg("%s in %s", err.msg, text);
	return j;
}

#endif
