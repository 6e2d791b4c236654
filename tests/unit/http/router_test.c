/* SPDX-License-Identifier: Apache-2.0
 * The route table: what matches, what wins, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/router.h"
#include <string.h>

static int nothing(struct ctm_cx *cx, ctm_json *out) { return 0; }

static const struct ctm_field rest_in[] = { { "path", CTM_V_PATH, 0, 0, "", NULL }, { 0 } };
static const struct ctm_field id_in[] = { { "id", CTM_V_UUID, 0, 0, "", NULL }, { "note", CTM_V_TEXT, 0, 0, "", NULL }, { 0 } };
#define ROW(m, p, f, ...) CTM_ROUTE(m, p, CTM_PUBLIC, f, .use_case = nothing, __VA_ARGS__)
static const struct ctm_route rows[] = {
	ROW("GET", "/", 0, .help = "root"),
	ROW("GET", "/p/{id}", 0, .help = "page"),
	ROW("GET", "/p/{id}.json", 0, .help = "json"),
	ROW("GET", "/p/{id}.proof", 0, .help = "proof"),
	ROW("GET", "/x/new", 0, .help = "new"),
	ROW("GET", "/x/{id}", 0, .in = id_in, .help = "x"),
	ROW("PUT", "/x/{id}", CTM_R_WRITE, .in = id_in, .help = "put x"),
	ROW("POST", "/x/{id}/do/{event}", CTM_R_WRITE, .in = id_in, .help = "event"),
	ROW("GET", "/y/b-{v}-c", 0, .help = "y"),
	ROW("GET", "/log/{path}", 0, .in = rest_in, .help = "log"),
	ROW("GET", "/log/checkpoint", 0, .help = "checkpoint"),
	ROW("POST", "/d/v1/state", CTM_R_DEVICE | CTM_R_WRITE, .help = "device"),
};
static const struct ctm_routes table = { rows, sizeof rows / sizeof *rows };
static const struct ctm_routes *const tables[] = { &table };

struct fix { struct ctm_router *r; struct ctm_arena *a; };

static int up(void **state)
{
	static struct fix f;
	struct ctm_err err = { 0 };
	f.a = ctm_arena_new(1 << 20);
	assert_int_equal(ctm_router_new(tables, 1, NULL, &f.r, &err), 0);
	*state = &f;
	return 0;
}

static int down(void **state)
{
	struct fix *f = *state;
	ctm_router_free(f->r);
	ctm_arena_free(f->a);
	return 0;
}

static int find(struct fix *f, const char *method, const char *path, bool edge, struct ctm_match *m)
{
	struct ctm_err err = { 0 };
	return ctm_router_match(f->r, method, path, edge, f->a, m, &err);
}

static void the_most_literal_row_wins(void **state)
{
	static const struct { const char *path, *help, *value; } cases[] = {
		{ "/", "root", NULL }, { "/p/ABC", "page", "ABC" }, { "/p/ABC.json", "json", "ABC" }, { "/p/ABC.proof", "proof", "ABC" },
		{ "/p/ABC.xml", "page", "ABC.xml" }, { "/p/.json", "page", ".json" }, { "/x/new", "new", NULL }, { "/x/other", "x", "other" },
		{ "/log/checkpoint", "checkpoint", NULL }, { "/log/tile/0/x001/067", "log", "tile/0/x001/067" }, { "/p/A%42C", "page", "ABC" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctm_match m;
		assert_int_equal(find(*state, "GET", cases[i].path, false, &m), 0);
		assert_string_equal(m.row->row.help, cases[i].help);
		if (cases[i].value)
			assert_string_equal(m.value[m.row->nfield - 1 - (m.row->row.in[0].name && !strcmp(m.row->row.in[m.row->nfield - 1].name, "note"))], cases[i].value);
	}
}

static void names_not_declared_become_fields(void **state)
{
	struct ctm_match m;
	assert_int_equal(find(*state, "POST", "/x/7/do/grant", false, &m), 0);
	assert_int_equal(m.row->nfield, 3);
	assert_string_equal(m.row->row.in[2].name, "event");
	assert_int_equal(m.row->row.in[2].type, CTM_V_SERIAL);
	assert_string_equal(m.value[0], "7");
	assert_null(m.value[1]);
	assert_string_equal(m.value[2], "grant");
	assert_null(m.row->row.in[3].name);
}

static void wrong_method_names_the_possible_ones(void **state)
{
	struct ctm_match m;
	assert_int_equal(find(*state, "DELETE", "/x/1", false, &m), CTM_E_METHOD);
	assert_string_equal(m.allow, "GET, HEAD, PUT");
	assert_int_equal(find(*state, "GET", "/x/1/do/e", false, &m), CTM_E_METHOD);
	assert_string_equal(m.allow, "POST");
	assert_int_equal(find(*state, "HEAD", "/x/1", false, &m), 0);
	assert_int_equal(find(*state, "get", "/x/1", false, &m), CTM_E_METHOD);
}

static void unknown_addresses_are_not_found(void **state)
{
	static const char *const paths[] = { "/p", "/q/1", "/x/1/2", "/log", "/x/1/do", "/y/b-.-c", "/y/b-..-c" };   /* dots: found by fuzzing */
	struct ctm_match m;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(find(*state, "GET", paths[i], false, &m), CTM_E_NOTFOUND);
}

static void path_tricks_are_refused(void **state)
{
	static const char *const paths[] = { "", "x", "//", "/x/", "/x//1", "/./x/1", "/x/../p/1", "/x/%2e%2e", "/log/%2e%2e/ctm.json", "/log/a%2fb", "/x/a%5cb", "/x/%00",
		"/x/%", "/x/%4", "/x/%zz", "/x/%c0%af", "/x/%0a", "/x/%7f", "/x/\xff", "/log/../../keys", "http://evil/x/1", "*" };
	struct ctm_match m;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (find(*state, "GET", paths[i], false, &m) != CTM_E_SYNTAX)
			fail_msg("path %s was not refused as malformed", paths[i]);
	char longpath[2000];
	memset(longpath, 'a', sizeof longpath);
	longpath[0] = '/';
	longpath[sizeof longpath - 1] = 0;
	assert_int_equal(find(*state, "GET", longpath, false, &m), CTM_E_SYNTAX);
	char deep[200] = "";
	for (int i = 0; i < 40; i++)
		strncat(deep, "/a", sizeof deep - strlen(deep) - 1);
	assert_int_equal(find(*state, "GET", deep, false, &m), CTM_E_SYNTAX);
}

static void each_door_has_its_own_rows(void **state)
{
	struct ctm_match m;
	assert_int_equal(find(*state, "POST", "/d/v1/state", true, &m), 0);
	assert_int_equal(find(*state, "POST", "/d/v1/state", false, &m), CTM_E_NOTFOUND);
	assert_int_equal(find(*state, "GET", "/x/1", true, &m), CTM_E_NOTFOUND);
}

static const struct ctm_tpl *no_view(const char *name) { return NULL; }

static void wrong_rows_stop_the_start(void **state)
{
	static const struct ctm_route bad[][2] = {
		{ ROW("GET", "/a/{id}", 0, .help = ""), ROW("GET", "/a/{name}", 0, .help = "") },
		{ ROW("GET", "a", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a/{id", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a/{}", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a/{x}{y}", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a/{x}/{x}", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a//b", 0, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a", CTM_R_HTML, .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a", CTM_R_HTML, .view = "room/missing", .help = ""), ROW("GET", "/b", 0, .help = "") },
		{ ROW("GET", "/a", CTM_R_WRITE, .help = ""), ROW("GET", "/b", 0, .help = "") },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctm_routes t = { bad[i], 2 };
		const struct ctm_routes *list[] = { &t };
		struct ctm_router *r = NULL;
		struct ctm_err err = { 0 };
		assert_int_equal(ctm_router_new(list, 1, no_view, &r, &err), CTM_E_STATE);
		assert_null(r);
		assert_true(*err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_most_literal_row_wins, up, down),
		cmocka_unit_test_setup_teardown(names_not_declared_become_fields, up, down),
		cmocka_unit_test_setup_teardown(wrong_method_names_the_possible_ones, up, down),
		cmocka_unit_test_setup_teardown(unknown_addresses_are_not_found, up, down),
		cmocka_unit_test_setup_teardown(path_tricks_are_refused, up, down),
		cmocka_unit_test_setup_teardown(each_door_has_its_own_rows, up, down),
		cmocka_unit_test(wrong_rows_stop_the_start),
	};
	return cmocka_run_group_tests_name("http router", tests, NULL, NULL);
}
