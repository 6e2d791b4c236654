/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges as tables: what was observed -> the verdict. Every judge that passes something is shown to fail on the contrary and to
 * be inconclusive without its control (NIST IR 8425; lab reference 2: absence is only evidence with a positive control).
 *
 * A line of a row is "KIND {json}", or "@STEP STATUS [json of the reply]" for a call, "@STEP STATUS <json of the request>" with
 * "<" before the JSON. "health" adds a good health.after.
 */
#include "kit.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OWNER "owner {\"ok\":true,\"why\":\"\"}"
#define LINES 24

struct row { const char *check, *want, *says; const char *line[LINES]; };

#define SCAN(role, open, canary, silent) "port.scan {\"shared_host\":true,\"role\":\"" role "\",\"open\":" open ",\"canary\":\"" canary "\",\"silent\":" silent ",\"refused\":65000,\"ms\":9}"
#define TRY(v, end, speaks) "tls.version {\"port\":4443,\"asked\":\"" v "\",\"end\":\"" end "\",\"detail\":\"d\",\"suite\":\"S\",\"bench_speaks_it\":" speaks "}"
#define SUITE(name, kx, aead, bits) "tls.suites {\"port\":4443,\"version\":\"TLS 1.2\",\"suites\":[{\"name\":\"" name "\",\"kx\":\"" kx "\",\"aead\":" aead ",\"bits\":" bits "}]}"
#define GREETING "port.shell-control {\"first\":\"fffd18fffd206c6f67696e3a20\"}"
#define TRIES(made, acc, ref, control) "login.tries {\"made\":" made ",\"accepted\":" acc ",\"refused\":" ref ",\"locked\":1,\"waited_ms\":3000,\"control_status\":" control "}"
#define STATE(v, c) "{\"version\":{\"booted\":\"" v "\",\"claimed\":\"" v "\",\"verified\":\"" v "\"},\"image_sha256\":\"sha256:" v "\",\"security_counter\":" c "}"
#define GOOD "specimen {\"name\":\"good\",\"usable\":true,\"version\":\"1.1.0\",\"image_sha256\":\"sha256:1.1.0\",\"counter\":11}"
#define OLDER "specimen {\"name\":\"older\",\"usable\":true,\"version\":\"1.0.0\",\"image_sha256\":\"sha256:1.0.0\",\"counter\":10}"
#define RESET_LOGIN "@reset/login.initial 200 {\"token\":\"t\",\"must_change\":true}"

static const struct row rows[] = {
	/* N01: EN 303 645 5.6-1 */
	{ "N01", "PASS", "1 declared and open", { SCAN("target", "[4443]", "seen", "0") } },
	{ "N01", "FAIL", "port 23 is open", { SCAN("target", "[23,4443]", "seen", "0") } },
	{ "N01", "PASS", "set aside", { SCAN("target", "[22,4443]", "seen", "0"), SCAN("control", "[22]", "elsewhere", "0") } },
	{ "N01", "FAIL", "port 22", { SCAN("target", "[22,4443]", "seen", "0"), "port.scan {\"role\":\"control\",\"open\":[22],\"canary\":\"elsewhere\",\"silent\":0,\"shared_host\":false}" } },
	{ "N01", "INCONCLUSIVE", "canary", { SCAN("target", "[4443]", "missed", "0") } },
	{ "N01", "INCONCLUSIVE", "gave no answer", { SCAN("target", "[4443]", "seen", "3") } },
	{ "N01", "FAIL", "port 23 is open", { SCAN("target", "[23]", "missed", "0") } },
	{ "N01", "INCONCLUSIVE", "Not even a declared port", { SCAN("target", "[]", "seen", "0") } },
	{ "N01", "INCONCLUSIVE", "not scanned", { NULL } },
	/* N04 */
	{ "N04", "PASS", NULL, { "interface {\"id\":\"admin\",\"port\":4443,\"protocol\":\"https\",\"connected\":true,\"http_status\":200}" } },
	{ "N04", "FAIL", "does not answer", { "interface {\"id\":\"admin\",\"port\":4443,\"protocol\":\"https\",\"connected\":false,\"http_status\":0}" } },
	{ "N04", "FAIL", "does not speak", { "interface {\"id\":\"admin\",\"port\":4443,\"protocol\":\"https\",\"connected\":true,\"http_status\":0}" } },
	/* N06 */
	{ "N06", "PASS", NULL, { "port.talk {\"port\":4443,\"way\":\"listen\",\"first\":\"\"}", GREETING } },
	{ "N06", "FAIL", "telnet", { "port.talk {\"port\":9,\"way\":\"listen\",\"first\":\"fffb01\"}", GREETING } },
	{ "N06", "FAIL", "FTP", { "port.talk {\"port\":9,\"way\":\"listen\",\"first\":\"32323020467470207365727665720d0a\"}", GREETING } },
	{ "N06", "FAIL", "prompt", { "port.talk {\"port\":9,\"way\":\"enter\",\"first\":\"0d0a2320\"}", GREETING } },
	{ "N06", "INCONCLUSIVE", "own telnet greeting", { "port.talk {\"port\":4443,\"way\":\"listen\",\"first\":\"\"}", "port.shell-control {\"first\":\"\"}" } },
	/* N07: silence is no refusal */
	{ "N07", "PASS", NULL, { "port.talk {\"port\":4443,\"way\":\"http /\",\"connected\":true,\"closed\":true,\"blob\":\"\"}" } },
	{ "N07", "INCONCLUSIVE", "slow", { "port.talk {\"port\":4443,\"way\":\"http /\",\"connected\":true,\"closed\":false,\"blob\":\"\"}" } },
	{ "N07", "INCONCLUSIVE", NULL, { NULL } },
	/* T01: RFC 8996; "not offered" is not "failed" */
	{ "T01", "PASS", NULL, { TRY("TLS 1.3", "offered", "true"), TRY("TLS 1.1", "refused", "true"), TRY("TLS 1.0", "closed", "true") } },
	{ "T01", "FAIL", "TLS 1.0", { TRY("TLS 1.3", "offered", "true"), TRY("TLS 1.0", "offered", "true") } },
	{ "T01", "INCONCLUSIVE", "neither completed nor was refused", { TRY("TLS 1.3", "offered", "true"), TRY("TLS 1.0", "failed", "true") } },
	{ "T01", "INCONCLUSIVE", "could not speak", { TRY("TLS 1.3", "offered", "true"), TRY("TLS 1.0", "refused", "false") } },
	{ "T01", "INCONCLUSIVE", "No port completed", { TRY("TLS 1.3", "refused", "true"), TRY("TLS 1.0", "refused", "true") } },
	/* T02: RFC 9325 */
	{ "T02", "PASS", NULL, { SUITE("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE", "true", "128") } },
	{ "T02", "FAIL", "RC4", { SUITE("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE", "true", "128"), SUITE("ECDHE-RSA-RC4-SHA", "ECDHE", "false", "128") } },
	{ "T02", "FAIL", "forward secrecy", { SUITE("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE", "true", "128"), SUITE("AES128-GCM-SHA256", "RSA", "true", "128") } },
	{ "T02", "FAIL", "No suite with ephemeral", { SUITE("ECDHE-ECDSA-AES128-SHA", "ECDHE", "false", "128") } },
	{ "T02", "INCONCLUSIVE", NULL, { NULL } },
	/* C01 and C02: EN 303 645 5.1-1 */
	{ "C01", "PASS", NULL, { TRIES("9", "0", "8", "200"), "health" } },
	{ "C01", "FAIL", "1 of 9", { TRIES("9", "1", "8", "200"), "health" } },
	{ "C01", "INCONCLUSIVE", "prove nothing", { TRIES("9", "0", "8", "401"), "health" } },
	{ "C01", "INCONCLUSIVE", "answered", { TRIES("2", "0", "2", "200"), "health" } },
	{ "C02", "INCONCLUSIVE", "owner", { "owner {\"ok\":false,\"why\":\"no\"}", "health" } },
	/* C04 */
	{ "C04", "PASS", NULL, { "nameplate {\"length\":12,\"distinct\":9,\"common\":false,\"tried\":90,\"derived\":[]}" } },
	{ "C04", "FAIL", "common", { "nameplate {\"length\":12,\"distinct\":9,\"common\":true,\"tried\":90,\"derived\":[]}" } },
	{ "C04", "FAIL", "reversed", { "nameplate {\"length\":12,\"distinct\":9,\"common\":false,\"tried\":90,\"derived\":[\"the serial reversed\"]}" } },
	{ "C04", "FAIL", "fewer than", { "nameplate {\"length\":6,\"distinct\":6,\"common\":false,\"tried\":90,\"derived\":[]}" } },
	/* C05: EN 303 645 5.1-5, with the right password as control */
	{ "C05", "PASS", "Locked at attempt 3", { OWNER, "@wrong/1 401", "@wrong/2 401", "@wrong/3 429", "@right/locked 429", "@right/after 200", "health" } },
	{ "C05", "FAIL", "without any lock", { OWNER, "@wrong/1 401", "@wrong/2 401", "@right/after 200", "health" } },
	{ "C05", "FAIL", "not held up", { OWNER, "@wrong/1 429", "@right/locked 200", "@right/after 200", "health" } },
	{ "C05", "FAIL", "the declaration says", { OWNER, "@wrong/1 401", "@wrong/2 401", "@wrong/3 401", "@wrong/4 401", "@wrong/5 401", "@wrong/6 401", "@wrong/7 429", "@right/locked 429", "@right/after 200", "health" } },
	{ "C05", "INCONCLUSIVE", "no control", { OWNER, "@wrong/1 429", "@right/locked 429", "@right/after 401", "health" } },
	{ "C05", "FAIL", "no longer answered", { OWNER, "@wrong/1 429", "@right/locked 429", "@right/after 200", "health.after {\"ok\":false,\"why\":\"gone\"}" } },
	/* a lock whose effect on the right password was not seen, or was no answer */
	{ "C05", "INCONCLUSIVE", "got status -1", { OWNER, "@wrong/1 401", "@wrong/2 429", "@right/after 200", "health" } },
	{ "C05", "INCONCLUSIVE", "got status 0", { OWNER, "@wrong/1 401", "@wrong/2 429", "@right/locked 0", "@right/after 200", "health" } },
	/* compared with nothing, tried nothing */
	{ "C04", "INCONCLUSIVE", "compared with nothing", { "nameplate {\"length\":12,\"distinct\":9,\"common\":false,\"tried\":0,\"derived\":[]}" } },
	{ "C07", "INCONCLUSIVE", "No weak password", { OWNER, "@control/strong 204", "health" } },
	/* "come again later" is no refusal of what was asked */
	{ "C07", "INCONCLUSIVE", "status 429", { OWNER, "@weak/1 429", "@weak/2 422", "@control/strong 204", "health" } },
	/* C07 */
	{ "C07", "PASS", NULL, { OWNER, "@weak/1 422", "@weak/2 422", "@control/strong 204", "health" } },
	{ "C07", "FAIL", "number 2", { OWNER, "@weak/1 422", "@weak/2 204", "@control/strong 204", "health" } },
	{ "C07", "INCONCLUSIVE", "prove nothing", { OWNER, "@weak/1 422", "@weak/2 422", "@control/strong 422", "health" } },
	/* C08 */
	{ "C08", "PASS", NULL, { RESET_LOGIN, "@reset/first-use.config 403", "@reset/first-use.log 403", "@reset/first-use.write 403", "@reset/first-use.userdata 403", "@reset/config/after 200 {}", "health" } },
	{ "C08", "FAIL", "config was answered", { RESET_LOGIN, "@reset/first-use.config 200 {}", "@reset/first-use.log 403", "@reset/first-use.write 403", "@reset/first-use.userdata 403", "@reset/config/after 200 {}", "health" } },
	{ "C08", "FAIL", "does not ask", { "@reset/login.initial 200 {\"must_change\":false}", "@reset/first-use.config 403", "@reset/first-use.log 403", "@reset/first-use.write 403", "@reset/first-use.userdata 403", "@reset/config/after 200 {}", "health" } },
	{ "C08", "INCONCLUSIVE", "first use", { "@reset/login.initial 401", "health" } },
	{ "C08", "INCONCLUSIVE", "no control", { RESET_LOGIN, "@reset/first-use.config 403", "@reset/first-use.log 403", "@reset/first-use.write 403", "@reset/first-use.userdata 403", "@reset/config/after 403", "health" } },
	/* R01 */
	{ "R01", "PASS", NULL, { OWNER, "@config/before 200 {\"live\":false}", "@apply 200 <{\"live\":true}", "@config/after 200 {\"live\":true}", "@config/restored 200 {\"live\":false}", "health" } },
	{ "R01", "FAIL", "not what reads back", { OWNER, "@config/before 200 {\"live\":false}", "@apply 200 <{\"live\":true}", "@config/after 200 {\"live\":false}", "@config/restored 200 {\"live\":false}", "health" } },
	{ "R01", "FAIL", "refused", { OWNER, "@config/before 200 {\"live\":false}", "@apply 403 <{\"live\":true}", "@config/after 200 {\"live\":false}", "@config/restored 200 {\"live\":false}", "health" } },
	{ "R01", "INCONCLUSIVE", "stood there before", { OWNER, "@config/before 200 {\"live\":true}", "@apply 200 <{\"live\":true}", "@config/after 200 {\"live\":true}", "@config/restored 200 {\"live\":true}", "health" } },
	{ "R01", "INCONCLUSIVE", "stood there before", { OWNER, "@config/before 200 {\"live\":true}", "@apply 200 <{}", "@config/after 200 {\"live\":true}", "@config/restored 200 {\"live\":true}", "health" } },
	{ "R01", "INCONCLUSIVE", "went back", { OWNER, "@config/before 200 {\"live\":false}", "@apply 200 <{\"live\":true}", "@config/after 200 {\"live\":true}", "@config/restored 500", "health" } },
	/* R08: EN 303 645 5.13-1 */
	{ "R08", "PASS", NULL, { OWNER, "@config/before 200 {\"a\":1}", "@bad/a/text 422", "@config/after 200 {\"a\":1}", "@control/valid 200", "health" } },
	{ "R08", "FAIL", "a/text", { OWNER, "@config/before 200 {\"a\":1}", "@bad/a/text 200", "@config/after 200 {\"a\":1}", "@control/valid 200", "health" } },
	{ "R08", "FAIL", "internal error", { OWNER, "@config/before 200 {\"a\":1}", "@bad/a/text 500", "@config/after 200 {\"a\":1}", "@control/valid 200", "health" } },
	{ "R08", "FAIL", "differs", { OWNER, "@config/before 200 {\"a\":1}", "@bad/a/text 422", "@config/after 200 {\"a\":2}", "@control/valid 200", "health" } },
	{ "R08", "INCONCLUSIVE", "prove nothing", { OWNER, "@config/before 200 {\"a\":1}", "@bad/a/text 422", "@config/after 200 {\"a\":1}", "@control/valid 422", "health" } },
	/* U01 */
	{ "U01", "PASS", "1.0.0 to 1.1.0", { GOOD, OWNER, "@state/before 200 " STATE("1.0.0", "10"), "@good 200", "@state/good 200 " STATE("1.1.0", "11"), "@identity/after 200 {\"version\":\"1.1.0\"}", "health" } },
	{ "U01", "FAIL", "still reports", { GOOD, OWNER, "@state/before 200 " STATE("1.0.0", "10"), "@good 200", "@state/good 200 " STATE("1.1.0", "11"), "@identity/after 200 {\"version\":\"1.0.0\"}", "health" } },
	{ "U01", "FAIL", "runs 1.0.0", { GOOD, OWNER, "@state/before 200 " STATE("1.0.0", "10"), "@good 200", "@state/good 200 " STATE("1.0.0", "10"), "health" } },
	{ "U01", "FAIL", "not accepted", { GOOD, OWNER, "@state/before 200 " STATE("1.0.0", "10"), "@good 422", "@state/good 200 " STATE("1.0.0", "10"), "health" } },
	{ "U01", "INCONCLUSIVE", "already ran", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@good 200", "@state/good 200 " STATE("1.1.0", "11"), "@identity/after 200 {\"version\":\"1.1.0\"}", "health" } },
	{ "U01", "INCONCLUSIVE", "missing", { "specimen {\"name\":\"good\",\"usable\":false,\"why\":\"none\"}", "health" } },
	/* U03: RFC 9124; U02 and U09 are judged by the same rule */
	{ "U03", "PASS", NULL, { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@unsigned/zeroes 422", "@state/unsigned/zeroes 200 " STATE("1.1.0", "11"), "@unsigned/bare 422", "@state/unsigned/bare 200 " STATE("1.1.0", "11"),
		"@unsigned/other-key 422", "@state/unsigned/other-key 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U03", "FAIL", "another key was accepted", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@unsigned/zeroes 422", "@state/unsigned/zeroes 200 " STATE("1.1.0", "11"), "@unsigned/bare 422", "@state/unsigned/bare 200 " STATE("1.1.0", "11"),
		"@unsigned/other-key 200", "@state/unsigned/other-key 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U03", "FAIL", "differ from before", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@unsigned/zeroes 422", "@state/unsigned/zeroes 200 " STATE("6.6.6", "11"), "@unsigned/bare 422", "@state/unsigned/bare 200 " STATE("1.1.0", "11"),
		"@unsigned/other-key 422", "@state/unsigned/other-key 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U03", "INCONCLUSIVE", "takes nothing", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@unsigned/zeroes 422", "@state/unsigned/zeroes 200 " STATE("1.1.0", "11"), "@unsigned/bare 422", "@state/unsigned/bare 200 " STATE("1.1.0", "11"),
		"@unsigned/other-key 422", "@state/unsigned/other-key 200 " STATE("1.1.0", "11"), "@control/good 422", "health" } },
	{ "U03", "INCONCLUSIVE", "no clear refusal", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@unsigned/zeroes 0", "@state/unsigned/zeroes 200 " STATE("1.1.0", "11"), "@unsigned/bare 422", "@state/unsigned/bare 200 " STATE("1.1.0", "11"),
		"@unsigned/other-key 422", "@state/unsigned/other-key 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U03", "INCONCLUSIVE", "leaves out", { GOOD, OWNER, "@state/before 200 {}", "@unsigned/zeroes 422", "@state/unsigned/zeroes 200 {}", "@unsigned/bare 422", "@state/unsigned/bare 200 {}",
		"@unsigned/other-key 422", "@state/unsigned/other-key 200 {}", "@control/good 200", "health" } },
	/* U04 */
	{ "U04", "PASS", NULL, { OLDER, GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@older 422", "@state/older 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U04", "FAIL", "accepted", { OLDER, GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@older 200", "@state/older 200 " STATE("1.0.0", "10"), "@control/good 200", "health" } },
	{ "U04", "INCONCLUSIVE", "not older", { OLDER, GOOD, OWNER, "@state/before 200 " STATE("1.0.0", "10"), "@older 422", "@state/older 200 " STATE("1.0.0", "10"), "@control/good 200", "health" } },
	/* U09 */
	{ "U09", "PASS", NULL, { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@open/nobody 401", "@state/open/nobody 200 " STATE("1.1.0", "11"), "@open/invented 401", "@state/open/invented 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	{ "U09", "FAIL", "without a session was accepted", { GOOD, OWNER, "@state/before 200 " STATE("1.1.0", "11"), "@open/nobody 200", "@state/open/nobody 200 " STATE("1.1.0", "11"), "@open/invented 401", "@state/open/invented 200 " STATE("1.1.0", "11"), "@control/good 200", "health" } },
	/* R02, R03, C11: EN 303 645 5.11-1 */
	{ "R02", "PASS", "1 settings", { "@reset/reset 202", RESET_LOGIN, "@reset/login.changed 401", "@reset/config/before 200 {\"live\":true,\"name\":\"Door\"}", "@reset/config/after 200 {\"live\":false,\"name\":\"Door\"}", "health" } },
	{ "R02", "FAIL", "secure default", { "@reset/reset 202", RESET_LOGIN, "@reset/login.changed 401", "@reset/config/before 200 {\"live\":true,\"name\":\"Door\"}", "@reset/config/after 200 {\"live\":true,\"name\":\"Door\"}", "health" } },
	{ "R02", "FAIL", "former owner", { "@reset/reset 202", RESET_LOGIN, "@reset/login.changed 200", "@reset/config/before 200 {\"live\":true,\"name\":\"Door\"}", "@reset/config/after 200 {\"live\":false,\"name\":\"Door\"}", "health" } },
	{ "R02", "FAIL", "not accepted", { "@reset/reset 401", "health" } },
	{ "R02", "INCONCLUSIVE", "nothing was shown", { "@reset/reset 202", RESET_LOGIN, "@reset/login.changed 401", "@reset/config/before 200 {\"live\":false,\"name\":\"Door\"}", "@reset/config/after 200 {\"live\":false,\"name\":\"Door\"}", "health" } },
	{ "R02", "INCONCLUSIVE", "No reset", { "health" } },
	{ "R02", "INCONCLUSIVE", "former owner's password got status 0", { "@reset/reset 202", RESET_LOGIN, "@reset/login.changed 0", "@reset/config/before 200 {\"live\":true,\"name\":\"Door\"}", "@reset/config/after 200 {\"live\":false,\"name\":\"Door\"}", "health" } },
	{ "R03", "PASS", NULL, { "@reset/reset 202", RESET_LOGIN, "@reset/planted/0 200 {\"text\":\"mark0123456789abcdef number 0\"}", "@reset/planted/1 200 {\"text\":\"mark0123456789abcdef number 1\"}", "@reset/gone/0 404", "@reset/gone/1 404", "@reset/log/after 200 {\"entries\":[]}", "health" } },
	{ "R03", "FAIL", "still be read", { "@reset/reset 202", RESET_LOGIN, "@reset/planted/0 200 {\"text\":\"mark0123456789abcdef number 0\"}", "@reset/planted/1 200 {\"text\":\"mark0123456789abcdef number 1\"}", "@reset/gone/0 200 {\"text\":\"mark0123456789abcdef number 0\"}", "@reset/gone/1 404", "health" } },
	{ "R03", "FAIL", "turns up in log", { "@reset/reset 202", RESET_LOGIN, "@reset/planted/0 200 {\"text\":\"mark0123456789abcdef number 0\"}", "@reset/planted/1 200 {\"text\":\"mark0123456789abcdef number 1\"}", "@reset/gone/0 404", "@reset/gone/1 404",
		"@reset/log/after 200 {\"entries\":[{\"detail\":\"mark0123456789abcdef\"}]}", "health" } },
	{ "R03", "INCONCLUSIVE", "could not be read before", { "@reset/reset 202", RESET_LOGIN, "@reset/planted/0 404", "@reset/planted/1 404", "@reset/gone/0 404", "@reset/gone/1 404", "health" } },
	{ "C11", "PASS", NULL, { "@reset/reset 202", RESET_LOGIN, "@reset/second-session.works 200 {}", "@reset/second-session.after 401", "@reset/old-token 401", "@reset/old-token.config 401", "health" } },
	{ "C11", "FAIL", "After signing out", { "@reset/reset 202", RESET_LOGIN, "@reset/second-session.works 200 {}", "@reset/second-session.after 200 {}", "@reset/old-token 401", "@reset/old-token.config 401", "health" } },
	{ "C11", "FAIL", "from before it still works", { "@reset/reset 202", RESET_LOGIN, "@reset/second-session.works 200 {}", "@reset/second-session.after 401", "@reset/old-token 200 {}", "@reset/old-token.config 401", "health" } },
	{ "C11", "INCONCLUSIVE", "did not work while", { "@reset/reset 202", RESET_LOGIN, "@reset/second-session.works 401", "@reset/second-session.after 401", "@reset/old-token 401", "@reset/old-token.config 401", "health" } },
	/* R05 */
	{ "R05", "PASS", NULL, { OWNER, "@reset/reset 202", "@config/before 200 {\"a\":1}", "@open/nobody 401", "@open/invented 401", "@kept 200 {}", "@config/after 200 {\"a\":1}", "health" } },
	{ "R05", "INCONCLUSIVE", "no control", { OWNER, "@config/before 200 {\"a\":1}", "@open/nobody 404", "@open/invented 404", "@kept 200 {}", "@config/after 200 {\"a\":1}", "health" } },
	{ "R05", "FAIL", "was accepted", { OWNER, "@config/before 200 {\"a\":1}", "@open/nobody 202", "@open/invented 401", "@kept 200 {}", "@config/after 200 {\"a\":1}", "health" } },
	{ "R05", "FAIL", "data is gone", { OWNER, "@config/before 200 {\"a\":1}", "@open/nobody 401", "@open/invented 401", "@kept 404", "@config/after 200 {\"a\":1}", "health" } },
	/* S04 */
	{ "S04", "PASS", NULL, { OWNER, "@log/nobody 401", "@log/invented 401", "@state/nobody 401", "@state/invented 401", "@config/nobody 401", "@log/owner 200 {}", "@state/owner 200 {}" } },
	{ "S04", "FAIL", "log/nobody", { OWNER, "@log/nobody 200 {}", "@log/invented 401", "@state/nobody 401", "@state/invented 401", "@config/nobody 401", "@log/owner 200 {}", "@state/owner 200 {}" } },
	{ "S04", "INCONCLUSIVE", "either", { OWNER, "@log/nobody 401", "@log/invented 401", "@state/nobody 401", "@state/invented 401", "@config/nobody 401", "@log/owner 500", "@state/owner 200 {}" } },
	/* S05 */
	{ "S05", "PASS", NULL, { OWNER, "@log/before 200 {}", "@trigger/login.failed 401", "@trigger/login.ok 200", "@trigger/config.changed 200", "@trigger/update.refused 422",
		"@log/after 200 {\"entries\":[{\"seq\":1,\"at_ms\":9,\"event\":\"login.failed\"},{\"seq\":2,\"at_ms\":9,\"event\":\"login.ok\"},{\"seq\":3,\"at_ms\":9,\"event\":\"config.changed\"},{\"seq\":4,\"at_ms\":9,\"event\":\"update.refused\"}]}", "health" } },
	{ "S05", "FAIL", "login.ok happened", { OWNER, "@log/before 200 {}", "@trigger/login.failed 401", "@trigger/login.ok 200", "@trigger/config.changed 200", "@trigger/update.refused 422",
		"@log/after 200 {\"entries\":[{\"seq\":1,\"at_ms\":9,\"event\":\"login.failed\"},{\"seq\":3,\"at_ms\":9,\"event\":\"config.changed\"},{\"seq\":4,\"at_ms\":9,\"event\":\"update.refused\"}]}", "health" } },
	/* an entry from before is no evidence that this event was kept */
	{ "S05", "FAIL", "login.ok happened", { OWNER, "@log/before 200 {\"entries\":[{\"seq\":1,\"at_ms\":9,\"event\":\"login.ok\"}]}", "@trigger/login.failed 401", "@trigger/login.ok 200", "@trigger/config.changed 200", "@trigger/update.refused 422",
		"@log/after 200 {\"entries\":[{\"seq\":1,\"at_ms\":9,\"event\":\"login.ok\"},{\"seq\":2,\"at_ms\":9,\"event\":\"login.failed\"},{\"seq\":3,\"at_ms\":9,\"event\":\"config.changed\"},{\"seq\":4,\"at_ms\":9,\"event\":\"update.refused\"}]}", "health" } },
	{ "S05", "INCONCLUSIVE", "could not read", { OWNER, "@log/before 403", "health" } },
	/* S09 */
	{ "S09", "PASS", NULL, { "release {\"version\":\"1.1.0\",\"image_sha256\":\"1.1.0\"}", OWNER, "@identity 200 {\"version\":\"1.1.0\"}", "@state 200 " STATE("1.1.0", "11") } },
	{ "S09", "FAIL", "booted version is 1.0.0", { "release {\"version\":\"1.1.0\",\"image_sha256\":\"1.1.0\"}", OWNER, "@identity 200 {\"version\":\"1.1.0\"}", "@state 200 " STATE("1.0.0", "11") } },
	{ "S09", "INCONCLUSIVE", "does not name", { "release {\"version\":\"1.1.0\"}", OWNER } },
	/* P04 */
	{ "P04", "PASS", NULL, { "support-end {\"today\":\"2026-11-22\",\"release\":\"2031-12-31\",\"manifest\":\"2031-12-31\"}" } },
	{ "P04", "FAIL", "says support ends", { "support-end {\"today\":\"2026-11-22\",\"release\":\"2031-12-31\",\"registry\":\"2030-12-31\"}" } },
	{ "P04", "FAIL", "before this evaluation", { "support-end {\"today\":\"2026-11-22\",\"release\":\"2025-12-31\",\"registry\":\"2025-12-31\"}" } },
	{ "P04", "FAIL", "not a date", { "support-end {\"today\":\"2026-11-22\",\"release\":\"2031-13-31\",\"registry\":\"2031-12-31\"}" } },
	{ "P04", "INCONCLUSIVE", "Only one", { "support-end {\"today\":\"2026-11-22\",\"release\":\"2031-12-31\"}" } },
	/* the frame */
	{ "N01", "NOT_RUN", "left out", { "check.skipped {\"why\":\"left out\"}", SCAN("target", "[4443]", "seen", "0") } },
	{ "N01", "ERROR", "itself failed", { SCAN("target", "[4443]", "seen", "0"), "probe.error {\"message\":\"no sockets\"}" } },
	{ "N01", "FAIL", "port 23", { SCAN("target", "[23]", "seen", "0"), "probe.error {\"message\":\"no sockets\"}" } },
	{ "C05", "INCONCLUSIVE", "health after", { OWNER, "@wrong/1 429", "@right/locked 429", "@right/after 200" } },
};

/* "@STEP STATUS [<]JSON" as an observation of kind "call". */
static void add_call(struct kit *k, const char *check, const char *component, const char *line)
{
	char json[2048], step[80], status[8];
	const char *body;

	assert_int_equal(sscanf(line, "@%79s %7s", step, status), 2);
	body = strchr(line, ' ') + 1 + strlen(status);
	body += *body == ' ';
	snprintf(json, sizeof json, "{\"step\":\"%s\",\"status\":%s%s%s%s}", step, status, *body ? (*body == '<' ? ",\"request\":" : ",\"reply\":") : "", *body == '<' ? body + 1 : body, "");
	kit_obs(k, check, component, "call", json);
}

static void add_line(struct kit *k, const char *check, const char *component, const char *line)
{
	char kind[48];
	const char *json = strchr(line, ' ');

	if (strcmp(line, "health") == 0) {
		kit_obs(k, check, component, "health.after", "{\"ok\":true,\"why\":\"\"}");
	} else if (line[0] == '@') {
		add_call(k, check, component, line);
	} else {
		snprintf(kind, sizeof kind, "%.*s", (int)(json - line), line);
		kit_obs(k, check, component, kind, json + 1);
	}
}

static void tables(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit *k = kit_new(NULL, NULL);
		const struct ctm_check *c = ctm_check_find(k->cat, rows[i].check);
		const char *component = ctm_check_on(c, "device") ? "cam" : "product", *why, *got;
		kit_obs(k, rows[i].check, component, "check.begin", "{}");
		for (int j = 0; j < LINES && rows[i].line[j]; j++)
			add_line(k, rows[i].check, component, rows[i].line[j]);
		got = kit_verdict(k, rows[i].check, &why);
		if (strcmp(got, rows[i].want) != 0 || (rows[i].says && !strstr(why, rows[i].says))) {
			print_error("row %zu, %s: wanted %s (%s), got %s: %s\n", i, rows[i].check, rows[i].want, rows[i].says ? rows[i].says : "", got, why);
			bad++;
		}
		kit_free(k);
	}
	assert_int_equal(bad, 0);
}

/* Observations of another check or another component are no evidence. */
static void evidence_is_its_own(void **state)
{
	struct kit *k = kit_new(NULL, NULL);

	(void)state;
	kit_obs(k, "N01", "cam", "check.begin", "{}");
	kit_obs(k, "N04", "cam", "port.scan", "{\"role\":\"target\",\"open\":[4443],\"canary\":\"seen\",\"silent\":0}");
	kit_obs(k, "N01", "app", "port.scan", "{\"role\":\"target\",\"open\":[4443],\"canary\":\"seen\",\"silent\":0}");
	assert_string_equal(kit_verdict(k, "N01", NULL), "INCONCLUSIVE");
	kit_free(k);
}

static void not_run_without_observation(void **state)
{
	struct kit *k = kit_new(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < k->cat->nchecks; i++)
		if (k->cat->checks[i].probe[0])
			assert_string_equal(kit_verdict(k, k->cat->checks[i].id, NULL), "NOT_RUN");
	kit_free(k);
}

/* A condition that does not hold gives NOT_APPLICABLE with the sentence of the check. */
static void condition(void **state)
{
	static const char decl[] = "{\"format\":\"ctm.declaration/1\",\"model\":\"m\",\"maker\":\"M\",\"version\":\"1\",\"interfaces\":[],\"settings\":[]}";
	struct kit *k = kit_new(decl, NULL);
	const char *why;

	(void)state;
	kit_obs(k, "T01", "cam", "check.begin", "{}");
	assert_string_equal(kit_verdict(k, "T01", &why), "NOT_APPLICABLE");
	assert_non_null(strstr(why, "no interface over TLS"));
	/* ... but not against what was seen: the bench completed a handshake on a port of the sample. */
	kit_obs(k, "T01", "cam", "tls.version", "{\"port\":4443,\"asked\":\"TLS 1.3\",\"end\":\"offered\",\"detail\":\"d\",\"suite\":\"S\",\"bench_speaks_it\":true}");
	assert_string_equal(kit_verdict(k, "T01", &why), "INCONCLUSIVE");
	assert_non_null(strstr(why, "leaves this out"));
	kit_free(k);
}

/* P11: an attestation that leaves out who, why or until when must not count (DOC.1c). */
static void attestations(void **state)
{
#define ATTESTED "[{\"outcome\":\"DP.1\",\"component\":\"app\",\"method\":\"attestation\",\"verdict\":\"PASS\",\"text\":\"The app keeps nothing.\""
	static const struct row cases[] = {
		{ "P11", "FAIL", "justification", { ATTESTED ",\"by\":\"Tess Tanner\",\"expires\":\"2031-01-01\"}]" } },
		{ "P11", "FAIL", "expires", { ATTESTED ",\"by\":\"Tess Tanner\",\"justification\":\"no phone on this bench\"}]" } },
		{ "P11", "FAIL", "by", { ATTESTED ",\"justification\":\"no phone on this bench\",\"expires\":\"2031-01-01\"}]" } },
		{ "P11", "PASS", "1 attestation", { ATTESTED ",\"by\":\"Tess Tanner\",\"justification\":\"no phone on this bench\",\"expires\":\"2031-01-01\"}]" } },
		{ "P11", "NOT_APPLICABLE", "No attestation", { "[]" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kit *k = kit_new(NULL, cases[i].line[0]);
		const char *why = "";
		assert_string_equal(kit_verdict(k, cases[i].check, &why), cases[i].want);
		assert_non_null(strstr(why, cases[i].says));
		kit_free(k);
	}
}

/* What a device or a stranger's bundle says never takes a judge down: wrong types everywhere. */
static void hostile_shapes(void **state)
{
	static const char *const shapes[] = { "{}", "{\"open\":7,\"role\":[],\"status\":\"x\",\"step\":{}}", "{\"reply\":[[[]]],\"step\":\"state/before\",\"status\":200}",
		"{\"suites\":{\"a\":1},\"blob\":5,\"chain\":\"sha256:zz\",\"declared_ca\":null}", "{\"entries\":\"x\",\"ok\":\"yes\",\"first\":\"zz\",\"data\":true}" };
	static const char *const kinds[] = { "port.scan", "port.talk", "port.shell-control", "interface", "tls.version", "tls.suites", "tls.chain", "login.tries", "nameplate", "owner", "call", "specimen",
		"label", "release", "site.security-txt", "site.policy", "support-end", "sbom", "check.skipped", "probe.error", "health.after" };
	struct kit *k = kit_new(NULL, NULL);

	(void)state;
	for (size_t c = 0; c < k->cat->nchecks; c++) {
		const char *id = k->cat->checks[c].id, *on = ctm_check_on(&k->cat->checks[c], "device") ? "cam" : "product";
		kit_obs(k, id, on, "check.begin", "{}");
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			for (size_t j = 0; j < sizeof shapes / sizeof shapes[0]; j++)
				if (strcmp(kinds[i], "check.skipped") != 0)
					kit_obs(k, id, on, kinds[i], shapes[j]);
		if (k->cat->checks[c].probe[0])
			assert_string_not_equal(kit_verdict(k, id, NULL), "PASS");
	}
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables), cmocka_unit_test(evidence_is_its_own), cmocka_unit_test(not_run_without_observation), cmocka_unit_test(condition), cmocka_unit_test(attestations), cmocka_unit_test(hostile_shapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
