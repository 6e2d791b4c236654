/* SPDX-License-Identifier: Apache-2.0
 *
 * The bench: where the sample stands, what came with it, who works there, what may be done to it. A bench file is the lab's own
 * and never travels; what matters of it is recorded as observations (secrets only as keyed digests).
 *
 * bench.json, * = must be there:
 *   {
 *     "format":         "ctm.bench/1",
 *     "target"*:        {"address": "127.0.8.1", "port": 8443},       IPv4; must be inside the plan's targets
 *     "control_address": "127.0.8.9",                                  another address of the bench host, no sample there: which ports the host itself holds
 *     "nameplate"*:     {"serial": "..", "model": "..", "initial_password_file": "PATH"},   first line is the printed password
 *     "device_ca_file"*: "PATH",                                       PEM of the CA that the maker declares for device certificates
 *     "specimens":      {"good": "PATH", "older": "PATH"},             update packages by the maker; wrong-key, unsigned and tampered ones the lab makes itself
 *     "release":        {"version": "1.1.0", "image_sha256": "64 hex or sha256:hex", "sbom_file": "PATH", "support_end": "2031-12-31"},
 *     "site":           {"url": "https://..", "ca_file": "PATH", "resolve_ip": "127.0.8.2"},   the maker's public site; resolve_ip: its address on this bench
 *     "operator"*: "..", "bench_id"*: "..", "place": "..",
 *     "lab": {"name": "..", "address": ".."}, "approver": "..",        may stand in the plan instead; one of the two is needed
 *     "condition": "..", "received": "2026-11-20",                     of the item, for the report
 *     "consent":        ["D3", "D4"],                                  danger classes the applicant agreed to
 *     "new_password":   "..",                                          made by the lab if absent
 *     "fleet":          {"serial": "..", "spki_sha256": "sha256:.."}   what the maker's backend says about this unit, if asked
 *   }
 * Paths are relative to the bench file's directory.
 */
#ifndef CTM_LAB_BENCH_H
#define CTM_LAB_BENCH_H
#include "base/json.h"
#include "lab/verdict.h"
#include <netinet/in.h>
#include <stdint.h>

#define CTM_BENCH_PASSWORD_MAX 128

struct ctm_bench {
	ctm_json *root;                              /* owned; everything below is borrowed from it unless said */
	char dir[512];                               /* directory of the bench file */
	const char *address, *control;               /* control NULL when there is none */
	int port;
	const char *serial, *model, *operator_name, *bench_id;
	const ctm_json *site, *release, *fleet, *specimens;
	char initial[CTM_BENCH_PASSWORD_MAX];        /* secrets: never recorded as they are */
	char fresh[CTM_BENCH_PASSWORD_MAX];
	struct ctm_buf device_ca;                    /* owned, PEM */
	bool consent[CTM_D_COUNT];
};

/* Read and check a bench file against the targets the plan allows. NOTFOUND, SYNTAX, INPUT, GUARD (address not in the plan). */
CTM_CHECK int ctm_bench_load(const char *path, const ctm_json *plan, struct ctm_bench **out, struct ctm_err *err);
void ctm_bench_free(struct ctm_bench *b);
void ctm_bench_freep(struct ctm_bench **b);
#define CTM_AUTO_BENCH __attribute__((cleanup(ctm_bench_freep))) struct ctm_bench
/* Path of a file named in the bench file. TOOBIG. */
CTM_CHECK int ctm_bench_path(const struct ctm_bench *b, const char *rel, char *out, size_t cap, struct ctm_err *err);

/* The one gate for packets: an IPv4 address that lies inside one of plan.targets ("127.0.0.0/8", "192.0.2.7"). GUARD with the
 * address named. Every probe that connects goes through it, whatever the bench file says. */
CTM_CHECK int ctm_target_allowed(const ctm_json *plan, const char *address, struct in_addr *out, struct ctm_err *err);

#endif
