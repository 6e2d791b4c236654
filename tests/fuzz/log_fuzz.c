/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of somebody's transparency log: first byte the size of the tree, then its hashes, then the bundle of its entries. The
 * checkpoint over them is signed here, so that what lies below it is read. An entry that is handed out has its length.
 */
#include "registry/log.h"
#include <stdint.h>
#include <string.h>
#include "temp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int entry(void *arg, int64_t index, const void *p, size_t n, struct ctm_err *err)
{
	(void)arg, (void)p, (void)err;
	return index < 0 || n > CTM_ENTRY_MAX;
}

static void head(const struct ctm_key *key, const struct ctm_vkey *vk, const uint8_t *hashes, unsigned width)
{
	CTM_AUTO_BUF text = CTM_BUF(1024), note = CTM_BUF(4096);
	struct ctm_checkpoint cp = { .size = width };

	memcpy(cp.origin, vk->name, sizeof cp.origin);
	memcpy(cp.root, hashes, CTM_SHA256);          /* right for a tree of one entry */
	ctm_checkpoint_write(&cp, &text);
	if (ctm_note_sign(key, vk->name, text.p, text.len, &note, NULL))
		abort();
	temp_put("checkpoint", note.p, note.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ctm_key *key;
	static struct ctm_vkey vk = { .name = "log.example" };
	uint8_t raw[65];
	char name[64];
	CTM_AUTO_LOG *log = NULL;
	struct ctm_log_report r;
	struct ctm_err e = { 0 };
	unsigned width = size ? data[0] : 0;

	if (!width || size < 1 + (size_t)width * CTM_SHA256 || size > 1 << 20)
		return 0;
	if (!key) {
		if (ctm_key_generate(CTM_ALG_ED25519, &key, NULL) || ctm_key_raw(key, raw) != 32)
			abort();
		memcpy(vk.pub, raw, 32);
		ctm_note_key_id(vk.name, vk.pub, vk.id);
	}
	head(key, &vk, data + 1, width);
	snprintf(name, sizeof name, "tile/0/000.p/%u", width);
	temp_put(name, data + 1, (size_t)width * CTM_SHA256);
	snprintf(name, sizeof name, "tile/entries/000.p/%u", width);
	temp_put(name, data + 1 + (size_t)width * CTM_SHA256, size - 1 - (size_t)width * CTM_SHA256);
	if (ctm_log_open(temp_open(), &vk, &log, &e))
		abort();
	CTM_AUTO_BUF one = CTM_BUF(CTM_ENTRY_MAX);
	if (ctm_log_entry(log, width - 1, &one, &e) == 0 && one.len > CTM_ENTRY_MAX)
		abort();
	ctm_err_clear(&e);
	if (ctm_log_check(log, entry, NULL, &r, &e) ? !e.msg[0] : r.entries != width)
		abort();
	return 0;
}
