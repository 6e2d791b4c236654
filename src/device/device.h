/* SPDX-License-Identifier: Apache-2.0
 *
 * Units of a device component: made with a printed serial and a one-time enrolment code, seen by their maker only.
 */
#ifndef CTM_DEVICE_DEVICE_H
#define CTM_DEVICE_DEVICE_H
#include "http/app.h"

extern const struct ctm_routes ctm_device_routes;

#define CTM_CODE_MIN 12     /* bytes of an enrolment code: it guards the one moment when a unit has no key yet */

/* Hash that is stored of an enrolment code; bound to the serial, so that one table of codes fits one unit only. */
void ctm_device_code_hash(const char *serial, const char *code, char out[72]);

int ctm_uc_unit_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_device_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_device_get(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_device_retire(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_device_reopen(struct ctm_cx *cx, ctm_json *out);
#endif
