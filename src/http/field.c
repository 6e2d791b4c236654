/* SPDX-License-Identifier: Apache-2.0 */
#include "http/field.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include <limits.h>
#include <string.h>

/* Each validator may change the text in place (it is a private copy) and may shorten it. true: acceptable. */
static bool chars_ok(const char *s, const char *extra, bool upper)
{
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || (upper && *s >= 'A' && *s <= 'Z') || strchr(extra, *s)))
			return false;
	return true;
}

static void lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static bool v_text(const struct ctm_field *f, char *s)
{
	char *to = s;
	for (const char *p = s; *p; p++)
		if (!(p[0] == '\r' && p[1] == '\n'))
			*to++ = *p;
	*to = 0;
	return ctm_text_printable(s, strlen(s));
}

static bool v_line(const struct ctm_field *f, char *s)
{
	return ctm_text_printable(s, strlen(s)) && !strpbrk(s, "\n\t");
}

static bool v_uuid(const struct ctm_field *f, char *s)
{
	lower(s);
	return ctm_uuid_ok(s);
}

static bool v_pubid(const struct ctm_field *f, char *s) { return ctm_pubid_ok(s); }
static bool v_digest(const struct ctm_field *f, char *s) { return ctm_digest_ok(s); }
static bool v_slug(const struct ctm_field *f, char *s) { return chars_ok(s, "-", false); }
static bool v_serial(const struct ctm_field *f, char *s) { return chars_ok(s, "._-", true) && strcmp(s, ".") && strcmp(s, ".."); }
static bool v_token(const struct ctm_field *f, char *s) { return chars_ok(s, "_-", true); }
static bool v_path(const struct ctm_field *f, char *s) { return ctm_path_safe(s) && ctm_text_printable(s, strlen(s)) && !strpbrk(s, "\n\t"); }

static bool v_int(const struct ctm_field *f, char *s)
{
	int64_t n;
	return !ctm_parse_i64(s, 0, f->max ? f->max : INT64_MAX, &n);
}

static bool v_date(const struct ctm_field *f, char *s)
{
	int64_t ms;
	return strlen(s) == 10 && !ctm_time_parse(s, &ms);
}

static bool v_bool(const struct ctm_field *f, char *s)
{
	static const char *const yes[] = { "1", "true", "on", "yes" }, *const no[] = { "0", "false", "off", "no" };
	for (size_t i = 0; i < 4; i++)
		if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
			s[0] = strcmp(s, no[i]) ? '1' : '0';
			s[1] = 0;
			return true;
		}
	return false;
}

/* Enough to catch a slip of the hand; whether mail arrives is found out by sending it. */
static bool v_email(const struct ctm_field *f, char *s)
{
	const char *at = strchr(s, '@');
	return at && at != s && at[1] && !strchr(at + 1, '@') && strchr(at + 1, '.') && !strpbrk(s, " ,;<>\"\\") && v_line(f, s);
}

static bool v_enum(const struct ctm_field *f, char *s)
{
	size_t n = strlen(s);
	for (const char *p = f->values ? f->values : ""; *p;) {
		size_t len = strcspn(p, ",");
		if (len == n && !memcmp(p, s, n))
			return true;
		p += len + (p[len] == ',');
	}
	return false;
}

static const struct vrow {
	bool (*ok)(const struct ctm_field *f, char *s);
	unsigned max;               /* bytes, where the row of the route says 0 */
	const char *want;           /* ends the sentence "NAME must be ..." */
	const char *pattern;        /* JSON Schema, NULL for none */
} vrows[] = {
	[CTM_V_TEXT] = { v_text, 4096, "text without control characters", NULL },
	[CTM_V_LINE] = { v_line, 256, "one line of text", "^[^\\n\\r\\t]*$" },
	[CTM_V_SECRET] = { v_line, 512, "one line of text", "^[^\\n\\r\\t]*$" },
	[CTM_V_UUID] = { v_uuid, 36, "an id as this service gives them (a UUID)", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" },
	[CTM_V_PUBID] = { v_pubid, 11, "the id of a public record, as printed with the label", "^[0-9A-Z*~$=]{11}$" },
	[CTM_V_DIGEST] = { v_digest, 71, "a digest: sha256: and 64 hexadecimal digits", "^sha256:[0-9a-f]{64}$" },
	[CTM_V_INT] = { v_int, 19, "a whole number", NULL },
	[CTM_V_DATE] = { v_date, 10, "a date written YYYY-MM-DD", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" },
	[CTM_V_BOOL] = { v_bool, 5, "yes or no", NULL },
	[CTM_V_SLUG] = { v_slug, 64, "lower-case letters, digits and hyphens", "^[a-z0-9-]+$" },
	[CTM_V_SERIAL] = { v_serial, 64, "letters, digits, dots, hyphens and underscores", "^[A-Za-z0-9._-]+$" },
	[CTM_V_TOKEN] = { v_token, 128, "a token of letters, digits, hyphens and underscores", "^[A-Za-z0-9_-]+$" },
	[CTM_V_EMAIL] = { v_email, 254, "a mail address such as name@example.org", NULL },
	[CTM_V_PATH] = { v_path, 512, "a relative path without . or .. in it", NULL },
	[CTM_V_ENUM] = { v_enum, 64, "one of", NULL },
};

unsigned ctm_field_max(const struct ctm_field *f)
{
	return f->max ? f->max : vrows[f->type].max;
}

int ctm_field_check(const struct ctm_field *f, const char *value, size_t n, struct ctm_arena *arena, const char **out, struct ctm_err *err)
{
	const struct vrow *v = &vrows[f->type];
	const char *help = f->help ? f->help : "";
	if (!value || !n) {
		if (f->flags & CTM_F_REQUIRED)
			return ctm_fail(err, CTM_E_INPUT, f->name, NULL, "%s is required%s%s", f->name, *help ? ": " : "", help);
		*out = NULL;
		return 0;
	}
	/* The limit counts bytes as sent, but for CR LF in texts, which is one character to whoever typed it. */
	size_t limit = f->type == CTM_V_INT ? v->max : ctm_field_max(f), sent = n;
	if (f->type == CTM_V_TEXT)
		for (size_t i = 0; i + 1 < n; i++)
			sent -= value[i] == '\r' && value[i + 1] == '\n';
	if (sent > limit)
		return ctm_fail(err, CTM_E_INPUT, f->name, NULL, "%s is too long: at most %zu bytes, %zu were given", f->name, limit, sent);
	char *s = ctm_arena_ndup(arena, value, n);
	if (!s)
		return ctm_fail(err, CTM_E_NOMEM, f->name, NULL, "no memory for the request");
	if (strlen(s) != n || !v->ok(f, s)) {
		if (f->type == CTM_V_INT && f->max)
			return ctm_fail(err, CTM_E_INPUT, f->name, NULL, "%s must be a whole number from 0 to %u", f->name, f->max);
		return ctm_fail(err, CTM_E_INPUT, f->name, NULL, "%s must be %s%s%s", f->name, v->want, f->type == CTM_V_ENUM ? " " : "",
			f->type == CTM_V_ENUM && f->values ? f->values : "");
	}
	*out = s;
	return 0;
}

static int schema_enum(ctm_json *s, const char *values)
{
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	for (const char *p = values ? values : ""; *p && !rc;) {
		char word[128];
		size_t len = strcspn(p, ",");
		if (len < sizeof word) {
			memcpy(word, p, len);
			word[len] = 0;
			rc = ctm_json_adds(list, word);
		}
		p += len + (p[len] == ',');
	}
	return ctm_json_set(s, "enum", list) | rc;
}

ctm_json *ctm_field_schema(const struct ctm_field *f)
{
	const struct vrow *v = &vrows[f->type];
	ctm_json *s = ctm_json_obj();
	int rc = !s;
	if (f->type == CTM_V_INT) {
		rc |= ctm_json_sets(s, "type", "integer") | ctm_json_seti(s, "minimum", 0);
		if (f->max)
			rc |= ctm_json_seti(s, "maximum", f->max);
	} else if (f->type == CTM_V_BOOL) {
		rc |= ctm_json_sets(s, "type", "boolean");
	} else {
		rc |= ctm_json_sets(s, "type", "string");
		if (f->type == CTM_V_ENUM)
			rc |= schema_enum(s, f->values);
		else
			rc |= ctm_json_seti(s, "maxLength", ctm_field_max(f));
		if (v->pattern)
			rc |= ctm_json_sets(s, "pattern", v->pattern);
		const char *format = f->type == CTM_V_DATE ? "date" : f->type == CTM_V_EMAIL ? "email" : f->type == CTM_V_SECRET ? "password" : NULL;
		if (format)
			rc |= ctm_json_sets(s, "format", format);
	}
	if (f->help && *f->help)
		rc |= ctm_json_sets(s, "description", f->help);
	if (rc) {
		ctm_json_free(s);
		return NULL;
	}
	return s;
}
