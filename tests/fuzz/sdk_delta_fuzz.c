/* SPDX-License-Identifier: Apache-2.0
 *
 * A delta from a stranger: it is not signed, so any bytes may come. First byte: context, frame and how the bytes are cut into
 * pieces; the rest follows a header that fits the device, so that the fuzzer gets to the code. Work and output are bounded by
 * the size that the manifest named, and pieces of another size give the same.
 */
#include "board.h"
#include "ctm/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOURCE 3000
#define TARGET 4000

static struct board board;
static struct ctm_update u;
static struct ctm_delta d;

static int run(uint8_t how, const uint8_t *p, size_t n, size_t piece)
{
	struct ctm_port port = board_port(&board);
	uint8_t head[CTM_DELTA_HEAD] = "CTMD\1";
	int rc;

	memset(board.slot[1], 0, sizeof board.slot[1]);
	u = (struct ctm_update){ .port = &port, .slot = 1, .size = TARGET, .image_size = SOURCE };
	head[5] = how & 1;
	head[6] = (uint8_t)(8 + (how >> 1 & 7));
	head[10] = SOURCE >> 8;
	head[11] = SOURCE & 255;
	head[14] = TARGET >> 8;
	head[15] = TARGET & 255;
	memcpy(head + 16, u.digest, CTM_HASH_BYTES);
	ctm_delta_begin(&d, &u);
	rc = ctm_delta_feed(&d, 0, head, sizeof head);
	must(rc == 0);
	for (size_t at = 0; !rc && at < n; at += piece)
		rc = ctm_delta_feed(&d, (uint32_t)(sizeof head + at), p + at, n - at < piece ? n - at : piece);
	must(u.at <= TARGET && (!ctm_delta_done(&d) || u.at == TARGET));
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[TARGET];
	uint8_t how = size ? data[0] : 0;
	int rc, again;
	size_t at;

	for (size_t i = 0; i < SOURCE; i++)
		board.slot[0][i] = (uint8_t)(i * 7 + i / 100);
	if (!size)
		return 0;
	rc = run(how, data + 1, size - 1, (size_t)1 + (how >> 4) * 17);
	at = u.at;
	memcpy(first, board.slot[1], TARGET);
	again = run(how, data + 1, size - 1, size);
	must(rc == again && at == u.at && memcmp(first, board.slot[1], at) == 0);
	return 0;
}
