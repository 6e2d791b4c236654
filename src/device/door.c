/* SPDX-License-Identifier: Apache-2.0
 *
 * A device is known by its key, not by a name it says: the public key of the certificate must be the one that was bound at
 * enrolment, and the serial in the certificate must be that unit's. Sessions of people do not work on the device port, nor
 * certificates on the people's port.
 */
#include "device/door.h"
#include "base/text.h"
#include "identity/identity.h"

int ctm_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err)
{
	if (!ident->edge)
		return ctm_identity_authorise(app, ro, ident, out, err);
	struct ctm_who who = { .roles = CTM_ROLE_ANON };
	if (ident->cert_verified) {
		CTM_AUTO_Q *q = ctm_q(ro, "device.by_spki");
		ctm_q_text(q, "spki", ident->cert.spki_sha256);
		int rc = ctm_q_one(q, err);
		if (rc && rc != CTM_E_NOTFOUND)
			return rc;
		if (rc || !ctm_streq(ctm_q_str(q, "serial"), ident->cert.serial_number)) {
			ctm_err_clear(err);
			return ctm_fail(err, CTM_E_AUTH, NULL, NULL, "this certificate belongs to no enrolled device");
		}
		who.roles = CTM_ROLE_DEVICE;
		ctm_copy(who.device_id, sizeof who.device_id, ctm_q_str(q, "id"));
	}
	*out = who;
	return 0;
}
