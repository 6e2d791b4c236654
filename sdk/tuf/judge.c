/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own judgement, for those who make repositories: what is about to be published is judged by the code that will judge it
 * on devices.
 */
#include "meta.h"
#include <stdlib.h>
#include <string.h>

int ctm_tuf_canonical(const void *json, size_t n, uint8_t *out, size_t cap, size_t *len)
{
	struct tuf_json j;
	int rc = tuf_json_read(json, n, &j);

	if (rc)
		return rc;
	rc = tuf_canonical(&j.root, out, cap, len);
	tuf_json_free(&j);
	return rc;
}

static int open_copy(const void *doc, size_t n, const char *type, struct tuf_doc **out, const char **why)
{
	uint8_t *copy = malloc(n ? n : 1);
	int t = 0;

	while (t < TUF_TYPES && strcmp(tuf_type_names[t], type))
		t++;
	if (!copy || t == TUF_TYPES) {
		free(copy);
		return copy ? CTM_SDK_INPUT : CTM_SDK_FAIL;
	}
	if (n)
		memcpy(copy, doc, n);
	return tuf_doc_open(copy, n, (enum tuf_type)t, out, why);
}

int ctm_tuf_signers(const struct ctm_tuf_crypto *c, const void *doc, size_t n, const char *type, const void *role, size_t rolen,
		    struct ctm_tuf_signers *out, const char **why)
{
	struct tuf_doc *d;
	struct tuf_json r;
	struct ctm_tuf_signers s = { 0 };
	int64_t threshold = 0;
	int rc = open_copy(doc, n, type, &d, why);

	if (rc)
		return rc;
	if ((rc = tuf_json_read(role, rolen, &r))) {
		tuf_doc_free(d);
		return rc;
	}
	if (!tuf_role_shape(&r.root) || !tuf_int(tuf_get(&r.root, "threshold"), &threshold) || threshold > CTM_TUF_SIGNATURES_MAX)
		rc = CTM_SDK_INPUT;
	if (!rc) {
		s.count = tuf_doc_signers(c, d, tuf_get(&r.root, "keys"), &r.root, CTM_TUF_SIGNATURES_MAX);
		s.threshold = (unsigned)threshold;
		s.version = d->version;
		s.expires_s = d->expires_s;
		*out = s;
	}
	tuf_json_free(&r);
	tuf_doc_free(d);
	return rc;
}
