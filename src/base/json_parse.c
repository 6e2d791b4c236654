/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict parsing. Two passes stand before the library: size and UTF-8, then depth (a scan that only knows strings and
 * brackets, so a hostile document cannot recurse the parser). Where the library refuses, the scan is run again up to the
 * refused byte and gives the JSON pointer of the place, so that the person sees which member is meant.
 *
 * Refused on purpose though the grammar allows it: duplicate member names (two readers could see two documents) and U+0000
 * inside strings (C text would end there).
 */
#include "base/json_tree.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

struct level { bool object; size_t index; const char *key; size_t key_len; };
struct scan {
	struct level at[CTM_JSON_DEPTH];
	int depth;
	const char *str;         /* last whole string and its length */
	size_t str_len;
};

static void step_structure(struct scan *s, char c)
{
	struct level *top = s->depth ? &s->at[s->depth - 1] : NULL;
	if (c == '{' || c == '[')
		s->at[s->depth++] = (struct level){ .object = c == '{' };
	else if ((c == '}' || c == ']') && s->depth)
		s->depth--;
	else if (c == ',' && top) {
		top->index++;
		top->key = NULL;
	} else if (c == ':' && top && top->object) {
		top->key = s->str;
		top->key_len = s->str_len;
	}
}

/* Walk brackets and strings of p[0..n). Returns n, or the byte of the first bracket that is too deep. */
static size_t walk(struct scan *s, const char *p, size_t n)
{
	*s = (struct scan){ 0 };
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"') {
			size_t from = ++i;
			while (i < n && p[i] != '"')
				i += p[i] == '\\' ? 2 : 1;
			s->str = p + from;
			s->str_len = (i < n ? i : n) - from;
		} else if ((p[i] == '{' || p[i] == '[') && s->depth == CTM_JSON_DEPTH) {
			return i;
		} else {
			step_structure(s, p[i]);
		}
	}
	return n;
}

void ctm_ptr_step(char *ptr, size_t cap, const char *key, size_t n)
{
	size_t len = strlen(ptr), room = cap - 1;
	char piece[3];
	if (len + 4 >= room)
		return;
	ptr[len++] = '/';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)key[i];
		snprintf(piece, sizeof piece, "%s", c == '~' ? "~0" : c == '/' ? "~1" : "");
		if (!piece[0])
			piece[0] = c < 0x20 || c == 0x7F ? '?' : (char)c, piece[1] = 0;
		size_t k = strlen(piece);
		if (len + k + 3 > room) {
			len = ctm_utf8_span(ptr, len);             /* no half character before the dots */
			memcpy(ptr + len, "...", 4);
			return;
		}
		memcpy(ptr + len, piece, k);
		len += k;
	}
	ptr[len] = 0;
}

static void pointer_of(const struct scan *s, char *ptr, size_t cap)
{
	char num[24];
	ptr[0] = 0;
	for (int i = 0; i < s->depth; i++) {
		const struct level *l = &s->at[i];
		if (!l->object) {
			int k = snprintf(num, sizeof num, "%zu", l->index);
			ctm_ptr_step(ptr, cap, num, (size_t)k);
		} else if (l->key) {
			ctm_ptr_step(ptr, cap, l->key, l->key_len);
		}
	}
}

struct place { const char *name, *p; size_t n; };

static int fail_at(const struct place *in, size_t byte, struct ctm_err *err, const char *why)
{
	struct scan s;
	char ptr[128];
	size_t line = 1, column = 1, upto = byte < in->n ? byte : in->n;
	for (size_t i = 0; i < upto; i++) {
		column = in->p[i] == '\n' ? 1 : column + (((unsigned char)in->p[i] & 0xC0) != 0x80);
		line += in->p[i] == '\n';
	}
	walk(&s, in->p, upto);
	pointer_of(&s, ptr, sizeof ptr);
	return ctm_fail(err, CTM_E_SYNTAX, ptr, NULL, "%s line %zu column %zu (byte %zu)%s%s: %s", in->name, line, column, byte,
		ptr[0] ? " at " : "", ptr, why);
}

/* The library's complaint in our words. Its own text quotes the input and is kept only where it says more. */
static int fail_library(const struct place *in, const json_error_t *je, struct ctm_err *err)
{
	size_t byte = je->position > 0 ? (size_t)je->position - 1 : 0;   /* the library stands after what it refuses */
	switch (json_error_code(je)) {
	case json_error_out_of_memory:
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "%s", ctm_err_text(CTM_E_NOMEM));
	case json_error_premature_end_of_input:
		return fail_at(in, in->n, err, in->n ? "the document ends too early" : "the document is empty");
	case json_error_end_of_input_expected:
		return fail_at(in, byte, err, "there is something after the end of the document");
	case json_error_duplicate_key: {
		struct scan s;
		char key[64], why[128];
		walk(&s, in->p, byte < in->n ? byte : in->n);
		snprintf(key, sizeof key, "%.*s", s.str_len < 40 ? (int)s.str_len : 40, s.str ? s.str : "");
		key[ctm_utf8_span(key, strlen(key))] = 0;
		snprintf(why, sizeof why, "the member \"%s\" stands twice", key);
		return fail_at(in, byte, err, why);
	}
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return fail_at(in, byte, err, "U+0000 is not accepted in text");
	case json_error_numeric_overflow:
		return fail_at(in, byte, err, "the number is too large");
	default:
		return fail_at(in, byte, err, "not well-formed JSON here");
	}
}

int ctm_json_parse(const char *p, size_t n, size_t max, const char *name, ctm_json **out, struct ctm_err *err)
{
	struct place in = { name ? name : "JSON", p ? p : "", p ? n : 0 };
	struct scan s;
	json_error_t je = { 0 };
	if (n > max)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "%s is larger than %zu bytes", in.name, max);
	size_t good = ctm_utf8_span(in.p, in.n);
	if (good < in.n)
		return fail_at(&in, good, err, "not UTF-8");
	if (in.n >= 3 && memcmp(in.p, "\xEF\xBB\xBF", 3) == 0)
		return fail_at(&in, 0, err, "the document starts with a byte order mark; save it without one");
	const char *nul = memchr(in.p, 0, in.n);
	if (nul)
		return fail_at(&in, (size_t)(nul - in.p), err, "a NUL byte is not accepted");
	size_t deep = walk(&s, in.p, in.n);
	if (deep < in.n)
		return fail_at(&in, deep, err, "nested too deeply");
	json_t *v = json_loadb(in.p, in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!v)
		return fail_library(&in, &je, err);
	*out = ctm_tj(v);
	return 0;
}

int ctm_json_load(const char *path, size_t max, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(max);
	int rc = ctm_file_read(path, max, &b, err);
	return rc ? rc : ctm_json_parse(ctm_buf_cstr(&b), b.len, max, path, out, err);
}
