/* SPDX-License-Identifier: Apache-2.0
 *
 * Timeline lines. Sentences are cut at a character, not refused: a line about a change must never make the change fail.
 */
#include "event/timeline.h"
#include "base/id.h"
#include <string.h>

#define WHAT_MAX 300

/* Copy at most WHAT_MAX bytes without splitting a UTF-8 character. */
static void cut(char out[WHAT_MAX + 1], const char *s)
{
	size_t n = strnlen(s, WHAT_MAX + 1);
	if (n > WHAT_MAX)
		for (n = WHAT_MAX; n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80; n--)
			;
	memcpy(out, s, n);
	out[n] = '\0';
}

int ctm_timeline_add(struct ctm_db *db, int64_t now_ms, const char *subject_kind, const char *subject_id,
	const char *actor, const char *what, const char *ref, struct ctm_err *err)
{
	char id[CTM_UUID_MAX], text[WHAT_MAX + 1];
	ctm_uuid7(id);
	cut(text, what);
	struct ctm_q *q = ctm_q(db, "timeline.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "kind", subject_kind);
	ctm_q_text(q, "subject", subject_id);
	ctm_q_int(q, "at_ms", now_ms);
	ctm_q_text(q, "actor", actor);
	ctm_q_text(q, "what", text);
	ctm_q_text(q, "ref", ref ? ref : "");
	return ctm_q_run(q, NULL, err);
}

int ctm_timeline_read(struct ctm_db *db, const char *subject_kind, const char *subject_id, size_t max, ctm_json **out,
	struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "timeline.read");
	ctm_q_text(q, "kind", subject_kind);
	ctm_q_text(q, "subject", subject_id);
	ctm_q_int(q, "max", (int64_t)max);
	return ctm_q_rows(q, max, out, err);
}
