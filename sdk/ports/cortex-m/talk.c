/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversation with the gateway (ctm/gateway.h). One message is taken at a time: while it waits for its answer the link gives no
 * room for another. Pieces of an image go to the slot as they come and are never in memory.
 */
#include "ctm/csr.h"
#include "ctm/gateway.h"
#include "sensor.h"
#include "ctm/cbor.h"
#include <string.h>

#define RETRY_MS 2000           /* between questions that were not answered well */
#define PATIENCE_MS 20000       /* for an answer */
#define LINGER_MS 3000          /* for the answer to arrive before a restart */
#define ROOM 800

/* ---- the link's side ---- */

static int source(void *ctx, uint32_t at, uint8_t *buf, size_t n)
{
	struct sensor *s = ctx;

	if (at + n > sizeof s->out)
		return -1;
	memcpy(buf, s->out + at, n);
	return (int)n;
}

/* While a message waits in the buffer there is no room, so nothing of this one can come yet. */
static int opened(void *ctx, uint32_t length, uint32_t *have)
{
	return length ? 0 : -1;
}

/* Bytes of an image piece after its head. */
static int piece(struct sensor *s, const uint8_t *p, size_t n)
{
	if (s->piece_at != s->update.at || s->update.slot >= CTM_SLOTS)
		return -1;
	s->piece_at += (uint32_t)n;
	return n && ctm_update_write(&s->update, p, n) ? -1 : 0;
}

static int came(void *ctx, uint32_t at, const uint8_t *p, size_t n, uint32_t length)
{
	struct sensor *s = ctx;
	bool whole = at + n == length;

	if (at == 0)
		s->in_n = 0;
	while (n && s->in_n < CTM_GW_PIECE_HEAD) {
		s->in[s->in_n++] = *p++;
		n--;
		if (s->in_n == CTM_GW_PIECE_HEAD && !s->in[0])
			s->piece_at = (uint32_t)ctm_sdk_get(s->in + 1, 4);
	}
	if (s->in_n == CTM_GW_PIECE_HEAD && !s->in[0])
		return piece(s, p, n);
	if (s->in_n + n > sizeof s->in)
		return -1;
	memcpy(s->in + s->in_n, p, n);
	s->in_n += n;
	if ((s->in_whole = whole))
		ctm_link_room(&s->link, 0);
	return 0;
}

void talk_begin(struct sensor *s)
{
	s->app = (struct ctm_link_app){ s, source, opened, came };
	(void)ctm_link_begin(&s->link, &s->app, SENSOR_MTU, (uint16_t)s->update.boots, 300, ROOM);
}

/* ---- what the gateway asks ---- */

static struct ctm_cbor_w answer(struct sensor *s, uint64_t op, uint64_t id, size_t items, int result)
{
	struct ctm_cbor_w w = ctm_cbor_writer(s->out, sizeof s->out);

	ctm_cbor_put_array(&w, items);
	ctm_cbor_put_uint(&w, op);
	ctm_cbor_put_uint(&w, id);
	ctm_cbor_put_int(&w, result);
	return w;
}

static void put_settings(struct ctm_cbor_w *w, const struct ctm_config *c)
{
	ctm_cbor_put_array(w, 2 * c->n);
	for (size_t i = 0; i < c->n; i++) {
		ctm_cbor_put_str(w, c->schema[i].name);
		if (c->schema[i].privacy == CTM_PRIVACY_PERSONAL)
			ctm_cbor_put_null(w);
		else
			ctm_cbor_put_int(w, c->value[i].i);
	}
}

static struct ctm_cbor_w answer_state(struct sensor *s, uint64_t id)
{
	struct ctm_cbor_w w = answer(s, CTM_GW_ASK, id, 4, 0);

	ctm_cbor_put_map(&w, 11);
	ctm_cbor_put_uint(&w, CTM_GS_SERIAL);
	ctm_cbor_put_str(&w, s->serial);
	ctm_cbor_put_uint(&w, CTM_GS_BOOTED);
	ctm_cbor_put_str(&w, s->update.booted);
	ctm_cbor_put_uint(&w, CTM_GS_VERIFIED);
	ctm_cbor_put_str(&w, s->update.verified);
	ctm_cbor_put_uint(&w, CTM_GS_BOOTS);
	ctm_cbor_put_uint(&w, s->update.boots);
	ctm_cbor_put_uint(&w, CTM_GS_REBOOT);
	ctm_cbor_put_uint(&w, s->state.reboot);
	ctm_cbor_put_uint(&w, CTM_GS_DEGRADED);
	ctm_cbor_put_bool(&w, ctm_state_degraded(&s->state));
	ctm_cbor_put_uint(&w, CTM_GS_SETTINGS);
	put_settings(&w, &s->config);
	ctm_cbor_put_uint(&w, CTM_GS_ENROLLED);
	ctm_cbor_put_bool(&w, s->enrolled);
	ctm_cbor_put_uint(&w, CTM_GS_UPDATE_TRIAL);
	ctm_cbor_put_bool(&w, ctm_update_on_trial(&s->update));
	ctm_cbor_put_uint(&w, CTM_GS_CONFIG_TRIAL);
	ctm_cbor_put_bool(&w, s->config.on_trial);
	ctm_cbor_put_uint(&w, CTM_GS_WAITING);
	ctm_cbor_put_uint(&w, s->queue.next - s->queue.first);
	return w;
}

static void refused(struct sensor *s, const char *event, unsigned metric, int rc, const char *why)
{
	if (rc) {
		(void)ctm_metrics_add(&s->state.metrics, metric, 1);
		sensor_log(s, event, *why ? why : ctm_sdk_name(rc));
	}
}

static void restart(struct sensor *s, unsigned reason)
{
	s->restart = true;
	s->restart_reason = reason;
	s->restart_ms = board_ms() + LINGER_MS;
}

static struct ctm_cbor_w answer_document(struct sensor *s, uint64_t op, uint64_t id, struct ctm_bytes doc)
{
	const char *why = "";
	struct ctm_cbor_w w;
	int rc = op == CTM_GW_CONFIG ? ctm_remote_config(&s->remote, doc.p, doc.n, &why) : ctm_remote_reset(&s->remote, doc.p, doc.n, &why);

	if (op == CTM_GW_RESET && !rc)
		rc = sensor_reset(s);
	refused(s, "config.refused", CTM_METRIC_config_refused, rc, why);
	if (!rc)
		sensor_log(s, "config.changed", "");
	if (!rc && op == CTM_GW_RESET)
		restart(s, CTM_REBOOT_reset);
	w = answer(s, op, id, 4, rc);
	ctm_cbor_put_str(&w, why ? why : "");
	return w;
}

static struct ctm_cbor_w answer_update(struct sensor *s, uint64_t op, uint64_t id, struct ctm_bytes manifest)
{
	const char *why = "";
	struct ctm_cbor_w w;
	int rc = op == CTM_GW_BEGIN ? ctm_update_begin(&s->update, manifest, &why) : ctm_update_finish(&s->update, &why);

	refused(s, "update.refused", CTM_METRIC_update_refused, rc, why ? why : "");
	if (!rc && op == CTM_GW_FINISH) {
		sensor_log(s, "update.installed", "");
		restart(s, CTM_REBOOT_update);
	}
	w = answer(s, op, id, op == CTM_GW_BEGIN ? 5 : 4, rc);
	ctm_cbor_put_str(&w, why ? why : "");
	if (op == CTM_GW_BEGIN)
		ctm_cbor_put_uint(&w, rc ? 0 : s->update.at);
	return w;
}

/* ---- what the platform said to our question ---- */

static void enrolled(struct sensor *s, uint64_t status)
{
	if (status != 200)
		return;
	s->enrolled = ctm_record_store(&s->port, "enrolled", "1", 1) == 0;
	ctm_sdk_wipe(s->code, sizeof s->code);
	sensor_log(s, "enrolled", s->serial);
}

/* A heartbeat that the platform took is contact: what was on trial has proved itself. */
static void beat_taken(struct sensor *s, uint64_t status)
{
	bool heard = status == 200 || status == 409;    /* 409: it had this one already */

	(void)ctm_metrics_add(&s->state.metrics, heard ? CTM_METRIC_sync_ok : CTM_METRIC_sync_failed, 1);
	if (!heard)
		return;
	if (ctm_queue_taken(&s->queue, s->asked_seq))
		(void)ctm_metrics_add(&s->state.metrics, CTM_METRIC_storage_errors, 1);
	if (s->config.on_trial && ctm_config_confirm(&s->config) == 0)
		sensor_log(s, "config.kept", "");
	if (ctm_update_on_trial(&s->update) && ctm_update_commit(&s->update) == 0)
		sensor_log(s, "update.committed", s->update.booted);
	s->asked_ms -= RETRY_MS;                        /* the next one may follow at once */
}

static void answered(struct sensor *s, uint64_t op, uint64_t id, uint64_t status)
{
	if (op != s->asked || id != s->question)
		return;                 /* an answer to what is no longer asked */
	s->asked = 0;
	if (op == CTM_GW_ENROL)
		enrolled(s, status);
	else
		beat_taken(s, status);
}

/* ---- one message ---- */

static void take(struct sensor *s)
{
	struct ctm_cbor_r r = ctm_cbor_reader(s->in, s->in_n);
	struct ctm_cbor_w w = ctm_cbor_writer(s->out, sizeof s->out);
	struct ctm_bytes doc = { NULL, 0 };
	uint64_t op, id, status = 0;
	size_t items;

	s->in_whole = false;
	items = ctm_cbor_check(s->in, s->in_n) ? 0 : ctm_cbor_array(&r);
	op = ctm_cbor_uint(&r);
	id = ctm_cbor_uint(&r);
	if (op <= CTM_GW_BEAT && items >= 3)
		status = ctm_cbor_uint(&r);
	else if (op > CTM_GW_ASK && op < CTM_GW_FINISH && items == 3)
		doc = ctm_cbor_bytes(&r);
	if (r.err || !items) {
		(void)ctm_metrics_add(&s->state.metrics, CTM_METRIC_link_errors, 1);
		return;
	}
	switch (op) {
	case CTM_GW_ENROL: case CTM_GW_BEAT: answered(s, op, id, status); return;
	case CTM_GW_ASK: w = answer_state(s, id); break;
	case CTM_GW_CONFIG: case CTM_GW_RESET: w = answer_document(s, op, id, doc); break;
	case CTM_GW_BEGIN: case CTM_GW_FINISH: w = answer_update(s, op, id, doc); break;
	default: return;
	}
	if (!w.err)
		(void)ctm_link_send(&s->link, (uint32_t)w.len);
}

/* ---- our questions ---- */

static struct ctm_cbor_w question(struct sensor *s, uint8_t op, size_t items)
{
	struct ctm_cbor_w w = ctm_cbor_writer(s->out, sizeof s->out);

	s->asked = op;
	s->question++;
	ctm_cbor_put_array(&w, items);
	ctm_cbor_put_uint(&w, op);
	ctm_cbor_put_uint(&w, s->question);
	return w;
}

static struct ctm_cbor_w ask_enrol(struct sensor *s)
{
	struct ctm_cbor_w w = question(s, CTM_GW_ENROL, 5);
	uint8_t csr[CTM_CSR_MAX];
	size_t n = 0;

	ctm_cbor_put_str(&w, s->serial);
	ctm_cbor_put_str(&w, s->code);
	w.err = w.err ? w.err : ctm_csr_write(&s->port, s->serial, s->key.pub, csr, sizeof csr, &n);
	ctm_cbor_put_bytes(&w, csr, n);
	return w;
}

static struct ctm_cbor_w ask_beat(struct sensor *s)
{
	uint8_t beat[CTM_HEARTBEAT_MAX], msg[CTM_HEARTBEAT_MAX + CTM_HEARTBEAT_SIGNED];
	size_t n = 0, len = 0;
	struct ctm_cbor_w w = question(s, CTM_GW_BEAT, 3);

	w.err = ctm_queue_peek(&s->queue, &s->asked_seq, beat, sizeof beat, &n);
	if (!w.err)
		w.err = ctm_heartbeat_sign(&s->port, s->key.pub, beat, n, msg, sizeof msg, &len);
	ctm_cbor_put_bytes(&w, msg, len);
	return w;
}

static void ask(struct sensor *s)
{
	int64_t now = board_ms();
	struct ctm_cbor_w w;

	if (s->asked && (now - s->asked_ms > PATIENCE_MS || s->link.peer != s->asked_peer))
		s->asked = 0;           /* no answer, or another gateway than the one that was asked */
	if (s->asked || s->restart || now - s->asked_ms < RETRY_MS || ctm_link_sent(&s->link) == CTM_LINK_SENDING)
		return;
	if (s->enrolled && s->queue.first == s->queue.next)
		return;
	w = s->enrolled ? ask_beat(s) : ask_enrol(s);
	s->asked_ms = now;
	s->asked_peer = s->link.peer;
	if (w.err || ctm_link_send(&s->link, (uint32_t)w.len))
		s->asked = 0;
}

static void receive(struct sensor *s)
{
	static uint8_t frame[SENSOR_MTU + 3];
	static size_t at;
	int b;

	while ((b = board_line_get()) >= 0) {
		size_t n = ctm_link_unstuff(frame, sizeof frame, &at, (uint8_t)b);

		if (n && ctm_link_take(&s->link, frame, n))
			(void)ctm_metrics_add(&s->state.metrics, CTM_METRIC_link_errors, 1);
	}
}

static void send(struct sensor *s)
{
	uint8_t frame[SENSOR_MTU], line[SENSOR_MTU + 4];
	size_t n;

	while ((n = ctm_link_poll(&s->link, board_ms(), frame)))
		board_line_put(line, ctm_link_stuff(frame, n, line));
}

void talk_step(struct sensor *s)
{
	/* The device key and the maker's are what is asked for on this line: each message proves itself. */
	if (ctm_iface_may(&s->ifaces, CTM_IFACE_UART, 0, CTM_ACCESS_KEY))
		return;
	receive(s);
	if (s->in_whole && ctm_link_sent(&s->link) != CTM_LINK_SENDING)
		take(s);
	ctm_link_room(&s->link, s->in_whole ? 0 : ROOM);
	ask(s);
	send(s);
}
