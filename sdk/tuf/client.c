/* SPDX-License-Identifier: Apache-2.0
 *
 * The top-level roles, in the specification's order (5.3 to 5.6). Each step has the same shape: what is stored is opened and
 * verified as if it came from outside; if it is not what the parent asks for, the next is fetched, judged, stored.
 */
#include "client.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tuf_fail(struct ctm_tuf *t, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, ap);
	va_end(ap);
	return code;
}

const char *ctm_tuf_why(const struct ctm_tuf *t)
{
	return t->why;
}

int ctm_tuf_open(const struct ctm_tuf_conf *conf, struct ctm_tuf **out)
{
	struct ctm_tuf *t = calloc(1, sizeof *t);

	if (!t)
		return CTM_SDK_FAIL;
	t->conf = *conf;
	*out = t;
	return 0;
}

static void forget(struct tuf_doc **d)
{
	tuf_doc_free(*d);
	*d = NULL;
}

void ctm_tuf_close(struct ctm_tuf *t)
{
	if (!t)
		return;
	for (int i = 0; i < TUF_TYPES; i++)
		forget(&t->top[i]);
	while (t->roles) {
		struct tuf_role *r = t->roles;

		t->roles = r->next;
		forget(&r->doc);
		free(r);
	}
	free(t->custom);
	free(t);
}

int tuf_stored_name(const struct ctm_tuf *t, const char *role, char out[CTM_TUF_FILE_MAX + 8])
{
	return tuf_file_name(t->conf.crypto, role, strlen(role), ".json", out, CTM_TUF_FILE_MAX + 8);
}

bool tuf_consistent(const struct ctm_tuf *t)
{
	return tuf_of(t->top[TUF_ROOT]->body, "consistent_snapshot", TUF_TRUE) != NULL;
}

/* --- getting bytes ---------------------------------------------------------------------------------------------------- */

struct bytes {
	uint8_t *p;
	size_t n, cap;
};

static int collect(void *ctx, const uint8_t *p, size_t n)
{
	struct bytes *b = ctx;

	if (b->cap - b->n < n) {
		size_t cap = b->cap ? b->cap : 4096;
		uint8_t *q;

		while (cap - b->n < n)
			cap *= 2;
		q = realloc(b->p, cap);
		if (!q)
			return CTM_SDK_FAIL;
		b->p = q;
		b->cap = cap;
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int tuf_fetch_role(struct ctm_tuf *t, const char *role, int64_t version, size_t max, uint8_t **bytes, size_t *n)
{
	char url[CTM_TUF_URL_MAX], quoted[3 * CTM_TUF_NAME_MAX + 1], number[24] = "";
	const char *base = t->conf.metadata_url;
	struct bytes b = { NULL, 0, 0 };
	int rc = tuf_quote(role, strlen(role), "", quoted, sizeof quoted);

	if (version)
		snprintf(number, sizeof number, "%lld.", (long long)version);
	if (rc || snprintf(url, sizeof url, "%s%s%s%s.json", base, *base && base[strlen(base) - 1] == '/' ? "" : "/", number, quoted) >= (int)sizeof url)
		return tuf_fail(t, CTM_SDK_TOOBIG, "the address of the role %.60s is too long", role);
	rc = t->conf.net.fetch(t->conf.net.ctx, url, 0, max, collect, &b);
	if (!rc && !b.n)
		rc = CTM_SDK_TRUNCATED;
	if (rc) {
		free(b.p);
		return tuf_fail(t, rc, "%.160s: %s", url, ctm_sdk_text(rc));
	}
	*bytes = b.p;
	*n = b.n;
	return 0;
}

static int load(struct ctm_tuf *t, enum tuf_type type, struct tuf_doc **out)
{
	char name[CTM_TUF_FILE_MAX + 8];
	uint8_t *p = NULL;
	size_t n = 0;
	int rc = tuf_stored_name(t, tuf_type_names[type], name);

	if (!rc)
		rc = t->conf.store.read(t->conf.store.ctx, name, tuf_type_max(type), &p, &n);
	return rc ? rc : tuf_doc_open(p, n, type, out, NULL);
}

static int keep(struct ctm_tuf *t, const struct tuf_doc *d)
{
	char name[CTM_TUF_FILE_MAX + 8];
	int rc = tuf_stored_name(t, tuf_type_names[d->type], name);

	if (!rc)
		rc = t->conf.store.write(t->conf.store.ctx, name, d->bytes, d->n);
	return rc ? tuf_fail(t, rc, "%s cannot be stored: %s", name, ctm_sdk_text(rc)) : 0;
}

/* Fetch and open a document; its length and digests, when meta is given, come first. */
static int get(struct ctm_tuf *t, enum tuf_type type, int64_t url_version, const struct tuf_node *meta, struct tuf_doc **out)
{
	const char *name = tuf_type_names[type], *bad = "";
	uint8_t *p;
	size_t n;
	int rc = tuf_fetch_role(t, name, url_version, tuf_meta_max(meta, tuf_type_max(type)), &p, &n);

	if (rc)
		return rc;
	if (meta && (rc = tuf_meta_fits(t->conf.crypto, meta, p, n))) {
		free(p);
		return tuf_fail(t, rc, "%s is not the file that its parent describes", name);
	}
	rc = tuf_doc_open(p, n, type, out, &bad);
	return rc ? tuf_fail(t, rc, "%s cannot be used: %s", name, bad) : 0;
}

static int signed_by_root(struct ctm_tuf *t, const struct tuf_doc *d, const struct tuf_doc *root, const char *whose)
{
	const char *name = tuf_type_names[d->type];

	if (!tuf_doc_signed_by_root(t->conf.crypto, d, root))
		return 0;
	return tuf_fail(t, CTM_SDK_VERIFY, "%s version %lld is not signed by enough keys of %s", name, (long long)d->version, whose);
}

static bool expired(const struct ctm_tuf *t, const struct tuf_doc *d)
{
	return d->expires_s <= t->conf.now_s;
}

static int say_expired(struct ctm_tuf *t, const struct tuf_doc *d)
{
	return tuf_fail(t, CTM_SDK_EXPIRED, "%s version %lld expired at %.20s", tuf_type_names[d->type], (long long)d->version,
			tuf_get(d->body, "expires")->s);
}

static void trust(struct ctm_tuf *t, struct tuf_doc *d)
{
	tuf_doc_free(t->top[d->type]);
	t->top[d->type] = d;
}

/* Judge, store, trust: what all of them do once their own checks passed. Takes d over. */
static int adopt(struct ctm_tuf *t, struct tuf_doc *d, int rc)
{
	if (!rc)
		rc = keep(t, d);
	if (rc) {
		tuf_doc_free(d);
		return rc;
	}
	trust(t, d);
	return 0;
}

/* --- root (5.3) ------------------------------------------------------------------------------------------------------- */

int ctm_tuf_init(const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_store *store, const void *root, size_t n,
		 char why[CTM_TUF_WHY_MAX])
{
	struct ctm_tuf t = { .conf = { .crypto = crypto, .store = *store } };
	struct tuf_doc *d = NULL;
	const char *bad = "";
	uint8_t *p = malloc(n ? n : 1);
	int rc = CTM_SDK_FAIL;

	if (p) {
		if (n)
			memcpy(p, root, n);
		rc = tuf_doc_open(p, n, TUF_ROOT, &d, &bad);
		if (rc)
			tuf_fail(&t, rc, "this root cannot be used: %s", *bad ? bad : ctm_sdk_text(rc));
	}
	if (!rc)
		rc = signed_by_root(&t, d, d, "its own");
	if (!rc)
		rc = keep(&t, d);
	tuf_doc_free(d);
	if (rc && why)
		snprintf(why, CTM_TUF_WHY_MAX, "%s", t.why);
	return rc;
}

static int load_root(struct ctm_tuf *t)
{
	struct tuf_doc *d = NULL;
	int rc = load(t, TUF_ROOT, &d);

	if (rc == CTM_SDK_NONE)
		return tuf_fail(t, rc, "there is no trusted root; give one with init");
	if (rc)
		return tuf_fail(t, rc, "the stored root cannot be used: %s", ctm_sdk_text(rc));
	if ((rc = signed_by_root(t, d, d, "its own"))) {
		tuf_doc_free(d);
		return rc;
	}
	trust(t, d);
	return 0;
}

/* Fast-forward recovery (5.3.11): versions that a lost key may have driven up are forgotten when the key is taken away. Power may go
 * between storing that root and forgetting, so the root's version is noted first: whoever finds the note and that root finishes. */
#define NOTE "recover"

static int note_recovery(struct ctm_tuf *t, int64_t version)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)version), rc = t->conf.store.write(t->conf.store.ctx, NOTE, text, (size_t)n);

	return rc ? tuf_fail(t, rc, "a note cannot be stored: %s", ctm_sdk_text(rc)) : 0;
}

static int recover(struct ctm_tuf *t)
{
	static const char *const names[] = { "timestamp.json", "snapshot.json", NOTE };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++)
		rc = t->conf.store.erase(t->conf.store.ctx, names[i]);
	return rc ? tuf_fail(t, rc, "outdated metadata cannot be removed: %s", ctm_sdk_text(rc)) : 0;
}

/* After a power cut. A note about a root that did not come to be stored means nothing: that root will come again. */
static int finish_recovery(struct ctm_tuf *t)
{
	struct tuf_node v = { .type = TUF_INT };
	uint8_t *p;
	size_t n;
	int64_t version = 0;
	int rc = t->conf.store.read(t->conf.store.ctx, NOTE, 24, &p, &n);

	if (rc)
		return rc == CTM_SDK_NONE ? 0 : tuf_fail(t, rc, "a note cannot be read: %s", ctm_sdk_text(rc));
	v.s = (const char *)p;
	v.n = (uint32_t)n;
	if (!tuf_int(&v, &version))
		version = 0;
	free(p);
	return version <= t->top[TUF_ROOT]->version ? recover(t) : 0;
}

/* One root further. NONE at the newest. *removed: it takes a key from timestamp or snapshot. */
static int next_root(struct ctm_tuf *t, bool *removed)
{
	struct tuf_doc *now = t->top[TUF_ROOT], *d;
	int rc = now->version == INT64_MAX ? CTM_SDK_NONE : get(t, TUF_ROOT, now->version + 1, NULL, &d);

	if (rc)
		return rc;
	rc = signed_by_root(t, d, now, "the root before it");
	if (!rc)
		rc = signed_by_root(t, d, d, "its own");
	if (!rc && d->version != now->version + 1)
		rc = tuf_fail(t, CTM_SDK_OLDER, "root version %lld was served where %lld belongs", (long long)d->version, (long long)now->version + 1);
	if (!rc && !*removed && (tuf_key_removed(t->conf.crypto, now, d, "timestamp") || tuf_key_removed(t->conf.crypto, now, d, "snapshot"))) {
		*removed = true;
		rc = note_recovery(t, d->version);
	}
	return adopt(t, d, rc);
}

static int update_root(struct ctm_tuf *t)
{
	bool removed = false;
	int rc = 0, n;

	for (n = 0; !rc && n < CTM_TUF_ROOTS_MAX; n++)
		rc = next_root(t, &removed);
	if (rc && rc != CTM_SDK_NONE)
		return rc;
	if (removed && (rc = recover(t)))
		return rc;
	return expired(t, t->top[TUF_ROOT]) ? say_expired(t, t->top[TUF_ROOT]) : 0;
}

/* --- timestamp (5.4) -------------------------------------------------------------------------------------------------- */

/* What is stored, when the present root still vouches for it. Expired is good enough to compare with. */
static void load_trusted(struct ctm_tuf *t, enum tuf_type type)
{
	struct tuf_doc *d = NULL;

	if (load(t, type, &d))
		return;
	if (tuf_doc_signed_by_root(t->conf.crypto, d, t->top[TUF_ROOT])) {
		tuf_doc_free(d);
		return;
	}
	trust(t, d);
}

static const struct tuf_node *snapshot_meta(const struct tuf_doc *timestamp)
{
	return tuf_meta_of(timestamp, "snapshot", 8);
}

static int timestamp_not_older(struct ctm_tuf *t, const struct tuf_doc *d)
{
	const struct tuf_doc *old = t->top[TUF_TIMESTAMP];
	int64_t was = old ? tuf_meta_version(snapshot_meta(old)) : 0, is = tuf_meta_version(snapshot_meta(d));

	if (old && d->version < old->version)
		return tuf_fail(t, CTM_SDK_OLDER, "timestamp version %lld was served; %lld was seen before", (long long)d->version, (long long)old->version);
	if (is < was)
		return tuf_fail(t, CTM_SDK_OLDER, "timestamp names snapshot version %lld; %lld was seen before", (long long)is, (long long)was);
	return expired(t, d) ? say_expired(t, d) : 0;
}

static int update_timestamp(struct ctm_tuf *t)
{
	struct tuf_doc *d;
	int rc;

	load_trusted(t, TUF_TIMESTAMP);
	rc = get(t, TUF_TIMESTAMP, 0, NULL, &d);
	if (rc)
		return rc;
	rc = signed_by_root(t, d, t->top[TUF_ROOT], "the root");
	if (!rc && t->top[TUF_TIMESTAMP] && d->version == t->top[TUF_TIMESTAMP]->version) {
		tuf_doc_free(d);
		return expired(t, t->top[TUF_TIMESTAMP]) ? say_expired(t, t->top[TUF_TIMESTAMP]) : 0;
	}
	return adopt(t, d, rc ? rc : timestamp_not_older(t, d));
}

/* --- snapshot (5.5) --------------------------------------------------------------------------------------------------- */

/* No role that the older snapshot lists may be missing or of a lower version. */
static int snapshot_not_older(struct ctm_tuf *t, const struct tuf_doc *d)
{
	const struct tuf_node *was = t->top[TUF_SNAPSHOT] ? tuf_get(t->top[TUF_SNAPSHOT]->body, "meta") : NULL, *is = tuf_get(d->body, "meta");

	for (uint32_t i = 0; was && i < was->n; i++) {
		const struct tuf_node *old = &was->kids[i], *new = tuf_getn(is, old->key, old->keyn);

		if (!new)
			return tuf_fail(t, CTM_SDK_OLDER, "%.*s is no longer in the snapshot", (int)(old->keyn < 100 ? old->keyn : 100), old->key);
		if (tuf_meta_version(new) < tuf_meta_version(old))
			return tuf_fail(t, CTM_SDK_OLDER, "the snapshot names an older version of %.*s than before",
					(int)(old->keyn < 100 ? old->keyn : 100), old->key);
	}
	return 0;
}

/* Is what is stored the very document that the parent names now? */
static bool current(const struct ctm_tuf *t, const struct tuf_doc *d, const struct tuf_node *meta)
{
	return d && d->version == tuf_meta_version(meta) && !tuf_meta_fits(t->conf.crypto, meta, d->bytes, d->n) && !expired(t, d);
}

static int update_snapshot(struct ctm_tuf *t)
{
	const struct tuf_node *meta = snapshot_meta(t->top[TUF_TIMESTAMP]);
	struct tuf_doc *d;
	int rc;

	load_trusted(t, TUF_SNAPSHOT);
	if (current(t, t->top[TUF_SNAPSHOT], meta))
		return 0;
	rc = get(t, TUF_SNAPSHOT, tuf_consistent(t) ? tuf_meta_version(meta) : 0, meta, &d);
	if (rc)
		return rc;
	rc = signed_by_root(t, d, t->top[TUF_ROOT], "the root");
	if (!rc && d->version != tuf_meta_version(meta))
		rc = tuf_fail(t, CTM_SDK_VERIFY, "snapshot version %lld was served; timestamp names %lld", (long long)d->version,
			      (long long)tuf_meta_version(meta));
	if (!rc)
		rc = snapshot_not_older(t, d);
	if (!rc && expired(t, d))
		rc = say_expired(t, d);
	return adopt(t, d, rc);
}

/* --- targets (5.6) ---------------------------------------------------------------------------------------------------- */

static int update_targets(struct ctm_tuf *t)
{
	const struct tuf_node *meta = tuf_meta_of(t->top[TUF_SNAPSHOT], "targets", 7);
	struct tuf_doc *d;
	int rc;

	load_trusted(t, TUF_TARGETS);
	if (current(t, t->top[TUF_TARGETS], meta))
		return 0;
	rc = get(t, TUF_TARGETS, tuf_consistent(t) ? tuf_meta_version(meta) : 0, meta, &d);
	if (rc)
		return rc;
	rc = signed_by_root(t, d, t->top[TUF_ROOT], "the root");
	if (!rc && d->version != tuf_meta_version(meta))
		rc = tuf_fail(t, CTM_SDK_VERIFY, "targets version %lld was served; the snapshot names %lld", (long long)d->version,
			      (long long)tuf_meta_version(meta));
	if (!rc && expired(t, d))
		rc = say_expired(t, d);
	return adopt(t, d, rc);
}

int ctm_tuf_refresh(struct ctm_tuf *t)
{
	int rc;

	t->fresh = false;
	t->why[0] = 0;
	for (int i = 0; i < TUF_TYPES; i++)
		forget(&t->top[i]);
	rc = load_root(t);
	if (!rc)
		rc = finish_recovery(t);
	if (!rc)
		rc = update_root(t);
	if (!rc)
		rc = update_timestamp(t);
	if (!rc)
		rc = update_snapshot(t);
	if (!rc)
		rc = update_targets(t);
	t->fresh = !rc;
	return rc;
}
