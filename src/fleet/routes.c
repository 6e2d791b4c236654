/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the device port (behind the edge, identity from the client certificate):
 *   POST /d/v1/enrol {serial, code, csr} -> {certificate, ca, device_id}
 *   GET  /.well-known/est/{cacerts,csrattrs}, POST /.well-known/est/{simpleenroll,simplereenroll}   RFC 7030
 *   GET /d/v1/state -> {serial, seq, boot_counter, health, seen_ms, next_s}
 *   POST /d/v1/heartbeat ctm.heartbeat/1 (sdk/include/ctm/heartbeat.h) -> {seq, next_s}
 *   GET  /d/v1/director -> ctm.director/1 (COSE_Sign1): what this device should run
 *   POST /d/v1/state {seq, version:{claimed, booted, verified}, boot_counter, health, metrics{}} -> {seq, next_s}
 */
#include "fleet/fleet.h"
#include "fleet/repo.h"

static const struct ctm_field enrol_in[] = {
	{ "serial", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "printed serial", NULL },
	{ "code", CTM_V_LINE, 128, CTM_F_REQUIRED, "one-time enrolment code", NULL },
	{ "csr", CTM_V_TEXT, 4096, CTM_F_REQUIRED, "certificate request (PEM) signed by the device's own key", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("POST", "/d/v1/enrol", CTM_ROLE_ANON | CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE, .in = enrol_in, .prepare = ctm_prepare_enrol, .use_case = ctm_uc_enrol,
		.reply = "", .help = "Get the device's certificate, once, for its serial and one-time code."),
	CTM_ROUTE("GET", "/.well-known/est/cacerts", CTM_ROLE_ANON | CTM_ROLE_DEVICE | CTM_ROLE_IDEVID, CTM_R_DEVICE, .use_case = ctm_uc_est_cacerts, .reply = "",
		.help = "The device CA's certificate (RFC 7030 4.1)."),
	CTM_ROUTE("GET", "/.well-known/est/csrattrs", CTM_ROLE_ANON | CTM_ROLE_DEVICE | CTM_ROLE_IDEVID, CTM_R_DEVICE, .use_case = ctm_uc_est_csrattrs, .reply = "",
		.help = "What a certificate request must be: ECDSA on P-256 with SHA-256 (RFC 7030 4.5)."),
	CTM_ROUTE("POST", "/.well-known/est/simpleenroll", CTM_ROLE_ANON | CTM_ROLE_DEVICE | CTM_ROLE_IDEVID, CTM_R_WRITE | CTM_R_DEVICE | CTM_R_TEXT | CTM_R_BASIC,
		.prepare = ctm_prepare_est_enrol, .use_case = ctm_uc_est_enrol, .reply = "", .accepts = "application/pkcs10", .body_max = 16384,
		.help = "Enrol with the factory's identity as client certificate, or with serial and one-time code by HTTP Basic (RFC 7030 4.2.1)."),
	CTM_ROUTE("POST", "/.well-known/est/simplereenroll", CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE | CTM_R_TEXT, .prepare = ctm_prepare_est_reenrol,
		.use_case = ctm_uc_est_enrol, .reply = "", .accepts = "application/pkcs10", .body_max = 16384,
		.help = "Renew the certificate, with the same or a new key (RFC 7030 4.2.2)."),
	CTM_ROUTE("GET", "/d/v1/state", CTM_ROLE_DEVICE, CTM_R_DEVICE, .use_case = ctm_uc_standing, .reply = "",
		.help = "What the platform holds of this device: its last report's sequence number, so that a device that lost it can go on."),
	CTM_ROUTE("POST", "/d/v1/state", CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE | CTM_R_JSON | CTM_R_UNAUDITED, .use_case = ctm_uc_state, .reply = "",
		.help = "Report versions, boots and health; a sequence number is accepted once.", .body_max = 16384),
	CTM_ROUTE("POST", "/d/v1/heartbeat", CTM_ROLE_ANON | CTM_ROLE_DEVICE, CTM_R_WRITE | CTM_R_DEVICE | CTM_R_TEXT | CTM_R_UNAUDITED, .prepare = ctm_prepare_heartbeat,
		.use_case = ctm_uc_heartbeat, .reply = "", .accepts = "application/ctm-heartbeat+cbor", .body_max = 1024,
		.help = "A heartbeat in CBOR: as it is with the device's certificate, or signed by the device and brought by a gateway."),
	CTM_ROUTE("GET", "/d/v1/director", CTM_ROLE_DEVICE, CTM_R_DEVICE, .prepare = ctm_prepare_direction, .use_case = ctm_uc_direction, .reply = "",
		.help = "What this device should run: a short-lived statement (ctm.director/1) that points at an image its product line lists."),
	CTM_ROUTE("GET", "/api/v1/repository", CTM_ANY_MAKER, 0, .prepare = ctm_prepare_repo, .use_case = ctm_uc_repo, .reply = "",
		.help = "The maker's update repository: roles, versions, expiries, and the platform's keys that its root has to name."),
	CTM_ROUTE("GET", "/api/v1/repository/carry", CTM_ANY_MAKER, 0, .use_case = ctm_uc_repo_carry, .reply = "",
		.help = "What the maker's keys have to sign, as a file for ctm update repo sign: published releases that no list names yet, and lists about to expire."),
	CTM_ROUTE("PUT", "/api/v1/repository", CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_SIGNER, CTM_R_WRITE | CTM_R_JSON, .prepare = ctm_prepare_repo_take,
		.use_case = ctm_uc_repo_take, .reply = "", .help = "Bring signed documents (ctm.tuf-carry/1); they are taken all or none, and published.", .body_max = CTM_CARRY_MAX),
};

static const struct ctm_job_kind jobs[] = {
	{ "repo.publish", ctm_job_repo_publish, CTM_NEVER_GIVE_UP, "writes a maker's update repository and has snapshot and timestamp signed before they expire" },
};
const struct ctm_jobs ctm_fleet_jobs = { jobs, sizeof jobs / sizeof *jobs };

const struct ctm_routes ctm_fleet_routes = { rows, sizeof rows / sizeof *rows };
