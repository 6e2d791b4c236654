/* SPDX-License-Identifier: Apache-2.0
 *
 * SMTP client (RFC 5321) over libcurl: one mail per call, TLS with verification always but on this machine itself, AUTH with a secret from a
 * file of its own. What ctm.json says in its member "mail":
 *
 *   {"server": "smtp://mail.example.org:587", "from": "ctm@example.org", "user": "ctm", "ca_file": "/etc/ssl/mail-ca.pem", "tls": "starttls"}
 *
 * server: smtp:// (STARTTLS is demanded, RFC 3207) or smtps:// (TLS from the start, RFC 8314). tls: "none" is taken for an address of this
 * machine only. user: then keys/mail.secret holds the password (mode 0600, first line). ca_file: roots instead of the system's. A retry is
 * the caller's decision, and the codes below say whether it makes sense.
 */
#ifndef CTM_NET_SMTP_H
#define CTM_NET_SMTP_H
#include "base/json.h"
#include <stdbool.h>

struct ctm_smtp_conf {
	char server[300], from[256], user[200], ca_file[1100], secret[300];
	bool plain;                    /* no TLS: this machine only */
	int timeout_ms;
};
/* mail: the member of ctm.json. state_dir: where keys/mail.secret lies; NULL leaves it unread (config check). INPUT names the member; GUARD when
 * others may read the secret; NOTFOUND when it is missing. Wipe out when done. */
CTM_CHECK int ctm_smtp_conf_read(const ctm_json *mail, const char *state_dir, struct ctm_smtp_conf *out, struct ctm_err *err);
void ctm_smtp_conf_wipe(struct ctm_smtp_conf *c);
#define CTM_AUTO_SMTP __attribute__((cleanup(ctm_smtp_conf_wipe))) struct ctm_smtp_conf

/* Hand over one mail (ctm_mail_write's text). For good: INPUT (the server refuses mail or receiver: 5xx), AUTH (user or secret refused),
 * VERIFY (no trusted TLS). For now: BUSY (4xx), IO, TIMEOUT. The message never holds the secret. */
CTM_CHECK int ctm_smtp_send(const struct ctm_smtp_conf *c, const char *to, const void *mail, size_t n, struct ctm_err *err);
/* Connect, TLS, sign in, NOOP; no mail. Same codes. */
CTM_CHECK int ctm_smtp_probe(const struct ctm_smtp_conf *c, struct ctm_err *err);

#endif
