/* SPDX-License-Identifier: Apache-2.0
 *
 * A guesser's first tries are recognised by what is left when known words, the person's own names, digits, signs, runs along the alphabet
 * or the keyboard and repeated characters are struck out: a password of which less than four characters are left is one of theirs.
 */
#include "identity/password.h"
#include "base/text.h"
#include <ctype.h>
#include <string.h>

#define LEFT_MIN 4                     /* characters of its own */

static const char *const known[] = {
#define K(word) word,
#include "identity/password_known.def"
#undef K
};

size_t ctm_password_length(const char *p)
{
	size_t n = 0;
	for (; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

/* Blank out every place of the word; a blank keeps its neighbours apart. */
static void strike(char *text, const char *word, size_t n)
{
	if (n < 4)
		return;
	for (char *p = text; (p = strstr(p, word)); p += n)
		memset(p, ' ', n);
}

/* The parts of a name or address ("ana.perez@example.org": ana, perez, example), each at least four letters. */
static void strike_parts(char *text, const char *of)
{
	char word[64];
	while (*of) {
		size_t n = strcspn(of, " .@-_+'");
		if (n >= 4 && n < sizeof word) {
			for (size_t i = 0; i < n; i++)
				word[i] = (char)tolower((unsigned char)of[i]);
			word[n] = 0;
			strike(text, word, n);
		}
		of += n + (of[n] != 0);
	}
}

/* Is b the neighbour of a in the alphabet, among the digits or on a keyboard, or the same? */
static bool follows(char a, char b)
{
	static const char *const rows[] = { "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "1234567890" };
	if (b == a || b == a + 1 || b == a - 1)
		return true;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *at = a ? strchr(rows[i], a) : NULL;
		if (at && (at[1] == b || (at > rows[i] && at[-1] == b)))
			return true;
	}
	return false;
}

/* Characters that are the guesser's no more: letters or bytes beyond ASCII that do not follow from the one before, each unit counted
 * once when the text only repeats itself. */
static size_t left(const char *text)
{
	size_t n = strlen(text), count = 0, unit = 1;
	while (unit < n && strncmp(text + unit, text, n - unit) != 0)
		unit++;
	for (size_t i = 0; i < unit && i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		bool own = isalpha(c) || (c & 0xc0) == 0xc0;
		count += own && (!i || !follows(text[i - 1], text[i]));
	}
	return count;
}

int ctm_password_good(const char *password, bool second, const char *name, const char *email, struct ctm_err *err)
{
	char text[CTM_PASSWORD_MAX + 1];
	size_t n = ctm_password_length(password), min = second ? CTM_PASSWORD_WITH : CTM_PASSWORD_ALONE;
	if (n < min)
		return ctm_fail(err, CTM_E_INPUT, "password", "NIST SP 800-63B 3.1.1.2", second ?
			"a password has at least %zu characters; a few words are easy to remember" :
			"a password without an authenticator app has at least %zu characters; a few words are easy to remember", min);
	if (!ctm_copy(text, sizeof text, password))
		return ctm_fail(err, CTM_E_INPUT, "password", NULL, "a password has at most %d bytes", CTM_PASSWORD_MAX);
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	strike_parts(text, name);
	strike_parts(text, email);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		strike(text, known[i], strlen(known[i]));
	size_t own = left(text);
	explicit_bzero(text, sizeof text);
	if (own < LEFT_MIN)
		return ctm_fail(err, CTM_E_INPUT, "password", "NIST SP 800-63B 3.1.1.2",
			"this password is among those that are guessed first (common words, your own name, rows of keys or repetition); choose other words");
	return 0;
}
