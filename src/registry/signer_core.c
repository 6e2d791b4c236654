/* SPDX-License-Identifier: Apache-2.0
 *
 * Signer. Order within one request: limit, rules, journal (durable), signature, answer. A signature that was journalled but
 * never left the process is harmless: the same request gives the same bytes again.
 */
#include "registry/signer_core.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/role.h"
#include "crypto/x509.h"
#include "ctm/director.h"
#include "registry/signer_journal.h"
#include "registry/signer_rules.h"
#include "registry/signer_tuf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS 4096
#define PER_MINUTE 600
#define CONF_MAX (1 << 20)

struct signed_version { struct signed_version *next; char record[CTM_PUBID_MAX]; int64_t version; char status[24], digest[CTM_DIGEST_MAX]; };
enum which { K_LOG, K_CLA, K_CA, K_LAB, K_SNAPSHOT, K_TIMESTAMP, K_DIRECTOR, K_COUNT };
static const char *const key_names[K_COUNT] = { "log", "cla", "ca", "lab", "snapshot", "timestamp", "director" };

struct ctm_signer {
	struct ctm_key *key[K_COUNT];
	char origin[CTM_NOTE_NAME_MAX];
	char name[K_COUNT][200];           /* names from the trust list, "" when it has none */
	char *ca_pem;
	struct ctm_journal journal;
	struct ctm_checkpoint last;
	struct signed_version *seen[BUCKETS];
	struct ctm_signed_roles *roles;    /* snapshots and timestamps of update repositories */
	int64_t per_minute, tokens_us, refilled_us;
	bool held;                         /* STATE/signer.hold is there: restored, and the world's log was not compared yet */
};

void ctm_signer_close(struct ctm_signer *s)
{
	if (!s)
		return;
	for (int i = 0; i < K_COUNT; i++)
		ctm_key_free(s->key[i]);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct signed_version *v = s->seen[i], *next; v; v = next) {
			next = v->next;
			free(v);
		}
	ctm_signed_roles_free(s->roles);
	ctm_journal_close(&s->journal);
	free(s->ca_pem);
	free(s);
}

void ctm_signer_closep(struct ctm_signer **s)
{
	ctm_signer_close(*s);
	*s = NULL;
}

int ctm_signer_journal_fd(const struct ctm_signer *s)
{
	return s->journal.fd;
}

const char *ctm_signer_origin(const struct ctm_signer *s)
{
	return s->origin;
}

/* --- what was signed ----------------------------------------------------------------------------------------------- */

static size_t bucket(const char *record)
{
	uint32_t h = 2166136261u;

	for (; *record; record++)
		h = (h ^ (unsigned char)*record) * 16777619u;
	return h % BUCKETS;
}

static struct ctm_signed_record known(const struct ctm_signer *s, const char *record, int64_t version)
{
	struct ctm_signed_record k = { 0 };

	for (const struct signed_version *v = s->seen[bucket(record)]; v; v = v->next) {
		if (strcmp(v->record, record))
			continue;
		if (v->version > k.version) {
			k.version = v->version;
			ctm_copy(k.status, sizeof k.status, v->status);
		}
		if (v->version == version)
			ctm_copy(k.same_version, sizeof k.same_version, v->digest);
	}
	return k;
}

static int remember(struct ctm_signer *s, const char *record, int64_t version, const char *status, const char *digest)
{
	struct signed_version *v = calloc(1, sizeof *v);
	size_t b = bucket(record);

	if (!v)
		return CTM_E_NOMEM;
	ctm_copy(v->record, sizeof v->record, record);
	ctm_copy(v->status, sizeof v->status, status);
	ctm_copy(v->digest, sizeof v->digest, digest);
	v->version = version;
	v->next = s->seen[b];
	s->seen[b] = v;
	return 0;
}

static int replay(void *arg, const ctm_json *line, struct ctm_err *err)
{
	struct ctm_signer *s = arg;
	const char *op = ctm_json_gets(line, "op"), *record = ctm_json_gets(line, "record"), *root = ctm_json_gets(line, "root");

	if (ctm_streq(op, "statement") && record) {
		const char *status = ctm_json_gets(line, "status"), *digest = ctm_json_gets(line, "payload");
		return remember(s, record, ctm_json_geti(line, "version", 0), status ? status : "", digest ? digest : "") ?
			ctm_fail(err, CTM_E_NOMEM, "journal", NULL, "out of memory") : 0;
	}
	if (ctm_streq(op, "checkpoint") && root) {
		CTM_AUTO_BUF b = CTM_BUF(CTM_SHA256);
		if (ctm_unb64(root, strlen(root), &b) || b.len != CTM_SHA256)
			return ctm_fail(err, CTM_E_VERIFY, "signer.journal", NULL, "A checkpoint in signer.journal has no root.");
		s->last.size = ctm_json_geti(line, "size", 0);
		memcpy(s->last.root, b.p, CTM_SHA256);
	}
	for (enum which k = K_SNAPSHOT; k <= K_TIMESTAMP; k++)
		if (op && ctm_starts(op, "tuf-") && ctm_streq(op + 4, key_names[k]) && ctm_signed_roles_add(&s->roles, key_names[k], line))
			return ctm_fail(err, CTM_E_VERIFY, "signer.journal", NULL, "A %s in signer.journal cannot be read.", key_names[k]);
	return 0;
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

static int load_keys(struct ctm_signer *s, const char *dir, struct ctm_err *err)
{
	char path[4096];

	for (int i = 0; i < K_COUNT; i++) {
		struct ctm_err local = { 0 };
		snprintf(path, sizeof path, "%s/keys/%s.pem", dir, key_names[i]);
		int rc = ctm_key_load(path, &s->key[i], &local);
		if (rc && (rc != CTM_E_NOTFOUND || i <= K_CLA))
			return ctm_fail(err, rc, path, NULL, "%s", local.msg);
		enum ctm_alg want = i == K_CA ? CTM_ALG_ES256 : CTM_ALG_ED25519;
		if (s->key[i] && ctm_key_alg(s->key[i]) != want)
			return ctm_fail(err, CTM_E_INPUT, path, NULL, "%s is not %s key.", path, i == K_CA ? "a P-256" : "an Ed25519");
	}
	return 0;
}

static void name_key(struct ctm_signer *s, enum which k, const ctm_json *list)
{
	char id[17];

	if (!s->key[k])
		return;
	ctm_key_id(s->key[k], id);
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *name = ctm_json_gets(ctm_json_at(list, i), "name");
		if (name && ctm_streq(ctm_json_gets(ctm_json_at(list, i), "key_id"), id))
			ctm_copy(s->name[k], sizeof s->name[k], name);
	}
}

static int load_conf(struct ctm_signer *s, const char *dir, struct ctm_err *err)
{
	char path[4096];
	CTM_AUTO_JSON *conf = NULL;
	CTM_AUTO_JSON *trust = NULL;
	int rc;

	snprintf(path, sizeof path, "%s/ctm.json", dir);
	if ((rc = ctm_json_load(path, CONF_MAX, &conf, err)))
		return rc;
	const char *origin = ctm_json_gets(conf, "origin");
	if (!ctm_note_name_ok(origin))
		return ctm_fail(err, CTM_E_INPUT, "/origin", NULL, "%s: \"origin\" is not a log name.", path);
	ctm_copy(s->origin, sizeof s->origin, origin);
	ctm_copy(s->last.origin, sizeof s->last.origin, origin);
	s->per_minute = ctm_json_geti(conf, "signer_per_minute", PER_MINUTE);
	if (s->per_minute < 1 || s->per_minute > 1000000)
		return ctm_fail(err, CTM_E_INPUT, "/signer_per_minute", NULL, "%s: \"signer_per_minute\" is a number from 1 to 1000000.", path);
	snprintf(path, sizeof path, "%s/trust.json", dir);
	if ((rc = ctm_json_load(path, CONF_MAX, &trust, err)))
		return rc;
	name_key(s, K_CLA, ctm_json_get(trust, "cla"));
	name_key(s, K_LAB, ctm_json_get(trust, "lab"));
	const char *ca = ctm_json_gets(trust, "device_ca");
	if (ca && *ca && !(s->ca_pem = strdup(ca)))
		return ctm_fail(err, CTM_E_NOMEM, "trust.json", NULL, "out of memory");
	return 0;
}

/* A published head that the journal does not know means the journal was cut or belongs elsewhere. */
static int check_published(struct ctm_signer *s, const char *dir, struct ctm_err *err)
{
	char path[4096];
	uint8_t pub[65];
	CTM_AUTO_BUF note = CTM_BUF(CTM_NOTE_MAX), vkey = CTM_BUF(512);
	struct ctm_checkpoint cp;
	struct ctm_vkey vk;
	int rc;

	snprintf(path, sizeof path, "%s/public/log/checkpoint", dir);
	if (ctm_file_read(path, CTM_NOTE_MAX, &note, NULL) == CTM_E_NOTFOUND)
		return 0;
	ctm_key_raw(s->key[K_LOG], pub);
	ctm_vkey_write(s->origin, pub, &vkey);
	if ((rc = ctm_vkey_parse(ctm_buf_cstr(&vkey), &vk, err)) || (rc = ctm_checkpoint_verify(ctm_buf_cstr(&note), note.len, &vk, &cp, NULL, err)))
		return ctm_fail_prefix(err, "The published checkpoint is not this signer's: ");
	if (cp.size > s->last.size || (cp.size == s->last.size && memcmp(cp.root, s->last.root, CTM_SHA256)))
		return ctm_fail(err, CTM_E_VERIFY, "signer.journal", NULL,
			"The published log has %lld entries, but signer.journal ends at %lld: lines are missing from it. Restore the journal; nothing is signed before.",
			(long long)cp.size, (long long)s->last.size);
	return 0;
}

int ctm_signer_open(const char *dir, struct ctm_signer **out, struct ctm_err *err)
{
	struct ctm_signer *s = calloc(1, sizeof *s);
	char path[4096];
	int rc;

	if (!s)
		return ctm_fail(err, CTM_E_NOMEM, "signer", NULL, "out of memory");
	s->journal.fd = -1;
	snprintf(path, sizeof path, "%s/signer.journal", dir);
	if ((rc = load_keys(s, dir, err)) || (rc = load_conf(s, dir, err)) || (rc = ctm_journal_open(path, replay, s, &s->journal, err)) ||
	    (rc = check_published(s, dir, err))) {
		ctm_signer_close(s);
		return rc;
	}
	snprintf(path, sizeof path, "%s/signer.hold", dir);
	s->held = !access(path, F_OK) || errno != ENOENT;
	s->tokens_us = 60000000;
	s->refilled_us = ctm_mono_us();
	*out = s;
	return 0;
}

int ctm_signer_warm(struct ctm_signer *s, struct ctm_err *err)
{
	uint8_t sig[64];
	int rc = 0;

	for (int i = 0; i < K_COUNT && !rc; i++)
		if (s->key[i] && ((rc = ctm_key_sign(s->key[i], "warm", 4, sig)) || (rc = ctm_key_verify(s->key[i], "warm", 4, sig, 64))))
			return ctm_fail(err, rc, key_names[i], NULL, "The key %s does not sign.", key_names[i]);
	if (s->key[K_CA] && s->ca_pem) {
		CTM_AUTO_KEY *k = NULL;
		CTM_AUTO_BUF csr = CTM_BUF(16384), pem = CTM_BUF(16384);
		struct ctm_cert_info info;
		if ((rc = ctm_key_generate(CTM_ALG_ES256, &k, err)) || (rc = ctm_csr_new(k, "WARM-0", "warm", &csr, err)) || (rc = ctm_csr_read(csr.p, csr.len, &info, err)) ||
		    (rc = ctm_cert_issue(s->key[K_CA], s->ca_pem, csr.p, csr.len, CTM_CERT_DEVICE, "warm", "warm.example", "127.0.0.1", ctm_now_ms(), 1, &pem, err)))
			return ctm_fail_prefix(err, "The CA key cannot issue: ");
	}
	return 0;
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

/* One signature costs a minute divided by per_minute; the bucket holds one minute. */
static int take_token(struct ctm_signer *s, struct ctm_err *err)
{
	int64_t now = ctm_mono_us(), cost = 60000000 / s->per_minute;

	s->tokens_us += now - s->refilled_us;
	s->refilled_us = now;
	if (s->tokens_us > 60000000)
		s->tokens_us = 60000000;
	if (s->tokens_us < cost)
		return ctm_fail(err, CTM_E_BUSY, "", "rate", "More than %lld signatures a minute were asked for; try again in a moment.", (long long)s->per_minute);
	s->tokens_us -= cost;
	return 0;
}

static int need(const struct ctm_signer *s, enum which k, struct ctm_err *err)
{
	return s->key[k] ? 0 : ctm_fail(err, CTM_E_NOTFOUND, "/op", "key", "This signer holds no %s key.", key_names[k]);
}

static int set_b64(ctm_json *j, const char *key, const struct ctm_buf *b)
{
	CTM_AUTO_BUF t = CTM_BUF(CTM_JOURNAL_LINE_MAX);

	ctm_b64(&t, b->p, b->len);
	return t.failed ? t.failed : ctm_json_sets(j, key, ctm_buf_cstr(&t));
}

static int journal(struct ctm_signer *s, ctm_json *line, int rc, struct ctm_err *err)
{
	if (rc)
		return ctm_fail(err, rc, "journal", NULL, "The journal line cannot be made.");
	return ctm_journal_add(&s->journal, ctm_now_ms(), line, err);
}

static int op_statement(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	struct ctm_statement st;
	CTM_AUTO_BUF payload = CTM_BUF(CTM_STATEMENT_MAX), cose = CTM_BUF(CTM_STATEMENT_MAX + 512);
	CTM_AUTO_JSON *line = ctm_json_obj();
	char digest[CTM_DIGEST_MAX];
	int rc;

	if ((rc = ctm_rule_statement(ctm_json_get(req, "statement"), ctm_json_get(req, "decision"), &st, err)) || (rc = ctm_statement_write(&st, &payload, err)))
		return rc;
	ctm_digest_of(payload.p, payload.len, digest);
	struct ctm_signed_record k = known(s, st.record, st.version);
	if ((rc = ctm_rule_statement_order(&st, digest, &k, err)))
		return rc;
	rc = ctm_json_sets(line, "op", "statement");
	rc = rc ? rc : ctm_json_sets(line, "record", st.record);
	rc = rc ? rc : ctm_json_seti(line, "version", st.version);
	rc = rc ? rc : ctm_json_sets(line, "kind", st.kind);
	rc = rc ? rc : ctm_json_sets(line, "status", st.status);
	rc = rc ? rc : ctm_json_sets(line, "payload", digest);
	rc = rc ? rc : ctm_json_set(line, "decision", ctm_json_copy(ctm_json_get(req, "decision")));
	/* A repetition is signed again but journalled once: the journal holds decisions, not deliveries. */
	if (!*k.same_version && ((rc = journal(s, line, rc, err)) || (rc = remember(s, st.record, st.version, st.status, digest))))
		return rc;
	if ((rc = ctm_statement_sign(&st, s->key[K_CLA], &cose, err)) || (rc = set_b64(reply, "cose", &cose)))
		return rc;
	return 0;
}

static int op_checkpoint(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	struct ctm_checkpoint cp;
	CTM_AUTO_BUF text = CTM_BUF(1024), note = CTM_BUF(4096);
	CTM_AUTO_JSON *line = ctm_json_obj();
	int rc = ctm_rule_checkpoint(req, s->origin, &s->last, &cp, err);

	if (rc)
		return rc;
	if (cp.size > s->last.size) {
		struct ctm_buf root = { .p = (char *)cp.root, .len = CTM_SHA256 };
		rc = ctm_json_sets(line, "op", "checkpoint");
		rc = rc ? rc : ctm_json_seti(line, "size", cp.size);
		rc = rc ? rc : set_b64(line, "root", &root);
		if ((rc = journal(s, line, rc, err)))
			return rc;
		s->last = cp;
	}
	ctm_checkpoint_write(&cp, &text);
	if ((rc = ctm_note_sign(s->key[K_LOG], s->origin, text.p, text.len, &note, err)))
		return rc;
	return ctm_json_sets(reply, "note", ctm_buf_cstr(&note));
}

static int op_certificate(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	struct ctm_rule_cert r;
	CTM_AUTO_BUF pem = CTM_BUF(16384);
	CTM_AUTO_JSON *line = ctm_json_obj();
	int rc = need(s, K_CA, err);

	if (rc || (rc = ctm_rule_certificate(req, &r, err)))
		return rc;
	if (!s->ca_pem)
		return ctm_fail(err, CTM_E_NOTFOUND, "/op", "key", "trust.json holds no device_ca certificate.");
	rc = ctm_json_sets(line, "op", "device-certificate");
	rc = rc ? rc : ctm_json_sets(line, "serial", r.serial);
	rc = rc ? rc : ctm_json_sets(line, "org", r.org);
	rc = rc ? rc : ctm_json_sets(line, "use", r.server ? "server" : "device");
	rc = rc ? rc : ctm_json_seti(line, "days", r.days);
	rc = rc ? rc : ctm_json_sets(line, "spki", r.spki);
	if ((rc = journal(s, line, rc, err)))
		return rc;
	if ((rc = ctm_cert_issue(s->key[K_CA], s->ca_pem, r.csr, strlen(r.csr), r.server ? CTM_CERT_SERVER : CTM_CERT_DEVICE, r.org, r.dns, r.ip, ctm_now_ms(), r.days, &pem, err)))
		return rc;
	rc = ctm_json_sets(reply, "certificate", ctm_buf_cstr(&pem));
	return rc ? rc : ctm_json_sets(reply, "ca", s->ca_pem);
}

static int op_evidence(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	CTM_AUTO_BUF payload = CTM_BUF(CTM_STATEMENT_MAX), cose = CTM_BUF(CTM_STATEMENT_MAX + 512);
	CTM_AUTO_JSON *line = ctm_json_obj();
	int rc = need(s, K_LAB, err);

	if (rc || (rc = ctm_rule_evidence(req, &payload, err)))
		return rc;
	rc = ctm_json_sets(line, "op", "evidence");
	rc = rc ? rc : ctm_json_sets(line, "manifest", ctm_json_gets(req, "manifest_digest"));
	rc = rc ? rc : ctm_json_sets(line, "job", ctm_json_gets(req, "job"));
	if ((rc = journal(s, line, rc, err)))
		return rc;
	if ((rc = ctm_cose_seal(s->key[K_LAB], CTM_SEAL_TYPE, payload.p, payload.len, &cose, err)))
		return rc;
	return set_b64(reply, "cose", &cose);
}

static int op_role(struct ctm_signer *s, enum which k, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	CTM_AUTO_JSON *line = ctm_json_obj(), *key = NULL, *envelope = ctm_role_envelope(ctm_json_copy(ctm_json_get(req, "signed")));
	char id[CTM_ROLE_ID];
	bool again = false;
	int rc = need(s, k, err);

	if (rc || (rc = ctm_role_key(s->key[k], &key, id, err)) || (rc = ctm_rule_role(s->roles, req, key_names[k], id, ctm_now_ms(), line, &again, err)))
		return rc;
	rc = ctm_json_setf(line, "op", "tuf-%s", key_names[k]);
	if (!again && ((rc = journal(s, line, rc, err)) || (rc = ctm_signed_roles_add(&s->roles, key_names[k], line))))
		return rc;
	if ((rc = ctm_role_sign(envelope, s->key[k], err)))
		return rc;
	rc = ctm_json_sets(reply, "keyid", id);
	return rc ? rc : ctm_json_sets(reply, "sig", ctm_json_gets(ctm_json_at(ctm_json_get(envelope, "signatures"), 0), "sig"));
}

static int op_snapshot(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	return op_role(s, K_SNAPSHOT, req, reply, err);
}

static int op_timestamp(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	return op_role(s, K_TIMESTAMP, req, reply, err);
}

static int op_director(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	CTM_AUTO_BUF payload = CTM_BUF(2048), cose = CTM_BUF(4096);
	int rc = need(s, K_DIRECTOR, err);

	if (rc || (rc = ctm_rule_director(req, ctm_now_ms(), &payload, err)) ||
	    (rc = ctm_cose_seal(s->key[K_DIRECTOR], CTM_DIRECTOR_TYPE, payload.p, payload.len, &cose, err)))
		return rc;
	return set_b64(reply, "cose", &cose);
}

static int public_key(const struct ctm_signer *s, enum which k, ctm_json *reply)
{
	uint8_t raw[65];
	char id[17], hex[131];
	ctm_json *j = ctm_json_obj();

	ctm_key_id(s->key[k], id);
	ctm_hex(raw, ctm_key_raw(s->key[k], raw), hex);
	int rc = ctm_json_sets(j, "name", s->name[k]);
	rc = rc ? rc : ctm_json_sets(j, "key_id", id);
	rc = rc ? rc : ctm_json_sets(j, "ed25519", hex);
	int rc2 = ctm_json_set(reply, key_names[k], j);
	return rc ? rc : rc2;
}

static int op_keys(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err)
{
	uint8_t raw[65];
	CTM_AUTO_BUF vkey = CTM_BUF(512);
	ctm_json *log = ctm_json_obj();
	int rc;

	(void)req, (void)err;
	ctm_key_raw(s->key[K_LOG], raw);
	ctm_vkey_write(s->origin, raw, &vkey);
	rc = ctm_json_sets(log, "origin", s->origin);
	rc = rc ? rc : ctm_json_sets(log, "vkey", ctm_buf_cstr(&vkey));
	int rc2 = ctm_json_set(reply, "log", log);
	rc = rc ? rc : rc2;
	for (enum which k = K_CLA; !rc && k < K_COUNT; k++)
		if (k != K_CA && s->key[k])
			rc = public_key(s, k, reply);
	if (rc)
		return rc;
	return ctm_json_sets(reply, "ca", s->ca_pem);
}

static const struct op { const char *name; int (*run)(struct ctm_signer *s, const ctm_json *req, ctm_json *reply, struct ctm_err *err); bool signs, logs; } ops[] = {
	{ "statement", op_statement, true, true },
	{ "checkpoint", op_checkpoint, true, true },
	{ "device-certificate", op_certificate, true },
	{ "evidence", op_evidence, true },
	{ "tuf-snapshot", op_snapshot, true },
	{ "tuf-timestamp", op_timestamp, true },
	{ "director", op_director, true },
	{ "keys", op_keys, false },
};

static ctm_json *refusal(const struct ctm_err *err)
{
	ctm_json *j = ctm_json_obj(), *e = ctm_json_obj();

	int rc = ctm_json_sets(e, "code", ctm_err_name(err->code));
	rc |= ctm_json_sets(e, "field", err->field);
	rc |= ctm_json_sets(e, "rule", err->rule);
	rc |= ctm_json_sets(e, "msg", err->msg);
	rc |= ctm_json_set(j, "error", e);
	if (rc) {
		ctm_json_free(j);
		return NULL;
	}
	return j;
}

ctm_json *ctm_signer_answer(struct ctm_signer *s, const ctm_json *request)
{
	const char *name = ctm_json_gets(request, "op");
	ctm_json *reply = ctm_json_obj();
	struct ctm_err err = { 0 };
	int rc = CTM_E_INPUT;
	size_t i;

	for (i = 0; i < sizeof ops / sizeof *ops; i++)
		if (ctm_streq(name, ops[i].name))
			break;
	if (i == sizeof ops / sizeof *ops)
		rc = ctm_fail(&err, CTM_E_INPUT, "/op", "op", "The signer knows statement, checkpoint, device-certificate, evidence, tuf-snapshot, tuf-timestamp, director and keys; nothing else is signed.");
	else if (ops[i].logs && s->held)
		rc = ctm_fail(&err, CTM_E_GUARD, "/op", "log.restored", "This state was restored from a backup, and the log may have gone on since. Compare the last published "
			"checkpoint: ctm restore --resume --state DIR --log-head FILE, then start the signer again.");
	else if (!ops[i].signs || !(rc = take_token(s, &err)))
		rc = ops[i].run(s, request, reply, &err);
	if (!rc)
		return reply;
	ctm_json_free(reply);
	if (!err.code)
		(void)ctm_fail(&err, rc, "", NULL, "%s", ctm_err_text(rc));
	return refusal(&err);
}
