/* SPDX-License-Identifier: Apache-2.0
 *
 * Trust list (trust.json, "ctm.trust/1"): the public keys a verifier believes. It is handed out by another way than the things
 * it verifies. {format, log:{origin, vkey}, cla:[{name, key_id, ed25519}], lab:[...], device_ca}; ed25519 is the raw public key
 * in hex. A key of an administrator or lab with "revoked": true is no longer believed; another member beside a key is refused,
 * since it may say less trust in words this reader does not know. Other members of the list are left to others.
 */
#ifndef CTM_REGISTRY_TRUST_H
#define CTM_REGISTRY_TRUST_H
#include "registry/note.h"

#define CTM_TRUST_CLA_MAX 64

struct ctm_trust {
	struct ctm_vkey log;
	struct { char name[200]; char key_id[17]; uint8_t pub[32]; } cla[CTM_TRUST_CLA_MAX];
	size_t ncla;
};

CTM_CHECK int ctm_trust_load(const char *path, struct ctm_trust *out, struct ctm_err *err);   /* INPUT with the JSON pointer */

#endif
