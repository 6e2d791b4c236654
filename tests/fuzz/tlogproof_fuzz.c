/* SPDX-License-Identifier: Apache-2.0
 *
 * tlog-proofs and certificates: any bytes are refused or read; a proof that is read is written again to the byte.
 */
#include "registry/proof.h"
#include "registry/tlogproof.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ctm_trust trust;
	struct ctm_tlogproof p;
	struct ctm_proof_report r;
	struct ctm_err e = { 0 };

	if (ctm_tlogproof_parse((const char *)data, size, &p, NULL) == 0) {
		CTM_AUTO_BUF b = CTM_BUF(CTM_TLOGPROOF_MAX);
		if (ctm_tlogproof_write(&p, &b, NULL) || b.len != size || memcmp(b.p, data, size))
			abort();
		ctm_tlogproof_free(&p);
	}
	/* No key is trusted, so nothing can be good; a refusal has words. */
	if (ctm_proof_check((const char *)data, size, &trust, &r, &e) == 0 || !e.msg[0])
		abort();
	ctm_err_clear(&e);
	if (ctm_certificate_check((const char *)data, size, &trust, &r, &e) == 0 || !e.msg[0])
		abort();
	return 0;
}
