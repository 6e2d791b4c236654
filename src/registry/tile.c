/* SPDX-License-Identifier: Apache-2.0
 *
 * Tile paths. Parsing reads the form loosely, writes it again and compares: one spelling per tile, so a path never names a
 * file that the log did not write.
 */
#include "registry/tile.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

void ctm_tile_path(const struct ctm_tile *t, char out[CTM_TILE_PATH_MAX])
{
	char level[12] = "entries", num[32], part[8] = "";
	size_t at = sizeof num;
	int64_t n = t->n;

	num[--at] = '\0';
	for (bool last = true; last || n > 0; last = false, n /= 1000) {
		char g[8];
		snprintf(g, sizeof g, last ? "%03d" : "x%03d/", (int)(n % 1000));
		at -= strlen(g);
		memcpy(num + at, g, strlen(g));
	}
	if (t->level >= 0)
		snprintf(level, sizeof level, "%d", t->level);
	if (t->width < CTM_TILE_WIDTH)
		snprintf(part, sizeof part, ".p/%u", t->width & 255);
	snprintf(out, CTM_TILE_PATH_MAX, "tile/%s/%s%s", level, num + at, part);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

int ctm_tile_parse(const char *path, struct ctm_tile *out)
{
	struct ctm_tile t = { .width = CTM_TILE_WIDTH };
	char again[CTM_TILE_PATH_MAX];
	const char *p;

	if (!path || strnlen(path, CTM_TILE_PATH_MAX) >= CTM_TILE_PATH_MAX || !ctm_starts(path, "tile/"))
		return CTM_E_SYNTAX;
	p = path + 5;
	if (ctm_starts(p, "entries/")) {
		t.level = CTM_TILE_ENTRIES;
		p += 8;
	} else if (p[0] >= '0' && p[0] < '0' + CTM_TILE_LEVELS && p[1] == '/') {
		t.level = p[0] - '0';
		p += 2;
	} else {
		return CTM_E_SYNTAX;
	}
	for (int groups = 0;; groups++) {
		bool more = *p == 'x';
		p += more;
		if (groups == 6 || !digit(p[0]) || !digit(p[1]) || !digit(p[2]))
			return CTM_E_SYNTAX;
		t.n = t.n * 1000 + (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
		p += 3;
		if (!more)
			break;
		if (*p++ != '/')
			return CTM_E_SYNTAX;
	}
	if (ctm_starts(p, ".p/")) {
		int64_t w;
		if (ctm_parse_i64(p + 3, 1, CTM_TILE_WIDTH - 1, &w))
			return CTM_E_SYNTAX;
		t.width = (unsigned)w;
	} else if (*p) {
		return CTM_E_SYNTAX;
	}
	ctm_tile_path(&t, again);
	if (strcmp(again, path))
		return CTM_E_SYNTAX;
	*out = t;
	return 0;
}
