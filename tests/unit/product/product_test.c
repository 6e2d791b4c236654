/* SPDX-License-Identifier: Apache-2.0
 *
 * Products, components, releases: who sees what, what is refused and leaves nothing behind (47 CFR 8.222(b) for the maker's fields).
 */
#include "cx.h"
#include "base/text.h"
#include "document/document.h"
#include "product/product.h"
#include "product/registry_fields.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct ctm_routes *const tables[] = { &ctm_product_routes, &ctm_document_routes, NULL };
static struct cxkit k;
static struct ctm_who owner, engineer, viewer, stranger, tester;
static char product[40], device[40], backend[40];

static void id_of(ctm_json *v, char out[40])
{
	assert_true(ctm_copy(out, 40, ctm_json_gets(v, "id")));
	ctm_json_free(v);
}

static void component(const char *kind, const char *name, char out[40])
{
	id_of(cxkit_good(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", product, "kind", kind, "name", name) }), out);
}

static int setup(void **state)
{
	cxkit_open(&k, tables);
	owner = cxkit_person(&k, "maker.owner", "");
	engineer = cxkit_person(&k, "maker.engineer", owner.org_id);
	viewer = cxkit_person(&k, "maker.viewer", owner.org_id);
	stranger = cxkit_person(&k, "maker.owner", "");
	tester = cxkit_person(&k, "lab.tester", "");
	id_of(cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "Camera", "model", "PC-1", "category", "camera", "intended_use", "porch") }), product);
	component("device", "the camera", device);
	component("backend", "the service", backend);
	return 0;
}

static int teardown(void **state)
{
	cxkit_close(&k);
	return 0;
}

static void release(const char *component_id, const char *version, const char *counter, char out[40])
{
	id_of(cxkit_good(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases",
		IN("id", component_id, "version", version, "support_end", "2031-12-31", "security_counter", counter) }), out);
}

static void foreign_products_do_not_exist(void **state)
{
	char draft[40];
	release(device, "0.1.0", "1", draft);
	const struct ctm_who *others[] = { &stranger, &tester };
	for (size_t i = 0; i < 2; i++) {
		cxkit_bad(&k, others[i], &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) }, CTM_E_NOTFOUND);
		cxkit_bad(&k, others[i], &(struct cxcall){ "GET", "/api/v1/releases/{id}", IN("id", draft) }, CTM_E_NOTFOUND);
		cxkit_bad(&k, others[i], &(struct cxcall){ "GET", "/api/v1/products/{id}/documents", IN("id", product) }, CTM_E_NOTFOUND);
		cxkit_bad(&k, others[i], &(struct cxcall){ "GET", "/api/v1/products/{id}/picture", IN("id", product) }, CTM_E_NOTFOUND);
	}
	cxkit_bad(&k, &stranger, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", product, "kind", "app", "name", "x") }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases", IN("id", device, "version", "9", "support_end", "2031-12-31") }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "POST", "/api/v1/releases/{id}/publish", IN("id", draft) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/image", IN("id", draft), .upload = "x", .upload_n = 1 }, CTM_E_NOTFOUND);
	CTM_AUTO_JSON *list = cxkit_good(&k, &stranger, &(struct cxcall){ "GET", "/api/v1/products" });
	assert_int_equal(ctm_json_len(ctm_json_get(list, "products")), 0);
}

static void a_viewer_reads_and_does_not_write(void **state)
{
	CTM_AUTO_JSON *p = cxkit_good(&k, &viewer, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	assert_false(ctm_json_getb(p, "may_edit", true));
	assert_true(ctm_json_getb(p, "mine", false));
	cxkit_bad(&k, &viewer, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "A", "model", "A", "category", "a", "intended_use", "a") }, CTM_E_FORBIDDEN);
}

static void the_page_shows_the_matrix_in_full(void **state)
{
	CTM_AUTO_JSON *p = cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	const ctm_json *m = ctm_json_get(p, "matrix");
	assert_int_equal(ctm_json_len(ctm_json_get(m, "rows")), 41);       /* 11 numbered, 6 lettered, 24 developer items */
	assert_int_equal(ctm_json_len(ctm_json_get(m, "components")), 3);  /* camera, service, the product as a whole */
	assert_int_equal(ctm_json_len(ctm_json_get(p, "components")), 2);  /* the hidden one is not listed */
	const ctm_json *cells = ctm_json_get(ctm_json_at(ctm_json_get(m, "rows"), 0), "cells");
	assert_int_equal(ctm_json_len(cells), 3);
	assert_string_equal(ctm_json_gets(ctm_json_at(cells, 0), "status"), "");
}

static void a_cell_must_be_of_this_product(void **state)
{
	char other[40];
	id_of(cxkit_good(&k, &stranger, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "O", "model", "O", "category", "o", "intended_use", "o") }), other);
	ctm_json_free(cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}", IN("id", product, "component_id", device, "outcome", "SU.1") }));
	cxkit_bad(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}", IN("id", product, "component_id", device, "outcome", "SU.99") }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}", IN("id", other, "component_id", device, "outcome", "SU.1") }, CTM_E_NOTFOUND);
}

static void one_model_once(void **state)
{
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "Again", "model", "PC-1", "category", "camera", "intended_use", "porch") }, CTM_E_EXISTS);
	assert_string_equal(k.err.field, "model");
}

static void leaving_out_a_component_needs_a_reason(void **state)
{
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", product, "kind", "app", "name", "x", "in_scope", "false") }, CTM_E_INPUT);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", product, "kind", "product", "name", "x") }, CTM_E_INPUT);
}

#define FIELDS(password, support, extra) "{\"default_password\":" password ",\"secure_configuration\":\"do\",\"updates\":{\"automatic\":true}," \
	"\"support\":" support ",\"bom\":{\"hbom\":false,\"sbom\":true},\"setup\":\"do\",\"report_problem\":\"mailto:a@example.org\"" extra "}"
#define PASSWORD "{\"changeable\":true,\"instructions\":\"do\"}"
#define END(d) "{\"end_date\":\"" d "\"}"

static struct cxcall registry(const char *json)
{
	static const char *in[3];
	in[0] = "id", in[1] = product, in[2] = NULL;
	return (struct cxcall){ .method = "PUT", .path = "/api/v1/products/{id}/registry", .in = in, .json = json };
}

static void registry_fields_are_complete_or_refused(void **state)
{
	static const struct { const char *json, *field; } bad[] = {
		{ FIELDS("{\"instructions\":\"do\"}", END("2031-12-31"), ""), "/default_password" },
		{ FIELDS("{\"changeable\":\"yes\",\"instructions\":\"do\"}", END("2031-12-31"), ""), "/default_password/changeable" },
		{ FIELDS(PASSWORD, END("31.12.2031"), ""), "/support/end_date" },
		{ FIELDS(PASSWORD, "{}", ""), "/support" },
		{ FIELDS(PASSWORD, "{\"end_date\":\"2031-12-31\",\"unsupported_statement\":\"no\"}", ""), "/support" },
		{ FIELDS(PASSWORD, END("2031-12-31"), ",\"authorization\":{\"status\":\"authorised\"}"), "/authorization" },
		{ "{}", "/default_password" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct cxcall c = registry(bad[i].json);
		cxkit_bad(&k, &owner, &c, CTM_E_INPUT);
		if (!ctm_starts(k.err.field, bad[i].field) && *bad[i].field)
			fail_msg("%s: %s", bad[i].json, k.err.field);
	}
	struct cxcall twice = registry("{\"setup\":1,\"setup\":2}");
	cxkit_bad(&k, &owner, &twice, CTM_E_SYNTAX);
	CTM_AUTO_JSON *p = cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	assert_false(ctm_json_getb(ctm_json_get(p, "product"), "registry_complete", true));
	struct cxcall good = registry(FIELDS(PASSWORD, END("2031-12-31"), ""));
	ctm_json_free(cxkit_good(&k, &owner, &good));
}

static void fields_are_not_changed_over_a_newer_version(void **state)
{
	CTM_AUTO_JSON *p = cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	char seen[24];
	snprintf(seen, sizeof seen, "%lld", (long long)ctm_json_geti(p, "row_version", -1));
	struct cxcall c = { "PUT", "/api/v1/products/{id}/registry", IN("id", product, "row_version", seen) };
	c.json = FIELDS(PASSWORD, END("2031-12-31"), "");
	ctm_json_free(cxkit_good(&k, &owner, &c));
	cxkit_bad(&k, &owner, &c, CTM_E_CONFLICT);
	assert_string_equal(k.err.field, "row_version");
}

static void promised_support_is_never_shortened(void **state)
{
	CTM_AUTO_JSON *was = NULL, *shorter = NULL, *longer = NULL, *none = NULL;
	struct ctm_err err = { 0 };
	static const char a[] = "{\"support\":{\"end_date\":\"2031-12-31\"}}", b[] = "{\"support\":{\"end_date\":\"2030-12-31\"}}", c[] = "{\"support\":{\"end_date\":\"2032-01-01\"}}",
		d[] = "{\"support\":{\"unsupported_statement\":\"over\"}}";
	assert_int_equal(ctm_json_parse(a, sizeof a - 1, 100, "a", &was, &err), 0);
	assert_int_equal(ctm_json_parse(b, sizeof b - 1, 100, "b", &shorter, &err), 0);
	assert_int_equal(ctm_json_parse(c, sizeof c - 1, 100, "c", &longer, &err), 0);
	assert_int_equal(ctm_json_parse(d, sizeof d - 1, 100, "d", &none, &err), 0);
	assert_int_equal(ctm_registry_fields_support(was, longer, &err), 0);
	assert_int_equal(ctm_registry_fields_support(none, was, &err), 0);
	assert_int_equal(ctm_registry_fields_support(was, shorter, &err), CTM_E_INPUT);
	ctm_err_clear(&err);
	assert_int_equal(ctm_registry_fields_support(was, none, &err), CTM_E_INPUT);
}

static void publishing_names_all_that_is_missing(void **state)
{
	char id[40];
	release(device, "1.0.0", "10000", id);
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/releases/{id}/publish", IN("id", id) }, CTM_E_STATE);
	static const char *const words[] = { "image", "manifest", "bill of materials", "declaration" };
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr(k.err.msg, words[i]));
	release(backend, "1.0.0", "1", id);
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/releases/{id}/publish", IN("id", id) }, CTM_E_STATE);
	assert_null(strstr(k.err.msg, "image"));
	assert_non_null(strstr(k.err.msg, "bill of materials"));
}

static void a_version_is_made_once(void **state)
{
	char id[40];
	release(device, "2.0.0", "20000", id);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases", IN("id", device, "version", "2.0.0", "support_end", "2031-12-31") }, CTM_E_EXISTS);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases", IN("id", device, "version", "2.0.1") }, CTM_E_INPUT);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases", IN("id", device, "version", "../1", "support_end", "2031-12-31") }, CTM_E_INPUT);
}

static void a_part_that_is_not_what_it_says_leaves_nothing(void **state)
{
	char id[40];
	release(device, "3.0.0", "30000", id);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/manifest", IN("id", id), .upload = "junk", .upload_n = 4 }, CTM_E_INPUT);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/declaration", IN("id", id), .upload = "{\"a\":1,\"a\":1}", .upload_n = 13 }, CTM_E_SYNTAX);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/declaration", IN("id", id), .upload = "{}", .upload_n = 2 }, CTM_E_INPUT);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/image", IN("id", id), .upload = "", .upload_n = 0 }, CTM_E_INPUT);
	static char deep[20000];
	memset(deep, '[', sizeof deep);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/declaration", IN("id", id), .upload = deep, .upload_n = sizeof deep }, CTM_E_SYNTAX);
	CTM_AUTO_JSON *r = cxkit_good(&k, &engineer, &(struct cxcall){ "GET", "/api/v1/releases/{id}", IN("id", id) });
	assert_string_equal(ctm_json_gets(r, "manifest_digest"), "");
	assert_string_equal(ctm_json_gets(r, "declaration_digest"), "");
	assert_string_equal(ctm_json_gets(r, "image_digest"), "");
}

static void a_new_image_drops_the_old_manifest(void **state)
{
	char id[40];
	release(device, "4.0.0", "40000", id);
	ctm_json_free(cxkit_good(&k, &engineer, &(struct cxcall){ "PUT", "/api/v1/releases/{id}/image", IN("id", id), .upload = "one", .upload_n = 3 }));
	CTM_AUTO_JSON *r = cxkit_good(&k, &engineer, &(struct cxcall){ "GET", "/api/v1/releases/{id}", IN("id", id) });
	assert_true(ctm_starts(ctm_json_gets(r, "image_digest"), "sha256:"));
	assert_string_equal(ctm_json_gets(r, "manifest_digest"), "");
}

static void documents_are_sent_as_what_they_are(void **state)
{
	static const char html[] = "<script>alert(1)</script>";
	char id[40];
	id_of(cxkit_good(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/documents", IN("id", product, "kind", "user_guide", "title", "Guide"), .upload = html,
		.upload_n = sizeof html - 1 }), id);
	CTM_AUTO_JSON *list = cxkit_good(&k, &viewer, &(struct cxcall){ "GET", "/api/v1/products/{id}/documents", IN("id", product) });
	const ctm_json *d = ctm_json_at(ctm_json_get(list, "documents"), 0);
	assert_string_equal(ctm_json_gets(d, "media_type"), "text/plain; charset=utf-8");
	ctm_json_free(cxkit_good(&k, &viewer, &(struct cxcall){ "GET", "/api/v1/documents/{id}/content", IN("id", id) }));
	cxkit_bad(&k, &stranger, &(struct cxcall){ "GET", "/api/v1/documents/{id}/content", IN("id", id) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &cxkit_nobody, &(struct cxcall){ "GET", "/api/v1/documents/{id}/content", IN("id", id) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/documents", IN("id", product, "kind", "certificate", "title", "Mine"), .upload = "x", .upload_n = 1 }, CTM_E_INPUT);
}

static void a_public_document_waits_for_the_record(void **state)
{
	char id[40];
	id_of(cxkit_good(&k, &engineer, &(struct cxcall){ "POST", "/api/v1/products/{id}/documents", IN("id", product, "kind", "security_txt", "title", "T", "visibility", "public"), .upload = "x",
		.upload_n = 1 }), id);
	cxkit_bad(&k, &cxkit_nobody, &(struct cxcall){ "GET", "/api/v1/documents/{id}/content", IN("id", id) }, CTM_E_NOTFOUND);
}

static void a_picture_is_a_picture(void **state)
{
	cxkit_bad(&k, &owner, &(struct cxcall){ "PUT", "/api/v1/products/{id}/picture", IN("id", product), .upload = "<svg/>", .upload_n = 6 }, CTM_E_UNSUPPORTED);
	static const char png[] = "\x89PNG\r\n\x1a\n....";
	ctm_json_free(cxkit_good(&k, &owner, &(struct cxcall){ "PUT", "/api/v1/products/{id}/picture", IN("id", product), .upload = png, .upload_n = sizeof png - 1 }));
	ctm_json_free(cxkit_good(&k, &viewer, &(struct cxcall){ "GET", "/api/v1/products/{id}/picture", IN("id", product) }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_products_do_not_exist), cmocka_unit_test(a_viewer_reads_and_does_not_write), cmocka_unit_test(the_page_shows_the_matrix_in_full),
		cmocka_unit_test(a_cell_must_be_of_this_product), cmocka_unit_test(one_model_once), cmocka_unit_test(leaving_out_a_component_needs_a_reason),
		cmocka_unit_test(registry_fields_are_complete_or_refused), cmocka_unit_test(promised_support_is_never_shortened),
		cmocka_unit_test(fields_are_not_changed_over_a_newer_version), cmocka_unit_test(publishing_names_all_that_is_missing),
		cmocka_unit_test(a_version_is_made_once), cmocka_unit_test(a_part_that_is_not_what_it_says_leaves_nothing), cmocka_unit_test(a_new_image_drops_the_old_manifest),
		cmocka_unit_test(documents_are_sent_as_what_they_are), cmocka_unit_test(a_public_document_waits_for_the_record), cmocka_unit_test(a_picture_is_a_picture),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
