/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table, compiled once at start from the rows of all rooms. A path is matched segment by segment on its decoded
 * form. A segment of a row is a literal, or one {name} with literal text before and after it ("{id}.json"); the last {name}
 * of a row whose field is CTM_V_PATH takes the rest of the path. Where several rows fit, literals win over {names}, and a
 * {name} with more literal text around it wins over one with less; so "/p/{id}.json" is tried before "/p/{id}".
 *
 * Tricks are refused before matching: a path has no empty, "." or ".." segment, no encoded slash, backslash, NUL or control
 * character, and is UTF-8. There is one spelling of each address, so nothing is normalised.
 *
 * Rows on the device door (CTM_R_DEVICE) exist only there, all others only on the other door: a request on the wrong door
 * gets NOTFOUND. Building the table refuses two rows for the same requests, a malformed path and an unknown view.
 */
#ifndef CTM_HTTP_ROUTER_H
#define CTM_HTTP_ROUTER_H
#include "http/app.h"
#include "http/tpl.h"

#define CTM_ROUTE_SEGS 12
#define CTM_ROUTE_FIELDS 48

struct ctm_seg {
	char *pre, *suf;           /* literal text before and after {name}; a literal segment has only pre */
	size_t npre, nsuf;
	int field;                 /* index into row.in, -1 for a literal */
	bool rest;
};

/* One row ready for use. row is a copy whose `in` also holds the {names} that the room's row did not declare (validated as
 * CTM_V_SERIAL), so that ctm_in() knows them. */
struct ctm_compiled {
	struct ctm_route row;
	struct ctm_seg seg[CTM_ROUTE_SEGS];
	size_t nseg, nfield;
	const struct ctm_tpl *view;            /* rows with CTM_R_HTML */
	const struct ctm_compiled *twin;       /* HTML POST: the GET row with the same view whose {names} this row has too, or NULL */
	bool in_path[CTM_ROUTE_FIELDS];        /* field is a {name} of the path */
};

struct ctm_router;

typedef const struct ctm_tpl *ctm_view_fn(const char *name);

/* Tables are borrowed and outlive the router. STATE with the route's address as the field when a row is wrong. */
CTM_CHECK int ctm_router_new(const struct ctm_routes *const *tables, size_t n, ctm_view_fn *view, struct ctm_router **out, struct ctm_err *err);
void ctm_router_free(struct ctm_router *r);
size_t ctm_router_count(const struct ctm_router *r);
const struct ctm_compiled *ctm_router_at(const struct ctm_router *r, size_t i);   /* in the order of the rooms' tables */

struct ctm_match {
	const struct ctm_compiled *row;
	const char *value[CTM_ROUTE_FIELDS];   /* by field index; decoded, not yet validated; NULL for fields not in the path */
	char allow[48];                        /* methods of the address, for 405 */
};

/* raw: the path as sent, without query. HEAD matches GET rows. NOTFOUND; METHOD with m->allow filled; SYNTAX for a malformed
 * path; NOMEM. */
CTM_CHECK int ctm_router_match(const struct ctm_router *r, const char *method, const char *raw, bool edge, struct ctm_arena *arena,
	struct ctm_match *m, struct ctm_err *err);

#endif
