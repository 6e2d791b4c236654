/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-tuf: the TUF client as a program, with the command protocol that the framework's conformance suite speaks:
 *   ctm-tuf --metadata-dir D init ROOTFILE
 *   ctm-tuf --metadata-dir D --metadata-url U refresh
 *   ctm-tuf --metadata-dir D --metadata-url U --target-name T... --target-dir DIR --target-base-url B download
 * Options come before the command. Every command is one update cycle judged at the moment it began; several targets are taken in
 * order, up to the first that fails. Plain http is used to loopback addresses, to others only with --allow-http.
 *
 * Exit: 0 good, 1 anything else.
 */
#include "ctm/tuf.h"
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX 256

struct args {
	const char *metadata_dir, *metadata_url, *target_dir, *base_url, *ca;
	const char *names[NAMES_MAX];
	int count;
	bool plain, quiet;
};

static int die(const char *before, const char *what, const char *after)
{
	fprintf(stderr, "ctm-tuf: %s%s%s\n", before, what, after);
	return 1;
}

static int open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int read_file(const char *path, uint8_t *p, size_t cap, size_t *n)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		return -1;
	*n = fread(p, 1, cap, f);
	fclose(f);
	return *n == cap ? -1 : 0;
}

static int do_init(const struct args *a, int dir, const char *file)
{
	struct ctm_tuf_store store = ctm_tuf_dir(dir);
	uint8_t *p = malloc(CTM_TUF_ROOT_MAX + 1);
	char why[CTM_TUF_WHY_MAX] = "no memory";
	size_t n = 0;
	int rc;

	if (!p || read_file(file, p, CTM_TUF_ROOT_MAX + 1, &n)) {
		free(p);
		return die("", file, " cannot be read, or is too large");
	}
	rc = ctm_tuf_init(ctm_tuf_openssl(), &store, p, n, why);
	free(p);
	return rc ? die("", why, "") : 0;
}

static int download_one(struct ctm_tuf *t, const struct args *a, const char *name, int dir)
{
	struct ctm_tuf_target *g = malloc(sizeof *g);
	bool fetched = false;
	int rc = g ? ctm_tuf_find(t, name, g) : CTM_SDK_FAIL;

	if (!rc)
		rc = ctm_tuf_dir_download(t, g, a->base_url, dir, &fetched);
	if (!rc && !a->quiet)
		printf("%s: %s, %llu bytes, listed by %s\n", name, fetched ? "downloaded" : "already there", (unsigned long long)g->length, g->role);
	free(g);
	return rc;
}

static int do_download(struct ctm_tuf *t, const struct args *a)
{
	int dir = open_dir(a->target_dir), rc = 0;

	if (dir < 0)
		return die("the directory ", a->target_dir, " cannot be opened");
	for (int i = 0; !rc && i < a->count; i++)
		rc = download_one(t, a, a->names[i], dir);
	close(dir);
	return rc ? die("", ctm_tuf_why(t), "") : 0;
}

static int do_online(const struct args *a, int dir, bool download)
{
	struct ctm_tuf_http *http;
	struct ctm_tuf_conf conf = { .crypto = ctm_tuf_openssl(), .store = ctm_tuf_dir(dir), .metadata_url = a->metadata_url, .now_s = (int64_t)time(NULL) };
	struct ctm_tuf *t;
	int rc;

	if (ctm_tuf_http_open(a->ca, a->plain, &http))
		return die("", "the network library cannot be started", "");
	conf.net = ctm_tuf_http_net(http);
	if (ctm_tuf_open(&conf, &t)) {
		ctm_tuf_http_close(http);
		return die("", "no memory", "");
	}
	rc = ctm_tuf_refresh(t);
	if (rc)
		rc = die("", ctm_tuf_why(t), "");
	else if (download)
		rc = do_download(t, a);
	ctm_tuf_close(t);
	ctm_tuf_http_close(http);
	return rc;
}

static int usage(FILE *to)
{
	fputs("usage: ctm-tuf --metadata-dir DIR init ROOTFILE\n"
	      "       ctm-tuf --metadata-dir DIR --metadata-url URL refresh\n"
	      "       ctm-tuf --metadata-dir DIR --metadata-url URL --target-name NAME... --target-dir DIR --target-base-url URL download\n"
	      "further options: --ca FILE (roots for https), --allow-http (plain http to other than loopback addresses), --quiet\n", to);
	return to == stderr;
}

static int parse(int argc, char **argv, struct args *a)
{
	static const struct option opts[] = {
		{ "metadata-dir", 1, NULL, 'm' }, { "metadata-url", 1, NULL, 'u' }, { "target-name", 1, NULL, 't' }, { "target-dir", 1, NULL, 'd' },
		{ "target-base-url", 1, NULL, 'b' }, { "ca", 1, NULL, 'c' }, { "allow-http", 0, NULL, 'p' }, { "quiet", 0, NULL, 'q' },
		{ "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "+h", opts, NULL)) != -1) {
		switch (o) {
		case 'm': a->metadata_dir = optarg; break;
		case 'u': a->metadata_url = optarg; break;
		case 'd': a->target_dir = optarg; break;
		case 'b': a->base_url = optarg; break;
		case 'c': a->ca = optarg; break;
		case 'p': a->plain = true; break;
		case 'q': a->quiet = true; break;
		case 'h': exit(usage(stdout));
		case 't':
			if (a->count == NAMES_MAX)
				return die("", "too many target names at once", "");
			a->names[a->count++] = optarg;
			break;
		default: return usage(stderr);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct args a = { 0 };
	const char *verb;
	int dir, rc = parse(argc, argv, &a), left;

	if (rc)
		return rc;
	left = argc - optind;
	verb = left > 0 ? argv[optind] : "";
	if (!a.metadata_dir)
		return usage(stderr);
	dir = open_dir(a.metadata_dir);
	if (dir < 0)
		return die("the directory ", a.metadata_dir, " cannot be opened");
	if (!strcmp(verb, "init") && left == 2)
		rc = do_init(&a, dir, argv[optind + 1]);
	else if (!strcmp(verb, "refresh") && left == 1 && a.metadata_url)
		rc = do_online(&a, dir, false);
	else if (!strcmp(verb, "download") && left == 1 && a.metadata_url && a.count && a.target_dir && a.base_url)
		rc = do_online(&a, dir, true);
	else
		rc = usage(stderr);
	close(dir);
	return rc;
}
