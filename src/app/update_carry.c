/* SPDX-License-Identifier: Apache-2.0
 *
 * Carrying documents to keys that are not on this machine and signatures back, in one file (crypto/carry.h):
 * prepare writes it, sign (on a machine without network, as often as there are keys) shows what it says and adds signatures, merge takes the
 * signatures back into what is staged: only to the very same bodies, and only signatures that verify.
 */
#include "app/update.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/carry.h"
#include <stdio.h>
#include <string.h>

static int needs(const char *value, const char *option, struct ctm_err *err)
{
	return value ? 0 : ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s is needed", option);
}

static int write_carry(const char *path, const ctm_json *v, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_CARRY_MAX);
	int rc = ctm_json_pretty(v, &b);
	return rc ? ctm_fail(err, rc, "carry", NULL, "what is to be carried is larger than 16 MiB") : ctm_file_write(path, b.p, b.len, 0644, err);
}

/* --- prepare ----------------------------------------------------------------------------------------------------------- */

static int carry_one(const struct repo *r, const char *role, ctm_json *carry, bool *done, struct ctm_err *err)
{
	CTM_AUTO_JSON *e = NULL, *rule = NULL, *before = NULL;
	unsigned have = 0, need = 0;
	int rc = repo_staged(r, role, &e, err);
	if (!rc)
		rc = repo_rule(r, role, &rule, err);
	if (!rc)
		rc = repo_published(r, "root", &before, err);
	if (!rc)
		rc = repo_judge(r, role, e, &have, &need, err);
	if (rc)
		return rc;
	*done = have >= need;
	/* What is signed already goes along when everything is asked for: that is how it travels to a server. */
	return *done && !repo_opts.all ? 0 : ctm_carry_add(carry, role, e, rule, ctm_json_get(before, "signed"), have, need, err);
}

int repo_carry_prepare(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *roles = NULL, *carry = NULL;
	size_t left = 0, n;
	int rc = needs(repo_opts.out, "out", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = repo_staged_roles(&r, &roles, err);
	if (!rc)
		rc = ctm_carry_new(ctm_json_gets(r.conf, "name"), &carry, err);
	n = ctm_json_len(roles);
	for (size_t i = 0; !rc && i < n; i++) {
		bool done = false;
		rc = carry_one(&r, ctm_json_str(ctm_json_at(roles, i)), carry, &done, err);
		left += !done;
	}
	if (rc)
		return rc;
	if (!ctm_json_len(ctm_json_get(carry, "documents")))
		return ctm_fail(err, CTM_E_STATE, NULL, NULL, n ? "everything staged is signed; go on with ctm update repo publish" :
			"nothing is staged; change something first (add, line, rotate, renew)");
	if ((rc = write_carry(repo_opts.out, carry, err)))
		return rc;
	printf("%zu document%s to be signed in %s.\nCarry it to each key: ctm update repo sign --carry %s --key KEY.pem\nThen back: ctm update repo merge --dir %s --carry %s\n",
		left, left == 1 ? "" : "s", repo_opts.out, repo_opts.out, repo_opts.dir, repo_opts.out);
	return 0;
}

/* --- sign -------------------------------------------------------------------------------------------------------------- */

static int load_carry(const char *path, ctm_json **out, struct ctm_err *err)
{
	int rc = needs(path, "carry", err);
	if (!rc)
		rc = ctm_json_load(path, CTM_CARRY_MAX, out, err);
	if (rc)
		return rc;
	return ctm_carry_check(*out, NULL, err);
}

static void show_role(const char *name, const ctm_json *row)
{
	const ctm_json *ids = ctm_json_get(row, "keyids"), *paths = ctm_json_get(row, "paths");
	printf("    %s: %lld of", name, (long long)ctm_json_geti(row, "threshold", 0));
	for (size_t i = 0; i < ctm_json_len(ids); i++)
		printf(" %.16s", ctm_json_str(ctm_json_at(ids, i)));
	for (size_t i = 0; i < ctm_json_len(paths); i++)
		printf("%s%s", i ? ", " : " for ", ctm_json_str(ctm_json_at(paths, i)));
	putchar('\n');
}

/* What a person signs, in words: roles and their keys, or files with size and digest. */
static void show(const ctm_json *doc)
{
	const ctm_json *b = ctm_json_get(doc, "signed"), *v, *rows = ctm_json_get(ctm_json_get(b, "delegations"), "roles");
	const char *key;
	void *it = NULL;
	printf("%s version %lld, until %s, signed by %s so far\n", ctm_json_gets(doc, "role"), (long long)ctm_json_geti(b, "version", 0),
		ctm_json_gets(b, "expires"), ctm_json_gets(doc, "holds"));
	while (ctm_json_each(ctm_json_get(b, "roles"), &it, &key, &v))
		show_role(key, v);
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		show_role(ctm_json_gets(ctm_json_at(rows, i), "name"), ctm_json_at(rows, i));
	for (it = NULL; ctm_json_each(ctm_json_get(b, "targets"), &it, &key, &v);)
		printf("    %s  %lld bytes  sha256:%.16s\n", key, (long long)ctm_json_geti(v, "length", 0), ctm_json_gets(ctm_json_get(v, "hashes"), "sha256"));
}

static int sign_doc(const ctm_json *doc, const struct ctm_key *k, const char *id, ctm_json *out, bool *signed_it, struct ctm_err *err)
{
	ctm_json *d = ctm_json_copy(doc);
	int rc = 0;
	*signed_it = ctm_carry_listed(ctm_json_get(doc, "entitled"), id);
	if (*signed_it)
		rc = ctm_role_sign(d, k, err);
	return ctm_json_add(out, d) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory") : rc;
}

int repo_carry_sign(const char **args, struct ctm_err *err)
{
	CTM_AUTO_JSON *carry = NULL, *key = NULL;
	CTM_AUTO_KEY *k = NULL;
	char id[CTM_ROLE_ID];
	ctm_json *docs;
	size_t n = 0;
	int rc = needs(repo_opts.key, "key", err);
	if (!rc)
		rc = load_carry(repo_opts.carry, &carry, err);
	if (!rc)
		rc = ctm_key_load(repo_opts.key, &k, err);
	if (!rc)
		rc = ctm_role_key(k, &key, id, err);
	if (rc)
		return rc;
	docs = ctm_json_arr();
	printf("Repository %s, key %.16s\n", ctm_json_gets(carry, "repository"), id);
	for (size_t i = 0; !rc && i < ctm_json_len(ctm_json_get(carry, "documents")); i++) {
		const ctm_json *doc = ctm_json_at(ctm_json_get(carry, "documents"), i);
		bool signed_it = false;
		show(doc);
		rc = sign_doc(doc, k, id, docs, &signed_it, err);
		printf("  %s\n", signed_it ? "signed" : "not this key's to sign");
		n += signed_it;
	}
	if (ctm_json_set(carry, "documents", docs) && !rc)
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	if (!rc && !n)
		rc = ctm_fail(err, CTM_E_GUARD, "key", NULL, "this key may sign nothing in %s", repo_opts.carry);
	return rc ? rc : write_carry(repo_opts.out ? repo_opts.out : repo_opts.carry, carry, err);
}

/* --- merge ------------------------------------------------------------------------------------------------------------- */

static bool holds_under(const char *role, const ctm_json *e, const ctm_json *keys, const char *id)
{
	CTM_AUTO_JSON *one = ctm_json_obj();
	ctm_json *ids = ctm_json_arr();
	struct ctm_tuf_signers s = { 0 };
	int bad = ctm_json_adds(ids, id) | ctm_json_seti(one, "threshold", 1);
	bad |= ctm_json_set(one, "keyids", ids);
	return !bad && !ctm_role_judge(e, ctm_role_type(role), keys, one, &s, NULL) && s.count == 1;
}

/* Does this key's signature verify? A root's may be of a key that only the root before it knows. */
static bool holds(const char *role, const ctm_json *e, const ctm_json *rule, const ctm_json *before, const char *id)
{
	return holds_under(role, e, ctm_json_get(rule, "keys"), id) ||
		(before && ctm_streq(role, "root") && holds_under(role, e, ctm_json_get(before, "keys"), id));
}

/* Signatures of a carried document into the staged one. A signature that does not verify is refused with all that came. */
static int merge_one(const struct repo *r, const ctm_json *doc, struct ctm_err *err)
{
	const char *role = ctm_json_gets(doc, "role");
	const ctm_json *sigs = ctm_json_get(doc, "signatures");
	CTM_AUTO_JSON *e = NULL, *who = NULL, *rule = NULL, *before = NULL;
	char a[72], b[72];
	unsigned have = 0, need = 0;
	int rc = repo_staged(r, role, &e, err);
	if (rc)
		return rc;
	if (!e)
		return ctm_fail(err, CTM_E_STATE, "carry", NULL, "%s is not staged any more; it was published, or nothing was changed since", role);
	if ((rc = ctm_role_digest(ctm_json_get(e, "signed"), a, err)) || (rc = ctm_role_digest(ctm_json_get(doc, "signed"), b, err)))
		return rc;
	if (strcmp(a, b))
		return ctm_fail(err, CTM_E_CONFLICT, "carry", NULL, "%s was changed after it was carried away; prepare and sign it again", role);
	if ((rc = repo_rule(r, role, &rule, err)) || (rc = repo_published(r, "root", &before, err)))
		return rc;
	if (!(who = ctm_carry_entitled(role, rule, ctm_json_get(before, "signed"))))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	for (size_t i = 0; !rc && i < ctm_json_len(sigs); i++) {
		const char *id = ctm_json_gets(ctm_json_at(sigs, i), "keyid"), *sig = ctm_json_gets(ctm_json_at(sigs, i), "sig");
		if (!id || !sig || !ctm_carry_listed(who, id))
			return ctm_fail(err, CTM_E_GUARD, "carry", NULL, "%s carries a signature of a key that may not sign it", role);
		rc = ctm_role_put(e, id, sig, err);
		if (!rc && !holds(role, e, rule, ctm_json_get(before, "signed"), id))
			rc = ctm_fail(err, CTM_E_VERIFY, "carry", NULL, "%s carries a signature of the key %.16s that does not verify; nothing of it was taken", role, id);
	}
	if (rc || (rc = repo_judge(r, role, e, &have, &need, err)) || (rc = repo_stage(r, role, e, err)))
		return rc;
	printf("%s: signed by %u of %u\n", role, have, need);
	return 0;
}

int repo_carry_merge(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *carry = NULL;
	int rc = load_carry(repo_opts.carry, &carry, err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = ctm_carry_check(carry, ctm_json_gets(r.conf, "name"), err);
	for (size_t i = 0; !rc && i < ctm_json_len(ctm_json_get(carry, "documents")); i++)
		rc = merge_one(&r, ctm_json_at(ctm_json_get(carry, "documents"), i), err);
	return rc;
}
