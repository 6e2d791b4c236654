/* SPDX-License-Identifier: Apache-2.0
 *
 * The board: MPS2 with the AN385 image as QEMU gives it (`qemu-system-arm -M mps2-an385`). UART 0 is the line to the gateway; flash is
 * a directory "flash" of the host reached by semihosting, one file per record and slot, so that it lives on when the board is
 * switched off; so are the wall clock and the noise source. Watchdog, tick and faults are the processor's own.
 */
#ifndef CTM_BOARD_H
#define CTM_BOARD_H
#include "ctm/crash.h"
#include "ctm/mbedtls.h"

void board_begin(void);                         /* line, tick, watchdog */
int board_line_get(void);                       /* a byte from the line, -1: none */
void board_line_put(const uint8_t *p, size_t n);         /* waits until the line has taken them */
void board_idle(void);                          /* feed the watchdog, sleep until something happens */
void board_say(const char *s);                  /* a line for who watches; not part of the product */
int64_t board_ms(void);                         /* since the start */
_Noreturn void board_reset(void);               /* as if switched on, with .noinit as it is */
_Noreturn void board_off(int status);           /* ends the emulator with that exit status */
uint32_t board_stack_free(void);                /* bytes of stack never used so far */

/* Why the hardware says it started: power_on when RAM is not what a program left, else watchdog, the only thing that resets it. */
unsigned board_reset_cause(void);
struct ctm_kept *board_kept(void);              /* lives through a reset */

/* The port's functions that are the board's; ctx is a struct ctm_p256 *, the device key. */
struct ctm_port board_port(struct ctm_p256 *key);
/* The device key: loaded, or made and stored at the first start. */
int board_key(struct ctm_p256 *key);
/* A file beside the flash, as the factory put it there: its bytes from `at`. NONE. */
int board_factory(const char *name, size_t at, void *buf, size_t cap, size_t *got);
/* Full entropy for the generator. */
int board_noise(void *ctx, uint8_t *out, size_t n);

#endif
