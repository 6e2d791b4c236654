/* SPDX-License-Identifier: Apache-2.0
 *
 * The evidence bundle: what is written is read back the same, the same facts give the same bytes, and a bundle with any byte
 * flipped, left out or added is refused (lab reference 8). The seal is COSE_Sign1 (RFC 9052).
 */
#include "kit.h"
#include "lab/bundle.h"
#include "lab/report.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct ctm_key *key;

static int setup(void **state)
{
	(void)state;
	return ctm_key_generate(CTM_ALG_ED25519, &key, NULL);
}

static int teardown(void **state)
{
	(void)state;
	ctm_key_free(key);
	return 0;
}

static struct kit *small_run(void)
{
	struct kit *k = kit_new_small();
	char digest[CTM_DIGEST_MAX];

	kit_run(k, NULL);
	assert_int_equal(ctm_trace_blob(k->trace, "artefact", 8, digest, NULL), 0);
	assert_int_equal(ctm_trace_blob(k->trace, "", 0, digest, NULL), 0);
	kit_obs(k, "N01", "cam", "check.begin", "{}");
	kit_obs(k, "N01", "cam", "port.scan", "{\"role\":\"target\",\"open\":[4443],\"canary\":\"seen\",\"silent\":0,\"refused\":1,\"ms\":1}");
	kit_end(k);
	return k;
}

static void write_bundle(struct kit *k, struct ctm_buf *out)
{
	struct ctm_sealer s = { .key = key, .name = "Lab" };
	struct ctm_err err = { 0 };

	if (ctm_bundle_write(&k->facts, &s, out, &err))
		fail_msg("%s", err.msg);
}

static ctm_json *trust_of(const struct ctm_key *k)
{
	uint8_t raw[65];
	char id[17], hex[131], text[400];

	ctm_key_id(k, id);
	ctm_hex(raw, ctm_key_raw(k, raw), hex);
	snprintf(text, sizeof text, "{\"format\":\"ctm.trust/1\",\"lab\":[{\"name\":\"Lab of the list\",\"key_id\":\"%s\",\"ed25519\":\"%s\"}]}", id, hex);
	return kit_json(text);
}

static void round_trip(void **state)
{
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20), b = CTM_BUF(8 << 20), html = CTM_BUF(8 << 20), text = CTM_BUF(8 << 20);
	CTM_AUTO_BUNDLE *u = NULL;
	CTM_AUTO_JSON *trust = trust_of(key), *report = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	write_bundle(k, &a);
	write_bundle(k, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);                    /* Ed25519 is deterministic, and so is everything else */
	if (ctm_bundle_read(a.p, a.len, trust, &u, &err))
		fail_msg("%s: %s", err.field, err.msg);
	assert_true(u->trusted);
	assert_string_equal(u->sealed_by, "Lab of the list");           /* not the name it gave itself */
	assert_string_equal(ctm_json_gets(u->plan, "challenge"), "challenge-of-the-test");
	assert_int_equal(u->trace->n, k->trace->n);
	assert_int_equal(u->trace->nblobs, 2);
	assert_int_equal(ctm_report_make(&u->facts, &report, &err), 0);
	assert_int_equal(ctm_json_pretty(report, &text), 0);
	assert_int_equal(ctm_report_html(report, &html, &err), 0);
	assert_int_equal(text.len, u->report_json.len);
	assert_memory_equal(text.p, u->report_json.p, text.len);
	assert_int_equal(html.len, u->report_html.len);
	assert_memory_equal(html.p, u->report_html.p, html.len);
	kit_free(k);
}

/* All of them, one after the other. */
static void any_flipped_byte(void **state)
{
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20);
	CTM_AUTO_JSON *trust = trust_of(key);
	struct ctm_bundle *u = NULL;

	(void)state;
	write_bundle(k, &a);
	for (size_t at = 0; at < a.len; at++) {
		char was = a.p[at];
		a.p[at] = (char)(was ^ (1 << at % 8));
		if (ctm_bundle_read(a.p, a.len, trust, &u, NULL) == 0)
			fail_msg("byte %zu of %zu can be changed", at, a.len);
		a.p[at] = was;
	}
	assert_int_equal(ctm_bundle_read(a.p, a.len, trust, &u, NULL), 0);
	ctm_bundle_free(u);
	kit_free(k);
}

static void cut_or_longer(void **state)
{
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20);
	struct ctm_bundle *u = NULL;

	(void)state;
	write_bundle(k, &a);
	for (size_t n = 0; n < a.len; n += 1 + a.len / 60)
		assert_int_not_equal(ctm_bundle_read(a.p, n, NULL, &u, NULL), 0);
	assert_int_not_equal(ctm_bundle_read(a.p, a.len - 1, NULL, &u, NULL), 0);
	ctm_buf_chr(&a, '\0');
	assert_int_not_equal(ctm_bundle_read(a.p, a.len, NULL, &u, NULL), 0);
	kit_free(k);
}

static void another_labs_seal(void **state)
{
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20);
	CTM_AUTO_KEY *other = NULL;
	struct ctm_bundle *u = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	write_bundle(k, &a);
	assert_int_equal(ctm_key_generate(CTM_ALG_ED25519, &other, NULL), 0);
	CTM_AUTO_JSON *trust = trust_of(other);
	assert_int_equal(ctm_bundle_read(a.p, a.len, trust, &u, &err), CTM_E_VERIFY);
	assert_non_null(strstr(err.msg, "trust list"));
	kit_free(k);
}

/* The lab's own key, taken back in the list; and a member beside the key that may mean less trust. */
static void a_revoked_key(void **state)
{
	static const char *const more[] = { "true", "\"yes\"", "null" };
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20);
	struct ctm_bundle *u = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	write_bundle(k, &a);
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		CTM_AUTO_JSON *trust = trust_of(key);
		assert_int_equal(ctm_json_set((ctm_json *)ctm_json_at(ctm_json_get(trust, "lab"), 0), "revoked", kit_json(more[i])), 0);
		ctm_err_clear(&err);
		assert_int_equal(ctm_bundle_read(a.p, a.len, trust, &u, &err), CTM_E_VERIFY);
		assert_non_null(strstr(err.msg, "revoked"));
	}
	CTM_AUTO_JSON *strange = trust_of(key);
	assert_int_equal(ctm_json_sets((ctm_json *)ctm_json_at(ctm_json_get(strange, "lab"), 0), "until", "2020-01-01"), 0);
	assert_int_not_equal(ctm_bundle_read(a.p, a.len, strange, &u, &err), 0);
	kit_free(k);
}

/* Take the parts out, change one by fn, pack again: digests and seal must notice. */
static int repack(const struct ctm_buf *a, const char *name, void (*fn)(struct ctm_bundle_part *p, char *room), struct ctm_err *err)
{
	struct ctm_tar t = { 0 };
	CTM_AUTO_BUF b = CTM_BUF(8 << 20);
	struct ctm_bundle *u = NULL;
	char *room = calloc(1, 1 << 20);
	int rc;

	assert_non_null(room);
	assert_int_equal(ctm_tar_read(a->p, a->len, &t, NULL), 0);
	for (size_t i = 0; i < t.n; i++)
		if (strcmp(t.part[i].name, name) == 0)
			fn(&t.part[i], room);
	assert_int_equal(ctm_tar_write(t.part, t.n, &b, NULL), 0);
	ctm_tar_free(&t);
	free(room);
	rc = ctm_bundle_read(b.p, b.len, NULL, &u, err);
	if (!rc)
		ctm_bundle_free(u);
	return rc;
}

static void rename_it(struct ctm_bundle_part *p, char *room)
{
	(void)room;
	ctm_copy(p->name, sizeof p->name, "plan2.json");
}

static void change_it(struct ctm_bundle_part *p, char *room)
{
	memcpy(room, p->p, p->n);
	room[p->n / 2] ^= 1;
	p->p = room;
}

static void empty_it(struct ctm_bundle_part *p, char *room)
{
	(void)room;
	p->n = 0;
}

static void repacked(void **state)
{
	static const char *const parts[] = { "catalogue.json", "declaration.json", "manifest.json", "observations.jsonl", "plan.json", "records.json", "report.html", "report.json", "seal.cose" };
	struct kit *k = small_run();
	CTM_AUTO_BUF a = CTM_BUF(8 << 20);
	struct ctm_err err = { 0 };

	(void)state;
	write_bundle(k, &a);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		assert_int_not_equal(repack(&a, parts[i], change_it, NULL), 0);
		assert_int_not_equal(repack(&a, parts[i], empty_it, NULL), 0);
	}
	assert_int_not_equal(repack(&a, "plan.json", rename_it, &err), 0);
	kit_free(k);
}

/* ---- trace ---- */

static void chain(void **state)
{
	struct kit *k = small_run();
	CTM_AUTO_TRACE *t = NULL;
	CTM_AUTO_BUF lines = CTM_BUF(1 << 20);
	char plan[CTM_DIGEST_MAX];
	struct ctm_err err = { 0 };

	(void)state;
	ctm_digest_of("x", 1, plan);
	assert_int_equal(ctm_trace_new(plan, &t, NULL), 0);
	assert_int_equal(ctm_trace_load(t, k->trace->lines.p, k->trace->lines.len, &err), CTM_E_VERIFY);    /* of another plan */
	ctm_trace_freep(&t);
	ctm_copy(plan, sizeof plan, ctm_json_gets(k->trace->obs[0].root, "prev"));
	assert_int_equal(ctm_trace_new(plan, &t, NULL), 0);
	const char *second = strchr(k->trace->lines.p, '\n') + 1;
	ctm_buf_add(&lines, second, k->trace->lines.len - (size_t)(second - k->trace->lines.p));
	assert_int_equal(ctm_trace_load(t, lines.p, lines.len, NULL), CTM_E_VERIFY);                        /* the first left out */
	assert_int_equal(ctm_trace_load(t, k->trace->lines.p, k->trace->lines.len - 1, NULL), CTM_E_SYNTAX); /* cut */
	ctm_trace_freep(&t);
	assert_int_equal(ctm_trace_new(plan, &t, NULL), 0);
	assert_int_equal(ctm_trace_load(t, k->trace->lines.p, k->trace->lines.len, NULL), 0);
	assert_string_equal(t->head, k->trace->head);
	kit_free(k);
}

static void no_reals(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	char head[CTM_DIGEST_MAX];

	(void)state;
	ctm_copy(head, sizeof head, k->trace->head);
	assert_int_equal(ctm_trace_add(k->trace, "", "", "x", kit_json("{\"a\":1.5}"), KIT_AT_MS, 1, NULL), CTM_E_INPUT);
	assert_int_equal(k->trace->n, 0);
	assert_string_equal(k->trace->head, head);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(any_flipped_byte), cmocka_unit_test(cut_or_longer), cmocka_unit_test(another_labs_seal),
		cmocka_unit_test(a_revoked_key), cmocka_unit_test(repacked), cmocka_unit_test(chain), cmocka_unit_test(no_reals) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
