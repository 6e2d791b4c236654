/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS handshake as a client, for the lab: exactly the versions and suites asked for, at security level 0, with nothing
 * verified, so that what a server would accept can be seen. Never used to protect anything: the session is closed at once.
 *
 * The result keeps apart what is often mixed up: OFFERED (the handshake completed), REFUSED (the peer said no with an alert,
 * or would only do another version), CLOSED (the peer hung up without a word), FAILED (no answer in time, or a fault on this
 * side). Only OFFERED and REFUSED say something about the peer. Whether this library could speak a version at all is told by
 * ctm_handshake_speaks(), the positive control for "not offered".
 */
#ifndef CTM_CRYPTO_HANDSHAKE_H
#define CTM_CRYPTO_HANDSHAKE_H
#include "base/buf.h"
#include <stdbool.h>

enum ctm_tls { CTM_TLS10, CTM_TLS11, CTM_TLS12, CTM_TLS13, CTM_TLS_COUNT };
enum ctm_handshake_end { CTM_HS_OFFERED, CTM_HS_REFUSED, CTM_HS_CLOSED, CTM_HS_FAILED, CTM_HS_END_COUNT };

extern const char *const ctm_tls_names[CTM_TLS_COUNT];            /* "TLS 1.2" */
extern const char *const ctm_handshake_ends[CTM_HS_END_COUNT];    /* "offered", "refused", "closed", "failed" */

struct ctm_handshake {
	/* asked */
	enum ctm_tls min, max;
	const char *ciphers;         /* OpenSSL list for 1.2 and below; NULL: everything the library has */
	const char *suites;          /* TLS 1.3 suites; NULL: everything */
	int timeout_ms;
	/* seen */
	enum ctm_handshake_end end;
	int alert;                   /* TLS alert received, -1 when none */
	char detail[96];             /* for a person: the alert's name or what failed */
	char version[12], cipher[64], kx[16];   /* when offered: "TLS 1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE" "DHE" "RSA" "PSK" "any" */
	bool aead;
	int key_bits;                /* of the negotiated cipher */
	struct ctm_buf chain;        /* PEM of the peer's chain, leaf first; owned by the caller, ctm_buf_free */
};

/* Run over a connected TCP socket (not closed here; its time-outs are set). 0 whenever h->end was set; INPUT for a bad list, NOMEM. */
CTM_CHECK int ctm_handshake_run(int fd, struct ctm_handshake *h, struct ctm_err *err);
/* Does this build complete a handshake of exactly this version with itself? */
CTM_CHECK int ctm_handshake_speaks(enum ctm_tls version, bool *speaks, struct ctm_err *err);

#endif
