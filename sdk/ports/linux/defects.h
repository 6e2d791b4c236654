/* SPDX-License-Identifier: Apache-2.0
 *
 * Defects that the lab's checks are tried on. Only the program ctm-agent-flawed, which is never installed, is built with
 * CTM_DEFECTS; in ctm-agent every DEFECT() is the constant 0, so the compiler leaves nothing of it (a test looks).
 */
#ifndef CTM_PORT_LINUX_DEFECTS_H
#define CTM_PORT_LINUX_DEFECTS_H
#include <stdbool.h>

/* X(identifier, name on the command line, what is wrong) */
#define CTM_DEFECT_LIST(X) \
	X(DEFAULT_PASSWORD, "default-password", "the password admin opens every unit and need not be changed") \
	X(OPEN_DEBUG_PORT, "open-debug-port", "an undeclared console listens on port 2323") \
	X(CLEAR_HTTP, "clear-http", "the administration interface also answers in clear on port 8080") \
	X(OBSOLETE_TLS, "obsolete-tls", "TLS 1.0 and weak ciphers are taken") \
	X(BAD_CERTIFICATE, "bad-certificate", "a self-signed certificate is shown instead of the issued one") \
	X(NO_LOCKOUT, "no-lockout", "wrong passwords never lock") \
	X(OPEN_CONFIG_WRITE, "open-config-write", "settings are changed without a session") \
	X(ACCEPT_TAMPERED, "accept-tampered", "the digest of an image is not checked") \
	X(ACCEPT_UNSIGNED, "accept-unsigned", "the signature of a manifest is not checked") \
	X(ACCEPT_OLDER, "accept-older", "older versions are installed") \
	X(KEEP_DATA, "keep-data", "user data survives a reset") \
	X(KEEP_CONFIG, "keep-config", "settings survive a reset") \
	X(WEAK_PASSWORD, "weak-password", "any new password is taken") \
	X(OPEN_LOG, "open-log", "the log is shown without a session") \
	X(OPEN_STATE, "open-state", "the state is shown without a session") \
	X(WRONG_SERIAL, "wrong-serial", "the interface names another serial than the certificate") \
	X(NO_PROOF, "no-proof", "the proof of possession is over a fixed nonce") \
	X(SILENT_LOG, "silent-log", "events are not recorded") \
	X(OPEN_RESET, "open-reset", "a reset needs no session") \
	X(DEAD_UPDATE, "dead-update", "every update is refused, good ones too") \
	X(LYING_VERSION, "lying-version", "a new version is claimed and not installed") \
	X(TOKEN_SURVIVES, "token-survives", "sessions survive logout and reset") \
	X(CONFIG_ANY, "config-any", "values outside their range are taken")

enum defect {
#define X(id, name, what) DEFECT_##id,
	CTM_DEFECT_LIST(X)
#undef X
	DEFECTS
};

#ifdef CTM_DEFECTS
struct agent;
extern bool defect_on[DEFECTS];
#define DEFECT(id) (defect_on[DEFECT_##id])
/* Comma list of names; false names the unknown one in *bad. */
bool defects_set(const char *list, const char **bad);
void defects_apply(struct agent *a);    /* switched-off checks; before the boot step */
void defects_listen(struct agent *a);   /* extra listeners; once the agent serves */
#else
#define DEFECT(id) 0
#endif

#endif
