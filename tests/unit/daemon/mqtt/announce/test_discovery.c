/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/mqtt/discovery.h"
#include "daemon/mqtt/topics.h"

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

static void components_are_read_back(void **state)
{
	(void)state;
	static const char text[] =
		"{\"dev\":{\"ids\":[\"edged_g\"]},\"cmps\":{\"a_label\":{\"p\":\"sensor\",\"name\":\"x\\\":{\\\"p\\\":\\\"switch\\\"\"},"
		"\"a_on\":{\"p\":\"switch\"},\"a_on\":{\"p\":\"switch\"},\"b c\":{\"p\":\"sensor\"},\"d\":{\"p\":\"lock\"},\"e\":{\"p\":\"num";
	static struct discovery found;
	discovery_read(&found, (const uint8_t *)text, sizeof(text) - 1);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.components[0].id, "a_label");
	assert_string_equal(found.components[0].platform, "sensor");
	assert_string_equal(found.components[1].id, "a_on");
	assert_string_equal(found.components[1].platform, "switch");
}

static void more_components_than_there_is_room_for_are_left_out(void **state)
{
	(void)state;
	static struct discovery found;
	char one[64];
	for (unsigned int i = 0; i < DISCOVERY_MAX + 5; i++) {
		int n = snprintf(one, sizeof(one), "\"c%u\":{\"p\":\"image\"}", i);
		discovery_read(&found, (const uint8_t *)one, (size_t)n);
	}
	assert_int_equal(found.n, DISCOVERY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_needs_no_change_is_its_id),
		cmocka_unit_test(no_two_names_have_one_id),
		cmocka_unit_test(components_are_read_back),
		cmocka_unit_test(more_components_than_there_is_room_for_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
