/* SPDX-License-Identifier: Apache-2.0
 *
 * Power cuts (docs/architecture.md, issue of the device side): scenarios run on a simulated storage that loses power at every
 * operation, in every way (world.h), and after each a device starts afresh and is judged:
 *   a verified image runs, never one below the security counter; versions and counters do not go back; the configuration is
 *   exactly an old or a new one; the identity's key fits its certificate; the log's chain holds and has every answered entry;
 *   the sealed record is an old or a new one; storage does not fill; and without anybody's help the next update succeeds.
 *
 * sim [--planted] [--all-pairs]   Exit 0 when no invariant broke; with --planted when one did (a build with CTM_PLANT).
 */
#include "world.h"
#include "app/delta_make.h"
#include "ctm/config.h"
#include "ctm/cose.h"
#include "ctm/delta.h"
#include "ctm/log.h"
#include "ctm/remote.h"
#include "ctm/renew.h"
#include "ctm/sealed.h"
#include "ctm/update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct device {
	struct world *w;
	struct ctm_port port;
	struct ctm_log log;
	struct ctm_timefloor time;
	struct ctm_director director;
	struct ctm_update u;
	struct ctm_config config;
	struct ctm_remote remote;
	struct ctm_sealed sealed;
};

struct release {
	const char *version, *rollback;
	uint64_t counter;
	uint8_t manifest[CTM_MANIFEST_MAX], image[1100];
	size_t manifestn, imagen;
};

static struct release releases[] = {
	{ .version = "1.0.0", .counter = 10 }, { .version = "1.1.0", .counter = 11 }, { .version = "1.2.0", .counter = 12 },
	{ .version = "1.3.0", .counter = 13 }, { .version = "1.1.5", .counter = 10, .rollback = "1.0.0" },
};
enum { V1, V2, V3, V4, VBACK, RELEASES };

static const uint8_t release_key[32] = { 1 }, online_key[32] = { 2 }, config_key[32] = { 3 };
static const char *const sealed_names[] = { "a" };
static const char *const modes[] = { "low", "high" };
#define BOTH (CTM_WRITER_OWNER | CTM_WRITER_PLATFORM)
static const struct ctm_setting schema[] = {
	{ .name = "days", .type = CTM_SET_INT, .min = 0, .max = 30, .first = { 0, "" }, .secure = { 9, "" }, .writers = BOTH },
	{ .name = "twice", .type = CTM_SET_INT, .min = 0, .max = 60, .first = { 0, "" }, .secure = { 18, "" }, .writers = BOTH },
	{ .name = "word", .type = CTM_SET_TEXT, .min = 0, .max = 16, .first = { 0, "w0" }, .secure = { 0, "w9" }, .writers = BOTH },
	{ .name = "mode", .type = CTM_SET_ENUM, .values = modes, .nvalues = 2, .first = { 0, "" }, .secure = { 1, "" }, .writers = BOTH },
};
#define SETTINGS 4
#define SECURE 9

/* ---- the maker ---- */

static size_t signed_as(const uint8_t key[32], const char *type, const uint8_t *payload, size_t n, uint8_t *out, size_t cap)
{
	size_t len = 0;

	if (ctm_cose_sign1_sign(toy_sign, (void *)(uintptr_t)key, CTM_COSE_EDDSA, NULL, 0, type, payload, n, out, cap, &len))
		abort();
	return len;
}

static struct ctm_bytes text(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, strlen(s) };
}

static void make_release(struct release *r, size_t filler)
{
	struct ctm_manifest m = { .component = text("device"), .version = text(r->version), .counter = r->counter, .min_version = text("0") };
	uint8_t payload[400];
	size_t n = 0;

	r->imagen = (size_t)snprintf((char *)r->image, sizeof r->image, "CTM-IMAGE 1 PC-1 %s\n", r->version);
	for (size_t i = 0; i < filler; i++, r->imagen++)
		r->image[r->imagen] = (uint8_t)(i * 7 + r->counter + (uint8_t)r->version[4]);
	if (r->rollback) {
		m.rollback[0] = text(r->rollback);
		m.rollbacks = 1;
	}
	m.size = r->imagen;
	if (ctm_sdk_sha256(&toy_crypto, r->image, r->imagen, m.digest) || ctm_manifest_encode(&m, payload, sizeof payload, &n))
		abort();
	r->manifestn = signed_as(release_key, CTM_MANIFEST_TYPE, payload, n, r->manifest, sizeof r->manifest);
}

/* ---- the device ---- */

static int self_test(void *ctx, const struct ctm_image_header *h)
{
	const struct device *d = ctx;

	return d->w->seen.fails && strcmp(h->version, "1.1.0") == 0 ? CTM_SDK_FAIL : 0;
}

static void power_on(struct world *w, struct device *d)
{
	memset(d, 0, sizeof *d);
	d->w = w;
	d->port = world_port(w);
	d->log.port = d->time.port = d->director.port = d->u.port = d->config.port = d->remote.port = d->sealed.port = &d->port;
	d->time.build_s = 1000;
	d->director.time = d->remote.time = &d->time;
	d->director.serial = d->remote.serial = "PC1-1";
	d->director.component = d->u.component = "device";
	memcpy(d->director.key, online_key, 32);
	memcpy(d->remote.key, config_key, 32);
	memcpy(d->u.release_key, release_key, 32);
	d->director.keylen = d->remote.keylen = d->u.release_keylen = 32;
	d->u.model = "PC-1";
	d->u.director = &d->director;
	d->u.time = &d->time;
	d->u.self_test = w->seen.open ? NULL : self_test;
	d->u.self_test_ctx = d;
	d->u.slot = d->u.running = CTM_SLOTS;
	d->config.schema = schema;
	d->config.n = SETTINGS;
	d->remote.config = &d->config;
	d->sealed.names = sealed_names;
	d->sealed.n = 1;
}

static void event(struct device *d, const char *what)
{
	if (ctm_log_add(&d->log, what, "by the simulation"))
		world_broken(d->w, "the log takes no entry");
	d->w->seen.log_last = d->log.last;
}

/* Point the device at a release and begin it. */
static int direct(struct device *d, const struct release *r)
{
	struct ctm_direction to = { .device = text("PC1-1"), .counter = d->director.counter + 1, .not_after_s = 2000000000,
				    .target = text("image"), .size = r->imagen };
	uint8_t payload[256], msg[400];
	const char *why = "";
	size_t n = 0;
	int rc;

	if (ctm_sdk_sha256(&toy_crypto, r->image, r->imagen, to.digest) || ctm_direction_encode(&to, "device", payload, sizeof payload, &n))
		abort();
	n = signed_as(online_key, CTM_DIRECTOR_TYPE, payload, n, msg, sizeof msg);
	if ((rc = ctm_director_take(&d->director, msg, n, &why)))
		return rc;
	d->w->seen.director = d->director.counter;
	return ctm_update_begin(&d->u, (struct ctm_bytes){ r->manifest, r->manifestn }, &why);
}

static int install(struct device *d, const struct release *r, size_t piece)
{
	int rc = direct(d, r);

	while (!rc && d->u.at < r->imagen) {
		size_t left = r->imagen - d->u.at;

		rc = ctm_update_write(&d->u, r->image + d->u.at, left < piece ? left : piece);
	}
	return rc ? rc : ctm_update_finish(&d->u, NULL);
}

static struct ctm_buf delta;     /* from 1.0.0 to 1.1.0 */

static int install_delta(struct device *d, size_t piece)
{
	struct ctm_delta in;
	int rc = direct(d, &releases[V2]);

	ctm_delta_begin(&in, &d->u);
	while (!rc && !ctm_delta_done(&in))
		rc = ctm_delta_feed(&in, in.want, (const uint8_t *)delta.p + in.want, in.want + piece < delta.len ? piece : delta.len - in.want);
	return rc ? rc : ctm_update_finish(&d->u, NULL);
}

static const struct release *release_of(const char *version)
{
	for (int i = 0; i < RELEASES; i++)
		if (strcmp(releases[i].version, version) == 0)
			return &releases[i];
	return NULL;
}

/* What runs, looked at from outside. */
static void check_running(struct device *d)
{
	const struct release *r = release_of(d->u.booted);
	struct seen *s = &d->w->seen;

	if (d->u.running >= CTM_SLOTS || !r) {
		world_broken(d->w, "nothing bootable is left");
		return;
	}
	if (strcmp(d->u.booted, d->u.verified) != 0 || memcmp(d->w->slot[d->u.running].now, r->image, r->imagen) != 0)
		world_broken(d->w, "an unverified image runs");
	if (r->counter < s->counter || d->u.counter < s->counter)
		world_broken(d->w, "an image below the security counter runs, or the counter went back");
	if (ctm_version_order(r->version, strlen(r->version), s->version, strlen(s->version)) < 0 && strcmp(r->version, s->back_to) != 0)
		world_broken(d->w, "the version went back");
	if (d->u.boots <= s->boots)
		world_broken(d->w, "a boot was not counted");
}

static void boot(struct device *d)
{
	struct seen *s = &d->w->seen;
	int rc = ctm_update_boot(&d->u, NULL);

	if (rc) {
		world_broken(d->w, "the boot step fails");
		return;
	}
	check_running(d);
	s->boots = d->u.boots;
	if (ctm_update_on_trial(&d->u) && ctm_update_commit(&d->u))
		world_broken(d->w, "a version that is well cannot be confirmed");
	snprintf(s->version, sizeof s->version, "%s", d->u.booted);
	if (d->u.counter > s->counter)
		s->counter = d->u.counter;
}

/* ---- what must hold after every cut ---- */

static void check_log(struct device *d)
{
	struct ctm_log_entry e[CTM_LOG_BLOCK * CTM_LOG_BLOCKS];
	uint8_t h[CTM_HASH_BYTES];
	size_t n = 0;

	if (ctm_log_load(&d->log) || ctm_log_read(&d->log, 0, e, sizeof e / sizeof e[0], &n))
		world_broken(d->w, "the log cannot be read");
	if (d->log.last < d->w->seen.log_last || (d->log.last && (!n || e[n - 1].seq != d->log.last)))
		world_broken(d->w, "the log lost an entry");
	for (size_t i = 1; i < n; i++)
		if (e[i].seq != e[i - 1].seq + 1 || ctm_log_hash(&toy_crypto, e[i - 1].hash, &e[i], h) || memcmp(h, e[i].hash, sizeof h) != 0)
			world_broken(d->w, "the log's chain is broken");
	if (n && memcmp(e[n - 1].hash, d->log.head, CTM_HASH_BYTES) != 0)
		world_broken(d->w, "the log's head is not its last entry");
}

static void values_of(int64_t k, struct ctm_value v[SETTINGS])
{
	memset(v, 0, SETTINGS * sizeof v[0]);
	v[0].i = k;
	v[1].i = 2 * k;
	snprintf(v[2].text, sizeof v[2].text, "w%d", (int)k);
	v[3].i = k % 2;
}

static void check_config(struct device *d)
{
	struct ctm_value v[SETTINGS];

	if (ctm_config_load(&d->config)) {
		world_broken(d->w, "the configuration cannot be read");
		return;
	}
	values_of(d->config.value[0].i, v);
	if (memcmp(v, d->config.value, sizeof v) != 0)
		world_broken(d->w, "half a configuration");
	if (!(d->w->seen.config >> d->config.value[0].i & 1))
		world_broken(d->w, "neither the old nor the new configuration");
	if (d->config.document < d->w->seen.document)
		world_broken(d->w, "the version of the configuration went back");
}

static void check_sealed(struct device *d)
{
	uint8_t b[64];
	size_t n = 0;
	int rc = ctm_sealed_load(&d->sealed), k = 0;

	if (!rc && d->sealed.wiping)
		rc = ctm_sealed_wipe(&d->sealed, b, sizeof b);
	if (!rc) {
		rc = ctm_sealed_get(&d->sealed, "a", b, sizeof b, &n);
		k = rc ? 0 : b[0] - '0';
		rc = rc == CTM_SDK_NONE ? 0 : rc;
	}
	if (rc || !(d->w->seen.sealed >> k & 1))
		world_broken(d->w, rc ? "the sealed record cannot be read" : "neither the old nor the new sealed record");
}

static void check_identity(struct device *d)
{
	struct ctm_bytes key = { NULL, 0 }, cert = { NULL, 0 };
	uint8_t b[256];

	if (ctm_renew_load(&d->port, b, sizeof b, &key, &cert) || key.n != 40 || cert.n != 90)
		world_broken(d->w, "the identity is lost");
	else if (key.p[0] != cert.p[0] || key.p[39] != cert.p[89] || !(d->w->seen.identity >> key.p[0] & 1))
		world_broken(d->w, "the certificate is not the key's");
}

static void check_counters(struct device *d)
{
	if (ctm_timefloor_load(&d->time) || d->time.floor_s < d->w->seen.floor_s)
		world_broken(d->w, "the time floor went back");
	if (ctm_director_load(&d->director) || d->director.counter < d->w->seen.director)
		world_broken(d->w, "the director's counter went back");
	if (ctm_remote_load(&d->remote) || d->remote.reset_counter < d->w->seen.reset)
		world_broken(d->w, "the reset counter went back");
}

/* Without anybody's help: the next release installs and runs. */
static void go_on(struct device *d)
{
	const struct release *next = &releases[strcmp(d->u.booted, "1.0.0") == 0 && !d->w->seen.fails ? V2 : strcmp(d->u.booted, "1.2.0") == 0 ? V4 : V3];

	if (d->w->seen.by_delta && next == &releases[V2] ? install_delta(d, 500) : install(d, next, 200)) {
		world_broken(d->w, "the next update is refused");
		return;
	}
	boot(d);
	if (strcmp(d->u.booted, next->version) != 0)
		world_broken(d->w, "the next update does not come to run");
}

/* A start: everything a product does before it serves. */
static void start(struct device *d)
{
	check_log(d);
	check_counters(d);
	if (ctm_update_load(&d->u))
		world_broken(d->w, "the boot record is lost");
	boot(d);
	check_config(d);
	check_sealed(d);
	check_identity(d);
}

static void judge(struct world *w)
{
	struct device d;

	power_on(w, &d);
	start(&d);
	if (d.u.running < CTM_SLOTS)
		go_on(&d);
}

/* ---- scenarios ---- */

static void set_config(struct device *d, int64_t k, uint32_t trial_s)
{
	struct ctm_value v[SETTINGS];
	uint64_t before = d->w->seen.config;

	values_of(k, v);
	d->w->seen.config |= 1u << k;
	if (ctm_config_change(&d->config, &(struct ctm_change){ .values = v, .writer = CTM_WRITER_OWNER, .trial_s = trial_s }, NULL))
		world_broken(d->w, "a good configuration is refused");
	d->w->seen.config = (trial_s ? before : 0) | 1u << k;
}

static void put_sealed(struct device *d, char k)
{
	uint8_t b[64] = { (uint8_t)k, 's', 'e', 'c', 'r', 'e', 't' };

	d->w->seen.sealed |= 1u << (k - '0');
	if (ctm_sealed_put(&d->sealed, "a", b, 7, sizeof b))
		world_broken(d->w, "a sealed record cannot be kept");
	d->w->seen.sealed = 1u << (k - '0');
}

static void renew(struct device *d, uint8_t k)
{
	uint8_t key[40], cert[90], room[256];

	memset(key, k, sizeof key);
	memset(cert, k, sizeof cert);
	d->w->seen.identity |= 1u << k;
	if (ctm_renew_begin(&d->port, key, sizeof key) || ctm_renew_switch(&d->port, cert, sizeof cert, room, sizeof room))
		world_broken(d->w, "the identity cannot be renewed");
	d->w->seen.identity = 1u << k;
}

/* A unit in the field: installed, booted `age` times more, with a log, settings, an identity and something sealed. */
static void in_the_field(struct world *w, struct device *d, const struct release *r, int age)
{
	const char *why = "";

	world_new(w);
	w->judge = judge;
	w->scenario = "set-up";
	w->seen.config = w->seen.sealed = 1;
	snprintf(w->seen.version, sizeof w->seen.version, "0");
	power_on(w, d);
	renew(d, 1);
	d->u.director = NULL;
	if (ctm_update_load(&d->u) != CTM_SDK_NONE ||
	    ctm_update_install(&d->u, (struct ctm_bytes){ r->manifest, r->manifestn }, (struct ctm_bytes){ r->image, r->imagen }, &why))
		abort();
	d->u.director = &d->director;
	start(d);
	for (int i = 0; i <= age; i++) {
		event(d, "aged");
		set_config(d, i + 1, 0);
		put_sealed(d, (char)('1' + i));
		power_on(w, d);
		start(d);
	}
}

static void cutting(struct world *w, const char *scenario, int cuts, const char *only)
{
	w->scenario = scenario;
	w->cuts = cuts;
	w->only = only;
	w->op = 0;
}

static size_t piece_size;

static void run_update(struct world *w, struct device *d)
{
	if (install(d, &releases[V2], piece_size))
		world_broken(w, "a good update is refused");
	boot(d);
	event(d, "update.installed");
}

static void run_open_trial(struct world *w, struct device *d)
{
	w->seen.open = true;
	d->u.self_test = NULL;
	run_update(w, d);
}

static void run_failing(struct world *w, struct device *d)
{
	w->seen.fails = true;
	run_update(w, d);
	if (strcmp(d->u.booted, "1.0.0") != 0)
		world_broken(w, "a version that fails its test stays");
}

static void run_back(struct world *w, struct device *d)
{
	snprintf(w->seen.back_to, sizeof w->seen.back_to, "1.0.0");
	if (install(d, &releases[V1], piece_size))
		world_broken(w, "an allowed way back is refused");
	boot(d);
}

static void run_delta(struct world *w, struct device *d)
{
	w->seen.by_delta = true;
	if (install_delta(d, 40))
		world_broken(w, "a good delta is refused");
	boot(d);
	if (strcmp(d->u.booted, "1.1.0") != 0)
		world_broken(w, "a delta does not come to run");
}

static void run_config(struct world *w, struct device *d)
{
	set_config(d, 4, 0);
	set_config(d, 5, 60);
	if (ctm_config_confirm(&d->config))
		world_broken(w, "a trial cannot be confirmed");
	w->seen.config = 1u << 5;
	set_config(d, 6, 60);
	w->mono += 61000;
	if (ctm_config_tick(&d->config) != 1)
		world_broken(w, "a trial that ran out stays");
	w->seen.config = 1u << 5;
	w->seen.config |= 1u << SECURE;
	if (ctm_config_reset(&d->config))
		world_broken(w, "the secure default cannot be restored");
	w->seen.config = 1u << SECURE;
}

/* The part that signed configurations and resets have in common. */
static struct ctm_cbor_w order(uint8_t *out, size_t cap, const char *format, uint64_t number, size_t pairs)
{
	struct ctm_cbor_w b = ctm_cbor_writer(out, cap);

	ctm_cbor_put_map(&b, pairs);
	ctm_cbor_put_uint(&b, 1);
	ctm_cbor_put_str(&b, format);
	ctm_cbor_put_uint(&b, 2);
	ctm_cbor_put_str(&b, "PC1-1");
	ctm_cbor_put_uint(&b, 3);
	ctm_cbor_put_uint(&b, number);
	ctm_cbor_put_uint(&b, 4);
	ctm_cbor_put_int(&b, 2000000000);
	return b;
}

/* From afar, tried, and confirmed or not: the same document never comes into force a second time. */
static void run_remote(struct world *w, struct device *d)
{
	uint8_t payload[200], msg[400];

	for (int64_t k = 4; k < 7; k++) {
		struct ctm_cbor_w b = order(payload, sizeof payload, "ctm.config/1", (uint64_t)k, 5);
		struct ctm_value v[SETTINGS];
		uint64_t before = w->seen.config;
		size_t n;

		values_of(k, v);
		ctm_cbor_put_uint(&b, 5);
		ctm_cbor_put_array(&b, 2 * SETTINGS);
		for (int i = 0; i < SETTINGS; i++) {
			ctm_cbor_put_str(&b, schema[i].name);
			if (i < 2)
				ctm_cbor_put_int(&b, v[i].i);
			else
				ctm_cbor_put_str(&b, i == 2 ? v[i].text : modes[v[i].i]);
		}
		n = signed_as(config_key, CTM_REMOTE_CONFIG, payload, b.len, msg, sizeof msg);
		w->seen.config |= 1u << k;
		if (ctm_remote_config(&d->remote, msg, n, NULL))
			world_broken(w, "a signed configuration is refused");
		w->seen.document = (uint64_t)k;
		if (k % 2 ? ctm_config_revert(&d->config) : ctm_config_confirm(&d->config))
			world_broken(w, "a trial cannot be ended");
		w->seen.config = k % 2 ? before : 1u << k;
		if (ctm_remote_config(&d->remote, msg, n, NULL) != CTM_SDK_OLDER)
			world_broken(w, "a document is taken twice");
	}
}

static void run_counters(struct world *w, struct device *d)
{
	uint8_t payload[128], msg[256];

	for (uint64_t k = 1; k < 4; k++) {
		struct ctm_cbor_w b = order(payload, sizeof payload, "ctm.reset/1", k, 4);
		size_t n;

		if (ctm_timefloor_verified(&d->time, 1000000 + (int64_t)k * 100000))
			world_broken(w, "a verified time cannot be kept");
		w->seen.floor_s = d->time.floor_s;
		n = signed_as(config_key, CTM_REMOTE_RESET, payload, b.len, msg, sizeof msg);
		if (ctm_remote_reset(&d->remote, msg, n, NULL))
			world_broken(w, "a signed reset is refused");
		w->seen.reset = k;
		if (ctm_remote_reset_done(&d->remote))
			world_broken(w, "a reset cannot be ended");
	}
}

static void run_log(struct world *w, struct device *d)
{
	for (int i = 0; i < 2 * CTM_LOG_BLOCK * CTM_LOG_BLOCKS; i++)
		event(d, "event");
}

static void run_sealed(struct world *w, struct device *d)
{
	uint8_t b[64];

	for (char k = '1'; k < '6'; k++)
		put_sealed(d, k);
	w->seen.sealed |= 1;
	if (ctm_sealed_del(&d->sealed, "a"))
		world_broken(w, "a sealed record cannot be deleted");
	w->seen.sealed = 1;
	put_sealed(d, '6');
	w->seen.sealed |= 1;
	if (ctm_sealed_wipe(&d->sealed, b, sizeof b))
		world_broken(w, "the sealed store cannot be wiped");
	w->seen.sealed = 1;
	put_sealed(d, '7');
}

static void run_renewal(struct world *w, struct device *d)
{
	for (uint8_t k = 2; k < 6; k++)
		renew(d, k);
}

static const struct scenario {
	const char *name;
	void (*run)(struct world *w, struct device *d);
	int from;
	size_t piece;
	const char *pairs;      /* also every pair of cuts at these records; NULL: single cuts only */
	bool rare;              /* the pairs only with CTM_LONG: what they meet is much the same as elsewhere */
} scenarios[] = {
	{ "update in pieces of 64", run_update, V1, 64, NULL, false },
	{ "update in pieces of 100", run_update, V1, 100, "boot", false },
	{ "update in blocks", run_update, V1, 256, NULL, false },
	{ "update that the application commits", run_open_trial, V1, 128, "boot", true },
	{ "update that fails its self-test", run_failing, V1, 128, "boot", false },
	{ "allowed way back", run_back, VBACK, 128, NULL, false },
	{ "update by delta", run_delta, V1, 0, NULL, false },
	{ "configuration", run_config, V1, 0, "config", false },
	{ "configuration from afar", run_remote, V1, 0, "config", false },
	{ "counters and time floor", run_counters, V1, 0, NULL, false },
	{ "security log", run_log, V1, 0, NULL, false },
	{ "sealed store", run_sealed, V1, 0, NULL, false },
	{ "key renewal", run_renewal, V1, 0, "identity", false },
};

static void run(const struct scenario *s, int age, int cuts, const char *only)
{
	static struct world w;
	struct device d;

	in_the_field(&w, &d, &releases[s->from], age);
	piece_size = s->piece;
	cutting(&w, s->name, cuts, only);
	s->run(&w, &d);
	cutting(&w, s->name, 0, NULL);
	judge(&w);
}

int main(int argc, char **argv)
{
	bool planted = argc > 1 && strcmp(argv[1], "--planted") == 0, all = argc > 1 && strcmp(argv[1], "--all-pairs") == 0;
	struct ctm_err err = { 0 };

	for (int i = 0; i < RELEASES; i++)
		make_release(&releases[i], 850 + 40 * (size_t)i);
	delta = CTM_BUF(4096);
	if (ctm_delta_make(&toy_crypto, releases[V1].image, releases[V1].imagen, releases[V2].image, releases[V2].imagen, 8, 0, &delta, &err))
		abort();
	for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0] && !(planted && broken); i++) {
		const struct scenario *s = &scenarios[i];
		long points = crash_points, pairs = pair_points;

		for (int age = 0; age < 2; age++)
			run(s, age, 1, NULL);
		if (all)
			run(s, 0, 2, NULL);
		else if (s->pairs && (!s->rare || getenv("CTM_LONG")))
			run(s, 0, 2, s->pairs);
		printf("%-40s %8ld crash points, %8ld of them a second cut\n", s->name, crash_points - points, pair_points - pairs);
	}
	ctm_buf_free(&delta);
	printf("power cuts: %ld crash points (%ld pairs), %ld invariants broken\n", crash_points, pair_points, broken);
	if (planted)
		return broken ? 0 : 1;
	return broken || crash_points < 100000;
}
