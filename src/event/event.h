/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed events. An event is a row written in the transaction of the change that caused it; listeners (rows of a table given
 * at start) run later as jobs, at least once, so they must be idempotent. Rooms never call across: they listen, or post.
 * Types: release.published device.enrolled device.state run.sealed report.issued case.moved decision.made
 * certificate.changed record.published advisory.matched alert.raised list.changed pack.changed
 */
#ifndef CTM_EVENT_EVENT_H
#define CTM_EVENT_EVENT_H
#include "event/job.h"

struct ctm_listener { const char *event; const char *job; };       /* event type -> job kind, payload {event, kind, id, data} */

/* Called once at start, before there are threads; rows are borrowed for the life of the process. */
void ctm_event_set_listeners(const struct ctm_listener *rows, size_t n);

/* Write the event and post one job per listener of its type. data may be NULL ({}). */
CTM_CHECK int ctm_event_emit(struct ctm_db *db, int64_t now_ms, const char *type, const char *subject_kind, const char *subject_id,
	const ctm_json *data, struct ctm_err *err);

#endif
