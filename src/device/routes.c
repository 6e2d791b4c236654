/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of devices. What the pages get:
 *
 * "device/list" (GET /devices)             {devices:[DEVICE] (first 200), count, counts:{built, enrolled, degraded, suspect}, spread|null (device/spread.h)}
 *      DEVICE  {id, serial, product_id, product, component_id, component, state (built, enrolled, retired), health ("" or likely-normal,
 *               likely-degraded), claimed_version, booted_version, verified_version, versions_agree:bool, suspect (sentence or ""),
 *               last_seen_ms|null, enrolled_ms|null, created_ms}
 * "device/device" (GET /devices/{id})      {device:DEVICE + {cert_sha256, spki_sha256, boot_counter, last_seq, report:{the last state report}},
 *               timeline:[{at_ms, actor, what, ref}], newest_release|null}
 * "device/batches" (GET /devices/batches)  {batches:[BATCH]}   BATCH {id, name, prefix, from_serial, to_serial, units, recorded, enrolled, suspect, component,
 *               product_id, product, created_ms, created_by}
 * "device/batch" (GET /devices/batches/{id}) {batch:BATCH without counts, counts:{recorded, unrecorded, enrolled, waiting, retired, suspect, idevid},
 *               waiting:[{id, serial, state, suspect, created_ms, last_seen_ms|null}] (first 200)}
 */
#include "device/device.h"
#include "device/factory.h"

static const struct ctm_field unit_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "component", NULL },
	{ "serial", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "printed serial", NULL },
	{ "code", CTM_V_LINE, 128, CTM_F_REQUIRED, "one-time enrolment code, at least 12 characters", NULL }, { 0 }
};
static const struct ctm_field list_in[] = { { "serial", CTM_V_SERIAL, 64, 0, "one unit by its serial", NULL }, { 0 } };
static const struct ctm_field ca_in[] = {
	{ "name", CTM_V_LINE, 80, CTM_F_REQUIRED, "what you call this authority", NULL },
	{ "pem", CTM_V_TEXT, 16384, CTM_F_REQUIRED, "its certificate (PEM), signed by its own P-256 key", NULL }, { 0 }
};
static const struct ctm_field batch_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "component", NULL },
	{ "name", CTM_V_LINE, 80, CTM_F_REQUIRED, "what you call this production run", NULL },
	{ "prefix", CTM_V_SERIAL, 40, CTM_F_REQUIRED, "what every serial begins with", NULL },
	{ "units", CTM_V_INT, CTM_BATCH_UNITS, CTM_F_REQUIRED, "how many serials", NULL },
	{ "digits", CTM_V_INT, 12, 0, "digits of the number in a serial (6 unless given)", NULL }, { 0 }
};
static const struct ctm_field reopen_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "device", NULL },
	{ "code", CTM_V_LINE, 128, 0, "a new one-time code, at least 12 characters; none where the unit shows its factory's identity", NULL }, { 0 }
};
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
	CTM_ROUTE("POST", "/api/v1/devices/{id}/reopen", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_SCOPED, .in = reopen_in,
		.use_case = ctm_uc_device_reopen, .reply = "", .help = "Let a unit that was repaired or reset enrol once more with a key of its own; its old key is no longer believed."),
	CTM_ROUTE("POST", "/api/v1/factory-authorities", CTM_ROLE_MAKER_OWNER, CTM_R_WRITE, .in = ca_in, .use_case = ctm_uc_factory_ca_add, .reply = "",
		.help = "Trust a factory authority of yours: units with an IDevID under it may enrol without a code."),
	CTM_ROUTE("GET", "/api/v1/factory-authorities", CTM_ANY_MAKER, 0, .use_case = ctm_uc_factory_ca_list, .reply = "", .help = "Your factory authorities."),
	CTM_ROUTE("POST", "/api/v1/factory-authorities/{id}/retire", CTM_ROLE_MAKER_OWNER, CTM_R_WRITE | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_factory_ca_retire,
		.reply = "", .help = "Stop trusting a factory authority; units already enrolled stay."),
	CTM_ROUTE("POST", "/api/v1/components/{id}/batches", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_SCOPED, .in = batch_in,
		.use_case = ctm_uc_batch_add, .reply = "", .help = "Allot serials to a production run; a serial is allotted once and never again."),
	CTM_ROUTE("GET", "/api/v1/batches", CTM_ANY_MAKER, 0, .use_case = ctm_uc_batch_list, .reply = "", .help = "Your production runs."),
	CTM_ROUTE("GET", "/api/v1/batches/{id}", CTM_ANY_MAKER, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_batch_get, .reply = "", .help = "One production run: built against enrolled."),
	CTM_ROUTE("POST", "/api/v1/batches/{id}/units", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER, CTM_R_WRITE | CTM_R_JSON | CTM_R_SCOPED, .in = id_in,
		.use_case = ctm_uc_batch_units, .reply = "", .help = "Record built units {units:[{serial, code_hash?, idevid?}]}: hashes of codes and certificates, never a code.", .body_max = 8u << 20),
	CTM_ROUTE("GET", "/devices/batches", CTM_ANY_MAKER, CTM_R_HTML, .use_case = ctm_uc_batch_list, .view = "device/batches", .reply = "", .help = "Production runs: built against enrolled."),
	CTM_ROUTE("GET", "/devices/batches/{id}", CTM_ANY_MAKER, CTM_R_HTML | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_batch_get, .view = "device/batch", .reply = "",
		.help = "One production run: which units have not arrived."),
};

const struct ctm_routes ctm_device_routes = { rows, sizeof rows / sizeof *rows };
