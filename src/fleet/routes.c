/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the device port (behind the edge, identity from the client certificate):
 *   POST /d/v1/enrol {serial, code, csr} -> {certificate, ca, device_id}
 *   POST /d/v1/state {seq, version:{claimed, booted, verified}, boot_counter, health, metrics{}} -> {seq, next_s}
 */
#include "fleet/fleet.h"

static const struct ctm_field enrol_in[] = {
	{ "serial", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "printed serial", NULL },
	{ "code", CTM_V_LINE, 128, CTM_F_REQUIRED, "one-time enrolment code", NULL },
	{ "csr", CTM_V_TEXT, 4096, CTM_F_REQUIRED, "certificate request (PEM) signed by the device's own key", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("POST", "/d/v1/enrol", CTM_ROLE_ANON | CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE, .in = enrol_in, .prepare = ctm_prepare_enrol, .use_case = ctm_uc_enrol,
		.reply = "", .help = "Get the device's certificate, once, for its serial and one-time code."),
	CTM_ROUTE("POST", "/d/v1/state", CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE | CTM_R_JSON | CTM_R_UNAUDITED, .use_case = ctm_uc_state, .reply = "",
		.help = "Report versions, boots and health; a sequence number is accepted once.", .body_max = 16384),
};

const struct ctm_routes ctm_fleet_routes = { rows, sizeof rows / sizeof *rows };
