/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: memory that lives as long as one request, one job or one program run, freed at once. Never returns memory
 * piecemeal. Allocations are zeroed and 16-byte aligned. NULL once the maximum is reached: callers fail with NOMEM.
 * One thread at a time.
 */
#ifndef CTM_BASE_ARENA_H
#define CTM_BASE_ARENA_H
#include "base/err.h"
#include <stddef.h>

struct ctm_arena;

struct ctm_arena *ctm_arena_new(size_t max_bytes);      /* NULL without memory */
void ctm_arena_free(struct ctm_arena *a);               /* NULL tolerated */
void ctm_arena_reset(struct ctm_arena *a);              /* as if new, with its first piece of memory kept */
void ctm_arena_freep(struct ctm_arena **a);             /* for CTM_AUTO_ARENA */
#define CTM_AUTO_ARENA __attribute__((cleanup(ctm_arena_freep))) struct ctm_arena
void *ctm_arena_alloc(struct ctm_arena *a, size_t n);                     /* zeroed; NULL at the maximum */
char *ctm_arena_dup(struct ctm_arena *a, const char *s);                  /* NULL in gives NULL */
char *ctm_arena_ndup(struct ctm_arena *a, const char *s, size_t n);       /* NUL added */
char *ctm_arena_printf(struct ctm_arena *a, const char *fmt, ...) CTM_PRINTF(2, 3);  /* as long as it needs to be; NULL at the maximum */
/* Run fn(arg) when the arena is freed, last registered first. 0 or NOMEM (then fn was run at once). */
CTM_CHECK int ctm_arena_defer(struct ctm_arena *a, void (*fn)(void *), void *arg);

#endif
