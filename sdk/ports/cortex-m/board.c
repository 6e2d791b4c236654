/* SPDX-License-Identifier: Apache-2.0
 *
 * The board: see board.h. Registers are those of the CMSDK peripherals (ARM DDI 0479) and of the Cortex-M3's system control space.
 */
#include "board.h"
#include "semihost.h"
#include <string.h>

#define REG(a) (*(volatile uint32_t *)(uintptr_t)(a))
#define CLOCK 25000000u
#define TICK_MS 10
#define KDF_ROUNDS 10000
#define WATCHDOG_S 4

/* UART 0 */
#define UART_DATA REG(0x40004000)
#define UART_STATE REG(0x40004004)
#define UART_CTRL REG(0x40004008)
#define UART_INT REG(0x4000400c)
#define UART_BAUD REG(0x40004010)
/* Watchdog */
#define WDOG_LOAD REG(0x40008000)
#define WDOG_CTRL REG(0x40008008)
#define WDOG_CLEAR REG(0x4000800c)
/* System control */
#define SYST_CTRL REG(0xe000e010)
#define SYST_LOAD REG(0xe000e014)
#define NVIC_ENABLE REG(0xe000e100)
#define AIRCR REG(0xe000ed0c)

static volatile uint32_t ticks;
static volatile uint16_t line_in, line_out;
static volatile uint8_t line[1024];
static struct ctm_kept kept __attribute__((section(".noinit")));
static bool warm;               /* RAM was as a program left it */

void tick_handler(void);
void line_handler(void);

void tick_handler(void)
{
	ticks++;
}

/* Acknowledged first: a byte that comes while the buffer is emptied asks again. */
void line_handler(void)
{
	UART_INT = 2;
	while (UART_STATE & 2) {
		uint8_t b = (uint8_t)UART_DATA;

		if ((uint16_t)(line_in - line_out) < sizeof line)
			line[line_in++ % sizeof line] = b;      /* a full buffer loses it; the link sends it again */
	}
}

void board_begin(void)
{
	static const char mark[] = "CTM-WARM";
	static char here[sizeof mark] __attribute__((section(".noinit")));

	warm = memcmp(here, mark, sizeof mark) == 0;
	memcpy(here, mark, sizeof mark);
	UART_BAUD = 16;
	UART_CTRL = 1 | 2 | 8;          /* both ways, interrupt on receive */
	NVIC_ENABLE = 1;
	SYST_LOAD = CLOCK / 1000 * TICK_MS - 1;
	SYST_CTRL = 7;
	WDOG_LOAD = CLOCK * WATCHDOG_S;
	WDOG_CTRL = 3;
}

int board_line_get(void)
{
	return line_in == line_out ? -1 : line[line_out++ % sizeof line];
}

void board_line_put(const uint8_t *p, size_t n)
{
	while (n--) {
		while (UART_STATE & 1)
			;
		UART_DATA = *p++;
	}
}

void board_idle(void)
{
	WDOG_CLEAR = 1;
	__asm__ volatile("wfi");
}

void board_say(const char *s)
{
	semihost_say(s);
	semihost_say("\n");
}

int64_t board_ms(void)
{
	return (int64_t)ticks * TICK_MS;
}

void board_reset(void)
{
	AIRCR = 0x05fa0004;
	for (;;)
		;
}

void board_off(int status)
{
	semihost_exit(status);
}

unsigned board_reset_cause(void)
{
	return warm ? CTM_REBOOT_watchdog : CTM_REBOOT_power_on;
}

struct ctm_kept *board_kept(void)
{
	return &kept;
}

/* ---- flash ---- */

static const char *path(char out[CTM_NAME_MAX + 12], const char *name)
{
	memcpy(out, "flash/", 6);
	strncpy(out + 6, name, CTM_NAME_MAX + 4);
	out[CTM_NAME_MAX + 10] = 0;
	return out;
}

static int read_at(const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	int f = semihost_open(name, SEMIHOST_READ);
	long n = f < 0 ? -1 : semihost_length(f);

	if (f < 0)
		return CTM_SDK_NONE;
	*got = 0;
	if (n > 0 && at < (size_t)n && semihost_seek(f, at) == 0)
		*got = semihost_read(f, buf, cap < (size_t)n - at ? cap : (size_t)n - at);
	semihost_close(f);
	return 0;
}

static int flash_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	char file[CTM_NAME_MAX + 12];

	return read_at(path(file, name), at, buf, cap, got);
}

static int flash_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	char file[CTM_NAME_MAX + 12];
	int f = semihost_open(path(file, name), SEMIHOST_WRITE), bad = 0;

	if (f < 0)
		return CTM_SDK_STORAGE;
	for (size_t i = 0; i < nparts; i++)
		bad |= semihost_write(f, parts[i].p, parts[i].n);
	bad |= semihost_close(f);
	return bad ? CTM_SDK_STORAGE : 0;
}

static int flash_erase(void *ctx, const char *name)
{
	char file[CTM_NAME_MAX + 12];

	(void)semihost_remove(path(file, name));
	return 0;
}

static const char *slot_file(int slot)
{
	return slot ? "flash/slot.1" : "flash/slot.0";
}

static int slot_begin(void *ctx, int slot)
{
	int f = semihost_open(slot_file(slot), SEMIHOST_WRITE);

	return f < 0 || semihost_close(f) ? CTM_SDK_STORAGE : 0;
}

static int slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	int f = semihost_open(slot_file(slot), SEMIHOST_UPDATE), bad;

	if (f < 0)
		return CTM_SDK_STORAGE;
	bad = semihost_seek(f, at) || semihost_write(f, p, n);
	return semihost_close(f) || bad ? CTM_SDK_STORAGE : 0;
}

static int slot_sync(void *ctx, int slot)
{
	return 0;               /* each write was closed */
}

static int slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	return read_at(slot_file(slot), at, p, cap, got);
}

/* ---- the rest of the port ---- */

static int64_t now_ms(void *ctx)
{
	return (int64_t)semihost_time() * 1000;
}

static int64_t mono_ms(void *ctx)
{
	return board_ms();
}

static int kdf(void *ctx, const void *password, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint8_t out[CTM_HASH_BYTES])
{
	return ctm_mbedtls_kdf(password, n, salt, KDF_ROUNDS, out);
}

/* A key kept in flash, made when there is none and make says so. */
static int kept_key(const char *name, int make, uint8_t *key, size_t n)
{
	size_t got = 0;
	struct ctm_bytes part = { key, n };
	int rc = flash_read(NULL, name, 0, key, n, &got);

	if (!rc && got == n)
		return 0;
	if (make <= 0)
		return CTM_SDK_NONE;
	rc = ctm_mbedtls_crypto()->random(key, n);
	return rc ? rc : flash_write(NULL, name, &part, 1);
}

static int seal_key(void *ctx, int make, uint8_t key[CTM_AEAD_KEY])
{
	return make < 0 ? flash_erase(ctx, "seal-key") : kept_key("seal-key", make, key, CTM_AEAD_KEY);
}

int board_key(struct ctm_p256 *key)
{
	struct ctm_bytes part = { (const uint8_t *)key, sizeof *key };
	size_t got = 0;
	int rc = flash_read(NULL, "device-key", 0, key, sizeof *key, &got);

	if (!rc && got == sizeof *key)
		return 0;
	rc = ctm_mbedtls_keygen(key);
	return rc ? rc : flash_write(NULL, "device-key", &part, 1);
}

int board_factory(const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	return read_at(name, at, buf, cap, got);
}

int board_noise(void *ctx, uint8_t *out, size_t n)
{
	int f = semihost_open("/dev/urandom", SEMIHOST_READ);
	size_t got = f < 0 ? 0 : semihost_read(f, out, n);

	if (f >= 0)
		semihost_close(f);
	return got == n ? 0 : CTM_SDK_FAIL;
}

struct ctm_port board_port(struct ctm_p256 *key)
{
	struct ctm_port p = {
		.ctx = key, .crypto = ctm_mbedtls_crypto(), .read = flash_read, .write = flash_write, .erase = flash_erase,
		.slot_begin = slot_begin, .slot_write = slot_write, .slot_sync = slot_sync, .slot_read = slot_read,
		.now_ms = now_ms, .mono_ms = mono_ms, .kdf = kdf, .sign = ctm_mbedtls_sign, .seal_key = seal_key,
	};

	return p;
}
