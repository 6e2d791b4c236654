/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine: see ctm/update.h. Boot record "boot": CBOR [active, state0, state1, trials, counter, boots]; manifest
 * of slot N in record "manifest.N", written before the slot is marked pending.
 */
#include "ctm/update.h"
#include "ctm/cbor.h"
#include <string.h>

#ifdef CTM_DEFECTS
#define SKIPS(u, what) ((u)->skip.what)
#else
#define SKIPS(u, what) 0
#endif
#define HEADER_MAX (12 + CTM_MODEL_MAX + 1 + CTM_VERSION_MAX + 1)

static int save(struct ctm_update *u)
{
	uint8_t buf[64];
	struct ctm_cbor_w w = ctm_cbor_writer(buf, sizeof buf);
	int rc;

	ctm_cbor_put_array(&w, 6);
	ctm_cbor_put_uint(&w, u->active);
	ctm_cbor_put_uint(&w, u->state[0]);
	ctm_cbor_put_uint(&w, u->state[1]);
	ctm_cbor_put_uint(&w, u->trials_left);
	ctm_cbor_put_uint(&w, u->counter);
	ctm_cbor_put_uint(&w, u->boots);
	rc = ctm_cbor_done(&w);
	return rc ? rc : ctm_record_store(u->port, "boot", buf, w.len);
}

int ctm_update_load(struct ctm_update *u)
{
	uint8_t buf[64];
	struct ctm_cbor_r r;
	uint64_t v[6] = { 0 };
	size_t n = 0;
	int rc = ctm_record_load(u->port, "boot", buf, sizeof buf, &n);

	if (rc)
		return rc;
	r = ctm_cbor_reader(buf, n);
	if (ctm_cbor_array(&r) != 6)
		return CTM_SDK_STORAGE;
	for (int i = 0; i < 6; i++)
		v[i] = ctm_cbor_uint(&r);
	if (ctm_cbor_end(&r) || v[0] >= CTM_SLOTS || v[1] > CTM_SLOT_BAD || v[2] > CTM_SLOT_BAD || v[3] > CTM_TRIALS)
		return CTM_SDK_STORAGE;
	u->active = (uint8_t)v[0];
	u->state[0] = (uint8_t)v[1];
	u->state[1] = (uint8_t)v[2];
	u->trials_left = (uint8_t)v[3];
	u->counter = v[4];
	u->boots = v[5];
	return 0;
}

/* One word of printable characters, ended by `end`. Returns the bytes taken with the end, 0 when it is none. */
static size_t word(const uint8_t *p, size_t n, char end, char *out, size_t max)
{
	size_t i = 0;

	while (i < n && i < max && p[i] > 0x20 && p[i] < 0x7f) {
		out[i] = (char)p[i];
		i++;
	}
	if (!i || i >= n || p[i] != (uint8_t)end)
		return 0;
	out[i] = 0;
	return i + 1;
}

int ctm_image_header(const uint8_t *p, size_t n, struct ctm_image_header *out)
{
	static const char magic[] = "CTM-IMAGE 1 ";
	const size_t m = sizeof magic - 1;
	struct ctm_image_header h;
	size_t a, b;

	if (n < m || memcmp(p, magic, m) != 0)
		return CTM_SDK_INPUT;
	a = word(p + m, n - m, ' ', h.model, CTM_MODEL_MAX);
	b = a ? word(p + m + a, n - m - a, '\n', h.version, CTM_VERSION_MAX) : 0;
	if (!b || !ctm_version_ok(h.version, strlen(h.version)))
		return CTM_SDK_INPUT;
	*out = h;
	return 0;
}

static void manifest_name(int slot, char out[CTM_NAME_MAX + 1])
{
	memcpy(out, "manifest.0", 11);
	out[9] = (char)('0' + slot);
}

static int refuse(int code, const char *word_, const char **why)
{
	if (why)
		*why = word_;
	return code;
}

/* The signed manifest, read. */
static int open_manifest(const struct ctm_update *u, const uint8_t *p, size_t n, struct ctm_manifest *m)
{
	if (SKIPS(u, signature))
		return ctm_manifest_peek(p, n, m) && ctm_manifest_decode(p, n, m) ? CTM_SDK_SYNTAX : 0;
	return ctm_manifest_verify(u->port->crypto, p, n, u->release_key, m);
}

/* The manifest's word about itself: signed, for this product, nothing older. */
static int judge(const struct ctm_update *u, struct ctm_bytes msg, struct ctm_manifest *m, const char **why)
{
	struct ctm_manifest_device d;
	int rc = open_manifest(u, msg.p, msg.n, m);

	if (rc)
		return refuse(rc, rc == CTM_SDK_VERIFY ? "signature" : "manifest", why);
	memcpy(d.vendor, u->vendor, sizeof d.vendor);
	memcpy(d.class_id, u->class_id, sizeof d.class_id);
	d.component = u->component;
	d.version = SKIPS(u, order) ? "" : u->booted;
	d.counter = SKIPS(u, order) ? 0 : u->counter;
	return ctm_manifest_judge(m, &d, why);
}

static int check_image(const struct ctm_update *u, const struct ctm_manifest *m, struct ctm_bytes image, const char **why)
{
	struct ctm_image_header h;

	if (!SKIPS(u, digest) && ctm_manifest_image(u->port->crypto, m, image.p, image.n))
		return refuse(CTM_SDK_VERIFY, "digest", why);
	if (ctm_image_header(image.p, image.n, &h) || strcmp(h.model, u->model) != 0)
		return refuse(CTM_SDK_OTHER, "header", why);
	if (!SKIPS(u, digest) && (strlen(h.version) != m->version.n || memcmp(h.version, m->version.p, m->version.n) != 0))
		return refuse(CTM_SDK_INPUT, "header", why);
	return 0;
}

/* Digest and header of what a slot holds. */
static int read_slot(const struct ctm_update *u, int slot, uint64_t *size, uint8_t digest[CTM_HASH_BYTES], struct ctm_image_header *h)
{
	uint8_t chunk[CTM_SLOT_CHUNK];
	struct ctm_hash sum;
	size_t got = 1;
	uint64_t at = 0;
	int rc = u->port->crypto->sha256_init(&sum), rc2;

	if (rc)
		return rc;
	while (!rc && got) {
		rc = u->port->slot_read(u->port->ctx, slot, (size_t)at, chunk, sizeof chunk, &got);
		if (!rc && at == 0)
			rc = ctm_image_header(chunk, got < HEADER_MAX ? got : HEADER_MAX, h);
		if (!rc && got)
			rc = u->port->crypto->sha256_update(&sum, chunk, got);
		at += got;
		if (!rc && at > CTM_IMAGE_MAX)
			rc = CTM_SDK_TOOBIG;
	}
	rc2 = u->port->crypto->sha256_final(&sum, digest);
	*size = at;
	return rc ? rc : rc2;
}

static int write_slot(const struct ctm_update *u, int slot, struct ctm_bytes image)
{
	uint8_t digest[CTM_HASH_BYTES], want[CTM_HASH_BYTES];
	struct ctm_image_header h;
	uint64_t size;
	int rc = u->port->slot_begin(u->port->ctx, slot);

	for (size_t at = 0; !rc && at < image.n; at += CTM_SLOT_CHUNK)
		rc = u->port->slot_write(u->port->ctx, slot, at, image.p + at, image.n - at < CTM_SLOT_CHUNK ? image.n - at : CTM_SLOT_CHUNK);
	if (!rc)
		rc = u->port->slot_sync(u->port->ctx, slot);
	if (!rc)
		rc = read_slot(u, slot, &size, digest, &h);
	if (!rc)
		rc = ctm_sdk_sha256(u->port->crypto, image.p, image.n, want);
	if (!rc && (size != image.n || !ctm_sdk_same(digest, want, sizeof want)))
		rc = CTM_SDK_STORAGE;
	return rc;
}

int ctm_update_install(struct ctm_update *u, struct ctm_bytes manifest, struct ctm_bytes image, const char **why)
{
	int slot = u->state[u->active] == CTM_SLOT_GOOD ? !u->active : u->active;
	struct ctm_manifest m;
	char name[CTM_NAME_MAX + 1];
	int rc = judge(u, manifest, &m, why);

	if (!rc)
		rc = check_image(u, &m, image, why);
	if (rc)
		return rc;
	u->state[slot] = CTM_SLOT_WRITING;
	manifest_name(slot, name);
	rc = save(u);
	if (!rc)
		rc = write_slot(u, slot, image);
	if (!rc)
		rc = ctm_record_store(u->port, name, manifest.p, manifest.n);
	if (!rc) {
		u->state[slot] = CTM_SLOT_PENDING;
		u->trials_left = CTM_TRIALS;
		rc = save(u);
	}
	return rc ? refuse(rc, "storage", why) : 0;
}

/* Does the slot hold an image that its manifest vouches for? Gives what the boot reports. */
static int verify_slot(struct ctm_update *u, int slot, struct ctm_manifest *m, uint8_t manifest[CTM_MANIFEST_MAX],
		       struct ctm_image_header *h, uint8_t digest[CTM_HASH_BYTES])
{
	char name[CTM_NAME_MAX + 1];
	uint64_t size = 0;
	size_t n = 0;
	int rc;

	manifest_name(slot, name);
	if ((rc = ctm_record_load(u->port, name, manifest, CTM_MANIFEST_MAX, &n)))
		return rc;
	rc = open_manifest(u, manifest, n, m);
	if (!rc)
		rc = read_slot(u, slot, &size, digest, h);
	if (rc)
		return rc;
	if (!SKIPS(u, digest) && (size != m->size || !ctm_sdk_same(digest, m->digest, CTM_HASH_BYTES)))
		return CTM_SDK_VERIFY;
	return strcmp(h->model, u->model) == 0 ? 0 : CTM_SDK_OTHER;
}

/* Boot one slot: verify, self-test; on success the report of this boot is filled. */
static int try_slot(struct ctm_update *u, int slot, uint64_t *counter)
{
	uint8_t manifest[CTM_MANIFEST_MAX], digest[CTM_HASH_BYTES];
	struct ctm_image_header h;
	struct ctm_manifest m;
	int rc = verify_slot(u, slot, &m, manifest, &h, digest);

	if (!rc && u->self_test)
		rc = u->self_test(u->self_test_ctx, &h);
	if (rc)
		return rc;
	memcpy(u->booted, h.version, sizeof u->booted);
	memcpy(u->verified, m.version.p, m.version.n);
	u->verified[m.version.n] = 0;
	memcpy(u->digest, digest, sizeof u->digest);
	*counter = m.counter;
	return 0;
}

/* Storage is not trusted to say which image runs: one put back under its own old manifest is signed, and older than the floor. */
static int below_floor(const struct ctm_update *u, uint64_t counter)
{
	return !SKIPS(u, order) && counter < u->counter;
}

/* The trial of a pending slot. 0 confirmed, else it is marked bad or gets another try later. */
static int trial(struct ctm_update *u, int slot)
{
	uint64_t counter;
	int rc;

	if (!u->trials_left) {
		u->state[slot] = CTM_SLOT_BAD;
		rc = save(u);
		return rc ? rc : CTM_SDK_VERIFY;
	}
	u->trials_left--;
	if ((rc = save(u)))             /* counted before it may hang */
		return rc;
	rc = try_slot(u, slot, &counter);
	if (!rc && below_floor(u, counter))
		rc = CTM_SDK_OTHER;
	if (rc) {
		u->state[slot] = CTM_SLOT_BAD;
		(void)save(u);          /* if this fails too, the count of trials ends it */
		return rc;
	}
	u->state[slot] = CTM_SLOT_GOOD;
	u->active = (uint8_t)slot;
	if (counter > u->counter)
		u->counter = counter;
	return save(u);
}

int ctm_update_boot(struct ctm_update *u, bool *fell_back)
{
	uint64_t counter;
	bool back = false;
	int rc;

	u->booted[0] = u->verified[0] = 0;
	memset(u->digest, 0, sizeof u->digest);
	u->boots++;
	if ((rc = save(u)))
		return rc;
	for (int slot = 0; slot < CTM_SLOTS; slot++) {
		if (u->state[slot] != CTM_SLOT_PENDING)
			continue;
		rc = trial(u, slot);
		if (!rc)
			return 0;
		back = true;
	}
	if (fell_back)
		*fell_back = back;
	rc = u->state[u->active] == CTM_SLOT_GOOD ? try_slot(u, u->active, &counter) : CTM_SDK_VERIFY;
	if (!rc && below_floor(u, counter))
		rc = CTM_SDK_OTHER;
	if (!rc)
		return 0;
	/* The running slot has gone bad in storage: the other one, if it was good and is not older than the floor. */
	if (u->state[!u->active] != CTM_SLOT_GOOD || try_slot(u, !u->active, &counter) || counter < u->counter) {
		u->booted[0] = u->verified[0] = 0;
		memset(u->digest, 0, sizeof u->digest);
		return CTM_SDK_VERIFY;
	}
	u->active = !u->active;
	return save(u);
}
