/* SPDX-License-Identifier: Apache-2.0
 *
 * Events. The listener table is the one process-wide value here: set once before threads start, read-only after.
 */
#include "event/event.h"
#include "base/id.h"
#include "base/text.h"
#include <stdio.h>

#define DATA_MAX (1 << 20)

static const struct ctm_listener *listeners;
static size_t nlisteners;

void ctm_event_set_listeners(const struct ctm_listener *rows, size_t n)
{
	listeners = rows;
	nlisteners = n;
}

static int insert(struct ctm_db *db, int64_t now_ms, const char *id, const char *type, const char *kind, const char *subject,
	const ctm_json *data, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(DATA_MAX);
	int rc = data ? ctm_json_compact(data, &b) : 0;
	if (rc)
		return ctm_fail(err, rc, type, NULL, "the event's data cannot be written: %s", ctm_err_text(rc));
	struct ctm_q *q = ctm_q(db, "event.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "type", type);
	ctm_q_text(q, "subject_kind", kind);
	ctm_q_text(q, "subject_id", subject);
	ctm_q_text(q, "data", data ? ctm_buf_cstr(&b) : "{}");
	ctm_q_int(q, "at_ms", now_ms);
	return ctm_q_run(q, NULL, err);
}

static ctm_json *payload_of(const char *type, const char *kind, const char *subject, const ctm_json *data)
{
	ctm_json *p = ctm_json_obj();
	if (ctm_json_sets(p, "event", type) || ctm_json_sets(p, "kind", kind) || ctm_json_sets(p, "id", subject)
		|| ctm_json_set(p, "data", data ? ctm_json_copy(data) : ctm_json_obj())) {
		ctm_json_free(p);
		return NULL;
	}
	return p;
}

int ctm_event_emit(struct ctm_db *db, int64_t now_ms, const char *type, const char *subject_kind, const char *subject_id,
	const ctm_json *data, struct ctm_err *err)
{
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	int rc = insert(db, now_ms, id, type, subject_kind, subject_id, data, err);
	if (rc)
		return rc;
	CTM_AUTO_JSON *payload = payload_of(type, subject_kind, subject_id, data);
	if (!payload)
		return ctm_fail(err, CTM_E_NOMEM, type, NULL, "the event's data cannot be carried");
	for (size_t i = 0; !rc && i < nlisteners; i++) {
		if (ctm_streq(listeners[i].event, type))
			rc = ctm_job_post(db, now_ms, listeners[i].job, id, payload, err);   /* the event's id: once per listener */
	}
	return rc;
}
