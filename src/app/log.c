/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm log check: re-verify the whole transparency log, from the bytes of its entries to the signed checkpoint, and what the entries
 * say: each a statement by a label administrator of the trust list, the versions of each record in order. ctm log show: its entries.
 * Works on a state directory (--state DIR) or on a copy of the public files anywhere (--dir DIR --trust FILE), and never writes.
 *
 * Exit: 0 good, 1 not good, 2 misuse, 3 could not run.
 */
#include "base/cli.h"
#include "base/text.h"
#include "base/timex.h"
#include "registry/log.h"
#include "registry/statement.h"
#include "registry/trust.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 4000000

static const char *state_dir, *dir, *trust_path;
static bool as_json;

/* Newest version of each record met so far: a sorted array would do, a hash table needs no sorting. */
struct seen { char record[CTM_PUBID_MAX], status[24]; int64_t version; };
struct walk {
	const struct ctm_trust *trust;
	struct seen *tab; size_t cap, n;
	bool show;
	int64_t repeated;
};

static size_t hash(const char *s)
{
	size_t h = 14695981039346656037u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static struct seen *find(struct walk *w, const char *record)
{
	size_t i = hash(record) & (w->cap - 1);

	while (*w->tab[i].record && strcmp(w->tab[i].record, record))
		i = (i + 1) & (w->cap - 1);
	return &w->tab[i];
}

static int grow(struct walk *w, struct ctm_err *err)
{
	struct walk bigger = { .cap = w->cap ? w->cap * 2 : 1024 };

	if (w->n * 2 < w->cap)
		return 0;
	if (bigger.cap > RECORDS_MAX * (size_t)4 || !(bigger.tab = calloc(bigger.cap, sizeof *bigger.tab)))
		return ctm_fail(err, CTM_E_NOMEM, "log", NULL, "There are too many records for this machine's memory.");
	for (size_t i = 0; i < w->cap; i++)
		if (*w->tab[i].record)
			*find(&bigger, w->tab[i].record) = w->tab[i];
	free(w->tab);
	w->tab = bigger.tab;
	w->cap = bigger.cap;
	return 0;
}

static int open_any(const struct ctm_trust *t, const void *p, size_t n, struct ctm_statement *st, struct ctm_err *err)
{
	for (size_t i = 0; i < t->ncla; i++) {
		struct ctm_err local = { 0 };
		int rc = ctm_statement_open(p, n, t->cla[i].pub, st, &local);
		if (rc != CTM_E_VERIFY)
			return rc ? ctm_fail(err, rc, local.field, local.rule, "%s", local.msg) : 0;
	}
	return ctm_fail(err, CTM_E_VERIFY, "statement", NULL, "it is signed by no label administrator of the trust list");
}

static void show(int64_t index, const struct ctm_statement *st)
{
	char at[CTM_RFC3339_MAX];

	ctm_time_rfc3339(st->at_ms, at);
	if (as_json)
		printf("{\"index\":%lld,\"record\":\"%s\",\"version\":%lld,\"kind\":\"%s\",\"status\":\"%s\",\"certificate\":\"%s\",\"at\":\"%s\"}\n", (long long)index,
			st->record, (long long)st->version, st->kind, st->status, st->certificate, at);
	else
		printf("%6lld  %-24s  %s v%-3lld %-13s -> %-11s %s\n", (long long)index, at, st->record, (long long)st->version, st->kind, st->status, st->certificate);
}

static int on_entry(void *arg, int64_t index, const void *p, size_t n, struct ctm_err *err)
{
	struct walk *w = arg;
	struct ctm_statement st;
	char field[32];
	int rc;

	snprintf(field, sizeof field, "entry %lld", (long long)index);
	if ((rc = open_any(w->trust, p, n, &st, err)) || (rc = grow(w, err)))
		return ctm_fail_prefix(err, "Entry %lld: ", (long long)index);
	struct seen *s = find(w, st.record);
	if (st.version == s->version && s->version) {
		w->repeated++;               /* the same statement logged twice is harmless */
	} else if (st.version != s->version + 1 || !ctm_statement_may_follow(ctm_statement_kind_find(st.kind), s->status)) {
		return ctm_fail(err, CTM_E_VERIFY, field, NULL, "Entry %lld: version %lld (%s) of record %s does not follow version %lld (%s).", (long long)index,
			(long long)st.version, st.kind, st.record, (long long)s->version, *s->status ? s->status : "none");
	} else {
		w->n += !*s->record;
		ctm_copy(s->record, sizeof s->record, st.record);
		ctm_copy(s->status, sizeof s->status, st.status);
		s->version = st.version;
	}
	if (w->show)
		show(index, &st);
	return 0;
}

static int walk_log(bool showing, struct ctm_err *err)
{
	char pub[4096], trust[4096];
	struct ctm_trust t;
	struct walk w = { .trust = &t, .show = showing };
	CTM_AUTO_LOG *l = NULL;
	struct ctm_log_report r;
	int rc;

	snprintf(pub, sizeof pub, "%s%s", dir ? dir : state_dir ? state_dir : "./var", dir ? "" : "/public/log");
	snprintf(trust, sizeof trust, "%s%s", trust_path ? trust_path : state_dir ? state_dir : "./var", trust_path ? "" : "/trust.json");
	if (dir && !trust_path && !state_dir)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --dir needs --trust FILE, the list of keys to check with");
	if ((rc = ctm_trust_load(trust, &t, err)) || (rc = ctm_log_open(pub, &t.log, &l, err)))
		return rc;
	rc = ctm_log_check(l, on_entry, &w, &r, err);
	free(w.tab);
	if (rc || showing)
		return rc;
	if (as_json)
		printf("{\"good\":true,\"origin\":\"%s\",\"entries\":%lld,\"files\":%lld,\"records\":%zu,\"trust\":\"%s\"}\n", t.log.name, (long long)r.entries, (long long)r.tiles, w.n, trust);
	else
		printf("%s: good. %lld entries about %zu records, %lld files, checkpoint signature and every statement checked (trust list %s)\n", t.log.name,
			(long long)r.entries, w.n, (long long)r.tiles, trust);
	return 0;
}

int main(int argc, char **argv)
{
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "state directory (default ./var)", &state_dir, NULL },
		{ "dir", "DIR", "directory with checkpoint and tile/, instead of a state directory", &dir, NULL },
		{ "trust", "FILE", "trust list (else trust.json of the state directory)", &trust_path, NULL },
		{ "json", NULL, "answer as JSON, one object a line", NULL, &as_json },
	};
	const struct ctm_cmd cmds[] = {
		{ "log check", "", "Re-verify the whole transparency log and what its entries say.", opts, 4, 0, 0 },
		{ "log show", "", "List the entries of the transparency log, each checked on the way.", opts, 4, 0, 0 },
	};
	struct ctm_err err = { 0 };
	bool helped = false;
	int n = 0;

	for (size_t i = 0; i < 2; i++) {
		if (argc < 2 || strcmp(argv[1], cmds[i].name + 4))
			continue;
		int rc = ctm_cli_parse(&cmds[i], argc - 1, argv + 1, NULL, &n, &helped, &err);
		if (!rc && !helped)
			rc = walk_log(i == 1, &err);
		return rc ? ctm_cli_die("log", &err) : 0;
	}
	bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	for (size_t i = 0; i < 2; i++)
		ctm_cli_help(&cmds[i], help ? stdout : stderr);
	return help ? 0 : 2;
}
