/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-agent --show and --firewall: see rules.h. nft(8) is run with the document on its standard input, never through a shell.
 */
#include "rules.h"
#include "agent.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int say(const struct why *w)
{
	fprintf(stderr, "ctm-agent: %s\n", w->text);
	return 1;
}

/* The declaration was last changed then: that is when the MUD file was. */
static void changed(const char *path, char out[32])
{
	struct stat st;
	struct tm tm;
	time_t t = stat(path, &st) == 0 ? st.st_mtime : 0;

	gmtime_r(&t, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void tell_unresolved(const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		fprintf(stderr, "ctm-agent: %.253s has no address at the moment, so nothing is opened for it; run this again when it has\n",
			json_string_value(json_array_get(names, i)));
}

int rules_show(const char *path, const char *what)
{
	struct why w = { "" };
	char when[32];
	json_t *d = agent_json_load(path, &w), *names = json_array(), *doc = NULL;

	if (!d) {
		json_decref(names);
		return say(&w);
	}
	changed(path, when);
	if (strcmp(what, "nft") == 0)
		doc = rules_nft(d, names, &w);
	else if (strcmp(what, "mud") == 0)
		doc = rules_mud(d, when, &w);
	else if (strcmp(what, "settings") == 0)
		doc = rules_settings(d, &w);
	else if (strcmp(what, "data") == 0)
		doc = rules_data(d, &w);
	else
		why_say(&w, CTM_SDK_INPUT, "--show takes nft, mud, settings or data, not %.40s", what);
	tell_unresolved(names);
	if (doc && json_dumpf(doc, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(names);
	json_decref(d);
	if (!doc)
		return say(&w);
	json_decref(doc);
	return 0;
}

/* nft -j [-c] -f - with text on its standard input. */
static int run_nft(const char *text, bool check)
{
	int fd[2], status = 0;
	pid_t pid;

	if (pipe(fd) || (pid = fork()) < 0) {
		fprintf(stderr, "ctm-agent: nft cannot be started: %s\n", strerror(errno));
		return 3;
	}
	if (pid == 0) {
		static char nft[] = "nft", json[] = "-j", file[] = "-f", standard[] = "-", only_check[] = "-c", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
		char *const argv[] = { nft, json, file, standard, check ? only_check : NULL, NULL };
		char *const env[] = { path, NULL };

		dup2(fd[0], 0);
		close(fd[0]);
		close(fd[1]);
		execvpe("nft", argv, env);
		_exit(127);
	}
	close(fd[0]);
	FILE *to = fdopen(fd[1], "w");
	if (!to || fputs(text, to) < 0)
		status = -1;
	if (to)
		fclose(to);
	else
		close(fd[1]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 3;
	if (WEXITSTATUS(status) == 127)
		fputs("ctm-agent: nft is not installed (package nftables)\n", stderr);
	else if (WEXITSTATUS(status))
		fputs("ctm-agent: nft refused the table; what was in place stays\n", stderr);
	return WEXITSTATUS(status) == 127 ? 3 : WEXITSTATUS(status) ? 1 : 0;
}

static int take_down(void)
{
	return run_nft("{\"nftables\":[{\"add\":{\"table\":{\"family\":\"inet\",\"name\":\"" RULES_TABLE "\"}}},{\"delete\":{\"table\":{\"family\":\"inet\",\"name\":\""
		       RULES_TABLE "\"}}}]}", false);
}

int rules_firewall(const char *path, const char *word)
{
	struct why w = { "" };
	json_t *d, *names, *doc;
	char *text;
	int rc;

	if (strcmp(word, "down") == 0)
		return take_down();
	if (strcmp(word, "up") != 0 && strcmp(word, "check") != 0) {
		fprintf(stderr, "ctm-agent: --firewall takes up, down or check, not %.40s\n", word);
		return 2;
	}
	if (!(d = agent_json_load(path, &w)))
		return say(&w);
	names = json_array();
	doc = rules_nft(d, names, &w);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	tell_unresolved(names);
	rc = text ? run_nft(text, word[0] == 'c') : say(&w);
	free(text);
	json_decref(doc);
	json_decref(names);
	json_decref(d);
	return rc;
}
