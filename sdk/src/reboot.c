/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and words of reboot reasons, apart from crash.c because a device sends codes and needs neither: see ctm/crash.h.
 */
#include "ctm/crash.h"

static const struct row {
	unsigned code;
	const char *name, *text;
} rows[] = {
#define CTM_REBOOT(code, name, text) { (code), #name, text },
#include "ctm/reboot.def"
#ifdef CTM_REBOOT_FILE
#include CTM_REBOOT_FILE
#endif
#undef CTM_REBOOT
};

static const struct row *find(unsigned code)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const char *ctm_reboot_name(unsigned code)
{
	const struct row *r = find(code);

	return r ? r->name : NULL;
}

const char *ctm_reboot_text(unsigned code)
{
	const struct row *r = find(code);

	return r ? r->text : NULL;
}
