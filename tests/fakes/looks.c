/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/looks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

uint64_t looks;

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
	return ++looks;
}

void looks_run(struct op_bench *b, uint64_t least)
{
	struct run_control control = {.deadline_ns = UINT64_MAX};
	b->control = &control;
	looks = 0;
	assert_int_equal(op_bench_run(b), 0);
	const uint64_t all = looks, last[] = {least / 2, all};
	assert_in_range(all, least, UINT64_MAX);
	for (int i = 0; i < 2; i++) {
		looks = 0;
		control.deadline_ns = last[i] - 1;
		assert_int_equal(op_bench_run(b), -ETIMEDOUT);
		assert_int_equal(looks, last[i]);
	}
	control.deadline_ns = UINT64_MAX;
	assert_int_equal(op_bench_run(b), 0);
	b->control = NULL;
}
