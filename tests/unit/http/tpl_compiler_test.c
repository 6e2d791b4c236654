/* SPDX-License-Identifier: Apache-2.0
 *
 * The template compiler refuses what would be unsafe or broken, with FILE:LINE and a reason, and accepts what is right.
 * Each row is one template; the compiler runs on it as the build runs it.
 */
#include "base/file.h"
#include "base/proc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *compiler;
static char dir[64];

static const struct { const char *text, *says; } rows[] = {
	/* accepted */
	{ "<p class=\"a {{b}}\">{{c}}</p>", NULL },
	{ "<a href=\"/p/{{id}}?x={{y}}\">x</a><a href=\"{{url u}}\">y</a>", NULL },
	{ "<input name=\"a\"{{#if b}} required{{/if}}>", NULL },
	{ "<p{{#if a}} class=\"b\"{{/if}}>a</p>", NULL },
	{ "{{#each l}}<li>{{.}}</li>{{else}}<p>none</p>{{/each}}", NULL },
	{ "{{#with o}}{{.a}}{{else}}-{{/with}}{{#eq a \"x\" b}}1{{else}}2{{/eq}}{{#not c}}3{{/not}}", NULL },
	{ "<form method=\"post\" action=\"/x\">{{csrf}}</form>", NULL },
	{ "<script type=\"application/ld+json\">{{json o}}</script>", NULL },
	{ "{{t \"one\" a}}<i title=\"{{t \"none\"}}\">{{status s}}</i>", NULL },
	/* places */
	{ "<script>{{x}}</script>", "in.html:1: no hole may stand in script or style" },
	{ "<style>a{{x}}</style>", "no hole may stand in script or style" },
	{ "<p>\n<!-- {{x}} --></p>", "in.html:2: no hole may stand in a comment" },
	{ "<p {{x}}>a</p>", "no hole may stand among attribute names" },
	{ "<p class={{x}}>a</p>", "unquoted" },
	{ "<p class=x>a</p>", "attribute values are quoted" },
	{ "<{{x}}>", "write &lt;" },
	{ "<p onclick=\"{{x}}\">a</p>", "event, style" },
	{ "<p on{{#if x}}click=\"a()\"{{/if}}>a</p>", "in.html:1" },
	{ "<p {{#if x}}on{{/if}}click=\"a()\">a</p>", "in.html:1" },
	{ "<p style=\"color:{{x}}\">a</p>", "event, style" },
	{ "<a href=\"{{x}}\">a</a>", "an address begins with {{url name}}" },
	{ "<a href=\"x{{x}}\">a</a>", "this address must start with" },
	{ "<a href=\"/a{{url x}}\">a</a>", "{{url name}} stands at the start" },
	{ "<a href=\"javascript:a()\">a</a>", "script addresses" },
	{ "<script type=\"application/ld+json\">{{x}}</script>", "only {{json name}}" },
	{ "<p>{{json x}}</p>", "only {{json name}}" },
	{ "<iframe src=\"/x\"></iframe>", "not used in our pages" },
	/* balance */
	{ "<p>a", "leaves an element open" },
	{ "<p><b>a</p></b>", "does not match" },
	{ "{{#if a}}<p>{{/if}}", "leaves an element open" },
	{ "{{#if a}}<p>{{else}}<p>{{/if}}</p>", "leaves an element open" },
	{ "{{#if a}}x", "{{#if}} of line 1 is not closed" },
	{ "{{#if a}}x{{/each}}", "does not close the open block" },
	{ "<p id=\"a\"{{#if a}} class=\"{{/if}}\">a</p>", "different places" },
	{ "<s{{#if a}}cript{{/if}}>a</s>", "may not be put together" },
	{ "<a hr{{#if a}}ef=\"x\"{{/if}}>a</a>", "may not be put together" },
	{ "<form method=\"post\" action=\"/x\"></form>", "needs {{csrf}}" },
	{ "<form method=\"post\" action=\"/x\">{{#if a}}{{csrf}}{{/if}}</form>", "needs {{csrf}}" },
	/* names */
	{ "{{t \"nothing.such\"}}", "is not in the catalogue" },
	{ "{{t \"one\"}}", "takes 1 values" },
	{ "{{icon \"nosuch\"}}", "names a line of icons.txt" },
	{ "{{> a/nosuch}}", "does not exist" },
	{ "{{> a/in}}", "includes itself" },
	{ "{{frobnicate x}}", "is not known" },
	{ "{{x", "does not end" },
	{ "a < b", "write &lt;" },
};

static void put_file(const char *name, const char *text)
{
	char path[128];
	struct ctm_err err = { 0 };
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(ctm_file_write(path, text, strlen(text), 0600, &err), 0);
}

static int run(struct ctm_buf *said)
{
	char out[128], en[128], es[128], icons[128], in[128];
	const char *argv[] = { compiler, out, en, es, icons, in, NULL };
	struct ctm_err err = { 0 };
	CTM_AUTO_BUF nothing = CTM_BUF(1000);
	int status = -1;
	snprintf(out, sizeof out, "%s/out.c", dir);
	snprintf(en, sizeof en, "%s/en.json", dir);
	snprintf(es, sizeof es, "%s/es.json", dir);
	snprintf(icons, sizeof icons, "%s/icons.txt", dir);
	snprintf(in, sizeof in, "%s/a/pages/in.html", dir);
	struct ctm_proc p = { .argv = argv, .timeout_ms = 20000 };
	assert_int_equal(ctm_proc_run(&p, &nothing, said, &status, &err), 0);
	return status;
}

static void each_template_is_accepted_or_refused_with_its_line(void **state)
{
	put_file("en.json", "{\"none\": \"x\", \"one\": \"x {0}\"}");
	put_file("es.json", "{\"none\": \"x\", \"one\": \"{0} x\"}");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF said = CTM_BUF(10000);
		put_file("a/pages/in.html", rows[i].text);
		int status = run(&said);
		if (!rows[i].says && status)
			fail_msg("%s\nis refused: %s", rows[i].text, ctm_buf_cstr(&said));
		if (rows[i].says && (status != 1 || !strstr(ctm_buf_cstr(&said), rows[i].says)))
			fail_msg("%s\nshould be refused with \"%s\" but: %d %s", rows[i].text, rows[i].says, status, ctm_buf_cstr(&said));
	}
}

static void catalogues_must_have_the_same_keys_and_placeholders(void **state)
{
	static const struct { const char *en, *es, *says; } cats[] = {
		{ "{\"a\": \"x\"}", "{\"a\": \"x\", \"b\": \"y\"}", "not in the English catalogue" },
		{ "{\"a\": \"x\", \"b\": \"y\"}", "{\"a\": \"x\"}", "key b is missing" },
		{ "{\"a\": \"x {0}\"}", "{\"a\": \"x\"}", "placeholders differ" },
		{ "{\"a\": \"x\",\n\"a\": \"y\"}", "{\"a\": \"x\"}", "stands twice" },
		{ "{\"a\": 1}", "{\"a\": \"x\"}", "en.json:1: a string is expected" },
	};
	put_file("a/pages/in.html", "x");
	for (size_t i = 0; i < sizeof cats / sizeof *cats; i++) {
		CTM_AUTO_BUF said = CTM_BUF(10000);
		put_file("en.json", cats[i].en);
		put_file("es.json", cats[i].es);
		if (run(&said) != 1 || !strstr(ctm_buf_cstr(&said), cats[i].says))
			fail_msg("row %zu: %s", i, ctm_buf_cstr(&said));
	}
}

static int setup(void **state)
{
	char sub[96], icons[96];
	struct ctm_err err = { 0 };
	snprintf(dir, sizeof dir, "/tmp/ctm-tpl-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(sub, sizeof sub, "%s/a/pages", dir);
	snprintf(icons, sizeof icons, "%s/icons.txt", dir);
	return ctm_mkdirs(sub, 0700, &err) || ctm_file_write(icons, "check\tM0 0\n", 11, 0600, &err);
}

static int teardown(void **state)
{
	static const char *const files[] = { "a/pages/in.html", "a/pages", "a", "en.json", "es.json", "icons.txt", "out.c", "" };
	char path[128];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		remove(path);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	compiler = argv[1];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_template_is_accepted_or_refused_with_its_line),
		cmocka_unit_test(catalogues_must_have_the_same_keys_and_placeholders),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
