/* SPDX-License-Identifier: Apache-2.0
 *
 * Timeline: one plain line per thing that happened to a device, product, case or record, written in the transaction of
 * the change. The audit chain says who changed which row; the timeline says it to people.
 */
#ifndef CTM_EVENT_TIMELINE_H
#define CTM_EVENT_TIMELINE_H
#include "store/store.h"

/* subject_kind: "device", "product", "case", "record", "job". actor: a person's name, "device SERIAL" or "ctm". what: one sentence
 * (at most 300 bytes are kept). ref: digest or id of the proof, may be NULL. */
CTM_CHECK int ctm_timeline_add(struct ctm_db *db, int64_t now_ms, const char *subject_kind, const char *subject_id,
	const char *actor, const char *what, const char *ref, struct ctm_err *err);
/* Newest first, at most max lines: [{at_ms, actor, what, ref}]. */
CTM_CHECK int ctm_timeline_read(struct ctm_db *db, const char *subject_kind, const char *subject_id, size_t max,
	ctm_json **out, struct ctm_err *err);

#endif
