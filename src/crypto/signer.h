/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of the signer process: one JSON request and one JSON reply (each a 4-byte big-endian length and at most 256 KiB) on
 * a unix stream socket. The signer accepts typed statements only, never digests:
 *   {op:"device-certificate", csr, serial, org, days, dns?, ip?, use:"device"|"server"} -> {certificate, ca}
 *   {op:"statement", statement:{ctm.statement/1}, decision:{kind, decided_by, evaluators:[], approvals:[]}} -> {cose (b64)}
 *   {op:"checkpoint", origin, old_size, size, root (b64), consistency:[b64]} -> {note}
 *   {op:"evidence", manifest_digest, job, challenge} -> {cose (b64)}      lab's seal
 *   {op:"tuf-snapshot"|"tuf-timestamp", repository, signed:{TUF body}} -> {keyid, sig (hex)}
 *   {op:"director", device, component, counter, not_after_s, target?, size?, digest?, campaign?} -> {cose (b64)}     ctm.director/1
 *   {op:"keys"} -> {ca (PEM), cla:{name,key_id,ed25519}, log:{origin,vkey}, lab, snapshot, timestamp, director:{like cla}}
 * A refusal is {error:{code,field,rule,msg}}.
 */
#ifndef CTM_CRYPTO_SIGNER_H
#define CTM_CRYPTO_SIGNER_H
#include "base/json.h"

/* One call; timeout_ms covers connect and reply. Refusals come back as the signer's own code (GUARD, INPUT, VERIFY, BUSY), IO when it is not there. */
CTM_CHECK int ctm_signer_call(const char *socket_path, const ctm_json *request, int timeout_ms, ctm_json **reply, struct ctm_err *err);


/* One frame on a connected stream socket, both ends use these. deadline_us: on ctm_mono_us(). TIMEOUT, IO (also: the peer
 * closed), TOOBIG over CTM_FRAME_MAX. The socket may be blocking. */
#define CTM_FRAME_MAX (256 * 1024)
CTM_CHECK int ctm_frame_write(int fd, const void *p, size_t n, int64_t deadline_us);
CTM_CHECK int ctm_frame_read(int fd, struct ctm_buf *out, int64_t deadline_us);

#endif
