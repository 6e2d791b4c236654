/* SPDX-License-Identifier: Apache-2.0
 *
 * The device port: enrolment and state reports (docs/architecture.md, Addresses).
 */
#ifndef CTM_FLEET_FLEET_H
#define CTM_FLEET_FLEET_H
#include "http/app.h"

extern const struct ctm_routes ctm_fleet_routes;
extern const struct ctm_jobs ctm_fleet_jobs;

/* enrol.c: what every door of enrolment shares. begin: on a worker; looks at the proof and the request (PEM) and asks the signer; code NULL
 * where the role IDEVID is the proof. finish: in the use case; binds the key. Refusals: AUTH, GUARD (resting), STATE (another key), INPUT. */
CTM_CHECK int ctm_enrol_begin(struct ctm_cx *cx, const char *serial, const char *code, const char *csr);
CTM_CHECK int ctm_renew_begin(struct ctm_cx *cx, const char *csr);      /* the role DEVICE is the proof */
CTM_CHECK int ctm_enrol_finish(struct ctm_cx *cx);
/* A renewed key is used for the first time (who.device_next_key): from now on it alone is believed. In a use case. */
CTM_CHECK int ctm_device_promote(struct ctm_cx *cx);

/* est.c: Enrolment over Secure Transport (RFC 7030, RFC 8951). */
int ctm_prepare_est_enrol(struct ctm_cx *cx);
int ctm_prepare_est_reenrol(struct ctm_cx *cx);
int ctm_uc_est_enrol(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_est_cacerts(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_est_csrattrs(struct ctm_cx *cx, ctm_json *out);

/* state.c: a report of the device cx->who->device_id, in whatever form it came; text is the report as JSON, as it is kept. serial NULL: it
 * names nobody. CONFLICT: seq is not higher than the last one. *out gets seq and next_s. In a use case. */
struct ctm_report { const char *serial, *claimed, *booted, *verified, *health; int64_t seq, boot_counter; };
CTM_CHECK int ctm_report_keep(struct ctm_cx *cx, const struct ctm_report *r, const char *text, ctm_json *out);

/* heartbeat.c: ctm.heartbeat/1 of the SDK, over mutual TLS or signed and carried by a gateway. */
int ctm_prepare_heartbeat(struct ctm_cx *cx);
int ctm_uc_heartbeat(struct ctm_cx *cx, ctm_json *out);

int ctm_prepare_enrol(struct ctm_cx *cx);
int ctm_uc_enrol(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_state(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_standing(struct ctm_cx *cx, ctm_json *out);
#endif
