/* SPDX-License-Identifier: Apache-2.0
 *
 * An archive given to ctm restore by a stranger: it is refused, or it is whole, and nothing is written outside the directory that was
 * named. (A whole archive would start ctm fsck, which does not stand beside this program: the restore then ends with an error too.)
 */
#include "app/backup.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "temp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char archive[128], state[128], beside[128];
	struct ctm_err e = { 0 };
	struct stat st;

	if (size > 1 << 20)
		return 0;
	if (!temp_dir[0] && !freopen("/dev/null", "w", stderr))     /* it says for each that a part was left */
		abort();
	temp_put("archive", data, size);
	snprintf(archive, sizeof archive, "%s/archive", temp_open());
	snprintf(state, sizeof state, "%s/in/state", temp_open());
	snprintf(beside, sizeof beside, "%s/in", temp_open());
	nftw(beside, temp_rm, 8, FTW_DEPTH | FTW_PHYS);
	struct backup_opts o = { .state = state, .in = archive, .no_keys = true };
	if (restore_run(&o, &e) == 0 || !e.msg[0])
		abort();
	if (stat(beside, &st) == 0 && st.st_nlink > 3)              /* in, . and state/..: no second directory */
		abort();
	return 0;
}
