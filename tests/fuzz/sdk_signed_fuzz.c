/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device reads after a signature has verified, as if it had: director statement, configuration, reset. What is taken is
 * within its limits, and a statement of one target is written again as it was.
 */
#include "board.h"
#include "ctm/director.h"
#include "ctm/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = { "low", "high" };
static const struct ctm_setting schema[] = {
	{ .name = "live", .type = CTM_SET_BOOL, .first = { 1, "" }, .writers = CTM_WRITER_PLATFORM },
	{ .name = "days", .type = CTM_SET_INT, .min = -5, .max = 30, .writers = CTM_WRITER_PLATFORM },
	{ .name = "name", .type = CTM_SET_TEXT, .min = 1, .max = 8, .first = { 0, "door" }, .writers = CTM_WRITER_PLATFORM },
	{ .name = "mode", .type = CTM_SET_ENUM, .values = words, .nvalues = 2, .writers = CTM_WRITER_PLATFORM },
};

static void direction(const uint8_t *p, size_t n)
{
	uint8_t again[CTM_DIRECTOR_MAX];
	struct ctm_direction s;
	size_t len = 0;

	if (n > CTM_DIRECTOR_MAX || ctm_direction_decode(p, n, "device", &s))
		return;
	must(s.counter && s.not_after_s > 0 && s.device.n && (!s.target.n || s.size));
	/* Other components' targets are not kept, so only a statement without them comes back the same. */
	must(ctm_direction_encode(&s, "device", again, sizeof again, &len) == 0 && len <= n);
	must(len != n || memcmp(again, p, n) == 0);
}

static void settings(struct ctm_bytes list)
{
	struct ctm_config c = { .schema = schema, .n = 4 };
	struct ctm_cbor_r r = ctm_cbor_reader(list.p, list.n);
	struct ctm_value v;

	for (size_t items = ctm_cbor_array(&r); items > 1 && !r.err; items -= 2) {
		int at = ctm_config_read(&c, &r, &v);

		must(at < 4 && (at < 0 || ctm_config_check(&schema[at], &v) == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctm_remote_doc doc;

	direction(data, size);
	if (ctm_remote_decode(data, size, false, &doc) == 0)
		settings(doc.settings);
	if (ctm_remote_decode(data, size, true, &doc) == 0)
		must(!doc.settings.n && doc.number);
	return 0;
}
