/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of inquiry. What the pages get (absent things are null):
 *
 * "inquiry/find" (GET /find?q=)             {query|null, count, more:bool, hits:[HIT]}
 *      HIT  {kind (device, product, case, job, record, person, organisation), title, about (one line), state, href}, best first
 *
 * "inquiry/changes" (GET /changes)          {all:bool (every organisation's lines), kinds:[text], kind|null, who|null, from|null, to|null,
 *      older|null (seq: the next page holds the lines before it), lines:[LINE] (newest first, 100)}
 *      LINE  {seq, at_ms, actor, name (of the actor, or ""), org, action, kind, subject, about (name of the subject, or ""), href|null, hash, members:[{name, before|null, after|null}],
 *             hidden:bool}
 *            The operator runs the platform and has no case power: of other things than people, organisations and sessions the operator
 *            sees which members changed, not their values (hidden).
 */
#include "inquiry/inquiry.h"

static const struct ctm_field find_in[] = {
	{ "q", CTM_V_LINE, 100, 0, "serial, public id, GTIN, FCC ID, case, report or certificate number, product, model or person", NULL }, { 0 }
};
#define KINDS "organisation,person,session,product,component,release,document,device,lab_job,case,certificate,record"
static const struct ctm_field changes_in[] = {
	{ "kind", CTM_V_ENUM, 24, 0, "only changes of this kind of thing", KINDS },
	{ "who", CTM_V_LINE, 90, 0, "only by this person (id, or part of the name)", NULL },
	{ "from", CTM_V_DATE, 10, 0, "first day (UTC)", NULL }, { "to", CTM_V_DATE, 10, 0, "last day (UTC)", NULL },
	{ "before", CTM_V_INT, 0x7fffffff, 0, "only lines before this number", NULL }, { 0 }
};

#define READERS (CTM_ROLE_OPERATOR | CTM_ROLE_MAKER_OWNER | CTM_ROLE_LAB_MANAGER | CTM_ROLE_CLA_SURVEILLANCE | CTM_ROLE_CLA_APPEALS)

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/find", CTM_SIGNED_IN, CTM_R_HTML, .in = find_in, .use_case = ctm_uc_find_page, .view = "inquiry/find", .reply = "",
		.help = "The search box: everything you may see, straight there when the answer is one."),
	CTM_ROUTE("GET", "/api/v1/find", CTM_SIGNED_IN, 0, .in = find_in, .use_case = ctm_uc_find, .reply = "", .help = "Search everything you may see."),
	CTM_ROUTE("GET", "/changes", READERS, CTM_R_HTML, .in = changes_in, .use_case = ctm_uc_changes, .view = "inquiry/changes", .reply = "",
		.help = "Who changed what: the audit lines of your organisation; of all, for the operator."),
	CTM_ROUTE("GET", "/api/v1/changes", READERS, 0, .in = changes_in, .use_case = ctm_uc_changes, .reply = "", .help = "Audit lines, newest first."),
	CTM_ROUTE("GET", "/changes.csv", READERS, 0, .in = changes_in, .use_case = ctm_uc_changes_csv, .reply = "",
		.help = "Audit lines as a table (RFC 4180), the newest 10,000 that fit the filter."),
};

const struct ctm_routes ctm_inquiry_routes = { rows, sizeof rows / sizeof *rows };
