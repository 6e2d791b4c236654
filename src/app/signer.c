/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm signer: the one process that reads private keys. It listens on STATE/run/signer.sock (mode 0600), answers people of its
 * own user id only (SO_PEERCRED), one connection at a time, and signs typed statements by the rules of registry/signer_rules.h.
 *
 * Before the first request it gives up what it no longer needs: no core dumps, not readable by a debugger (PR_SET_DUMPABLE 0), and a
 * seccomp filter that leaves it its listening socket, its journal and its clock: no files opened, no program run, no network. Where
 * sanitizers are built in, a forbidden call fails instead of killing, since their runtime needs more than the program does.
 *
 * Exit: 0 told to stop, 1 keys, journal or log contradict each other, 2 misuse, 3 could not run.
 */
#include "base/cli.h"
#include "base/file.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include "registry/signer_core.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MS 5000

static const char *state_dir = "./var";
static bool no_sandbox;
static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

/* A socket file that somebody listens on means another signer; one that nobody does is left from a crash. */
static int take_place(const struct sockaddr_un *a, struct ctm_err *err)
{
	CTM_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0)
		return ctm_fail(err, CTM_E_BUSY, "state", NULL, "Another signer is running for this state directory (%s).", a->sun_path);
	if (unlink(a->sun_path) && errno != ENOENT)
		return ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be removed: %s", a->sun_path, strerror(errno));
	return 0;
}

static int open_socket(const char *dir, int *out, struct sockaddr_un *a, struct ctm_err *err)
{
	char run[4096];
	int rc;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(run, sizeof run, "%s/run", dir);
	if (snprintf(a->sun_path, sizeof a->sun_path, "%s/signer.sock", run) >= (int)sizeof a->sun_path)
		return ctm_fail(err, CTM_E_INPUT, "state", NULL, "The path of the state directory is too long for a socket; use a shorter one.");
	if ((rc = ctm_mkdirs(run, 0700, err)) || (rc = take_place(a, err)))
		return rc;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t old = umask(0177);
	int bad = fd < 0 || bind(fd, (struct sockaddr *)a, sizeof *a) || listen(fd, 64);
	int e = errno;
	umask(old);
	if (bad) {
		ctm_closep(&fd);
		return ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be opened: %s", a->sun_path, strerror(e));
	}
	*out = fd;
	return 0;
}

/* --- sandbox ------------------------------------------------------------------------------------------------------- */

static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(sched_yield),
};

static int sandbox(struct ctm_err *err)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	const uint32_t otherwise = SCMP_ACT_ERRNO(EPERM);
#else
	const uint32_t otherwise = SCMP_ACT_KILL_PROCESS;
#endif
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
		return ctm_fail(err, CTM_E_FAIL, "sandbox", NULL, "Core dumps cannot be switched off: %s", strerror(errno));
	scmp_filter_ctx c = seccomp_init(otherwise);
	int rc = c ? 0 : -ENOMEM;
	for (size_t i = 0; !rc && i < sizeof allowed / sizeof *allowed; i++)
		rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Memory is never made executable: mprotect and fcntl only in their harmless forms. */
	if (!rc)
		rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0));
	if (!rc)
		rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFL));
	if (!rc)
		rc = seccomp_load(c);
	if (c)
		seccomp_release(c);
	return rc ? ctm_fail(err, CTM_E_FAIL, "sandbox", NULL, "The sandbox cannot be closed: %s. On a kernel without seccomp use --no-sandbox.", strerror(-rc)) : 0;
}

/* --- serving ------------------------------------------------------------------------------------------------------- */

static void answer(struct ctm_signer *s, int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;
	int64_t deadline = ctm_mono_us() + REQUEST_MS * INT64_C(1000);
	CTM_AUTO_BUF in = CTM_BUF(CTM_FRAME_MAX), out = CTM_BUF(CTM_FRAME_MAX);
	CTM_AUTO_JSON *req = NULL;
	CTM_AUTO_JSON *reply = NULL;
	static const char malformed[] = "{\"error\":{\"code\":\"SYNTAX\",\"field\":\"\",\"rule\":\"op\",\"msg\":\"The request is not one JSON document.\"}}";

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) || who.uid != geteuid())
		return;
	if (ctm_frame_read(fd, &in, deadline))
		return;
	if (ctm_json_parse(ctm_buf_cstr(&in), in.len, CTM_FRAME_MAX, "request", &req, NULL)) {
		(void)!ctm_frame_write(fd, malformed, sizeof malformed - 1, deadline);
		return;
	}
	reply = ctm_signer_answer(s, req);
	if (reply && !ctm_json_compact(reply, &out))
		(void)!ctm_frame_write(fd, out.p, out.len, deadline);
}

static int serve(struct ctm_signer *s, int listen_fd)
{
	while (!stopping) {
		struct pollfd p = { listen_fd, POLLIN, 0 };
		if (poll(&p, 1, 1000) <= 0)
			continue;
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		answer(s, fd);
		close(fd);
	}
	return 0;
}

static int run(struct ctm_err *err)
{
	CTM_AUTO_SIGNER *s = NULL;
	CTM_AUTO_FD fd = -1;
	struct sockaddr_un a;
	struct sigaction sa = { .sa_handler = on_signal };
	int rc;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((rc = open_socket(state_dir, &fd, &a, err)) || (rc = ctm_signer_open(state_dir, &s, err)) || (rc = ctm_signer_warm(s, err)) ||
	    (!no_sandbox && (rc = sandbox(err)))) {
		if (fd >= 0)
			unlink(a.sun_path);
		return rc;
	}
	fprintf(stderr, "ctm signer: ready, log %s, %s\n", ctm_signer_origin(s), a.sun_path);
	rc = serve(s, fd);
	unlink(a.sun_path);
	return rc;
}

int main(int argc, char **argv)
{
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "state directory (default ./var)", &state_dir, NULL },
		{ "no-sandbox", NULL, "do not close the system-call filter (for kernels without seccomp)", NULL, &no_sandbox },
	};
	const struct ctm_cmd cmd = { "signer", "", "Hold the private keys and sign typed statements for the platform on STATE/run/signer.sock.", opts, 2, 0, 0 };
	struct ctm_err err = { 0 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err);

	if (helped)
		return 0;
	if (!rc)
		rc = run(&err);
	if (rc)
		return ctm_cli_die("signer", &err);
#ifdef __SANITIZE_ADDRESS__
	_exit(0);     /* the leak checker needs calls that the filter forbids */
#endif
	return 0;
}
