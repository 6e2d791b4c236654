/* SPDX-License-Identifier: Apache-2.0
 *
 * The mail of an invitation, as a durable job. It is made when it is sent, from the row alone: what was revoked or accepted meanwhile is not
 * sent, and no link lies in a job. The Message-ID belongs to the link, so a mail sent twice around a crash is seen to be one. A refusal for
 * good (5xx, user, TLS) is kept in the row for the inviter, who then sees the link; everything else is tried again.
 */
#include "identity/invitation_in.h"
#include "base/text.h"
#include "crypto/seal.h"
#include "net/mail.h"
#include "net/smtp.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

struct outcome { const char *id, *mail, *why; };

static int keep(struct ctm_cx *cx, void *arg)
{
	const struct outcome *o = arg;
	char why[300];
	snprintf(why, sizeof why, "%s", o->why);
	why[ctm_utf8_span(why, strlen(why))] = 0;
	struct ctm_q *q = ctm_q(cx->db, "invitation.mail");
	ctm_q_text(q, "id", o->id);
	ctm_q_text(q, "mail", o->mail);
	ctm_q_text(q, "why", why);
	int rc = ctm_q_run(q, NULL, cx->err);
	if (!rc && !ctm_streq(o->mail, "waiting"))
		rc = ctm_audit_state(cx->db, cx->now_ms, "ctm", "invitation.mail", "invitation", o->id, "waiting", o->mail, cx->err);
	return rc;
}

static void put(struct ctm_buf *o, const char *text, const char *const *values)
{
	for (; *text; text++)
		if (text[0] == '{' && text[1] >= '0' && text[1] <= '9' && text[2] == '}') {
			ctm_buf_str(o, values[text[1] - '0']);
			text += 2;
		} else {
			ctm_buf_chr(o, *text);
		}
}

/* Both languages: whoever invites does not know which the other reads. */
static int compose(struct ctm_jx *jx, struct ctm_q *q, const struct ctm_smtp_conf *c, struct ctm_buf *out)
{
	static const char *const locales[] = { "en", "es" };
	struct ctm_buf url = CTM_BUF(600);
	CTM_AUTO_BUF subject = CTM_BUF(400), text = CTM_BUF(8000);
	int rc = ctm_invitation_link(jx->app, jx->key, ctm_q_str(q, "sealed"), &url, jx->err);
	if (rc)
		return rc;
	const char *const values[10] = { ctm_q_str(q, "inviter"), ctm_q_str(q, "org"), ctm_buf_cstr(&url), "", "", "", "", "", "", "" };
	put(&subject, ctm_app_message(jx->app, "mail.invite_subject", "en"), values);
	for (size_t i = 0; i < 2; i++) {
		if (i)
			ctm_buf_str(&text, "\n----\n\n");
		put(&text, ctm_app_message(jx->app, "mail.invite_text", locales[i]), values);
		ctm_buf_chr(&text, '\n');
	}
	char id[40];
	snprintf(id, sizeof id, "%.36s", jx->key);
	struct ctm_mail m = { .from = c->from, .to = ctm_q_str(q, "email"), .subject = ctm_buf_cstr(&subject), .text = ctm_buf_cstr(&text), .id = id, .now_ms = jx->now_ms };
	rc = ctm_buf_err(&text, "mail", jx->err);
	rc = rc ? rc : ctm_mail_write(&m, out, jx->err);
	ctm_seal_wipe(&url);
	if (text.p)
		explicit_bzero(text.p, text.len);
	return rc;
}

static int attempt(struct ctm_jx *jx, struct ctm_q *q)
{
	char dir[1024];
	CTM_AUTO_SMTP c = { .timeout_ms = 0 };
	struct ctm_buf mail = CTM_BUF(32768);
	int rc = ctm_smtp_conf_read(ctm_app_conf_json(jx->app, "mail"), ctm_app_dir(jx->app, "", dir, sizeof dir), &c, jx->err);
	rc = rc ? rc : compose(jx, q, &c, &mail);
	rc = rc ? rc : ctm_smtp_send(&c, ctm_q_str(q, "email"), mail.p, mail.len, jx->err);
	ctm_seal_wipe(&mail);
	return rc;
}

static bool for_good(int rc) { return rc == CTM_E_INPUT || rc == CTM_E_AUTH || rc == CTM_E_VERIFY || rc == CTM_E_GUARD || rc == CTM_E_NOTFOUND; }

int ctm_invitation_mail(struct ctm_jx *jx)
{
	CTM_AUTO_Q *q = ctm_q(jx->db, "invitation.get");
	ctm_q_text(q, "id", jx->key);
	int rc = ctm_q_one(q, jx->err);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_q_str(q, "mail"), "waiting") || !ctm_q_isnull(q, "used_ms") || !ctm_q_isnull(q, "revoked_ms") || ctm_q_i64(q, "expires_ms") <= jx->now_ms)
		return 0;
	struct outcome o = { jx->key, "sent", "" };
	rc = attempt(jx, q);
	if (rc) {
		o.mail = for_good(rc) ? "refused" : "waiting";
		o.why = jx->err->msg;
	}
	struct ctm_err stored = { 0 };
	int kept = ctm_write(jx->app, keep, &o, &stored);
	if (rc && !for_good(rc))
		return rc;
	ctm_err_clear(jx->err);
	return kept ? ctm_fail(jx->err, kept, NULL, NULL, "%s", stored.msg) : 0;
}

static const struct ctm_job_kind kinds[] = {
	{ "invitation.mail", ctm_invitation_mail, CTM_NEVER_GIVE_UP, "Mails an invitation; tried again while its link is open." },
};
const struct ctm_jobs ctm_invitation_jobs = { kinds, sizeof kinds / sizeof *kinds };
