/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside src/base only: how the opaque tree maps to the JSON library. A ctm_json is a json_t under another name; casts
 * stand here and nowhere else.
 */
#ifndef CTM_BASE_JSON_TREE_H
#define CTM_BASE_JSON_TREE_H
#include "base/json.h"
#include <jansson.h>

static inline json_t *ctm_jt(const ctm_json *v) { return (json_t *)(uintptr_t)v; }
static inline ctm_json *ctm_tj(const json_t *v) { return (ctm_json *)(uintptr_t)v; }

/* Append key as one step of a JSON pointer (RFC 6901 escapes; control characters become '?'). Cuts with "..." when full. */
void ctm_ptr_step(char *ptr, size_t cap, const char *key, size_t n);

#endif
