/* SPDX-License-Identifier: Apache-2.0
 *
 * Trust list. A key is believed only when its id is the one computed from it, so that a slip of the pen in the file is
 * noticed when the list is read and not when a product is doubted.
 */
#include "registry/trust.h"
#include "base/json.h"
#include "base/text.h"
#include <string.h>

#define TRUST_MAX (1 << 20)

static int one_cla(const struct ctm_jc *c, struct ctm_trust *t, struct ctm_err *err)
{
	static const char *const keys[] = { "ed25519", "key_id", "name", "revoked" };
	CTM_AUTO_KEY *key = NULL;
	const char *name, *id, *hex;
	char again[17];
	struct ctm_jc at;
	bool revoked = false;
	int rc;

	/* A member that is not understood may be the one that takes trust away. */
	if ((rc = ctm_jc_is(c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(c, keys, 4, err)) || (ctm_jc_has(c, "revoked", &at) && (rc = ctm_jc_bool(c, "revoked", &revoked, err))) ||
	    (rc = ctm_jc_str(c, "name", 1, sizeof t->cla[0].name - 1, &name, err)) || (rc = ctm_jc_str(c, "key_id", 16, 16, &id, err)) ||
	    (rc = ctm_jc_str(c, "ed25519", 64, 64, &hex, err)))
		return rc;
	if (ctm_unhex(hex, 64, t->cla[t->ncla].pub))
		return ctm_jc_fail(c, err, "\"ed25519\" is not a key in hex.");
	if ((rc = ctm_key_from_raw(CTM_ALG_ED25519, t->cla[t->ncla].pub, 32, &key, err)))
		return rc;
	ctm_key_id(key, again);
	if (strcmp(again, id))
		return ctm_jc_fail(c, err, "\"key_id\" is not that of the key; it would be %s.", again);
	if (revoked) {
		memset(&t->cla[t->ncla], 0, sizeof t->cla[0]);
		return 0;
	}
	ctm_copy(t->cla[t->ncla].name, sizeof t->cla[0].name, name);
	ctm_copy(t->cla[t->ncla].key_id, sizeof t->cla[0].key_id, id);
	t->ncla++;
	return 0;
}

static int read_list(const struct ctm_jc *c, struct ctm_trust *t, struct ctm_err *err)
{
	static const char *const formats[] = { "ctm.trust/1" };
	struct ctm_jc log, list, one;
	const char *origin, *vkey;
	size_t which;
	int rc;

	if ((rc = ctm_jc_is(c, CTM_J_OBJ, err)) || (rc = ctm_jc_enum(c, "format", formats, 1, &which, err)) || (rc = ctm_jc_key(c, "log", &log, err)) ||
	    (rc = ctm_jc_str(&log, "origin", 1, CTM_NOTE_NAME_MAX - 1, &origin, err)) || (rc = ctm_jc_str(&log, "vkey", 1, 512, &vkey, err)) ||
	    (rc = ctm_vkey_parse(vkey, &t->log, err)))
		return rc;
	if (strcmp(origin, t->log.name))
		return ctm_jc_fail(&log, err, "\"vkey\" is the key of \"%s\", not of \"%s\".", t->log.name, origin);
	if ((rc = ctm_jc_arr(c, "cla", 1, CTM_TRUST_CLA_MAX, &list, err)))
		return rc;
	for (size_t i = 0; i < ctm_json_len(list.v); i++)
		if ((rc = ctm_jc_at(&list, i, &one, err)) || (rc = one_cla(&one, t, err)))
			return rc;
	return 0;
}

int ctm_trust_load(const char *path, struct ctm_trust *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = NULL;
	struct ctm_trust t = { 0 };
	int rc = ctm_json_load(path, TRUST_MAX, &j, err);

	if (rc)
		return rc;
	struct ctm_jc c = ctm_jc_root(j, path);
	if ((rc = read_list(&c, &t, err)))
		return rc;
	*out = t;
	return 0;
}
