/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of the network exposure: one inventory of open ports for the whole run (N01) and what each open port says (N04, N06,
 * N07). The inventory is made once, by whichever check needs it first, so two checks can never tell different stories.
 *
 * Positive control: a canary port opened by the bench, on the sample's own address where the bench shares it (a loopback
 * bench), else on the control address. Ports that the bench host holds on all of its addresses show up on the control address
 * too; they are recorded, and subtracted by the judge, in the open.
 */
#include "lab/probe.h"
#include "lab/scan.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TALK_MAX 2048
#define TALK_PORTS_MAX 32

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

/* ---- canary ---- */

struct canary { int fd, port; bool on_target; };

static int plant(const char *address, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	int fd;

	if (!address || inet_pton(AF_INET, address, &a.sin_addr) != 1 || (fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 16) || getsockname(fd, (struct sockaddr *)&a, &n)) {
		close(fd);
		return -1;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

static struct canary plant_canary(const struct ctm_run *r)
{
	struct canary c = { .fd = plant(r->bench->address, &c.port), .on_target = true };

	if (c.fd < 0) {
		c.on_target = false;
		c.fd = plant(r->bench->control, &c.port);
	}
	return c;
}

/* ---- inventory ---- */

/* Sample and bench are one host (a loopback bench): only then does the control address say anything about the sample's. */
static bool shared_host(const struct ctm_run *r)
{
	return strncmp(r->bench->address, "127.", 4) == 0;
}

static int record_scan(struct ctm_run *r, const char *role, const char *address, const struct ctm_scan *s, const struct canary *c, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj(), *open = ctm_json_arr();
	bool here = c->fd >= 0 && c->on_target == (strcmp(role, "target") == 0), seen = false;
	int bad = !data || !open;

	for (int i = 0; i < s->nopen && !bad; i++) {
		if (here && s->open[i] == c->port)
			seen = true;
		else
			bad = ctm_json_add(open, ctm_json_newi(s->open[i]));
	}
	bad = bad || ctm_json_sets(data, "role", role) || ctm_json_setb(data, "shared_host", shared_host(r)) || ctm_json_sets(data, "address", address) || ctm_json_seti(data, "first", s->first) ||
		ctm_json_seti(data, "last", s->last) || ctm_json_seti(data, "refused", s->refused) || ctm_json_seti(data, "silent", s->silent) ||
		ctm_json_seti(data, "unreachable", s->unreachable) || ctm_json_seti(data, "other", s->other) || ctm_json_seti(data, "ms", s->ms) ||
		ctm_json_sets(data, "canary", !here ? "elsewhere" : seen ? "seen" : "missed") || ctm_json_seti(data, "canary_port", here ? c->port : 0);
	if (bad) {
		ctm_json_free(data);
		ctm_json_free(open);
		return oom(err);
	}
	if (ctm_json_set(data, "open", open)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "port.scan", data, err);
}

static int scan_target(struct ctm_run *r, const struct canary *c, struct ctm_scan *s, struct ctm_err *err)
{
	const char *address = r->bench->address;
	int rc;

	s->first = 1;
	s->last = 65535;
	s->in_flight = (int)run_param(r, "in_flight", 256);
	s->timeout_ms = (int)run_param(r, "timeout_ms", 700);
	if ((rc = ctm_target_allowed(r->plan, address, &s->address, err)) || (rc = ctm_scan_run(s, err)))
		return rc;
	return record_scan(r, "target", address, s, c, err);
}

/* Which of the sample's open ports the bench host holds on all of its addresses: only those are tried on the control
 * address, and the canary's where it had to stand there. */
static int try_control(struct ctm_run *r, const struct canary *c, const struct ctm_scan *target, struct ctm_scan *s, struct ctm_err *err)
{
	int64_t t0 = ctm_mono_us();
	int rc = ctm_target_allowed(r->plan, r->bench->control, &s->address, err);

	for (int i = 0; i < target->nopen + 1 && !rc && s->nopen < CTM_SCAN_OPEN_MAX; i++) {
		int port = i < target->nopen ? target->open[i] : c->fd >= 0 && !c->on_target ? c->port : 0, fd = -1, why = 0;
		if (!port)
			continue;
		ctm_connect(s->address, port, (int)run_param(r, "timeout_ms", 700), &fd, &why);
		if (fd >= 0) {
			close(fd);
			s->open[s->nopen++] = (uint16_t)port;
		} else if (why == ECONNREFUSED) {
			s->refused++;
		} else {
			s->silent++;
		}
	}
	s->ms = (ctm_mono_us() - t0) / 1000;
	return rc ? rc : record_scan(r, "control", r->bench->control, s, c, err);
}

static bool has_port(const struct ctm_scan *s, int port)
{
	for (int i = 0; i < s->nopen; i++)
		if (s->open[i] == port)
			return true;
	return false;
}

static bool declared_port(const ctm_json *declaration, int64_t port)
{
	const ctm_json *list = ctm_json_get(declaration, "interfaces");

	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_json_geti(ctm_json_at(list, i), "port", 0) == port)
			return true;
	return false;
}

static int inventory(struct ctm_run *r, struct ctm_err *err)
{
	struct ctm_scan *target = calloc(2, sizeof *target), *control = target ? target + 1 : NULL;
	struct canary c;
	int rc = 0;

	if (r->ports) {
		free(target);
		return 0;
	}
	if (!target)
		return oom(err);
	c = plant_canary(r);
	if (!(rc = scan_target(r, &c, target, err)) && r->bench->control)
		rc = try_control(r, &c, target, control, err);
	if (!rc && !(r->ports = ctm_json_arr()))
		rc = oom(err);
	for (int i = 0; i < target->nopen && !rc; i++) {
		int port = target->open[i];
		if ((c.on_target && port == c.port) || (shared_host(r) && has_port(control, port) && !declared_port(r->declaration, port)))
			continue;
		if (ctm_json_add(r->ports, ctm_json_newi(port)))
			rc = oom(err);
	}
	if (c.fd >= 0)
		close(c.fd);
	free(target);
	return rc;
}

CTM_PROBE(port_scan)
{
	return inventory(r, err);
}

/* ---- what a port says ---- */

/* Read what comes, at most cap bytes: `ms` of patience for the first byte, then until `quiet_ms` of silence. *closed: the peer ended
 * it (so there was nothing more to come). */
static size_t listen_to(int fd, char *buf, size_t cap, int ms, int quiet_ms, bool *closed)
{
	struct pollfd pf = { .fd = fd, .events = POLLIN };
	size_t n = 0;

	while (n < cap && poll(&pf, 1, n ? quiet_ms : ms) > 0) {
		ssize_t got = recv(fd, buf + n, cap - n, MSG_DONTWAIT);
		if (got <= 0) {
			*closed = true;
			break;
		}
		n += (size_t)got;
	}
	return n;
}

/* One connection: say `line` (may be ""), keep the first bytes that come back as a blob. */
static int talk(struct ctm_run *r, int port, const char *way, const char *line, int ms, struct ctm_err *err)
{
	char buf[TALK_MAX], digest[CTM_DIGEST_MAX] = "", hex[2 * 64 + 1] = "";
	struct in_addr a;
	ctm_json *data;
	int fd = -1, why = 0, rc;
	bool closed = false;
	size_t n = 0;

	if ((rc = ctm_target_allowed(r->plan, r->bench->address, &a, err)))
		return rc;
	ctm_connect(a, port, 1000, &fd, &why);
	if (fd >= 0) {
		if (line[0] && send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			why = errno;
		n = listen_to(fd, buf, sizeof buf, ms, (int)run_param(r, "quiet_ms", ms), &closed);
		close(fd);
	}
	if (n) {
		ctm_hex(buf, n < 64 ? n : 64, hex);
		if ((rc = ctm_trace_blob(r->trace, buf, n, digest, err)))
			return rc;
	}
	data = ctm_json_obj();
	if (!data || ctm_json_seti(data, "port", port) || ctm_json_sets(data, "way", way) || ctm_json_setb(data, "connected", fd >= 0) ||
	    ctm_json_setb(data, "closed", closed) || ctm_json_seti(data, "bytes", (int64_t)n) || ctm_json_sets(data, "first", hex) || ctm_json_sets(data, "blob", digest)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "port.talk", data, err);
}

static int each_port(struct ctm_run *r, int (*fn)(struct ctm_run *, int, struct ctm_err *), struct ctm_err *err)
{
	int rc = inventory(r, err);

	for (size_t i = 0; i < ctm_json_len(r->ports) && i < TALK_PORTS_MAX && !rc; i++)
		rc = fn(r, (int)ctm_json_int(ctm_json_at(r->ports, i), 0), err);
	return rc;
}

static int shell_ways(struct ctm_run *r, int port, struct ctm_err *err)
{
	int ms = (int)run_param(r, "listen_ms", 250), rc;

	if ((rc = talk(r, port, "listen", "", ms, err)))
		return rc;
	return talk(r, port, "enter", "\r\n", ms, err);
}

/* Control: a listener of the bench that greets like a telnet service, reached the same way, must be recognised. */
static int shell_control(struct ctm_run *r, struct ctm_err *err)
{
	static const char greeting[] = "\xff\xfd\x18\xff\xfd\x20login: ";
	struct canary c = plant_canary(r);
	struct in_addr a;
	char buf[64], hex[2 * sizeof buf + 1] = "";
	int fd = -1, far = -1, why = 0;
	bool closed = false;
	ctm_json *data = ctm_json_obj();

	if (c.fd >= 0 && ctm_target_allowed(r->plan, c.on_target ? r->bench->address : r->bench->control, &a, NULL) == 0) {
		ctm_connect(a, c.port, 1000, &fd, &why);
		if (fd >= 0 && (far = accept4(c.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 && send(far, greeting, sizeof greeting - 1, MSG_NOSIGNAL) > 0)
			ctm_hex(buf, listen_to(fd, buf, sizeof buf, 100, 100, &closed), hex);
	}
	ctm_closep(&fd);
	ctm_closep(&far);
	ctm_closep(&c.fd);
	if (!data || ctm_json_sets(data, "first", hex)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "port.shell-control", data, err);
}

CTM_PROBE(legacy_shell)
{
	int rc = each_port(r, shell_ways, err);
	return rc ? rc : shell_control(r, err);
}

static int clear_ways(struct ctm_run *r, int port, struct ctm_err *err)
{
	char line[160];
	int ms = (int)run_param(r, "listen_ms", 400), rc;

	snprintf(line, sizeof line, "GET / HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n", r->bench->address, port);
	if ((rc = talk(r, port, "http /", line, ms, err)))
		return rc;
	snprintf(line, sizeof line, "GET /ctm/v1/identity HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n", r->bench->address, port);
	return talk(r, port, "http /ctm/v1/identity", line, ms, err);
}

CTM_PROBE(clear_http)
{
	return each_port(r, clear_ways, err);
}

/* ---- declared interfaces ---- */

CTM_PROBE(declared_answer)
{
	const ctm_json *list = ctm_json_get(r->declaration, "interfaces");
	struct in_addr a;
	int rc = ctm_target_allowed(r->plan, r->bench->address, &a, err);

	for (size_t i = 0; i < ctm_json_len(list) && !rc; i++) {
		const ctm_json *face = ctm_json_at(list, i);
		const char *protocol = ctm_json_gets(face, "protocol");
		int64_t port = ctm_json_geti(face, "port", 0);
		int fd = -1, why = 0, status = 0;
		ctm_json *data = ctm_json_obj();

		if (port < 1 || port > 65535) {
			ctm_json_free(data);
			continue;
		}
		ctm_connect(a, (int)port, 1000, &fd, &why);
		if (fd >= 0)
			close(fd);
		if (fd >= 0 && ctm_streq(protocol, "https") && port == r->bench->port) {
			LAB_AUTO_REPLY ans = { 0 };
			if ((rc = lab_do(r, &(struct lab_call){ .step = "declared", .method = "GET", .path = "/ctm/v1/identity" }, &ans, err))) {
				ctm_json_free(data);
				return rc;
			}
			status = ans.status;
		}
		if (!data || ctm_json_sets(data, "id", ctm_json_gets(face, "id")) || ctm_json_seti(data, "port", port) ||
		    ctm_json_sets(data, "protocol", protocol ? protocol : "") || ctm_json_setb(data, "connected", fd >= 0) || ctm_json_seti(data, "http_status", status)) {
			ctm_json_free(data);
			return oom(err);
		}
		rc = run_record(r, "interface", data, err);
	}
	return rc;
}
