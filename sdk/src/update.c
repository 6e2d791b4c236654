/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine: see ctm/update.h. Records: "boot", CBOR [active, state0, state1, trials, counter, boots]; "manifest.N",
 * the signed manifest of slot N, there before the slot's first byte; "progress", CBOR [slot, at, mark0, mark1], believed only
 * for a slot that is being written under the manifest stored for it.
 */
#include "ctm/update.h"
#include "ctm/cbor.h"
#include <string.h>

#ifdef CTM_DEFECTS
#define SKIPS(u, what) ((u)->skip.what)
#else
#define SKIPS(u, what) 0
#endif
#ifndef CTM_PLANT
#define CTM_PLANT 0             /* a bug planted on purpose, for the test of the power-cut simulator (tests/sim) */
#endif
#define HEADER_MAX (12 + CTM_MODEL_MAX + 1 + CTM_VERSION_MAX + 1)

static int store_numbers(const struct ctm_port *port, const char *name, const uint64_t *v, size_t n)
{
	uint8_t buf[64];
	struct ctm_cbor_w w = ctm_cbor_writer(buf, sizeof buf);

	ctm_cbor_put_array(&w, n);
	for (size_t i = 0; i < n; i++)
		ctm_cbor_put_uint(&w, v[i]);
	return w.err ? w.err : ctm_record_store(port, name, buf, w.len);
}

static int load_numbers(const struct ctm_port *port, const char *name, uint64_t *v, size_t n)
{
	uint8_t buf[64];
	struct ctm_cbor_r r;
	size_t len = 0;
	int rc = ctm_record_load(port, name, buf, sizeof buf, &len);

	if (rc)
		return rc;
	r = ctm_cbor_reader(buf, len);
	if (ctm_cbor_array(&r) != n)
		return CTM_SDK_STORAGE;
	for (size_t i = 0; i < n; i++)
		v[i] = ctm_cbor_uint(&r);
	return ctm_cbor_end(&r) ? CTM_SDK_STORAGE : 0;
}

static int save(struct ctm_update *u)
{
	const uint64_t v[6] = { u->active, u->state[0], u->state[1], u->trials_left, u->counter, u->boots };

	return store_numbers(u->port, "boot", v, 6);
}

int ctm_update_load(struct ctm_update *u)
{
	uint64_t v[6];
	int rc = load_numbers(u->port, "boot", v, 6);

	u->slot = u->running = CTM_SLOTS;
	if (rc)
		return rc;
	if (v[0] >= CTM_SLOTS || v[1] > CTM_SLOT_TRIAL || v[2] > CTM_SLOT_TRIAL || v[3] > CTM_TRIALS)
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

static const char *manifest_name(int slot)
{
	return slot ? "manifest.1" : "manifest.0";
}

/* The signed manifest, read. */
static int open_manifest(const struct ctm_update *u, const uint8_t *p, size_t n, struct ctm_manifest *m)
{
	if (SKIPS(u, signature))
		return ctm_manifest_peek(p, n, m) && ctm_manifest_decode(p, n, m) ? CTM_SDK_SYNTAX : 0;
	return ctm_manifest_verify(u->port->crypto, p, n, u->release_key, u->release_keylen, m);
}

/* The manifest stored for a slot, verified; borrows from the work area. */
static int stored_manifest(struct ctm_update *u, int slot, struct ctm_manifest *m)
{
	size_t n = 0;
	int rc = ctm_record_load(u->port, manifest_name(slot), u->manifest, sizeof u->manifest, &n);

	return rc ? rc : open_manifest(u, u->manifest, n, m);
}

/* The manifest's word about itself: signed, for this product, wanted, nothing older. */
static int judge(struct ctm_update *u, struct ctm_bytes msg, struct ctm_manifest *m, const char **why)
{
	struct ctm_manifest running;
	struct ctm_manifest_device d;
	int rc = open_manifest(u, msg.p, msg.n, m);

	if (rc)
		return ctm_sdk_refuse(rc, rc == CTM_SDK_VERIFY ? "signature" : "manifest", why);
	memcpy(d.vendor, u->vendor, sizeof d.vendor);
	memcpy(d.class_id, u->class_id, sizeof d.class_id);
	d.component = u->component;
	d.version = SKIPS(u, order) ? "" : u->booted;
	d.counter = SKIPS(u, order) ? 0 : u->counter;
	d.running = u->running < CTM_SLOTS && !stored_manifest(u, u->running, &running) ? &running : NULL;
	rc = ctm_manifest_judge(m, &d, why);
	return rc || !u->director ? rc : ctm_director_agrees(u->director, m, why);
}

/* ---- download ---- */

bool ctm_update_on_trial(const struct ctm_update *u)
{
	return u->running < CTM_SLOTS && u->state[u->running] == CTM_SLOT_TRIAL;
}

int ctm_update_checkpoint(struct ctm_update *u, uint32_t mark0, uint32_t mark1)
{
	const uint64_t v[4] = { u->slot, u->at, mark0, mark1 };
	int rc;

	if (u->slot >= CTM_SLOTS || u->at % CTM_SLOT_BLOCK)
		return CTM_SDK_STATE;
	rc = u->port->slot_sync(u->port->ctx, u->slot);
	if (!rc)
		rc = store_numbers(u->port, "progress", v, 4);
	if (!rc) {
		u->mark[0] = mark0;
		u->mark[1] = mark1;
	}
	return rc;
}

/* A download of this very image that was cut short: where it goes on; 0 to start over. */
static size_t resumes_at(struct ctm_update *u, int slot, struct ctm_bytes msg, const struct ctm_manifest *m)
{
	uint64_t v[4];
	size_t n = 0;

	if (u->state[slot] != CTM_SLOT_WRITING || load_numbers(u->port, "progress", v, 4) || v[0] != (uint64_t)slot || v[1] > m->size ||
	    v[1] % CTM_SLOT_BLOCK || ctm_record_load(u->port, manifest_name(slot), u->manifest, sizeof u->manifest, &n) || n != msg.n ||
	    memcmp(u->manifest, msg.p, n) != 0)
		return 0;
	u->mark[0] = (uint32_t)v[2];
	u->mark[1] = (uint32_t)v[3];
	return (size_t)v[1];
}

/* The order matters: the slot does not count any more, then nothing of it has come, then what will come, then it is emptied. */
static int start_over(struct ctm_update *u, int slot, struct ctm_bytes msg)
{
	const uint64_t none[4] = { (uint64_t)slot, 0, 0, 0 };
	int rc = 0;

	if (u->state[slot] != CTM_SLOT_WRITING) {
		u->state[slot] = CTM_SLOT_WRITING;
		rc = save(u);
	}
	u->mark[0] = u->mark[1] = 0;
	if (!rc)
		rc = store_numbers(u->port, "progress", none, 4);
	if (!rc)
		rc = ctm_record_store(u->port, manifest_name(slot), msg.p, msg.n);
	return rc ? rc : u->port->slot_begin(u->port->ctx, slot);
}

/* Never the slot that runs. */
static int spare_slot(const struct ctm_update *u)
{
	if (u->running < CTM_SLOTS)
		return !u->running;
	return u->state[u->active] == CTM_SLOT_GOOD ? !u->active : u->active;
}

int ctm_update_begin(struct ctm_update *u, struct ctm_bytes manifest, const char **why)
{
	int slot = spare_slot(u), rc;
	struct ctm_manifest m;

	u->slot = CTM_SLOTS;
	if (ctm_update_on_trial(u))
		return ctm_sdk_refuse(CTM_SDK_STATE, "trial", why);     /* the other slot is the way back */
	if ((rc = judge(u, manifest, &m, why)))
		return rc;
	u->at = resumes_at(u, slot, manifest, &m);
	if (!u->at && (rc = start_over(u, slot, manifest)))
		return ctm_sdk_refuse(rc, "storage", why);
	u->slot = (uint8_t)slot;
	u->size = (size_t)m.size;
	return 0;
}

/* Does the slot give back what it was just given? */
static int reads_back(const struct ctm_update *u, const uint8_t *p, size_t n)
{
	uint8_t chunk[CTM_SLOT_CHUNK];
	size_t got = 0;

	for (size_t at = 0; at < n; at += got) {
		size_t want = n - at < sizeof chunk ? n - at : sizeof chunk;
		int rc = u->port->slot_read(u->port->ctx, u->slot, u->at + at, chunk, want, &got);

		if (rc || !got || memcmp(chunk, p + at, got) != 0)
			return rc ? rc : CTM_SDK_STORAGE;
	}
	return 0;
}

int ctm_update_put(struct ctm_update *u, const void *p, size_t n)
{
	int rc;

	if (u->slot >= CTM_SLOTS)
		return CTM_SDK_STATE;
	if (n > u->size - u->at)
		return CTM_SDK_TOOBIG;
	rc = u->port->slot_write(u->port->ctx, u->slot, u->at, p, n);
	if (!rc)
		rc = reads_back(u, p, n);
	if (!rc)
		u->at += n;
	return rc;
}

int ctm_update_write(struct ctm_update *u, const void *p, size_t n)
{
	const uint8_t *from = p;
	int rc = u->slot >= CTM_SLOTS ? CTM_SDK_STATE : n > u->size - u->at ? CTM_SDK_TOOBIG : 0;

	while (!rc && n) {
		size_t room = CTM_SLOT_BLOCK - u->at % CTM_SLOT_BLOCK, k = n < room ? n : room;

		rc = ctm_update_put(u, from, k);
		from += k;
		n -= k;
		if (!rc && k == room && u->at < u->size)
			rc = ctm_update_checkpoint(u, 0, 0);
	}
	return rc;
}

/* Digest and header of the first `size` bytes that a slot holds. A header that is none gives an empty model. */
static int read_slot(const struct ctm_update *u, int slot, size_t size, uint8_t digest[CTM_HASH_BYTES], struct ctm_image_header *h)
{
	uint8_t chunk[CTM_SLOT_CHUNK];
	struct ctm_hash sum;
	size_t got;
	int rc = u->port->crypto->sha256_init(&sum), rc2;

	h->model[0] = 0;
	if (rc)
		return rc;
	for (size_t at = 0; !rc && at < size; at += got) {
		got = 0;
		rc = u->port->slot_read(u->port->ctx, slot, at, chunk, size - at < sizeof chunk ? size - at : sizeof chunk, &got);
		if (!rc && at == 0)
			(void)ctm_image_header(chunk, got < HEADER_MAX ? got : HEADER_MAX, h);
		if (!rc)
			rc = got ? u->port->crypto->sha256_update(&sum, chunk, got) : CTM_SDK_VERIFY;
	}
	rc2 = u->port->crypto->sha256_final(&sum, digest);
	return rc ? rc : rc2;
}

/* Does the slot hold an image that its manifest vouches for? m borrows from the work area. */
static int verify_slot(struct ctm_update *u, int slot, struct ctm_manifest *m, struct ctm_image_header *h,
		       uint8_t digest[CTM_HASH_BYTES], const char **why)
{
	int rc = stored_manifest(u, slot, m);

	if (rc)
		return ctm_sdk_refuse(rc, "storage", why);
	rc = read_slot(u, slot, (size_t)m->size, digest, h);
	if (!rc && !SKIPS(u, digest) && !ctm_sdk_same(digest, m->digest, CTM_HASH_BYTES))
		rc = CTM_SDK_VERIFY;
	if (rc)
		return ctm_sdk_refuse(rc, rc == CTM_SDK_VERIFY ? "digest" : "storage", why);
	if (strcmp(h->model, u->model) != 0)
		return ctm_sdk_refuse(CTM_SDK_OTHER, "header", why);
	if (!SKIPS(u, digest) && (strlen(h->version) != m->version.n || memcmp(h->version, m->version.p, m->version.n) != 0))
		return ctm_sdk_refuse(CTM_SDK_INPUT, "header", why);
	return 0;
}

int ctm_update_finish(struct ctm_update *u, const char **why)
{
	uint8_t digest[CTM_HASH_BYTES];
	struct ctm_image_header h;
	struct ctm_manifest m;
	int slot = u->slot, rc;

	if (slot >= CTM_SLOTS)
		return ctm_sdk_refuse(CTM_SDK_STATE, "begin", why);
	u->slot = CTM_SLOTS;
	if (u->at != u->size)
		return ctm_sdk_refuse(CTM_SDK_VERIFY, "digest", why);
#if CTM_PLANT == 3
	u->state[slot] = CTM_SLOT_PENDING;
	u->trials_left = CTM_TRIALS;
	return save(u);
#endif
	if ((rc = u->port->slot_sync(u->port->ctx, slot)))
		return ctm_sdk_refuse(rc, "storage", why);
	rc = verify_slot(u, slot, &m, &h, digest, why);
	u->state[slot] = rc ? CTM_SLOT_EMPTY : CTM_SLOT_PENDING;
	u->trials_left = CTM_TRIALS;
#if CTM_PLANT == 1
	if (!rc && m.counter > u->counter)
		u->counter = m.counter;
#endif
	if (save(u))
		return rc ? rc : ctm_sdk_refuse(CTM_SDK_STORAGE, "storage", why);
	return rc;
}

int ctm_update_install(struct ctm_update *u, struct ctm_bytes manifest, struct ctm_bytes image, const char **why)
{
	int rc = ctm_update_begin(u, manifest, why);

	if (rc)
		return rc;
	if (image.n != u->size) {
		u->slot = CTM_SLOTS;
		return ctm_sdk_refuse(CTM_SDK_VERIFY, "digest", why);
	}
	rc = ctm_update_write(u, image.p + u->at, image.n - u->at);
	return rc ? ctm_sdk_refuse(rc, "storage", why) : ctm_update_finish(u, why);
}

/* ---- boot ---- */

static void nothing_runs(struct ctm_update *u)
{
	u->running = CTM_SLOTS;
	u->booted[0] = u->verified[0] = 0;
	memset(u->digest, 0, sizeof u->digest);
}

/* Boot one slot: verify it, and its counter against the floor, for storage is not trusted to say which image runs: one put back
 * under its own old manifest is signed. On success the report of this boot is filled. */
static int try_slot(struct ctm_update *u, int slot, struct ctm_image_header *h)
{
	uint8_t digest[CTM_HASH_BYTES];
	struct ctm_manifest m;
	int rc = verify_slot(u, slot, &m, h, digest, NULL);

	if (!rc && !SKIPS(u, order) && m.counter < u->counter)
		rc = CTM_SDK_OLDER;
	if (rc)
		return rc;
	memcpy(u->booted, h->version, sizeof u->booted);
	memcpy(u->verified, m.version.p, m.version.n);
	u->verified[m.version.n] = 0;
	memcpy(u->digest, digest, sizeof u->digest);
	u->image_size = (size_t)m.size;
	u->running_counter = m.counter;
	u->running = (uint8_t)slot;
	return 0;
}

int ctm_update_commit(struct ctm_update *u)
{
	struct { uint64_t counter; uint8_t active; } was = { u->counter, u->active };
	int rc;

	if (!ctm_update_on_trial(u))
		return CTM_SDK_STATE;
	u->state[u->running] = CTM_SLOT_GOOD;
	u->active = u->running;
	if (u->running_counter > u->counter)
		u->counter = u->running_counter;
	if ((rc = save(u))) {
		u->state[u->running] = CTM_SLOT_TRIAL;
		u->active = was.active;
		u->counter = was.counter;
	} else if (u->time) {
		(void)ctm_timefloor_keep(u->time);      /* an older floor is no reason to lose the update */
	}
	return rc;
}

int ctm_update_reject(struct ctm_update *u)
{
	if (!ctm_update_on_trial(u))
		return CTM_SDK_STATE;
	u->state[u->running] = CTM_SLOT_BAD;
	nothing_runs(u);
	return save(u);
}

/* The trial of a slot whose try was counted. 0: it runs. */
static int trial(struct ctm_update *u, int slot)
{
	struct ctm_image_header h;
	int rc = try_slot(u, slot, &h);

	if (!rc && u->self_test)
		rc = u->self_test(u->self_test_ctx, &h);
	if (!rc)
		return u->self_test ? ctm_update_commit(u) : 0;
	u->state[slot] = CTM_SLOT_BAD;
	nothing_runs(u);
	(void)save(u);          /* if this fails too, the count of trials ends it */
	return rc;
}

/* The slot whose trial it is, CTM_SLOTS when there is none. One more try is taken off before it is given. */
static int next_trial(struct ctm_update *u, bool *used_up)
{
	for (int slot = 0; slot < CTM_SLOTS; slot++) {
		if (u->state[slot] != CTM_SLOT_PENDING && u->state[slot] != CTM_SLOT_TRIAL)
			continue;
		*used_up = !u->trials_left;
		u->state[slot] = *used_up ? CTM_SLOT_BAD : CTM_SLOT_TRIAL;
		if (*used_up)
			continue;
		u->trials_left--;
		return slot;
	}
	return CTM_SLOTS;
}

int ctm_update_boot(struct ctm_update *u, bool *fell_back)
{
	struct ctm_image_header h;
	bool back = false;
	int slot, rc;

	nothing_runs(u);
	u->slot = CTM_SLOTS;
	slot = next_trial(u, &back);
	u->boots++;
	if ((rc = save(u)))             /* counted before it may hang */
		return rc;
	if (slot < CTM_SLOTS) {
		rc = trial(u, slot);
		if (!rc)
			return 0;
		back = true;
	}
	if (fell_back)
		*fell_back = back;
	if (u->state[u->active] == CTM_SLOT_GOOD && try_slot(u, u->active, &h) == 0)
		return 0;
	/* The running slot has gone bad in storage: the other one, if it was good and is not older than the floor. */
	return u->state[!u->active] == CTM_SLOT_GOOD && try_slot(u, !u->active, &h) == 0 ? 0 : CTM_SDK_VERIFY;
}
