/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-parse: the sandboxed reader of files from outside. One document in, one summary as JSON out.
 *
 * The input is opened first; then, before its first byte is read, the process gives everything else away: no new
 * privileges, limits on processor time, memory, open files and written bytes, and an allow-list of system calls that has neither open
 * nor socket nor exec nor fork in it. A reader that is taken over can write its answer and end.
 */
#include "base/cli.h"
#include "base/text.h"
#include "sbom/cyclonedx.h"
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CPU_SECONDS 20
#define MEMORY_BYTES ((rlim_t)1 << 30)
#define OUTPUT_BYTES ((rlim_t)64 << 20)

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker stops all threads with ptrace, which the sandbox forbids. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int limit(int what, rlim_t value, const char *name, struct ctm_err *err)
{
	struct rlimit r = { value, value };
	return setrlimit(what, &r) ? ctm_fail(err, CTM_E_FAIL, name, NULL, "the sandbox cannot be set up: %s", strerror(errno)) : 0;
}

static int allow_list(struct ctm_err *err)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
		SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
		SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime),
		SCMP_SYS(sysinfo),      /* qsort asks how much memory there is before it sorts more than a page */
#if defined(__SANITIZE_ADDRESS__)
		SCMP_SYS(mprotect), SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sched_yield),
#endif
	};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = f ? 0 : -ENOMEM;
	for (size_t i = 0; !rc && i < sizeof calls / sizeof *calls; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	if (!rc)
		rc = seccomp_load(f);
	seccomp_release(f);
	return rc ? ctm_fail(err, CTM_E_FAIL, "seccomp", NULL, "the sandbox cannot be set up: %s", strerror(-rc)) : 0;
}

static int lock_in(struct ctm_err *err)
{
	int rc;
	ctm_json_free(ctm_json_obj());       /* the JSON library takes its hash seed from the kernel at the first object */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return ctm_fail(err, CTM_E_FAIL, "prctl", NULL, "the sandbox cannot be set up: %s", strerror(errno));
	if ((rc = limit(RLIMIT_CPU, CPU_SECONDS, "cpu", err)) || (rc = limit(RLIMIT_FSIZE, OUTPUT_BYTES, "fsize", err)) ||
		(rc = limit(RLIMIT_NOFILE, 4, "nofile", err)) || (rc = limit(RLIMIT_CORE, 0, "core", err)))
		return rc;
#if !defined(__SANITIZE_ADDRESS__)      /* the sanitizer maps terabytes of shadow */
	if ((rc = limit(RLIMIT_AS, MEMORY_BYTES, "memory", err)))
		return rc;
#endif
	return allow_list(err);
}

static int read_all(int fd, struct ctm_buf *out, struct ctm_err *err)
{
	char block[65536];
	for (;;) {
		ssize_t n = read(fd, block, sizeof block);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ctm_fail(err, CTM_E_IO, "input", NULL, "the input cannot be read: %s", strerror(errno));
		if (n == 0)
			return ctm_buf_err(out, "input", err);
		ctm_buf_add(out, block, (size_t)n);
		if (out->failed)
			return ctm_fail(err, out->failed, "input", NULL, "the document is larger than %u MiB", CTM_SBOM_MAX >> 20);
	}
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return 3;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int sbom(const char *path)
{
	static const char *const cmd = "sbom read";
	struct ctm_err err = { 0 };
	CTM_AUTO_BUF in = CTM_BUF(CTM_SBOM_MAX), out = CTM_BUF(OUTPUT_BYTES);
	CTM_AUTO_JSON *summary = NULL;
	int fd = STDIN_FILENO;
	if (strcmp(path, "-") != 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		ctm_fail(&err, errno == ENOENT ? CTM_E_NOTFOUND : CTM_E_IO, path, NULL, "cannot be opened: %s", strerror(errno));
		return ctm_cli_die(cmd, &err);
	}
	if (lock_in(&err) || read_all(fd, &in, &err) || ctm_cyclonedx_read(ctm_buf_cstr(&in), in.len, strcmp(path, "-") ? path : "sbom", &summary, &err))
		return ctm_cli_die(cmd, &err);
	if (ctm_json_pretty(summary, &out) || ctm_buf_err(&out, "summary", &err)) {
		ctm_fail(&err, CTM_E_TOOBIG, "summary", NULL, "the summary is too large");
		return ctm_cli_die(cmd, &err);
	}
	return write_all(STDOUT_FILENO, out.p, out.len);
}

/* Reached as "ctm-parse sbom [read] [FILE|-]" and, by the front, as "ctm sbom read FILE". */
int main(int argc, char **argv)
{
	static const struct ctm_cmd cmd = { .name = "sbom read", .args = "[FILE]", .max_args = 1,
		.help = "Read a software bill of materials (CycloneDX JSON 1.4 to 1.6) in a sandbox and print its summary as JSON. FILE - is standard input." };
	struct ctm_err err = { 0 };
	const char *args[1] = { "-" };
	bool helped = false;
	int n = 0;
	for (const char *skip[] = { "sbom", "read" }, **s = skip; s < skip + 2; s++)
		if (argc > 1 && ctm_streq(argv[1], *s)) {
			argv[1] = argv[0];
			argv++;
			argc--;
		}
	if (ctm_cli_parse(&cmd, argc, argv, args, &n, &helped, &err))
		return ctm_cli_die(cmd.name, &err);
	return helped ? 0 : sbom(args[0]);
}
