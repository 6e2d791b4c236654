/* SPDX-License-Identifier: Apache-2.0
 * Metrics: the rows follow the naming rules of the exposition format, numbers come out as they went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/metrics.h"
#include "base/text.h"
#include <pthread.h>
#include <string.h>

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), w = strlen(with);
	return n >= w && !strcmp(s + n - w, with);
}

static void rows_follow_the_naming_rules(void **state)
{
	for (size_t i = 0; i < CTM_METRIC_COUNT; i++) {
		const struct ctm_metric_row *r = &ctm_metric_rows[i];
		assert_true(ctm_starts(r->name, "ctm_"));
		assert_int_equal(strspn(r->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(r->name));
		assert_int_equal(r->type == CTM_METRIC_COUNTER, ends(r->name, "_total"));
		assert_int_equal(r->unit == CTM_UNIT_SECONDS, ends(r->name, "_seconds"));
		assert_int_equal(r->unit == CTM_UNIT_BYTES, ends(r->name, "_bytes"));
		assert_true(ends(r->help, ".") && !strpbrk(r->help, "\\\n"));
		assert_int_equal(!*r->label, !*r->series);
		size_t series = 1;
		for (const char *p = r->series; *p; p++)
			series += *p == ',';
		assert_true(series <= CTM_METRIC_CELLS);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(r->name, ctm_metric_rows[j].name);
	}
}

static void has(struct ctm_buf *b, const char *line)
{
	if (!strstr(ctm_buf_cstr(b), line))
		fail_msg("no line \"%s\" in\n%s", line, ctm_buf_cstr(b));
}

static void numbers_come_out_as_they_went_in(void **state)
{
	struct ctm_metrics ms = { 0 };
	struct ctm_err err = { 0 };
	CTM_AUTO_BUF b = CTM_BUF(65536);
	ctm_metric_add(&ms, CTM_METRIC_REQUESTS, 2, 3);
	ctm_metric_add(&ms, CTM_METRIC_REQUESTS, CTM_METRIC_CELLS, 7);        /* no such series: nothing happens */
	ctm_metric_set(&ms, CTM_METRIC_DATABASE, 0, -1);
	ctm_metric_set(&ms, CTM_METRIC_UPTIME, 0, 1500000);
	static const int64_t sizes[] = { 1, 1, 2, 3, 600 }, times[] = { -5, 100, 101, 2000000 };
	for (size_t i = 0; i < 5; i++)
		ctm_metric_observe(&ms, CTM_METRIC_GROUP, sizes[i]);
	for (size_t i = 0; i < 4; i++)
		ctm_metric_observe(&ms, CTM_METRIC_FSYNC, times[i]);
	assert_int_equal(ctm_metrics_text(&ms, &b, &err), 0);
	has(&b, "# TYPE ctm_http_requests_total counter\nctm_http_requests_total{class=\"2xx\"} 0\n");
	has(&b, "ctm_http_requests_total{class=\"4xx\"} 3\nctm_http_requests_total{class=\"5xx\"} 0\n");
	has(&b, "ctm_uptime_seconds 1.500000\n");
	has(&b, "ctm_write_group_size_bucket{le=\"1\"} 2\nctm_write_group_size_bucket{le=\"2\"} 3\nctm_write_group_size_bucket{le=\"4\"} 4\n");
	has(&b, "ctm_write_group_size_bucket{le=\"512\"} 4\nctm_write_group_size_bucket{le=\"+Inf\"} 5\nctm_write_group_size_sum 607\nctm_write_group_size_count 5\n");
	has(&b, "ctm_commit_seconds_bucket{le=\"0.000100\"} 2\nctm_commit_seconds_bucket{le=\"0.000250\"} 3\n");
	has(&b, "ctm_commit_seconds_sum 2.000201\nctm_commit_seconds_count 4\n");
	assert_null(strstr(ctm_buf_cstr(&b), "\nctm_database_bytes "));
	assert_null(strstr(ctm_buf_cstr(&b), "\n\n"));
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		ctm_metric_add(arg, CTM_METRIC_REQUESTS, 0, 1);
		ctm_metric_observe(arg, CTM_METRIC_GROUP, 2);
	}
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	static struct ctm_metrics ms;
	struct ctm_err err = { 0 };
	CTM_AUTO_BUF b = CTM_BUF(65536);
	pthread_t t[4];
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, add_many, &ms), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(ctm_metrics_text(&ms, &b, &err), 0);
	has(&b, "{class=\"2xx\"} 80000\n");
	has(&b, "ctm_write_group_size_sum 160000\nctm_write_group_size_count 80000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_the_naming_rules),
		cmocka_unit_test(numbers_come_out_as_they_went_in),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
