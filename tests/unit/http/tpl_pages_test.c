/* SPDX-License-Identifier: Apache-2.0
 *
 * Every page template is rendered with sample data of the shape its room promises, in both languages, and the result is
 * held to: elements balanced, one main, one h1, a language, no text of an unknown message, no control left over from the
 * template language, labels for inputs, unique ids. Samples stand in samples/ROOM__PAGE[--VARIANT].json; a page without a
 * sample fails. With CTM_PREVIEW=DIR the pages are also written there, to look at.
 */
#include "http/tpl.h"
#include "base/file.h"
#include "base/text.h"
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *samples_dir;
static int unknown_keys;
static bool ids_differ = true;      /* off while every value is the same hostile text */

static const char *strict_msg(const char *key, const char *locale)
{
	const char *m = ctm_tpl_message(key, locale);
	/* words of open sets and texts of evidence fall back to themselves; messages named by a template were checked when it was compiled */
	if (m == key && strncmp(key, "status.", 7) && !strpbrk(key, ". ")) {
		print_error("unknown message %s\n", key);
		unknown_keys++;
	}
	return m;
}

/* --- a small reader of our own HTML --- */

#define VOID_TAGS " area base br col embed hr img input link meta source track wbr "

static bool is_void(const char *name)
{
	char padded[40];
	snprintf(padded, sizeof padded, " %s ", name);
	return strstr(VOID_TAGS, padded);
}

static const char *attr(const char *tag, size_t n, const char *name, char *out, size_t cap)
{
	char want[32];
	snprintf(want, sizeof want, " %s=\"", name);
	const char *p = memmem(tag, n, want, strlen(want));
	if (!p)
		return NULL;
	p += strlen(want);
	snprintf(out, cap, "%.*s", (int)strcspn(p, "\""), p);
	return out;
}

struct seen { int h1, mains; char ids[400][64]; int nids; char fors[100][64]; int nfors; };

static void look_at_tag(struct seen *s, const char *page, const char *name, const char *tag, size_t n)
{
	char v[64];
	s->h1 += !strcmp(name, "h1");
	s->mains += !strcmp(name, "main");
	if (attr(tag, n, "id", v, sizeof v)) {
		for (int i = 0; i < s->nids; i++)
			if (ids_differ && !strcmp(s->ids[i], v))
				fail_msg("%s: id %s stands twice", page, v);
		if (s->nids < 400)
			snprintf(s->ids[s->nids++], 64, "%s", v);
	}
	if (!strcmp(name, "label") && attr(tag, n, "for", v, sizeof v) && s->nfors < 100)
		snprintf(s->fors[s->nfors++], 64, "%s", v);
	if (!strcmp(name, "img") && !memmem(tag, n, " alt=\"", 6))
		fail_msg("%s: an image has no alt", page);
	if (!strcmp(name, "th") && !memmem(tag, n, " scope=\"", 8))
		fail_msg("%s: a table heading has no scope", page);
}

static void check_html(const char *page, const char *html)
{
	char stack[100][32];
	int depth = 0;
	struct seen *s = calloc(1, sizeof *s);
	assert_non_null(s);
	for (const char *p = html; (p = strchr(p, '<')); ) {
		bool closing = p[1] == '/';
		const char *from = p + 1 + closing, *end = strchr(p, '>');
		char name[32];
		assert_non_null(end);
		if (*from == '!') {
			p = end;
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"), from);
		if (closing) {
			if (!depth || strcmp(stack[depth - 1], name))
				fail_msg("%s: </%s> closes %s near: %.60s", page, name, depth ? stack[depth - 1] : "nothing", p);
			depth--;
		} else {
			look_at_tag(s, page, name, p, (size_t)(end - p));
			if (!is_void(name) && end[-1] != '/') {
				assert_true(depth < 100);
				snprintf(stack[depth++], 32, "%s", name);
			}
			if (!strcmp(name, "script") && (end = strstr(end, "</script")))
				end--;
		}
		p = end;
	}
	if (depth)
		fail_msg("%s: %s is not closed", page, stack[depth - 1]);
	if (s->h1 != 1 || s->mains != 1)
		fail_msg("%s: %d h1, %d main", page, s->h1, s->mains);
	for (int i = 0; i < s->nfors; i++) {
		bool found = false;
		for (int k = 0; k < s->nids; k++)
			found |= !strcmp(s->ids[k], s->fors[i]);
		if (!found)
			fail_msg("%s: a label is for %s, which is not there", page, s->fors[i]);
	}
	free(s);
	if (strstr(html, "{{") || strstr(html, "}}"))
		fail_msg("%s: template language left over", page);
}

/* --- rendering --- */

static void render(const char *file, const char *locale)
{
	char path[4096], name[128], *mark;
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *data = NULL;
	CTM_AUTO_BUF out = CTM_BUF(4 << 20);
	snprintf(path, sizeof path, "%s/%s", samples_dir, file);
	if (ctm_json_load(path, 1 << 20, &data, &err))
		fail_msg("%s", err.msg);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
	if ((mark = strstr(name, "--")))
		*mark = 0;
	assert_non_null(mark = strstr(name, "__"));
	*mark = '/';
	memmove(mark + 1, mark + 2, strlen(mark + 2) + 1);
	const struct ctm_tpl *t = ctm_tpl_find(name);
	if (!t)
		fail_msg("%s: there is no template %s", file, name);
	struct ctm_tpl_cx tc = { .data = data, .locale = locale, .msg = strict_msg, .now_ms = INT64_C(1795363200000) };   /* 2026-11-22 16:00 */
	if (ctm_tpl_render(t, &tc, &out, &err))
		fail_msg("%s: %s", file, err.msg);
	check_html(file, ctm_buf_cstr(&out));
	assert_int_equal(unknown_keys, 0);
	if (getenv("CTM_PREVIEW")) {
		snprintf(path, sizeof path, "%s/%.*s.%s.html", getenv("CTM_PREVIEW"), (int)strcspn(file, "."), file, locale);
		assert_int_equal(ctm_file_write(path, out.p, out.len, 0644, &err), 0);
	}
}

static void each_sample(void (*fn)(const char *file))
{
	DIR *d = opendir(samples_dir);
	struct dirent *e;
	int n = 0;
	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".json")) {
			fn(e->d_name);
			n++;
		}
	closedir(d);
	assert_true(n > 0);
}

static void both(const char *file)
{
	render(file, "en");
	render(file, "es");
}

static void every_page_renders_well_formed_in_both_languages(void **state) { each_sample(both); }

/* A hostile value in every string of every sample must come out escaped. */
static ctm_json *poison(const ctm_json *v)
{
	void *it = NULL;
	const char *key;
	const ctm_json *m;
	switch (ctm_json_type(v)) {
	case CTM_J_STR: return ctm_json_news("\"><script>alert(1)</script>' onload=x javascript:alert(1)");
	case CTM_J_ARR: {
		ctm_json *a = ctm_json_arr();
		for (size_t i = 0; i < ctm_json_len(v); i++)
			assert_int_equal(ctm_json_add(a, poison(ctm_json_at(v, i))), 0);
		return a;
	}
	case CTM_J_OBJ: {
		ctm_json *o = ctm_json_obj();
		while (ctm_json_each(v, &it, &key, &m))
			assert_int_equal(ctm_json_set(o, key, !strcmp(key, "kind") || !strcmp(key, "status") || !strcmp(key, "state") ? ctm_json_copy(m) : poison(m)), 0);
		return o;
	}
	default: return ctm_json_copy(v);
	}
}

static void hostile(const char *file)
{
	char path[4096], name[128], *mark;
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *data = NULL, *bad;
	CTM_AUTO_BUF out = CTM_BUF(8 << 20);
	snprintf(path, sizeof path, "%s/%s", samples_dir, file);
	assert_int_equal(ctm_json_load(path, 1 << 20, &data, &err), 0);
	bad = poison(data);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
	if ((mark = strstr(name, "--")))
		*mark = 0;
	mark = strstr(name, "__");
	*mark = '/';
	memmove(mark + 1, mark + 2, strlen(mark + 2) + 1);
	struct ctm_tpl_cx tc = { .data = bad, .locale = "en", .now_ms = INT64_C(1795363200000) };
	assert_int_equal(ctm_tpl_render(ctm_tpl_find(name), &tc, &out, &err), 0);
	if (strstr(ctm_buf_cstr(&out), "<script>alert") || strstr(out.p, "href=\"javascript:") || strstr(out.p, "src=\"\"&gt;") || strstr(out.p, "\"><script"))
		fail_msg("%s: a value was not escaped", file);
	check_html(file, out.p);
}

static void hostile_values_are_escaped_everywhere(void **state)
{
	ids_differ = false;
	each_sample(hostile);
	ids_differ = true;
}

static void every_page_has_a_sample(void **state)
{
	static const char *const parts[] = { "http/area", "http/brand", "http/frame", "http/error_title", "http/field" };
	for (size_t i = 0; i < ctm_tpl_count; i++) {
		char want[128];
		bool part = strstr(ctm_tpl_table[i].name, "/part_");
		for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
			part |= !strcmp(parts[k], ctm_tpl_table[i].name);
		if (part)
			continue;
		const char *slash = strchr(ctm_tpl_table[i].name, '/');
		snprintf(want, sizeof want, "%.*s__%s", (int)(slash - ctm_tpl_table[i].name), ctm_tpl_table[i].name, slash + 1);
		DIR *d = opendir(samples_dir);
		struct dirent *e;
		bool found = false;
		assert_non_null(d);
		while ((e = readdir(d)))
			found |= ctm_starts(e->d_name, want) && (e->d_name[strlen(want)] == '.' || e->d_name[strlen(want)] == '-');
		closedir(d);
		if (!found)
			fail_msg("page %s has no sample", ctm_tpl_table[i].name);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	samples_dir = argv[1];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_renders_well_formed_in_both_languages),
		cmocka_unit_test(hostile_values_are_escaped_everywhere),
		cmocka_unit_test(every_page_has_a_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
