/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes of the simulated device: small, so that every boundary is met often.
 */
#define CTM_RECORD_MAX 768
#define CTM_MANIFEST_MAX 512
#define CTM_ADVISORIES_MAX 2
#define CTM_SLOT_CHUNK 160
#define CTM_SLOT_BLOCK 256
#define CTM_DELTA_CONTEXT 0
#define CTM_SETTINGS_MAX 4
#define CTM_SETTING_TEXT 16
#define CTM_LOG_DETAIL 40
#define CTM_LOG_BLOCK 3
#define CTM_LOG_BLOCKS 3
