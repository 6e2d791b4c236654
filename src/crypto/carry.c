/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/carry.h"
#include "base/text.h"

#define FORMAT "ctm.tuf-carry/1"
#define DOCUMENTS_MAX 256

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
}

bool ctm_carry_listed(const ctm_json *list, const char *word)
{
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(list, i)), word))
			return true;
	return false;
}

static int join(ctm_json *out, const ctm_json *ids)
{
	int bad = 0;
	for (size_t i = 0; i < ctm_json_len(ids); i++)
		if (!ctm_carry_listed(out, ctm_json_str(ctm_json_at(ids, i))))
			bad |= ctm_json_adds(out, ctm_json_str(ctm_json_at(ids, i)));
	return bad;
}

ctm_json *ctm_carry_entitled(const char *role, const ctm_json *rule, const ctm_json *before)
{
	ctm_json *out = ctm_json_arr();
	int bad = join(out, ctm_json_get(rule, "keyids"));
	if (before && ctm_streq(role, "root"))
		bad |= join(out, ctm_json_get(ctm_json_get(ctm_json_get(before, "roles"), "root"), "keyids"));
	if (bad) {
		ctm_json_free(out);
		return NULL;
	}
	return out;
}

int ctm_carry_new(const char *repository, ctm_json **out, struct ctm_err *err)
{
	ctm_json *c = ctm_json_obj();
	if (ctm_json_sets(c, "format", FORMAT) | ctm_json_sets(c, "repository", repository) | ctm_json_set(c, "documents", ctm_json_arr())) {
		ctm_json_free(c);
		return nomem(err);
	}
	*out = c;
	return 0;
}

int ctm_carry_add(ctm_json *carry, const char *role, const ctm_json *envelope, const ctm_json *rule, const ctm_json *before, unsigned have,
	unsigned need, struct ctm_err *err)
{
	ctm_json *docs = ctm_json_copy(ctm_json_get(carry, "documents")), *d = ctm_json_obj();
	int bad = ctm_json_sets(d, "role", role) | ctm_json_setf(d, "holds", "%u of %u", have, need) |
		ctm_json_set(d, "signed", ctm_json_copy(ctm_json_get(envelope, "signed"))) |
		ctm_json_set(d, "signatures", ctm_json_copy(ctm_json_get(envelope, "signatures"))) | ctm_json_set(d, "entitled", ctm_carry_entitled(role, rule, before));
	bad |= ctm_json_add(docs, d);
	return ctm_json_set(carry, "documents", docs) | bad ? nomem(err) : 0;
}

int ctm_carry_check(const ctm_json *carry, const char *repository, struct ctm_err *err)
{
	const ctm_json *docs = ctm_json_get(carry, "documents");
	const char *name = ctm_json_gets(carry, "repository");
	if (!ctm_streq(ctm_json_gets(carry, "format"), FORMAT) || !name || !ctm_json_len(docs) || ctm_json_len(docs) > DOCUMENTS_MAX)
		return ctm_fail(err, CTM_E_INPUT, "carry", NULL, "this file was not made to be carried (ctm.tuf-carry/1)");
	if (repository && !ctm_streq(name, repository))
		return ctm_fail(err, CTM_E_INPUT, "carry", NULL, "this file belongs to the repository %.64s, not %s", name, repository);
	for (size_t i = 0; i < ctm_json_len(docs); i++)
		if (!ctm_role_name_ok(ctm_json_gets(ctm_json_at(docs, i), "role")) || ctm_json_type(ctm_json_get(ctm_json_at(docs, i), "signed")) != CTM_J_OBJ)
			return ctm_fail(err, CTM_E_INPUT, "carry", NULL, "a document in it has no role, or no body");
	return 0;
}
