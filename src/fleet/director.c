/* SPDX-License-Identifier: Apache-2.0
 *
 * What one device should run (ctm.director/1): the newest published release of its component that the offline-signed list of its product
 * line names. The statement is signed when somebody asks and the one in force says something else or is half over; its counter goes up with
 * each. A device takes an image only when this and the list name the same one, so whoever holds the online key can point to released
 * images at best.
 */
#include "fleet/repo.h"
#include "base/text.h"
#include "crypto/signer.h"
#include "ctm/director.h"
#include <stdio.h>
#include <string.h>

/* The image the list names for a release; false when it names none. */
static bool listed(const ctm_json *body, const char *model, const char *version, const char *digest, char name[200], int64_t *size)
{
	snprintf(name, 200, "%.64s/%.64s/image", model, version);
	const ctm_json *t = ctm_json_get(ctm_json_get(body, "targets"), name);
	const char *hex = ctm_json_gets(ctm_json_get(t, "hashes"), "sha256");
	*size = ctm_json_geti(t, "length", 0);
	return hex && ctm_starts(digest, "sha256:") && ctm_streq(hex, digest + strlen("sha256:"));
}

/* {target, digest, size} of what the device should run; {} when the list names nothing. */
static int wanted(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL, *e = NULL;
	char role[80], name[200];
	int64_t size;
	struct ctm_q *q = ctm_q(cx->db, "repo.wanted");
	ctm_q_text(q, "device", cx->who->device_id);
	int rc = ctm_q_rows(q, 16, &rows, cx->err);
	if (rc || !ctm_json_len(rows))
		return rc;
	snprintf(role, sizeof role, "pl-%.64s", ctm_json_gets(ctm_json_at(rows, 0), "model"));
	rc = ctm_repo_role(cx->app, cx->db, ctm_json_gets(ctm_json_at(rows, 0), "org_id"), role, &e, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return 0;
	}
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		const char *digest = ctm_json_gets(r, "image_digest");
		if (!listed(ctm_json_get(e, "signed"), ctm_json_gets(r, "model"), ctm_json_gets(r, "version"), digest, name, &size))
			continue;
		return ctm_json_sets(out, "target", name) | ctm_json_sets(out, "digest", digest) | ctm_json_seti(out, "size", size) ?
			ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory") : 0;
	}
	return rc;
}

/* A statement that is new, to be kept before it leaves. */
struct statement { const char *device; const ctm_json *want; const char *cose; int64_t counter, until_ms; };

static int keep(struct ctm_cx *cx, void *arg)
{
	const struct statement *s = arg;
	const char *target = ctm_json_gets(s->want, "target"), *digest = ctm_json_gets(s->want, "digest");
	struct ctm_q *q = ctm_q(cx->db, "repo.direct");
	int64_t changed = 0;
	ctm_q_text(q, "device", s->device);
	ctm_q_int(q, "counter", s->counter);
	ctm_q_text(q, "target", target ? target : "");
	ctm_q_text(q, "digest", digest ? digest : "");
	ctm_q_text(q, "cose", s->cose);
	ctm_q_int(q, "until", s->until_ms);
	int rc = ctm_q_run(q, &changed, cx->err);
	/* Two requests of one device at once: one counter, one statement. */
	return rc || changed ? rc : ctm_fail(cx->err, CTM_E_CONFLICT, NULL, NULL, "this device asked twice at the same moment; ask again");
}

static int sign(struct ctm_cx *cx, const ctm_json *want, int64_t counter, int64_t until_ms)
{
	CTM_AUTO_JSON *req = ctm_json_copy(want), *reply = NULL;
	char socket[512];
	if (ctm_json_sets(req, "op", "director") | ctm_json_sets(req, "device", cx->who->device_serial) | ctm_json_sets(req, "component", "device") |
	    ctm_json_seti(req, "counter", counter) | ctm_json_seti(req, "not_after_s", until_ms / 1000))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	int rc = ctm_signer_call(ctm_app_dir(cx->app, "run/signer.sock", socket, sizeof socket), req, CTM_REPO_SIGNER_MS, &reply, cx->err);
	if (rc)
		return rc;
	struct statement s = { cx->who->device_id, want, ctm_json_gets(reply, "cose"), counter, until_ms };
	if ((rc = ctm_write(cx->app, keep, &s, cx->err)))
		return rc;
	cx->prepared = ctm_json_copy(reply);
	return cx->prepared ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* The statement in force, when it says what is wanted and has half its life before it; its counter in any case. */
static int in_force(struct ctm_cx *cx, const ctm_json *want, int64_t life_ms, int64_t *counter)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "repo.direction");
	const char *target = ctm_json_gets(want, "target"), *digest = ctm_json_gets(want, "digest");
	bool row = false;
	ctm_q_text(q, "device", cx->who->device_id);
	int rc = ctm_q_step(q, &row, cx->err);
	if (rc || !row)
		return rc;
	*counter = ctm_q_i64(q, "counter");
	if (!ctm_streq(ctm_q_str(q, "target"), target ? target : "") || !ctm_streq(ctm_q_str(q, "digest"), digest ? digest : "") ||
	    ctm_q_i64(q, "until_ms") - cx->now_ms <= life_ms / 2)
		return 0;
	cx->prepared = ctm_json_obj();
	return ctm_json_sets(cx->prepared, "cose", ctm_q_str(q, "cose")) ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory") : 0;
}

int ctm_prepare_direction(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *want = ctm_json_obj();
	int64_t life = ctm_update_period(ctm_app_catalogue(cx->app), CTM_UPDATE_DIRECTOR).days * CTM_DAY_MS, counter = 0;
	int rc = wanted(cx, want);
	if (!rc)
		rc = in_force(cx, want, life, &counter);
	return rc || cx->prepared ? rc : sign(cx, want, counter + 1, cx->now_ms + life);
}

int ctm_uc_direction(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_BUF b = CTM_BUF(4096);
	const char *b64 = ctm_json_gets(cx->prepared, "cose");
	if (!b64 || ctm_unb64(b64, strlen(b64), &b))
		return ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "the statement cannot be read");
	const char *bytes = ctm_arena_ndup(cx->arena, b.p, b.len);
	if (!bytes)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	cx->raw = (struct ctm_raw){ .type = CTM_DIRECTOR_TYPE, .p = bytes, .n = b.len, .cache = "no-store" };
	return 0;
}
