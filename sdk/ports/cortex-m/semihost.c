/* SPDX-License-Identifier: Apache-2.0
 *
 * Semihosting calls: see semihost.h. The operation is in r0, its arguments in memory at r1.
 */
#include "semihost.h"
#include <string.h>

enum { OPEN = 0x01, CLOSE = 0x02, WRITE0 = 0x04, WRITE = 0x05, READ = 0x06, SEEK = 0x0a, FLEN = 0x0c, REMOVE = 0x0e, TIME = 0x11, EXIT_EXTENDED = 0x20 };

static long call(int op, const void *args)
{
	register long r0 __asm__("r0") = op;
	register const void *r1 __asm__("r1") = args;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

int semihost_open(const char *name, enum semihost_mode mode)
{
	const uintptr_t a[3] = { (uintptr_t)name, (uintptr_t)mode, strlen(name) };

	return (int)call(OPEN, a);
}

int semihost_close(int file)
{
	const uintptr_t a[1] = { (uintptr_t)file };

	return (int)call(CLOSE, a);
}

int semihost_seek(int file, size_t at)
{
	const uintptr_t a[2] = { (uintptr_t)file, at };

	return (int)call(SEEK, a);
}

long semihost_length(int file)
{
	const uintptr_t a[1] = { (uintptr_t)file };

	return call(FLEN, a);
}

/* The host answers with the bytes that are missing. */
size_t semihost_read(int file, void *p, size_t n)
{
	const uintptr_t a[3] = { (uintptr_t)file, (uintptr_t)p, n };
	long left = n ? call(READ, a) : 0;

	return left >= 0 && (size_t)left <= n ? n - (size_t)left : 0;
}

int semihost_write(int file, const void *p, size_t n)
{
	const uintptr_t a[3] = { (uintptr_t)file, (uintptr_t)p, n };

	return n && call(WRITE, a) ? -1 : 0;
}

int semihost_remove(const char *name)
{
	const uintptr_t a[2] = { (uintptr_t)name, strlen(name) };

	return (int)call(REMOVE, a);
}

uint32_t semihost_time(void)
{
	return (uint32_t)call(TIME, NULL);
}

void semihost_say(const char *s)
{
	(void)call(WRITE0, s);
}

void semihost_exit(int status)
{
	const uintptr_t a[2] = { 0x20026, (uintptr_t)status };          /* the application ended */

	for (;;)
		(void)call(EXIT_EXTENDED, a);
}
