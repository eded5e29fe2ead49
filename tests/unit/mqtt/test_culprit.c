/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "daemon/mqtt/culprit.h"

#define NAME "EDGED_MQTT_CULPRITS"

/* An end while the library was at @broker's bytes, and the life that follows. */
static void end_at(const char *broker)
{
	culprit_set(broker);
	culprit_hand_on();
	culprit_init();
}

static int first_life(void **state)
{
	(void)state;
	unsetenv(NAME);
	culprit_init();
	return 0;
}

static void a_first_life_suspects_nobody(void **state)
{
	(void)state;
	assert_false(culprit_was_there());
	assert_int_equal(culprit_count("a"), 0);
}

static void each_end_counts_for_the_one_whose_bytes_were_read(void **state)
{
	(void)state;
	end_at("plant");
	end_at("plan");
	end_at("plant");
	assert_true(culprit_was_there());
	assert_int_equal(culprit_count("plant"), 2);
	assert_int_equal(culprit_count("plan"), 1);
	assert_int_equal(culprit_count("pla"), 0);
	culprit_forget("plant");
	end_at("plan");
	assert_int_equal(culprit_count("plant"), 0);
	assert_int_equal(culprit_count("plan"), 2);
}

static void an_end_that_was_nobodys_keeps_the_counts(void **state)
{
	(void)state;
	end_at("a");
	end_at(NULL);
	assert_false(culprit_was_there());
	assert_int_equal(culprit_count("a"), 1);
}

static void counts_and_brokers_are_bounded(void **state)
{
	char name[64];
	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%d-%050d", i, 0);
		end_at(name);
		end_at("0-00000000000000000000000000000000000000000000000000");
		assert_true(culprit_was_there());
	}
	assert_int_equal(culprit_count("0-00000000000000000000000000000000000000000000000000"), 20);
	assert_int_equal(culprit_count(name), 0);
}

static void what_somebody_else_has_put_there_is_not_taken(void **state)
{
	static const char *const wrong[] = {"", "a=b ", "!a=b", "!a= ", "!a=B ", "!a=z ", "!=b ",
		"! ", "!a=b  ", "!a=bb ", "?a=b "};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv(NAME, wrong[i], 1);
		culprit_init();
		assert_false(culprit_was_there());
		assert_int_equal(culprit_count("a"), 0);
	}
	setenv(NAME, "!a=c ", 1);
	culprit_init();
	assert_int_equal(culprit_count("a"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_first_life_suspects_nobody, first_life),
		cmocka_unit_test_setup(
			each_end_counts_for_the_one_whose_bytes_were_read, first_life),
		cmocka_unit_test_setup(an_end_that_was_nobodys_keeps_the_counts, first_life),
		cmocka_unit_test_setup(counts_and_brokers_are_bounded, first_life),
		cmocka_unit_test_setup(what_somebody_else_has_put_there_is_not_taken, first_life),
	};
	return cmocka_run_group_tests_name("culprit", tests, NULL, NULL);
}
