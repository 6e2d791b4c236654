/* SPDX-License-Identifier: Apache-2.0 */
#include "http/metrics.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "http/app_impl.h"
#include <string.h>

#define TOKEN_MIN 32
#define TOKEN_MAX 256
#define TEXT_MAX (64 * 1024)

const struct ctm_metric_row ctm_metric_rows[CTM_METRIC_COUNT] = {
#define CTM_M(id, type, unit, name, label, series, help) [CTM_METRIC_##id] = { CTM_METRIC_##type, CTM_UNIT_##unit, name, label, series, help },
#include "http/metrics.def"
#undef CTM_M
};

/* Upper bounds of histograms by unit; the last cell after them is "more". */
static const int64_t bounds_count[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 };
static const int64_t bounds_us[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000 };
_Static_assert(sizeof bounds_us / sizeof *bounds_us < CTM_METRIC_CELLS, "one cell more than bounds");

static const int64_t *bounds(const struct ctm_metric_row *row, size_t *n)
{
	bool time = row->unit == CTM_UNIT_SECONDS;
	*n = time ? sizeof bounds_us / sizeof *bounds_us : sizeof bounds_count / sizeof *bounds_count;
	return time ? bounds_us : bounds_count;
}

void ctm_metric_add(struct ctm_metrics *ms, enum ctm_metric id, unsigned series, int64_t n)
{
	if (series < CTM_METRIC_CELLS)
		atomic_fetch_add_explicit(&ms->m[id].cell[series], n, memory_order_relaxed);
}

void ctm_metric_set(struct ctm_metrics *ms, enum ctm_metric id, unsigned series, int64_t value)
{
	if (series < CTM_METRIC_CELLS)
		atomic_store_explicit(&ms->m[id].cell[series], value, memory_order_relaxed);
}

void ctm_metric_observe(struct ctm_metrics *ms, enum ctm_metric id, int64_t value)
{
	size_t n, i = 0;
	const int64_t *b = bounds(&ctm_metric_rows[id], &n);
	value = value < 0 ? 0 : value;
	while (i < n && value > b[i])
		i++;
	atomic_fetch_add_explicit(&ms->m[id].sum, value, memory_order_relaxed);
	atomic_fetch_add_explicit(&ms->m[id].cell[i], 1, memory_order_relaxed);
}

/* ---- text ---- */

static void number(struct ctm_buf *b, const struct ctm_metric_row *row, int64_t v)
{
	if (row->unit == CTM_UNIT_SECONDS)
		ctm_buf_printf(b, "%lld.%06lld", (long long)(v / 1000000), (long long)(v % 1000000));
	else
		ctm_buf_printf(b, "%lld", (long long)v);
}

/* The count is the sum of the cells read here, so "+Inf" and the count agree whatever other threads add meanwhile. */
static void histogram(struct ctm_buf *b, struct ctm_metrics *ms, enum ctm_metric id)
{
	const struct ctm_metric_row *row = &ctm_metric_rows[id];
	size_t n;
	const int64_t *bound = bounds(row, &n);
	int64_t total = 0;
	for (size_t i = 0; i <= n; i++) {
		total += atomic_load(&ms->m[id].cell[i]);
		ctm_buf_printf(b, "%s_bucket{le=\"", row->name);
		if (i < n)
			number(b, row, bound[i]);
		else
			ctm_buf_str(b, "+Inf");
		ctm_buf_printf(b, "\"} %lld\n", (long long)total);
	}
	ctm_buf_printf(b, "%s_sum ", row->name);
	number(b, row, atomic_load(&ms->m[id].sum));
	ctm_buf_printf(b, "\n%s_count %lld\n", row->name, (long long)total);
}

static void plain(struct ctm_buf *b, struct ctm_metrics *ms, enum ctm_metric id)
{
	const struct ctm_metric_row *row = &ctm_metric_rows[id];
	const char *s = row->series;
	unsigned i = 0;
	do {
		size_t n = strcspn(s, ",");
		int64_t v = atomic_load(&ms->m[id].cell[i++]);
		if (v >= 0) {
			ctm_buf_str(b, row->name);
			if (*row->label)
				ctm_buf_printf(b, "{%s=\"%.*s\"}", row->label, (int)n, s);
			ctm_buf_str(b, " ");
			number(b, row, v);
			ctm_buf_str(b, "\n");
		}
		s += n;
	} while (*s++ == ',');
}

int ctm_metrics_text(struct ctm_metrics *ms, struct ctm_buf *out, struct ctm_err *err)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	for (enum ctm_metric id = 0; id < CTM_METRIC_COUNT; id++) {
		const struct ctm_metric_row *row = &ctm_metric_rows[id];
		ctm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, types[row->type]);
		if (row->type == CTM_METRIC_HISTOGRAM)
			histogram(out, ms, id);
		else
			plain(out, ms, id);
	}
	return ctm_buf_err(out, "metrics", err);
}

/* ---- what is measured at the moment of the question ---- */

static int count_jobs(struct ctm_cx *cx, struct ctm_metrics *ms)
{
	static const char *const states[] = { "waiting", "leased", "failed" };
	int64_t n[3] = { 0 };
	bool row = false;
	int rc;
	CTM_AUTO_Q *q = ctm_q(cx->db, "job.counts");
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row)
		for (size_t i = 0; i < 3; i++)
			if (ctm_streq(ctm_q_str(q, "state"), states[i]))
				n[i] = ctm_q_i64(q, "count");
	for (unsigned i = 0; i < 3 && !rc; i++)
		ctm_metric_set(ms, CTM_METRIC_JOBS, i, n[i]);
	return rc;
}

static int database_bytes(struct ctm_cx *cx, struct ctm_metrics *ms)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "metrics.database_bytes");
	int rc = ctm_q_one(q, cx->err);
	if (!rc)
		ctm_metric_set(ms, CTM_METRIC_DATABASE, 0, ctm_q_i64(q, "bytes"));
	return rc;
}

int ctm_uc_metrics(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_app *a = cx->app;
	CTM_AUTO_BUF b = CTM_BUF(TEXT_MAX);
	int rc = count_jobs(cx, &a->metrics);
	if (!rc)
		rc = database_bytes(cx, &a->metrics);
	if (rc)
		return rc;
	ctm_metric_set(&a->metrics, CTM_METRIC_QUEUE, 0, ctm_writer_waiting(a->writer));
	ctm_metric_set(&a->metrics, CTM_METRIC_UPTIME, 0, ctm_mono_us() - a->started_us);
	if ((rc = ctm_metrics_text(&a->metrics, &b, cx->err)))
		return rc;
	const char *text = ctm_arena_ndup(cx->arena, b.p, b.len);
	if (!text)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the answer");
	cx->raw = (struct ctm_raw){ .type = "text/plain; version=0.0.4; charset=utf-8", .p = text, .n = b.len };
	return 0;
}

bool ctm_metrics_token(const struct ctm_app *app, const char *bearer)
{
	char path[1024];
	CTM_AUTO_BUF b = CTM_BUF(TOKEN_MAX);
	if (ctm_file_read(ctm_app_dir(app, "metrics.token", path, sizeof path), TOKEN_MAX, &b, NULL))
		return false;
	const char *token = ctm_buf_cstr(&b);
	size_t n = strcspn(token, "\r\n");
	return n >= TOKEN_MIN && strlen(bearer) == n && ctm_memeq_ct(token, bearer, n);
}
