/* SPDX-License-Identifier: Apache-2.0
 *
 * C2SP tlog-proof: one text file that proves an entry is in a log.
 *   c2sp.org/tlog-proof@v1
 *   extra BASE64            (optional; what the application needs to know the entry)
 *   index DECIMAL
 *   BASE64 hash, one a line
 *   (empty line)
 *   the checkpoint, a signed note
 * One spelling per proof: what is read is written again and must be the same bytes.
 */
#ifndef CTM_REGISTRY_TLOGPROOF_H
#define CTM_REGISTRY_TLOGPROOF_H
#include "base/buf.h"
#include "registry/merkle.h"

#define CTM_TLOGPROOF_MAX (512 * 1024)
#define CTM_EXTRA_MAX (256 * 1024)

struct ctm_tlogproof {
	int64_t index;
	struct ctm_proof_path path;
	struct ctm_buf extra;          /* owned; empty when there is none */
	const char *note;              /* borrowed from the text */
	size_t note_len;
};

CTM_CHECK int ctm_tlogproof_write(const struct ctm_tlogproof *p, struct ctm_buf *out, struct ctm_err *err);        /* appends the one spelling; TOOBIG */
CTM_CHECK int ctm_tlogproof_parse(const char *text, size_t n, struct ctm_tlogproof *out, struct ctm_err *err);     /* SYNTAX, TOOBIG; the note is not looked into */
void ctm_tlogproof_free(struct ctm_tlogproof *p);

#endif
