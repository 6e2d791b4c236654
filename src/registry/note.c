/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed notes. One pass over the bytes; nothing is copied but names. The signature block starts after the LAST empty line,
 * so that a text may hold empty lines itself, as the specification has it.
 */
#include "registry/note.h"
#include "base/text.h"
#include "registry/merkle.h"
#include <string.h>

#define DASH "\xe2\x80\x94 "      /* U+2014 and a space */
#define TYPE_ED25519 1

/* White space beyond ASCII that Unicode knows: U+0085, U+00A0, U+1680, U+2000..200A, U+2028, U+2029, U+202F, U+205F, U+3000. */
static bool unicode_space(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (p[0] == 0xc2)
		return p[1] == 0x85 || p[1] == 0xa0;
	if (p[0] == 0xe1)
		return p[1] == 0x9a && p[2] == 0x80;
	if (p[0] == 0xe3)
		return p[1] == 0x80 && p[2] == 0x80;
	if (p[0] != 0xe2)
		return false;
	return (p[1] == 0x80 && (p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf)) || (p[1] == 0x81 && p[2] == 0x9f);
}

static bool name_ok(const char *s, size_t n)
{
	if (n == 0 || n >= CTM_NOTE_NAME_MAX || !ctm_utf8_valid(s, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == '+' || s[i] == 0x7f || unicode_space(s + i))
			return false;
	return true;
}

bool ctm_note_name_ok(const char *name)
{
	return name && name_ok(name, strnlen(name, CTM_NOTE_NAME_MAX));
}

void ctm_note_key_id(const char *name, const uint8_t pub[32], uint8_t id[4])
{
	uint8_t d[CTM_SHA256];
	struct ctm_sha256 *h = ctm_sha256_new();

	ctm_sha256_add(h, name, strlen(name));
	ctm_sha256_add(h, "\n\x01", 2);
	ctm_sha256_add(h, pub, 32);
	ctm_sha256_end(h, d);
	memcpy(id, d, 4);
}

int ctm_vkey_parse(const char *text, struct ctm_vkey *out, struct ctm_err *err)
{
	struct ctm_vkey k = { 0 };
	uint8_t id[4];
	const char *a = strchr(text, '+');
	CTM_AUTO_BUF b = CTM_BUF(64);

	if (!a || !name_ok(text, (size_t)(a - text)) || strlen(a) < 10 || a[9] != '+')
		return ctm_fail(err, CTM_E_SYNTAX, "vkey", "C2SP signed-note", "A log key is written NAME+8 hex digits+base64.");
	memcpy(k.name, text, (size_t)(a - text));
	for (int i = 1; i <= 8; i++)
		if (a[i] >= 'A' && a[i] <= 'F')
			return ctm_fail(err, CTM_E_SYNTAX, "vkey", "C2SP signed-note", "The key id of a log key is written in lower-case hex.");
	if (ctm_unhex(a + 1, 8, k.id) || ctm_unb64(a + 10, strlen(a + 10), &b) || b.len != 33 || b.p[0] != TYPE_ED25519)
		return ctm_fail(err, CTM_E_SYNTAX, "vkey", "C2SP signed-note", "The log key is not an Ed25519 key in base64.");
	memcpy(k.pub, b.p + 1, 32);
	ctm_note_key_id(k.name, k.pub, id);
	if (memcmp(id, k.id, 4))
		return ctm_fail(err, CTM_E_SYNTAX, "vkey", "C2SP signed-note", "The key id of the log key is not that of its name and key.");
	*out = k;
	return 0;
}

void ctm_vkey_write(const char *name, const uint8_t pub[32], struct ctm_buf *out)
{
	uint8_t id[4], raw[33] = { TYPE_ED25519 };
	char hex[9];

	ctm_note_key_id(name, pub, id);
	ctm_hex(id, 4, hex);
	memcpy(raw + 1, pub, 32);
	ctm_buf_printf(out, "%s+%s+", name, hex);
	ctm_b64(out, raw, sizeof raw);
}

/* Text of a note: valid UTF-8, no control characters but newline, ends with a newline. */
static bool text_ok(const char *p, size_t n)
{
	if (n == 0 || n > CTM_NOTE_MAX || p[n - 1] != '\n' || !ctm_utf8_valid(p, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 && p[i] != '\n')
			return false;
	return true;
}

int ctm_note_sign(const struct ctm_key *key, const char *name, const char *text, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	uint8_t pub[65], sig[4 + 64];
	int rc;

	if (!ctm_note_name_ok(name))
		return ctm_fail(err, CTM_E_INPUT, "name", "C2SP signed-note", "The name of a log has no spaces and no plus sign, and is not empty.");
	if (!text_ok(text, n))
		return ctm_fail(err, CTM_E_INPUT, "text", "C2SP signed-note", "The text of a note is UTF-8 without control characters and ends with a newline.");
	if (ctm_key_alg(key) != CTM_ALG_ED25519 || ctm_key_raw(key, pub) != 32)
		return ctm_fail(err, CTM_E_INPUT, "key", "C2SP signed-note", "A note is signed with an Ed25519 key.");
	ctm_note_key_id(name, pub, sig);
	if ((rc = ctm_key_sign(key, text, n, sig + 4)))
		return ctm_fail(err, rc, "key", NULL, "The key did not sign.");
	ctm_buf_add(out, text, n);
	ctm_buf_printf(out, "\n" DASH "%s ", name);
	ctm_b64(out, sig, sizeof sig);
	ctm_buf_chr(out, '\n');
	return ctm_buf_err(out, "note", err);
}

struct sigline { const char *name; size_t name_len; uint8_t id[4]; uint8_t sig[256]; size_t sig_len; };

/* One line, newline excluded. */
static int sig_line(const char *p, size_t n, struct sigline *out)
{
	const size_t d = strlen(DASH);
	CTM_AUTO_BUF b = CTM_BUF(sizeof out->sig + 4);

	if (n <= d || memcmp(p, DASH, d))
		return CTM_E_SYNTAX;
	const char *sp = memchr(p + d, ' ', n - d);
	if (!sp || !name_ok(p + d, (size_t)(sp - p - (ptrdiff_t)d)))
		return CTM_E_SYNTAX;
	if (ctm_unb64(sp + 1, n - (size_t)(sp + 1 - p), &b) || b.len < 5)
		return CTM_E_SYNTAX;
	out->name = p + d;
	out->name_len = (size_t)(sp - out->name);
	memcpy(out->id, b.p, 4);
	out->sig_len = b.len - 4;
	memcpy(out->sig, b.p + 4, out->sig_len);
	return 0;
}

static const struct ctm_vkey *known(const struct sigline *s, const struct ctm_vkey *keys, size_t nkeys, size_t *at)
{
	for (*at = 0; *at < nkeys; ++*at)
		if (strlen(keys[*at].name) == s->name_len && !memcmp(keys[*at].name, s->name, s->name_len) && !memcmp(keys[*at].id, s->id, 4))
			return &keys[*at];
	return NULL;
}

static int check_sig(const struct ctm_vkey *k, const char *text, size_t n, const struct sigline *s, struct ctm_err *err)
{
	CTM_AUTO_KEY *key = NULL;
	int rc = ctm_key_from_raw(CTM_ALG_ED25519, k->pub, 32, &key, err);

	if (rc)
		return rc;
	if (s->sig_len != 64 || ctm_key_verify(key, text, n, s->sig, s->sig_len))
		return ctm_fail(err, CTM_E_VERIFY, "note", "C2SP signed-note", "The signature of \"%s\" does not fit the text.", k->name);
	return 0;
}

/* Offset of the first signature line, or 0. */
static size_t sig_start(const char *note, size_t n)
{
	for (size_t i = n; i >= 2; i--)
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return i;
	return 0;
}

int ctm_note_verify(const char *note, size_t n, const struct ctm_vkey *keys, size_t nkeys, size_t *text_len, size_t *unknown, struct ctm_err *err)
{
	size_t start, text, lines = 0, strange = 0, good = 0, at;
	uint64_t seen = 0;

	if (n > CTM_NOTE_MAX)
		return ctm_fail(err, CTM_E_TOOBIG, "note", "C2SP signed-note", "The note is over %d bytes.", CTM_NOTE_MAX);
	if (nkeys > 64)
		return ctm_fail(err, CTM_E_INPUT, "keys", NULL, "At most 64 keys can be tried at once.");
	if (!text_ok(note, n) || !(start = sig_start(note, n)) || start == n || !text_ok(note, text = start - 1))
		return ctm_fail(err, CTM_E_SYNTAX, "note", "C2SP signed-note", "This is not a signed note: text, an empty line, signature lines.");
	for (size_t i = start; i < n;) {
		const char *nl = memchr(note + i, '\n', n - i);
		struct sigline s;
		int rc;
		if (++lines > CTM_NOTE_SIGS_MAX || sig_line(note + i, (size_t)(nl - note) - i, &s))
			return ctm_fail(err, CTM_E_SYNTAX, "note", "C2SP signed-note", "Signature line %zu is malformed.", lines);
		const struct ctm_vkey *k = known(&s, keys, nkeys, &at);
		if (!k) {
			strange++;
		} else if (seen & (UINT64_C(1) << at)) {
			return ctm_fail(err, CTM_E_SYNTAX, "note", "C2SP signed-note", "\"%s\" signed twice.", k->name);
		} else {
			if ((rc = check_sig(k, note, text, &s, err)))
				return rc;
			seen |= UINT64_C(1) << at;
			good++;
		}
		i = (size_t)(nl - note) + 1;
	}
	if (!good)
		return ctm_fail(err, CTM_E_VERIFY, "note", "C2SP signed-note", "None of the %zu signatures is by a key of the trust list.", lines);
	*text_len = text;
	if (unknown)
		*unknown = strange;
	return 0;
}

void ctm_checkpoint_write(const struct ctm_checkpoint *cp, struct ctm_buf *out)
{
	ctm_buf_printf(out, "%s\n%lld\n", cp->origin, (long long)cp->size);
	ctm_b64(out, cp->root, CTM_SHA256);
	ctm_buf_chr(out, '\n');
}

static int cp_fail(struct ctm_err *err, const char *what)
{
	return ctm_fail(err, CTM_E_SYNTAX, "checkpoint", "C2SP tlog-checkpoint", "%s", what);
}

int ctm_checkpoint_parse(const char *text, size_t n, struct ctm_checkpoint *out, struct ctm_err *err)
{
	struct ctm_checkpoint cp = { 0 };
	const char *end = text + n, *l1, *l2, *l3;
	char num[20];
	CTM_AUTO_BUF root = CTM_BUF(CTM_SHA256);

	if (!text_ok(text, n) || !(l1 = memchr(text, '\n', n)) || !(l2 = memchr(l1 + 1, '\n', (size_t)(end - l1 - 1))) ||
	    !(l3 = memchr(l2 + 1, '\n', (size_t)(end - l2 - 1))))
		return cp_fail(err, "A checkpoint has three lines: origin, size, root hash.");
	if (!name_ok(text, (size_t)(l1 - text)))
		return cp_fail(err, "The origin of the checkpoint is not a log name.");
	memcpy(cp.origin, text, (size_t)(l1 - text));
	size_t nlen = (size_t)(l2 - l1 - 1);
	if (nlen == 0 || nlen >= sizeof num || (nlen > 1 && l1[1] == '0') || l1[1] < '0' || l1[1] > '9')
		return cp_fail(err, "The size of the checkpoint is not a decimal number without leading zeros.");
	memcpy(num, l1 + 1, nlen);
	num[nlen] = '\0';
	if (ctm_parse_i64(num, 0, CTM_TREE_MAX, &cp.size))
		return cp_fail(err, "The size of the checkpoint is not a number of entries.");
	if (ctm_unb64(l2 + 1, (size_t)(l3 - l2 - 1), &root) || root.len != CTM_SHA256)
		return cp_fail(err, "The root of the checkpoint is not 32 bytes in base64.");
	memcpy(cp.root, root.p, CTM_SHA256);
	for (const char *p = l3 + 1; p < end; p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1)
		if (*p == '\n')
			return cp_fail(err, "A checkpoint holds no empty line.");
	*out = cp;
	return 0;
}

int ctm_checkpoint_verify(const char *note, size_t n, const struct ctm_vkey *key, struct ctm_checkpoint *out, size_t *unknown, struct ctm_err *err)
{
	struct ctm_checkpoint cp;
	size_t text;
	int rc;

	if ((rc = ctm_note_verify(note, n, key, 1, &text, unknown, err)) || (rc = ctm_checkpoint_parse(note, text, &cp, err)))
		return rc;
	if (strcmp(cp.origin, key->name))
		return ctm_fail(err, CTM_E_VERIFY, "checkpoint", "C2SP tlog-checkpoint", "The checkpoint is of the log \"%s\", not of \"%s\".", cp.origin, key->name);
	*out = cp;
	return 0;
}
