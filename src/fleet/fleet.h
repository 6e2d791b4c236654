/* SPDX-License-Identifier: Apache-2.0
 *
 * The device port: enrolment and state reports (docs/architecture.md, Addresses).
 */
#ifndef CTM_FLEET_FLEET_H
#define CTM_FLEET_FLEET_H
#include "http/app.h"

extern const struct ctm_routes ctm_fleet_routes;

int ctm_prepare_enrol(struct ctm_cx *cx);
int ctm_uc_enrol(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_state(struct ctm_cx *cx, ctm_json *out);
#endif
