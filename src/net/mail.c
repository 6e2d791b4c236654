/* SPDX-License-Identifier: Apache-2.0 */
#include "net/mail.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WORD_BYTES 39                  /* of text in one encoded word: 52 characters of base 64; behind "Subject:" a line of 73 (RFC 2047 2: 76) */
#define LINE_MAX_QP 76

bool ctm_mail_address_ok(const char *s)
{
	static const char local[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.";
	static const char domain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t n = s ? strspn(s, local) : 0;
	if (!n || n > 64 || s[n] != '@' || *s == '.' || s[n - 1] == '.' || *s == '-' || strlen(s) > 254)
		return false;
	const char *d = s + n + 1;
	return *d && *d != '.' && *d != '-' && strspn(d, domain) == strlen(d) && !strstr(s, "..");
}

static void put_date(struct ctm_buf *o, int64_t ms)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	gmtime_r(&t, &tm);
	ctm_buf_printf(o, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Encoded words (RFC 2047), each a whole number of characters, folded one to a line. */
static void put_subject(struct ctm_buf *o, const char *s)
{
	ctm_buf_str(o, "Subject:");
	if (strlen(s) <= 60 && strspn(s, " !\"#$%&'()*+,-./0123456789:;<>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") == strlen(s)) {
		ctm_buf_printf(o, " %s\r\n", s);
		return;
	}
	while (*s) {
		size_t n = strnlen(s, WORD_BYTES);
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		ctm_buf_str(o, " =?UTF-8?B?");
		ctm_b64(o, s, n);
		ctm_buf_str(o, "?=\r\n");
		s += n;
	}
}

/* RFC 2045 6.7. A dot at the start of a line is encoded too, so no transport can take it for the end. */
static void put_text(struct ctm_buf *o, const char *s)
{
	size_t col = 0;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '\n') {
			ctm_buf_str(o, "\r\n");
			col = 0;
			continue;
		}
		bool blank_end = (c == ' ' || c == '\t') && (s[1] == '\n' || !s[1]);
		bool plain = ((c >= '!' && c <= '~') || c == ' ' || c == '\t') && c != '=' && !blank_end && !(c == '.' && !col);
		size_t w = plain ? 1 : 3;
		if (col + w > LINE_MAX_QP - 1) {
			ctm_buf_str(o, "=\r\n");
			col = 0;
			if (c == '.')
				plain = false, w = 3;
		}
		if (plain)
			ctm_buf_chr(o, (char)c);
		else
			ctm_buf_printf(o, "=%02X", c);
		col += w;
	}
	if (col)
		ctm_buf_str(o, "\r\n");
}

int ctm_mail_write(const struct ctm_mail *m, struct ctm_buf *out, struct ctm_err *err)
{
	if (!ctm_mail_address_ok(m->from) || !ctm_mail_address_ok(m->to))
		return ctm_fail(err, CTM_E_INPUT, ctm_mail_address_ok(m->from) ? "to" : "from", "RFC 5321", "\"%.80s\" is not a mail address this platform can write to",
			ctm_mail_address_ok(m->from) ? m->to : m->from);
	if (!*m->subject || strlen(m->subject) > 400 || !ctm_text_printable(m->subject, strlen(m->subject)) || strpbrk(m->subject, "\n\t"))
		return ctm_fail(err, CTM_E_INPUT, "subject", "RFC 5322", "a subject is one line of text");
	if (!ctm_text_printable(m->text, strlen(m->text)))
		return ctm_fail(err, CTM_E_INPUT, "text", NULL, "a mail is text without control characters");
	if (!*m->id || strspn(m->id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(m->id))
		return ctm_fail(err, CTM_E_INPUT, "id", NULL, "the id of a mail has letters, digits, dots and hyphens");
	put_date(out, m->now_ms);
	ctm_buf_printf(out, "From: ctm <%s>\r\nTo: <%s>\r\n", m->from, m->to);
	put_subject(out, m->subject);
	ctm_buf_printf(out, "Message-ID: <%s@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n", m->id, strchr(m->from, '@') + 1);
	ctm_buf_str(out, "Content-Transfer-Encoding: quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n");
	put_text(out, m->text);
	return ctm_buf_err(out, "mail", err);
}
