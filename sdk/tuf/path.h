/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: how a role or target is written in a URL and as a file, and which targets a delegation covers.
 */
#ifndef CTM_SDK_TUF_PATH_H
#define CTM_SDK_TUF_PATH_H
#include "ctm/tuf.h"

/* Percent-encode all but letters, digits and "_.-~" and the characters of keep. TOOBIG when it does not fit. */
int tuf_quote(const char *s, size_t n, const char *keep, char *out, size_t cap);
/* A file name of its own for any name: encoded, or when that is longer than CTM_TUF_FILE_MAX, "%" and a digest. suffix is added. */
int tuf_file_name(const struct ctm_tuf_crypto *c, const char *s, size_t n, const char *suffix, char *out, size_t cap);

/* '*' and '?' as in a shell, never meeting '/'; '?' is one character of UTF-8. Everything else is itself. Linear but for stars. */
bool tuf_glob(const char *pattern, size_t pn, const char *path, size_t n);
/* The hex SHA-256 of the path begins with the prefix. */
bool tuf_hash_prefix(const struct ctm_tuf_crypto *c, const char *prefix, size_t pn, const char *path, size_t n);

#endif
