/* SPDX-License-Identifier: Apache-2.0
 *
 * Validators of input fields, one row per enum ctm_vtype. A value is either refused with one sentence that says what is
 * wanted, or handed on in its normal form: CR LF becomes LF, a digest and a uuid lower case, a boolean "1" or "0". An empty
 * value counts as absent, because that is what an HTML form sends for an input left blank.
 */
#ifndef CTM_HTTP_FIELD_H
#define CTM_HTTP_FIELD_H
#include "http/app.h"

/* Validate value[0..n) for the field; *out gets the normal form (arena memory) or NULL when absent. INPUT with the field's
 * name; NOMEM. */
CTM_CHECK int ctm_field_check(const struct ctm_field *f, const char *value, size_t n, struct ctm_arena *arena, const char **out, struct ctm_err *err);
/* Longest value in bytes (for CTM_V_INT: the greatest number) once the default of the type is applied. */
unsigned ctm_field_max(const struct ctm_field *f);
/* JSON Schema of the field, for the API description. Owned by the caller; NULL without memory. */
ctm_json *ctm_field_schema(const struct ctm_field *f);

#endif
