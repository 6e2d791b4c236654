/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process counts about itself, for Prometheus (text exposition format 0.0.4). The rows of metrics.def are the only list:
 * a new metric is one row there and one call where it happens. Numbers are atomics, any thread may add; nothing is kept over
 * a restart, as the format expects. No label ever holds a name, an id or an address: metrics say how much, never who.
 */
#ifndef CTM_HTTP_METRICS_H
#define CTM_HTTP_METRICS_H
#include "base/buf.h"
#include "http/app.h"
#include <stdatomic.h>

enum ctm_metric {
#define CTM_M(id, type, unit, name, label, series, help) CTM_METRIC_##id,
#include "http/metrics.def"
#undef CTM_M
	CTM_METRIC_COUNT
};
enum ctm_metric_type { CTM_METRIC_COUNTER, CTM_METRIC_GAUGE, CTM_METRIC_HISTOGRAM };
enum ctm_metric_unit { CTM_UNIT_COUNT, CTM_UNIT_SECONDS, CTM_UNIT_BYTES };
struct ctm_metric_row { enum ctm_metric_type type; enum ctm_metric_unit unit; const char *name, *label, *series, *help; };
extern const struct ctm_metric_row ctm_metric_rows[CTM_METRIC_COUNT];

#define CTM_METRIC_CELLS 14
struct ctm_metrics { struct { _Atomic int64_t cell[CTM_METRIC_CELLS], sum; } m[CTM_METRIC_COUNT]; };

/* series: index into the row's series, 0 without a label. A gauge set below zero is left out of the text. */
void ctm_metric_add(struct ctm_metrics *ms, enum ctm_metric id, unsigned series, int64_t n);
void ctm_metric_set(struct ctm_metrics *ms, enum ctm_metric id, unsigned series, int64_t value);
/* One observation of a histogram: microseconds for SECONDS. Below zero counts as zero. */
void ctm_metric_observe(struct ctm_metrics *ms, enum ctm_metric id, int64_t value);
/* The exposition text. TOOBIG, NOMEM. */
CTM_CHECK int ctm_metrics_text(struct ctm_metrics *ms, struct ctm_buf *out, struct ctm_err *err);

/* GET /metrics. */
CTM_CHECK int ctm_uc_metrics(struct ctm_cx *cx, ctm_json *out);
/* The bearer token is that of the file metrics.token in the state directory (at least 32 characters; made by the operator,
 * read at each question, so it can be changed at any time). Without the file nobody has it. */
bool ctm_metrics_token(const struct ctm_app *app, const char *bearer);

#endif
