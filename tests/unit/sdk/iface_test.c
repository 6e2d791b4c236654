/* SPDX-License-Identifier: Apache-2.0
 *
 * Interface access: closed at the start, open only what is declared, and never a debugging interface in a production build.
 * Evidence for NIST IR 8425 IAC.
 */
#include "suites.h"
#include "ctm/iface.h"

static const struct ctm_iface rows[] = {
	{ 0, CTM_IFACE_TCP, CTM_ACCESS_PASSWORD, 0, 4443, "local administration" },
	{ 1, CTM_IFACE_UART, CTM_ACCESS_KEY, 0, 0, "gateway" },
	{ 2, CTM_IFACE_JTAG, CTM_ACCESS_PUBLIC, 1, 0, "debugging" },
	{ 40, CTM_IFACE_UDP, CTM_ACCESS_PUBLIC, 0, 5353, "a row with an id that has no bit" },
};

static void default_closed(void **state)
{
	struct ctm_ifaces l = { rows, 4, 0 };

	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 4443, CTM_ACCESS_KEY), CTM_SDK_STATE);
	assert_int_equal(ctm_iface_open(&l, 0), 0);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 4443, CTM_ACCESS_KEY), 0);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 4443, CTM_ACCESS_PASSWORD), 0);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 4443, CTM_ACCESS_PUBLIC), CTM_SDK_AUTH);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_UART, 0, CTM_ACCESS_KEY), CTM_SDK_STATE);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 23, CTM_ACCESS_KEY), CTM_SDK_UNKNOWN);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_UDP, 4443, CTM_ACCESS_KEY), CTM_SDK_UNKNOWN);
	ctm_iface_close(&l, 0);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_TCP, 4443, CTM_ACCESS_KEY), CTM_SDK_STATE);
}

static void undeclared_and_debugging_stay_closed(void **state)
{
	struct ctm_ifaces l = { rows, 4, 0 };

	assert_int_equal(ctm_iface_open(&l, 2), CTM_SDK_STATE);
	assert_int_equal(ctm_iface_open(&l, 7), CTM_SDK_UNKNOWN);
	assert_int_equal(ctm_iface_open(&l, 40), CTM_SDK_UNKNOWN);
	assert_int_equal(l.open, 0);
	ctm_iface_close(&l, 40);
	assert_int_equal(ctm_iface_may(&l, CTM_IFACE_UDP, 5353, CTM_ACCESS_KEY), CTM_SDK_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(default_closed), cmocka_unit_test(undeclared_and_debugging_stay_closed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
