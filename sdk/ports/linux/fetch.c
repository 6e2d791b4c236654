/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates over the network. Two things must agree before a byte is written: the director's statement for this unit (online, short-lived)
 * and the maker's repository (TUF 1.0.34, keys that are never online); and the manifest is judged as any other, so the director can
 * neither choose an image that was not released nor go below the security counter. The image streams into the spare slot and goes on
 * where a cut left it; what runs is untouched until the new image has verified, booted and passed its own test.
 *
 * Runs in the thread of reports. The lock is taken for each piece, never over the network; whoever brings an update to the unit itself
 * meanwhile wins, and the download is given up.
 */
#include "agent.h"
#include "ctm/cose.h"
#include "ctm/tuf.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STATEMENT_MAX 4096
#define PIECE 16384

struct download {
	struct agent *a;
	uint8_t *manifest;
	size_t n;
};

/* The trusted metadata's directory; the product's root is adopted when there is none yet. */
static int open_trusted(struct agent *a, int *dir, struct why *w)
{
	struct ctm_tuf_store store;
	char why[CTM_TUF_WHY_MAX] = "", *root = NULL;
	uint8_t *have = NULL;
	size_t n = 0;
	int rc;

	(void)mkdirat(a->dir, "tuf", 0700);        /* there already, as a rule */
	if ((*dir = openat(a->dir, "tuf", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return why_say(w, CTM_SDK_STORAGE, "the directory of trusted metadata cannot be opened");
	store = ctm_tuf_dir(*dir);
	rc = store.read(store.ctx, "root.json", CTM_TUF_ROOT_MAX, &have, &n);
	free(have);
	if (rc != CTM_SDK_NONE)
		return rc ? why_say(w, rc, "the trusted root cannot be read") : 0;
	root = malloc(CTM_TUF_ROOT_MAX + 1);
	rc = root ? file_load(a->conf.update_root, root, CTM_TUF_ROOT_MAX + 1, &n, w) : CTM_SDK_FAIL;
	if (!rc && (rc = ctm_tuf_init(ctm_tuf_openssl(), &store, root, n, why)))
		why_say(w, rc, "the root in %.200s is refused: %s", a->conf.update_root, why);
	free(root);
	return rc;
}

/* What the director wants this unit to run: its name in the repository; 1 when that runs already or nothing is wanted. */
static int ask_director(struct agent *a, char name[CTM_TUF_NAME_MAX + 1], struct why *w)
{
	char *cert = malloc(AGENT_PEM), *answer = malloc(STATEMENT_MAX);
	struct client_call call = { .method = "GET", .path = "/d/v1/director", .key = a->key, .cert = cert };
	struct ctm_direction d;
	struct ctm_cose1 msg;
	const char *why = "";
	int status = 0, rc = cert && answer ? device_cert_pem(a, cert, AGENT_PEM) : CTM_SDK_FAIL;

	if (!rc)
		rc = client_exchange(&a->conf, &call, &status, answer, STATEMENT_MAX, w);
	if (!rc && status == 404)
		rc = 1;                    /* this maker directs nobody */
	else if (!rc && status != 200)
		rc = why_say(w, CTM_SDK_STATE, "the maker's service gives no direction (status %d)", status);
	if (!rc) {
		pthread_mutex_lock(&a->lock);
		rc = ctm_director_take(&a->director, (const uint8_t *)answer, call.got, &why);
		pthread_mutex_unlock(&a->lock);
		if (rc)
			why_say(w, rc, "the direction is refused: %s (%s)", ctm_sdk_text(rc), why);
	}
	if (!rc && (!a->director.wanted || memcmp(a->director.digest, a->update.digest, CTM_HASH_BYTES) == 0))
		rc = 1;
	/* Taken, so it reads; the name is not among what the director keeps. */
	if (!rc && (ctm_cose_sign1_peek((const uint8_t *)answer, call.got, &msg) ||
		    ctm_direction_decode(msg.payload, msg.payloadlen, a->conf.component, &d) || !d.target.n || d.target.n > CTM_TUF_NAME_MAX))
		rc = why_say(w, CTM_SDK_INPUT, "the direction names no target");
	if (!rc) {
		memcpy(name, d.target.p, d.target.n);
		name[d.target.n] = 0;
	}
	free(cert);
	free(answer);
	return rc;
}

static int take_manifest(void *ctx, const uint8_t *p, size_t n)
{
	struct download *d = ctx;

	if (n > CTM_MANIFEST_MAX - d->n)
		return CTM_SDK_TOOBIG;
	memcpy(d->manifest + d->n, p, n);
	d->n += n;
	return 0;
}

static int take_image(void *ctx, const uint8_t *p, size_t n)
{
	struct download *d = ctx;
	int rc;

	pthread_mutex_lock(&d->a->lock);
	rc = ctm_update_write(&d->a->update, p, n);
	pthread_mutex_unlock(&d->a->lock);
	return rc;
}

/* One target whole into a sink, verified at its end. */
static int fetch_whole(struct ctm_tuf *t, struct ctm_tuf_check *c, ctm_tuf_sink sink, struct download *d)
{
	int rc = ctm_tuf_fetch(t, d->a->conf.update_targets, c, sink, d), end = ctm_tuf_check_end(c);

	return rc ? rc : end;
}

/* What a cut download left in the slot counts as fetched. */
static int count_slot(struct agent *a, struct ctm_tuf_check *c)
{
	uint8_t *piece = malloc(PIECE);
	int slot = a->update.slot, rc = piece ? 0 : CTM_SDK_FAIL;

	for (size_t at = 0, got = 0; !rc && at < a->update.at; at += got) {
		size_t want = a->update.at - at < PIECE ? a->update.at - at : PIECE;

		rc = a->port.slot_read(a, slot, at, piece, want, &got);
		if (!rc && !got)
			rc = CTM_SDK_STORAGE;
		if (!rc)
			rc = ctm_tuf_check_add(c, piece, got);
	}
	free(piece);
	return rc;
}

/* The image the manifest speaks of, into the slot. */
static int fetch_image(struct agent *a, struct ctm_tuf *t, const struct ctm_tuf_target *image, struct download *d, const char **rule)
{
	struct ctm_tuf_check c;
	int rc;

	pthread_mutex_lock(&a->lock);
	a->update.director = &a->director;
	rc = ctm_update_begin(&a->update, (struct ctm_bytes){ d->manifest, d->n }, rule);
	a->update.director = NULL;
	if (!rc && !(rc = ctm_tuf_check_begin(&c, ctm_tuf_openssl(), image)) && (rc = count_slot(a, &c)))
		ctm_tuf_check_drop(&c);
	pthread_mutex_unlock(&a->lock);
	if (!rc && (rc = fetch_whole(t, &c, take_image, d)))
		*rule = "image";
	return rc;
}

/* The trial boot here and now; then the process starts afresh from what passed it. */
static int finish(struct agent *a, const char **rule)
{
	bool fell_back = false;
	int rc = ctm_update_finish(&a->update, rule);

	if (!rc && (rc = ctm_update_boot(&a->update, &fell_back)))
		*rule = "boot";
	if (!rc && fell_back) {
		*rule = "trial";
		rc = CTM_SDK_FAIL;
	}
	if (rc)
		return rc;
	agent_event(a, "update.installed", a->update.booted);
	snprintf(a->claimed, sizeof a->claimed, "%s", a->update.booted);
	a->reboot = true;
	return write(a->wake, &(uint64_t){ 1 }, 8) == 8 ? 0 : CTM_SDK_FAIL;
}

static void refused(struct agent *a, int rc, const char *rule, const char *name, struct why *w)
{
	char detail[CTM_LOG_DETAIL + 1];

	snprintf(detail, sizeof detail, "%s: %s", rule, ctm_sdk_name(rc));
	agent_event(a, "update.refused", detail);
	why_say(w, rc, "the update %.200s is refused: %s (%s)", name, ctm_sdk_text(rc), rule);
}

/* Image and manifest of the name, as the repository lists them, and taken. */
static int install(struct agent *a, struct ctm_tuf *t, const char *name, struct why *w)
{
	struct ctm_tuf_target *image = malloc(sizeof *image), *manifest = malloc(sizeof *manifest);
	struct download d = { .a = a, .manifest = malloc(CTM_MANIFEST_MAX) };
	struct ctm_tuf_check c;
	const char *rule = "repository", *slash = strrchr(name, '/');
	char other[CTM_TUF_NAME_MAX + 16];
	int rc = image && manifest && d.manifest ? ctm_tuf_find(t, name, image) : CTM_SDK_FAIL;

	snprintf(other, sizeof other, "%.*s/manifest", (int)(slash ? slash - name : 0), name);
	if (!rc && (!slash || !image->has[CTM_TUF_SHA256] || image->length != a->director.size ||
		    memcmp(image->digest[CTM_TUF_SHA256], a->director.digest, CTM_HASH_BYTES) != 0)) {
		rc = CTM_SDK_OTHER;
		rule = "director";         /* it points to something that the maker's keys do not list */
	}
	if (!rc && !(rc = ctm_tuf_find(t, other, manifest)) && !(rc = ctm_tuf_check_begin(&c, ctm_tuf_openssl(), manifest)))
		rc = fetch_whole(t, &c, take_manifest, &d);
	if (!rc)
		rc = fetch_image(a, t, image, &d, &rule);
	pthread_mutex_lock(&a->lock);
	if (!rc)
		rc = finish(a, &rule);
	if (rc == CTM_SDK_NETWORK)
		why_say(w, rc, "%s", ctm_tuf_why(t));      /* goes on at the next look */
	else if (rc)
		refused(a, rc, rule, name, w);
	pthread_mutex_unlock(&a->lock);
	free(image);
	free(manifest);
	free(d.manifest);
	return rc;
}

int fetch_updates(struct agent *a, struct why *w)
{
	struct ctm_tuf_conf conf = { .crypto = ctm_tuf_openssl(), .metadata_url = a->conf.update_metadata, .now_s = (int64_t)time(NULL) };
	struct ctm_tuf_http *http = NULL;
	struct ctm_tuf *t = NULL;
	char *name = malloc(CTM_TUF_NAME_MAX + 1);
	int dir = -1, rc = name ? ask_director(a, name, w) : CTM_SDK_FAIL;

	if (!rc)
		rc = open_trusted(a, &dir, w);
	if (!rc && (rc = ctm_tuf_http_open(a->conf.ca, false, &http)))
		why_say(w, rc, "the network library cannot be started");
	if (!rc) {
		conf.store = ctm_tuf_dir(dir);
		conf.net = ctm_tuf_http_net(http);
		rc = ctm_tuf_open(&conf, &t);
	}
	if (!rc && (rc = ctm_tuf_refresh(t))) {
		pthread_mutex_lock(&a->lock);
		if (rc == CTM_SDK_NETWORK)
			why_say(w, rc, "%s", ctm_tuf_why(t));
		else
			refused(a, rc, "repository", name, w);
		pthread_mutex_unlock(&a->lock);
	} else if (!rc) {
		rc = install(a, t, name, w);
	}
	ctm_tuf_close(t);
	ctm_tuf_http_close(http);
	if (dir >= 0)
		close(dir);
	free(name);
	return rc == 1 ? 0 : rc;
}
