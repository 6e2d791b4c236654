/* SPDX-License-Identifier: Apache-2.0
 *
 * What strangers send to the CA: certificate requests, certificates, keys. Refused or described; never a half-filled answer.
 */
#include "base/text.h"
#include "crypto/x509.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int rc, const struct ctm_cert_info *i, const struct ctm_err *e)
{
	if (rc ? !e->code || !ctm_utf8_valid(e->msg, strlen(e->msg)) : !ctm_text_printable(i->serial_number, strlen(i->serial_number)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctm_cert_info i = { 0 };
	struct ctm_err e = { 0 };
	struct ctm_key *k = NULL;
	check(ctm_csr_read((const char *)data, size, &i, &e), &i, &e);
	ctm_err_clear(&e);
	check(ctm_cert_read((const char *)data, size, &i, &e), &i, &e);
	ctm_err_clear(&e);
	check(ctm_cert_read_der(data, size, &i, &e), &i, &e);
	if (ctm_key_from_pem((const char *)data, size, &k, NULL) == 0)
		ctm_key_free(k);
	return 0;
}
