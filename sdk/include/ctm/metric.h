/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed metrics. The table is made of ctm/metrics.def and of the product's own file (-DCTM_METRICS_FILE='"my-metrics.def"'); values
 * are 32-bit integers in the caller's storage, 4 bytes each. A value outside its row's range is refused and leaves what was there.
 */
#ifndef CTM_METRIC_H
#define CTM_METRIC_H
#include "ctm/datacat.h"

enum ctm_metric_kind { CTM_METRIC_KIND_GAUGE, CTM_METRIC_KIND_COUNTER, CTM_METRIC_KIND_TOTAL, CTM_METRIC_KIND_PEAK };

struct ctm_metric {
	uint8_t id, kind, data;         /* enum ctm_metric_kind; enum ctm_data_id */
	int32_t min, max;
#if CTM_TABLE_TEXTS
	const char *name, *unit;
#endif
};

enum ctm_metric_id {
#define CTM_METRIC(id, name, kind, unit, min, max, data) CTM_METRIC_##name = (id),
#include "ctm/metrics.def"
#ifdef CTM_METRICS_FILE
#include CTM_METRICS_FILE
#endif
#undef CTM_METRIC
	CTM_METRIC_none = 0
};

/* Number of rows, at compile time. */
enum {
#define CTM_METRIC(id, name, kind, unit, min, max, data) CTM_METRIC_ROW_##name,
#include "ctm/metrics.def"
#ifdef CTM_METRICS_FILE
#include CTM_METRICS_FILE
#endif
#undef CTM_METRIC
	CTM_METRICS
};

#define CTM_METRIC_UNKNOWN INT32_MIN    /* a gauge that nobody has set: not sent */

struct ctm_metrics {
	int32_t value[CTM_METRICS];
};

extern const struct ctm_metric ctm_metric_table[CTM_METRICS];

void ctm_metrics_begin(struct ctm_metrics *m);          /* counters 0, everything else without a value */
/* Gauge: the value. Peak: kept when greater. UNKNOWN (no such id), INPUT (outside the range, or a counter). */
int ctm_metrics_set(struct ctm_metrics *m, unsigned id, int32_t value);
/* Counter, total: add, staying at the maximum. UNKNOWN, INPUT (a gauge). */
int ctm_metrics_add(struct ctm_metrics *m, unsigned id, uint32_t more);
/* CTM_METRIC_UNKNOWN when there is no such id or no value. */
int32_t ctm_metrics_get(const struct ctm_metrics *m, unsigned id);
/* A heartbeat has taken the values: counters and peaks begin again. */
void ctm_metrics_taken(struct ctm_metrics *m);
const struct ctm_metric *ctm_metric_row(unsigned id);   /* NULL: no such id */

#endif
