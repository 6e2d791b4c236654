/* SPDX-License-Identifier: Apache-2.0
 * Addresses and field values: nothing that matches holds a path trick, and what a validator accepts stays accepted. */
#include "base/file.h"
#include "http/field.h"
#include "http/router.h"
#include <stdlib.h>
#include <string.h>

static int nothing(struct ctm_cx *cx, ctm_json *out) { return 0; }
static const struct ctm_field rest_in[] = { { "path", CTM_V_PATH, 0, 0, "", NULL }, { 0 } };
#define ROW(m, p, ...) CTM_ROUTE(m, p, CTM_PUBLIC, 0, .use_case = nothing, .help = "", __VA_ARGS__)
static const struct ctm_route rows[] = { ROW("GET", "/", .in = NULL), ROW("GET", "/p/{id}", .in = NULL), ROW("GET", "/p/{id}.json", .in = NULL),
	ROW("GET", "/a/{x}/b-{y}-c", .in = NULL), ROW("POST", "/a/{x}", .in = NULL), ROW("GET", "/log/{path}", .in = rest_in) };
static const struct ctm_routes table = { rows, sizeof rows / sizeof *rows };

static void check_value(const struct ctm_field *f, const char *v, struct ctm_arena *a)
{
	const char *out = NULL, *again = NULL;
	if (ctm_field_check(f, v, strlen(v), a, &out, NULL) || !out)
		return;
	if (f->type == CTM_V_PATH && !ctm_path_safe(out))
		abort();
	if (ctm_field_check(f, out, strlen(out), a, &again, NULL) || !again || strcmp(out, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ctm_router *r;
	static const struct ctm_routes *const tables[] = { &table };
	if (!r && ctm_router_new(tables, 1, NULL, &r, NULL))
		abort();
	CTM_AUTO_ARENA *a = ctm_arena_new(1 << 22);
	char *path = n < 4096 && !memchr(data, 0, n) ? ctm_arena_ndup(a, (const char *)data, n) : NULL;
	struct ctm_match m;
	if (!path)
		return 0;
	for (int t = CTM_V_TEXT; t <= CTM_V_ENUM; t++)
		check_value(&(struct ctm_field){ "f", (enum ctm_vtype)t, 0, 0, "", "a,bb,ccc" }, path, a);
	if (ctm_router_match(r, "GET", path, false, a, &m, NULL))
		return 0;
	for (size_t i = 0; i < m.row->nfield; i++)
		if (m.value[i] && (!ctm_path_safe(m.value[i]) || (m.row->row.in[i].type != CTM_V_PATH && strchr(m.value[i], '/'))))
			abort();
	return 0;
}
