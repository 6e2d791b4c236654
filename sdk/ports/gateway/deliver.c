/* SPDX-License-Identifier: Apache-2.0
 *
 * Carrying files to the device: see gateway.h. A job is asked, for an update its image is sent from the byte that the device wants,
 * then it is finished; any silence, refusal of a transfer or fresh start of the device begins the job again, and the device says how far
 * it had come.
 */
#include "gateway.h"
#include "ctm/cbor.h"
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 15000

static const struct { const char *suffix; int op; } kinds[] = {
	{ ".ask", CTM_GW_ASK }, { ".config", CTM_GW_CONFIG }, { ".reset", CTM_GW_RESET }, { ".update", CTM_GW_BEGIN },
};

static const char *suffix_of(const char *name, int *op)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(dot, kinds[i].suffix) == 0) {
			*op = kinds[i].op;
			return dot;
		}
	return NULL;
}

static void answer_path(const struct gateway *g, const char *name, const char *end, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%.*s%s", g->conf.deliver, (int)(strrchr(name, '.') - name), name, end);
}

/* The first file by name that is not answered yet. */
static bool next_file(struct gateway *g, char out[NAME_MAX + 1], int *op)
{
	DIR *d = opendir(g->conf.deliver);
	char path[PATH_MAX];
	int found;

	out[0] = 0;
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.' || !suffix_of(e->d_name, &found) || (out[0] && strcmp(e->d_name, out) > 0))
			continue;
		answer_path(g, e->d_name, ".answer", path);
		if (access(path, F_OK) == 0)
			continue;
		snprintf(out, NAME_MAX + 1, "%s", e->d_name);
		*op = found;
	}
	if (d)
		closedir(d);
	return out[0] != 0;
}

static uint8_t *load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = f ? malloc(GW_PACKAGE) : NULL;

	*n = p ? fread(p, 1, GW_PACKAGE, f) : 0;
	if (f)
		fclose(f);
	return p;
}

static void done(struct gateway *g, int result, struct ctm_bytes rule, json_t *state)
{
	json_t *o = json_pack("{s:s, s:i, s:s%}", "result", ctm_sdk_name(result), "code", result, "rule", rule.n ? (const char *)rule.p : "", rule.n);
	char path[PATH_MAX], temp[PATH_MAX];

	if (state)
		json_object_set_new(o, "state", state);
	answer_path(g, g->job.name, ".answer", path);
	answer_path(g, g->job.name, ".part", temp);
	if (json_dump_file(o, temp, JSON_INDENT(1) | JSON_SORT_KEYS) || rename(temp, path))
		fprintf(stderr, "ctm-gateway: %s cannot be written\n", path);
	printf("%s: %s\n", g->job.name, ctm_sdk_name(result));
	fflush(stdout);
	json_decref(o);
	free(g->job.bytes);
	memset(&g->job, 0, sizeof g->job);
}

/* The length of the manifest in an update package, 0 when it is none. */
static size_t manifest_of(const struct job *j)
{
	size_t n = j->n > 4 ? (size_t)ctm_sdk_get(j->bytes, 4) : 0;

	return n && n < j->n - 4 && n < GW_MESSAGE - 64 ? n : 0;
}

static void ask(struct gateway *g, int op, struct ctm_bytes body)
{
	struct ctm_cbor_w w = ctm_cbor_writer(g->out, sizeof g->out);
	bool bare = op == CTM_GW_ASK || op == CTM_GW_FINISH;

	ctm_cbor_put_array(&w, bare ? 2 : 3);
	ctm_cbor_put_uint(&w, (uint64_t)op);
	ctm_cbor_put_uint(&w, g->job.id = ++g->next_id);
	if (!bare)
		ctm_cbor_put_bytes(&w, body.p, body.n);
	g->piece_out = false;
	if (w.err || ctm_link_send(&g->link, (uint32_t)w.len))
		return;
	g->job.asked_ms = now_ms();
	g->job.peer = g->link.peer;
}

static void begin(struct gateway *g)
{
	struct job *j = &g->job;
	struct ctm_bytes body = { j->bytes, j->n };

	if (j->op == CTM_GW_BEGIN) {
		j->manifest_n = manifest_of(j);
		if (!j->manifest_n) {
			done(g, CTM_SDK_SYNTAX, (struct ctm_bytes){ (const uint8_t *)"package", 7 }, NULL);
			return;
		}
		body = (struct ctm_bytes){ j->bytes + 4, j->manifest_n };
	}
	j->step = STEP_ASKED;
	ask(g, j->op, body);
}

static size_t image_of(const struct job *j)
{
	return j->n - 4 - j->manifest_n;
}

int deliver_source(struct gateway *g, uint32_t at, uint8_t *buf, size_t n)
{
	const struct job *j = &g->job;
	uint8_t head[CTM_GW_PIECE_HEAD] = { 0 };
	size_t got = 0;

	ctm_sdk_put(head + 1, j->piece_at, 4);
	for (; got < n && at + got < CTM_GW_PIECE_HEAD; got++)
		buf[got] = head[at + got];
	if (got < n && j->bytes)
		memcpy(buf + got, j->bytes + 4 + j->manifest_n + j->piece_at + at + got - CTM_GW_PIECE_HEAD, n - got);
	return j->bytes ? (int)n : -1;
}

/* The device wants the image from `at` on. */
static void send_image(struct gateway *g, uint64_t at)
{
	struct job *j = &g->job;

	if (at >= image_of(j)) {
		j->step = STEP_FINISHED;
		ask(g, CTM_GW_FINISH, (struct ctm_bytes){ NULL, 0 });
		return;
	}
	j->piece_at = (size_t)at;
	g->piece_out = true;
	if (ctm_link_send(&g->link, (uint32_t)(image_of(j) - j->piece_at + CTM_GW_PIECE_HEAD)) == 0)
		j->step = STEP_PIECE;
	j->asked_ms = now_ms();
	j->peer = g->link.peer;
}

static json_t *value_json(struct ctm_cbor_r *r)
{
	struct ctm_bytes t;

	switch (ctm_cbor_peek(r)) {
	case CTM_CBOR_TEXT: t = ctm_cbor_text(r); return json_stringn((const char *)t.p, t.n);
	case CTM_CBOR_UINT: case CTM_CBOR_NINT: return json_integer((json_int_t)ctm_cbor_int(r));
	case CTM_CBOR_SIMPLE: {
		struct ctm_cbor_r again = *r;
		bool b = ctm_cbor_bool(&again);

		if (again.err) {
			ctm_cbor_null(r);
			return json_null();
		}
		*r = again;
		return json_boolean(b);
	}
	default: ctm_cbor_skip(r); return json_null();
	}
}

static json_t *settings_json(struct ctm_cbor_r *r)
{
	json_t *o = json_object();

	for (size_t n = ctm_cbor_array(r); n >= 2 && !r->err; n -= 2) {
		struct ctm_bytes name = ctm_cbor_text(r);
		char key[64];

		snprintf(key, sizeof key, "%.*s", (int)(name.n < 60 ? name.n : 60), (const char *)name.p);
		json_object_set_new(o, key, value_json(r));
	}
	return o;
}

json_t *device_state_json(struct ctm_cbor_r *r)
{
	static const char *const names[] = { [CTM_GS_SERIAL] = "serial", [CTM_GS_BOOTED] = "booted", [CTM_GS_VERIFIED] = "verified", [CTM_GS_BOOTS] = "boots",
		[CTM_GS_REBOOT] = "reboot", [CTM_GS_DEGRADED] = "degraded", [CTM_GS_SETTINGS] = "settings", [CTM_GS_ENROLLED] = "enrolled",
		[CTM_GS_UPDATE_TRIAL] = "update_on_trial", [CTM_GS_CONFIG_TRIAL] = "config_on_trial", [CTM_GS_WAITING] = "waiting" };
	json_t *o = json_object();

	for (size_t n = ctm_cbor_map(r); n && !r->err; n--) {
		uint64_t key = ctm_cbor_uint(r);

		if (key == CTM_GS_SETTINGS)
			json_object_set_new(o, "settings", settings_json(r));
		else if (key && key < sizeof names / sizeof names[0])
			json_object_set_new(o, names[key], value_json(r));
		else
			ctm_cbor_skip(r);
	}
	return o;
}

void deliver_answered(struct gateway *g)
{
	struct ctm_cbor_r r = ctm_cbor_reader(g->in, g->in_n);
	struct ctm_bytes rule = { NULL, 0 };
	size_t items = ctm_cbor_check(g->in, g->in_n) ? 0 : ctm_cbor_array(&r);
	uint64_t op = ctm_cbor_uint(&r), id = ctm_cbor_uint(&r);
	int result = (int)ctm_cbor_int(&r);

	if (r.err || items < 4 || !g->job.name[0] || id != g->job.id)
		return;
	if (op == CTM_GW_ASK) {
		done(g, result, rule, device_state_json(&r));
		return;
	}
	rule = ctm_cbor_text(&r);
	if (op == CTM_GW_BEGIN && items == 5 && !result)
		send_image(g, ctm_cbor_uint(&r));
	else
		done(g, result, rule, NULL);
}

void deliver_step(struct gateway *g)
{
	struct job *j = &g->job;
	enum ctm_link_out out = ctm_link_sent(&g->link);
	char path[PATH_MAX + NAME_MAX];

	if (!g->conf.deliver || out == CTM_LINK_SENDING || !g->link.welcome)
		return;
	if (!j->name[0]) {
		if (!next_file(g, j->name, &j->op))
			return;
		snprintf(path, sizeof path, "%s/%s", g->conf.deliver, j->name);
		j->bytes = load(path, &j->n);
	}
	if (j->step == STEP_PIECE && out == CTM_LINK_DELIVERED && j->peer == g->link.peer) {
		j->step = STEP_FINISHED;
		ask(g, CTM_GW_FINISH, (struct ctm_bytes){ NULL, 0 });
	} else if (j->step == STEP_IDLE || out == CTM_LINK_REFUSED || j->peer != g->link.peer || now_ms() - j->asked_ms > PATIENCE_MS) {
		begin(g);
	}
}
