/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the bench file, and the gate that keeps packets on the bench. See bench.h.
 */
#include "lab/bench.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_MAX ((size_t)256 << 10)
#define CA_MAX ((size_t)64 << 10)

static const char *const bench_keys[] = { "format", "target", "control_address", "nameplate", "device_ca_file", "specimens", "release", "site",
	"operator", "bench_id", "place", "lab", "approver", "condition", "received", "consent", "new_password", "fleet" };

static bool inside(const char *net, struct in_addr a)
{
	char text[INET_ADDRSTRLEN];
	const char *slash = strchr(net, '/');
	size_t n = slash ? (size_t)(slash - net) : strlen(net);
	struct in_addr base;
	int64_t bits = 32;
	uint32_t mask;

	if (n >= sizeof text || (slash && ctm_parse_i64(slash + 1, 1, 32, &bits)))
		return false;
	memcpy(text, net, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, &base) != 1)
		return false;
	mask = htonl(UINT32_MAX << (32 - bits));
	return (a.s_addr & mask) == (base.s_addr & mask);
}

int ctm_target_allowed(const ctm_json *plan, const char *address, struct in_addr *out, struct ctm_err *err)
{
	const ctm_json *targets = ctm_json_get(plan, "targets");
	struct in_addr a;

	if (!address || inet_pton(AF_INET, address, &a) != 1)
		return ctm_fail(err, CTM_E_INPUT, "address", NULL, "\"%.60s\" is not an IPv4 address", address ? address : "");
	for (size_t i = 0; i < ctm_json_len(targets); i++) {
		const char *net = ctm_json_str(ctm_json_at(targets, i));
		if (net && inside(net, a)) {
			*out = a;
			return 0;
		}
	}
	return ctm_fail(err, CTM_E_GUARD, "address", "plan /targets", "%s is not a target of this plan; nothing was sent. Name it with \"ctm lab plan --target\" if it stands on the bench", address);
}

void ctm_bench_free(struct ctm_bench *b)
{
	if (!b)
		return;
	ctm_json_free(b->root);
	ctm_buf_free(&b->device_ca);
	explicit_bzero(b->initial, sizeof b->initial);
	explicit_bzero(b->fresh, sizeof b->fresh);
	free(b);
}

void ctm_bench_freep(struct ctm_bench **b)
{
	ctm_bench_free(*b);
	*b = NULL;
}

int ctm_bench_path(const struct ctm_bench *b, const char *rel, char *out, size_t cap, struct ctm_err *err)
{
	int n = rel[0] == '/' ? snprintf(out, cap, "%s", rel) : snprintf(out, cap, "%s/%s", b->dir, rel);
	return n < 0 || (size_t)n >= cap ? ctm_fail(err, CTM_E_TOOBIG, "bench", NULL, "the path %.80s.. is too long", rel) : 0;
}

/* First line of a file, without its end of line. */
static int first_line(const char *path, char *out, size_t cap, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(4096);
	size_t n;
	int rc = ctm_file_read(path, 4096, &b, err);

	if (rc)
		return rc;
	n = strcspn(ctm_buf_cstr(&b), "\r\n");
	if (n == 0 || n >= cap || !ctm_text_printable(b.p, n))
		rc = ctm_fail(err, CTM_E_INPUT, "/nameplate/initial_password_file", NULL, "the first line must be the printed password, 1 to %zu bytes of text", cap - 1);
	else
		snprintf(out, cap, "%.*s", (int)n, b.p);
	if (b.p)
		explicit_bzero(b.p, b.len);
	return rc;
}

static int read_target(const struct ctm_jc *c, struct ctm_bench *b, const ctm_json *plan, struct ctm_err *err)
{
	struct ctm_jc t;
	struct in_addr a;
	int64_t port = 0;
	int rc;

	if ((rc = ctm_jc_key(c, "target", &t, err)) || (rc = ctm_jc_str(&t, "address", 7, 15, &b->address, err)) ||
	    (rc = ctm_jc_int(&t, "port", 1, 65535, &port, err)) || (rc = ctm_target_allowed(plan, b->address, &a, err)) ||
	    (rc = ctm_jc_opt_str(c, "control_address", 15, &b->control, err)))
		return rc;
	b->port = (int)port;
	if (b->control && (rc = ctm_target_allowed(plan, b->control, &a, err)))
		return rc;
	if (b->control && strcmp(b->control, b->address) == 0)
		return ctm_jc_fail(c, err, "control_address must be another address than the sample's");
	return 0;
}

static int read_nameplate(const struct ctm_jc *c, struct ctm_bench *b, struct ctm_err *err)
{
	struct ctm_jc n;
	const char *file = NULL, *fresh = NULL;
	char path[1024];
	int rc;

	if ((rc = ctm_jc_key(c, "nameplate", &n, err)) || (rc = ctm_jc_str(&n, "serial", 1, 64, &b->serial, err)) ||
	    (rc = ctm_jc_str(&n, "model", 1, 64, &b->model, err)) || (rc = ctm_jc_str(&n, "initial_password_file", 1, 500, &file, err)) ||
	    (rc = ctm_bench_path(b, file, path, sizeof path, err)) || (rc = first_line(path, b->initial, sizeof b->initial, err)) ||
	    (rc = ctm_jc_opt_str(c, "new_password", CTM_BENCH_PASSWORD_MAX - 1, &fresh, err)))
		return rc;
	if (fresh) {
		ctm_copy(b->fresh, sizeof b->fresh, fresh);
	} else {
		char token[CTM_TOKEN_MAX];
		ctm_token(token);
		snprintf(b->fresh, sizeof b->fresh, "Bench-%.20s-9z", token);
		explicit_bzero(token, sizeof token);
	}
	return 0;
}

static int read_consent(const struct ctm_jc *c, struct ctm_bench *b, struct ctm_err *err)
{
	struct ctm_jc arr, e;
	int rc = 0;

	b->consent[CTM_D0] = b->consent[CTM_D1] = b->consent[CTM_D2] = true;
	if (!ctm_jc_has(c, "consent", &arr))
		return 0;
	if ((rc = ctm_jc_is(&arr, CTM_J_ARR, err)))
		return rc;
	for (size_t i = 0; i < ctm_json_len(arr.v); i++) {
		int d;
		if ((rc = ctm_jc_at(&arr, i, &e, err)))
			return rc;
		d = ctm_name_index(ctm_danger_names, CTM_D_COUNT, ctm_json_str(e.v));
		if (d < 0)
			return ctm_jc_fail(&e, err, "consent is given for danger classes D0 to D4");
		b->consent[d] = true;
	}
	return 0;
}

static int read_people(const struct ctm_jc *c, struct ctm_bench *b, const ctm_json *plan, struct ctm_err *err)
{
	int rc;

	if ((rc = ctm_jc_str(c, "operator", 1, 120, &b->operator_name, err)) || (rc = ctm_jc_str(c, "bench_id", 1, 64, &b->bench_id, err)))
		return rc;
	if (!ctm_json_gets(ctm_json_get(b->root, "lab"), "name") && !ctm_json_gets(ctm_json_get(plan, "lab"), "name"))
		return ctm_jc_fail(c, err, "the report needs the name and address of the laboratory: give \"lab\" here or in the plan (ISO/IEC 17025:2017 7.8.2.1 b)");
	return 0;
}

int ctm_bench_load(const char *path, const ctm_json *plan, struct ctm_bench **out, struct ctm_err *err)
{
	CTM_AUTO_BENCH *b = calloc(1, sizeof *b);
	const char *ca = NULL, *slash = strrchr(path, '/');
	char file[1024];
	struct ctm_jc c;
	int rc;

	if (!b)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the bench");
	b->device_ca = CTM_BUF(CA_MAX);
	if ((size_t)snprintf(b->dir, sizeof b->dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".") >= sizeof b->dir)
		return ctm_fail(err, CTM_E_TOOBIG, "bench", NULL, "that path is too long");
	if ((rc = ctm_json_load(path, BENCH_MAX, &b->root, err)))
		return rc;
	c = ctm_jc_root(b->root, path);
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, bench_keys, sizeof bench_keys / sizeof bench_keys[0], err)) ||
	    (rc = read_target(&c, b, plan, err)) || (rc = read_nameplate(&c, b, err)) || (rc = read_consent(&c, b, err)) ||
	    (rc = read_people(&c, b, plan, err)) || (rc = ctm_jc_str(&c, "device_ca_file", 1, 500, &ca, err)) ||
	    (rc = ctm_bench_path(b, ca, file, sizeof file, err)) || (rc = ctm_file_read(file, CA_MAX, &b->device_ca, err)))
		return rc;
	b->site = ctm_json_get(b->root, "site");
	b->release = ctm_json_get(b->root, "release");
	b->fleet = ctm_json_get(b->root, "fleet");
	b->specimens = ctm_json_get(b->root, "specimens");
	*out = b;
	b = NULL;
	return 0;
}
