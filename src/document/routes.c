/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of documents. What the pages get: "document/list" (GET /products/{id}/documents)
 *   {product:{id, name}, may_edit, documents:[DOCUMENT as in product/routes.c], kinds:[text]}
 */
#include "document/document.h"

#define VIEWERS (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA)
#define KINDS "disclosure_policy,security_txt,user_guide,support_policy,design_assumptions,component_list,outcome_map,design_support,maintenance,lifecycle," \
	"vulnerability_handling,ecosystem,risk_assessment,design,data_catalogue,agent_consent,other"

static const struct ctm_field add_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "product", NULL },
	{ "kind", CTM_V_ENUM, 0, CTM_F_REQUIRED, "what the document is", KINDS },
	{ "title", CTM_V_LINE, 200, CTM_F_REQUIRED, "title", NULL },
	{ "visibility", CTM_V_ENUM, 0, 0, "public shows it beside the public record; otherwise the parties of a case see it", "case,public" }, { 0 }
};
static const struct ctm_field product_in[] = { { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "product", NULL }, { 0 } };
static const struct ctm_field id_in[] = { { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "document", NULL }, { 0 } };

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/products/{id}/documents", VIEWERS, CTM_R_HTML | CTM_R_SCOPED, .in = product_in, .use_case = ctm_uc_document_list, .view = "document/list",
		.reply = "", .help = "Documents of a product."),
	CTM_ROUTE("GET", "/api/v1/products/{id}/documents", VIEWERS, CTM_R_SCOPED, .in = product_in, .use_case = ctm_uc_document_list, .reply = "",
		.help = "Documents of a product."),
	CTM_ROUTE("POST", "/api/v1/products/{id}/documents", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = add_in,
		.prepare = ctm_prepare_document, .use_case = ctm_uc_document_add, .reply = "", .help = "Add a document.", .body_max = 16 << 20),
	CTM_ROUTE("GET", "/api/v1/documents/{id}/content", CTM_PUBLIC, 0, .in = id_in, .use_case = ctm_uc_document_content, .reply = "",
		.help = "The bytes of a document, for those who may see it."),
};

const struct ctm_routes ctm_document_routes = { rows, sizeof rows / sizeof *rows };
