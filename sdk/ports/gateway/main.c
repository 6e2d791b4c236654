/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-gateway: see gateway.h. One thread; a call to the platform may take its time, the link waits.
 */
#include "gateway.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_MS 200
#define STEP_MS 20

static volatile sig_atomic_t over;

static void stop(int sig)
{
	over = 1;
}

static int source(void *ctx, uint32_t at, uint8_t *buf, size_t n)
{
	struct gateway *g = ctx;

	if (g->piece_out)
		return deliver_source(g, at, buf, n);
	if (at + n > sizeof g->out)
		return -1;
	memcpy(buf, g->out + at, n);
	return (int)n;
}

static int opened(void *ctx, uint32_t length, uint32_t *have)
{
	return length && length <= GW_MESSAGE ? 0 : -1;         /* while one waits there is no room: it is not overwritten */
}

static int came(void *ctx, uint32_t at, const uint8_t *p, size_t n, uint32_t length)
{
	struct gateway *g = ctx;

	memcpy(g->in + at, p, n);
	g->in_n = at + n;
	if ((g->in_whole = g->in_n == length))
		ctm_link_room(&g->link, 0);
	return 0;
}

/* A message from the device: a question for the platform, or an answer to us. */
static void message(struct gateway *g)
{
	static uint8_t kept[GW_MESSAGE];
	struct ctm_link *l = &g->link;
	size_t n;

	if (!g->in_whole || ctm_link_sent(l) == CTM_LINK_SENDING)
		return;
	memcpy(kept, g->out, sizeof kept);
	n = relay(g);
	g->in_whole = false;
	if (!n) {
		memcpy(g->out, kept, sizeof kept);
		deliver_answered(g);
		return;
	}
	g->piece_out = false;
	(void)ctm_link_send(l, (uint32_t)n);
}

static void run(struct gateway *g)
{
	while (!over) {
		line_begin(g);
		if (g->fd < 0)
			continue;
		line_step(g, STEP_MS);
		message(g);
		ctm_link_room(&g->link, g->in_whole ? 0 : GW_MESSAGE);
		deliver_step(g);
	}
}

static int usage(FILE *f, int status)
{
	fputs("usage: ctm-gateway --line PATH --platform https://HOST:PORT --ca FILE [--deliver DIR]\n\n"
	      "Speak HTTPS for a device on a serial line.\n\n"
	      "  --line PATH       tty (115200 8N1) or unix socket that leads to the device\n"
	      "  --platform URL    the maker's service\n"
	      "  --ca FILE         PEM of the only CA that may vouch for it\n"
	      "  --deliver DIR     carry NAME.config, NAME.reset, NAME.update and NAME.ask from here; answers come as NAME.answer\n", f);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "line", 1, NULL, 'l' }, { "platform", 1, NULL, 'p' }, { "ca", 1, NULL, 'c' }, { "deliver", 1, NULL, 'd' },
		{ "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	static struct gateway g = { .fd = -1 };
	struct timespec t;

	for (int k; (k = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (k) {
		case 'l': g.conf.line = optarg; break;
		case 'p': g.conf.platform = optarg; break;
		case 'c': g.conf.ca = optarg; break;
		case 'd': g.conf.deliver = optarg; break;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, 2);
		}
	}
	if (optind != argc || !g.conf.line || !g.conf.platform || !g.conf.ca || strncmp(g.conf.platform, "https://", 8) != 0)
		return usage(stderr, 2);
	if (https_begin()) {
		fputs("ctm-gateway: TLS cannot be set up\n", stderr);
		return 3;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	clock_gettime(CLOCK_REALTIME, &t);
	g.app = (struct ctm_link_app){ &g, source, opened, came };
	if (ctm_link_begin(&g.link, &g.app, GW_MTU, (uint16_t)(t.tv_nsec ^ t.tv_sec << 4), RETRY_MS, GW_MESSAGE))
		return 3;
	run(&g);
	free(g.job.bytes);
	return 0;
}
