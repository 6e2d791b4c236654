/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes over the signer's socket: a frame is read whole and within its bound, or refused by name; nothing waits for bytes
 * that never come.
 */
#include "base/timex.h"
#include "crypto/signer.h"
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTM_AUTO_BUF in = CTM_BUF(CTM_FRAME_MAX);
	CTM_AUTO_JSON *j = NULL;
	int fd[2];

	if (size > 65536 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return 0;
	if (send(fd[0], data, size, MSG_NOSIGNAL) != (ssize_t)size || shutdown(fd[0], SHUT_WR))
		abort();
	int rc = ctm_frame_read(fd[1], &in, ctm_mono_us() + 5000000);
	if (rc ? rc == CTM_E_TIMEOUT : in.len > CTM_FRAME_MAX || in.len + 4 > size)
		abort();
	if (!rc && ctm_json_parse(ctm_buf_cstr(&in), in.len, CTM_FRAME_MAX, "request", &j, NULL) == 0 && !j)
		abort();
	close(fd[0]);
	close(fd[1]);
	return 0;
}
