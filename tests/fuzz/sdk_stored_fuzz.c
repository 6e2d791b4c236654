/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device finds in its own storage after anything may have happened to it. First byte: which record; then either its
 * two copies as they lie there (second byte the length of the first in 8 bytes), or whole contents under a good digest. Nothing
 * breaks, what is in force is within its limits, and storing works afterwards.
 */
#include "board.h"
#include "ctm/remote.h"
#include "ctm/renew.h"
#include "ctm/sealed.h"
#include "ctm/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "config", "config.trial", "boot", "progress", "director", "remote", "time", "sealed", "identity", "log.00" };
static const char *const words[] = { "low", "high" };
static const struct ctm_setting schema[] = {
	{ .name = "live", .type = CTM_SET_BOOL, .first = { 1, "" } },
	{ .name = "days", .type = CTM_SET_INT, .min = -5, .max = 30 },
	{ .name = "name", .type = CTM_SET_TEXT, .min = 1, .max = 8, .first = { 0, "door" }, .secure = { 0, "door" } },
	{ .name = "mode", .type = CTM_SET_ENUM, .values = words, .nvalues = 2 },
};

static struct board board;

static void config(const struct ctm_port *port)
{
	struct ctm_config c = { .port = port, .schema = schema, .n = 4 };

	must(ctm_config_load(&c) == 0);
	for (int i = 0; i < 4; i++)
		must(ctm_config_check(&schema[i], &c.value[i]) == 0);
	must(ctm_config_reset(&c) == 0 && ctm_config_load(&c) == 0 && c.value[0].i == 0 && !c.on_trial);
}

static void load_all(const struct ctm_port *port)
{
	static struct ctm_update u;
	struct ctm_timefloor time = { .port = port, .build_s = 5 };
	struct ctm_director director = { .port = port, .time = &time };
	struct ctm_remote remote = { .port = port };
	struct ctm_sealed sealed = { .port = port };
	struct ctm_log log = { .port = port };
	struct ctm_bytes key, cert;
	uint8_t buf[256];

	u.port = port;
	if (ctm_update_load(&u) == 0)
		must(u.active < CTM_SLOTS && u.trials_left <= CTM_TRIALS && u.state[0] <= CTM_SLOT_TRIAL);
	must(ctm_timefloor_load(&time) == 0 && time.floor_s >= 5);
	(void)ctm_director_load(&director);
	(void)ctm_remote_load(&remote);
	(void)ctm_sealed_load(&sealed);
	if (ctm_log_load(&log) == 0 && ctm_log_add(&log, "fuzz", "entry") == 0)
		must(log.last >= 1);
	if (ctm_renew_load(port, buf, sizeof buf, &key, &cert) == 0)
		must(key.n + cert.n + 2 <= sizeof buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctm_port port = board_port(&board);
	const char *name;
	char copy[CTM_NAME_MAX + 3];
	uint8_t got[CTM_RECORD_MAX];
	size_t n, k;

	if (size < 2 || size - 2 > CTM_RECORD_MAX)
		return 0;
	memset(&board, 0, sizeof board);
	name = names[(data[0] & 127) % (sizeof names / sizeof names[0])];
	if (data[0] & 128) {
		n = size - 2;
		k = (size_t)data[1] * 8 < n ? (size_t)data[1] * 8 : n;
		for (int i = 0; i < 2; i++) {
			struct ctm_bytes part = { i ? data + 2 + k : data + 2, i ? n - k : k };

			snprintf(copy, sizeof copy, "%s.%d", name, i);
			must(port.write(port.ctx, copy, &part, 1) == 0);
		}
		if (ctm_record_load(&port, name, got, sizeof got, &k) == 0)
			must(k <= n);
	} else {
		must(ctm_record_store(&port, name, data + 2, size - 2) == 0);
		must(ctm_record_load(&port, name, got, sizeof got, &k) == 0 && k == size - 2 && memcmp(got, data + 2, k) == 0);
	}
	load_all(&port);
	config(&port);
	must(ctm_record_store(&port, name, "new", 3) == 0 && ctm_record_load(&port, name, got, sizeof got, &k) == 0 && k == 3);
	return 0;
}
