/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole TUF repository from outside: documents one after another, byte 0x1e (which no JSON holds) between them. The first is the
 * root that is adopted; the others are served in the order in which the client asks, whatever for. Signatures are taken for granted
 * (each key is its own), so that what lies behind them is reached. Besides not breaking: a document that is read is written in canonical form, and
 * that form read again is the same value.
 */
#include "client.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *rest;
static size_t left;

static size_t next_doc(const uint8_t **p)
{
	const uint8_t *end = left ? memchr(rest, 0x1e, left) : NULL;
	size_t n = end ? (size_t)(end - rest) : left;

	*p = rest;
	rest += n + !!end;
	left -= n + !!end;
	return n;
}

static int taken(const struct ctm_tuf_key *k, struct ctm_bytes msg, struct ctm_bytes sig, uint8_t identity[CTM_HASH_BYTES])
{
	memset(identity, 0, CTM_HASH_BYTES);
	memcpy(identity, k->value.p, k->value.n < CTM_HASH_BYTES ? k->value.n : CTM_HASH_BYTES);
	return 0;
}

static int known(const struct ctm_tuf_key *k, uint8_t identity[CTM_HASH_BYTES])
{
	return k->value.n ? taken(k, (struct ctm_bytes){ NULL, 0 }, (struct ctm_bytes){ NULL, 0 }, identity) : CTM_SDK_INPUT;
}

static int none(void *ctx, const char *name, size_t max, uint8_t **p, size_t *n)
{
	const uint8_t *doc;
	size_t k;

	if (strcmp(name, "root.json"))
		return CTM_SDK_NONE;
	k = next_doc(&doc);
	*p = malloc(k + 1);
	if (!*p)
		return CTM_SDK_FAIL;
	memcpy(*p, doc, k);
	*n = k;
	return 0;
}

static int stored(void *ctx, const char *name, const void *p, size_t n)
{
	return 0;
}

static int erased(void *ctx, const char *name)
{
	return 0;
}

static int served(void *ctx, const char *url, uint64_t from, uint64_t max, ctm_tuf_sink sink, void *sink_ctx)
{
	const uint8_t *doc;
	size_t n = next_doc(&doc);

	if (!n)
		return CTM_SDK_NONE;
	return n > max ? CTM_SDK_TOOBIG : sink(sink_ctx, doc, n);
}

static int nowhere(void *ctx, const uint8_t *p, size_t n)
{
	return 0;
}

static void round_trip(const uint8_t *p, size_t n)
{
	struct tuf_json a, b;
	uint8_t *one, *two;
	size_t na = 0, nb = 0;

	if (tuf_json_read(p, n, &a))
		return;
	one = malloc(n + 1);
	two = malloc(n + 1);
	if (!one || !two || tuf_canonical(&a.root, one, n, &na))
		abort();
	/* Control characters are raw in canonical form, and no JSON then. */
	if (!tuf_json_read(one, na, &b)) {
		if (tuf_canonical(&b.root, two, n, &nb) || na != nb || memcmp(one, two, na))
			abort();
		tuf_json_free(&b);
	}
	free(one);
	free(two);
	tuf_json_free(&a);
}

static void repository(const uint8_t *data, size_t size)
{
	static struct ctm_tuf_target g;
	struct ctm_tuf_crypto crypto = *ctm_tuf_openssl();
	struct ctm_tuf_conf conf = { .crypto = &crypto, .store = { NULL, none, stored, erased }, .net = { NULL, served }, .metadata_url = "x", .now_s = 0 };
	struct ctm_tuf_check c;
	struct ctm_tuf *t;

	crypto.verify = taken;
	crypto.identity = known;
	rest = data;
	left = size;
	if (ctm_tuf_open(&conf, &t))
		abort();
	if (!ctm_tuf_find(t, "dir/file.img", &g) && !ctm_tuf_check_begin(&c, &crypto, &g)) {
		(void)ctm_tuf_fetch(t, "y", &c, nowhere, NULL);
		(void)ctm_tuf_check_end(&c);
	}
	ctm_tuf_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	round_trip(data, size);
	repository(data, size);
	return 0;
}
