/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the files of a tiled log (C2SP tlog-tiles): "tile/L/N[.p/W]" for 256 hashes of level 8L, "tile/entries/N[.p/W]" for
 * bundles of entries. N is written in groups of three digits, all but the last with an x before them: 1234067 is x001/x234/067.
 */
#ifndef CTM_REGISTRY_TILE_H
#define CTM_REGISTRY_TILE_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define CTM_TILE_WIDTH 256
#define CTM_TILE_LEVELS 8              /* 256^8 entries are more than CTM_TREE_MAX */
#define CTM_TILE_ENTRIES (-1)          /* level of entry bundles */
#define CTM_TILE_PATH_MAX 64
#define CTM_ENTRY_MAX 65535            /* bytes: lengths in bundles are 16 bits */

struct ctm_tile { int level; int64_t n; unsigned width /* 1..256 */; };

void ctm_tile_path(const struct ctm_tile *t, char out[CTM_TILE_PATH_MAX]);  /* relative to the log's directory */
/* Exactly what ctm_tile_path writes, and nothing else. SYNTAX. */
CTM_CHECK int ctm_tile_parse(const char *path, struct ctm_tile *out);

#endif
