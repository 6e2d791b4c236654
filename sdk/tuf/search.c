/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets (5.6.7, 5.7): a pre-order depth-first search over the delegations that cover a name, each role loaded under the parent
 * it was reached by, then the bytes.
 *
 * A role that is in memory or in the store is only bytes: they are judged again under the keys of the parent at hand. Otherwise a
 * role could be believed because another parent, for other names, had once vouched for it.
 */
#include "client.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A role to visit, and who says so. */
struct visit {
	const struct tuf_node *name;        /* NULL: the top-level targets */
	const struct tuf_node *keys, *role;
};

struct search {
	struct visit *todo;
	size_t n, cap;
	const struct tuf_node *seen[CTM_TUF_VISITS_MAX];
	size_t visits;
};

/* --- loading a delegated role ------------------------------------------------------------------------------------------ */

static struct tuf_role *in_memory(const struct ctm_tuf *t, const char *name)
{
	for (struct tuf_role *r = t->roles; r; r = r->next)
		if (!r->stale && !strcmp(r->name, name))
			return r;
	return NULL;
}

static int remember(struct ctm_tuf *t, const char *name, struct tuf_doc *d)
{
	struct tuf_role *old = in_memory(t, name), *r = calloc(1, sizeof *r);

	if (!r) {
		tuf_doc_free(d);
		return CTM_SDK_FAIL;
	}
	if (old)
		old->stale = true;
	r->doc = d;
	snprintf(r->name, sizeof r->name, "%s", name);
	r->next = t->roles;
	t->roles = r;
	return 0;
}

static void drop_stale(struct ctm_tuf *t)
{
	for (struct tuf_role **at = &t->roles; *at;) {
		struct tuf_role *r = *at;

		if (!r->stale) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		tuf_doc_free(r->doc);
		free(r);
	}
}

/* Everything the parent and the snapshot demand of a role's document. */
static int judge(struct ctm_tuf *t, const char *name, const struct tuf_doc *d, const struct visit *v, const struct tuf_node *meta)
{
	if (tuf_doc_signed(t->conf.crypto, d, v->keys, v->role))
		return tuf_fail(t, CTM_SDK_VERIFY, "the role %.100s is not signed by enough keys of the role that delegates to it", name);
	if (d->version != tuf_meta_version(meta))
		return tuf_fail(t, CTM_SDK_VERIFY, "version %lld of the role %.100s was served; the snapshot names %lld", (long long)d->version, name,
				(long long)tuf_meta_version(meta));
	if (d->expires_s <= t->conf.now_s)
		return tuf_fail(t, CTM_SDK_EXPIRED, "the role %.100s version %lld expired at %.20s", name, (long long)d->version,
				tuf_get(d->body, "expires")->s);
	return 0;
}

static bool stored_is_good(struct ctm_tuf *t, const char *name, const struct tuf_doc *d, const struct visit *v, const struct tuf_node *meta)
{
	return !tuf_meta_fits(t->conf.crypto, meta, d->bytes, d->n) && !judge(t, name, d, v, meta);
}

static int from_store(struct ctm_tuf *t, const char *name, const char *file, const struct visit *v, const struct tuf_node *meta,
		      struct tuf_doc **out)
{
	uint8_t *p;
	size_t n;
	struct tuf_doc *d;
	int rc = t->conf.store.read(t->conf.store.ctx, file, CTM_TUF_TARGETS_MAX, &p, &n);

	if (rc || (rc = tuf_doc_open(p, n, TUF_TARGETS, &d, NULL)))
		return rc;
	if (!stored_is_good(t, name, d, v, meta)) {
		tuf_doc_free(d);
		return CTM_SDK_VERIFY;
	}
	*out = d;
	return 0;
}

static int from_network(struct ctm_tuf *t, const char *name, const char *file, const struct visit *v, const struct tuf_node *meta,
			struct tuf_doc **out)
{
	const char *bad = "";
	uint8_t *p;
	size_t n;
	struct tuf_doc *d;
	int rc = tuf_fetch_role(t, name, tuf_consistent(t) ? tuf_meta_version(meta) : 0, tuf_meta_max(meta, CTM_TUF_TARGETS_MAX), &p, &n);

	if (rc)
		return rc;
	if ((rc = tuf_meta_fits(t->conf.crypto, meta, p, n))) {
		free(p);
		return tuf_fail(t, rc, "the role %.100s is not the file that the snapshot describes", name);
	}
	if ((rc = tuf_doc_open(p, n, TUF_TARGETS, &d, &bad)))
		return tuf_fail(t, rc, "the role %.100s cannot be used: %s", name, bad);
	rc = judge(t, name, d, v, meta);
	if (!rc && (rc = t->conf.store.write(t->conf.store.ctx, file, d->bytes, d->n)))
		tuf_fail(t, rc, "%s cannot be stored: %s", file, ctm_sdk_text(rc));
	if (rc) {
		tuf_doc_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

static int load_role(struct ctm_tuf *t, const struct visit *v, struct tuf_doc **out)
{
	char name[CTM_TUF_NAME_MAX + 1], file[CTM_TUF_FILE_MAX + 8];
	const struct tuf_node *meta = tuf_meta_of(t->top[TUF_SNAPSHOT], v->name->s, v->name->n);
	struct tuf_role *had;
	int rc;

	snprintf(name, sizeof name, "%.*s", (int)v->name->n, v->name->s);
	if (!meta)
		return tuf_fail(t, CTM_SDK_VERIFY, "the role %.100s is delegated to, but the snapshot does not name it", name);
	had = in_memory(t, name);
	if (had && stored_is_good(t, name, had->doc, v, meta)) {
		*out = had->doc;
		return 0;
	}
	if ((rc = tuf_stored_name(t, name, file)))
		return rc;
	if (had || from_store(t, name, file, v, meta, out))
		rc = from_network(t, name, file, v, meta, out);
	return rc ? rc : remember(t, name, *out);
}

/* --- the search -------------------------------------------------------------------------------------------------------- */

static int push(struct search *s, struct visit v)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		struct visit *p = realloc(s->todo, cap * sizeof *p);

		if (!p)
			return CTM_SDK_FAIL;
		s->todo = p;
		s->cap = cap;
	}
	s->todo[s->n++] = v;
	return 0;
}

static bool seen(const struct search *s, const struct tuf_node *name)
{
	for (size_t i = 0; i < s->visits; i++)
		if (s->seen[i]->n == name->n && !memcmp(s->seen[i]->s, name->s, name->n))
			return true;
	return false;
}

static bool covers(const struct ctm_tuf_crypto *c, const struct tuf_node *role, const char *path, size_t n)
{
	const struct tuf_node *globs = tuf_get(role, "paths"), *prefixes = tuf_get(role, "path_hash_prefixes");

	for (uint32_t i = 0; globs && i < globs->n; i++)
		if (tuf_glob(globs->kids[i].s, globs->kids[i].n, path, n))
			return true;
	for (uint32_t i = 0; prefixes && i < prefixes->n; i++)
		if (tuf_hash_prefix(c, prefixes->kids[i].s, prefixes->kids[i].n, path, n))
			return true;
	return false;
}

/* Put the delegations that cover the name before what is left to visit, the first on top. A terminating one ends both its
 * siblings and all that was left. */
static int descend(struct ctm_tuf *t, struct search *s, const struct tuf_doc *d, const char *path)
{
	const struct tuf_node *del = tuf_get(d->body, "delegations"), *roles = tuf_get(del, "roles");
	size_t base, n = strlen(path);
	int rc = 0;

	if (!roles)
		return 0;
	base = s->n;
	for (uint32_t i = 0; !rc && i < roles->n; i++) {
		const struct tuf_node *r = &roles->kids[i];

		if (!covers(t->conf.crypto, r, path, n))
			continue;
		rc = push(s, (struct visit){ tuf_get(r, "name"), tuf_get(del, "keys"), r });
		if (!rc && tuf_get(r, "terminating")->type == TUF_TRUE) {
			memmove(s->todo, s->todo + base, (s->n - base) * sizeof *s->todo);
			s->n -= base;
			base = 0;
			break;
		}
	}
	for (size_t a = base, z = s->n; a + 1 < z; a++) {
		struct visit v = s->todo[a];

		z--;
		s->todo[a] = s->todo[z];
		s->todo[z] = v;
	}
	return rc;
}

static int take_target(struct ctm_tuf *t, const struct tuf_node *v, const char *name, const struct tuf_node *role, struct ctm_tuf_target *out)
{
	const struct tuf_node *custom = tuf_get(v, "custom");
	struct ctm_tuf_target r = { .length = 0 };
	int64_t length = 0;
	bool known;

	(void)tuf_int(tuf_get(v, "length"), &length);
	r.length = (uint64_t)length;
	if (!tuf_digests(tuf_get(v, "hashes"), r.has, r.digest, &known))
		return tuf_fail(t, known ? CTM_SDK_INPUT : CTM_SDK_UNSUPPORTED, "%.100s has no digest that this client can check", name);
	snprintf(r.name, sizeof r.name, "%s", name);
	snprintf(r.role, sizeof r.role, "%.*s", role ? (int)role->n : 7, role ? role->s : "targets");
	if (custom) {
		size_t n;

		t->custom = malloc(CTM_TUF_TARGETS_MAX);
		if (!t->custom || tuf_canonical(custom, t->custom, CTM_TUF_TARGETS_MAX, &n))
			return CTM_SDK_FAIL;
		r.custom = (struct ctm_bytes){ t->custom, n };
	}
	*out = r;
	return 0;
}

static int visit_one(struct ctm_tuf *t, struct search *s, const struct visit *v, const char *name, bool *found, struct ctm_tuf_target *out)
{
	struct tuf_doc *d = t->top[TUF_TARGETS];
	const struct tuf_node *target;
	int rc = 0;

	if (v->name) {
		if (seen(s, v->name))
			return 0;
		if (s->visits == CTM_TUF_VISITS_MAX)
			return tuf_fail(t, CTM_SDK_TOOBIG, "more than %d delegations stand between the root and %.100s", CTM_TUF_VISITS_MAX, name);
		s->seen[s->visits++] = v->name;
		rc = load_role(t, v, &d);
	}
	if (rc)
		return rc;
	target = tuf_get(tuf_get(d->body, "targets"), name);
	if (target) {
		*found = true;
		return take_target(t, target, name, v->name, out);
	}
	return descend(t, s, d, name);
}

int ctm_tuf_find(struct ctm_tuf *t, const char *name, struct ctm_tuf_target *out)
{
	struct search s = { .n = 0 };
	bool found = false;
	int rc = t->fresh ? 0 : ctm_tuf_refresh(t);

	if (rc)
		return rc;
	if (!*name || strlen(name) > CTM_TUF_NAME_MAX)
		return tuf_fail(t, CTM_SDK_INPUT, "a target name has 1 to %d bytes", CTM_TUF_NAME_MAX);
	drop_stale(t);
	free(t->custom);
	t->custom = NULL;
	rc = push(&s, (struct visit){ NULL, NULL, NULL });
	while (!rc && !found && s.n) {
		struct visit v = s.todo[--s.n];

		rc = visit_one(t, &s, &v, name, &found, out);
	}
	free(s.todo);
	if (!rc && !found)
		rc = tuf_fail(t, CTM_SDK_UNKNOWN, "nobody entitled to it lists a target %.100s", name);
	return rc;
}

/* --- the bytes --------------------------------------------------------------------------------------------------------- */

void ctm_tuf_check_drop(struct ctm_tuf_check *c)
{
	uint8_t got[CTM_TUF_DIGEST_MAX];

	for (int a = 0; a < CTM_TUF_HASHES; a++)
		if (c->target->has[a])
			(void)c->crypto->hash_final(&c->hash[a], got);
}

int ctm_tuf_check_begin(struct ctm_tuf_check *c, const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_target *t)
{
	uint8_t got[CTM_TUF_DIGEST_MAX];

	*c = (struct ctm_tuf_check){ .crypto = crypto, .target = t };
	for (int a = 0; a < CTM_TUF_HASHES; a++) {
		if (!t->has[a] || !crypto->hash_init(&c->hash[a], (enum ctm_tuf_hash_alg)a))
			continue;
		while (a-- > 0)
			if (t->has[a])
				(void)crypto->hash_final(&c->hash[a], got);
		return CTM_SDK_FAIL;
	}
	return 0;
}

int ctm_tuf_check_add(struct ctm_tuf_check *c, const void *p, size_t n)
{
	if (n > c->target->length - c->got)
		return CTM_SDK_TOOBIG;
	c->got += n;
	for (int a = 0; a < CTM_TUF_HASHES; a++)
		if (c->target->has[a] && c->crypto->hash_update(&c->hash[a], p, n))
			return CTM_SDK_FAIL;
	return 0;
}

int ctm_tuf_check_end(struct ctm_tuf_check *c)
{
	uint8_t got[CTM_TUF_DIGEST_MAX];
	bool good = c->got == c->target->length;

	for (int a = 0; a < CTM_TUF_HASHES; a++)
		if (c->target->has[a])
			good &= !c->crypto->hash_final(&c->hash[a], got) && !memcmp(got, c->target->digest[a], tuf_digest_len[a]);
	return good ? 0 : CTM_SDK_VERIFY;
}

struct pouring {
	struct ctm_tuf_check *check;
	ctm_tuf_sink sink;
	void *ctx;
};

static int pour(void *ctx, const uint8_t *p, size_t n)
{
	struct pouring *w = ctx;
	int rc = ctm_tuf_check_add(w->check, p, n);

	return rc ? rc : w->sink(w->ctx, p, n);
}

/* With consistent snapshots a file's digest stands before its name: dir/DIGEST.name. */
static int target_url(const struct ctm_tuf *t, const char *base, const struct ctm_tuf_target *g, char *out, size_t cap)
{
	char quoted[3 * CTM_TUF_NAME_MAX + 1], hex[2 * CTM_TUF_DIGEST_MAX + 2] = "";
	enum ctm_tuf_hash_alg a = g->has[CTM_TUF_SHA256] ? CTM_TUF_SHA256 : CTM_TUF_SHA512;
	const char *slash, *last;
	int rc = tuf_quote(g->name, strlen(g->name), "/!$&'()*+,;=:@", quoted, sizeof quoted);

	if (rc)
		return rc;
	slash = strrchr(quoted, '/');
	last = slash ? slash + 1 : quoted;
	for (size_t i = 0; tuf_consistent(t) && i < tuf_digest_len[a]; i++)
		snprintf(hex + 2 * i, 4, "%02x%s", g->digest[a][i], i + 1 == tuf_digest_len[a] ? "." : "");
	rc = snprintf(out, cap, "%s%s%.*s%s%s", base, *base && base[strlen(base) - 1] == '/' ? "" : "/", (int)(last - quoted), quoted, hex, last);
	return rc < (int)cap ? 0 : CTM_SDK_TOOBIG;
}

int ctm_tuf_fetch(struct ctm_tuf *t, const char *base_url, struct ctm_tuf_check *c, ctm_tuf_sink sink, void *sink_ctx)
{
	char url[CTM_TUF_URL_MAX];
	struct pouring w = { c, sink, sink_ctx };
	int rc = t->top[TUF_ROOT] ? target_url(t, base_url, c->target, url, sizeof url) : CTM_SDK_STATE;

	if (rc)
		return tuf_fail(t, rc, "the address of %.100s cannot be made: %s", c->target->name, ctm_sdk_text(rc));
	if (c->got == c->target->length && c->got)
		return 0;
	rc = t->conf.net.fetch(t->conf.net.ctx, url, c->got, c->target->length - c->got, pour, &w);
	return rc ? tuf_fail(t, rc, "%.160s: %s", url, ctm_sdk_text(rc)) : 0;
}
