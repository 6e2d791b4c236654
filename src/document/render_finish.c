/* SPDX-License-Identifier: Apache-2.0
 *
 * What the drawing library does not write: that the file is tagged, its language, and that a window shows its title. Added as an
 * incremental update (ISO 32000-1 7.5.6): the catalog once more with these entries, a cross-reference section of one object, a
 * trailer that names the one before. The bytes that were drawn stay as they are.
 */
#include "document/render_sheet.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 512
#define CATALOG_MAX 1024

/* The last place of `what` in the n bytes at p, or NULL. */
static const char *last(const char *p, size_t n, const char *what)
{
	size_t k = strlen(what);
	for (size_t i = n < k ? 0 : n - k + 1; i-- > 0;)
		if (!memcmp(p + i, what, k))
			return p + i;
	return NULL;
}

/* The number after `key` in the NUL-terminated text, or -1. */
static int64_t number_after(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	char *end;
	if (!p)
		return -1;
	p += strlen(key);
	long long v = strtoll(p, &end, 10);
	return end == p ? -1 : v;
}

/* The inside of the catalog's dictionary, as it was written; false when the file is not of the shape we draw. */
static bool catalog_of(const char *pdf, size_t n, int64_t root, char inside[CATALOG_MAX])
{
	char head[32];
	int k = snprintf(head, sizeof head, "\n%" PRId64 " 0 obj\n<<", root);
	const char *at = last(pdf, n, head);
	const char *end = at ? memmem(at, n - (size_t)(at - pdf), "endobj", 6) : NULL;
	const char *close = end ? last(at, (size_t)(end - at), ">>") : NULL;
	at = at ? at + k : NULL;
	if (!close || close <= at || close - at >= CATALOG_MAX)
		return false;
	memcpy(inside, at, (size_t)(close - at));
	inside[close - at] = '\0';
	return true;
}

int ctm_pdf_finish(struct ctm_buf *out, size_t start, const char *language)
{
	char tail[TAIL + 1], inside[CATALOG_MAX];
	const char *pdf = out->p + start;
	size_t n = out->failed || out->len < start ? 0 : out->len - start, k = n < TAIL ? n : TAIL;
	memcpy(tail, n ? pdf + n - k : "", k);
	tail[k] = '\0';
	int64_t root = number_after(tail, "/Root "), size = number_after(tail, "/Size "), info = number_after(tail, "/Info "), prev = number_after(tail, "startxref\n");
	if (root < 1 || size < 2 || info < 1 || prev < 1 || !catalog_of(pdf, n, root, inside))
		return CTM_E_IO;
	ctm_buf_printf(out, "%" PRId64 " 0 obj\n<<%s%s   /Lang (%s)\n   /ViewerPreferences << /DisplayDocTitle true >>\n>>\nendobj\n", root, inside,
		strstr(inside, "/MarkInfo") ? "" : "   /MarkInfo << /Marked true >>\n", language);
	size_t xref = out->len - start;
	ctm_buf_printf(out, "xref\n%" PRId64 " 1\n%010zu 00000 n \ntrailer\n<< /Size %" PRId64 " /Root %" PRId64 " 0 R /Info %" PRId64 " 0 R /Prev %" PRId64 " >>\nstartxref\n%zu\n%%%%EOF\n",
		root, n, size, root, info, prev, xref);
	return out->failed;
}
