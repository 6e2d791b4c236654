/* SPDX-License-Identifier: Apache-2.0
 *
 * State awareness of a Linux unit: why it started, its metrics, heartbeats that wait out an outage in storage.
 *
 * What must survive a crash stands in the file "kept", mapped into memory, so that a fault handler need only write words. Whether the
 * process ended or the whole machine was switched off is told apart by the kernel's boot id: a start in the same boot that nobody
 * announced is unexpected, a start in another boot is "switched on".
 */
#include "agent.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 40

struct kept_file {
	struct ctm_kept kept;
	char boot_id[BOOT_ID_MAX];
};

static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
#define FAULTS (sizeof faults / sizeof faults[0])

static struct {
	struct sigaction before[FAULTS];
	struct kept_file *at;            /* mapped; NULL when it could not be */
	int64_t started_ms;
} aware;

/* Events of the security log that are counted too. */
static const struct { const char *event; uint8_t metric; } counted[] = {
	{ "login.failed", CTM_METRIC_login_failed }, { "update.refused", CTM_METRIC_update_refused }, { "config.refused", CTM_METRIC_config_refused },
};

static void read_boot_id(char out[BOOT_ID_MAX])
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, BOOT_ID_MAX - 1) : 0;

	memset(out + (n > 0 ? n : 0), 0, BOOT_ID_MAX - (size_t)(n > 0 ? n : 0));
	if (fd >= 0)
		close(fd);
}

static struct kept_file *map_kept(int dir, bool *fresh)
{
	int fd = openat(dir, "kept", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && ftruncate(fd, sizeof(struct kept_file)) == 0) {
		*fresh = st.st_size == 0;
		p = mmap(NULL, sizeof(struct kept_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* Program counter and return address as offsets into the program, the same for every unit whatever its addresses are. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	extern const char __executable_start;
	uintptr_t pc = 0, lr = 0, base = (uintptr_t)&__executable_start;
#if defined(__x86_64__)
	const ucontext_t *u = context;

	pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	const ucontext_t *u = context;

	pc = (uintptr_t)u->uc_mcontext.pc;
	lr = (uintptr_t)u->uc_mcontext.regs[30];
#endif
	if (aware.at)
		ctm_crash_mark(&aware.at->kept, sig == SIGABRT ? CTM_REBOOT_assertion : CTM_REBOOT_fault, (uint32_t)(pc > base ? pc - base : pc),
			       (uint32_t)(lr > base ? lr - base : lr), (uint32_t)((mono_ms(NULL) - aware.started_ms) / 1000));
	/* Back to whoever was asked before: a fault happens again there, an abort is raised again. */
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i] == sig)
			sigaction(sig, &aware.before[i], NULL);
	if (sig == SIGABRT)
		raise(sig);
}

static void catch_faults(void)
{
	struct sigaction on = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < FAULTS; i++)
		sigaction(faults[i], &on, &aware.before[i]);
}

/* What the machine says about this start when nobody announced it. */
static unsigned hardware(bool fresh)
{
	char now[BOOT_ID_MAX];

	read_boot_id(now);
	return fresh || !aware.at || memcmp(now, aware.at->boot_id, sizeof now) != 0 ? CTM_REBOOT_power_on : CTM_REBOOT_unknown;
}

void aware_boot(struct agent *a, bool fell_back)
{
	struct ctm_kept none = { 0 };
	struct ctm_versions version;
	struct ctm_crash crash;
	unsigned reason = CTM_REBOOT_unknown, hw;
	bool fresh = true;

	aware.at = map_kept(a->dir, &fresh);
	aware.started_ms = a->started_ms;
	hw = hardware(fresh);
	if (ctm_crash_boot(&a->port, aware.at ? &aware.at->kept : &none, fell_back ? CTM_REBOOT_rolled_back : hw, &reason, &crash))
		a->storage_trouble = true;
	if (fell_back)
		reason = CTM_REBOOT_rolled_back;
	version = (struct ctm_versions){ a->update.booted, a->update.verified, a->claimed, a->update.boots };
	ctm_state_begin(&a->state, &a->port, &version, reason, &crash);
	a->queue.port = &a->port;
	if (ctm_queue_load(&a->queue))
		a->storage_trouble = true;
	if (!aware.at)
		return;
	read_boot_id(aware.at->boot_id);
	ctm_crash_arm(&aware.at->kept, a->update.booted);
	catch_faults();
}

void aware_leaves(unsigned reason)
{
	if (aware.at)
		ctm_crash_mark(&aware.at->kept, reason, 0, 0, (uint32_t)((mono_ms(NULL) - aware.started_ms) / 1000));
}

void aware_event(struct agent *a, const char *event)
{
	for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
		if (strcmp(counted[i].event, event) == 0)
			ctm_metrics_add(&a->state.metrics, counted[i].metric, 1);
}

int aware_beat(struct agent *a)
{
	int64_t up = (mono_ms(NULL) - a->started_ms) / 1000;

	ctm_metrics_set(&a->state.metrics, CTM_METRIC_uptime_s, up > INT32_MAX ? INT32_MAX : (int32_t)up);
	ctm_metrics_set(&a->state.metrics, CTM_METRIC_log_entries, a->log.last > INT32_MAX ? INT32_MAX : (int32_t)a->log.last);
	/* What the unit finds wrong with its storage, an image that no longer verifies among it, is one of the rules' metrics. */
	if (strcmp(agent_health(a), "likely-normal") != 0)
		ctm_metrics_add(&a->state.metrics, CTM_METRIC_storage_errors, 1);
	a->state.version.boots = a->update.boots;
	a->state.version.claimed = strcmp(a->claimed, "none") ? a->claimed : "";
	return ctm_state_queue(&a->state, &a->queue);
}
