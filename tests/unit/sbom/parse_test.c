/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-parse as a program: summary on standard output, refusals with exit 1 and a pointer, misuse with 2; and the sandbox,
 * looked at in /proc while the program waits for its input: a seccomp filter, no new privileges, one input and no other files.
 */
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char front[4200], parse[4200];
#define GOOD "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"type\":\"library\",\"name\":\"a\"}]}"

static int run(const char *const *argv, const char *in, size_t n, struct ctm_buf *out, struct ctm_buf *errout)
{
	struct ctm_err err = { 0 };
	struct ctm_proc p = { .argv = argv, .in = in, .in_len = n, .timeout_ms = 30000 };
	int status = -1;
	*out = CTM_BUF(1 << 20);
	*errout = CTM_BUF(8192);
	if (ctm_proc_run(&p, out, errout, &status, &err))
		fail_msg("%s: %s", argv[0], err.msg);
	return status;
}

static void both_names_read_the_same(void **state)
{
	const char *const direct[] = { parse, "sbom", "-", NULL }, *const words[] = { front, "sbom", "read", "-", NULL };
	struct ctm_buf a, b, e;
	assert_int_equal(run(direct, GOOD, strlen(GOOD), &a, &e), 0);
	ctm_buf_free(&e);
	assert_int_equal(run(words, GOOD, strlen(GOOD), &b, &e), 0);
	ctm_buf_free(&e);
	assert_string_equal(ctm_buf_cstr(&a), ctm_buf_cstr(&b));
	CTM_AUTO_JSON *v = NULL;
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_json_parse(a.p, a.len, 1 << 20, "out", &v, &err), 0);
	assert_string_equal(ctm_json_gets(v, "format"), "CycloneDX");
	ctm_buf_free(&a);
	ctm_buf_free(&b);
}

static void refusals_are_exit_one_with_a_pointer(void **state)
{
	static const char *const bad[][2] = { { "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"name\":\"a\"}]}", "/components/0" }, { "", "" }, { "{\"a\":1,\"a\":2}", "\"a\"" } };
	const char *const argv[] = { parse, "sbom", "-", NULL };
	for (size_t i = 0; i < 3; i++) {
		struct ctm_buf out, e;
		assert_int_equal(run(argv, bad[i][0], strlen(bad[i][0]), &out, &e), 1);
		assert_int_equal(out.len, 0);
		assert_non_null(strstr(ctm_buf_cstr(&e), bad[i][1]));
		ctm_buf_free(&out);
		ctm_buf_free(&e);
	}
}

static void misuse_and_missing_files(void **state)
{
	const char *const two[] = { parse, "sbom", "a", "b", NULL }, *const none[] = { parse, "sbom", "/nonexistent/x", NULL };
	struct ctm_buf out, e;
	assert_int_equal(run(two, "", 0, &out, &e), 2);
	ctm_buf_free(&out);
	ctm_buf_free(&e);
	assert_int_equal(run(none, "", 0, &out, &e), 1);
	assert_non_null(strstr(ctm_buf_cstr(&e), "/nonexistent/x"));
	ctm_buf_free(&out);
	ctm_buf_free(&e);
}

static void a_document_over_the_limit_is_refused(void **state)
{
	const char *const argv[] = { parse, "sbom", "-", NULL };
	size_t n = (16u << 20) + 2;
	char *big = malloc(n);
	struct ctm_buf out, e;
	assert_non_null(big);
	memset(big, ' ', n);
	assert_int_equal(run(argv, big, n, &out, &e), 1);
	assert_non_null(strstr(ctm_buf_cstr(&e), "16 MiB"));
	free(big);
	ctm_buf_free(&out);
	ctm_buf_free(&e);
}

/* The sandbox must let a large honest document through: sorting and growing ask the kernel for more than small ones do. */
static void a_large_document_is_read_inside_the_sandbox(void **state)
{
	const char *const argv[] = { parse, "sbom", "-", NULL };
	CTM_AUTO_BUF doc = CTM_BUF(16u << 20);
	struct ctm_err err = { 0 };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 60000 };
	CTM_AUTO_BUF out = CTM_BUF(32u << 20), e = CTM_BUF(8192);
	int status = -1;
	ctm_buf_str(&doc, "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[");
	for (int i = 0; i < 25000; i++)
		ctm_buf_printf(&doc, "%s{\"type\":\"library\",\"bom-ref\":\"r%d\",\"name\":\"n%d\",\"version\":\"1.%d\",\"purl\":\"pkg:generic/n%d@1.%d\"}", i ? "," : "", i, i, i, i, i);
	ctm_buf_str(&doc, "]}");
	assert_int_equal(doc.failed, 0);
	p.in = doc.p;
	p.in_len = doc.len;
	assert_int_equal(ctm_proc_run(&p, &out, &e, &status, &err), 0);
	assert_int_equal(status, 0);
	assert_non_null(strstr(ctm_buf_cstr(&out), "\"components\": 25000"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "the list is cut"));
}

/* Text of a file in /proc. */
static void proc_text(pid_t pid, const char *name, struct ctm_buf *out)
{
	char path[64], block[4096];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	FILE *f = fopen(path, "r");
	*out = CTM_BUF(65536);
	if (!f)
		return;
	for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
		ctm_buf_add(out, block, n);
	fclose(f);
}

static void it_is_locked_in_before_it_reads(void **state)
{
	int in[2];
	struct ctm_buf status = { 0 }, limits;
	bool locked = false;
	assert_int_equal(pipe(in), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		close(in[0]);
		close(in[1]);
		execl(parse, parse, "sbom", "-", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	for (int i = 0; i < 500 && !locked; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		ctm_buf_free(&status);
		proc_text(pid, "status", &status);
		locked = strstr(ctm_buf_cstr(&status), "Seccomp:\t2") != NULL;
	}
	proc_text(pid, "limits", &limits);
	bool privileges = strstr(ctm_buf_cstr(&status), "NoNewPrivs:\t1") != NULL;
	const char *files = strstr(ctm_buf_cstr(&limits), "Max open files");
	long most = files ? strtol(files + 14, NULL, 10) : -1;
	close(in[1]);
	int code = 0;
	waitpid(pid, &code, 0);
	ctm_buf_free(&status);
	ctm_buf_free(&limits);
	assert_true(locked);
	assert_true(privileges);
	assert_int_equal(most, 4);
	assert_true(WIFEXITED(code));
	assert_int_equal(WEXITSTATUS(code), 1);    /* nothing came: no document */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_names_read_the_same), cmocka_unit_test(refusals_are_exit_one_with_a_pointer), cmocka_unit_test(misuse_and_missing_files),
		cmocka_unit_test(a_document_over_the_limit_is_refused), cmocka_unit_test(it_is_locked_in_before_it_reads), cmocka_unit_test(a_large_document_is_read_inside_the_sandbox),
	};
	if (argc < 2)
		return 2;
	snprintf(front, sizeof front, "%s/ctm", argv[1]);
	snprintf(parse, sizeof parse, "%s/ctm-parse", argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
