/* SPDX-License-Identifier: Apache-2.0
 *
 * The TUF client replayed, without network, processes or clock, on repositories that a simulator made and ctm-tuf was run against
 * (tests/data/tuf/cases.jsonl, a case a line; written by tests/scenario/tuf_kit.mjs with CTM_TUF_RECORD=FILE):
 *   {name, docs: [text], steps: [{init?: doc, find?: [name], now, served: {url: doc}, status, trusted: "root 1, ..."}]}
 * Then the same again with the store cut: whatever write is the last that arrives, the next refresh ends as it should.
 */
#include "client.h"
#include "suites.h"

#define FILES 64
#define LINE_MAX_BYTES (1 << 17)

struct mem_file {
	char name[CTM_TUF_NAME_MAX + 16];
	uint8_t *p;
	size_t n;
};

static struct mem_file files[FILES];
static int writes_left;                /* before the power goes; -1: never */
static json_t *served, *docs;

static struct mem_file *file_of(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].p && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

static int mem_read(void *ctx, const char *name, size_t max, uint8_t **p, size_t *n)
{
	struct mem_file *f = file_of(name);

	if (!f)
		return CTM_SDK_NONE;
	if (f->n > max)
		return CTM_SDK_TOOBIG;
	*p = malloc(f->n + 1);
	memcpy(*p, f->p, f->n);
	*n = f->n;
	return 0;
}

static int mem_erase(void *ctx, const char *name)
{
	struct mem_file *f = file_of(name);

	if (writes_left == 0)
		return CTM_SDK_STORAGE;
	writes_left -= writes_left > 0;
	if (f) {
		free(f->p);
		f->p = NULL;
	}
	return 0;
}

static int mem_write(void *ctx, const char *name, const void *p, size_t n)
{
	struct mem_file *f = file_of(name);

	if (writes_left == 0)
		return CTM_SDK_STORAGE;
	writes_left -= writes_left > 0;
	for (int i = 0; !f && i < FILES; i++)
		if (!files[i].p)
			f = &files[i];
	assert_non_null(f);
	free(f->p);
	f->p = malloc(n + 1);
	memcpy(f->p, p, n);
	f->n = n;
	snprintf(f->name, sizeof f->name, "%s", name);
	return 0;
}

static int drop_all(void **state)
{
	for (int i = 0; i < FILES; i++) {
		free(files[i].p);
		files[i].p = NULL;
	}
	return 0;
}

static int fetch(void *ctx, const char *url, uint64_t from, uint64_t max, ctm_tuf_sink sink, void *sink_ctx)
{
	json_t *doc = json_array_get(docs, (size_t)json_integer_value(json_object_get(served, url)));
	size_t n = json_string_length(doc);

	assert_int_equal(from, 0);
	if (!json_object_get(served, url))
		return CTM_SDK_NONE;
	return n > max ? CTM_SDK_TOOBIG : sink(sink_ctx, (const uint8_t *)json_string_value(doc), n);
}

static int nowhere(void *ctx, const uint8_t *p, size_t n)
{
	return 0;
}

/* As ctm-tuf does: what was downloaded and is still right is not fetched again. */
static int find_and_fetch(struct ctm_tuf *t, const char *name)
{
	static struct ctm_tuf_target g;
	struct ctm_tuf_check c;
	char key[CTM_TUF_NAME_MAX + 16];
	struct mem_file *had;
	int rc = ctm_tuf_find(t, name, &g);

	if (rc)
		return rc;
	snprintf(key, sizeof key, "target:%s", name);
	had = file_of(key);
	if (had && !memcmp(had->p, g.digest, sizeof g.digest))
		return 0;
	assert_int_equal(ctm_tuf_check_begin(&c, ctm_tuf_openssl(), &g), 0);
	rc = ctm_tuf_fetch(t, "targets", &c, nowhere, NULL);
	if (rc)
		ctm_tuf_check_drop(&c);
	else
		rc = ctm_tuf_check_end(&c);
	return rc ? rc : mem_write(NULL, key, g.digest, sizeof g.digest);
}

static const struct ctm_tuf_store store = { NULL, mem_read, mem_write, mem_erase };

static int run_step(json_t *step)
{
	struct ctm_tuf_conf conf = { .crypto = ctm_tuf_openssl(), .store = store, .net = { NULL, fetch }, .metadata_url = "metadata",
		.now_s = (int64_t)json_number_value(json_object_get(step, "now")) };
	json_t *init = json_object_get(step, "init"), *find = json_object_get(step, "find"), *name;
	struct ctm_tuf *t;
	size_t i;
	int rc;

	served = json_object_get(step, "served");
	if (init) {
		json_t *doc = json_array_get(docs, (size_t)json_integer_value(init));

		return ctm_tuf_init(conf.crypto, &store, json_string_value(doc), json_string_length(doc), NULL);
	}
	assert_int_equal(ctm_tuf_open(&conf, &t), 0);
	rc = ctm_tuf_refresh(t);
	json_array_foreach(find, i, name)
		if (!rc)
			rc = find_and_fetch(t, json_string_value(name));
	ctm_tuf_close(t);
	return rc;
}

/* "root 1, snapshot 2": what is in the store, by name. */
static void trusted(char *out, size_t cap)
{
	const char *last = "";

	out[0] = 0;
	for (;;) {
		struct mem_file *next = NULL;
		struct tuf_json j;
		int64_t version = 0;

		for (int i = 0; i < FILES; i++)
			if (files[i].p && strncmp(files[i].name, "target:", 7) && strcmp(files[i].name, last) > 0 && (!next || strcmp(files[i].name, next->name) < 0))
				next = &files[i];
		if (!next)
			return;
		assert_int_equal(tuf_json_read(next->p, next->n, &j), 0);
		assert_true(tuf_int(tuf_get(tuf_get(&j.root, "signed"), "version"), &version));
		tuf_json_free(&j);
		snprintf(out + strlen(out), cap - strlen(out), "%s%.*s %lld", *out ? ", " : "", (int)strlen(next->name) - 5, next->name, (long long)version);
		last = next->name;
	}
}

static bool stands(json_t *step)
{
	char got[2048];

	trusted(got, sizeof got);
	return !strcmp(got, json_string_value(json_object_get(step, "trusted")));
}

static void whole(json_t *c)
{
	json_t *step;
	size_t i;

	drop_all(NULL);
	writes_left = -1;
	json_array_foreach(json_object_get(c, "steps"), i, step) {
		int rc = run_step(step);
		char got[2048];

		trusted(got, sizeof got);
		if (!!rc != json_integer_value(json_object_get(step, "status")))
			fail_msg("%s, step %zu: %s", json_string_value(json_object_get(c, "name")), i, ctm_sdk_name(rc));
		if (!stands(step))
			fail_msg("%s, step %zu: %s is trusted, not %s", json_string_value(json_object_get(c, "name")), i, got,
				 json_string_value(json_object_get(step, "trusted")));
	}
}

/* Power goes at the n-th change to the store of step `at`; the step is then done again. */
static void cut(json_t *c, size_t at)
{
	json_t *steps = json_object_get(c, "steps"), *step = json_array_get(steps, at);

	for (int n = 0;; n++) {
		int rc;

		drop_all(NULL);
		writes_left = -1;
		for (size_t i = 0; i < at; i++)
			(void)run_step(json_array_get(steps, i));
		writes_left = n;
		(void)run_step(step);
		if (writes_left > 0)
			return;
		writes_left = -1;
		rc = run_step(step);
		if (!!rc != json_integer_value(json_object_get(step, "status")) || !stands(step))
			fail_msg("%s, step %zu, cut at change %d: %s", json_string_value(json_object_get(c, "name")), at, n, ctm_sdk_name(rc));
	}
}

static void each(void (*run)(json_t *c))
{
	static char line[LINE_MAX_BYTES];
	FILE *f = fopen(TUF_CASES, "r");
	int seen = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		json_t *c = json_loads(line, 0, NULL);

		assert_non_null(c);
		docs = json_object_get(c, "docs");
		run(c);
		json_decref(c);
		seen++;
	}
	fclose(f);
	assert_true(seen > 50);
}

static void every_recorded_case_ends_as_it_did(void **state)
{
	each(whole);
}

static void cut_each_step(json_t *c)
{
	for (size_t i = 0; i < json_array_size(json_object_get(c, "steps")); i++)
		cut(c, i);
}

static void power_may_go_at_every_change(void **state)
{
	each(cut_each_step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_recorded_case_ends_as_it_did, drop_all),
		cmocka_unit_test_teardown(power_may_go_at_every_change, drop_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
