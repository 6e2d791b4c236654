/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: see ctm/metric.h.
 */
#include "ctm/metric.h"

#if CTM_TABLE_TEXTS
#define NAMES(name, unit) , #name, unit
#else
#define NAMES(name, unit)
#endif

const struct ctm_metric ctm_metric_table[CTM_METRICS] = {
#define CTM_METRIC(id, name, kind, unit, min, max, data) { (id), CTM_METRIC_KIND_##kind, CTM_DATA_##data, (min), (max) NAMES(name, unit) },
#include "ctm/metrics.def"
#ifdef CTM_METRICS_FILE
#include CTM_METRICS_FILE
#endif
#undef CTM_METRIC
};

static int find(unsigned id)
{
	for (int i = 0; i < CTM_METRICS; i++)
		if (ctm_metric_table[i].id == id)
			return i;
	return CTM_SDK_UNKNOWN;
}

static bool counts(const struct ctm_metric *r)
{
	return r->kind == CTM_METRIC_KIND_COUNTER || r->kind == CTM_METRIC_KIND_TOTAL;
}

void ctm_metrics_begin(struct ctm_metrics *m)
{
	for (int i = 0; i < CTM_METRICS; i++)
		m->value[i] = counts(&ctm_metric_table[i]) ? 0 : CTM_METRIC_UNKNOWN;
}

int ctm_metrics_set(struct ctm_metrics *m, unsigned id, int32_t value)
{
	int i = find(id);

	if (i < 0)
		return i;
	if (counts(&ctm_metric_table[i]) || value < ctm_metric_table[i].min || value > ctm_metric_table[i].max)
		return CTM_SDK_INPUT;
	if (ctm_metric_table[i].kind == CTM_METRIC_KIND_GAUGE || value > m->value[i])
		m->value[i] = value;
	return 0;
}

int ctm_metrics_add(struct ctm_metrics *m, unsigned id, uint32_t more)
{
	int i = find(id);
	uint32_t room;

	if (i < 0)
		return i;
	if (!counts(&ctm_metric_table[i]))
		return CTM_SDK_INPUT;
	room = (uint32_t)ctm_metric_table[i].max - (uint32_t)m->value[i];
	m->value[i] = more > room ? ctm_metric_table[i].max : m->value[i] + (int32_t)more;
	return 0;
}

int32_t ctm_metrics_get(const struct ctm_metrics *m, unsigned id)
{
	int i = find(id);

	return i < 0 ? CTM_METRIC_UNKNOWN : m->value[i];
}

void ctm_metrics_taken(struct ctm_metrics *m)
{
	for (int i = 0; i < CTM_METRICS; i++) {
		if (ctm_metric_table[i].kind == CTM_METRIC_KIND_COUNTER)
			m->value[i] = 0;
		else if (ctm_metric_table[i].kind == CTM_METRIC_KIND_PEAK)
			m->value[i] = CTM_METRIC_UNKNOWN;
	}
}

const struct ctm_metric *ctm_metric_row(unsigned id)
{
	int i = find(id);

	return i < 0 ? NULL : &ctm_metric_table[i];
}
