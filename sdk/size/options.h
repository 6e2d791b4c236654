/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of a small microcontroller: what tools/sdk-size measures and what the Cortex-M firmware is built with.
 */
#define CTM_TABLE_TEXTS 0
#define CTM_COSE_PROTECTED_MAX 160
#define CTM_SERIAL_MAX 32
#define CTM_RECORD_MAX 768
#define CTM_MANIFEST_MAX 640
#define CTM_IMAGE_MAX ((size_t)512 << 10)
#define CTM_ADVISORIES_MAX 8
#define CTM_SLOT_CHUNK 256
#define CTM_SLOT_BLOCK ((size_t)2 << 10)
#define CTM_DELTA_CONTEXT 0
#define CTM_SETTINGS_MAX 8
#define CTM_SETTING_TEXT 24
#define CTM_SETTING_VALUES 6
#define CTM_PASSWORD_MAX 64
#define CTM_SESSIONS 2
#define CTM_LOG_DETAIL 48
#define CTM_LOG_BLOCK 4
#define CTM_LOG_BLOCKS 33
#define CTM_HEARTBEAT_MAX 240
#define CTM_READINGS_MAX 20
#define CTM_RULES_MAX 8
#define CTM_QUEUE_SLOTS 16
