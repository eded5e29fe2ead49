/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "backends/backends.h"
#include "daemon/edged/model/loaded_model.h"

#define SHORT_NS 50000

static int fresh(void **state)
{
	static struct loaded_model loaded;
	for (uint32_t i = 0; i < LOADED_MODEL_TIMED; i++) {
		atomic_init(&loaded.run_ns[i], LOADED_MODEL_LONG_NS);
	}
	*state = &loaded;
	return 0;
}

static void runs_are_expected_to_be_long_until_many_were_short(void **state)
{
	struct loaded_model *loaded = *state;
	unsigned int n = 0;
	assert_int_equal(loaded_model_expected_ns(loaded, 0), LOADED_MODEL_LONG_NS);
	while (loaded_model_expected_ns(loaded, 0) > SHORT_NS) {
		loaded_model_note_run(loaded, 0, 10000);
		n++;
	}
	assert_in_range(n, 20, 30);
	assert_int_equal(loaded_model_expected_ns(loaded, 1), LOADED_MODEL_LONG_NS);
}

static void a_long_run_is_remembered_for_some_runs(void **state)
{
	struct loaded_model *loaded = *state;
	unsigned int n = 0;
	for (int i = 0; i < 200; i++) {
		loaded_model_note_run(loaded, 2, 10000);
	}
	assert_true(loaded_model_expected_ns(loaded, 2) < SHORT_NS);
	loaded_model_note_run(loaded, 2, UINT64_C(60000000000));
	assert_true(loaded_model_expected_ns(loaded, 2) > SHORT_NS);
	while (loaded_model_expected_ns(loaded, 2) > SHORT_NS) {
		loaded_model_note_run(loaded, 2, 10000);
		n++;
	}
	assert_in_range(n, 8, 20);
}

static void signatures_that_are_not_timed_are_long(void **state)
{
	struct loaded_model *loaded = *state;
	loaded_model_note_run(loaded, LOADED_MODEL_TIMED, 1);
	assert_int_equal(
		loaded_model_expected_ns(loaded, LOADED_MODEL_TIMED), LOADED_MODEL_LONG_NS);
}

static void defer_free(void *context, struct loaded_model *loaded)
{
	struct loaded_model **deferred = context;
	assert_null(*deferred);
	*deferred = loaded;
}

/* Or whoever answers requests would unmap the model before. */
static void the_last_to_let_go_leaves_it_to_whoever_frees(void **state)
{
	struct loaded_model *loaded = *state, *deferred = NULL;
	loaded->defer_free = defer_free;
	loaded->defer_free_context = &deferred;
	ref_init(&loaded->ref);
	assert_ptr_equal(loaded_model_ref(loaded), loaded);
	loaded_model_unref(loaded);
	assert_null(deferred);
	loaded_model_unref(loaded);
	assert_ptr_equal(deferred, loaded);
}

/* Or another model would be unloaded for memory that is about to be free. */
static void what_nobody_has_any_more_is_not_counted_until_it_is_freed(void **state)
{
	struct loaded_model *loaded = *state, *deferred = NULL;
	struct loaded_model_session second = {.bytes = 30}, first = {.next = &second, .bytes = 20};
	struct budget budget = {0};
	first.budget = second.budget = loaded->budget = &budget;
	loaded->bytes = 100;
	loaded->idle = &first;
	loaded->defer_free = defer_free;
	loaded->defer_free_context = &deferred;
	budget_add(&budget, 150);
	ref_init(&loaded->ref);
	loaded_model_unref(loaded);
	assert_ptr_equal(deferred, loaded);
	assert_int_equal(atomic_load(&budget.held), 0);
	assert_int_equal(first.bytes + second.bytes, 0); /* nor taken away twice */
	*loaded = (struct loaded_model){0};
}

/* False in builds with a sanitizer, which brings memory of its own. */
static bool memory_counts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
	return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
	return true;
#endif
}

static long faults_now(void)
{
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

/* Pages that are touched for the first time in the first run of a model. */
static long first_faults(bool warm)
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = backends_cpu_features()};
	owned(loaded_model_unref) struct loaded_model *loaded = NULL;
	struct loaded_model_session *session = NULL;
	struct edge_model *model = NULL;
	assert_int_equal(edge_model_open_file(SOURCE_ROOT "/packaging/models/keyword.tflite",
				 &options, &model, NULL),
		0);
	assert_int_equal(loaded_model_new(model, NULL, 0, &loaded, NULL), 0);
	if (warm) {
		loaded_model_warm(loaded, NULL);
	}
	assert_int_equal(loaded_model_take_session(loaded, 0, 0, &session, NULL), 0);
	const long before = faults_now();
	assert_int_equal(edge_session_run(session->session, NULL, NULL), 0);
	const long faults = faults_now() - before;
	loaded_model_give_session(loaded, session);
	return faults;
}

static void who_asks_a_warm_model_first_waits_for_no_page(void **state)
{
	(void)state;
	const long once = first_faults(false); /* the code of all this is in memory after that */
	const long cold = first_faults(false), warm = first_faults(true);
	print_message("%ld, %ld, warm %ld\n", once, cold, warm);
	if (memory_counts()) {
		assert_true(cold > 4);
		assert_in_range(warm, 0, 1);
	}
}

/* A run of @user that writes @value to each byte of the input; the session goes back. */
static struct loaded_model_session *run_as(struct loaded_model *loaded, uid_t user, uint8_t value)
{
	struct loaded_model_session *session = NULL;
	uint64_t bytes = 0;
	assert_int_equal(loaded_model_take_session(loaded, 0, user, &session, NULL), 0);
	uint8_t *input = edge_session_input(session->session, 0, &bytes);
	assert_non_null(input);
	memset(input, value, bytes);
	assert_int_equal(edge_session_run(session->session, NULL, NULL), 0);
	loaded_model_give_session(loaded, session);
	return session;
}

/* What the next run of @user finds in the input: the byte that the last one wrote, or 0. Outputs are
 * there if the session was not cleared. */
static struct loaded_model_session *look_as(
	struct loaded_model *loaded, uid_t user, uint8_t *ret_found, bool *ret_outputs)
{
	struct loaded_model_session *session = NULL;
	uint64_t bytes = 0;
	assert_int_equal(loaded_model_take_session(loaded, 0, user, &session, NULL), 0);
	const uint8_t *input = edge_session_input(session->session, 0, &bytes);
	*ret_found = input[bytes - 1];
	for (uint64_t i = 0; i < bytes; i++) {
		assert_int_equal(input[i], *ret_found);
	}
	*ret_outputs = edge_session_output(session->session, 0, &bytes) != NULL;
	loaded_model_give_session(loaded, session);
	return session;
}

static struct loaded_model *new_keyword(void)
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = backends_cpu_features()};
	struct loaded_model *loaded = NULL;
	struct edge_model *model = NULL;
	assert_int_equal(edge_model_open_file(SOURCE_ROOT "/packaging/models/keyword.tflite",
				 &options, &model, NULL),
		0);
	assert_int_equal(loaded_model_new(model, NULL, 0, &loaded, NULL), 0);
	return loaded;
}

static void another_user_finds_nothing_in_a_session(void **state)
{
	(void)state;
	owned(loaded_model_unref) struct loaded_model *loaded = new_keyword();
	uint8_t found = 1;
	bool outputs = true;
	struct loaded_model_session *session = run_as(loaded, 1000, 0x5a);
	assert_ptr_equal(look_as(loaded, 1000, &found, &outputs), session);
	assert_int_equal(found, 0x5a); /* the same user's: not cleared */
	assert_true(outputs);
	assert_ptr_equal(look_as(loaded, 1001, &found, &outputs), session);
	assert_int_equal(found, 0);
	assert_false(outputs);
	assert_ptr_equal(run_as(loaded, LOADED_MODEL_NO_USER, 0x5a), session);
	assert_ptr_equal(look_as(loaded, LOADED_MODEL_NO_USER, &found, &outputs), session);
	assert_int_equal(found, 0);
	assert_false(outputs);
}

static void a_user_gets_its_own_session_before_a_new_one_and_anothers(void **state)
{
	(void)state;
	owned(loaded_model_unref) struct loaded_model *loaded = new_keyword();
	struct loaded_model_session *sessions[3] = {0}, *taken[3] = {0};
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(loaded_model_take_session(loaded, 0, i, &sessions[i], NULL), 0);
	}
	sessions[2]->used = false; /* as a new one */
	for (unsigned int i = 0; i < 3; i++) {
		loaded_model_give_session(loaded, sessions[i]);
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(loaded_model_take_session(loaded, 0, 0, &taken[i], NULL), 0);
	}
	assert_ptr_equal(taken[0], sessions[0]);
	assert_ptr_equal(taken[1], sessions[2]);
	assert_ptr_equal(taken[2], sessions[1]);
	for (unsigned int i = 0; i < 3; i++) {
		loaded_model_give_session(loaded, taken[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_are_expected_to_be_long_until_many_were_short, fresh),
		cmocka_unit_test_setup(a_long_run_is_remembered_for_some_runs, fresh),
		cmocka_unit_test_setup(signatures_that_are_not_timed_are_long, fresh),
		cmocka_unit_test_setup(the_last_to_let_go_leaves_it_to_whoever_frees, fresh),
		cmocka_unit_test_setup(
			what_nobody_has_any_more_is_not_counted_until_it_is_freed, fresh),
		cmocka_unit_test(who_asks_a_warm_model_first_waits_for_no_page),
		cmocka_unit_test(another_user_finds_nothing_in_a_session),
		cmocka_unit_test(a_user_gets_its_own_session_before_a_new_one_and_anothers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
