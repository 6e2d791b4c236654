/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm desk: what a maker does from the command line. `factory` is the station of a production line (app/desk.h).
 *
 * Exit: 0 good, 1 refused (reconcile: not everything has arrived), 2 misuse, 3 could not run.
 */
#include "app/desk.h"
#include "base/cli.h"
#include "base/text.h"
#include <string.h>

static struct desk desk;

#define TEXT(name, arg, help, field) { name, arg, help, &desk.field, NULL }
#define WAY TEXT("url", "URL", "Address of the platform.", url), TEXT("token-file", "FILE", "File with an access token, mode 0600.", token_file), \
	TEXT("ca", "FILE", "Authority (PEM) that the platform's certificate must be under, where the address is https.", ca)
#define RUN TEXT("run", "DIR", "Directory of the production run.", run)

static const struct ctm_opt authority_opts[] = {
	TEXT("authority", "DIR", "Where the authority's key and certificate go.", authority), TEXT("name", "TEXT", "Its name, for example the production line.", name),
	TEXT("years", "N", "How long it lives (default 30).", years),
};
static const struct ctm_opt trust_opts[] = { TEXT("authority", "DIR", "The authority.", authority), TEXT("name", "TEXT", "What the platform calls it.", name), WAY };
static const struct ctm_opt begin_opts[] = {
	RUN, TEXT("component", "ID", "Component that is built.", component), TEXT("name", "TEXT", "Name of the run.", name),
	TEXT("prefix", "PC1-", "What every serial begins with.", prefix), TEXT("units", "N", "How many units.", units),
	TEXT("digits", "N", "Digits of the number in a serial (default 6).", digits), WAY,
};
static const struct ctm_opt sign_opts[] = {
	RUN, TEXT("authority", "DIR", "The authority that signs.", authority),
	TEXT("requests", "DIR", "Certificate requests of the units, SERIAL.csr (ctm-agent --factory-request).", requests),
};
static const struct ctm_opt record_opts[] = { RUN, WAY };
static const struct ctm_opt plates_opts[] = { RUN, TEXT("paper", "letter|a4", "Paper (default letter).", paper) };
static const struct ctm_opt reconcile_opts[] = { RUN, WAY, { "json", NULL, "Print JSON.", NULL, &desk.as_json } };


#define OPTS(o) o, sizeof o / sizeof *o
static const struct verb {
	struct ctm_cmd cmd;
	int (*run)(const struct desk *d, struct ctm_err *err);
} verbs[] = {
	{ { "desk factory authority", "", "Make a factory authority, which gives units their first identity (IDevID). It needs no network.", OPTS(authority_opts), 0, 0 }, desk_authority },
	{ { "desk factory trust", "", "Tell the platform to trust a factory authority of yours.", OPTS(trust_opts), 0, 0 }, desk_trust },
	{ { "desk factory begin", "", "Begin a production run: serials are allotted, codes and first passwords made.", OPTS(begin_opts), 0, 0 }, desk_begin },
	{ { "desk factory sign", "", "Issue IDevIDs over the requests of the units. It needs no network.", OPTS(sign_opts), 0, 0 }, desk_sign },
	{ { "desk factory record", "", "Record the units as built: serials, hashes of codes, IDevIDs.", OPTS(record_opts), 0, 0 }, desk_record },
	{ { "desk factory plates", "", "Draw the nameplates: serial, first password, QR code.", OPTS(plates_opts), 0, 0 }, desk_plates },
	{ { "desk factory reconcile", "", "Built against enrolled: what has not arrived, what is suspect.", OPTS(reconcile_opts), 0, 0 }, desk_reconcile },
};

static int usage(FILE *to, int status)
{
	fputs("ctm desk factory is the station of a production line. Verbs, in the order of a run:\n", to);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(to, "  ctm %-24s %s\n", verbs[i].cmd.name, verbs[i].cmd.help);
	return status;
}

/* "ctm desk factory" without a verb, or with --help in its place. */
static int factory_help(int argc, char **argv)
{
	static char text[1024] = "The station of a production line. Verbs, in the order of a run: ";
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", verbs[i].cmd.name + strlen("desk factory "),
			i + 1 < sizeof verbs / sizeof verbs[0] ? ", " : ". Each tells more with --help.");
	const struct ctm_cmd cmd = { "desk factory", "VERB", text, NULL, 0, 1, 1 };
	const char *args[1];
	struct ctm_err err = { 0 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	return rc ? ctm_cli_die("desk factory", &err) : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && (ctm_streq(argv[1], "--help") || ctm_streq(argv[1], "-h")))
		return usage(stdout, 0);
	if (argc > 2 && ctm_streq(argv[1], "factory") && ctm_starts(argv[2], "-"))
		return factory_help(argc - 1, argv + 1);
	if (argc < 3 || !ctm_streq(argv[1], "factory"))
		return usage(stderr, 2);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const struct verb *v = &verbs[i];
		struct ctm_err err = { 0 };
		bool helped = false;
		int nargs = 0;
		if (!ctm_streq(argv[2], v->cmd.name + strlen("desk factory ")))
			continue;
		int rc = ctm_cli_parse(&v->cmd, argc - 2, argv + 2, NULL, &nargs, &helped, &err);
		if (!rc && helped)
			return 0;
		if (!rc)
			rc = v->run(&desk, &err);
		return !rc ? 0 : err.code ? ctm_cli_die(v->cmd.name, &err) : 1;
	}
	fprintf(stderr, "ctm desk factory: there is no verb %.60s\n", argv[2]);
	return usage(stderr, 2);
}
