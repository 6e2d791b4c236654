/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259) documents. Strict: UTF-8, duplicate keys refused, nesting and size limited, trailing bytes refused,
 * errors name a JSON pointer (RFC 6901) or a byte offset. The JSON library is an implementation detail of this room:
 * struct ctm_json is opaque. Trees are reference-free: a tree has one owner, setters take ownership of values.
 *
 * Reading goes through a cursor (struct ctm_jc) that carries file name and pointer, so that every refusal can say where.
 */
#ifndef CTM_BASE_JSON_H
#define CTM_BASE_JSON_H
#include "base/buf.h"
#include <stdbool.h>

typedef struct ctm_json ctm_json;

enum ctm_jtype { CTM_J_NULL, CTM_J_BOOL, CTM_J_INT, CTM_J_REAL, CTM_J_STR, CTM_J_ARR, CTM_J_OBJ };

#define CTM_JSON_DEPTH 64

/* Parse exactly one value. `name` is put before messages (a file name or "body"). SYNTAX (malformed, duplicate key, too
 * deep, not UTF-8), TOOBIG (n over max), NOMEM. */
CTM_CHECK int ctm_json_parse(const char *p, size_t n, size_t max, const char *name, ctm_json **out, struct ctm_err *err);
CTM_CHECK int ctm_json_load(const char *path, size_t max, ctm_json **out, struct ctm_err *err);
void ctm_json_free(ctm_json *v);                /* NULL tolerated; only for roots */
void ctm_json_freep(ctm_json **v);
#define CTM_AUTO_JSON __attribute__((cleanup(ctm_json_freep))) ctm_json

/* Looking. All borrowed from the root; NULL or neutral value when absent or of another type, NULL v tolerated. */
enum ctm_jtype ctm_json_type(const ctm_json *v);
const ctm_json *ctm_json_get(const ctm_json *obj, const char *key);
const ctm_json *ctm_json_at(const ctm_json *arr, size_t i);
size_t ctm_json_len(const ctm_json *v);                               /* elements of an array or members of an object */
const char *ctm_json_str(const ctm_json *v);                          /* NULL unless a string */
int64_t ctm_json_int(const ctm_json *v, int64_t otherwise);
double ctm_json_real(const ctm_json *v, double otherwise);            /* integers too */
bool ctm_json_bool(const ctm_json *v, bool otherwise);
const char *ctm_json_gets(const ctm_json *obj, const char *key);      /* string member or NULL */
int64_t ctm_json_geti(const ctm_json *obj, const char *key, int64_t otherwise);
bool ctm_json_getb(const ctm_json *obj, const char *key, bool otherwise);
/* Members in document order: for (it = NULL; ctm_json_each(obj, &it, &key, &val);) */
bool ctm_json_each(const ctm_json *obj, void **it, const char **key, const ctm_json **val);

/* Building. New values are owned by the caller until set; set/append own them even on failure. NULL means no memory and
 * is accepted by set/append, which then fail. Setters return 0 or NOMEM; INPUT for text that is not UTF-8. */
ctm_json *ctm_json_obj(void);
ctm_json *ctm_json_arr(void);
ctm_json *ctm_json_news(const char *s);          /* NULL gives JSON null */
ctm_json *ctm_json_newi(int64_t i);
ctm_json *ctm_json_newr(double r);               /* not in what is signed: canonical writing refuses reals */
ctm_json *ctm_json_newb(bool b);
bool ctm_json_equal(const ctm_json *a, const ctm_json *b);      /* the same value; NULL and null are not the same */
ctm_json *ctm_json_copy(const ctm_json *v);      /* deep */
int ctm_json_set(ctm_json *obj, const char *key, ctm_json *v);
int ctm_json_sets(ctm_json *obj, const char *key, const char *s);
int ctm_json_seti(ctm_json *obj, const char *key, int64_t i);
int ctm_json_setb(ctm_json *obj, const char *key, bool b);
int ctm_json_setf(ctm_json *obj, const char *key, const char *fmt, ...) CTM_PRINTF(3, 4);
int ctm_json_del(ctm_json *obj, const char *key);
int ctm_json_add(ctm_json *arr, ctm_json *v);
int ctm_json_adds(ctm_json *arr, const char *s);

/* Writing. canonical: keys sorted by bytes, no white space, integers only in shortest form (reals refused with INPUT):
 * the bytes that are hashed and signed. pretty: two-space indent, keys in document order, newline at the end. */
CTM_CHECK int ctm_json_canonical(const ctm_json *v, struct ctm_buf *out);
CTM_CHECK int ctm_json_compact(const ctm_json *v, struct ctm_buf *out);
CTM_CHECK int ctm_json_pretty(const ctm_json *v, struct ctm_buf *out);

/* Cursor: value + where it stands. Functions fail with INPUT, field = pointer, message = "FILE POINTER: reason". */
struct ctm_jc {
	const ctm_json *v;
	const char *file;     /* borrowed; may be NULL */
	char ptr[160];        /* JSON pointer, "" for the root */
};

struct ctm_jc ctm_jc_root(const ctm_json *v, const char *file);                                                 /* v and file borrowed */
CTM_CHECK int ctm_jc_fail(const struct ctm_jc *c, struct ctm_err *err, const char *fmt, ...) CTM_PRINTF(3, 4);  /* INPUT at this place */
CTM_CHECK int ctm_jc_key(const struct ctm_jc *c, const char *key, struct ctm_jc *out, struct ctm_err *err);  /* must exist */
bool ctm_jc_has(const struct ctm_jc *c, const char *key, struct ctm_jc *out);                                /* optional member */
CTM_CHECK int ctm_jc_at(const struct ctm_jc *c, size_t i, struct ctm_jc *out, struct ctm_err *err);  /* element i, which must exist */
CTM_CHECK int ctm_jc_is(const struct ctm_jc *c, enum ctm_jtype t, struct ctm_err *err);  /* is it of this type? */
CTM_CHECK int ctm_jc_str(const struct ctm_jc *c, const char *key, size_t min, size_t max, const char **out, struct ctm_err *err); /* bytes */
CTM_CHECK int ctm_jc_opt_str(const struct ctm_jc *c, const char *key, size_t max, const char **out, struct ctm_err *err); /* NULL when absent */
/* A member of that type in that range, which must be there; enum: *out is the place of its word in names. */
CTM_CHECK int ctm_jc_int(const struct ctm_jc *c, const char *key, int64_t min, int64_t max, int64_t *out, struct ctm_err *err);
CTM_CHECK int ctm_jc_bool(const struct ctm_jc *c, const char *key, bool *out, struct ctm_err *err);
CTM_CHECK int ctm_jc_arr(const struct ctm_jc *c, const char *key, size_t min, size_t max, struct ctm_jc *out, struct ctm_err *err);
CTM_CHECK int ctm_jc_enum(const struct ctm_jc *c, const char *key, const char *const *names, size_t n, size_t *out, struct ctm_err *err);
CTM_CHECK int ctm_jc_only(const struct ctm_jc *c, const char *const *keys, size_t n, struct ctm_err *err);    /* refuse other members */

#endif
