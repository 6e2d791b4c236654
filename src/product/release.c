/* SPDX-License-Identifier: Apache-2.0
 *
 * Releases: a draft gathers image, manifest, SBOM and declaration, each checked before it is believed (release_check.c),
 * and is then published once and for good: a published release never changes, because certificates name its digests.
 */
#include "product/release.h"
#include "product/use_cases.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/event.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

int ctm_release_mine(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "release.get");
	ctm_q_text(q, "id", id);
	int rc = ctm_q_one(q, cx->err);
	if (rc && rc != CTM_E_NOTFOUND)
		return rc;
	if (rc || !ctm_streq(ctm_q_str(q, "org_id"), cx->who->org_id)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such release");
	}
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	*out = row;
	return 0;
}

int ctm_release_draft(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL;
	int rc = ctm_release_mine(cx, id, &row);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_json_gets(row, "state"), "draft"))
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "release %s is published and cannot change any more; make a new version",
			ctm_json_gets(row, "version"));
	*out = row;
	row = NULL;
	return 0;
}

ctm_json *ctm_release_missing(const ctm_json *row, const char *kind)
{
	/* what must be there, by kind of component: hardware runs a declared, signed image; an app is an image with parts; a
	 * backend is known by its parts */
	static const struct { const char *column, *word, *kinds; } needs[] = {
		{ "image_digest", "image", "device gateway app" },
		{ "manifest_digest", "signed update manifest", "device gateway" },
		{ "sbom_digest", "software bill of materials", "device gateway app backend" },
		{ "declaration_digest", "declaration", "device gateway" },
		{ "support_end", "support end date", "device gateway app backend" },
	};
	ctm_json *list = ctm_json_arr();
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		const char *v = ctm_json_gets(row, needs[i].column);
		if (strstr(needs[i].kinds, kind) && (!v || !*v))
			ctm_json_adds(list, needs[i].word);
	}
	return list;
}

int ctm_uc_release_add(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *component = NULL, *after = ctm_json_obj();
	const char *component_id = ctm_in(cx, "id"), *version = ctm_in(cx, "version"), *end = ctm_in(cx, "support_end");
	int64_t counter = ctm_in_int(cx, "security_counter", 0);
	char id[CTM_UUID_MAX];
	int rc = ctm_component_mine(cx, component_id, &component);
	if (rc)
		return rc;
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "release.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "component", component_id);
	ctm_q_text(q, "version", version);
	ctm_q_text(q, "support_end", end);
	ctm_q_int(q, "security_counter", counter);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err))) {
		if (rc != CTM_E_EXISTS)
			return rc;
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "version", NULL, "version %s of this component is there already", version);
	}
	ctm_json_sets(after, "component_id", component_id);
	ctm_json_sets(after, "version", version);
	ctm_json_sets(after, "support_end", end);
	ctm_json_seti(after, "security_counter", counter);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "release.add", "release", id, NULL, after, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/products/%s", ctm_json_gets(component, "product_id"));
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "component_id", component_id);
	ctm_json_sets(out, "version", version);
	return ctm_json_sets(out, "state", "draft");
}

int ctm_uc_release_get(struct ctm_cx *cx, ctm_json *out)
{
	static const char *const show[] = { "id", "component_id", "product_id", "component", "kind", "version", "state", "support_end", "security_counter",
		"image_digest", "manifest_digest", "sbom_digest", "sbom", "declaration_digest", "declaration", "published_ms", "created_ms", "row_version" };
	CTM_AUTO_JSON *row = NULL, *product = NULL;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "release.get");
		ctm_q_text(q, "id", ctm_in(cx, "id"));
		int rc = ctm_q_one(q, cx->err);
		if (rc && rc != CTM_E_NOTFOUND)
			return rc;
		if (!rc)
			row = ctm_q_row(q);
	}
	bool mine = ctm_streq(ctm_json_gets(row, "org_id"), cx->who->org_id);
	if (!row || ctm_product_seen(cx, ctm_json_gets(row, "product_id"), &product) ||
		(!mine && ctm_streq(ctm_json_gets(row, "state"), "draft"))) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such release");
	}
	for (size_t i = 0; i < sizeof show / sizeof *show; i++)
		if (ctm_json_get(row, show[i]))
			ctm_json_set(out, show[i], ctm_json_copy(ctm_json_get(row, show[i])));
	return ctm_json_set(out, "missing", ctm_release_missing(row, ctm_json_gets(row, "kind")));
}

/* Store one part's digest: `statement` with :id, :digest and the extra text parameter. */
static int set_part(struct ctm_cx *cx, const char *part, const char *statement, const char *param, const char *value, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL, *before = ctm_json_obj(), *after = ctm_json_obj();
	char column[40];
	const char *id = ctm_in(cx, "id");
	int rc = ctm_release_draft(cx, id, &row);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "digest", cx->upload.digest);
	if (param)
		ctm_q_text(q, param, value);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_CONFLICT, part, NULL, "the release changed while the %s was checked; upload it again", part);
	snprintf(column, sizeof column, "%.20s_digest", part);
	ctm_json_sets(before, part, ctm_json_gets(row, column));
	ctm_json_sets(after, part, cx->upload.digest);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "release.part", "release", id, before, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "part", part);
	ctm_json_sets(out, "digest", cx->upload.digest);
	return ctm_json_seti(out, "size", cx->upload.size);
}

int ctm_uc_release_image(struct ctm_cx *cx, ctm_json *out)
{
	if (cx->upload.size == 0)
		return ctm_fail(cx->err, CTM_E_INPUT, "body", NULL, "the image is empty");
	return set_part(cx, "image", "release.set_image", NULL, NULL, out);
}

int ctm_uc_release_manifest(struct ctm_cx *cx, ctm_json *out)
{
	return set_part(cx, "manifest", "release.set_manifest", "image", ctm_json_gets(cx->prepared, "image"), out);
}

/* The prepared summary or declaration as compact text in arena memory. */
static int prepared_text(struct ctm_cx *cx, const char *key, const char **out)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	int rc = ctm_json_compact(ctm_json_get(cx->prepared, key), &b);
	if (!rc)
		rc = ctm_buf_err(&b, key, cx->err);
	char *text = rc ? NULL : ctm_arena_ndup(cx->arena, b.p, b.len);
	if (!text)
		return ctm_fail(cx->err, rc ? rc : CTM_E_NOMEM, key, NULL, "the %s is too large to keep", key);
	*out = text;
	return 0;
}

int ctm_uc_release_sbom(struct ctm_cx *cx, ctm_json *out)
{
	const char *text = NULL;
	int rc = prepared_text(cx, "sbom", &text);
	if (!rc)
		rc = set_part(cx, "sbom", "release.set_sbom", "json", text, out);
	return rc ? rc : ctm_json_set(out, "sbom", ctm_json_copy(ctm_json_get(cx->prepared, "sbom")));
}

int ctm_uc_release_declaration(struct ctm_cx *cx, ctm_json *out)
{
	const char *text = NULL;
	int rc = prepared_text(cx, "declaration", &text);
	return rc ? rc : set_part(cx, "declaration", "release.set_declaration", "json", text, out);
}

/* A published counter may not fall: a device would refuse the update as older. */
static int counter_rises(struct ctm_cx *cx, const ctm_json *row)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "release.published_counter");
	ctm_q_text(q, "component", ctm_json_gets(row, "component_id"));
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	if (ctm_q_i64(q, "published") && ctm_json_geti(row, "security_counter", 0) < ctm_q_i64(q, "n"))
		return ctm_fail(cx->err, CTM_E_INPUT, "security_counter", NULL, "the security counter is lower than that of a published release (%lld); devices would refuse it",
			(long long)ctm_q_i64(q, "n"));
	return 0;
}

static void join(const ctm_json *list, char *out, size_t cap)
{
	CTM_AUTO_BUF b = CTM_BUF(512);
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		ctm_buf_str(&b, i == 0 ? "" : i + 1 == ctm_json_len(list) ? " and " : ", ");
		ctm_buf_str(&b, ctm_json_str(ctm_json_at(list, i)));
	}
	ctm_copy(out, cap, ctm_buf_cstr(&b));
}

int ctm_uc_release_publish(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL, *missing = NULL, *before = ctm_json_obj(), *data = ctm_json_obj();
	const char *id = ctm_in(cx, "id");
	char words[256], what[200];
	int rc = ctm_release_draft(cx, id, &row);
	if (rc)
		return rc;
	missing = ctm_release_missing(row, ctm_json_gets(row, "kind"));
	if (ctm_json_len(missing)) {
		join(missing, words, sizeof words);
		return ctm_fail(cx->err, CTM_E_STATE, "missing", NULL, "release %s lacks: %s", ctm_json_gets(row, "version"), words);
	}
	if ((rc = counter_rises(cx, row)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "release.publish");
	ctm_q_text(q, "id", id);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_int(q, "row_version", ctm_json_geti(cx->prepared, "row_version", 0));
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "id", NULL, "the release changed while it was checked; publish again");
	const char *product = ctm_json_gets(row, "product_id");
	ctm_json_sets(before, "state", "draft");
	ctm_json_sets(data, "state", "published");
	ctm_json_sets(data, "product_id", product);
	ctm_json_sets(data, "component_id", ctm_json_gets(row, "component_id"));
	ctm_json_sets(data, "version", ctm_json_gets(row, "version"));
	ctm_json_sets(data, "image_digest", ctm_json_gets(row, "image_digest"));
	ctm_json_sets(data, "sbom_digest", ctm_json_gets(row, "sbom_digest"));
	snprintf(what, sizeof what, "Release %s of %s published, supported until %s.", ctm_json_gets(row, "version"), ctm_json_gets(row, "component"),
		ctm_json_gets(row, "support_end"));
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "product", product, ctm_who_name(cx->who), what, ctm_json_gets(row, "image_digest"), cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "release.publish", "release", id, before, data, cx->err)) ||
		(rc = ctm_event_emit(cx->db, cx->now_ms, "release.published", "release", id, data, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/products/%s", product);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "version", ctm_json_gets(row, "version"));
	return ctm_json_sets(out, "state", "published");
}
