/* SPDX-License-Identifier: Apache-2.0
 * Inside of sbom: tables that say what an object of a bill of materials may hold. */
#ifndef CTM_SBOM_CYCLONEDX_SPEC_H
#define CTM_SBOM_CYCLONEDX_SPEC_H
#include "base/json.h"

enum bom_check {
	BOM_ANY,           /* present is enough */
	BOM_TEXT,          /* a string */
	BOM_FILLED,        /* a string of at least one byte */
	BOM_BOOL, BOM_INT,
	BOM_ENUM,          /* arg: NULL-terminated words */
	BOM_FORM,          /* a string that `form` accepts */
	BOM_OBJECT,        /* arg: struct bom_spec */
	BOM_LIST,          /* array of objects of arg */
	BOM_TEXTS,         /* array of filled strings */
	BOM_TOOLS,         /* array (old form) or object (since 1.5) */
};
struct bom_spec;
struct bom_member { const char *name; enum bom_check check; bool required; const void *arg; bool (*form)(const char *); };
struct bom_walk { int version; /* 14, 15, 16 */ ctm_json *warnings; size_t components; };
struct bom_spec {
	const char *name;
	const struct bom_member *members; size_t n;
	int (*extra)(struct bom_walk *w, const struct ctm_jc *c, struct ctm_err *err);   /* rules over several members; may be NULL */
};
extern const struct bom_spec bom_document;
/* one object and what stands in it; INPUT with file and pointer */
CTM_CHECK int bom_check_object(struct bom_walk *w, const struct ctm_jc *c, const struct bom_spec *s, struct ctm_err *err);
#endif
