/* SPDX-License-Identifier: Apache-2.0
 *
 * A device is known by its key, not by a name it says: the public key of the certificate must be the one that was bound at
 * enrolment, and the serial in the certificate must be that unit's. Sessions of people do not work on the device port, nor
 * certificates on the people's port.
 */
#include "device/door.h"
#include "base/text.h"
#include "base/timex.h"
#include "device/factory.h"
#include "identity/identity.h"
#include <string.h>

/* The unit whose key this is, or whose renewed key it is. */
static int by_key(struct ctm_db *ro, const char *statement, const struct ctm_req_ident *ident, struct ctm_who *who, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(ro, statement);
	ctm_q_text(q, "spki", ident->cert.spki_sha256);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_q_str(q, "serial"), ident->cert.serial_number))
		return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "another serial");
	who->roles = CTM_ROLE_DEVICE;
	ctm_copy(who->device_id, sizeof who->device_id, ctm_q_str(q, "id"));
	return 0;
}

static int enrolled(struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *who, struct ctm_err *err)
{
	int rc = by_key(ro, "device.by_spki", ident, who, err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(err);
		rc = by_key(ro, "device.by_next_spki", ident, who, err);
		who->device_next_key = !rc;
	}
	ctm_copy(who->device_spki, sizeof who->device_spki, ident->cert.spki_sha256);
	ctm_copy(who->device_serial, sizeof who->device_serial, ident->cert.serial_number);
	who->device_until_ms = ident->cert.not_after_ms;
	return rc;
}

/* The edge vouches only that the peer holds the key; the chain is looked at here. */
static int factory_made(struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *who, struct ctm_err *err)
{
	struct ctm_cert_info info;
	int rc = ctm_cert_read(ident->cert_pem, strlen(ident->cert_pem), &info, err);
	if (rc)
		return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "unreadable");
	if ((rc = ctm_factory_find(ro, ident->cert_pem, &info, ctm_now_ms(), who->device_id, err)))
		return rc;
	who->roles = CTM_ROLE_IDEVID;
	ctm_copy(who->device_spki, sizeof who->device_spki, info.spki_sha256);
	ctm_copy(who->device_serial, sizeof who->device_serial, info.serial_number);
	return 0;
}

int ctm_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err)
{
	if (!ident->edge)
		return ctm_identity_authorise(app, ro, ident, out, err);
	struct ctm_who who = { .roles = CTM_ROLE_ANON };
	int rc = !ident->cert_pem ? 0 : ident->cert_verified ? enrolled(ro, ident, &who, err) : factory_made(ro, ident, &who, err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(err);
		return ctm_fail(err, CTM_E_AUTH, NULL, NULL, "this certificate belongs to no enrolled device");
	}
	if (rc)
		return rc;
	*out = who;
	return 0;
}
