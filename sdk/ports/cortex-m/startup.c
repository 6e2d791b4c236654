/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors, start-up, faults. A fault keeps where it happened and restarts the device; so does the watchdog's first call (it comes as
 * the non-maskable interrupt, with the place where the program hangs).
 */
#include "board.h"

extern uint32_t data_begin, data_end, data_load, bss_begin, bss_end, stack_top, stack_limit;

int main(void);
void reset_handler(void);
void fault_handler(void);
void watchdog_handler(void);
void tick_handler(void);
void line_handler(void);
void fell_over(const uint32_t *frame, unsigned reason);

static const uint32_t paint = 0x5aa55aa5u;

void reset_handler(void)
{
	uint32_t *from = &data_load, *to;

	for (to = &data_begin; to < &data_end;)
		*to++ = *from++;
	for (to = &bss_begin; to < &bss_end;)
		*to++ = 0;
	for (to = &stack_limit; to < (uint32_t *)__builtin_frame_address(0) - 16;)
		*to++ = paint;
	board_off(main());
}

uint32_t board_stack_free(void)
{
	const uint32_t *p = &stack_limit;

	while (p < &stack_top && *p == paint)
		p++;
	return (uint32_t)((const char *)p - (const char *)&stack_limit);
}

/* frame: r0 r1 r2 r3 r12 lr pc xpsr, as the processor stacked it. */
void fell_over(const uint32_t *frame, unsigned reason)
{
	ctm_crash_mark(board_kept(), reason, frame[6], frame[5], (uint32_t)board_ms() / 1000);
	board_reset();
}

/* The number is enum ctm_reboot's: fault 131, watchdog 130. */
__attribute__((naked)) void fault_handler(void)
{
	__asm__("mov r0, sp\n movs r1, #131\n b fell_over");
}

__attribute__((naked)) void watchdog_handler(void)
{
	__asm__("mov r0, sp\n movs r1, #130\n b fell_over");
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16 + 2] = {
	[0] = (vector)(uintptr_t)&stack_top,
	[1] = reset_handler,
	[2] = watchdog_handler,
	[3] = fault_handler, [4] = fault_handler, [5] = fault_handler, [6] = fault_handler,
	[11] = fault_handler, [12] = fault_handler, [14] = fault_handler,
	[15] = tick_handler,
	[16] = line_handler,            /* UART 0, receive */
};
