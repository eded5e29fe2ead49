/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/wire/wire.h"

#define REPLY_BYTES (7 * 4 + 2 + 3 + 2 * 8)

static void a_cold_machine_in_a_reply_comes_back(void **state)
{
	(void)state;
	const struct wire_power power = {.policy = 2,
		.flags = WIRE_POWER_TEMPERATURE | WIRE_POWER_METER,
		.duty = 75,
		.temperature_mc = -12500,
		.limit_mc = 85000,
		.power_mw = 7100,
		.idle_mw = 2300,
		.sensor = wire_text_of("cpu"),
		.model_runs = 12,
		.model_nj = UINT64_C(1) << 40};
	struct bytes_writer w = {0};
	struct wire_power back;
	wire_power_encode(&w, &power);
	assert_int_equal(w.size, REPLY_BYTES);
	assert_int_equal(wire_power_decode(w.data, w.size, &back, NULL), 0);
	assert_int_equal(back.policy, 2);
	assert_int_equal(back.flags, power.flags);
	assert_int_equal(back.duty, 75);
	assert_int_equal(back.temperature_mc, -12500);
	assert_int_equal(back.limit_mc, 85000);
	assert_int_equal(back.power_mw, 7100);
	assert_int_equal(back.idle_mw, 2300);
	assert_true(wire_text_is(back.sensor, "cpu"));
	assert_int_equal(back.model_runs, 12);
	assert_int_equal(back.model_nj, UINT64_C(1) << 40);
	for (size_t n = 0; n < w.size; n++) {
		assert_int_equal(wire_power_decode(w.data, n, &back, NULL), -EPROTO);
	}
	bytes_writer_deinit(&w);
}

static void a_question_names_one_model_or_none(void **state)
{
	(void)state;
	static const uint8_t too_long[2 + 2000] = {2000 & 0xff, 2000 >> 8};
	struct bytes_writer w = {0};
	struct wire_text name;
	wire_power_ask_encode(&w, wire_text_of("digits"));
	assert_int_equal(wire_power_ask_decode(w.data, w.size, &name, NULL), 0);
	assert_true(wire_text_is(name, "digits"));
	assert_int_equal(wire_power_ask_decode(w.data, w.size - 1, &name, NULL), -EPROTO);
	assert_int_equal(wire_power_ask_decode("\0\0", 2, &name, NULL), 0);
	assert_int_equal(name.length, 0);
	assert_int_equal(wire_power_ask_decode(too_long, sizeof(too_long), &name, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cold_machine_in_a_reply_comes_back),
		cmocka_unit_test(a_question_names_one_model_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
