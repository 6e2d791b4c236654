/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: a list of chunks that grow from 8 KiB (an ordinary exchange) to 64 KiB; an allocation larger than a chunk gets its own. `used` counts
 * what callers asked for (rounded to 16) so that the maximum means the same whatever the chunking.
 */
#include "base/arena.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define CHUNK_MIN 8192u
#define CHUNK_MAX 65536u

struct chunk {
	struct chunk *next;
	size_t used, cap;
	_Alignas(16) unsigned char p[];
};

struct late {
	struct late *next;
	void (*fn)(void *);
	void *arg;
};

struct ctm_arena {
	struct chunk *head;
	struct late *late;
	size_t used, max, chunk;
};

struct ctm_arena *ctm_arena_new(size_t max_bytes)
{
	struct ctm_arena *a = calloc(1, sizeof *a);
	if (a) {
		a->max = max_bytes < SIZE_MAX / 4 ? max_bytes : SIZE_MAX / 4;   /* sums below cannot overflow */
		a->chunk = CHUNK_MIN;
	}
	return a;
}

/* Everything but the first chunk, which is the last of the list. */
static struct chunk *drop(struct ctm_arena *a)
{
	for (struct late *l = a->late; l; l = l->next)
		l->fn(l->arg);
	struct chunk *c = a->head;
	for (struct chunk *next; c && c->next; c = next) {
		next = c->next;
		free(c);
	}
	return c;
}

void ctm_arena_free(struct ctm_arena *a)
{
	if (!a)
		return;
	free(drop(a));
	free(a);
}

void ctm_arena_reset(struct ctm_arena *a)
{
	struct chunk *c = drop(a);
	if (c && c->cap > CHUNK_MIN) {
		free(c);
		c = NULL;
	}
	if (c) {
		memset(c->p, 0, c->used);
		c->used = 0;
	}
	*a = (struct ctm_arena){ .head = c, .max = a->max, .chunk = CHUNK_MIN };
}

void ctm_arena_freep(struct ctm_arena **a)
{
	ctm_arena_free(*a);
	*a = NULL;
}

/* A new head chunk that holds at least n bytes. */
static struct chunk *grow(struct ctm_arena *a, size_t n)
{
	size_t cap = n > a->chunk ? n : a->chunk;
	struct chunk *c = calloc(1, sizeof *c + cap);
	if (!c)
		return NULL;
	c->cap = cap;
	c->next = a->head;
	a->head = c;
	if (a->chunk < CHUNK_MAX)
		a->chunk *= 2;
	return c;
}

void *ctm_arena_alloc(struct ctm_arena *a, size_t n)
{
	if (n > a->max)
		return NULL;
	n = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
	if (n > a->max - a->used)
		return NULL;
	struct chunk *c = a->head;
	if (!c || n > c->cap - c->used)
		c = grow(a, n);
	if (!c)
		return NULL;
	void *p = c->p + c->used;
	c->used += n;
	a->used += n;
	return p;
}

char *ctm_arena_ndup(struct ctm_arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? ctm_arena_alloc(a, n + 1) : NULL;
	if (p && n)
		memcpy(p, s, n);
	return p;
}

char *ctm_arena_dup(struct ctm_arena *a, const char *s) { return s ? ctm_arena_ndup(a, s, strlen(s)) : NULL; }

char *ctm_arena_printf(struct ctm_arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	char *p = n < 0 ? NULL : ctm_arena_alloc(a, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

int ctm_arena_defer(struct ctm_arena *a, void (*fn)(void *), void *arg)
{
	struct late *l = ctm_arena_alloc(a, sizeof *l);
	if (!l) {
		fn(arg);
		return CTM_E_NOMEM;
	}
	*l = (struct late){ a->late, fn, arg };
	a->late = l;
	return 0;
}
