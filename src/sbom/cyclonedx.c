/* SPDX-License-Identifier: Apache-2.0
 *
 * From a checked document to its summary: components flattened in document order, what each is known by, and which of the
 * minimum elements (NTIA, "The Minimum Elements For a Software Bill of Materials", 2021) are not there.
 */
#include "sbom/cyclonedx.h"
#include "sbom/cyclonedx_spec.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

struct tally { int64_t components, with_version, with_identifier, with_supplier, with_hash; ctm_json *list; };

static bool filled(const ctm_json *obj, const char *key)
{
	const ctm_json *v = ctm_json_get(obj, key);
	const char *s = ctm_json_str(v);
	return s ? *s != '\0' : ctm_json_len(v) > 0;
}

static void put(ctm_json *to, const ctm_json *from, const char *key)
{
	const ctm_json *v = ctm_json_get(from, key);
	ctm_json_set(to, key, v ? ctm_json_copy(v) : ctm_json_news(NULL));
}

static void take(struct tally *t, const ctm_json *list)
{
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *c = ctm_json_at(list, i);
		t->components++;
		t->with_version += filled(c, "version");
		t->with_identifier += filled(c, "purl") || filled(c, "cpe") || filled(c, "swid");
		t->with_supplier += filled(c, "supplier") || filled(c, "manufacturer") || filled(c, "publisher") || filled(c, "author");
		t->with_hash += filled(c, "hashes");
		if (t->components <= CTM_SBOM_COMPONENTS) {
			ctm_json *row = ctm_json_obj();
			static const char *const keep[] = { "name", "version", "type", "purl", "cpe" };
			for (size_t k = 0; k < sizeof keep / sizeof *keep; k++)
				put(row, c, keep[k]);
			if (filled(c, "group"))
				put(row, c, "group");
			ctm_json_set(row, "hashes", filled(c, "hashes") ? ctm_json_copy(ctm_json_get(c, "hashes")) : ctm_json_arr());
			ctm_json_add(t->list, row);
		}
		take(t, ctm_json_get(c, "components"));
	}
}

static void lack(ctm_json *missing, const char *what, int64_t have, int64_t all)
{
	if (have == all)
		return;
	CTM_AUTO_BUF b = CTM_BUF(200);
	ctm_buf_printf(&b, "%s (%lld of %lld components without)", what, (long long)(all - have), (long long)all);
	ctm_json_adds(missing, ctm_buf_cstr(&b));
}

static ctm_json *missing_of(const ctm_json *doc, const struct tally *t)
{
	const ctm_json *meta = ctm_json_get(doc, "metadata");
	ctm_json *missing = ctm_json_arr();
	lack(missing, "supplier name", t->with_supplier, t->components);
	lack(missing, "version of the component", t->with_version, t->components);
	lack(missing, "other unique identifiers", t->with_identifier, t->components);
	if (!filled(doc, "dependencies"))
		ctm_json_adds(missing, "dependency relationship");
	if (!filled(meta, "authors") && !filled(meta, "supplier") && !filled(meta, "manufacture") && !filled(meta, "manufacturer") && !filled(meta, "tools"))
		ctm_json_adds(missing, "author of the SBOM data");
	if (!filled(meta, "timestamp"))
		ctm_json_adds(missing, "timestamp");
	return missing;
}

static int version_of(const ctm_json *doc, int *out, const char *name, struct ctm_err *err)
{
	static const struct { const char *text; int n; } known[] = { { "1.4", 14 }, { "1.5", 15 }, { "1.6", 16 } };
	const char *format = ctm_json_gets(doc, "bomFormat"), *v = ctm_json_gets(doc, "specVersion");
	if (!ctm_streq(format, "CycloneDX"))
		return ctm_fail(err, CTM_E_UNSUPPORTED, "/bomFormat", "CycloneDX", "%s /bomFormat: this is not a CycloneDX document", name);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (ctm_streq(v, known[i].text)) {
			*out = known[i].n;
			return 0;
		}
	return ctm_fail(err, CTM_E_UNSUPPORTED, "/specVersion", "CycloneDX", "%s /specVersion: CycloneDX \"%.20s\" is not read here; 1.4, 1.5 and 1.6 are", name, v ? v : "(none)");
}

static ctm_json *summary_of(const ctm_json *doc, struct tally *t)
{
	const ctm_json *meta = ctm_json_get(doc, "metadata"), *subject = ctm_json_get(meta, "component");
	ctm_json *out = ctm_json_obj(), *counts = ctm_json_obj();
	ctm_json_sets(out, "format", "CycloneDX");
	ctm_json_sets(out, "spec_version", ctm_json_gets(doc, "specVersion"));
	ctm_json_sets(out, "serial", ctm_json_gets(doc, "serialNumber"));
	ctm_json_sets(out, "timestamp", ctm_json_gets(meta, "timestamp"));
	if (subject) {
		ctm_json *s = ctm_json_obj();
		put(s, subject, "name");
		put(s, subject, "version");
		put(s, subject, "type");
		ctm_json_set(out, "subject", s);
	} else
		ctm_json_set(out, "subject", ctm_json_news(NULL));
	ctm_json_seti(counts, "components", t->components);
	ctm_json_seti(counts, "with_version", t->with_version);
	ctm_json_seti(counts, "with_identifier", t->with_identifier);
	ctm_json_seti(counts, "with_supplier", t->with_supplier);
	ctm_json_seti(counts, "with_hash", t->with_hash);
	ctm_json_seti(counts, "services", (int64_t)ctm_json_len(ctm_json_get(doc, "services")));
	ctm_json_seti(counts, "dependencies", (int64_t)ctm_json_len(ctm_json_get(doc, "dependencies")));
	ctm_json_set(out, "components", t->list);
	t->list = NULL;
	ctm_json_set(out, "counts", counts);
	ctm_json_set(out, "missing", missing_of(doc, t));
	return out;
}

/* Every bom-ref below v (components and services, nested ones too) into list, growing by halves. */
struct refs { const char **at; size_t n, cap; bool failed; };

static void gather(struct refs *r, const ctm_json *list)
{
	for (size_t i = 0; i < ctm_json_len(list) && !r->failed; i++) {
		const ctm_json *o = ctm_json_at(list, i);
		const char *ref = ctm_json_gets(o, "bom-ref");
		if (ref && r->n == r->cap) {
			size_t cap = r->cap ? r->cap * 2 : 256;
			const char **at = realloc(r->at, cap * sizeof *at);
			if (!at) {
				r->failed = true;
				return;
			}
			r->at = at;
			r->cap = cap;
		}
		if (ref)
			r->at[r->n++] = ref;
		gather(r, ctm_json_get(o, "components"));
		gather(r, ctm_json_get(o, "services"));
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One bom-ref names one thing: a second use would let a dependency or a VEX statement mean either. */
static int refs_once(const ctm_json *doc, const char *name, struct ctm_err *err)
{
	struct refs r = { 0 };
	int rc = 0;
	gather(&r, ctm_json_get(doc, "components"));
	gather(&r, ctm_json_get(doc, "services"));
	if (r.failed)
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	else if (r.n > 1)
		qsort(r.at, r.n, sizeof *r.at, by_bytes);
	for (size_t i = 1; i < r.n && !rc; i++)
		if (!strcmp(r.at[i - 1], r.at[i]))
			rc = ctm_fail(err, CTM_E_INPUT, "/components", "CycloneDX", "%s /components: the bom-ref \"%.80s\" is used twice", name, r.at[i]);
	free(r.at);
	return rc;
}

int ctm_cyclonedx_read(const char *p, size_t n, const char *name, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *doc = NULL;
	struct bom_walk w = { 0 };
	int rc = ctm_json_parse(p, n, CTM_SBOM_MAX, name, &doc, err);
	if (rc || (rc = version_of(doc, &w.version, name, err)))
		return rc;
	struct ctm_jc root = ctm_jc_root(doc, name);
	CTM_AUTO_JSON *warnings = ctm_json_arr();
	w.warnings = warnings;
	if ((rc = bom_check_object(&w, &root, &bom_document, err)) || (rc = refs_once(doc, name, err)))
		return rc;
	struct tally t = { .list = ctm_json_arr() };
	take(&t, ctm_json_get(doc, "components"));
	take(&t, ctm_json_get(ctm_json_get(ctm_json_get(doc, "metadata"), "component"), "components"));
	if (t.components > CTM_SBOM_COMPONENTS)
		ctm_json_adds(warnings, "the list is cut: not every component is shown");
	ctm_json *summary = summary_of(doc, &t);
	ctm_json *own = warnings;
	warnings = NULL;
	if (ctm_json_set(summary, "warnings", own)) {
		ctm_json_free(summary);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	*out = summary;
	return 0;
}
