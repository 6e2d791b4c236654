/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed store: see ctm/sealed.h. Record "sealed": limit (4 bytes, big-endian), 1 while a wipe is under way. Record "s.NAME":
 * nonce, sealed bytes with tag.
 */
#include "ctm/sealed.h"
#include <string.h>

#define RECORD "sealed"
#define RESERVE 16              /* generations taken by one write */

static int keep(struct ctm_sealed *s, uint32_t limit, bool wiping)
{
	uint8_t b[5];
	int rc;

	ctm_sdk_put(b, limit, 4);
	b[4] = wiping;
	rc = ctm_record_store(s->port, RECORD, b, sizeof b);
	if (!rc) {
		s->limit = limit;
		s->wiping = wiping;
	}
	return rc;
}

int ctm_sealed_load(struct ctm_sealed *s)
{
	uint8_t b[5];
	size_t n = 0;
	int rc = ctm_record_load(s->port, RECORD, b, sizeof b, &n);

	s->limit = 0;
	s->wiping = s->restored = false;
	if (rc && rc != CTM_SDK_NONE)
		return rc;
	if (!rc && n != sizeof b)
		return CTM_SDK_STORAGE;
	if (!rc) {
		s->limit = (uint32_t)ctm_sdk_get(b, 4);
		s->wiping = b[4] != 0;
	}
	s->next = s->limit;
	return 0;
}

/* The record's name; UNKNOWN when it is not declared. */
static int record_of(const struct ctm_sealed *s, const char *name, char out[CTM_NAME_MAX + 1])
{
	size_t n = strlen(name);

	for (size_t i = 0; i < s->n && n <= CTM_SEALED_NAME; i++)
		if (strcmp(s->names[i], name) == 0) {
			out[0] = 's';
			out[1] = '.';
			memcpy(out + 2, name, n + 1);
			return 0;
		}
	return CTM_SDK_UNKNOWN;
}

static int nonce(struct ctm_sealed *s, uint8_t out[CTM_AEAD_NONCE])
{
	int rc = 0;

	if (s->limit > UINT32_MAX - RESERVE)
		return CTM_SDK_STATE;
	if (s->next == s->limit)
		rc = keep(s, s->limit + RESERVE, false);
	ctm_sdk_put(out, s->next, 4);
	if (!rc)
		rc = s->port->crypto->random(out + 4, CTM_AEAD_NONCE - 4);
	if (!rc)
		s->next++;
	return rc;
}

int ctm_sealed_put(struct ctm_sealed *s, const char *name, uint8_t *buf, size_t n, size_t cap)
{
	uint8_t key[CTM_AEAD_KEY], fresh[CTM_AEAD_NONCE];
	char record[CTM_NAME_MAX + 1];
	int rc = record_of(s, name, record);

	if (rc)
		return rc;
	if (s->wiping)
		return CTM_SDK_STATE;
	if (n > CTM_RECORD_MAX - CTM_SEALED_ROOM || cap < n + CTM_SEALED_ROOM)
		return CTM_SDK_TOOBIG;
	rc = s->port->seal_key(s->port->ctx, 1, key);
	if (!rc)
		rc = nonce(s, fresh);
	if (!rc) {
		memmove(buf + sizeof fresh, buf, n);
		memcpy(buf, fresh, sizeof fresh);
		rc = s->port->crypto->seal(key, fresh, (struct ctm_bytes){ (const uint8_t *)name, strlen(name) }, buf + sizeof fresh, n, buf + sizeof fresh);
	}
	ctm_sdk_wipe(key, sizeof key);
	if (!rc)
		rc = ctm_record_store(s->port, record, buf, n + CTM_SEALED_ROOM);
	ctm_sdk_wipe(buf, n + CTM_SEALED_ROOM);
	return rc;
}

/* Open what is stored, whatever the state. */
static int read(struct ctm_sealed *s, const char *name, uint8_t *buf, size_t cap, size_t *n)
{
	uint8_t key[CTM_AEAD_KEY], was[CTM_AEAD_NONCE];
	char record[CTM_NAME_MAX + 1];
	size_t len = 0;
	int rc = record_of(s, name, record);

	if (!rc)
		rc = ctm_record_load(s->port, record, buf, cap, &len);
	if (!rc && len < CTM_SEALED_ROOM)
		rc = CTM_SDK_VERIFY;
	if (!rc)
		rc = s->port->seal_key(s->port->ctx, 0, key);
	if (rc)
		return rc;
	memcpy(was, buf, sizeof was);
	rc = s->port->crypto->open(key, was, (struct ctm_bytes){ (const uint8_t *)name, strlen(name) }, buf + sizeof was, len - sizeof was, buf + sizeof was);
	ctm_sdk_wipe(key, sizeof key);
	if (rc)
		return rc;
	*n = len - CTM_SEALED_ROOM;
	memmove(buf, buf + sizeof was, *n);
	if ((uint32_t)ctm_sdk_get(was, 4) < s->limit || (uint32_t)ctm_sdk_get(was, 4) > UINT32_MAX - RESERVE)
		return 0;
	/* Later than anything that storage says was used: it is older than this record. */
	s->restored = true;
	s->next = (uint32_t)ctm_sdk_get(was, 4) + 1;
	return keep(s, s->next, s->wiping);
}

int ctm_sealed_get(struct ctm_sealed *s, const char *name, uint8_t *buf, size_t cap, size_t *n)
{
	return s->wiping ? CTM_SDK_STATE : read(s, name, buf, cap, n);
}

int ctm_sealed_del(struct ctm_sealed *s, const char *name)
{
	char record[CTM_NAME_MAX + 1];
	int rc = record_of(s, name, record);

	return rc ? rc : ctm_record_erase(s->port, record);
}

int ctm_sealed_wipe(struct ctm_sealed *s, uint8_t *buf, size_t cap)
{
	size_t n;
	int rc = s->wiping ? 0 : keep(s, s->limit, true);

	if (!rc)
		rc = s->port->seal_key(s->port->ctx, -1, NULL);
	for (size_t i = 0; !rc && i < s->n; i++) {
		rc = read(s, s->names[i], buf, cap, &n) ? 0 : CTM_SDK_FAIL;
		if (!rc)
			rc = ctm_sealed_del(s, s->names[i]);
	}
	ctm_sdk_wipe(buf, cap);
	if (!rc && s->log)
		rc = ctm_log_add(s->log, "wipe", "key destroyed, no record opens");
	return rc ? rc : keep(s, s->limit, false);
}
