/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail as text (RFC 5322, MIME): plain text in UTF-8, one sender, one receiver. Whatever comes in, no header can be added to it: addresses
 * are refused unless they are plain, a subject with control characters is refused, the text is quoted-printable.
 */
#ifndef CTM_NET_MAIL_H
#define CTM_NET_MAIL_H
#include "base/buf.h"
#include <stdbool.h>

struct ctm_mail {
	const char *from, *to;         /* plain addresses: name@example.org */
	const char *subject, *text;    /* UTF-8; text lines end with \n */
	const char *id;                /* for Message-ID: the same for each attempt at the same mail; [A-Za-z0-9.-] */
	int64_t now_ms;
};
/* name@example.org in plain ASCII, nothing quoted, at most 254 bytes (RFC 5321 4.5.3.1): what is fit for a command and a header. */
bool ctm_mail_address_ok(const char *s);
/* INPUT names the field that cannot be sent; TOOBIG, NOMEM. */
CTM_CHECK int ctm_mail_write(const struct ctm_mail *m, struct ctm_buf *out, struct ctm_err *err);

#endif
