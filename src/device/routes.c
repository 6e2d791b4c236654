/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of devices. What the pages get:
 *
 * "device/list" (GET /devices)             {devices:[DEVICE] (first 200), count, counts:{built, enrolled, degraded, suspect}}
 *      DEVICE  {id, serial, product_id, product, component_id, component, state (built, enrolled, retired), health ("" or likely-normal,
 *               likely-degraded), claimed_version, booted_version, verified_version, versions_agree:bool, suspect (sentence or ""),
 *               last_seen_ms|null, enrolled_ms|null, created_ms}
 * "device/device" (GET /devices/{id})      {device:DEVICE + {cert_sha256, spki_sha256, boot_counter, last_seq, report:{the last state report}},
 *               timeline:[{at_ms, actor, what, ref}], newest_release|null}
 */
#include "device/device.h"

static const struct ctm_field unit_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "component", NULL },
	{ "serial", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "printed serial", NULL },
	{ "code", CTM_V_LINE, 128, CTM_F_REQUIRED, "one-time enrolment code, at least 12 characters", NULL }, { 0 }
};
static const struct ctm_field list_in[] = { { "serial", CTM_V_SERIAL, 64, 0, "one unit by its serial", NULL }, { 0 } };
static const struct ctm_field id_in[] = { { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "device", NULL }, { 0 } };

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/devices", CTM_ANY_MAKER, CTM_R_HTML, .in = list_in, .use_case = ctm_uc_device_list, .view = "device/list", .reply = "", .help = "Your devices."),
	CTM_ROUTE("GET", "/devices/{id}", CTM_ANY_MAKER, CTM_R_HTML | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_device_get, .view = "device/device", .reply = "",
		.help = "One device: versions claimed, booted and verified, health, timeline."),
	CTM_ROUTE("POST", "/api/v1/components/{id}/units", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_SCOPED, .in = unit_in,
		.use_case = ctm_uc_unit_add, .reply = "", .help = "Record a built unit with its one-time enrolment code; only a hash of the code is kept."),
	CTM_ROUTE("GET", "/api/v1/devices", CTM_ANY_MAKER, 0, .in = list_in, .use_case = ctm_uc_device_list, .reply = "", .help = "Your devices."),
	CTM_ROUTE("GET", "/api/v1/devices/{id}", CTM_ANY_MAKER, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_device_get, .reply = "", .help = "One device."),
	CTM_ROUTE("POST", "/api/v1/devices/{id}/retire", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_SCOPED, .in = id_in,
		.use_case = ctm_uc_device_retire, .reply = "", .help = "Stop believing a unit that is lost, cloned or scrapped; it cannot report or enrol any more."),
};

const struct ctm_routes ctm_device_routes = { rows, sizeof rows / sizeof *rows };
