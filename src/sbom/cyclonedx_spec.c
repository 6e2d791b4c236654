/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables: one per object of the CycloneDX model that is checked, and the walker that holds a document against them.
 * Members that are new in a later version are accepted in an earlier one: a reader must not be surprised by them, and no
 * consumer of ours reads more because of it.
 */
#include "sbom/cyclonedx_spec.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdlib.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))
#define WARNINGS_MAX 50
#define COMPONENTS_MAX 400000

static const char *const spdx_ids[] = {
#include "sbom/spdx_ids.def"
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool spdx_id(const char *s)
{
	return bsearch(&s, spdx_ids, N(spdx_ids), sizeof *spdx_ids, by_bytes) != NULL;
}

static bool hex_of(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdefABCDEF") == n;
}

static bool hash_content(const char *s)
{
	return hex_of(s, 32) || hex_of(s, 40) || hex_of(s, 64) || hex_of(s, 96) || hex_of(s, 128);
}

static bool serial_number(const char *s)
{
	static const int parts[] = { 8, 4, 4, 4, 12 };
	if (!ctm_starts(s, "urn:uuid:"))
		return false;
	s += 9;
	for (size_t i = 0; i < N(parts); i++) {
		size_t n = strspn(s, "0123456789abcdef");
		if (n != (size_t)parts[i] || s[n] != (i + 1 < N(parts) ? '-' : '\0'))
			return false;
		s += n + 1;
	}
	return true;
}

static bool date_time(const char *s)
{
	int64_t ms;
	return strlen(s) > 10 && !ctm_time_parse(s, &ms);
}

static const char *const component_types[] = { "application", "framework", "library", "container", "platform", "operating-system", "device", "device-driver",
	"firmware", "file", "machine-learning-model", "data", "cryptographic-asset", NULL };
static const char *const scopes[] = { "required", "optional", "excluded", NULL };
static const char *const hash_algs[] = { "MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256", "BLAKE2b-384",
	"BLAKE2b-512", "BLAKE3", NULL };
static const char *const encodings[] = { "base64", NULL };
static const char *const patch_types[] = { "unofficial", "monkey", "backport", "cherry-pick", NULL };
static const char *const issue_types[] = { "defect", "enhancement", "security", NULL };
static const char *const flows[] = { "inbound", "outbound", "bi-directional", "unknown", NULL };
static const char *const formats[] = { "CycloneDX", NULL };
static const char *const versions[] = { "1.4", "1.5", "1.6", NULL };

static const struct bom_member m_property[] = { { "name", BOM_TEXT, true, NULL }, { "value", BOM_TEXT, false, NULL } };
static const struct bom_spec s_property = { "property", m_property, N(m_property), NULL };

static const struct bom_member m_hash[] = { { "alg", BOM_ENUM, true, hash_algs }, { "content", BOM_FORM, true, NULL, hash_content } };
static const struct bom_spec s_hash = { "hash", m_hash, N(m_hash), NULL };

static const struct bom_member m_attachment[] = { { "contentType", BOM_TEXT, false, NULL }, { "encoding", BOM_ENUM, false, encodings }, { "content", BOM_TEXT, true, NULL } };
static const struct bom_spec s_attachment = { "attachment", m_attachment, N(m_attachment), NULL };

static const struct bom_member m_contact[] = { { "bom-ref", BOM_FILLED, false, NULL }, { "name", BOM_TEXT, false, NULL }, { "email", BOM_TEXT, false, NULL }, { "phone", BOM_TEXT, false, NULL } };
static const struct bom_spec s_contact = { "contact", m_contact, N(m_contact), NULL };

static const struct bom_member m_entity[] = { { "bom-ref", BOM_FILLED, false, NULL }, { "name", BOM_TEXT, false, NULL }, { "address", BOM_ANY, false, NULL }, { "url", BOM_ANY, false, NULL },
	{ "contact", BOM_LIST, false, &s_contact } };
static const struct bom_spec s_entity = { "organization", m_entity, N(m_entity), NULL };

/* id or name, one of them; an id is of the SPDX list. */
static int license_rule(struct bom_walk *w, const struct ctm_jc *c, struct ctm_err *err)
{
	struct ctm_jc id, name;
	bool has_id = ctm_jc_has(c, "id", &id), has_name = ctm_jc_has(c, "name", &name);
	if (has_id == has_name)
		return ctm_jc_fail(c, err, "a licence has either id or name");
	if (has_id && !spdx_id(ctm_json_str(id.v)))
		return ctm_jc_fail(&id, err, "is no identifier of the SPDX License List; use name for other licences");
	return 0;
}
static const struct bom_member m_license[] = { { "bom-ref", BOM_FILLED, false, NULL }, { "id", BOM_FILLED, false, NULL }, { "name", BOM_TEXT, false, NULL }, { "acknowledgement", BOM_TEXT, false, NULL },
	{ "text", BOM_OBJECT, false, &s_attachment }, { "url", BOM_TEXT, false, NULL }, { "licensing", BOM_ANY, false, NULL }, { "properties", BOM_LIST, false, &s_property } };
static const struct bom_spec s_license = { "license", m_license, N(m_license), license_rule };

static int choice_rule(struct bom_walk *w, const struct ctm_jc *c, struct ctm_err *err)
{
	struct ctm_jc at;
	if (ctm_jc_has(c, "license", &at) == ctm_jc_has(c, "expression", &at))
		return ctm_jc_fail(c, err, "an entry of licenses has either license or expression");
	return 0;
}
static const struct bom_member m_choice[] = { { "license", BOM_OBJECT, false, &s_license }, { "expression", BOM_FILLED, false, NULL }, { "acknowledgement", BOM_TEXT, false, NULL },
	{ "bom-ref", BOM_FILLED, false, NULL } };
static const struct bom_spec s_choice = { "license choice", m_choice, N(m_choice), choice_rule };

/* Since 1.5 a list of licences is either licences only or exactly one expression. */
static int licenses_rule(struct bom_walk *w, const struct ctm_jc *c, struct ctm_err *err)
{
	struct ctm_jc list;
	size_t expressions = 0;
	if (w->version < 15 || !ctm_jc_has(c, "licenses", &list))
		return 0;
	for (size_t i = 0; i < ctm_json_len(list.v); i++)
		expressions += ctm_json_get(ctm_json_at(list.v, i), "expression") != NULL;
	return expressions && ctm_json_len(list.v) > 1 ? ctm_jc_fail(&list, err, "has an expression beside other entries; an expression stands alone") : 0;
}

static const struct bom_member m_reference[] = { { "url", BOM_TEXT, true, NULL }, { "type", BOM_FILLED, true, NULL }, { "comment", BOM_TEXT, false, NULL }, { "hashes", BOM_LIST, false, &s_hash } };
static const struct bom_spec s_reference = { "external reference", m_reference, N(m_reference), NULL };

static const struct bom_member m_swid[] = { { "tagId", BOM_TEXT, true, NULL }, { "name", BOM_TEXT, true, NULL }, { "version", BOM_TEXT, false, NULL }, { "tagVersion", BOM_INT, false, NULL },
	{ "patch", BOM_BOOL, false, NULL }, { "text", BOM_OBJECT, false, &s_attachment }, { "url", BOM_TEXT, false, NULL } };
static const struct bom_spec s_swid = { "swid", m_swid, N(m_swid), NULL };

static const struct bom_member m_issue[] = { { "type", BOM_ENUM, true, issue_types }, { "id", BOM_TEXT, false, NULL }, { "name", BOM_TEXT, false, NULL }, { "description", BOM_TEXT, false, NULL },
	{ "source", BOM_ANY, false, NULL }, { "references", BOM_ANY, false, NULL } };
static const struct bom_spec s_issue = { "issue", m_issue, N(m_issue), NULL };

static const struct bom_member m_diff[] = { { "text", BOM_OBJECT, false, &s_attachment }, { "url", BOM_TEXT, false, NULL } };
static const struct bom_spec s_diff = { "diff", m_diff, N(m_diff), NULL };

static const struct bom_member m_patch[] = { { "type", BOM_ENUM, true, patch_types }, { "diff", BOM_OBJECT, false, &s_diff }, { "resolves", BOM_LIST, false, &s_issue } };
static const struct bom_spec s_patch = { "patch", m_patch, N(m_patch), NULL };

static const struct bom_spec s_component;
static const struct bom_member m_pedigree[] = { { "ancestors", BOM_LIST, false, &s_component }, { "descendants", BOM_LIST, false, &s_component }, { "variants", BOM_LIST, false, &s_component },
	{ "commits", BOM_ANY, false, NULL }, { "patches", BOM_LIST, false, &s_patch }, { "notes", BOM_TEXT, false, NULL } };
static const struct bom_spec s_pedigree = { "pedigree", m_pedigree, N(m_pedigree), NULL };

static int component_rule(struct bom_walk *w, const struct ctm_jc *c, struct ctm_err *err)
{
	if (++w->components > COMPONENTS_MAX)
		return ctm_jc_fail(c, err, "is component number %d; this reader takes at most that many", COMPONENTS_MAX);
	return licenses_rule(w, c, err);
}
static const struct bom_member m_component[] = {
	{ "type", BOM_ENUM, true, component_types }, { "name", BOM_TEXT, true, NULL }, { "mime-type", BOM_TEXT, false, NULL }, { "bom-ref", BOM_FILLED, false, NULL },
	{ "supplier", BOM_OBJECT, false, &s_entity }, { "manufacturer", BOM_OBJECT, false, &s_entity }, { "authors", BOM_LIST, false, &s_contact }, { "author", BOM_TEXT, false, NULL },
	{ "publisher", BOM_TEXT, false, NULL }, { "group", BOM_TEXT, false, NULL }, { "version", BOM_TEXT, false, NULL }, { "description", BOM_TEXT, false, NULL }, { "scope", BOM_ENUM, false, scopes },
	{ "hashes", BOM_LIST, false, &s_hash }, { "licenses", BOM_LIST, false, &s_choice }, { "copyright", BOM_TEXT, false, NULL }, { "cpe", BOM_TEXT, false, NULL }, { "purl", BOM_TEXT, false, NULL },
	{ "omniborId", BOM_ANY, false, NULL }, { "swhid", BOM_ANY, false, NULL }, { "swid", BOM_OBJECT, false, &s_swid }, { "modified", BOM_BOOL, false, NULL }, { "pedigree", BOM_OBJECT, false, &s_pedigree },
	{ "externalReferences", BOM_LIST, false, &s_reference }, { "components", BOM_LIST, false, &s_component }, { "evidence", BOM_ANY, false, NULL }, { "releaseNotes", BOM_ANY, false, NULL },
	{ "modelCard", BOM_ANY, false, NULL }, { "data", BOM_ANY, false, NULL }, { "cryptoProperties", BOM_ANY, false, NULL }, { "properties", BOM_LIST, false, &s_property }, { "tags", BOM_ANY, false, NULL },
	{ "signature", BOM_ANY, false, NULL },
};
static const struct bom_spec s_component = { "component", m_component, N(m_component), component_rule };

static const struct bom_member m_flow[] = { { "flow", BOM_ENUM, true, flows }, { "classification", BOM_TEXT, true, NULL }, { "name", BOM_TEXT, false, NULL }, { "description", BOM_TEXT, false, NULL },
	{ "governance", BOM_ANY, false, NULL }, { "source", BOM_ANY, false, NULL }, { "destination", BOM_ANY, false, NULL } };
static const struct bom_spec s_flow = { "service data", m_flow, N(m_flow), NULL };

static const struct bom_spec s_service;
static const struct bom_member m_service[] = {
	{ "name", BOM_TEXT, true, NULL }, { "bom-ref", BOM_FILLED, false, NULL }, { "provider", BOM_OBJECT, false, &s_entity }, { "group", BOM_TEXT, false, NULL }, { "version", BOM_TEXT, false, NULL },
	{ "description", BOM_TEXT, false, NULL }, { "endpoints", BOM_ANY, false, NULL }, { "authenticated", BOM_BOOL, false, NULL }, { "x-trust-boundary", BOM_BOOL, false, NULL },
	{ "trustZone", BOM_TEXT, false, NULL }, { "data", BOM_LIST, false, &s_flow }, { "licenses", BOM_LIST, false, &s_choice }, { "externalReferences", BOM_LIST, false, &s_reference },
	{ "services", BOM_LIST, false, &s_service }, { "releaseNotes", BOM_ANY, false, NULL }, { "properties", BOM_LIST, false, &s_property }, { "tags", BOM_ANY, false, NULL }, { "signature", BOM_ANY, false, NULL },
};
static const struct bom_spec s_service = { "service", m_service, N(m_service), licenses_rule };

static const struct bom_member m_dependency[] = { { "ref", BOM_FILLED, true, NULL }, { "dependsOn", BOM_TEXTS, false, NULL }, { "provides", BOM_TEXTS, false, NULL } };
static const struct bom_spec s_dependency = { "dependency", m_dependency, N(m_dependency), NULL };

static const struct bom_member m_metadata[] = {
	{ "timestamp", BOM_FORM, false, NULL, date_time }, { "lifecycles", BOM_ANY, false, NULL }, { "tools", BOM_TOOLS, false, NULL }, { "authors", BOM_LIST, false, &s_contact },
	{ "component", BOM_OBJECT, false, &s_component }, { "manufacture", BOM_OBJECT, false, &s_entity }, { "manufacturer", BOM_OBJECT, false, &s_entity }, { "supplier", BOM_OBJECT, false, &s_entity },
	{ "licenses", BOM_LIST, false, &s_choice }, { "properties", BOM_LIST, false, &s_property },
};
static const struct bom_spec s_metadata = { "metadata", m_metadata, N(m_metadata), licenses_rule };

static const struct bom_member m_document[] = {
	{ "bomFormat", BOM_ENUM, true, formats }, { "specVersion", BOM_ENUM, true, versions }, { "$schema", BOM_TEXT, false, NULL }, { "serialNumber", BOM_FORM, false, NULL, serial_number },
	{ "version", BOM_INT, false, NULL }, { "metadata", BOM_OBJECT, false, &s_metadata }, { "components", BOM_LIST, false, &s_component }, { "services", BOM_LIST, false, &s_service },
	{ "externalReferences", BOM_LIST, false, &s_reference }, { "dependencies", BOM_LIST, false, &s_dependency }, { "compositions", BOM_ANY, false, NULL }, { "vulnerabilities", BOM_ANY, false, NULL },
	{ "annotations", BOM_ANY, false, NULL }, { "formulation", BOM_ANY, false, NULL }, { "declarations", BOM_ANY, false, NULL }, { "definitions", BOM_ANY, false, NULL },
	{ "properties", BOM_LIST, false, &s_property }, { "signature", BOM_ANY, false, NULL },
};
const struct bom_spec bom_document = { "bill of materials", m_document, N(m_document), NULL };

static int check_list(struct bom_walk *w, const struct ctm_jc *c, const struct bom_spec *s, struct ctm_err *err)
{
	int rc = ctm_jc_is(c, CTM_J_ARR, err);
	for (size_t i = 0; !rc && i < ctm_json_len(c->v); i++) {
		struct ctm_jc at;
		if (!(rc = ctm_jc_at(c, i, &at, err)))
			rc = bom_check_object(w, &at, s, err);
	}
	return rc;
}

static int check_texts(const struct ctm_jc *c, struct ctm_err *err)
{
	int rc = ctm_jc_is(c, CTM_J_ARR, err);
	for (size_t i = 0; !rc && i < ctm_json_len(c->v); i++) {
		struct ctm_jc at;
		if (!(rc = ctm_jc_at(c, i, &at, err)) && !(rc = ctm_jc_is(&at, CTM_J_STR, err)) && !*ctm_json_str(at.v))
			rc = ctm_jc_fail(&at, err, "must not be empty");
	}
	return rc;
}

static int check_word(const struct ctm_jc *c, const char *const *allowed, struct ctm_err *err)
{
	int rc = ctm_jc_is(c, CTM_J_STR, err);
	if (rc)
		return rc;
	for (size_t i = 0; allowed[i]; i++)
		if (!strcmp(allowed[i], ctm_json_str(c->v)))
			return 0;
	return ctm_jc_fail(c, err, "\"%.40s\" is not one of the values allowed here", ctm_json_str(c->v));
}

static int check_member(struct bom_walk *w, const struct ctm_jc *c, const struct bom_member *m, struct ctm_err *err)
{
	int rc;
	switch (m->check) {
	case BOM_ANY:
		return 0;
	case BOM_TEXT:
		return ctm_jc_is(c, CTM_J_STR, err);
	case BOM_FILLED:
		rc = ctm_jc_is(c, CTM_J_STR, err);
		return rc || *ctm_json_str(c->v) ? rc : ctm_jc_fail(c, err, "must not be empty");
	case BOM_BOOL:
		return ctm_jc_is(c, CTM_J_BOOL, err);
	case BOM_INT:
		return ctm_jc_is(c, CTM_J_INT, err);
	case BOM_ENUM:
		return check_word(c, m->arg, err);
	case BOM_FORM:
		rc = ctm_jc_is(c, CTM_J_STR, err);
		return rc || m->form(ctm_json_str(c->v)) ? rc : ctm_jc_fail(c, err, "does not have the form of a %s", m->name);
	case BOM_OBJECT:
		return bom_check_object(w, c, m->arg, err);
	case BOM_LIST:
		return check_list(w, c, m->arg, err);
	case BOM_TEXTS:
		return check_texts(c, err);
	case BOM_TOOLS:
		return ctm_json_type(c->v) == CTM_J_OBJ ? 0 : ctm_jc_is(c, CTM_J_ARR, err);
	}
	return 0;
}

static void warn_unknown(struct bom_walk *w, const struct ctm_jc *c, const struct bom_spec *s)
{
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	while (ctm_json_each(c->v, &it, &key, &v)) {
		bool known = false;
		for (size_t i = 0; i < s->n && !known; i++)
			known = !strcmp(s->members[i].name, key);
		if (known || ctm_json_len(w->warnings) >= WARNINGS_MAX)
			continue;
		CTM_AUTO_BUF b = CTM_BUF(400);
		ctm_buf_printf(&b, "%s: member \"%.60s\" of a %s is not known and was not read", *c->ptr ? c->ptr : "/", key, s->name);
		ctm_json_adds(w->warnings, ctm_buf_cstr(&b));
	}
}

int bom_check_object(struct bom_walk *w, const struct ctm_jc *c, const struct bom_spec *s, struct ctm_err *err)
{
	int rc = ctm_jc_is(c, CTM_J_OBJ, err);
	for (size_t i = 0; !rc && i < s->n; i++) {
		const struct bom_member *m = &s->members[i];
		struct ctm_jc at;
		if (ctm_jc_has(c, m->name, &at))
			rc = check_member(w, &at, m, err);
		else if (m->required)
			rc = ctm_jc_fail(c, err, "a %s needs \"%s\"", s->name, m->name);
	}
	if (rc)
		return rc;
	warn_unknown(w, c, s);
	return s->extra ? s->extra(w, c, err) : 0;
}
