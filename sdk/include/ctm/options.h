/* SPDX-License-Identifier: Apache-2.0
 *
 * Every size and limit of the SDK, in one place. A product changes one by defining it before this header reads its default:
 * -DCTM_OPTIONS_FILE='"my-options.h"' names a header of the product's own, which is read first.
 *
 * Rules that hold between them are judged at the end of this file, when the SDK is compiled. What the SDK keeps in RAM is the
 * sum of the structures a product declares (tools/sdk-size prints each with its size) and the deepest stack, printed beside.
 *
 * Marked [stored]: part of what lies in a device's storage. Changing it in an update makes older records unreadable.
 * Marked [wire]: part of what other programs read; a device may lower it, never raise it.
 */
#ifndef CTM_OPTIONS_H
#define CTM_OPTIONS_H
#ifdef CTM_OPTIONS_FILE
#include CTM_OPTIONS_FILE
#endif

/* ---- wire: CBOR, COSE ---- */

/* Levels of arrays, maps and tags inside one another. The checker is recursive: each level costs about 64 bytes of stack on a
 * Cortex-M. Our own formats need 4. [wire] */
#ifndef CTM_CBOR_DEPTH
#define CTM_CBOR_DEPTH 8
#endif
/* Bytes of one COSE_Sign1 message, read or written. Nothing is reserved for it: the caller gives the bytes. [wire] */
#ifndef CTM_COSE_MAX
#define CTM_COSE_MAX ((size_t)16 << 20)
#endif
/* Bytes of a key id in a COSE header. [wire] */
#ifndef CTM_COSE_KID_MAX
#define CTM_COSE_KID_MAX 64
#endif
/* Bytes of a protected header that is read; the server reads what others write, a device only what its maker signs. [wire] */
#ifndef CTM_COSE_PROTECTED_MAX
#define CTM_COSE_PROTECTED_MAX 4096
#endif

/* ---- names ---- */

/* Characters of a printed serial. [wire] */
#ifndef CTM_SERIAL_MAX
#define CTM_SERIAL_MAX 64
#endif
/* Characters of a version, "1.2.3.4-rc1". [wire] */
#ifndef CTM_VERSION_MAX
#define CTM_VERSION_MAX 32
#endif
/* Characters of the model in an image's first line. [wire] */
#ifndef CTM_MODEL_MAX
#define CTM_MODEL_MAX 32
#endif

/* ---- storage ---- */

/* Characters of a stored record's name. [stored] */
#ifndef CTM_NAME_MAX
#define CTM_NAME_MAX 24
#endif
/* Bytes of one record. Storage must be able to hold two copies, each with a head of 48 bytes. */
#ifndef CTM_RECORD_MAX
#define CTM_RECORD_MAX 4096
#endif

/* ---- software update ---- */

/* Bytes of a signed manifest. [wire] */
#ifndef CTM_MANIFEST_MAX
#define CTM_MANIFEST_MAX 4096
#endif
/* Bytes of an image: set it to the size of a slot. */
#ifndef CTM_IMAGE_MAX
#define CTM_IMAGE_MAX ((size_t)32 << 20)
#endif
/* Bytes of component and versions in a manifest. [wire] */
#ifndef CTM_MANIFEST_TEXT
#define CTM_MANIFEST_TEXT 32
#endif
/* Advisories that one release may name, and the bytes of each. A decoded manifest keeps 8 bytes (on 32-bit) for each. [wire] */
#ifndef CTM_ADVISORIES_MAX
#define CTM_ADVISORIES_MAX 16
#endif
#ifndef CTM_ADVISORY_TEXT
#define CTM_ADVISORY_TEXT 64
#endif
/* Versions that a release may allow a device to go back to; 8 bytes each in a decoded manifest. [wire] */
#ifndef CTM_ROLLBACK_MAX
#define CTM_ROLLBACK_MAX 8
#endif
/* Bytes of a director statement. [wire] */
#ifndef CTM_DIRECTOR_MAX
#define CTM_DIRECTOR_MAX 1024
#endif
/* A download interrupted by a power cut goes on at a multiple of this; each costs a sync and a small record. On flash: one or more
 * of its erase blocks. */
#ifndef CTM_SLOT_BLOCK
#define CTM_SLOT_BLOCK ((size_t)64 << 10)
#endif
/* 1: deltas are decoded with a larger model, some 10 % smaller deltas for 1.3 KB of RAM more. 0: those that need it are refused, and the
 * full image comes instead. [wire] */
#ifndef CTM_DELTA_CONTEXT
#define CTM_DELTA_CONTEXT 1
#endif
/* Seconds by which a verified time must be later than the one kept before it is stored. */
#ifndef CTM_TIME_STEP
#define CTM_TIME_STEP 3600
#endif
/* Boots a new image gets to prove itself before the device goes back. */
#ifndef CTM_TRIALS
#define CTM_TRIALS 3
#endif
/* Bytes moved at a time between a slot and the hash: on the stack while an image is verified. */
#ifndef CTM_SLOT_CHUNK
#define CTM_SLOT_CHUNK 1024
#endif

/* ---- configuration ---- */

/* Settings of a product. */
#ifndef CTM_SETTINGS_MAX
#define CTM_SETTINGS_MAX 32
#endif
/* Characters of a setting's name. [stored] */
#ifndef CTM_SETTING_NAME
#define CTM_SETTING_NAME 32
#endif
/* Bytes of a text value. [stored] */
#ifndef CTM_SETTING_TEXT
#define CTM_SETTING_TEXT 64
#endif
/* Values of an enum. */
#ifndef CTM_SETTING_VALUES
#define CTM_SETTING_VALUES 16
#endif

/* Bytes of a stored configuration: on the stack while it is read or written. The default holds every setting at its longest. */
#ifndef CTM_CONFIG_BYTES
#define CTM_CONFIG_BYTES (24 + CTM_SETTINGS_MAX * (CTM_SETTING_NAME + CTM_SETTING_TEXT + 6))
#endif
/* Starts that a configuration on trial gets before the device goes back to the kept one. */
#ifndef CTM_CONFIG_BOOTS
#define CTM_CONFIG_BOOTS 3
#endif
/* Seconds of trial of a signed configuration that does not say how long. */
#ifndef CTM_CONFIG_TRIAL_S
#define CTM_CONFIG_TRIAL_S 600
#endif
/* Bytes of a signed configuration or reset. [wire] */
#ifndef CTM_REMOTE_MAX
#define CTM_REMOTE_MAX 4096
#endif

/* ---- owner's password and sessions ---- */

/* Bytes of a password. */
#ifndef CTM_PASSWORD_MAX
#define CTM_PASSWORD_MAX 128
#endif
/* Sessions at a time, 48 bytes each; the one unused for longest makes room for a new one. */
#ifndef CTM_SESSIONS
#define CTM_SESSIONS 8
#endif
/* A session unused for so long ends, in milliseconds. */
#ifndef CTM_SESSION_MS
#define CTM_SESSION_MS ((int64_t)30 * 60 * 1000)
#endif

/* ---- security log ---- */

/* Characters of an event's name and of its detail. [stored] */
#ifndef CTM_LOG_EVENT
#define CTM_LOG_EVENT 32
#endif
#ifndef CTM_LOG_DETAIL
#define CTM_LOG_DETAIL 96
#endif
/* Entries of one stored record, and the number of such records; one is being filled, so (BLOCKS - 1) * BLOCK entries always
 * remain. A small block costs more records, a large one more stack and more bytes written for each event. [stored] */
#ifndef CTM_LOG_BLOCK
#define CTM_LOG_BLOCK 16
#endif
#ifndef CTM_LOG_BLOCKS
#define CTM_LOG_BLOCKS 33
#endif

/* ---- state awareness ---- */

/* Names, units and purposes in the tables of metrics and of the data catalogue. A device sends ids only: 0 leaves the texts out of
 * its flash. */
#ifndef CTM_TABLE_TEXTS
#define CTM_TABLE_TEXTS 1
#endif
/* Bytes of one heartbeat, before TLS or a signature. [wire] */
#ifndef CTM_HEARTBEAT_MAX
#define CTM_HEARTBEAT_MAX 320
#endif
/* Metrics that one heartbeat carries; a decoded one keeps 8 bytes for each, on the stack. [wire] */
#ifndef CTM_READINGS_MAX
#define CTM_READINGS_MAX 32
#endif
/* Health rules of a product, one byte of RAM each. */
#ifndef CTM_RULES_MAX
#define CTM_RULES_MAX 16
#endif
/* Heartbeats kept in storage while nobody takes them; then the oldest goes and is counted. */
#ifndef CTM_QUEUE_SLOTS
#define CTM_QUEUE_SLOTS 24
#endif

/* ---- interface access ---- */

/* 1 lets interfaces for debugging be opened: never in a product that is sold. */
#ifndef CTM_DEBUG_INTERFACES
#define CTM_DEBUG_INTERFACES 0
#endif

/* ---- rules between them ---- */

#if CTM_CBOR_DEPTH < 4
#error "CTM_CBOR_DEPTH: the SDK's own formats need 4 levels"
#endif
#if CTM_LOG_BLOCKS < 2 || CTM_LOG_BLOCKS > 100
#error "CTM_LOG_BLOCKS: 2 to 100 (the name of a record has two digits)"
#endif
#if CTM_RECORD_MAX < 256
#error "CTM_RECORD_MAX: the boot record and the password need 256 bytes"
#endif
#if CTM_SLOT_CHUNK < 128
#error "CTM_SLOT_CHUNK: the first chunk must hold an image's first line"
#endif
#if CTM_QUEUE_SLOTS < 2 || CTM_QUEUE_SLOTS > 100
#error "CTM_QUEUE_SLOTS: 2 to 100 (the name of a record has two digits)"
#endif
#if CTM_HEARTBEAT_MAX + 16 > CTM_RECORD_MAX
#error "CTM_HEARTBEAT_MAX: a heartbeat and its number must fit a record"
#endif
#if CTM_SESSIONS < 1 || CTM_TRIALS < 1
#error "CTM_SESSIONS and CTM_TRIALS: at least 1"
#endif

#endif
