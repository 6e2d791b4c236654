/* SPDX-License-Identifier: Apache-2.0
 *
 * Command line. The table of options is the only description: parsing and help read it, so neither can drift. Values are
 * pointers into argv. Help goes where the caller says (stdout when asked for), failures to stderr.
 */
#include "base/cli.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ctm_opt *find(const struct ctm_cmd *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->nopts; i++) {
		if (strlen(c->opts[i].name) == n && memcmp(c->opts[i].name, name, n) == 0)
			return &c->opts[i];
	}
	return NULL;
}

/* One option word; *i may move on to its argument. */
static int option(const struct ctm_cmd *c, int argc, char **argv, int *i, struct ctm_err *err)
{
	const char *word = argv[*i], *name = word + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	const struct ctm_opt *o = ctm_starts(word, "--") ? find(c, name, n) : NULL;
	if (!o)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "there is no option %s; see ctm %s --help", word, c->name);
	if (!o->arg) {
		if (eq)
			return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s takes no value", o->name);
		*o->flag = true;
		return 0;
	}
	if (!eq && *i + 1 >= argc)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s needs %s", o->name, o->arg);
	*o->val = eq ? eq + 1 : argv[++*i];
	return 0;
}

int ctm_cli_parse(const struct ctm_cmd *c, int argc, char **argv, const char **args, int *nargs, bool *helped, struct ctm_err *err)
{
	int n = 0;
	bool only_args = false;
	*helped = false;
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];
		if (!only_args && ctm_streq(w, "--")) {
			only_args = true;
		} else if (!only_args && (ctm_streq(w, "-h") || ctm_streq(w, "--help"))) {
			ctm_cli_help(c, stdout);
			*helped = true;
			*nargs = 0;
			return 0;
		} else if (!only_args && (ctm_streq(w, "--help=man") || ctm_streq(w, "--help=words"))) {
			(ctm_streq(w, "--help=man") ? ctm_cli_man : ctm_cli_words)(c, stdout);
			*helped = true;
			*nargs = 0;
			return 0;
		} else if (!only_args && w[0] == '-' && w[1]) {
			int rc = option(c, argc, argv, &i, err);
			if (rc)
				return rc;
		} else if (n < c->max_args) {
			args[n++] = w;
		} else {
			return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "\"%s\" is one argument too many; see ctm %s --help", w, c->name);
		}
	}
	if (n < c->min_args)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "usage: ctm %s%s %s", c->name, c->nopts ? " [options]" : "", c->args);
	*nargs = n;
	return 0;
}

void ctm_cli_help(const struct ctm_cmd *c, FILE *to)
{
	size_t width = strlen("help");
	for (size_t i = 0; i < c->nopts; i++) {
		size_t w = strlen(c->opts[i].name) + (c->opts[i].arg ? strlen(c->opts[i].arg) + 1 : 0);
		width = w > width ? w : width;
	}
	fprintf(to, "usage: ctm %s%s%s%s\n\n%s\n\n", c->name, c->nopts ? " [options]" : "", *c->args ? " " : "", c->args, c->help);
	for (size_t i = 0; i < c->nopts; i++) {
		const struct ctm_opt *o = &c->opts[i];
		size_t w = strlen(o->name) + (o->arg ? strlen(o->arg) + 1 : 0);
		fprintf(to, "  --%s%s%s%*s  %s\n", o->name, o->arg ? " " : "", o->arg ? o->arg : "", (int)(width - w), "", o->help);
	}
	fprintf(to, "  --help%*s  show this text\n", (int)(width - strlen("help")), "");
}

/* Text as roff shows it as it is: no escapes, hyphens that can be copied, no line taken for a request. */
void ctm_cli_roff(const char *s, FILE *to)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", to);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", to);
		else if (*s == '-')
			fputs("\\-", to);
		else
			fputc(*s, to);
	}
}

void ctm_cli_man(const struct ctm_cmd *c, FILE *to)
{
	size_t first = strcspn(c->help, ".:;");
	fputs(".TH \"CTM-", to);
	for (const char *p = c->name; *p; p++)
		fputc(*p == ' ' ? '-' : *p >= 'a' && *p <= 'z' ? *p - 32 : *p, to);
	fprintf(to, "\" 1 \"\" \"ctm\" \"ctm manual\"\n.SH NAME\nctm %s \\- %.*s\n.SH SYNOPSIS\n.B ctm %s\n", c->name, (int)first, c->help, c->name);
	ctm_cli_roff(c->nopts ? "[options] " : "", to);
	ctm_cli_roff(c->args, to);
	fputs("\n.SH DESCRIPTION\n", to);
	ctm_cli_roff(c->help, to);
	fputs("\n.SH OPTIONS\n", to);
	for (size_t i = 0; i < c->nopts; i++) {
		fputs(".TP\n\\fB\\-\\-", to);
		ctm_cli_roff(c->opts[i].name, to);
		fprintf(to, "\\fR%s%s%s\n", c->opts[i].arg ? " \\fI" : "", c->opts[i].arg ? c->opts[i].arg : "", c->opts[i].arg ? "\\fR" : "");
		ctm_cli_roff(c->opts[i].help, to);
		fputs("\n", to);
	}
	fputs(".TP\n\\fB\\-\\-help\\fR\nShow a short form of this text.\n"
		".SH EXIT STATUS\n0 good, 1 the answer is no or the input is refused, 2 misuse, 3 could not run.\n.SH SEE ALSO\n.BR ctm (1)\n", to);
}

void ctm_cli_words(const struct ctm_cmd *c, FILE *to)
{
	for (size_t i = 0; i < c->nopts; i++)
		fprintf(to, "--%s\n", c->opts[i].name);
	fputs("--help\n", to);
}

int ctm_cli_die(const char *cmd, const struct ctm_err *err)
{
	bool said = err->field[0] && strstr(err->msg, err->field);   /* many messages name their place already */
	const char *msg = err->msg[0] ? err->msg : ctm_err_text(err->code);
	fprintf(stderr, "ctm %s: %s%s%s%s%s%s\n", cmd, said ? "" : err->field, said || !err->field[0] ? "" : ": ", msg,
		err->rule[0] ? " (" : "", err->rule, err->rule[0] ? ")" : "");
	return ctm_err_exit(err->code);
}

bool ctm_cli_color(FILE *f)
{
	const char *no = getenv("NO_COLOR");
	return (!no || !*no) && isatty(fileno(f));
}
