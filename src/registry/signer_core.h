/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer without its socket: keys, journal, what was signed, and one function that answers a request. One thread. It reads
 * STATE/keys/{log,cla,ca,lab,snapshot,timestamp,director}.pem, STATE/ctm.json (origin, signer_per_minute) and STATE/trust.json (device_ca, names) at opening and
 * opens no file afterwards, so that the process can give up everything but its socket and its journal.
 *
 * ctm.json, member "signer_per_minute" (integer, 1 to 1000000, default 600): signatures a minute over all kinds; a burst of the same
 * size is let through, then requests are refused as BUSY.
 */
#ifndef CTM_REGISTRY_SIGNER_CORE_H
#define CTM_REGISTRY_SIGNER_CORE_H
#include "base/json.h"

struct ctm_signer;

/* NOTFOUND without the keys log.pem or cla.pem; VERIFY when the journal or the published log contradict it. The others may be
 * missing: their requests are then refused. */
CTM_CHECK int ctm_signer_open(const char *state_dir, struct ctm_signer **out, struct ctm_err *err);
void ctm_signer_close(struct ctm_signer *s);
void ctm_signer_closep(struct ctm_signer **s);
#define CTM_AUTO_SIGNER __attribute__((cleanup(ctm_signer_closep))) struct ctm_signer
/* Use every key once without leaving a trace, so that the crypto library has loaded what it needs before the sandbox closes. */
CTM_CHECK int ctm_signer_warm(struct ctm_signer *s, struct ctm_err *err);
int ctm_signer_journal_fd(const struct ctm_signer *s);
const char *ctm_signer_origin(const struct ctm_signer *s);
/* Answer a request (crypto/signer.h). Never fails: a refusal is {"error":{code,field,rule,msg}}; NULL only without memory. */
ctm_json *ctm_signer_answer(struct ctm_signer *s, const ctm_json *request);

#endif
