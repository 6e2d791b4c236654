/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of products, components and releases. What the pages get:
 *
 * "product/list" (GET /products)           {may_edit, products:[PRODUCT as in identity/routes.c]}
 *      with may_edit the page shows the form POST /products {name, model, category, intended_use, summary?, gtin?, fcc_id?}
 *
 * "product/product" (GET /products/{id})
 *   {product:{id, name, model, category, intended_use, summary, gtin, fcc_id, maker, maker_id, status, support_end|null, version|null,
 *             certificate|null, record_id|null, registry:{the maker's fields}, registry_complete:bool, has_picture:bool, row_version},
 *    may_edit, mine:bool (the viewer belongs to the maker), missing:[text] (what an application would still lack), ready:bool,
 *    components:[{id, kind, name, in_scope:bool, carve_out, built, enrolled,
 *                 releases:[{id, version, state, draft:bool, support_end, security_counter, image_digest, manifest_digest, sbom_digest,
 *                            declaration_digest, sbom:{components, subject{}, missing:[], warnings:[]}, published_ms|null, missing:[text]}]}],
 *    matrix:MATRIX|null, documents:[DOCUMENT], devices:[DEVICE] (first 50), device_count, cases:[CASE], jobs:[JOB],
 *    records:[{id, status, version, published_ms}], timeline:[{at_ms, actor, what, ref}] (newest first, 200),
 *    clas:[{id, name}], labs:[{id, name}] (for the application form; only with mine)}
 *      MATRIX    {product_id, job_id|null, components:[{id, name, kind}], rows:[{outcome, text, cells:[{outcome, component_id, component, status, count,
 *                 newest_ms|null, why, product_id, job_id|null}]}], counts:{met, not_met, undetermined, not_applicable, empty}}
 *                status: met, not_met, undetermined, not_applicable, or "" where nothing is known; a cell opens
 *                /products/{product_id}/cells/{component_id}/{outcome}
 *      DOCUMENT  {id, kind, title, digest, media_type, size, author, visibility, created_ms}     bytes: /api/v1/documents/ID/content
 *      DEVICE    see device/routes.c, JOB see lab/desk/routes.c, CASE see identity/routes.c
 *   GET /api/v1/products/{id} has the members of `product` on the outside too.
 *   forms: POST /products/{id}/components {kind, name}; POST /components/{id}/releases {version, support_end, security_counter};
 *          POST /releases/{id}/publish {}; POST /products/{id}/registry (flat fields, see the rows)
 *
 * "product/cell" (GET /products/{id}/cells/{component_id}/{outcome}?job=)
 *   {product:{id, name}, component:{id, name, kind}, outcome, text, status, why, at_ms|null, job_id|null,
 *    evidence:[{id, check_id, kind, method, verdict, digest, title, author, at_ms, job_id|null}]}
 */
#include "product/product.h"
#include "product/use_cases.h"

#define EDITORS (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER)
#define VIEWERS (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA)
#define ID(what) { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, what, NULL }

static const struct ctm_field id_in[] = { ID("product"), { 0 } };
static const struct ctm_field release_id_in[] = { ID("release"), { 0 } };
static const struct ctm_field product_in[] = {
	{ "name", CTM_V_LINE, 120, CTM_F_REQUIRED, "name a buyer would know it by", NULL },
	{ "model", CTM_V_LINE, 120, CTM_F_REQUIRED, "model as printed on the plate", NULL },
	{ "category", CTM_V_LINE, 60, CTM_F_REQUIRED, "kind of product, for example camera", NULL },
	{ "intended_use", CTM_V_TEXT, 1000, CTM_F_REQUIRED, "what it is for and where", NULL },
	{ "summary", CTM_V_TEXT, 1000, 0, "what it does, in one or two sentences", NULL },
	{ "gtin", CTM_V_SERIAL, 14, 0, "trade item number", NULL },
	{ "fcc_id", CTM_V_SERIAL, 20, 0, "FCC ID", NULL }, { 0 }
};
static const struct ctm_field component_in[] = {
	ID("product"),
	{ "kind", CTM_V_ENUM, 0, CTM_F_REQUIRED, "device, gateway, app or backend", "device,gateway,app,backend" },
	{ "name", CTM_V_LINE, 80, CTM_F_REQUIRED, "name of the component", NULL },
	{ "in_scope", CTM_V_BOOL, 0, 0, "left out when the risk assessment says so", NULL },
	{ "carve_out", CTM_V_LINE, 200, 0, "reference to the risk assessment, when not in scope", NULL }, { 0 }
};
static const struct ctm_field release_in[] = {
	ID("component"),
	{ "version", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "version", NULL },
	{ "support_end", CTM_V_DATE, 10, CTM_F_REQUIRED, "day until which critical vulnerabilities are fixed", NULL },
	{ "security_counter", CTM_V_INT, 2147483647, 0, "number that never falls from release to release", NULL }, { 0 }
};
static const struct ctm_field cell_in[] = {
	ID("product"),
	{ "component_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "component", NULL },
	{ "outcome", CTM_V_SERIAL, 32, CTM_F_REQUIRED, "outcome of NIST IR 8425", NULL },
	{ "job", CTM_V_UUID, 36, 0, "one evaluation only", NULL }, { 0 }
};
#define SEEN { "row_version", CTM_V_INT, 0, 0, "row_version of the product that was looked at; when it has changed since, nothing is done", NULL }
static const struct ctm_field registry_put_in[] = { ID("product"), SEEN, { 0 } };
static const struct ctm_field registry_in[] = {
	ID("product"), SEEN,
	{ "password_changeable", CTM_V_BOOL, 0, 0, "the default password can be changed", NULL },
	{ "password_instructions", CTM_V_TEXT, 2000, CTM_F_REQUIRED, "how to change it, or that it cannot be changed", NULL },
	{ "secure_configuration", CTM_V_TEXT, 2000, CTM_F_REQUIRED, "how to configure it securely", NULL },
	{ "updates_automatic", CTM_V_BOOL, 0, 0, "updates install by themselves", NULL },
	{ "updates_how_to_get", CTM_V_TEXT, 2000, 0, "how to get updates when not automatic", NULL },
	{ "support_end", CTM_V_DATE, 10, 0, "supported until", NULL },
	{ "unsupported_statement", CTM_V_TEXT, 2000, 0, "instead of a date: that it is unsupported", NULL },
	{ "hbom", CTM_V_BOOL, 0, 0, "a hardware bill of materials is kept", NULL },
	{ "sbom", CTM_V_BOOL, 0, 0, "a software bill of materials is kept", NULL },
	{ "setup", CTM_V_TEXT, 2000, CTM_F_REQUIRED, "how to set it up", NULL },
	{ "report_problem", CTM_V_LINE, 300, CTM_F_REQUIRED, "https: address or mailto: for reports", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/products", VIEWERS, CTM_R_HTML, .use_case = ctm_uc_product_list, .view = "product/list", .reply = "", .help = "Products you may see."),
	CTM_ROUTE("GET", "/products/{id}", VIEWERS, CTM_R_HTML | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_product_get, .view = "product/product", .reply = "",
		.help = "One product: matrix, components, releases, documents, devices, cases."),
	CTM_ROUTE("GET", "/products/{id}/cells/{component_id}/{outcome}", VIEWERS, CTM_R_HTML | CTM_R_SCOPED, .in = cell_in, .use_case = ctm_uc_product_cell,
		.view = "product/cell", .reply = "", .help = "The evidence behind one cell of the matrix."),
	CTM_ROUTE("POST", "/products", EDITORS, CTM_R_HTML | CTM_R_WRITE, .in = product_in, .use_case = ctm_uc_product_add, .view = "product/list", .reply = "",
		.help = "Add a product."),
	CTM_ROUTE("POST", "/products/{id}/components", EDITORS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = component_in, .use_case = ctm_uc_component_add,
		.view = "product/product", .reply = "", .help = "Add a component."),
	CTM_ROUTE("POST", "/products/{id}/registry", EDITORS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = registry_in, .use_case = ctm_uc_product_registry_form,
		.view = "product/product", .reply = "", .help = "Set the maker's fields of the public record."),
	CTM_ROUTE("POST", "/components/{id}/releases", EDITORS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = release_in, .use_case = ctm_uc_release_add,
		.view = "product/product", .reply = "", .help = "Start a release."),
	CTM_ROUTE("POST", "/releases/{id}/publish", EDITORS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = release_id_in, .prepare = ctm_prepare_publish,
		.use_case = ctm_uc_release_publish, .view = "product/product", .reply = "", .help = "Publish a release."),

	CTM_ROUTE("GET", "/api/v1/products", VIEWERS, 0, .use_case = ctm_uc_product_list, .reply = "", .help = "Products you may see."),
	CTM_ROUTE("POST", "/api/v1/products", EDITORS, CTM_R_WRITE, .in = product_in, .use_case = ctm_uc_product_add, .reply = "", .help = "Add a product."),
	CTM_ROUTE("GET", "/api/v1/products/{id}", VIEWERS, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_product_api, .reply = "", .help = "One product."),
	CTM_ROUTE("PUT", "/api/v1/products/{id}/registry", EDITORS, CTM_R_WRITE | CTM_R_JSON | CTM_R_SCOPED, .in = registry_put_in, .use_case = ctm_uc_product_registry,
		.reply = "", .help = "Set the maker's fields of the public record (47 CFR 8.222(b))."),
	CTM_ROUTE("PUT", "/api/v1/products/{id}/picture", EDITORS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = id_in, .prepare = ctm_prepare_picture,
		.use_case = ctm_uc_product_picture, .reply = "", .help = "Set the picture (PNG or JPEG).", .body_max = 512 * 1024),
	CTM_ROUTE("GET", "/api/v1/products/{id}/picture", CTM_PUBLIC, 0, .in = id_in, .use_case = ctm_uc_product_picture_get, .reply = "",
		.help = "The picture; public once the product has a record."),
	CTM_ROUTE("POST", "/api/v1/products/{id}/components", EDITORS, CTM_R_WRITE | CTM_R_SCOPED, .in = component_in, .use_case = ctm_uc_component_add, .reply = "",
		.help = "Add a component."),
	CTM_ROUTE("GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}", VIEWERS, CTM_R_SCOPED, .in = cell_in, .use_case = ctm_uc_product_cell, .reply = "",
		.help = "The evidence behind one cell of the matrix."),
	CTM_ROUTE("POST", "/api/v1/components/{id}/releases", EDITORS, CTM_R_WRITE | CTM_R_SCOPED, .in = release_in, .use_case = ctm_uc_release_add, .reply = "",
		.help = "Start a release."),
	CTM_ROUTE("GET", "/api/v1/releases/{id}", VIEWERS, CTM_R_SCOPED, .in = release_id_in, .use_case = ctm_uc_release_get, .reply = "", .help = "One release."),
	CTM_ROUTE("PUT", "/api/v1/releases/{id}/image", EDITORS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = release_id_in, .use_case = ctm_uc_release_image,
		.reply = "", .help = "Upload the image.", .body_max = (size_t)256 << 20),
	CTM_ROUTE("PUT", "/api/v1/releases/{id}/manifest", EDITORS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = release_id_in, .prepare = ctm_prepare_manifest,
		.use_case = ctm_uc_release_manifest, .reply = "", .help = "Upload the signed update manifest; it must agree with image and version.", .body_max = 64 * 1024),
	CTM_ROUTE("PUT", "/api/v1/releases/{id}/sbom", EDITORS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = release_id_in, .prepare = ctm_prepare_sbom,
		.use_case = ctm_uc_release_sbom, .reply = "", .help = "Upload the software bill of materials (CycloneDX JSON).", .body_max = 16 << 20),
	CTM_ROUTE("PUT", "/api/v1/releases/{id}/declaration", EDITORS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = release_id_in, .prepare = ctm_prepare_declaration,
		.use_case = ctm_uc_release_declaration, .reply = "", .help = "Upload the declaration (ctm.declaration/1).", .body_max = 256 * 1024),
	CTM_ROUTE("POST", "/api/v1/releases/{id}/publish", EDITORS, CTM_R_WRITE | CTM_R_SCOPED, .in = release_id_in, .prepare = ctm_prepare_publish,
		.use_case = ctm_uc_release_publish, .reply = "", .help = "Publish; refused while image, manifest, SBOM, declaration or support end is missing."),
};

const struct ctm_routes ctm_product_routes = { rows, sizeof rows / sizeof *rows };
