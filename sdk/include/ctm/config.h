/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: a typed schema given by the caller, values in the caller's storage, kept in a two-copy record. A value outside its
 * schema is never stored, and one found in storage (after an update changed the schema) falls back to its default.
 * NIST IR 8259A: settings can be changed, only by the authorised (the caller's part), and a secure configuration restored.
 */
#ifndef CTM_CONFIG_H
#define CTM_CONFIG_H
#include "ctm/port.h"
#include <stdbool.h>

enum ctm_setting_type { CTM_SET_BOOL, CTM_SET_INT, CTM_SET_TEXT, CTM_SET_ENUM };

/* bool: i is 0 or 1; int: i; enum: i is the index; text: text. */
struct ctm_value {
	int64_t i;
	char text[CTM_SETTING_TEXT + 1];
};

struct ctm_setting {
	char name[CTM_SETTING_NAME + 1];
	enum ctm_setting_type type;
	int64_t min, max;               /* int: bounds; text: bytes */
	char values[CTM_SETTING_VALUES][CTM_SETTING_NAME + 1];
	size_t nvalues;
	struct ctm_value first;         /* at first boot */
	struct ctm_value secure;        /* after a reset */
};

struct ctm_config {
	const struct ctm_port *port;
	const struct ctm_setting *schema;
	size_t n;
	struct ctm_value value[CTM_SETTINGS_MAX];
};

/* Index in the schema, or UNKNOWN. */
int ctm_config_find(const struct ctm_config *c, const char *name);
/* 0 or INPUT: not of the type's range. */
int ctm_config_check(const struct ctm_setting *s, const struct ctm_value *v);
/* Load what is stored; defaults where nothing is. */
int ctm_config_load(struct ctm_config *c);
/* Take all n values or none: checked, stored, then in force. INPUT with *bad = index (bad may be NULL), STORAGE. */
int ctm_config_store(struct ctm_config *c, const struct ctm_value *values, size_t *bad);
/* The secure default, stored. */
int ctm_config_reset(struct ctm_config *c);

#endif
