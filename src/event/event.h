/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed events and jobs. An event is a row written in the transaction of the change that caused it; listeners (rows of a
 * table given at start) run later as jobs, at least once, idempotent. A job is a leased row: kind, JSON payload, run_at,
 * attempts. Rooms never call across: they listen, or post.
 * Types: release.published device.enrolled device.state run.sealed report.issued case.moved decision.made
 * certificate.changed record.published advisory.matched alert.raised list.changed pack.changed
 */
#ifndef CTM_EVENT_EVENT_H
#define CTM_EVENT_EVENT_H
#include "store/store.h"

CTM_CHECK int ctm_event_emit(struct ctm_db *db, int64_t now_ms, const char *type, const char *subject_kind, const char *subject_id,
	const ctm_json *data, struct ctm_err *err);                     /* also queues one job "event" per listener, see app */
CTM_CHECK int ctm_job_post(struct ctm_db *db, int64_t run_at_ms, const char *kind, const char *key, const ctm_json *payload, struct ctm_err *err); /* key: "" or a unique key among unfinished jobs (then a second post is a no-op) */

#endif
