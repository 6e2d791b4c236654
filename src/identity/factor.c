/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/factor.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/seal.h"
#include "identity/password.h"
#include "identity/totp.h"
#include "store/audit.h"
#include <ctype.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>

/* Crockford's alphabet in small letters: no i, l, o, u. */
#define ALPHABET "0123456789abcdefghjkmnpqrstvwxyz"
#define CODE_LEN 12

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* ---- reading ---- */

int ctm_password_of(struct ctm_cx *cx, const char *person, struct ctm_password *out)
{
	struct ctm_password p = { .set = false };
	CTM_AUTO_Q *q = ctm_q(cx->db, "password.get");
	ctm_q_text(q, "person", person);
	int rc = ctm_q_step(q, &p.set, cx->err);
	if (!rc && p.set) {
		ctm_copy(p.hash, sizeof p.hash, ctm_q_str(q, "hash"));
		p.characters = ctm_q_i64(q, "characters");
		p.set_ms = ctm_q_i64(q, "set_ms");
		p.used_ms = ctm_q_i64(q, "used_ms");
	}
	*out = p;
	return rc;
}

int ctm_totp_of(struct ctm_cx *cx, const char *person, const char *state, struct ctm_totp *out)
{
	struct ctm_totp t = { .set = false };
	CTM_AUTO_Q *q = ctm_q(cx->db, "totp.get");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "state", state);
	int rc = ctm_q_step(q, &t.set, cx->err);
	if (!rc && t.set) {
		ctm_copy(t.sealed, sizeof t.sealed, ctm_q_str(q, "sealed"));
		t.step = ctm_q_i64(q, "step");
		t.made_ms = ctm_q_i64(q, "made_ms");
		t.used_ms = ctm_q_i64(q, "used_ms");
	}
	*out = t;
	return rc;
}

int ctm_people_vault(struct ctm_app *app, struct ctm_vault *out, struct ctm_err *err)
{
	char path[1100];
	int rc = ctm_mkdirs(ctm_app_dir(app, "keys", path, sizeof path), 0700, err);
	return rc ? rc : ctm_vault_open(ctm_app_dir(app, "keys/people.key", path, sizeof path), out, err);
}

static void purpose_of(const char *person, char out[64]) { snprintf(out, 64, "totp:%s", person); }

int ctm_totp_secret(struct ctm_cx *cx, const char *person, const char *sealed, uint8_t key[CTM_TOTP_KEY])
{
	struct ctm_buf b = CTM_BUF(256);
	CTM_AUTO_VAULT v = { { 0 } };
	char purpose[64];
	purpose_of(person, purpose);
	int rc = ctm_people_vault(cx->app, &v, cx->err);
	if (!rc)
		rc = ctm_vault_unseal(&v, purpose, sealed, &b, cx->err);
	if (!rc && b.len != CTM_TOTP_KEY)
		rc = ctm_fail(cx->err, CTM_E_VERIFY, "totp", NULL, "the stored secret of the authenticator app is damaged");
	if (!rc)
		memcpy(key, b.p, CTM_TOTP_KEY);
	ctm_seal_wipe(&b);
	return rc;
}

void ctm_recovery_plain(const char *typed, char out[64])
{
	size_t n = 0;
	for (; *typed && n < 63; typed++) {
		char c = (char)tolower((unsigned char)*typed);
		if (c != '-' && c != ' ')
			out[n++] = c == 'o' ? '0' : c == 'i' || c == 'l' ? '1' : c;
	}
	out[n] = 0;
}

bool ctm_second_factor_required(struct ctm_cx *cx)
{
	return !ctm_streq(ctm_app_conf(cx->app, "second_factor", "required"), "optional");
}

static int recovery_json(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "recovery.state");
	ctm_q_text(q, "person", cx->who->person_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	ctm_json *r = ctm_q_i64(q, "n") ? ctm_json_obj() : ctm_json_news(NULL);
	if (ctm_q_i64(q, "n") && (ctm_json_seti(r, "open", ctm_q_i64(q, "open")) | ctm_json_seti(r, "made_ms", ctm_q_i64(q, "made_ms")))) {
		ctm_json_free(r);
		return nomem(cx->err);
	}
	return ctm_json_set(out, "recovery", r);
}

static ctm_json *times(const char *first, int64_t first_ms, int64_t used_ms)
{
	ctm_json *o = ctm_json_obj();
	if (ctm_json_seti(o, first, first_ms) | (used_ms ? ctm_json_seti(o, "used_ms", used_ms) : ctm_json_sets(o, "used_ms", NULL))) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

int ctm_factors_json(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_password p;
	struct ctm_totp t;
	bool fresh = false;
	int rc = ctm_session_fresh(cx, &fresh);
	rc = rc ? rc : ctm_password_of(cx, cx->who->person_id, &p);
	rc = rc ? rc : ctm_totp_of(cx, cx->who->person_id, "active", &t);
	if (rc)
		return rc;
	ctm_json *pw = p.set ? times("set_ms", p.set_ms, p.used_ms) : ctm_json_news(NULL);
	int bad = ctm_json_setb(out, "fresh", fresh) | ctm_json_setb(out, "required", ctm_second_factor_required(cx));
	if (p.set)
		bad |= ctm_json_setb(pw, "short", p.characters < CTM_PASSWORD_ALONE);
	bad |= ctm_json_set(out, "password", pw);
	bad |= ctm_json_set(out, "totp", t.set ? times("made_ms", t.made_ms, t.used_ms) : ctm_json_news(NULL));
	bad |= ctm_json_seti(out, "least", t.set ? CTM_PASSWORD_WITH : CTM_PASSWORD_ALONE);
	return bad ? nomem(cx->err) : recovery_json(cx, out);
}

/* ---- changing ---- */

static int told(struct ctm_cx *cx, const char *action, const char *was, const char *is)
{
	return ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), action, "person", cx->who->person_id, was, is, cx->err);
}

static int run_for(struct ctm_cx *cx, const char *statement, int64_t *changed)
{
	struct ctm_q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, "person", cx->who->person_id);
	return ctm_q_run(q, changed, cx->err);
}

int ctm_prepare_password_set(struct ctm_cx *cx)
{
	const char *word = ctm_in(cx, "password");
	char hash[CTM_PWHASH_MAX];
	struct ctm_totp t;
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_totp_of(cx, cx->who->person_id, "active", &t);
	if (rc)
		return rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "person.get");
		ctm_q_text(q, "id", cx->who->person_id);
		if ((rc = ctm_q_one(q, cx->err)) || (rc = ctm_password_good(word, t.set, ctm_q_str(q, "name"), ctm_q_str(q, "email"), cx->err)))
			return rc;
	}
	if (!ctm_streq(word, ctm_in(cx, "again")))
		return ctm_fail(cx->err, CTM_E_INPUT, "again", NULL, "the two are not the same; type the password twice");
	if ((rc = ctm_pwhash(word, strlen(word), hash, cx->err)))
		return rc;
	if (!(cx->prepared = ctm_json_obj()) || ctm_json_sets(cx->prepared, "hash", hash) || ctm_json_seti(cx->prepared, "characters", (int64_t)ctm_password_length(word)))
		return nomem(cx->err);
	return 0;
}

int ctm_uc_password_set(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_totp t;
	int64_t characters = ctm_json_geti(cx->prepared, "characters", 0);
	struct ctm_password before;
	int rc = ctm_totp_of(cx, cx->who->person_id, "active", &t);
	rc = rc ? rc : ctm_password_of(cx, cx->who->person_id, &before);
	if (!rc && !t.set && characters < CTM_PASSWORD_ALONE)
		rc = ctm_fail(cx->err, CTM_E_CONFLICT, "password", NULL, "the authenticator app was removed in the meantime; the password must be longer now");
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "password.put");
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_text(q, "hash", ctm_json_gets(cx->prepared, "hash"));
	ctm_q_int(q, "characters", characters);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	q = ctm_q(cx->db, "session.revoke_others");
	ctm_q_text(q, "keep", cx->who->session_id);
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)) || (rc = told(cx, "password.set", before.set ? "an earlier password" : "none", "set, other sessions ended")))
		return rc;
	cx->location = "/account?notice=account.password_set";
	return ctm_json_setb(out, "set", true);
}

int ctm_uc_password_remove(struct ctm_cx *cx, ctm_json *out)
{
	int64_t changed = 0;
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : run_for(cx, "password.remove", &changed);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "you have no password");
	rc = rc ? rc : told(cx, "password.remove", "set", "none");
	cx->location = "/account?notice=account.password_removed";
	return rc ? rc : ctm_json_setb(out, "removed", true);
}

/* ---- authenticator app ---- */

int ctm_prepare_totp_offer(struct ctm_cx *cx)
{
	uint8_t key[CTM_TOTP_KEY];
	char purpose[64];
	CTM_AUTO_VAULT v = { { 0 } };
	CTM_AUTO_BUF text = CTM_BUF(255);
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_people_vault(cx->app, &v, cx->err);
	if (rc)
		return rc;
	ctm_random(key, sizeof key);
	purpose_of(cx->who->person_id, purpose);
	rc = ctm_vault_seal(&v, purpose, key, sizeof key, &text, cx->err);
	explicit_bzero(key, sizeof key);
	if (!rc && (!(cx->prepared = ctm_json_obj()) || ctm_json_sets(cx->prepared, "sealed", ctm_buf_cstr(&text))))
		rc = nomem(cx->err);
	return rc;
}

int ctm_uc_totp_offer(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_q *q = ctm_q(cx->db, "totp.offer");
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_text(q, "sealed", ctm_json_gets(cx->prepared, "sealed"));
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, NULL, cx->err);
	rc = rc ? rc : told(cx, "totp.offer", "not offered", "offered");
	cx->location = "/account/authenticator";
	return rc ? rc : ctm_json_setb(out, "offered", true);
}

/* The secret that was offered to the asker and waits for its first code. */
static int offered(struct ctm_cx *cx, uint8_t key[CTM_TOTP_KEY])
{
	struct ctm_totp t;
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_totp_of(cx, cx->who->person_id, "offered", &t);
	if (!rc && (!t.set || cx->now_ms - t.made_ms > CTM_OFFER_TTL_MS))
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "begin on your account page: there you get a code to scan, good for half an hour");
	return rc ? rc : ctm_totp_secret(cx, cx->who->person_id, t.sealed, key);
}

static int address_of(struct ctm_cx *cx, const uint8_t *key, struct ctm_buf *out)
{
	const char *url = ctm_app_public_url(cx->app), *host = strstr(url, "://");
	char issuer[200];
	snprintf(issuer, sizeof issuer, "ctm %.*s", (int)strcspn(host ? host + 3 : url, ":/"), host ? host + 3 : url);
	CTM_AUTO_Q *q = ctm_q(cx->db, "person.get");
	ctm_q_text(q, "id", cx->who->person_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	ctm_totp_address(key, CTM_TOTP_KEY, issuer, ctm_q_str(q, "email"), out);
	return ctm_buf_err(out, "totp", cx->err);
}

int ctm_uc_totp_page(struct ctm_cx *cx, ctm_json *out)
{
	uint8_t key[CTM_TOTP_KEY];
	struct ctm_buf raw = CTM_BUF(64), spaced = CTM_BUF(80), address = CTM_BUF(2048);
	int rc = offered(cx, key);
	if (rc)
		return rc;
	ctm_base32(key, sizeof key, &raw);
	for (size_t i = 0; i < raw.len; i++) {
		if (i && i % 4 == 0)
			ctm_buf_chr(&spaced, ' ');
		ctm_buf_chr(&spaced, raw.p[i]);
	}
	rc = address_of(cx, key, &address);
	explicit_bzero(key, sizeof key);
	if (!rc)
		rc = ctm_json_sets(out, "secret", ctm_buf_cstr(&spaced)) | ctm_json_sets(out, "address", ctm_buf_cstr(&address)) ? nomem(cx->err) : 0;
	ctm_seal_wipe(&raw);
	ctm_seal_wipe(&spaced);
	ctm_seal_wipe(&address);
	return rc;
}

/* One path of unit squares, four modules of quiet around it (ISO/IEC 18004); black on white in both themes, so that cameras read it. */
int ctm_uc_totp_qr(struct ctm_cx *cx, ctm_json *out)
{
	uint8_t key[CTM_TOTP_KEY];
	struct ctm_buf address = CTM_BUF(2048);
	CTM_AUTO_BUF svg = CTM_BUF(256 * 1024);
	int rc = offered(cx, key);
	rc = rc ? rc : address_of(cx, key, &address);
	explicit_bzero(key, sizeof key);
	QRcode *q = rc ? NULL : QRcode_encodeString8bit(ctm_buf_cstr(&address), 0, QR_ECLEVEL_M);
	ctm_seal_wipe(&address);
	if (!q)
		return rc ? rc : nomem(cx->err);
	int n = q->width;
	ctm_buf_printf(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-4 -4 %d %d\" shape-rendering=\"crispEdges\"><rect x=\"-4\" y=\"-4\" width=\"%d\" height=\"%d\" fill=\"#fff\"/><path d=\"",
		n + 8, n + 8, n + 8, n + 8);
	for (int i = 0; i < n * n; i++)
		if (q->data[i] & 1)
			ctm_buf_printf(&svg, "M%d %dh1v1h-1z", i % n, i / n);
	ctm_buf_str(&svg, "\"/></svg>\n");
	QRcode_free(q);
	char *copy = svg.failed ? NULL : ctm_arena_ndup(cx->arena, svg.p, svg.len);
	if (!copy)
		return nomem(cx->err);
	cx->raw = (struct ctm_raw){ .type = "image/svg+xml", .p = copy, .n = svg.len, .cache = "no-store" };
	return 0;
}

int ctm_prepare_totp_accept(struct ctm_cx *cx)
{
	uint8_t key[CTM_TOTP_KEY];
	int64_t step = 0;
	char code[64];
	int rc = offered(cx, key);
	if (rc)
		return rc;
	ctm_recovery_plain(ctm_in(cx, "code"), code);
	bool fits = ctm_totp_fits(key, sizeof key, cx->now_ms, code, &step);
	explicit_bzero(key, sizeof key);
	if (!fits)
		return ctm_fail(cx->err, CTM_E_VERIFY, "code", "RFC 6238", "this is not the code of this moment; look at the app again, and see that the clock of your device is right");
	if (!(cx->prepared = ctm_json_obj()) || ctm_json_seti(cx->prepared, "step", step))
		return nomem(cx->err);
	return 0;
}

int ctm_uc_totp_accept(struct ctm_cx *cx, ctm_json *out)
{
	int64_t changed = 0;
	struct ctm_q *q = ctm_q(cx->db, "totp.accept");
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_int(q, "step", ctm_json_geti(cx->prepared, "step", 0));
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, &changed, cx->err);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "this code to scan was used already; begin again on your account page");
	if (!rc) {
		q = ctm_q(cx->db, "totp.remove");
		ctm_q_text(q, "person", cx->who->person_id);
		ctm_q_text(q, "state", "offered");
		rc = ctm_q_run(q, NULL, cx->err);
	}
	rc = rc ? rc : told(cx, "totp.add", "offered", "active");
	cx->location = "/account?notice=account.totp_added";
	return rc ? rc : ctm_json_setb(out, "added", true);
}

int ctm_uc_totp_remove(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_password p;
	int64_t changed = 0;
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_password_of(cx, cx->who->person_id, &p);
	if (!rc && p.set && p.characters < CTM_PASSWORD_ALONE)
		rc = ctm_fail(cx->err, CTM_E_GUARD, NULL, "NIST SP 800-63B 3.1.1.2", "your password is too short to stand without the app; first set one of %d characters, or remove it", CTM_PASSWORD_ALONE);
	rc = rc ? rc : run_for(cx, "totp.remove_all", &changed);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "you have no authenticator app here");
	rc = rc ? rc : run_for(cx, "recovery.clear", NULL);
	rc = rc ? rc : told(cx, "totp.remove", "active", "none, recovery codes ended");
	cx->location = "/account?notice=account.totp_removed";
	return rc ? rc : ctm_json_setb(out, "removed", true);
}

/* ---- recovery codes ---- */

static void new_code(char plain[CODE_LEN + 1], char shown[CODE_LEN + 3])
{
	uint8_t r[CODE_LEN];
	ctm_random(r, sizeof r);
	for (size_t i = 0; i < CODE_LEN; i++)
		plain[i] = ALPHABET[r[i] & 31];
	plain[CODE_LEN] = 0;
	snprintf(shown, CODE_LEN + 3, "%.4s-%.4s-%.4s", plain, plain + 4, plain + 8);
}

int ctm_prepare_recovery_make(struct ctm_cx *cx)
{
	char salt[CTM_CODE_SALT_MAX], plain[CODE_LEN + 1], shown[CODE_LEN + 3], hash[CTM_CODE_HASH_MAX];
	struct ctm_totp t;
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_totp_of(cx, cx->who->person_id, "active", &t);
	if (!rc && !t.set)
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "recovery codes stand in for an authenticator app; set one up first");
	if (rc)
		return rc;
	ctm_json *codes = ctm_json_arr(), *hashes = ctm_json_arr();
	ctm_code_salt(salt);
	for (int i = 0; i < CTM_RECOVERY_CODES && !rc; i++) {
		new_code(plain, shown);
		rc = ctm_code_hash(salt, plain, CODE_LEN, hash, cx->err);
		if (!rc && (ctm_json_adds(codes, shown) | ctm_json_adds(hashes, hash)))
			rc = nomem(cx->err);
	}
	explicit_bzero(plain, sizeof plain);
	explicit_bzero(shown, sizeof shown);
	cx->prepared = ctm_json_obj();
	if (ctm_json_set(cx->prepared, "codes", codes) | ctm_json_set(cx->prepared, "hashes", hashes) | ctm_json_sets(cx->prepared, "salt", salt))
		rc = rc ? rc : nomem(cx->err);
	return rc;
}

/* The one answer that holds the codes; the old set ends with it. */
int ctm_uc_recovery_make(struct ctm_cx *cx, ctm_json *out)
{
	const ctm_json *hashes = ctm_json_get(cx->prepared, "hashes");
	int rc = run_for(cx, "recovery.clear", NULL);
	for (size_t i = 0; i < ctm_json_len(hashes) && !rc; i++) {
		struct ctm_q *q = ctm_q(cx->db, "recovery.add");
		ctm_q_text(q, "person", cx->who->person_id);
		ctm_q_text(q, "hash", ctm_json_str(ctm_json_at(hashes, i)));
		ctm_q_text(q, "salt", ctm_json_gets(cx->prepared, "salt"));
		ctm_q_int(q, "now", cx->now_ms);
		rc = ctm_q_run(q, NULL, cx->err);
	}
	rc = rc ? rc : told(cx, "recovery.make", "earlier codes or none", "ten new codes");
	if (!rc && (ctm_json_set(out, "codes", ctm_json_copy(ctm_json_get(cx->prepared, "codes"))) | ctm_json_sets(out, "person", cx->who->person_name) |
		ctm_json_seti(out, "made_ms", cx->now_ms)))
		rc = nomem(cx->err);
	return rc;
}
