/* SPDX-License-Identifier: Apache-2.0
 *
 * Command line: one table of options per command gives parsing, help, completions and man pages. Exit status is that of
 * ctm_err_exit(). Long options only ("--json", "--out FILE", "--out=FILE"), "--" ends options, "-h" and "--help" print help.
 */
#ifndef CTM_BASE_CLI_H
#define CTM_BASE_CLI_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct ctm_opt {
	const char *name;        /* without dashes */
	const char *arg;         /* metavariable, or NULL for a flag */
	const char *help;        /* one sentence */
	const char **val;        /* option with an argument: set to the argument (last wins) */
	bool *flag;              /* flag: set to true */
};

struct ctm_cmd {
	const char *name;        /* "lab run" */
	const char *args;        /* "BUNDLE" or "" */
	const char *help;        /* one paragraph */
	const struct ctm_opt *opts; size_t nopts;
	int min_args, max_args;
};

/* Parse argv[1..] after the command's own words. args receives pointers into argv (room for max_args). Prints help and
 * returns 1 in *helped when asked. USAGE with a sentence that names the option. */
CTM_CHECK int ctm_cli_parse(const struct ctm_cmd *c, int argc, char **argv, const char **args, int *nargs, bool *helped, struct ctm_err *err);
void ctm_cli_help(const struct ctm_cmd *c, FILE *to);
/* The same table as a manual page (roff; "--help=man") and as words for completion, one a line ("--help=words"). */
void ctm_cli_man(const struct ctm_cmd *c, FILE *to);
void ctm_cli_words(const struct ctm_cmd *c, FILE *to);
void ctm_cli_roff(const char *s, FILE *to);    /* text, escaped for roff */
/* "ctm lab run: FIELD: message" on stderr, returns ctm_err_exit(err->code). */
int ctm_cli_die(const char *cmd, const struct ctm_err *err);
bool ctm_cli_color(FILE *f);   /* a terminal and no NO_COLOR */

#endif
