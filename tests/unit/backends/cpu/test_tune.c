/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "backends/cpu/tune.h"
#include "kernels/cpu_features.h"

#define ALL (~UINT64_C(0))

static void a_mask_that_names_its_features_is_taken_at_its_word(void **state)
{
	(void)state;
	uint64_t has = ek_cpu_detect(), named = has & ~EK_CPU_IN_ORDER;
	assert_int_equal(tune_choose(0), 0);
	assert_int_equal(tune_choose(named), named);
	assert_int_equal(tune_choose(named | EK_CPU_IN_ORDER),
		has & EK_CPU_NEON ? named | EK_CPU_IN_ORDER : named);
}

static void what_the_cpu_does_not_have_is_not_allowed(void **state)
{
	(void)state;
	uint64_t foreign = EK_CPU_NEON | EK_CPU_DOTPROD | EK_CPU_I8MM | EK_CPU_SSE41 | EK_CPU_AVX2 |
		EK_CPU_AVX_VNNI | EK_CPU_AVX512_VNNI | EK_CPU_VFPV4;
	foreign &= ~ek_cpu_detect();
	assert_int_equal(tune_allowed(foreign), 0);
	assert_int_equal(tune_allowed(ALL), ek_cpu_detect());
}

static void measuring_changes_nothing_but_the_way_to_multiply(void **state)
{
	(void)state;
	uint64_t chosen = tune_choose(ALL), has = ek_cpu_detect();
	assert_int_equal(chosen & ~EK_CPU_IN_ORDER, has & ~EK_CPU_IN_ORDER);
	if (!(has & EK_CPU_NEON) || has & EK_CPU_DOTPROD) { /* there is but one way */
		assert_int_equal(chosen, has);
	}
}

static void packed_weights_are_the_same_for_both_ways(void **state)
{
	(void)state;
	assert_int_equal(backends_cpu_packing(EK_CPU_NEON | EK_CPU_IN_ORDER),
		backends_cpu_packing(EK_CPU_NEON));
	assert_int_not_equal(backends_cpu_packing(EK_CPU_NEON | EK_CPU_DOTPROD),
		backends_cpu_packing(EK_CPU_NEON));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mask_that_names_its_features_is_taken_at_its_word),
		cmocka_unit_test(what_the_cpu_does_not_have_is_not_allowed),
		cmocka_unit_test(measuring_changes_nothing_but_the_way_to_multiply),
		cmocka_unit_test(packed_weights_are_the_same_for_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
