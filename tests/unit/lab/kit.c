/* SPDX-License-Identifier: Apache-2.0
 *
 * See kit.h.
 */
#include "kit.h"
#include "lab/plan.h"
#include "lab/probe.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

const char kit_declaration[] =
	"{\"format\":\"ctm.declaration/1\",\"maker\":\"M\",\"model\":\"PC-1\",\"component\":\"device\",\"version\":\"1.1.0\","
	"\"interfaces\":[{\"id\":\"admin\",\"transport\":\"tcp\",\"port\":4443,\"protocol\":\"https\"}],"
	"\"settings\":[{\"name\":\"live\",\"type\":\"bool\",\"secure_default\":false,\"privacy\":\"none\"},{\"name\":\"name\",\"type\":\"text\",\"max\":8,\"secure_default\":\"Door\",\"privacy\":\"personal\"}],"
	"\"data\":[{\"name\":\"name\",\"purpose\":\"p\",\"retention\":\"r\",\"deleted_by_reset\":true}],\"destinations\":[],"
	"\"update\":{\"downgrade\":\"refused\"},\"credentials\":{\"change_at_first_use\":true,\"lockout\":{\"attempts\":5,\"lock_s\":3}}}";

const char kit_begin[] =
	"{\"lab\":{\"name\":\"L\",\"address\":\"A\"},\"approver\":\"Lou\",\"operator\":\"Tess\",\"bench_id\":\"B\",\"address\":\"127.0.0.2\",\"port\":4443,"
	"\"serial\":\"S-1\",\"model\":\"PC-1\",\"release_version\":\"1.1.0\",\"release_image\":\"00\"}";

static const char product[] =
	"{\"id\":\"p\",\"name\":\"Porch Camera\",\"model\":\"PC-1\",\"components\":[{\"id\":\"cam\",\"kind\":\"device\",\"name\":\"Camera\"},"
	"{\"id\":\"app\",\"kind\":\"app\",\"name\":\"App\"},{\"id\":\"hub\",\"kind\":\"gateway\",\"name\":\"Hub\",\"in_scope\":false,\"carve_out\":\"sold apart, see risk assessment 4\"}]}";

ctm_json *kit_json(const char *text)
{
	ctm_json *v = NULL;
	struct ctm_err err = { 0 };

	if (ctm_json_parse(text, strlen(text), 1 << 20, "test", &v, &err))
		fail_msg("bad JSON in the test: %s in %s", err.msg, text);
	return v;
}

struct ctm_lab_catalogue *kit_catalogue(void)
{
	static const struct ctm_lab_catalogue_names names = { .probe = ctm_probe_known, .judge = ctm_judge_known };
	struct ctm_lab_catalogue *cat = NULL;
	struct ctm_err err = { 0 };

	if (ctm_lab_catalogue_load(CATALOGUE_DIR, &names, &cat, &err))
		fail_msg("%s: %s", err.field, err.msg);
	return cat;
}

static struct kit *make(struct ctm_lab_catalogue *cat, const char *declaration, const char *records)
{
	struct kit *k = calloc(1, sizeof *k);
	struct ctm_err err = { 0 };
	char digest[CTM_DIGEST_MAX];
	ctm_json *p = kit_json(product);
	struct ctm_plan_ask ask = { .product = p, .challenge = "challenge-of-the-test", .job = "job-1", .now_ms = KIT_AT_MS };

	assert_non_null(k);
	k->cat = cat;
	k->declaration = kit_json(declaration ? declaration : kit_declaration);
	k->records = kit_json(records ? records : "[]");
	ask.declaration = k->declaration;
	if (ctm_plan_make(k->cat, &ask, &k->plan, &err))
		fail_msg("plan: %s", err.msg);
	ctm_json_free(p);
	assert_int_equal(ctm_json_digest(k->plan, digest, &err), 0);
	assert_int_equal(ctm_trace_new(digest, &k->trace, &err), 0);
	k->facts = (struct ctm_lab_facts){ .catalogue = k->cat, .trace = k->trace, .plan = k->plan, .declaration = k->declaration, .records = k->records };
	return k;
}

struct kit *kit_new(const char *declaration, const char *records)
{
	return make(kit_catalogue(), declaration, records);
}

struct kit *kit_new_small(void)
{
	static const struct ctm_lab_catalogue_names names = { .probe = ctm_probe_known, .judge = ctm_judge_known };
	struct ctm_lab_catalogue *all = kit_catalogue(), *cat = NULL;
	ctm_json *root = ctm_json_obj(), *outcomes = ctm_json_arr(), *checks = ctm_json_arr();
	const ctm_json *list = ctm_json_get(all->root, "outcomes");

	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (strcmp(ctm_json_gets(ctm_json_at(list, i), "id"), "IAC.1a") == 0)
			ctm_json_add(outcomes, ctm_json_copy(ctm_json_at(list, i)));
	ctm_json_add(checks, ctm_json_copy(ctm_check_find(all, "N01")->json));
	ctm_json_sets(root, "format", CTM_LAB_CATALOGUE);
	ctm_json_set(root, "outcomes", outcomes);
	ctm_json_set(root, "checks", checks);
	assert_int_equal(ctm_lab_catalogue_parse(root, "small", &names, &cat, NULL), 0);
	ctm_lab_catalogue_free(all);
	return make(cat, NULL, NULL);
}

void kit_free(struct kit *k)
{
	ctm_lab_catalogue_free(k->cat);
	ctm_trace_free(k->trace);
	ctm_json_free(k->plan);
	ctm_json_free(k->declaration);
	ctm_json_free(k->records);
	free(k);
}

void kit_obs(struct kit *k, const char *check, const char *component, const char *kind, const char *json)
{
	struct ctm_err err = { 0 };

	k->us += 1000;
	if (ctm_trace_add(k->trace, check, component, kind, kit_json(json), KIT_AT_MS + k->us / 1000, k->us, &err))
		fail_msg("observation: %s", err.msg);
}

void kit_run(struct kit *k, const char *begin_json)
{
	kit_obs(k, "", "", "run.begin", begin_json ? begin_json : kit_begin);
}

void kit_end(struct kit *k)
{
	kit_obs(k, "", "", "run.end", "{\"lost\":\"\"}");
}

const char *kit_verdict(struct kit *k, const char *check, const char **why)
{
	static char reasons[4096];
	const struct ctm_check *c = ctm_check_find(k->cat, check);
	struct ctm_view v;
	const char *name;

	if (!c)
		fail_msg("no check %s", check);
	assert_int_equal(ctm_judge(&k->facts, c, ctm_check_on(c, "device") ? "cam" : CTM_PLAN_PRODUCT, &v, NULL), 0);
	reasons[0] = '\0';
	for (size_t i = 0; i < ctm_json_len(v.reasons); i++)
		snprintf(reasons + strlen(reasons), sizeof reasons - strlen(reasons), "%s\n", ctm_json_str(ctm_json_at(v.reasons, i)));
	name = ctm_verdict_names[v.verdict];
	ctm_view_free(&v);
	if (why)
		*why = reasons;
	return name;
}
