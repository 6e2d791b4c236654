/* SPDX-License-Identifier: Apache-2.0
 *
 * Semihosting (ARM IHI 0203): the calls to the host that this board uses. Only an emulator or a debugger answers them.
 */
#ifndef CTM_SEMIHOST_H
#define CTM_SEMIHOST_H
#include <stddef.h>
#include <stdint.h>

enum semihost_mode { SEMIHOST_READ = 1, SEMIHOST_UPDATE = 3, SEMIHOST_WRITE = 5 };      /* fopen's "rb", "r+b", "wb" */

int semihost_open(const char *name, enum semihost_mode mode);   /* negative: cannot */
int semihost_close(int file);                                   /* 0 or negative */
int semihost_seek(int file, size_t at);                         /* from the beginning; 0 or negative */
long semihost_length(int file);                                 /* bytes; negative: cannot */
size_t semihost_read(int file, void *p, size_t n);              /* bytes read */
int semihost_write(int file, const void *p, size_t n);          /* 0: all of it */
int semihost_remove(const char *name);                          /* 0 or the host's error */
uint32_t semihost_time(void);                                   /* seconds since 1970 */
void semihost_say(const char *s);                               /* on the host's console */
_Noreturn void semihost_exit(int status);                       /* of the emulator */

#endif
