/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm update delta OLD NEW --out FILE: a delta (ctm.delta/1) from one image to the next. Before the file is written the delta is
 * applied by the device's own code, in small pieces, on a board made of memory; what does not give the new image to the byte is
 * never handed out.
 */
#include "app/update.h"
#include "app/delta_make.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "ctm/delta.h"
#include "ctm/openssl.h"
#include <stdlib.h>
#include <string.h>

static const char *out_path, *frame_text, *context_text;

const struct ctm_opt update_delta_opts[] = {
	{ "out", "F.ctmd", "Where the delta goes.", &out_path, NULL },
	{ "frame", "BYTES", "Power of two from 256: a download that was cut short goes on at a multiple of it (default: by size).", &frame_text, NULL },
	{ "context", "0|1", "0 for devices that have only room for the small model (default 1).", &context_text, NULL },
};
const size_t update_delta_nopts = sizeof update_delta_opts / sizeof update_delta_opts[0];

/* The board: slot 0 runs the old image, slot 1 takes the new one. */
struct board {
	const struct ctm_buf *old;
	uint8_t *next;
};

static int slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	const struct board *b = ctx;
	size_t left = slot || at > b->old->len ? cap : b->old->len - at;
	*got = left < cap ? left : cap;
	memcpy(p, (slot ? b->next : (const uint8_t *)b->old->p) + at, *got);
	return 0;
}

static int slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	memcpy(((struct board *)ctx)->next + at, p, n);
	return 0;
}

static int slot_sync(void *ctx, int slot)
{
	return 0;
}

static int record_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	return CTM_SDK_NONE;
}

static int record_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	return 0;
}

static int applies(const struct ctm_buf *old, const struct ctm_buf *next, const struct ctm_buf *delta, struct ctm_err *err)
{
	struct board b = { old, malloc(next->len + CTM_SLOT_CHUNK) };
	struct ctm_port port = { .ctx = &b, .crypto = ctm_openssl_crypto(), .read = record_read, .write = record_write,
		.slot_read = slot_read, .slot_write = slot_write, .slot_sync = slot_sync };
	struct ctm_update *u = calloc(1, sizeof *u);
	struct ctm_delta *d = malloc(sizeof *d);
	int rc = b.next && u && d ? 0 : CTM_SDK_FAIL;
	if (!rc) {
		*u = (struct ctm_update){ .port = &port, .slot = 1, .size = next->len, .image_size = old->len };
		rc = ctm_sdk_sha256(port.crypto, old->p, old->len, u->digest);
		ctm_delta_begin(d, u);
	}
	for (size_t at = 0; !rc && at < delta->len; at += 7)
		rc = ctm_delta_feed(d, (uint32_t)at, (const uint8_t *)delta->p + at, delta->len - at < 7 ? delta->len - at : 7);
	if (!rc && (!ctm_delta_done(d) || u->at != next->len || memcmp(b.next, next->p, next->len) != 0))
		rc = CTM_SDK_VERIFY;
	free(b.next);
	free(u);
	free(d);
	return rc ? ctm_fail(err, CTM_E_FAIL, NULL, NULL, "the delta does not give the new image (%s); use the full image", ctm_sdk_text(rc)) : 0;
}

static int options(unsigned *frame_log2, unsigned *context, struct ctm_err *err)
{
	int64_t v;
	*frame_log2 = 0;
	*context = 1;
	if (!out_path)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --out is needed");
	if (frame_text) {
		if (ctm_parse_i64(frame_text, 256, 1 << 24, &v) || (v & (v - 1)))
			return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "--frame is a power of two from 256 to 16777216");
		while (((int64_t)1 << *frame_log2) < v)
			++*frame_log2;
	}
	if (context_text) {
		if (ctm_parse_i64(context_text, 0, 1, &v))
			return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "--context is 0 or 1");
		*context = (unsigned)v;
	}
	return 0;
}

int update_delta(const char **args, struct ctm_err *err)
{
	CTM_AUTO_BUF old = { 0 }, next = { 0 }, delta = CTM_BUF(2 * CTM_IMAGE_MAX);
	unsigned frame_log2, context;
	int rc = options(&frame_log2, &context, err);
	if (!rc)
		rc = ctm_file_read(args[0], CTM_IMAGE_MAX, &old, err);
	if (!rc)
		rc = ctm_file_read(args[1], CTM_IMAGE_MAX, &next, err);
	if (!rc)
		rc = ctm_delta_make(ctm_openssl_crypto(), (const uint8_t *)old.p, old.len, (const uint8_t *)next.p, next.len, frame_log2, context, &delta, err);
	if (!rc)
		rc = applies(&old, &next, &delta, err);
	if (!rc)
		rc = ctm_file_write(out_path, delta.p, delta.len, 0644, err);
	if (!rc)
		printf("%s: %zu bytes instead of %zu (%.1f %%), checked by applying it\n", out_path, delta.len, next.len,
			100.0 * (double)delta.len / (double)next.len);
	return rc;
}
