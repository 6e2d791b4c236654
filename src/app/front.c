/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm: the thin front. `ctm WORD ...` runs the program of that word, found beside this one or in ../libexec/ctm, in place
 * of itself. It links nothing but base, so `ctm help` works wherever the rest does not. Without words it says what can be
 * done next in the state directory at hand.
 */
#include "base/cli.h"
#include "base/proc.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `keep`: the word is the program's own first argument. `second`: the words that may follow, for completion. */
static const struct verb { const char *word, *program; int keep; const char *help, *second; } verbs[] = {
	{ "init", "ctm-admin", 1, "make a state directory: keys, database, first operator", "" },
	{ "serve", "ctm-serve", 0, "serve the platform", "" },
	{ "signer", "ctm-signer", 0, "hold the keys and sign typed statements", "" },
	{ "edge", "ctm-admin", 1, "write the nginx configuration of the device port", "nginx" },
	{ "ca", "ctm-admin", 1, "explain, install or remove trust in the edge's certificate authority", "trust" },
	{ "user", "ctm-admin", 1, "people: add, list, one-time sign-in links", "add link list recover" },
	{ "lab", "ctm-lab", 0, "plan, run, replay and report an evaluation", "checks plan run replay report" },
	{ "evidence", "ctm-evidence", 0, "verify an evidence bundle", "verify" },
	{ "label", "ctm-label", 0, "draw a label, read one back", "render read" },
	{ "log", "ctm-log", 0, "look into the transparency log", "check show" },
	{ "verify", "ctm-verify", 0, "check a proof, certificate or statement without the network", "" },
	{ "update", "ctm-update", 0, "sign firmware updates, keep the repository they are fetched from", "keygen sign package inspect delta repo" },
	{ "sbom", "ctm-parse", 1, "read a software bill of materials", "read" },
	{ "parse", "ctm-parse", 0, "read files from outside in a sandbox", "" },
	{ "desk", "ctm-desk", 0, "the maker's desk: factory station", "factory" },
	{ "render", "ctm-render", 0, "turn JSON into certificate, nameplates or report PDF", "certificate nameplates report" },
	{ "demo", "ctm-demo", 0, "walk the whole way once with a demonstration product", "" },
	{ "backup", "ctm-backup", 1, "put a state directory into one archive, also while it is served", "" },
	{ "restore", "ctm-backup", 1, "make a state directory of an archive, checked; the log never forks", "" },
	{ "fsck", "ctm-admin", 1, "check audit chain, files, references, log", "" },
	{ "doctor", "ctm-admin", 1, "check this machine and state directory", "" },
	{ "config", "ctm-admin", 1, "check ctm.json", "check" },
	{ "version", "ctm-admin", 1, "say which version this is", "" },
};
#define NVERBS (sizeof verbs / sizeof *verbs)

static void help(FILE *to)
{
	fputs("usage: ctm VERB [WORDS...]     ctm VERB --help tells more\n\n", to);
	for (size_t i = 0; i < NVERBS; i++)
		fprintf(to, "  %-10s %s\n", verbs[i].word, verbs[i].help);
	fputs("\nExit status: 0 good, 1 the answer is no or the input is refused, 2 misuse, 3 could not run.\n", to);
}

static void man(FILE *to)
{
	fputs(".TH CTM 1 \"\" \"ctm\" \"ctm manual\"\n.SH NAME\nctm \\- the U.S. Cyber Trust Mark as software\n.SH SYNOPSIS\n.B ctm\nVERB [WORDS...]\n"
		".SH DESCRIPTION\nWithout words it says what can be done next. Each verb is a program of its own, found beside ctm or in ../libexec/ctm.\n.SH VERBS\n", to);
	for (size_t i = 0; i < NVERBS; i++) {
		fprintf(to, ".TP\n.B %s\n", verbs[i].word);
		ctm_cli_roff(verbs[i].help, to);
		fputs("\n", to);
	}
	fputs(".TP\n.B help\nList the verbs; help \\-\\-man VERB [WORD] prints the manual page of one.\n"
		".SH EXIT STATUS\n0 good, 1 the answer is no or the input is refused, 2 misuse, 3 could not run.\n", to);
}

static void words(const char *of)
{
	for (size_t i = 0; i < NVERBS; i++)
		if (!of)
			puts(verbs[i].word);
		else if (ctm_streq(of, verbs[i].word) && *verbs[i].second)
			puts(verbs[i].second);
}

/* "help", "help --words [VERB]", "help --man", and "help --man VERB [WORD]", which is made into "VERB [WORD] --help=man" (false). */
static bool helped(int argc, char **argv)
{
	static char page[] = "--help=man";
	if (argc > 3 && ctm_streq(argv[2], "--man")) {
		for (int i = 3; i < argc; i++)
			argv[i - 2] = argv[i];
		argv[argc - 2] = page;
		argv[argc - 1] = NULL;
		return false;
	}
	if (argc > 2 && ctm_streq(argv[2], "--man"))
		man(stdout);
	else if (argc > 2 && ctm_streq(argv[2], "--words"))
		words(argc > 3 ? argv[3] : NULL);
	else
		help(stdout);
	return true;
}

/* Edit distance of two short words. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], n = (unsigned)strlen(b);
	if (n >= 63 || strlen(a) >= 63)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int unknown(const char *word)
{
	size_t best = 0;
	for (size_t i = 1; i < NVERBS; i++)
		if (distance(word, verbs[i].word) < distance(word, verbs[best].word))
			best = i;
	if (distance(word, verbs[best].word) <= 2)
		fprintf(stderr, "ctm: there is no verb \"%.60s\"; the nearest is: ctm %s\n", word, verbs[best].word);
	else
		fprintf(stderr, "ctm: there is no verb \"%.60s\"; ctm help lists them\n", word);
	return 2;
}

static bool there(const char *dir, const char *name)
{
	char path[4200];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return !stat(path, &st);
}

static int next_steps(void)
{
	const char *dir = "./var";
	if (!there(dir, "ctm.json")) {
		puts("There is no state directory here yet.\n  ctm init --state ./var      makes one\n  ctm help                    lists all verbs");
		return 0;
	}
	printf("State directory %s:\n", dir);
	if (!there(dir, "run/signer.sock"))
		puts("  ctm signer                  start the signer: nothing can be signed without it");
	if (!there(dir, "run/serve.pid"))
		puts("  ctm serve                   start the platform");
	else
		puts("  ctm user link --operator    a one-time sign-in link for the operator");
	if (!there(dir, "edge/nginx.conf"))
		puts("  ctm edge nginx              write the configuration of the device port");
	else if (!there(dir, "edge/nginx.pid"))
		printf("  nginx -p %s/edge -c nginx.conf   open the device port\n", dir);
	if (!there(dir, "public/log/checkpoint"))
		puts("  ctm demo                    walk the whole way with a demonstration product");
	puts("  ctm fsck                    check that everything kept is sound\n  ctm help                    list all verbs");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return next_steps();
	const char *word = argv[1];
	if (ctm_streq(word, "help") || ctm_streq(word, "--help") || ctm_streq(word, "-h")) {
		if (helped(argc, argv))
			return 0;
		word = argv[1];
	}
	static char version[] = "version";
	if (ctm_streq(word, "--version"))
		word = argv[1] = version;
	const struct verb *v = NULL;
	for (size_t i = 0; i < NVERBS && !v; i++)
		if (ctm_streq(word, verbs[i].word))
			v = &verbs[i];
	if (!v)
		return unknown(word);
	char path[4200];
	struct ctm_err err = { 0 };
	if (ctm_sibling(v->program, path, sizeof path, &err)) {
		fprintf(stderr, "ctm: the program %s is not installed beside ctm or in ../libexec/ctm\n", v->program);
		return 3;
	}
	char **args = argv + (v->keep ? 0 : 1);
	args[0] = path;
	execv(path, args);
	fprintf(stderr, "ctm: %s cannot be run: %s\n", path, strerror(errno));
	return 3;
}
