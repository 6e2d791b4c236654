/* SPDX-License-Identifier: Apache-2.0 */
#include "meta.h"
#include <stdlib.h>
#include <string.h>

const char *const tuf_type_names[TUF_TYPES] = { "root", "timestamp", "snapshot", "targets" };
const size_t tuf_digest_len[CTM_TUF_HASHES] = { 32, 64 };
static const char *const hash_names[CTM_TUF_HASHES] = { "sha256", "sha512" };

size_t tuf_type_max(enum tuf_type type)
{
	static const size_t max[TUF_TYPES] = { CTM_TUF_ROOT_MAX, CTM_TUF_TIMESTAMP_MAX, CTM_TUF_SNAPSHOT_MAX, CTM_TUF_TARGETS_MAX };

	return max[type];
}

bool tuf_unhex(const char *s, size_t n, uint8_t *out)
{
	if (n % 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i], low = c | 0x20, v;

		if (c >= '0' && c <= '9')
			v = c - '0';
		else if (low >= 'a' && low <= 'f')
			v = low - 'a' + 10;
		else
			return false;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	return true;
}

/* --- shape ------------------------------------------------------------------------------------------------------------ */

static bool digits(const char *s, int n, int64_t *out)
{
	*out = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (s[i] - '0');
	}
	return true;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Exactly YYYY-MM-DDTHH:MM:SSZ. */
static bool moment(const struct tuf_node *v, int64_t *out)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	static const int len[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t y, mo, d, h, mi, s;

	if (!v || v->type != TUF_STR || v->n != 20)
		return false;
	for (int i = 0; i < 20; i++)
		if (shape[i] != 'd' && v->s[i] != shape[i])
			return false;
	if (!digits(v->s, 4, &y) || !digits(v->s + 5, 2, &mo) || !digits(v->s + 8, 2, &d) || !digits(v->s + 11, 2, &h) ||
	    !digits(v->s + 14, 2, &mi) || !digits(v->s + 17, 2, &s))
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > len[mo - 1] || h > 23 || mi > 59 || s > 60)
		return false;
	if (mo == 2 && d == 29 && (y % 4 || (y % 100 == 0 && y % 400)))
		return false;
	*out = days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
	return true;
}

/* {keyids: [text], threshold: from 1}. */
bool tuf_role_shape(const struct tuf_node *role)
{
	const struct tuf_node *ids = tuf_of(role, "keyids", TUF_ARR);
	int64_t threshold;

	if (!ids || !tuf_int(tuf_get(role, "threshold"), &threshold) || threshold < 1)
		return false;
	for (uint32_t i = 0; i < ids->n; i++)
		if (ids->kids[i].type != TUF_STR)
			return false;
	return true;
}

static bool keys_shape(const struct tuf_node *keys)
{
	if (!keys || keys->type != TUF_OBJ)
		return false;
	for (uint32_t i = 0; i < keys->n; i++) {
		const struct tuf_node *k = &keys->kids[i];

		if (!tuf_of(k, "keytype", TUF_STR) || !tuf_of(k, "scheme", TUF_STR) || !tuf_of(k, "keyval", TUF_OBJ))
			return false;
	}
	return true;
}

static const char *root_shape(const struct tuf_node *b)
{
	const struct tuf_node *roles = tuf_of(b, "roles", TUF_OBJ), *c = tuf_get(b, "consistent_snapshot");

	if (!keys_shape(tuf_get(b, "keys")))
		return "its keys are not keys";
	for (int t = 0; t < TUF_TYPES; t++)
		if (!tuf_role_shape(tuf_of(roles, tuf_type_names[t], TUF_OBJ)))
			return "a top-level role is missing or has no keyids and threshold";
	return c && c->type != TUF_TRUE && c->type != TUF_FALSE ? "consistent_snapshot is neither true nor false" : NULL;
}

static bool meta_shape(const struct tuf_node *m)
{
	const struct tuf_node *length = tuf_get(m, "length"), *hashes = tuf_get(m, "hashes");
	int64_t v;

	return m->type == TUF_OBJ && tuf_int(tuf_get(m, "version"), &v) && v >= 1 && (!length || (tuf_int(length, &v) && v >= 1)) &&
	       (!hashes || (hashes->type == TUF_OBJ && hashes->n > 0));
}

static const char *metas_shape(const struct tuf_node *b, enum tuf_type type)
{
	const struct tuf_node *meta = tuf_of(b, "meta", TUF_OBJ);

	if (!meta || !tuf_of(meta, type == TUF_TIMESTAMP ? "snapshot.json" : "targets.json", TUF_OBJ))
		return "meta does not name what it must";
	for (uint32_t i = 0; i < meta->n; i++)
		if (!meta_shape(&meta->kids[i]))
			return "an entry of meta has no version, or its length or hashes are not such";
	return NULL;
}

static bool texts(const struct tuf_node *a)
{
	for (uint32_t i = 0; a && i < a->n; i++)
		if (a->kids[i].type != TUF_STR)
			return false;
	return true;
}

/* A delegation may not take the name of a top-level role: it would be stored in that one's place. */
static bool delegation_shape(const struct tuf_node *r)
{
	const struct tuf_node *name = tuf_of(r, "name", TUF_STR), *paths = tuf_of(r, "paths", TUF_ARR),
			      *prefixes = tuf_of(r, "path_hash_prefixes", TUF_ARR), *last = tuf_get(r, "terminating");

	if (!tuf_role_shape(r) || !name || !name->n || name->n > CTM_TUF_NAME_MAX || memchr(name->s, 0, name->n))
		return false;
	for (int t = 0; t < TUF_TYPES; t++)
		if (tuf_str_is(name, tuf_type_names[t]))
			return false;
	return !paths != !prefixes && texts(paths) && texts(prefixes) && last && (last->type == TUF_TRUE || last->type == TUF_FALSE);
}

static const char *targets_shape(const struct tuf_node *b)
{
	const struct tuf_node *targets = tuf_of(b, "targets", TUF_OBJ), *d = tuf_get(b, "delegations"), *roles = tuf_get(d, "roles");
	int64_t length;

	if (!targets)
		return "it has no targets";
	for (uint32_t i = 0; i < targets->n; i++) {
		const struct tuf_node *t = &targets->kids[i], *h = tuf_of(t, "hashes", TUF_OBJ);

		if (!tuf_int(tuf_get(t, "length"), &length) || length < 0 || !h || !h->n)
			return "a target has no length or no hashes";
	}
	if (!d)
		return NULL;
	if (d->type != TUF_OBJ || !keys_shape(tuf_get(d, "keys")) || (roles && roles->type != TUF_ARR))
		return "its delegations are not such";
	for (uint32_t i = 0; roles && i < roles->n; i++)
		if (!delegation_shape(&roles->kids[i]))
			return "a delegation is not such, or has the name of a top-level role";
	return NULL;
}

static int by_keyid(const void *pa, const void *pb)
{
	const struct ctm_bytes *a = pa, *b = pb;
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

/* "The keyid MUST be unique in the signatures array." */
static const char *sigs_shape(const struct tuf_node *sigs)
{
	struct ctm_bytes id[CTM_TUF_SIGNATURES_MAX];

	if (!sigs || sigs->n > CTM_TUF_SIGNATURES_MAX)
		return "its signatures are missing or too many";
	for (uint32_t i = 0; i < sigs->n; i++) {
		if (!tuf_of(&sigs->kids[i], "keyid", TUF_STR) || !tuf_of(&sigs->kids[i], "sig", TUF_STR))
			return "a signature has no keyid or sig";
		id[i] = tuf_str(tuf_get(&sigs->kids[i], "keyid"));
	}
	qsort(id, sigs->n, sizeof *id, by_keyid);
	for (uint32_t i = 1; i < sigs->n; i++)
		if (by_keyid(&id[i - 1], &id[i]) == 0)
			return "two signatures carry the same keyid";
	return NULL;
}

static const char *shape(struct tuf_doc *d)
{
	const struct tuf_node *spec = tuf_of(d->body, "spec_version", TUF_STR);
	const char *bad = sigs_shape(d->sigs);

	if (bad)
		return bad;
	if (!d->body)
		return "it has no signed part";
	if (!tuf_str_is(tuf_get(d->body, "_type"), tuf_type_names[d->type]))
		return "it is of another type";
	if (!spec || spec->n < 2 || memcmp(spec->s, "1.", 2))
		return "its spec_version is not 1";
	if (!tuf_int(tuf_get(d->body, "version"), &d->version) || d->version < 1)
		return "it has no version from 1";
	if (!moment(tuf_get(d->body, "expires"), &d->expires_s))
		return "it has no moment at which it expires";
	switch (d->type) {
	case TUF_ROOT: return root_shape(d->body);
	case TUF_TARGETS: return targets_shape(d->body);
	default: return metas_shape(d->body, d->type);
	}
}

int tuf_doc_open(uint8_t *bytes, size_t n, enum tuf_type type, struct tuf_doc **out, const char **why)
{
	struct tuf_doc *d = calloc(1, sizeof *d);
	const char *bad = NULL;
	int rc;

	if (!d) {
		free(bytes);
		return CTM_SDK_FAIL;
	}
	*d = (struct tuf_doc){ .bytes = bytes, .n = n, .type = type };
	rc = n > tuf_type_max(type) ? CTM_SDK_TOOBIG : tuf_json_read(bytes, n, &d->json);
	if (rc)
		bad = rc == CTM_SDK_TOOBIG ? "it is too large" : "it is not JSON of the kind that can be signed";
	if (!rc) {
		d->sigs = tuf_of(&d->json.root, "signatures", TUF_ARR);
		d->body = tuf_of(&d->json.root, "signed", TUF_OBJ);
		bad = shape(d);
		rc = bad ? CTM_SDK_INPUT : 0;
	}
	if (!rc && !(d->canon = malloc(n)))
		rc = CTM_SDK_FAIL;
	if (!rc)
		rc = tuf_canonical(d->body, d->canon, n, &d->canonn);
	if (rc) {
		if (why && bad)
			*why = bad;
		tuf_doc_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void tuf_doc_free(struct tuf_doc *d)
{
	if (!d)
		return;
	tuf_json_free(&d->json);
	free(d->canon);
	free(d->bytes);
	free(d);
}

/* --- signatures ------------------------------------------------------------------------------------------------------- */

static struct ctm_tuf_key key_of(const struct tuf_node *k)
{
	return (struct ctm_tuf_key){ tuf_str(tuf_get(k, "keytype")), tuf_str(tuf_get(k, "scheme")), tuf_str(tuf_get(tuf_get(k, "keyval"), "public")) };
}

static bool lists(const struct tuf_node *ids, struct ctm_bytes id)
{
	for (uint32_t i = 0; i < ids->n; i++)
		if (ids->kids[i].n == id.n && !memcmp(ids->kids[i].s, id.p, id.n))
			return true;
	return false;
}

#define SIG_MAX 2048       /* bytes: RSA keys to 8192 bits, with room */

static bool signature_holds(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_node *key, struct ctm_bytes hex,
			    uint8_t identity[CTM_HASH_BYTES])
{
	struct ctm_tuf_key k = key_of(key);
	uint8_t sig[SIG_MAX];

	if (!k.value.n || !hex.n || hex.n > 2 * sizeof sig || !tuf_unhex((const char *)hex.p, hex.n, sig))
		return false;
	return c->verify(&k, (struct ctm_bytes){ d->canon, d->canonn }, (struct ctm_bytes){ sig, hex.n / 2 }, identity) == 0;
}

unsigned tuf_doc_signers(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_node *keys, const struct tuf_node *role,
			 unsigned enough)
{
	const struct tuf_node *ids = tuf_of(role, "keyids", TUF_ARR);
	uint8_t seen[CTM_TUF_SIGNATURES_MAX][CTM_HASH_BYTES];
	unsigned count = 0;

	for (uint32_t i = 0; ids && i < d->sigs->n && count < enough; i++) {
		struct ctm_bytes id = tuf_str(tuf_get(&d->sigs->kids[i], "keyid"));
		const struct tuf_node *key = lists(ids, id) ? tuf_getn(keys, (const char *)id.p, id.n) : NULL;
		bool again = false;

		if (!key || !signature_holds(c, d, key, tuf_str(tuf_get(&d->sigs->kids[i], "sig")), seen[count]))
			continue;
		for (unsigned k = 0; k < count; k++)
			again |= !memcmp(seen[k], seen[count], CTM_HASH_BYTES);
		count += !again;
	}
	return count;
}

int tuf_doc_signed(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_node *keys, const struct tuf_node *role)
{
	int64_t threshold;

	if (!tuf_int(tuf_get(role, "threshold"), &threshold) || threshold < 1 || threshold > CTM_TUF_SIGNATURES_MAX)
		return CTM_SDK_VERIFY;
	return tuf_doc_signers(c, d, keys, role, (unsigned)threshold) == (unsigned)threshold ? 0 : CTM_SDK_VERIFY;
}

int tuf_doc_signed_by_root(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_doc *root)
{
	return tuf_doc_signed(c, d, tuf_get(root->body, "keys"), tuf_get(tuf_get(root->body, "roles"), tuf_type_names[d->type]));
}

static bool has_key(const struct ctm_tuf_crypto *c, const struct tuf_doc *root, const char *role, const uint8_t want[CTM_HASH_BYTES])
{
	const struct tuf_node *ids = tuf_get(tuf_get(tuf_get(root->body, "roles"), role), "keyids");

	for (uint32_t i = 0; i < ids->n; i++) {
		const struct tuf_node *key = tuf_getn(tuf_get(root->body, "keys"), ids->kids[i].s, ids->kids[i].n);
		struct ctm_tuf_key k;
		uint8_t got[CTM_HASH_BYTES];

		if (!key)
			continue;
		k = key_of(key);
		if (!c->identity(&k, got) && !memcmp(got, want, sizeof got))
			return true;
	}
	return false;
}

bool tuf_key_removed(const struct ctm_tuf_crypto *c, const struct tuf_doc *before, const struct tuf_doc *after, const char *role)
{
	const struct tuf_node *ids = tuf_get(tuf_get(tuf_get(before->body, "roles"), role), "keyids");

	for (uint32_t i = 0; i < ids->n; i++) {
		const struct tuf_node *key = tuf_getn(tuf_get(before->body, "keys"), ids->kids[i].s, ids->kids[i].n);
		struct ctm_tuf_key k;
		uint8_t id[CTM_HASH_BYTES];

		if (!key)
			continue;
		k = key_of(key);
		if (!c->identity(&k, id) && !has_key(c, after, role, id))
			return true;
	}
	return false;
}

/* --- what a parent states --------------------------------------------------------------------------------------------- */

bool tuf_digests(const struct tuf_node *hashes, bool has[CTM_TUF_HASHES], uint8_t digest[CTM_TUF_HASHES][CTM_TUF_DIGEST_MAX], bool *known)
{
	*known = false;
	for (int a = 0; a < CTM_TUF_HASHES; a++) {
		const struct tuf_node *v = tuf_get(hashes, hash_names[a]);

		has[a] = v != NULL;
		*known |= has[a];
		if (v && (v->type != TUF_STR || v->n != 2 * tuf_digest_len[a] || !tuf_unhex(v->s, v->n, digest[a])))
			return false;
	}
	return *known;
}

static int digest_of(const struct ctm_tuf_crypto *c, enum ctm_tuf_hash_alg a, const void *p, size_t n, uint8_t out[CTM_TUF_DIGEST_MAX])
{
	struct ctm_hash h;
	int rc = c->hash_init(&h, a), end;

	if (rc)
		return rc;
	rc = c->hash_update(&h, p, n);
	end = c->hash_final(&h, out);
	return rc ? rc : end;
}

int tuf_meta_fits(const struct ctm_tuf_crypto *c, const struct tuf_node *meta, const void *p, size_t n)
{
	const struct tuf_node *hashes = tuf_of(meta, "hashes", TUF_OBJ);
	uint8_t want[CTM_TUF_HASHES][CTM_TUF_DIGEST_MAX], got[CTM_TUF_DIGEST_MAX];
	bool has[CTM_TUF_HASHES], known;
	int64_t length;

	if (tuf_int(tuf_get(meta, "length"), &length) && (uint64_t)length != n)
		return CTM_SDK_VERIFY;
	if (!hashes)
		return 0;
	if (!tuf_digests(hashes, has, want, &known))
		return known ? CTM_SDK_VERIFY : CTM_SDK_UNSUPPORTED;
	for (int a = 0; a < CTM_TUF_HASHES; a++)
		if (has[a] && (digest_of(c, (enum ctm_tuf_hash_alg)a, p, n, got) || memcmp(got, want[a], tuf_digest_len[a])))
			return CTM_SDK_VERIFY;
	return 0;
}

const struct tuf_node *tuf_meta_of(const struct tuf_doc *d, const char *role, size_t n)
{
	char name[CTM_TUF_NAME_MAX + 6];

	if (n > CTM_TUF_NAME_MAX)
		return NULL;
	memcpy(name, role, n);
	memcpy(name + n, ".json", 5);
	return tuf_getn(tuf_get(d->body, "meta"), name, n + 5);
}

int64_t tuf_meta_version(const struct tuf_node *meta)
{
	int64_t v = 0;

	return tuf_int(tuf_get(meta, "version"), &v) ? v : 0;
}

size_t tuf_meta_max(const struct tuf_node *meta, size_t otherwise)
{
	int64_t v;

	return tuf_int(tuf_get(meta, "length"), &v) && (uint64_t)v < otherwise ? (size_t)v : otherwise;
}
