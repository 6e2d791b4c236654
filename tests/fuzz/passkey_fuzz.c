/* SPDX-License-Identifier: Apache-2.0
 *
 * What a browser sends about a passkey: any bytes as attestation object, client data and authenticator data are refused or read;
 * a credential that is read has an id and a key of its algorithm's length, and a signature over nothing known never verifies.
 */
#include "identity/passkey.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ctm_passkey_key key = { .alg = CTM_PASSKEY_EDDSA, .key = { 0xd7, 0x5a, 0x98, 0x01 }, .key_n = 32 };
	struct ctm_passkey_rp rp;
	struct ctm_passkey_new made;
	struct ctm_passkey_bytes in = { data, size };
	char challenge[64];
	uint32_t count;
	if (ctm_passkey_rp("http://localhost:8080", &rp, NULL))
		abort();
	if (!ctm_passkey_verify_new(&rp, in, in, &made, NULL) &&
		(!made.id_n || made.id_n > sizeof made.id || made.key.key_n != (made.key.alg == CTM_PASSKEY_ES256 ? 64u : 32u)))
		abort();
	(void)!ctm_passkey_client(&rp, "webauthn.get", in, challenge, NULL);
	if (!ctm_passkey_verify_use(&rp, &key, in, in, in, &count, NULL))
		abort();
	return 0;
}
