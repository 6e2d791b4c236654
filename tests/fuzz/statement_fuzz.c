/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements and requests to the signer: any JSON is refused with a named rule or read; a statement that is read keeps its meaning
 * when written and read again.
 */
#include "registry/signer_rules.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void named(int rc, const struct ctm_err *e)
{
	if (rc && (!e->rule[0] || !e->msg[0]))
		abort();
}

static void round_trip(const struct ctm_statement *st)
{
	CTM_AUTO_BUF a = CTM_BUF(CTM_STATEMENT_MAX), b = CTM_BUF(CTM_STATEMENT_MAX);
	CTM_AUTO_JSON *j = NULL;
	struct ctm_statement again;

	if (ctm_statement_write(st, &a, NULL))
		return;          /* longer than a statement may be */
	if (ctm_json_parse(a.p, a.len, CTM_STATEMENT_MAX, "x", &j, NULL) || ctm_statement_parse(j, &again, NULL) || ctm_statement_write(&again, &b, NULL) ||
	    a.len != b.len || memcmp(a.p, b.p, a.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTM_AUTO_JSON *j = NULL;
	CTM_AUTO_BUF payload = CTM_BUF(CTM_STATEMENT_MAX);
	struct ctm_statement st;
	struct ctm_checkpoint last = { .size = 3 }, cp;
	struct ctm_rule_cert cert;
	struct ctm_err e = { 0 };

	if (ctm_json_parse((const char *)data, size, 1 << 18, "input", &j, NULL))
		return 0;
	if (ctm_statement_parse(j, &st, NULL) == 0)
		round_trip(&st);
	named(ctm_rule_statement(ctm_json_get(j, "statement"), ctm_json_get(j, "decision"), &st, &e), &e);
	ctm_err_clear(&e);
	named(ctm_rule_checkpoint(j, "log.example", &last, &cp, &e), &e);
	ctm_err_clear(&e);
	named(ctm_rule_evidence(j, &payload, &e), &e);
	ctm_err_clear(&e);
	named(ctm_rule_certificate(j, &cert, &e), &e);
	return 0;
}
