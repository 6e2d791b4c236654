/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: a typed schema given by the caller (constant, in flash on a small device), values in the caller's storage, kept in a
 * two-copy record. A value outside its schema is never stored, and one found in storage (after an update changed the schema)
 * falls back to its default. Each setting says who may write it: the owner on the device, the platform by signed documents
 * (ctm/remote.h).
 *
 * A change may be put on trial: it is in force at once, and becomes the kept configuration only by ctm_config_confirm, which the
 * caller says when it is well and in contact. Until then the old one is kept beside it and comes back by itself: when the time
 * is up (ctm_config_tick), and after CTM_CONFIG_BOOTS starts without a confirmation, whatever the clock does meanwhile.
 *
 * NIST IR 8259A: settings can be changed, only by the authorised, and a secure configuration restored.
 */
#ifndef CTM_CONFIG_H
#define CTM_CONFIG_H
#include "ctm/cbor.h"
#include "ctm/port.h"
#include <stdbool.h>

enum ctm_setting_type { CTM_SET_BOOL, CTM_SET_INT, CTM_SET_TEXT, CTM_SET_ENUM };

/* Who may write: bits of a setting's `writers`, and the one who does. */
enum ctm_writer { CTM_WRITER_OWNER = 1, CTM_WRITER_PLATFORM = 2 };

enum ctm_privacy { CTM_PRIVACY_NONE, CTM_PRIVACY_PERSONAL };   /* personal: never in logs or reports */

/* bool: i is 0 or 1; int: i; enum: i is the index; text: text. */
struct ctm_value {
	int64_t i;
	char text[CTM_SETTING_TEXT + 1];
};

struct ctm_constant {
	int64_t i;
	const char *text;               /* NULL is "" */
};

struct ctm_setting {
	const char *name;               /* at most CTM_SETTING_NAME */
	uint8_t type;                   /* enum ctm_setting_type */
	uint8_t privacy;                /* enum ctm_privacy */
	uint8_t writers;                /* of enum ctm_writer; 0: the owner */
	uint8_t nvalues;
	const char *const *values;      /* of an enum */
	int64_t min, max;               /* int: bounds; text: bytes */
	struct ctm_constant first;      /* at first boot */
	struct ctm_constant secure;     /* after a reset */
};

struct ctm_config {
	const struct ctm_port *port;
	const struct ctm_setting *schema;
	size_t n;
	struct ctm_value value[CTM_SETTINGS_MAX];      /* in force */
	uint64_t generation;            /* of the kept configuration, one more with each change */
	uint64_t document;              /* version of the last signed document, taken or reverted */
	/* on trial */
	bool on_trial, reverted;        /* reverted: the last load found a trial used up */
	uint8_t boots_left;
	uint32_t trial_s;
	int64_t until_ms;               /* mono */
};

struct ctm_change {
	const struct ctm_value *values; /* all n of them */
	enum ctm_writer writer;
	uint32_t trial_s;               /* 0: kept at once */
	uint64_t document;              /* 0: not by a signed document */
};

/* Index in the schema, or UNKNOWN. */
int ctm_config_find(const struct ctm_config *c, const char *name, size_t n);
/* 0 or INPUT: not of the type's range. */
int ctm_config_check(const struct ctm_setting *s, const struct ctm_value *v);
/* A constant of the schema as a value. TOOBIG for a text that does not fit. */
int ctm_config_constant(const struct ctm_constant *k, struct ctm_value *v);
/* Load what is stored; defaults where nothing is. A trial under way loses one of its boots. STORAGE. */
int ctm_config_load(struct ctm_config *c);
/* Take all n values or none: checked, stored, then in force. INPUT or AUTH (not this writer's to change) with *bad = index (bad may
 * be NULL), STORAGE. Without a trial it also ends one that was under way. */
int ctm_config_change(struct ctm_config *c, const struct ctm_change *change, size_t *bad);
/* What is on trial is kept. STATE when nothing is, STORAGE. */
int ctm_config_confirm(struct ctm_config *c);
/* Back to what was kept. STATE when nothing is on trial, STORAGE. */
int ctm_config_revert(struct ctm_config *c);
/* To be called now and then. 1: a trial ran out and was reverted; 0; STORAGE. */
int ctm_config_tick(struct ctm_config *c);
/* The secure default, kept; no copy of the old values stays in storage. */
int ctm_config_reset(struct ctm_config *c);

/* Next name and value of a document or record: the index and *v, or UNKNOWN, INPUT (type or range; the pair is taken all the same). */
int ctm_config_read(const struct ctm_config *c, struct ctm_cbor_r *r, struct ctm_value *v);

#endif
