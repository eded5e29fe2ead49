/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"
#include "daemon/edged/models/eviction.h"
#include "tests/fakes/fake_loaded.h"

#define HALF_LIFE_NS (600 * NSEC_PER_SEC)
#define MAX_MODELS 4

struct bench {
	struct models models;
	struct loader loader;
	struct config config;
	struct budget budget;
	struct log log;
	struct eviction eviction;
	int n_freed, n_changed, n_wakes;
};

static void on_changed(void *context)
{
	struct bench *bench = context;
	bench->n_changed++;
}

static void on_wake(void *context)
{
	struct bench *bench = context;
	bench->n_wakes++;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	log_init(&bench->log, LOG_LEVEL_ERROR);
	models_init(&bench->models, &bench->log);
	bench->models.entries = calloc(MAX_MODELS, sizeof(bench->models.entries[0]));
	assert_non_null(bench->models.entries);
	bench->loader.wake = on_wake;
	bench->loader.context = bench;
	bench->budget.limit = 1000;
	bench->eviction = (struct eviction){.models = &bench->models,
		.loader = &bench->loader,
		.config = &bench->config,
		.budget = &bench->budget,
		.changed = on_changed,
		.context = bench};
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	models_deinit(&bench->models);
	while (bench->loader.commands) {
		struct store_command *command = bench->loader.commands;
		bench->loader.commands = command->next;
		store_command_free(command);
	}
	assert_int_equal(atomic_load(&bench->budget.held), 0);
	free(bench);
	return 0;
}

/* A model of @bytes that serves. Names come in their order. */
static struct models_entry *serve(struct bench *bench, const char *name, size_t bytes)
{
	assert_true(bench->models.n < MAX_MODELS);
	struct models_entry *model = &bench->models.entries[bench->models.n++];
	strcpy(model->name, name);
	model->loaded = fake_loaded_new(name, 1, &bench->budget, bytes, &bench->n_freed);
	model->bytes = bytes;
	return model;
}

/* A request every @step_ns, the last one now. */
static void use(struct models_entry *model, unsigned int times, uint64_t step_ns)
{
	const uint64_t now_ns = clock_now_ns();
	for (unsigned int i = times; i-- > 0;) {
		eviction_note_use(model->loaded, now_ns - i * step_ns);
	}
}

static void the_weight_of_a_request_halves_in_ten_minutes(void **state)
{
	struct bench *bench = *state;
	struct loaded_model *loaded = serve(bench, "a", 0)->loaded;
	eviction_note_use(loaded, NSEC_PER_SEC);
	assert_true(loaded->use.score == 1);
	eviction_note_use(loaded, NSEC_PER_SEC + HALF_LIFE_NS);
	assert_true(loaded->use.score == 1.5);
	eviction_note_use(loaded, NSEC_PER_SEC + 3 * HALF_LIFE_NS);
	assert_true(loaded->use.score == 1.375);
	eviction_note_use(loaded, NSEC_PER_SEC + 3 * HALF_LIFE_NS + HALF_LIFE_NS / 2);
	assert_true(loaded->use.score == 1 + 1.375 * 3 / 4);
	eviction_note_use(loaded, NSEC_PER_SEC + 100 * HALF_LIFE_NS);
	assert_true(loaded->use.score == 1);
	eviction_note_use(loaded, 0); /* a clock never goes back, but a thread may be late */
	assert_true(loaded->use.score == 2);
}

static void models_within_the_budget_stay(void **state)
{
	struct bench *bench = *state;
	serve(bench, "a", 600);
	serve(bench, "b", 400);
	eviction_enforce(&bench->eviction);
	assert_non_null(models_find(&bench->models, "a")->loaded);
	assert_non_null(models_find(&bench->models, "b")->loaded);
	assert_int_equal(bench->n_changed, 0);
}

static void the_model_whose_absence_costs_least_goes_first(void **state)
{
	struct bench *bench = *state;
	struct models_entry *slow = serve(bench, "a", 400);
	use(slow, 1, 0);
	slow->loaded->load_ns = 10000; /* takes long to load */
	use(serve(bench, "b", 400), 3, 0);
	use(serve(bench, "c", 400), 1, 0);
	eviction_enforce(&bench->eviction);
	assert_null(models_find(&bench->models, "c")->loaded);
	assert_true(models_find(&bench->models, "c")->unloaded);
	assert_string_equal(models_find(&bench->models, "c")->why, "for the memory budget");
	assert_non_null(models_find(&bench->models, "b")->loaded);
	assert_non_null(slow->loaded);
	assert_int_equal(bench->n_changed, 1);
	assert_int_equal(bench->n_freed, 1);
	assert_int_equal(atomic_load(&bench->budget.held), 800);
}

static void of_models_without_recent_requests_the_one_idle_longest_goes(void **state)
{
	struct bench *bench = *state;
	serve(bench, "a", 600)->loaded->use.last_ns = 300;
	serve(bench, "b", 600)->loaded->use.last_ns = 200;
	eviction_enforce(&bench->eviction);
	assert_null(models_find(&bench->models, "b")->loaded);
	assert_non_null(models_find(&bench->models, "a")->loaded);
}

static void pinned_used_and_unstored_models_stay_whatever_the_budget(void **state)
{
	struct bench *bench = *state;
	serve(bench, "a", 600)->facts.pinned = true;
	serve(bench, "b", 600)->loaded->stored = false;
	struct models_entry *used = serve(bench, "c", 600);
	struct loaded_model *by_request = loaded_model_ref(used->loaded);
	eviction_enforce(&bench->eviction);
	assert_int_equal(bench->n_changed, 0);
	assert_int_equal(atomic_load(&bench->budget.pinned), 600);
	loaded_model_unref(by_request);
	eviction_enforce(&bench->eviction);
	assert_null(used->loaded);
	assert_int_equal(bench->n_freed, 1);
}

static void versions_for_a_rollback_and_idle_sessions_go_before_models(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 600);
	model->previous = fake_loaded_new("a", 2, &bench->budget, 300, &bench->n_freed);
	fake_loaded_idle_session(model->loaded, 300);
	bench->budget.limit = 900;
	eviction_enforce(&bench->eviction); /* 1200 */
	assert_null(model->previous);
	assert_non_null(model->loaded->idle);
	bench->budget.limit = 600;
	eviction_enforce(&bench->eviction);
	assert_null(model->loaded->idle);
	bench->budget.limit = 599;
	eviction_enforce(&bench->eviction);
	assert_null(model->loaded);
}

static void a_version_that_a_comparison_needs_is_kept(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 600);
	model->previous = fake_loaded_new("a", 2, &bench->budget, 600, &bench->n_freed);
	bench->models.keeps_previous = true;
	model->facts.pinned = true;
	eviction_enforce(&bench->eviction);
	assert_non_null(model->previous);
}

/* ---- loading again */

static void an_unloaded_model_is_loaded_once_for_all_who_wait(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 400);
	models_unload(model, "as somebody said");
	eviction_load_requested(&bench->eviction);
	assert_null(bench->loader.commands); /* nobody wants it */
	models_request_load(&bench->models, "a");
	eviction_load_requested(&bench->eviction);
	eviction_load_requested(&bench->eviction);
	assert_int_equal(bench->loader.commands->verb, STORE_COMMAND_LOAD);
	assert_string_equal(bench->loader.commands->model, "a");
	assert_null(bench->loader.commands->next);
	assert_true(model->load_queued);
}

static void to_load_a_model_idle_ones_make_room_for_its_bytes(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 700);
	models_unload(model, "as somebody said");
	struct models_entry *other = serve(bench, "b", 400);
	struct loaded_model *by_request = loaded_model_ref(other->loaded);
	models_request_load(&bench->models, "a");
	eviction_load_requested(&bench->eviction);
	assert_null(bench->loader.commands);
	assert_false(model->load_queued);
	loaded_model_unref(by_request);
	eviction_load_requested(&bench->eviction);
	assert_null(other->loaded);
	assert_non_null(bench->loader.commands);
}

/* ---- memory shortage */

static void a_shortage_drops_sessions_and_a_second_one_soon_a_model(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 100);
	fake_loaded_idle_session(model->loaded, 50);
	uint64_t now_ns = 100 * NSEC_PER_SEC;
	assert_true(eviction_relieve(&bench->eviction, now_ns));
	assert_null(model->loaded->idle);
	assert_non_null(model->loaded);
	now_ns += 30 * NSEC_PER_SEC; /* not soon any more: as a first one */
	assert_true(eviction_relieve(&bench->eviction, now_ns));
	assert_non_null(model->loaded);
	now_ns += 30 * NSEC_PER_SEC - 1;
	assert_true(eviction_relieve(&bench->eviction, now_ns));
	assert_null(model->loaded);
	assert_string_equal(model->why, "because memory is short");
	assert_false(eviction_relieve(&bench->eviction, now_ns + 1)); /* nothing is left */
}

static void while_sessions_can_be_dropped_no_model_goes(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 100);
	assert_true(eviction_relieve(&bench->eviction, 100));
	fake_loaded_idle_session(model->loaded, 50);
	assert_true(eviction_relieve(&bench->eviction, 101));
	assert_non_null(model->loaded);
	model->previous = fake_loaded_new("a", 2, &bench->budget, 60, &bench->n_freed);
	assert_true(eviction_relieve(&bench->eviction, 102));
	assert_null(model->previous);
	assert_non_null(model->loaded);
}

/* ---- commands */

static int command(struct bench *bench, enum store_command_verb verb, const char *name)
{
	struct store_command wanted = {.verb = verb};
	strcpy(wanted.model, name);
	return eviction_try_command(&bench->eviction, &wanted, NULL);
}

static void a_command_unloads_a_model_even_while_it_is_used(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 100);
	struct loaded_model *by_request = loaded_model_ref(model->loaded);
	assert_int_equal(command(bench, STORE_COMMAND_UNLOAD, "a"), 1);
	assert_null(model->loaded);
	assert_int_equal(bench->n_freed, 0); /* the request keeps it */
	loaded_model_unref(by_request);
	assert_int_equal(bench->n_freed, 1);
	assert_int_equal(command(bench, STORE_COMMAND_UNLOAD, "a"), 1); /* is unloaded */
	assert_int_equal(bench->n_changed, 1);
}

static void a_model_that_could_not_come_back_is_not_unloaded(void **state)
{
	struct bench *bench = *state;
	serve(bench, "a", 100)->facts.pinned = true;
	serve(bench, "b", 100)->loaded->stored = false;
	assert_int_equal(command(bench, STORE_COMMAND_UNLOAD, "a"), -EPERM);
	assert_int_equal(command(bench, STORE_COMMAND_UNLOAD, "b"), -EOPNOTSUPP);
	assert_int_equal(command(bench, STORE_COMMAND_UNLOAD, "c"), -ENOENT);
	assert_int_equal(bench->n_changed, 0);
}

static void a_command_loads_what_is_unloaded_if_there_is_room(void **state)
{
	struct bench *bench = *state;
	struct models_entry *model = serve(bench, "a", 700);
	assert_int_equal(command(bench, STORE_COMMAND_LOAD, "a"), 1); /* is there */
	models_unload(model, "as somebody said");
	assert_int_equal(command(bench, STORE_COMMAND_LOAD, "a"), 0);
	serve(bench, "b", 400)->facts.pinned = true;
	assert_int_equal(command(bench, STORE_COMMAND_LOAD, "a"), -EAGAIN);
	assert_int_equal(command(bench, STORE_COMMAND_LOAD, "c"), -ENOENT);
	model->unloaded = false; /* refused */
	assert_int_equal(command(bench, STORE_COMMAND_LOAD, "a"), -ENOENT);
	assert_int_equal(command(bench, STORE_COMMAND_PIN, "c"), 0); /* is the loader's */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_weight_of_a_request_halves_in_ten_minutes),
		TEST(models_within_the_budget_stay),
		TEST(the_model_whose_absence_costs_least_goes_first),
		TEST(of_models_without_recent_requests_the_one_idle_longest_goes),
		TEST(pinned_used_and_unstored_models_stay_whatever_the_budget),
		TEST(versions_for_a_rollback_and_idle_sessions_go_before_models),
		TEST(a_version_that_a_comparison_needs_is_kept),
		TEST(an_unloaded_model_is_loaded_once_for_all_who_wait),
		TEST(to_load_a_model_idle_ones_make_room_for_its_bytes),
		TEST(a_shortage_drops_sessions_and_a_second_one_soon_a_model),
		TEST(while_sessions_can_be_dropped_no_model_goes),
		TEST(a_command_unloads_a_model_even_while_it_is_used),
		TEST(a_model_that_could_not_come_back_is_not_unloaded),
		TEST(a_command_loads_what_is_unloaded_if_there_is_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
