/* SPDX-License-Identifier: Apache-2.0
 *
 * Tile names come from addresses on the network and become file names: what is accepted is spelled in one way and stays inside.
 */
#include "base/file.h"
#include "registry/qr.h"
#include "registry/tile.h"
#include "registry/url.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ctm_qr qr;
	struct ctm_tile t;
	char s[256] = { 0 }, again[CTM_TILE_PATH_MAX];

	if (size >= sizeof s)
		return 0;
	memcpy(s, data, size);
	if (ctm_tile_parse(s, &t) == 0) {
		ctm_tile_path(&t, again);
		if (strcmp(s, again) || !ctm_path_safe(s) || t.width < 1 || t.width > CTM_TILE_WIDTH || t.n < 0)
			abort();
	}
	(void)ctm_url_local(s);
	if (ctm_qr_make(s, 'M', 120, &qr, NULL) == 0 && (qr.n < 21 || qr.n > CTM_QR_MAX))
		abort();
	return 0;
}
