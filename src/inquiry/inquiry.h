/* SPDX-License-Identifier: Apache-2.0
 *
 * What people look up across the nouns: the one search box, and who changed what. Nothing is written here; both read other
 * nouns' tables through the named statements of inquiry.sql, each with the scope of the organisation that asks.
 */
#ifndef CTM_INQUIRY_INQUIRY_H
#define CTM_INQUIRY_INQUIRY_H
#include "http/app.h"

extern const struct ctm_routes ctm_inquiry_routes;

/* Words as a pattern of LIKE ... ESCAPE '!' that holds them anywhere, their own signs plain; NULL at the arena's maximum. */
const char *ctm_inquiry_like(struct ctm_arena *arena, const char *words);

int ctm_uc_find(struct ctm_cx *cx, ctm_json *out);             /* JSON: all answers */
int ctm_uc_find_page(struct ctm_cx *cx, ctm_json *out);        /* the page: straight there when the answer is one */
int ctm_uc_changes(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_changes_csv(struct ctm_cx *cx, ctm_json *out);

#endif
