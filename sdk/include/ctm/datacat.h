/* SPDX-License-Identifier: Apache-2.0
 *
 * Data catalogue: what the device holds and may send. It is a table in flash, made of ctm/data.def and of the product's own file
 * (-DCTM_DATA_FILE='"my-data.def"'). What is not in the table cannot be sent: a metric names its row, and naming one that does not
 * exist does not compile; at run time ctm_datacat_sends() is asked for each field before it is written.
 * NIST IR 8259A, data protection; ETSI EN 303 645 6 (telemetry is told).
 */
#ifndef CTM_DATACAT_H
#define CTM_DATACAT_H
#include "ctm/sdk.h"
#include <stdbool.h>

struct ctm_data {
	uint8_t id;                     /* 1 to 255 */
	uint8_t sent;                   /* may leave the device */
	uint8_t deleted_by_reset, personal;
	uint16_t retention_days;        /* at the maker's; 0: not kept */
#if CTM_TABLE_TEXTS
	const char *name, *purpose;
#endif
};

struct ctm_datacat {
	const struct ctm_data *row;
	size_t n;
};

enum ctm_data_id {
#define CTM_DATA(id, name, purpose, days, sent, reset, personal) CTM_DATA_##name = (id),
#include "ctm/data.def"
#ifdef CTM_DATA_FILE
#include CTM_DATA_FILE
#endif
#undef CTM_DATA
	CTM_DATA_none = 0
};

/* The table this product was compiled with. */
const struct ctm_datacat *ctm_datacat(void);
/* May data of this row leave the device? An id without a row may not. */
bool ctm_datacat_sends(const struct ctm_datacat *c, unsigned id);
const struct ctm_data *ctm_datacat_row(const struct ctm_datacat *c, unsigned id);   /* NULL: not declared */

#endif
