/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "daemon/edged/serve/client_session.h"
#include "tests/fakes/fake_model_open.h"

#define UID 7

struct bench {
	struct config config;
	struct log log;
	struct accounts accounts;
	struct account *account;
	void *bytes;
	struct loaded_model *loaded;
	uint64_t session_bytes; /* of the model */
	struct client_sessions list;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	config_init(&bench->config);
	log_init(&bench->log, LOG_LEVEL_ERROR);
	accounts_init(&bench->accounts, &bench->config, &bench->log);
	assert_int_equal(account_open(&bench->accounts, UID, &bench->account, NULL), 0);
	owned_mem struct fake_model *fake = fake_model_new();
	struct edge_model *model = fake_model_open(fake, &bench->bytes);
	bench->session_bytes = edge_model_info(model)->session_bytes;
	assert_true(bench->session_bytes > 0);
	assert_int_equal(loaded_model_new(model, NULL, 0, &bench->loaded, NULL), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	client_sessions_close(&bench->list);
	assert_true(loaded_model_idle(bench->loaded));
	loaded_model_unref(bench->loaded);
	assert_int_equal(bench->account->charged, 0);
	account_close(bench->account);
	accounts_deinit(&bench->accounts);
	free(bench->bytes);
	free(bench);
	return 0;
}

static int new_session(struct bench *bench, uint64_t max, struct client_session **ret_session)
{
	return client_session_new(
		&bench->list, bench->loaded, bench->account, max, ret_session, NULL);
}

/* A session of which only the list has a reference. */
static struct client_session *opened(struct bench *bench)
{
	struct client_session *session = NULL;
	assert_int_equal(new_session(bench, 10, &session), 0);
	client_session_unref(session);
	return session;
}

static void a_session_is_charged_and_keeps_its_model(void **state)
{
	struct bench *bench = *state;
	struct client_session *session = opened(bench);
	assert_int_equal(session->id, 1);
	assert_int_equal(bench->list.n, 1);
	assert_int_equal(bench->account->charged, bench->session_bytes);
	assert_false(loaded_model_idle(bench->loaded));
	client_session_close(session);
	assert_int_equal(bench->list.n, 0);
	assert_int_equal(bench->account->charged, 0);
	assert_true(loaded_model_idle(bench->loaded));
}

static void ids_are_not_used_again(void **state)
{
	struct bench *bench = *state;
	struct client_session *found = NULL;
	client_session_close(opened(bench));
	assert_int_equal(opened(bench)->id, 2);
	assert_int_equal(client_session_find(&bench->list, 1, &found, NULL), -ENOENT);
	assert_int_equal(client_session_find(&bench->list, 0, &found, NULL), -ENOENT);
	assert_null(found);
	assert_int_equal(client_session_find(&bench->list, 2, &found, NULL), 0);
	assert_int_equal(found->id, 2);
	bench->list.last_id = UINT32_MAX;
	assert_int_equal(new_session(bench, 10, &found), -EFBIG);
}

static void sessions_above_the_limit_are_refused(void **state)
{
	struct bench *bench = *state;
	struct client_session *session = NULL;
	opened(bench);
	struct client_session *second = opened(bench);
	assert_int_equal(new_session(bench, 2, &session), -EAGAIN);
	assert_null(session);
	assert_int_equal(bench->account->charged, 2 * bench->session_bytes);
	client_session_close(second);
	assert_int_equal(new_session(bench, 2, &session), 0);
	client_session_unref(session);
}

static void a_session_that_the_account_cannot_pay_is_refused(void **state)
{
	struct bench *bench = *state;
	struct client_session *session = NULL;
	bench->config.max_bytes_per_user = bench->session_bytes - 1;
	assert_int_equal(new_session(bench, 10, &session), -EAGAIN);
	assert_int_equal(bench->list.n, 0);
	assert_int_equal(bench->list.last_id, 0);
	assert_true(loaded_model_idle(bench->loaded));
	bench->config.max_bytes_per_user = bench->session_bytes;
	assert_int_equal(new_session(bench, 10, &session), 0);
	client_session_unref(session);
}

static void a_closed_session_lives_until_its_last_request_ends(void **state)
{
	struct bench *bench = *state;
	struct client_session *found = NULL;
	opened(bench);
	struct client_session *middle = client_session_ref(opened(bench));
	opened(bench);
	client_session_close(middle);
	client_session_close(middle); /* does nothing */
	assert_int_equal(bench->list.n, 2);
	assert_int_equal(client_session_find(&bench->list, 2, &found, NULL), -ENOENT);
	assert_int_equal(client_session_find(&bench->list, 1, &found, NULL), 0);
	assert_int_equal(client_session_find(&bench->list, 3, &found, NULL), 0);
	assert_int_equal(bench->account->charged, 3 * bench->session_bytes);
	client_session_unref(middle);
	assert_int_equal(bench->account->charged, 2 * bench->session_bytes);
}

static void the_end_of_the_connection_closes_all_sessions(void **state)
{
	struct bench *bench = *state;
	opened(bench);
	struct client_session *used = client_session_ref(opened(bench));
	client_sessions_close(&bench->list);
	assert_null(bench->list.first);
	assert_int_equal(bench->list.n, 0);
	assert_int_equal(bench->account->charged, bench->session_bytes);
	assert_null(used->list);
	client_session_unref(used);
}

static void a_session_pays_for_at_least_what_was_planned(void **state)
{
	struct bench *bench = *state;
	struct client_session *session = opened(bench);
	assert_int_equal(client_session_update_charge(session, NULL), 0); /* without a state yet */
	assert_int_equal(session->charged, bench->session_bytes);
	assert_int_equal(loaded_model_new_session(bench->loaded, &session->model_session, NULL), 0);
	const uint64_t held = edge_session_bytes(session->model_session->session);
	const uint64_t most = held > bench->session_bytes ? held : bench->session_bytes;
	assert_int_equal(account_recharge(bench->account, session->charged, 1, NULL), 0);
	session->charged = 1;
	assert_int_equal(client_session_update_charge(session, NULL), 0);
	assert_int_equal(session->charged, most);
	assert_int_equal(bench->account->charged, most);
}

static void growth_that_the_account_cannot_pay_leaves_the_charge(void **state)
{
	struct bench *bench = *state;
	struct client_session *session = opened(bench);
	assert_int_equal(account_recharge(bench->account, session->charged, 1, NULL), 0);
	session->charged = 1;
	bench->config.max_bytes_per_user = bench->session_bytes - 1;
	assert_int_equal(client_session_update_charge(session, NULL), -EAGAIN);
	assert_int_equal(session->charged, 1);
	assert_int_equal(bench->account->charged, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_charged_and_keeps_its_model),
		TEST(ids_are_not_used_again),
		TEST(sessions_above_the_limit_are_refused),
		TEST(a_session_that_the_account_cannot_pay_is_refused),
		TEST(a_closed_session_lives_until_its_last_request_ends),
		TEST(the_end_of_the_connection_closes_all_sessions),
		TEST(a_session_pays_for_at_least_what_was_planned),
		TEST(growth_that_the_account_cannot_pay_leaves_the_charge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
