/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a delta (ctm.delta/1, see ctm/delta.h) from one image to another: finds long similar stretches by the sorted suffixes
 * of the old image, codes differences where they align, and what is new as literals and repetitions of the new image.
 */
#ifndef CTM_APP_DELTA_MAKE_H
#define CTM_APP_DELTA_MAKE_H
#include "base/buf.h"
#include "ctm/crypto.h"

/* Append the delta to out. frame_log2 is 8 to 24: a smaller frame loses less when a download is cut short, a larger one makes
 * a smaller delta; 0 chooses by size. context 0 is for devices with the small model. Images are 1 byte to CTM_IMAGE_MAX. INPUT, NOMEM, TOOBIG. */
CTM_CHECK int ctm_delta_make(const struct ctm_crypto *crypto, const uint8_t *old, size_t oldn, const uint8_t *next, size_t nextn, unsigned frame_log2, unsigned context,
	struct ctm_buf *out, struct ctm_err *err);

#endif
