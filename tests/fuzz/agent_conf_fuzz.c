/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's configuration and the declaration it names, which a maker writes and an integrator changes: the configuration, a NUL, the
 * declaration. The configuration names the declaration as /proc/self/fd/198. Taken within the agent's limits, or refused by name.
 */
#include "agent.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONF_FD 197
#define DECLARATION_FD 198

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int fd, const uint8_t *p, size_t n)
{
	int made = memfd_create("fuzz", MFD_CLOEXEC);

	if (made < 0 || write(made, p, n) != (ssize_t)n || dup2(made, fd) < 0)
		abort();
	close(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct agent_conf c;
	struct why w = { .text = "" };
	const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
	size_t n = cut ? (size_t)(cut - data) : size;

	put(CONF_FD, data, n);
	put(DECLARATION_FD, cut ? cut + 1 : data, cut ? size - n - 1 : 0);
	if (agent_conf_load("/proc/self/fd/197", &c, &w)) {
		if (!w.text[0])
			abort();
	} else if (c.port < 1 || c.port > 65535 || c.nsettings > CTM_SETTINGS_MAX || c.min_length < 8 || !ctm_serial_ok(c.serial)) {
		abort();
	}
	close(CONF_FD);
	close(DECLARATION_FD);
	return 0;
}
