/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/edged/serve/fair_share.h"

#define SPAN (UINT64_C(1) << 27)
#define NOW (UINT64_C(1) << 40)

static void who_is_alone_never_has_too_much(void **state)
{
	struct fair_share_group group = {0};
	struct fair_share one = {0};
	(void)state;
	fair_share_count_request(&one, &group, NOW);
	fair_share_add_work(&one, &group, NOW, 1000000);
	assert_false(fair_share_is_over(&one, &group, NOW));
	assert_int_equal(fair_share_members(&group), 1);
}

static void an_equal_part_and_a_quarter_may_be_had(void **state)
{
	struct fair_share_group group = {0};
	struct fair_share one = {0}, other = {0};
	(void)state;
	fair_share_count_request(&one, &group, NOW);
	fair_share_count_request(&other, &group, NOW);
	fair_share_add_work(&one, &group, NOW, 625);
	fair_share_add_work(&other, &group, NOW, 375);
	assert_false(fair_share_is_over(&one, &group, NOW));
	fair_share_add_work(&one, &group, NOW, 10);
	assert_true(fair_share_is_over(&one, &group, NOW));
	assert_false(fair_share_is_over(&other, &group, NOW));
}

static void what_was_had_fades_and_who_is_silent_does_not_count(void **state)
{
	struct fair_share_group group = {0};
	struct fair_share one = {0}, other = {0};
	(void)state;
	fair_share_count_request(&one, &group, NOW);
	fair_share_count_request(&other, &group, NOW);
	fair_share_add_work(&one, &group, NOW, 1 << 20);
	fair_share_count_request(&one, &group, NOW + SPAN);
	assert_int_equal(fair_share_members(&group), 2); /* of the span before */
	assert_true(fair_share_is_over(&one, &group, NOW + SPAN));
	fair_share_count_request(&one, &group, NOW + 2 * SPAN);
	assert_false(fair_share_is_over(&one, &group, NOW + 2 * SPAN)); /* alone by now */
	assert_int_equal(one.work_ns, 1 << 18);
	fair_share_count_request(&one, &group, NOW + 100 * SPAN);
	assert_int_equal(one.work_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_alone_never_has_too_much),
		cmocka_unit_test(an_equal_part_and_a_quarter_may_be_had),
		cmocka_unit_test(what_was_had_fades_and_who_is_silent_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
