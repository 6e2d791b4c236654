/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer's client against a peer on a real socket that answers well, refuses, answers nonsense, breaks off or is silent.
 */
#include "../base/harness.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

struct peer { int listener; const char *answer; size_t n; bool framed; };

static void *serve_one(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	CTM_AUTO_BUF b = CTM_BUF(CTM_FRAME_MAX);
	if (ctm_frame_read(fd, &b, ctm_mono_us() + 5000000) == 0 && p->answer) {
		if (p->framed)
			(void)!ctm_frame_write(fd, p->answer, p->n, ctm_mono_us() + 5000000);
		else
			(void)!send(fd, p->answer, p->n, MSG_NOSIGNAL);
	} else if (!p->answer) {
		usleep(400000);
	}
	close(fd);
	return NULL;
}

static int call(const char *dir, const char *answer, size_t n, bool framed, ctm_json **reply, struct ctm_err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct peer p = { socket(AF_UNIX, SOCK_STREAM, 0), answer, n, framed };
	pthread_t t;
	snprintf(a.sun_path, sizeof a.sun_path, "%s/s", dir);
	unlink(a.sun_path);
	assert_int_equal(bind(p.listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(p.listener, 1), 0);
	assert_int_equal(pthread_create(&t, NULL, serve_one, &p), 0);
	CTM_AUTO_JSON *q = ctm_json_obj();
	assert_int_equal(ctm_json_sets(q, "op", "keys"), 0);
	int rc = ctm_signer_call(a.sun_path, q, answer ? 5000 : 100, reply, err);
	pthread_join(t, NULL);
	close(p.listener);
	return rc;
}

static void answers_and_refusals_come_through(void **state)
{
	static const char good[] = "{\"ca\":\"PEM\"}", no[] = "{\"error\":{\"code\":\"GUARD\",\"field\":\"decision\",\"rule\":\"R\",\"msg\":\"no\"}}";
	CTM_AUTO_JSON *r = NULL;
	struct ctm_err e = { 0 };
	assert_int_equal(call(*state, good, sizeof good - 1, true, &r, NULL), 0);
	assert_string_equal(ctm_json_gets(r, "ca"), "PEM");
	CTM_AUTO_JSON *none = NULL;
	assert_int_equal(call(*state, no, sizeof no - 1, true, &none, &e), CTM_E_GUARD);
	assert_string_equal(e.field, "decision");
	assert_string_equal(e.rule, "R");
	assert_string_equal(e.msg, "no");
	assert_null(none);
}

static void a_broken_peer_is_told(void **state)
{
	static const char empty_error[] = "{\"error\":{}}";
	ctm_json *r = NULL;
	assert_int_equal(call(*state, "not json", 8, true, &r, NULL), CTM_E_SYNTAX);
	assert_int_equal(call(*state, empty_error, sizeof empty_error - 1, true, &r, NULL), CTM_E_FAIL);
	assert_int_equal(call(*state, "\0\0", 2, false, &r, NULL), CTM_E_IO);
	assert_int_equal(call(*state, "\0\0\0\x05" "ab", 6, false, &r, NULL), CTM_E_IO);
	assert_int_equal(call(*state, "\x7F\0\0\0", 4, false, &r, NULL), CTM_E_TOOBIG);
	assert_int_equal(call(*state, NULL, 0, false, &r, NULL), CTM_E_TIMEOUT);
	assert_null(r);
}

static void an_absent_signer_is_one_sentence(void **state)
{
	char path[200], long_path[300];
	ctm_json *r = NULL;
	struct ctm_err e = { 0 };
	CTM_AUTO_JSON *q = ctm_json_obj();
	snprintf(path, sizeof path, "%s/absent", (char *)*state);
	assert_int_equal(ctm_signer_call(path, q, 100, &r, &e), CTM_E_IO);
	assert_non_null(strstr(e.msg, "start it with ctm signer"));
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = 0;
	assert_int_equal(ctm_signer_call(long_path, q, 100, &r, NULL), CTM_E_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_and_refusals_come_through), cmocka_unit_test(a_broken_peer_is_told), cmocka_unit_test(an_absent_signer_is_one_sentence),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
