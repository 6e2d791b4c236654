/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of a state directory that may come from a backup or another machine: the signer's journal (j) and the trust list (t). The
 * first byte says which. Taken or refused with a sentence; a journal that is taken can be opened again and says the same.
 */
#include "crypto/hash.h"
#include "registry/signer_journal.h"
#include "registry/trust.h"
#include <string.h>
#include "temp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(void *arg, const ctm_json *line, struct ctm_err *err)
{
	(void)err;
	*(int64_t *)arg += ctm_json_type(line) == CTM_J_OBJ;
	return 0;
}

static void journal(const char *path)
{
	struct ctm_journal j, again;
	struct ctm_err e = { 0 };
	int64_t n = 0, m = 0;

	if (ctm_journal_open(path, replay, &n, &j, &e)) {
		if (!e.msg[0])
			abort();
		return;
	}
	ctm_journal_close(&j);
	if (ctm_journal_open(path, replay, &m, &again, &e) || m != n || again.seq != j.seq || strcmp(again.head, j.head))
		abort();
	ctm_journal_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ctm_trust trust;
	struct ctm_err e = { 0 };
	char path[128];

	if (!size || size > 1 << 20)
		return 0;
	temp_put("file", data + 1, size - 1);
	snprintf(path, sizeof path, "%s/file", temp_open());
	if (data[0] == 'j')
		journal(path);
	else if (ctm_trust_load(path, &trust, &e) ? !e.msg[0] : trust.ncla > CTM_TRUST_CLA_MAX)
		abort();
	return 0;
}
