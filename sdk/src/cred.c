/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: see ctm/cred.h. Records: "cred" (flags, fails, salt, hash) and "cred0" (the factory's salt and hash). A wrong
 * password is counted and stored before the answer goes out, so pulling the plug does not give more tries.
 */
#include "ctm/cred.h"
#include <string.h>

#define RECORD "cred"
#define FACTORY "cred0"
#define BODY (1 + 4 + CTM_SALT_BYTES + CTM_HASH_BYTES)

static int save(struct ctm_cred *c, const char *name)
{
	uint8_t b[BODY];
	int rc;

	b[0] = c->initial;
	for (int i = 0; i < 4; i++)
		b[1 + i] = (uint8_t)(c->fails >> (24 - 8 * i));
	memcpy(b + 5, c->salt, CTM_SALT_BYTES);
	memcpy(b + 5 + CTM_SALT_BYTES, c->key, CTM_HASH_BYTES);
	rc = ctm_record_store(c->port, name, b, sizeof b);
	ctm_sdk_wipe(b, sizeof b);
	return rc;
}

static int load(struct ctm_cred *c, const char *name)
{
	uint8_t b[BODY];
	size_t n = 0;
	int rc = ctm_record_load(c->port, name, b, sizeof b, &n);

	if (rc)
		return rc;
	if (n != BODY)
		return CTM_SDK_STORAGE;
	c->initial = b[0] != 0;
	c->fails = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
	memcpy(c->salt, b + 5, CTM_SALT_BYTES);
	memcpy(c->key, b + 5 + CTM_SALT_BYTES, CTM_HASH_BYTES);
	ctm_sdk_wipe(b, sizeof b);
	return 0;
}

static int64_t mono(const struct ctm_cred *c)
{
	return c->port->mono_ms(c->port->ctx);
}

int ctm_cred_load(struct ctm_cred *c)
{
	int rc = load(c, RECORD);

	if (!rc && c->attempts && c->fails >= c->attempts)
		c->locked_until_ms = mono(c) + c->lock_ms;
	return rc;
}

static int set(struct ctm_cred *c, const char *pw, size_t n, bool initial)
{
	int rc = c->port->crypto->random(c->salt, sizeof c->salt);

	if (!rc)
		rc = c->port->kdf(c->port->ctx, pw, n, c->salt, c->key);
	c->initial = initial;
	c->fails = 0;
	return rc;
}

int ctm_cred_begin(struct ctm_cred *c, const char *password, size_t n)
{
	int rc;

	if (!n || n > CTM_PASSWORD_MAX)
		return CTM_SDK_INPUT;
	if ((rc = set(c, password, n, true)))
		return rc;
	/* The factory's copy first: with it alone the unit still comes up as new. */
	rc = save(c, FACTORY);
	return rc ? rc : save(c, RECORD);
}

int64_t ctm_cred_wait_ms(const struct ctm_cred *c)
{
	int64_t left = c->locked_until_ms ? c->locked_until_ms - mono(c) : 0;

	return left > 0 ? left : 0;
}

/* 0, AUTH or LOCKED; keeps the count. */
static int prove(struct ctm_cred *c, const char *pw, size_t n)
{
	uint8_t k[CTM_HASH_BYTES];
	bool same;
	int rc;

	if (c->locked_until_ms) {
		if (ctm_cred_wait_ms(c))
			return CTM_SDK_LOCKED;
		c->locked_until_ms = 0;
		c->fails = 0;
	}
	if (n > CTM_PASSWORD_MAX)
		n = 0;
	if ((rc = c->port->kdf(c->port->ctx, pw, n, c->salt, k)))
		return rc;
	same = n && ctm_sdk_same(k, c->key, sizeof k);
	ctm_sdk_wipe(k, sizeof k);
	if (same && !c->fails)
		return 0;
	c->fails = same ? 0 : c->fails + 1;
	if (c->attempts && c->fails >= c->attempts)
		c->locked_until_ms = mono(c) + c->lock_ms;
	rc = save(c, RECORD);
	return rc ? rc : same ? 0 : CTM_SDK_AUTH;
}

int ctm_cred_open(struct ctm_cred *c, uint8_t token[CTM_TOKEN_BYTES])
{
	struct ctm_session *s = &c->session[0];
	int rc = c->port->crypto->random(token, CTM_TOKEN_BYTES);

	if (rc)
		return rc;
	/* A free place, else the one unused longest. */
	for (size_t i = 0; i < CTM_SESSIONS; i++) {
		if (!c->session[i].used) {
			s = &c->session[i];
			break;
		}
		if (c->session[i].last_ms < s->last_ms)
			s = &c->session[i];
	}
	if ((rc = ctm_sdk_sha256(c->port->crypto, token, CTM_TOKEN_BYTES, s->hash)))
		return rc;
	s->used = true;
	s->last_ms = mono(c);
	return 0;
}

int ctm_cred_login(struct ctm_cred *c, const char *password, size_t n, uint8_t token[CTM_TOKEN_BYTES])
{
	int rc = prove(c, password, n);

	return rc ? rc : ctm_cred_open(c, token);
}

static struct ctm_session *find(struct ctm_cred *c, const uint8_t *token)
{
	uint8_t h[CTM_HASH_BYTES];

	if (ctm_sdk_sha256(c->port->crypto, token, CTM_TOKEN_BYTES, h))
		return NULL;
	for (size_t i = 0; i < CTM_SESSIONS; i++)
		if (c->session[i].used && ctm_sdk_same(c->session[i].hash, h, sizeof h))
			return &c->session[i];
	return NULL;
}

int ctm_cred_check(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES])
{
	struct ctm_session *s = find(c, token);

	if (!s)
		return CTM_SDK_AUTH;
	if (mono(c) - s->last_ms > CTM_SESSION_MS) {
		ctm_sdk_wipe(s, sizeof *s);
		return CTM_SDK_AUTH;
	}
	s->last_ms = mono(c);
	return c->initial ? CTM_SDK_CHANGE : 0;
}

void ctm_cred_logout(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES])
{
	struct ctm_session *s = find(c, token);

	if (s)
		ctm_sdk_wipe(s, sizeof *s);
}

void ctm_cred_logout_all(struct ctm_cred *c, const uint8_t *but)
{
	struct ctm_session *keep = but ? find(c, but) : NULL;

	for (size_t i = 0; i < CTM_SESSIONS; i++)
		if (&c->session[i] != keep)
			ctm_sdk_wipe(&c->session[i], sizeof c->session[i]);
}

/* At least four different bytes: "aaaaaaaaaaaa" is long and still no password. */
static bool varied(const char *pw, size_t n)
{
	bool seen[256] = { false };
	int kinds = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t b = (uint8_t)pw[i];

		kinds += !seen[b];
		seen[b] = true;
	}
	return kinds >= 4;
}

static int judge(const struct ctm_cred *c, const char *old, size_t oldn, const char *pw, size_t n, const char **why)
{
	if (n < c->min_length || !n)
		*why = "short";
	else if (n == oldn && memcmp(old, pw, n) == 0)
		*why = "same";
	else if (!varied(pw, n))
		*why = "plain";
	else
		return 0;
	return CTM_SDK_INPUT;
}

int ctm_cred_change(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES], const char *old, size_t oldn,
		    const char *pw, size_t n, bool rules, const char **why)
{
	struct ctm_cred before;
	int rc = prove(c, old, oldn);

	if (rc)
		return rc;
	if (n > CTM_PASSWORD_MAX) {
		*why = "long";
		return CTM_SDK_INPUT;
	}
	if (rules && (rc = judge(c, old, oldn, pw, n, why)))
		return rc;
	before = *c;
	rc = set(c, pw, n, false);
	if (!rc)
		rc = save(c, RECORD);
	if (rc)
		*c = before;
	else
		ctm_cred_logout_all(c, token);
	ctm_sdk_wipe(&before, sizeof before);
	return rc;
}

int ctm_cred_reset(struct ctm_cred *c)
{
	int rc = load(c, FACTORY);

	if (rc)
		return rc;
	c->fails = 0;
	c->locked_until_ms = 0;
	ctm_cred_logout_all(c, NULL);
	return save(c, RECORD);
}
