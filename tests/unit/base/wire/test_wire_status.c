/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/wire/wire.h"

static void status_tells_of_memory_to_who_knows_it(void **state)
{
	(void)state;
	struct wire_status status = {.n_counts = 1, .counts = {7}}, back;
	struct bytes_writer w = {0};
	wire_status_encode(&w, &status);
	const size_t before = w.size;
	assert_int_equal(wire_status_decode(w.data, w.size, &back, NULL), 0);
	assert_false(back.memory);
	assert_int_equal(back.budget_bytes, 0);
	bytes_writer_deinit(&w);
	w = (struct bytes_writer){0};
	status.memory = true;
	status.models_unloaded = 3;
	status.held_bytes = 1000;
	status.budget_bytes = 2000;
	wire_status_encode(&w, &status);
	assert_int_equal(w.size, before + 20);
	assert_int_equal(wire_status_decode(w.data, w.size, &back, NULL), 0);
	assert_true(back.memory);
	assert_int_equal(back.models_unloaded, 3);
	assert_int_equal(back.held_bytes, 1000);
	assert_int_equal(back.budget_bytes, 2000);
	assert_int_equal(wire_status_decode(w.data, w.size - 1, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_tells_of_memory_to_who_knows_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
