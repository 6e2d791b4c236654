/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML state for the template compiler. Follows the tokenizer states of the HTML standard closely enough to know, at each
 * hole, what the reader's parser will be in, and is stricter than it: attributes are quoted, elements are balanced,
 * event and style attributes do not exist, forms that post carry a {{csrf}}. White space is folded outside pre and
 * textarea; comments are dropped.
 */
#include "tpl.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { S_TEXT, S_TAG_NAME, S_IN_TAG, S_ATTR_NAME, S_AFTER_NAME, S_BEFORE_VALUE, S_VALUE, S_RAW, S_COMMENT, S_DOCTYPE };

static bool in_list(const char *name, const char *list)
{
	size_t n = strlen(name);
	for (const char *p = list; n && (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

#define VOID_TAGS "area base br col embed hr img input link meta source track wbr"
#define RAW_TAGS "script style title textarea"
#define URL_ATTRS "href src action formaction cite poster xlink:href"
#define REFUSED_ATTRS "style srcdoc srcset ping background formenctype"
#define REFUSED_TAGS "object embed applet base iframe frame frameset marquee"

static const char *end_tag(struct tpl_html *h, FILE *lit)
{
	fputc('>', lit);
	h->space = false;
	h->state = S_TEXT;
	if (h->closing) {
		if (!h->depth || strcmp(h->open[h->depth - 1], h->tag))
			return "this closing tag does not match the element that is open";
		if (!strcmp(h->tag, "form")) {
			if (h->in_form && !h->form_csrf)
				return "a form that posts needs {{csrf}}";
			h->in_form = false;
		}
		if (in_list(h->tag, "pre textarea"))
			h->keep_space--;
		h->depth--;
		return NULL;
	}
	if (in_list(h->tag, REFUSED_TAGS))
		return "this element is not used in our pages";
	if (in_list(h->tag, VOID_TAGS) || h->self_close)
		return NULL;
	if (h->depth == TPL_ELEMENTS)
		return "elements are nested too deep";
	if (!strcmp(h->tag, "form") && h->post) {
		h->in_form = true;
		h->form_csrf = false;
	}
	if (in_list(h->tag, "pre textarea"))
		h->keep_space++;
	snprintf(h->open[h->depth++], sizeof h->open[0], "%s", h->tag);
	if (in_list(h->tag, RAW_TAGS)) {
		h->state = S_RAW;
		snprintf(h->raw, sizeof h->raw, "%s", h->tag);
	}
	return NULL;
}

static const char *feed_text(struct tpl_html *h, const char *at, FILE *lit)
{
	if (!strncmp(at, "<!--", 4)) {
		h->state = S_COMMENT;
		return NULL;
	}
	if (*at == '<' && at[1] == '!') {
		h->state = S_DOCTYPE;
		fputc('<', lit);
		return NULL;
	}
	if (*at == '<') {
		if (!isalpha((unsigned char)at[1]) && !(at[1] == '/' && isalpha((unsigned char)at[2])))
			return "write &lt; for a less-than sign in text";
		h->state = S_TAG_NAME;
		h->ntag = 0;
		h->closing = h->self_close = h->ldjson = h->post = false;
		fputc('<', lit);
		return NULL;
	}
	if (isspace((unsigned char)*at) && !h->keep_space) {
		if (h->space)
			return NULL;
		const char *p = at;
		while (isspace((unsigned char)*p) && *p != '\n')
			p++;
		fputc(*p == '\n' ? '\n' : ' ', lit);
		h->space = true;
		return NULL;
	}
	h->space = false;
	fputc(*at, lit);
	return NULL;
}

static const char *feed_tag_name(struct tpl_html *h, const char *at, FILE *lit)
{
	char c = (char)tolower((unsigned char)*at);
	if (c == '/' && !h->ntag) {
		h->closing = true;
		fputc(c, lit);
		return NULL;
	}
	if (isalnum((unsigned char)c) || c == '-') {
		if (h->ntag + 1 >= sizeof h->tag)
			return "element name is too long";
		h->tag[h->ntag++] = c;
		h->tag[h->ntag] = 0;
		fputc(*at, lit);      /* svg names keep their case */
		return NULL;
	}
	h->state = S_IN_TAG;
	return tpl_html_feed(h, at, lit);
}

static const char *feed_in_tag(struct tpl_html *h, const char *at, FILE *lit)
{
	char c = *at;
	if (h->need_space && !isspace((unsigned char)c) && c != '>' && c != '/')
		return "a name may not be put together from pieces";
	h->need_space = false;
	if (c == '>')
		return end_tag(h, lit);
	if (c == '/') {
		h->self_close = true;
		fputc(c, lit);
		return NULL;
	}
	if (isspace((unsigned char)c)) {
		if (!isspace((unsigned char)at[1]) && at[1] != '>' && at[1] != '/')
			fputc(' ', lit);
		return NULL;
	}
	if (!isalpha((unsigned char)c))
		return "an attribute name is expected here";
	h->state = S_ATTR_NAME;
	h->nattr = 0;
	return tpl_html_feed(h, at, lit);
}

static const char *feed_attr_name(struct tpl_html *h, const char *at, FILE *lit)
{
	char c = *at;
	if (isalnum((unsigned char)c) || c == '-' || c == ':') {
		if (h->nattr + 1 >= sizeof h->attr)
			return "attribute name is too long";
		h->attr[h->nattr++] = (char)tolower((unsigned char)c);
		h->attr[h->nattr] = 0;
		fputc(c, lit);
		return NULL;
	}
	if (!strncmp(h->attr, "on", 2) || in_list(h->attr, REFUSED_ATTRS))
		return "event, style, srcdoc and srcset attributes are not used in our pages";
	if (c == '=') {
		h->state = S_BEFORE_VALUE;
		fputc(c, lit);
		return NULL;
	}
	h->state = S_IN_TAG;
	return tpl_html_feed(h, at, lit);
}

static const char *feed_value(struct tpl_html *h, const char *at, FILE *lit)
{
	if (*at == h->quote) {
		h->state = S_IN_TAG;
		fputc(h->quote, lit);
		if (!strcmp(h->tag, "script") && !strcmp(h->attr, "type") && !strcmp(h->val, "application/ld+json"))
			h->ldjson = true;
		if (!strcmp(h->tag, "form") && !strcmp(h->attr, "method") && !strcasecmp(h->val, "post"))
			h->post = true;
		if (in_list(h->attr, URL_ATTRS) && !strncasecmp(h->val, "javascript:", 11))
			return "script addresses are not used in our pages";
		return NULL;
	}
	if (*at == '<')
		return "write &lt; for a less-than sign in an attribute";
	if (h->nval + 1 < sizeof h->val) {
		h->val[h->nval++] = *at;
		h->val[h->nval] = 0;
	}
	fputc(*at, lit);
	return NULL;
}

static const char *feed_raw(struct tpl_html *h, const char *at, FILE *lit)
{
	size_t n = strlen(h->raw);
	if (*at == '<' && at[1] == '/' && !strncasecmp(at + 2, h->raw, n) && !isalnum((unsigned char)at[2 + n])) {
		if (!h->depth)
			return "a title is text only";
		h->state = S_TEXT;
		h->raw[0] = 0;
		return feed_text(h, at, lit);
	}
	if (*at == '<' && !strcmp(h->raw, "title"))
		return "a title is text only";
	fputc(*at, lit);
	return NULL;
}

void tpl_html_title(struct tpl_html *h)
{
	*h = (struct tpl_html){ .state = S_RAW, .raw = "title" };
}

const char *tpl_html_feed(struct tpl_html *h, const char *at, FILE *lit)
{
	switch (h->state) {
	case S_TEXT: return feed_text(h, at, lit);
	case S_TAG_NAME: return feed_tag_name(h, at, lit);
	case S_IN_TAG: return feed_in_tag(h, at, lit);
	case S_ATTR_NAME: return feed_attr_name(h, at, lit);
	case S_BEFORE_VALUE:
		if (*at != '"' && *at != '\'')
			return "attribute values are quoted";
		h->quote = *at;
		h->nval = 0;
		h->val[0] = 0;
		h->val_hole = false;
		h->state = S_VALUE;
		fputc(*at, lit);
		return NULL;
	case S_VALUE: return feed_value(h, at, lit);
	case S_RAW: return feed_raw(h, at, lit);
	case S_COMMENT:
		if (!strncmp(at - 2, "-->", 3))
			h->state = S_TEXT;
		return NULL;
	default:
		fputc(*at, lit);
		if (*at == '>')
			h->state = S_TEXT;
		return NULL;
	}
}

void tpl_html_settle(struct tpl_html *h)
{
	if ((h->state == S_TAG_NAME && h->ntag) ||
		(h->state == S_ATTR_NAME && strncmp(h->attr, "on", 2) && !in_list(h->attr, REFUSED_ATTRS))) {
		h->state = S_IN_TAG;
		h->need_space = true;
	}
}

enum tpl_place tpl_html_place(const struct tpl_html *h)
{
	switch (h->state) {
	case S_TEXT: return TPL_P_TEXT;
	case S_RAW:
		if (!strcmp(h->raw, "script"))
			return h->ldjson ? TPL_P_LDJSON : TPL_P_NONE;
		return strcmp(h->raw, "style") ? TPL_P_ATTR : TPL_P_NONE;   /* title and textarea: text without markup */
	case S_VALUE:
		if (!in_list(h->attr, URL_ATTRS))
			return TPL_P_ATTR;
		if (!h->nval && !h->val_hole)
			return TPL_P_URL_START;
		return h->val_hole || h->val[0] == '/' || h->val[0] == '?' || h->val[0] == '#' || !strncmp(h->val, "mailto:", 7) ||
			!strncmp(h->val, "https://", 8) ? TPL_P_URL_PART : TPL_P_NONE;
	case S_IN_TAG: return TPL_P_TAG;
	default: return TPL_P_NONE;
	}
}

const char *tpl_html_why(const struct tpl_html *h)
{
	switch (h->state) {
	case S_RAW: return "no hole may stand in script or style";
	case S_COMMENT: return "no hole may stand in a comment";
	case S_TAG_NAME: return "no hole may stand in an element name";
	case S_IN_TAG: case S_ATTR_NAME: case S_AFTER_NAME: return "no hole may stand among attribute names";
	case S_BEFORE_VALUE: return "no hole may stand in an unquoted attribute";
	case S_VALUE: return "this address must start with / ? # https:// mailto: or {{url name}}";
	default: return "no hole may stand here";
	}
}

void tpl_html_hole(struct tpl_html *h)
{
	h->space = false;
	if (h->state == S_VALUE)
		h->val_hole = true;
}

const char *tpl_html_same(const struct tpl_html *a, const struct tpl_html *b)
{
	if (a->state != b->state || (a->state == S_VALUE && (a->quote != b->quote || strcmp(a->attr, b->attr))))
		return "this block starts and ends in different places of the markup";
	if (a->depth != b->depth)
		return "this block leaves an element open or closes one too many";
	for (int i = 0; i < a->depth; i++)
		if (strcmp(a->open[i], b->open[i]))
			return "this block closes an element that it did not open";
	return NULL;
}
