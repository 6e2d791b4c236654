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
	bool read = e.code == 0;
	struct ctm_cert_who w = { 0 };
	ctm_err_clear(&e);
	if (ctm_cert_who((const char *)data, size, &w, &e) == 0 && read && (strcmp(w.serial_number, i.serial_number) || strcmp(w.spki_sha256, i.spki_sha256) ||
		w.not_after_ms != i.not_after_ms))
		abort();                      /* the short reader may refuse more, but never says something else */
	ctm_err_clear(&e);
	check(ctm_cert_read_der(data, size, &i, &e), &i, &e);
	if (ctm_key_from_pem((const char *)data, size, &k, NULL) == 0)
		ctm_key_free(k);
	return 0;
}
