/* SPDX-License-Identifier: Apache-2.0 */
/* The test stands for the loader's thread: it fills in each job's result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "daemon/edged/models/jobs.h"
#include "tests/fakes/fake_loaded.h"

struct bench {
	struct models models;
	struct loader loader;
	struct config config;
	struct log log;
	int n_freed;
};

static const struct digest some = {{1}}, other = {{2}};

static void on_wake(void *context)
{
	(void)context;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	log_init(&bench->log, LOG_LEVEL_ERROR);
	bench->log.level = -1; /* what is logged is not looked at */
	models_init(&bench->models, &bench->log);
	bench->config.max_models = 2;
	bench->loader.config = bench->config;
	bench->loader.log = &bench->log;
	bench->loader.wake = on_wake;
	pthread_mutex_init(&bench->loader.mutex, NULL);
	pthread_cond_init(&bench->loader.work, NULL);
	*state = bench;
	return 0;
}

static void commands_free(struct store_command *command)
{
	while (command) {
		struct store_command *next = command->next;
		store_command_free(command);
		command = next;
	}
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	commands_free(bench->loader.commands);
	commands_free(bench->loader.done);
	store_command_free(bench->loader.job.command);
	job_deinit(&bench->loader.job);
	models_deinit(&bench->models);
	pthread_cond_destroy(&bench->loader.work);
	pthread_mutex_destroy(&bench->loader.mutex);
	free(bench);
	return 0;
}

static struct job *job(struct bench *bench)
{
	return &bench->loader.job;
}

static bool update(struct bench *bench)
{
	return jobs_update(&bench->models, &bench->loader);
}

/* The job that the loader has now is a @kind about model @name ("": none). */
static void expect(struct bench *bench, enum job_kind kind, const char *name)
{
	assert_int_equal(bench->loader.state, LOADER_RUNNING);
	assert_int_equal(job(bench)->kind, kind);
	assert_string_equal(job(bench)->has_model ? job(bench)->model.manifest.name : "", name);
}

static void expect_idle(struct bench *bench)
{
	assert_int_equal(bench->loader.state, LOADER_IDLE);
}

/* The job is done; the next one begins. */
static bool finish(struct bench *bench)
{
	bench->loader.state = LOADER_DONE;
	return update(bench);
}

/* The store was read and the first scan is over. */
static void started(struct bench *bench)
{
	bench->models.opened = true;
	bench->models.scans_done = bench->loader.scans_wanted = 1;
}

static struct registry_model *record(struct bench *bench, const char *name)
{
	struct registry_model *model = registry_add(&bench->models.registry, name);
	assert_non_null(model);
	model->manifest.active = some;
	return model;
}

static struct store_command *command(
	struct bench *bench, enum store_command_verb verb, const char *name)
{
	struct store_command *wanted = store_command_new();
	assert_non_null(wanted);
	wanted->verb = verb;
	strcpy(wanted->model, name);
	loader_queue_command(&bench->loader, &bench->loader.config, wanted);
	return wanted;
}

/* A model in the table that serves version 1. */
static struct models_entry *serve(struct bench *bench, const char *name)
{
	models_handle_question(&bench->models, name, JOB_LOADING);
	struct models_entry *model = models_find(&bench->models, name);
	model->loading = false;
	model->loaded = fake_loaded_new(name, 1, NULL, 100, &bench->n_freed);
	model->serving = model->loaded->digest;
	model->bytes = 100;
	return model;
}

static void the_store_is_opened_first_and_its_manifests_become_records(void **state)
{
	struct bench *bench = *state;
	update(bench);
	expect(bench, JOB_OPEN, "");
	update(bench); /* nothing happens while it runs */
	expect(bench, JOB_OPEN, "");
	job(bench)->manifests = calloc(2, sizeof(struct manifest));
	job(bench)->n_manifests = 2;
	strcpy(job(bench)->manifests[0].name, "b");
	strcpy(job(bench)->manifests[1].name, "a");
	job(bench)->manifests[0].newest = 7;
	assert_false(finish(bench));
	expect_idle(bench);
	assert_int_equal(bench->models.registry.n, 2);
	assert_int_equal(registry_find(&bench->models.registry, "b")->manifest.newest, 7);
	update(bench);
	expect_idle(bench); /* it is opened once */
}

static void a_store_that_cannot_be_read_leaves_the_models_to_the_scan(void **state)
{
	struct bench *bench = *state;
	update(bench);
	job(bench)->manifests = calloc(1, sizeof(struct manifest));
	job(bench)->n_manifests = 1;
	job(bench)->code = -EIO;
	finish(bench);
	assert_int_equal(bench->models.registry.n, 0);
	loader_scan(&bench->loader, &bench->loader.config);
	update(bench);
	expect(bench, JOB_LIST, "");
}

static void commands_wait_until_models_of_the_store_were_loaded(void **state)
{
	struct bench *bench = *state;
	bench->models.opened = true;
	record(bench, "a");
	command(bench, STORE_COMMAND_PIN, "a");
	update(bench);
	expect_idle(bench);
	loader_scan(&bench->loader, &bench->loader.config);
	update(bench);
	expect(bench, JOB_RESTORE, "a");
	finish(bench);
	expect(bench, JOB_LIST, "");
	finish(bench);
	expect(bench, JOB_SCAN_MODEL, "a");
	finish(bench); /* between two steps of the scan */
	expect(bench, JOB_STORE_COMMAND, "a");
	finish(bench);
	expect(bench, JOB_SWEEP, "");
	finish(bench);
	expect_idle(bench);
	assert_int_equal(bench->models.scans_done, 1);
}

static void commands_come_in_their_order_and_back_with_their_numbers(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	struct store_command *first = command(bench, STORE_COMMAND_PIN, "a");
	struct store_command *second = command(bench, STORE_COMMAND_FSCK, "");
	update(bench);
	expect(bench, JOB_STORE_COMMAND, "a");
	assert_ptr_equal(job(bench)->command, first);
	finish(bench);
	expect(bench, JOB_STORE_COMMAND, "");
	assert_ptr_equal(job(bench)->command, second);
	finish(bench);
	struct store_command *done = loader_finished(&bench->loader);
	assert_ptr_equal(done, first);
	assert_int_equal(done->number, 1);
	assert_ptr_equal(done->next, second);
	assert_int_equal(second->number, 2);
	commands_free(done);
}

static void a_verdict_of_the_loop_itself_does_not_come_back(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	command(bench, STORE_COMMAND_TRIAL_PASSED, "a");
	update(bench);
	expect(bench, JOB_STORE_COMMAND, "a");
	finish(bench);
	assert_null(loader_finished(&bench->loader));
}

static void an_install_waits_for_the_end_of_a_scan_and_others_do_not(void **state)
{
	struct bench *bench = *state;
	started(bench);
	loader_scan(&bench->loader, &bench->loader.config);
	update(bench);
	expect(bench, JOB_LIST, "");
	update(bench); /* it still runs */
	expect(bench, JOB_LIST, "");
	command(bench, STORE_COMMAND_INSTALL, "a");
	finish(bench);
	expect(bench, JOB_SWEEP, "");
	finish(bench);
	expect(bench, JOB_NAME, "");
}

static void an_install_is_named_by_its_file_and_adds_a_record(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct store_command *install = command(bench, STORE_COMMAND_INSTALL, "");
	command(bench, STORE_COMMAND_FSCK, "");
	update(bench);
	expect(bench, JOB_NAME, "");
	strcpy(install->model, "new");
	finish(bench);
	expect(bench, JOB_STORE_COMMAND, "new"); /* before the command behind it */
	assert_ptr_equal(job(bench)->command, install);
	assert_non_null(registry_find(&bench->models.registry, "new"));
	finish(bench);
	expect(bench, JOB_STORE_COMMAND, "");
	assert_ptr_equal(bench->loader.done, install);
}

static void an_install_without_a_name_ends(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct store_command *install = command(bench, STORE_COMMAND_INSTALL, "");
	update(bench);
	error_set(&install->error, -EINVAL, "no name");
	finish(bench);
	expect_idle(bench);
	assert_ptr_equal(bench->loader.done, install);
	assert_int_equal(bench->models.registry.n, 0);
}

static void an_install_above_max_models_ends_and_the_next_command_begins(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	record(bench, "b");
	struct store_command *install = command(bench, STORE_COMMAND_INSTALL, "c");
	install->named = true;
	command(bench, STORE_COMMAND_PIN, "b");
	update(bench);
	expect(bench, JOB_STORE_COMMAND, "b");
	assert_ptr_equal(bench->loader.done, install);
	assert_int_equal(install->error.code, -ENOSPC);
	assert_null(registry_find(&bench->models.registry, "c"));
}

static void a_job_knows_how_its_model_serves(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	struct models_entry *model = serve(bench, "a");
	command(bench, STORE_COMMAND_PIN, "a");
	update(bench);
	assert_true(digest_equal(&job(bench)->serving, &some));
	assert_true(digest_is_zero(&job(bench)->trial_passed));
	assert_true(job(bench)->in_memory);
	assert_int_equal(job(bench)->bytes, 100);
	model->trial_passed = true;
	models_unload(model, "as somebody said");
	command(bench, STORE_COMMAND_PIN, "a");
	finish(bench);
	expect(bench, JOB_STORE_COMMAND, "a");
	assert_true(digest_equal(&job(bench)->serving, &some));
	assert_true(digest_equal(&job(bench)->trial_passed, &some));
	assert_false(job(bench)->in_memory);
	commands_free(loader_finished(&bench->loader));
}

static void the_record_becomes_what_the_job_made_of_it(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct registry_model *model = record(bench, "a");
	serve(bench, "a");
	command(bench, STORE_COMMAND_PIN, "a");
	update(bench);
	job(bench)->model.manifest.pinned = true;
	assert_false(model->manifest.pinned); /* the job has a copy */
	job_finish(job(bench), JOB_MANIFEST_CHANGED, 0, NULL, "");
	assert_false(finish(bench));
	assert_true(model->manifest.pinned);
	assert_true(models_find(&bench->models, "a")->facts.pinned);
}

static void a_removed_model_leaves_the_table(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	serve(bench, "a");
	command(bench, STORE_COMMAND_REMOVE, "a");
	update(bench);
	job_finish(job(bench), JOB_REMOVED, 0, NULL, "");
	assert_true(finish(bench));
	assert_null(models_find(&bench->models, "a"));
	assert_int_equal(bench->n_freed, 1);
}

static void a_refused_model_is_shown_with_version_and_reason(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	command(bench, STORE_COMMAND_LOAD, "a");
	update(bench);
	job_finish(job(bench), JOB_REFUSED, 3, NULL, "it has no operators");
	assert_false(finish(bench));
	const struct models_entry *model = models_find(&bench->models, "a");
	assert_string_equal(models_model_state(model), "refused");
	assert_string_equal(model->reason, "it has no operators");
	assert_string_equal(model->version, "3");
	assert_true(digest_is_zero(&model->serving));
}

static void a_question_of_the_loader_is_answered_and_the_job_goes_on(void **state)
{
	struct bench *bench = *state;
	started(bench);
	record(bench, "a");
	command(bench, STORE_COMMAND_LOAD, "a");
	update(bench);
	bench->loader.state = LOADER_ASKS;
	bench->loader.question = JOB_LOADING;
	assert_false(update(bench));
	expect(bench, JOB_STORE_COMMAND, "a");
	assert_string_equal(models_model_state(models_find(&bench->models, "a")), "loading");
	struct models_entry *model = serve(bench, "a");
	model->previous = fake_loaded_new("a", 2, NULL, 0, &bench->n_freed);
	bench->loader.state = LOADER_ASKS;
	bench->loader.question = JOB_ALONE;
	assert_false(update(bench));
	assert_null(model->previous);
	assert_non_null(model->loaded);
	bench->loader.state = LOADER_ASKS;
	bench->loader.question = JOB_UNLOAD;
	assert_true(update(bench));
	assert_null(model->loaded);
	assert_true(model->unloaded);
}

static void a_forgotten_bad_digest_is_tried_again_only_if_it_was_forgotten(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct registry_model *model = record(bench, "a");
	model->n = 1;
	model->tried[0] = (struct registry_tried){.digest = other, .settled = true};
	for (int failed = 1; failed >= 0; failed--) {
		struct store_command *forget = command(bench, STORE_COMMAND_FORGET_BAD, "");
		update(bench);
		forget->digest = other;
		forget->error.code = failed ? -ENOENT : 0;
		finish(bench);
		assert_int_equal(model->tried[0].settled, failed);
	}
}

static void new_keys_make_refused_files_be_tried_again(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct registry_model *model = record(bench, "a");
	model->n = 1;
	model->tried[0] = (struct registry_tried){.settled = true, .reason = "not signed"};
	command(bench, STORE_COMMAND_FSCK, "");
	update(bench);
	job(bench)->keys_changed = true;
	finish(bench);
	assert_false(model->tried[0].settled);
}

static void a_repair_changes_manifests_and_tells_lost_files(void **state)
{
	struct bench *bench = *state;
	started(bench);
	struct registry_model *a = record(bench, "a"), *b = record(bench, "b");
	serve(bench, "a");
	serve(bench, "b");
	command(bench, STORE_COMMAND_FSCK, "");
	update(bench);
	job(bench)->repaired = calloc(2, sizeof(struct job_repaired));
	job(bench)->repaired[0] =
		(struct job_repaired){.manifest = a->manifest, .active_missing = true};
	job(bench)->repaired[1] = (struct job_repaired){.manifest = b->manifest, .changed = true};
	job(bench)->repaired[1].manifest.pinned = true;
	a->restored = b->restored = true;
	finish(bench);
	assert_true(a->lost);
	assert_false(a->restored);
	assert_false(b->lost);
	assert_true(b->restored && b->manifest.pinned);
	assert_true(models_find(&bench->models, "b")->facts.pinned);
	command(bench, STORE_COMMAND_PIN, "a");
	update(bench);
	assert_true(digest_is_zero(&job(bench)->serving)); /* another file is looked for */
	commands_free(loader_finished(&bench->loader));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_store_is_opened_first_and_its_manifests_become_records),
		TEST(a_store_that_cannot_be_read_leaves_the_models_to_the_scan),
		TEST(commands_wait_until_models_of_the_store_were_loaded),
		TEST(commands_come_in_their_order_and_back_with_their_numbers),
		TEST(a_verdict_of_the_loop_itself_does_not_come_back),
		TEST(an_install_waits_for_the_end_of_a_scan_and_others_do_not),
		TEST(an_install_is_named_by_its_file_and_adds_a_record),
		TEST(an_install_without_a_name_ends),
		TEST(an_install_above_max_models_ends_and_the_next_command_begins),
		TEST(a_job_knows_how_its_model_serves),
		TEST(the_record_becomes_what_the_job_made_of_it),
		TEST(a_removed_model_leaves_the_table),
		TEST(a_refused_model_is_shown_with_version_and_reason),
		TEST(a_question_of_the_loader_is_answered_and_the_job_goes_on),
		TEST(a_forgotten_bad_digest_is_tried_again_only_if_it_was_forgotten),
		TEST(new_keys_make_refused_files_be_tried_again),
		TEST(a_repair_changes_manifests_and_tells_lost_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
