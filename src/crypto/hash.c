/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes over OpenSSL's EVP. SHA-256 of bytes in memory cannot fail in practice; where the library says it did (memory),
 * the program stops: a wrong digest would be signed and logged.
 */
#include "crypto/hash.h"
#include "base/file.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "sha256:"
#define PREFIX_LEN 7

static void must(int good)
{
	if (good != 1)
		abort();
}

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch(void) { must((sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) != NULL); }

/* The algorithm, looked up once: by its name it would be looked up again for each digest, under a lock. */
static const EVP_MD *md(void)
{
	must(pthread_once(&sha256_once, fetch) == 0);
	return sha256;
}

struct ctm_sha256 *ctm_sha256_new(void)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c)
		must(EVP_DigestInit_ex(c, md(), NULL));
	return (struct ctm_sha256 *)c;         /* opaque name for the library's context */
}

void ctm_sha256_add(struct ctm_sha256 *h, const void *p, size_t n)
{
	if (h && n)
		must(EVP_DigestUpdate((EVP_MD_CTX *)h, p, n));
}

void ctm_sha256_end(struct ctm_sha256 *h, uint8_t out[CTM_SHA256])
{
	memset(out, 0, CTM_SHA256);
	if (!h)
		return;
	must(EVP_DigestFinal_ex((EVP_MD_CTX *)h, out, NULL));
	EVP_MD_CTX_free((EVP_MD_CTX *)h);
}

void ctm_sha256(const void *p, size_t n, uint8_t out[CTM_SHA256])
{
	must(EVP_Digest(p ? p : "", n, out, NULL, md(), NULL));
}

void ctm_hmac_sha256(const void *key, size_t klen, const void *p, size_t n, uint8_t out[CTM_SHA256])
{
	unsigned len = CTM_SHA256;
	if (klen > 1 << 20)
		abort();
	must(HMAC(EVP_sha256(), key ? key : "", (int)klen, p ? p : (const void *)"", n, out, &len) != NULL);
}

void ctm_hmac_sha1(const void *key, size_t klen, const void *p, size_t n, uint8_t out[20])
{
	unsigned len = 20;
	if (klen > 1 << 20)
		abort();
	must(HMAC(EVP_sha1(), key ? key : "", (int)klen, p ? p : (const void *)"", n, out, &len) != NULL);
}

void ctm_digest_str(const uint8_t d[CTM_SHA256], char out[CTM_DIGEST_MAX])
{
	memcpy(out, PREFIX, PREFIX_LEN);
	ctm_hex(d, CTM_SHA256, out + PREFIX_LEN);
}

void ctm_digest_of(const void *p, size_t n, char out[CTM_DIGEST_MAX])
{
	uint8_t d[CTM_SHA256];
	ctm_sha256(p, n, d);
	ctm_digest_str(d, out);
}

bool ctm_digest_ok(const char *s)
{
	if (!s || strnlen(s, CTM_DIGEST_MAX) != CTM_DIGEST_MAX - 1 || memcmp(s, PREFIX, PREFIX_LEN) != 0)
		return false;
	return strspn(s + PREFIX_LEN, "0123456789abcdef") == 2 * CTM_SHA256;
}

int ctm_digest_parse(const char *s, uint8_t out[CTM_SHA256])
{
	return ctm_digest_ok(s) ? ctm_unhex(s + PREFIX_LEN, 2 * CTM_SHA256, out) : CTM_E_SYNTAX;
}

int ctm_digest_file(const char *path, char out[CTM_DIGEST_MAX], int64_t *size, struct ctm_err *err)
{
	CTM_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return ctm_fail(err, errno == ENOENT ? CTM_E_NOTFOUND : CTM_E_IO, path, NULL, "%s cannot be opened: %s", path, strerror(errno));
	struct ctm_sha256 *h = ctm_sha256_new();
	uint8_t d[CTM_SHA256], chunk[65536];
	int64_t total = 0;
	if (!h)
		return ctm_fail(err, CTM_E_NOMEM, path, NULL, "%s", ctm_err_text(CTM_E_NOMEM));
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = errno;
			ctm_sha256_end(h, d);
			return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be read: %s", path, strerror(e));
		}
		if (n == 0)
			break;
		ctm_sha256_add(h, chunk, (size_t)n);
		total += n;
	}
	ctm_sha256_end(h, d);
	ctm_digest_str(d, out);
	if (size)
		*size = total;
	return 0;
}
