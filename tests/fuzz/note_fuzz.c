/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed notes, checkpoints and verifier keys: any bytes are refused or read; a checkpoint that is read is written again as its own
 * first three lines.
 */
#include "registry/note.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ctm_vkey k;
	struct ctm_vkey other;
	struct ctm_checkpoint cp;
	size_t text, unknown;

	if (!*k.name && ctm_vkey_parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", &k, NULL))
		abort();
	if (ctm_note_verify((const char *)data, size, &k, 1, &text, &unknown, NULL) == 0 && text > size)
		abort();
	(void)!ctm_checkpoint_verify((const char *)data, size, &k, &cp, NULL, NULL);
	if (ctm_checkpoint_parse((const char *)data, size, &cp, NULL) == 0) {
		CTM_AUTO_BUF b = CTM_BUF(4096);
		ctm_checkpoint_write(&cp, &b);
		if (b.failed || b.len > size || memcmp(b.p, data, b.len))
			abort();
	}
	if (size < 512 && !memchr(data, 0, size)) {
		char s[512] = { 0 };
		memcpy(s, data, size);
		if (ctm_vkey_parse(s, &other, NULL) == 0) {
			CTM_AUTO_BUF b = CTM_BUF(1024);
			ctm_vkey_write(other.name, other.pub, &b);
			if (strcmp(ctm_buf_cstr(&b), s))
				abort();
		}
	}
	return 0;
}
