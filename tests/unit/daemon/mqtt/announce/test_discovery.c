/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/mqtt/announce/discovery.h"
#include "daemon/mqtt/text/topics.h"

static void a_name_that_needs_no_change_is_its_id(void **state)
{
	(void)state;
	char id[DISCOVERY_ID_SIZE];
	discovery_id(id, "pump-4_b");
	assert_string_equal(id, "pump-4_b");
}

static void no_two_names_have_one_id(void **state)
{
	(void)state;
	char one[DISCOVERY_ID_SIZE], other[DISCOVERY_ID_SIZE], of_id[DISCOVERY_ID_SIZE];
	char deep[2][80];
	discovery_id(one, "a.b");
	discovery_id(other, "a_b");
	assert_string_not_equal(one, other);
	discovery_id(of_id, one); /* a name made to look like the other's id */
	assert_string_not_equal(one, of_id);
	/* What follows the longest plain name is looked at, too. */
	for (size_t i = 0; i < 2; i++) {
		memset(deep[i], 'x', sizeof(deep[i]));
		deep[i][70] = (char)('1' + i);
		deep[i][71] = 0;
	}
	discovery_id(one, deep[0]);
	discovery_id(other, deep[1]);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), 80);
	assert_true(topics_is_word(one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_needs_no_change_is_its_id),
		cmocka_unit_test(no_two_names_have_one_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
