/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper programs. Started with posix_spawn (safe beside threads), in their own process group, with nothing open but the
 * three standard descriptors. Input is a sealed memory file, so there is no pipe to fill and no SIGPIPE; a pidfd joins the
 * poll, so a child that hands its output to a grandchild cannot hold the caller: what is in the pipes when the child ends
 * is taken, and the whole group is killed.
 */
#include "base/proc.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENV_MAX 64

struct run {
	pid_t pid;
	int in, pidfd;
	int out[2], errs[2];     /* pipes: [0] ours, [1] the child's */
};

static void close_run(struct run *r)
{
	ctm_closep(&r->in);
	ctm_closep(&r->pidfd);
	for (int i = 0; i < 2; i++) {
		ctm_closep(&r->out[i]);
		ctm_closep(&r->errs[i]);
	}
}

/* Descriptors 0 to 2 must stay free for the child, even where the caller runs with them closed. */
static int above_std(int fd)
{
	if (fd < 0 || fd > 2)
		return fd;
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	return up;
}

static bool open_pipe(int p[2])
{
	if (pipe2(p, O_CLOEXEC))
		return false;
	p[0] = above_std(p[0]);
	p[1] = above_std(p[1]);
	return p[0] >= 0 && p[1] >= 0 && fcntl(p[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool open_input(const struct ctm_proc *p, int *fd)
{
	*fd = above_std(p->in ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (*fd < 0 || !p->in)
		return *fd >= 0;
	return ctm_fd_write(*fd, p->in, p->in_len) == 0 && lseek(*fd, 0, SEEK_SET) == 0;
}

/* The child's environment: borrowed strings, `made` holds the ones built here. */
static void environment(const struct ctm_proc *p, const char *envp[ENV_MAX], char made[4][4200])
{
	static const char *const keep[] = { "PATH", "LANG", "TZ",
#ifdef CTM_MOVABLE_TIME
		"CTM_TIME_SHIFT_MS",               /* helpers share the moved clock */
#endif
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
		const char *v = getenv(keep[i]);
		if (!v && i == 0)
			v = "/usr/local/bin:/usr/bin:/bin";
		if (v && snprintf(made[i], sizeof made[i], "%s=%s", keep[i], v) < (int)sizeof made[i])
			envp[n++] = made[i];
	}
	for (size_t i = 0; p->env && p->env[i] && n < ENV_MAX - 1; i++)
		envp[n++] = p->env[i];
	envp[n] = NULL;
}

static int spawn(const struct ctm_proc *p, struct run *r)
{
	const char *envp[ENV_MAX];
	char made[4][4200];
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, usual;
	environment(p, envp, made);
	sigemptyset(&none);
	sigfillset(&usual);
	if (posix_spawn_file_actions_init(&fa))
		return ENOMEM;
	if (posix_spawnattr_init(&at)) {
		posix_spawn_file_actions_destroy(&fa);
		return ENOMEM;
	}
	int e = posix_spawn_file_actions_adddup2(&fa, r->in, 0);
	e = e ? e : posix_spawn_file_actions_adddup2(&fa, r->out[1], 1);
	e = e ? e : posix_spawn_file_actions_adddup2(&fa, r->errs[1], 2);
	e = e ? e : posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (p->cwd)
		e = e ? e : posix_spawn_file_actions_addchdir_np(&fa, p->cwd);
	e = e ? e : posix_spawnattr_setsigmask(&at, &none);
	e = e ? e : posix_spawnattr_setsigdefault(&at, &usual);
	e = e ? e : posix_spawnattr_setpgroup(&at, 0);
	e = e ? e : posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!e) {
		/* The POSIX prototype lacks const; the vectors are only read. */
		e = posix_spawnp(&r->pid, p->argv[0], &fa, &at, (char *const *)(uintptr_t)p->argv, (char *const *)(uintptr_t)envp);
	}
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	return e;
}

/* Take what is there. false at the end of the stream. `cut` drops what does not fit instead of failing the buffer. */
static bool drain(int fd, struct ctm_buf *to, bool cut, const struct ctm_proc *hearer)
{
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		size_t take = (size_t)n;
		if (hearer && hearer->heard)
			hearer->heard(hearer->arg, chunk, take);
		if (to && cut && take > to->max - to->len)
			take = to->max - to->len;
		if (to)
			ctm_buf_add(to, chunk, take);
		if (to && !cut && to->failed)
			return true;
	}
}

/* Until the child ends. 0, TIMEOUT, or the failure of `out`. */
static int pump(const struct ctm_proc *p, struct run *r, struct ctm_buf *out, struct ctm_buf *errout)
{
	int64_t until = ctm_mono_us() + (int64_t)p->timeout_ms * 1000;
	struct pollfd fds[3] = { { r->out[0], POLLIN, 0 }, { r->errs[0], POLLIN, 0 }, { r->pidfd, POLLIN, 0 } };
	for (;;) {
		int64_t left = (until - ctm_mono_us() + 999) / 1000;
		if (left <= 0)
			return CTM_E_TIMEOUT;
		if (poll(fds, 3, (int)left) < 0 && errno != EINTR)
			return CTM_E_IO;
		bool ended = fds[2].revents != 0;
		if (fds[0].fd >= 0 && (fds[0].revents || ended) && !drain(fds[0].fd, out, false, NULL))
			fds[0].fd = -1;
		if (fds[1].fd >= 0 && (fds[1].revents || ended) && !drain(fds[1].fd, errout, true, p))
			fds[1].fd = -1;
		if (out->failed)
			return out->failed;
		if (ended)
			return 0;
	}
}

static int reap(struct run *r)
{
	int st = 0;
	kill(-r->pid, SIGKILL);                /* what is left of the group, or all of it after a failure */
	while (waitpid(r->pid, &st, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

int ctm_proc_run(const struct ctm_proc *p, struct ctm_buf *out, struct ctm_buf *errout, int *status, struct ctm_err *err)
{
	struct run r = { .pid = -1, .in = -1, .pidfd = -1, .out = { -1, -1 }, .errs = { -1, -1 } };
	const char *name = p->argv[0];
	if (!open_input(p, &r.in) || !open_pipe(r.out) || !open_pipe(r.errs)) {
		int e = errno;
		close_run(&r);
		return ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be started: %s", name, strerror(e));
	}
	int e = spawn(p, &r);
	if (e) {
		close_run(&r);
		if (e == ENOENT)
			return ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the program %s is not there", name);
		return ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be started: %s", name, strerror(e));
	}
	ctm_closep(&r.out[1]);
	ctm_closep(&r.errs[1]);
	r.pidfd = pidfd_open(r.pid, 0);
	int rc = r.pidfd < 0 ? CTM_E_IO : pump(p, &r, out, errout);
	int st = reap(&r);
	close_run(&r);
	if (rc == CTM_E_TIMEOUT)
		return ctm_fail(err, rc, name, NULL, "%s did not end within %d ms and was stopped", name, p->timeout_ms);
	if (rc == CTM_E_TOOBIG)
		return ctm_fail(err, rc, name, NULL, "the output of %s is larger than %zu bytes", name, out->max);
	if (rc)
		return ctm_fail(err, rc, name, NULL, "%s could not be watched: %s", name, ctm_err_text(rc));
	*status = st;
	return 0;
}

int ctm_self_dir(char *out, size_t cap)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0)
		return CTM_E_IO;
	self[n] = 0;
	char *slash = strrchr(self, '/');
	if (!slash || (size_t)(slash - self) >= cap)
		return CTM_E_IO;
	*slash = 0;
	return ctm_copy(out, cap, self) ? 0 : CTM_E_IO;
}

int ctm_sibling(const char *name, char *out, size_t cap, struct ctm_err *err)
{
	static const char *const where[] = { "", "/../libexec/ctm" };
	char dir[4096], path[4300];
	if (!ctm_path_safe(name) || strchr(name, '/') || ctm_self_dir(dir, sizeof dir))
		return ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the program %s cannot be looked for", name);
	for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
		if (snprintf(path, sizeof path, "%s%s/%s", dir, where[i], name) >= (int)sizeof path)
			continue;
		if (access(path, X_OK) == 0 && ctm_copy(out, cap, path))
			return 0;
	}
	return ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the program %s is not beside this one; build or install it first", name);
}
