/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/edged/serve/account.h"
#include "tests/unit/daemon/log_to.h"

struct bench {
	struct config config;
	struct log log;
	struct accounts accounts;
	int fds[2];
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	config_init(&bench->config);
	bench->config.max_clients = 3;
	bench->config.max_clients_per_user = 2;
	bench->config.max_bytes = 2000;
	bench->config.max_bytes_per_user = 1000;
	bench->config.log_lines_per_user = 2;
	assert_int_equal(pipe2(bench->fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_to(&bench->log, bench->fds[1], LOG_LEVEL_INFO);
	accounts_init(&bench->accounts, &bench->config, &bench->log);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	accounts_deinit(&bench->accounts);
	close(bench->fds[0]);
	close(bench->fds[1]);
	free(bench);
	return 0;
}

static void connections_are_counted_by_user_and_altogether(void **state)
{
	struct bench *bench = *state;
	struct account *a = NULL, *again = NULL, *b = NULL, *none = NULL;
	assert_int_equal(account_open(&bench->accounts, 7, &a, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 7, &again, NULL), 0);
	assert_ptr_equal(a, again);
	assert_int_equal(account_open(&bench->accounts, 7, &none, NULL), -EAGAIN);
	assert_int_equal(account_open(&bench->accounts, 8, &b, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 9, &none, NULL), -EAGAIN);
	account_close(a);
	assert_int_equal(account_open(&bench->accounts, 9, &none, NULL), 0);
	account_close(again);
	account_close(b);
	account_close(none);
	assert_null(bench->accounts.first);
}

static void bytes_are_charged_by_user_and_altogether(void **state)
{
	struct bench *bench = *state;
	struct account *a = NULL, *b = NULL;
	assert_int_equal(account_open(&bench->accounts, 7, &a, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 8, &b, NULL), 0);
	assert_int_equal(account_charge(a, 1001, NULL), -EAGAIN);
	assert_int_equal(account_charge(a, UINT64_MAX, NULL), -EAGAIN);
	assert_int_equal(account_charge(a, 1000, NULL), 0);
	assert_int_equal(account_charge(a, 1, NULL), -EAGAIN);
	assert_int_equal(account_charge(b, 501, NULL), -EAGAIN);
	assert_int_equal(account_charge(b, 500, NULL), 0);
	assert_int_equal(bench->accounts.charged, 1500);
	account_release(a, 1000);
	assert_int_equal(account_charge(b, 500, NULL), 0);
	account_release(b, 500);
	account_release(b, 500);
	account_close(a);
	account_close(b);
}

/* Its header alone announces a body, and charges it. */
static void some_users_do_not_lock_out_the_others(void **state)
{
	struct bench *bench = *state;
	struct account *users[3] = {NULL};
	bench->config.max_clients = 10;
	for (uid_t i = 0; i < 3; i++) {
		assert_int_equal(account_open(&bench->accounts, 70000 + i, &users[i], NULL), 0);
	}
	assert_int_equal(account_charge(users[0], 1000, NULL), 0);
	assert_int_equal(account_charge(users[1], 501, NULL), -EAGAIN);
	assert_int_equal(account_charge(users[1], 500, NULL), 0);
	assert_int_equal(account_charge(users[1], 1, NULL), -EAGAIN);
	assert_int_equal(account_charge(users[2], 250, NULL), 0);
	assert_int_equal(account_recharge(users[2], 250, 251, NULL), -EAGAIN);
	account_release(users[0], 1000);
	assert_int_equal(account_recharge(users[2], 250, 750, NULL), 0);
	account_release(users[1], 500);
	account_release(users[2], 750);
	for (int i = 0; i < 3; i++) {
		account_close(users[i]);
	}
}

static void root_and_the_daemons_user_get_on_when_all_is_taken(void **state)
{
	struct bench *bench = *state;
	struct account *user = NULL, *root = NULL, *own = NULL;
	assert_int_equal(account_open(&bench->accounts, 70000, &user, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 0, &root, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, geteuid(), &own, NULL), 0);
	assert_int_equal(account_charge(user, 1000, NULL), 0);
	bench->config.max_bytes = 1000; /* lowered to what is held */
	assert_int_equal(account_charge(user, 0, NULL), -EAGAIN);
	assert_int_equal(account_charge(root, 700, NULL), 0);
	assert_int_equal(account_charge(own, 300, NULL), 0);
	assert_int_equal(account_charge(root, 1001, NULL), -EAGAIN); /* of one user */
	account_release(user, 1000);
	account_release(root, 700);
	account_release(own, 300);
	account_close(user);
	account_close(root);
	account_close(own);
}

/* A request may outlive its connection in a worker. */
static void a_charge_grows_and_shrinks_within_the_limits(void **state)
{
	struct bench *bench = *state;
	struct account *a = NULL;
	assert_int_equal(account_open(&bench->accounts, 7, &a, NULL), 0);
	assert_int_equal(account_charge(a, 400, NULL), 0);
	assert_int_equal(account_charge(a, 100, NULL), 0);
	assert_int_equal(account_recharge(a, 400, 901, NULL), -EAGAIN);
	assert_int_equal(a->charged, 500);
	assert_int_equal(account_recharge(a, 400, 900, NULL), 0);
	assert_int_equal(a->charged, 1000);
	bench->config.max_bytes_per_user = 10; /* lowered below what is held */
	assert_int_equal(account_recharge(a, 900, 901, NULL), -EAGAIN);
	assert_int_equal(account_recharge(a, 900, 900, NULL), 0);
	assert_int_equal(account_recharge(a, 900, 200, NULL), 0);
	assert_int_equal(bench->accounts.charged, 300);
	account_release(a, 200);
	account_release(a, 100);
	account_close(a);
}

static void a_charge_keeps_the_account(void **state)
{
	struct bench *bench = *state;
	struct account *a = NULL, *b = NULL;
	assert_int_equal(account_open(&bench->accounts, 7, &a, NULL), 0);
	assert_int_equal(account_charge(a, 10, NULL), 0);
	account_close(a);
	assert_ptr_equal(bench->accounts.first, a);
	account_release(a, 10);
	assert_int_equal(account_open(&bench->accounts, 8, &b, NULL), 0);
	account_close(b);
	assert_null(bench->accounts.first);
}

#define MS UINT64_C(1000000)

static void who_looks_all_the_time_has_a_twentieth_of_it(void **state)
{
	struct bench *bench = *state;
	struct account *user = NULL, *root = NULL;
	struct error err = {0};
	uint64_t now = 1000000 * MS;
	assert_int_equal(account_open(&bench->accounts, 70000, &user, NULL), 0);
	account_note_query(user, 500 * MS); /* alone it may have all */
	assert_int_equal(account_may_query(user, now, NULL), 0);
	assert_int_equal(account_open(&bench->accounts, 0, &root, NULL), 0);
	assert_int_equal(account_may_query(user, now, NULL), 0);
	account_note_query(user, 11 * MS); /* 10 were saved up */
	assert_int_equal(account_may_query(user, now, &err), -EAGAIN);
	assert_int_equal(err.retry_after_us, 20001);
	assert_int_equal(account_may_query(user, now + 20 * MS, NULL), -EAGAIN);
	assert_int_equal(account_may_query(user, now + 21 * MS, NULL), 0);
	account_note_query(user, 3600000 * MS); /* what it owes has an end */
	assert_int_equal(account_may_query(user, now + 200 * MS, NULL), -EAGAIN);
	assert_int_equal(account_may_query(user, now + 222 * MS, NULL), 0);
	account_note_query(root, 500 * MS);
	assert_int_equal(account_may_query(root, now, NULL), 0);
	account_close(user);
	account_close(root);
}

static void log_lines_of_a_user_are_bounded(void **state)
{
	struct bench *bench = *state;
	struct account *a = NULL;
	char text[1024] = "";
	assert_int_equal(account_open(&bench->accounts, 7, &a, NULL), 0);
	for (int i = 0; i < 5; i++) {
		account_log(a, LOG_LEVEL_INFO, "line %d", i);
	}
	account_log(a, LOG_LEVEL_DEBUG, "not even counted");
	assert_int_equal(a->suppressed, 3);
	assert_true(read(bench->fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "info: user 7: line 0\ninfo: user 7: line 1\n");
	account_close(a);
}

static void who_offends_too_often_is_let_in_after_a_minute(void **state)
{
	struct bench *bench = *state;
	struct account *first = NULL, *again = NULL, *root = NULL;
	bench->config.max_offences = 3;
	assert_int_equal(account_open(&bench->accounts, 77777, &first, NULL), 0);
	for (int i = 0; i < 3; i++) {
		account_offend(first);
	}
	account_close(first); /* which is not forgotten */
	assert_int_equal(account_open(&bench->accounts, 77777, &first, NULL), 0);
	account_offend(first);
	assert_int_equal(account_open(&bench->accounts, 77777, &again, NULL), -EAGAIN);
	first->window_ns -= UINT64_C(61000000000);
	assert_int_equal(account_open(&bench->accounts, 77777, &again, NULL), 0);
	account_close(again);
	account_close(first);
	assert_int_equal(account_open(&bench->accounts, 0, &root, NULL), 0);
	for (int i = 0; i < 10; i++) {
		account_offend(root);
	}
	assert_int_equal(account_open(&bench->accounts, 0, &again, NULL), 0);
	account_close(again);
	account_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			connections_are_counted_by_user_and_altogether, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			bytes_are_charged_by_user_and_altogether, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			some_users_do_not_lock_out_the_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			root_and_the_daemons_user_get_on_when_all_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_charge_grows_and_shrinks_within_the_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_charge_keeps_the_account, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_looks_all_the_time_has_a_twentieth_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(log_lines_of_a_user_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_offends_too_often_is_let_in_after_a_minute, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
