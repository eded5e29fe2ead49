/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "daemon/edged/install/execute.h"
#include "daemon/edged/store/blobs.h"
#include "tests/fakes/fake_model.h"
#include "tests/unit/daemon/temp_folder.h"

static struct {
	struct config config;
	struct log log;
	struct store store;
	struct load_context load;
	struct registry registry;
	struct store_command *command;
	struct job job;
	const struct temp_folder *folder;
	struct digest first, second; /* two models in the store */
} bench;

/* Puts a model into the store whose constant is of @number. */
static struct digest put_model(float number)
{
	struct digest digest = {0};
	float constant[4] = {number, 0, 0, 0};
	owned_mem struct fake_model *fake = fake_model_new();
	fake->buffers[1].data = constant;
	struct bytes_writer file = fake_model_write(fake);
	assert_int_equal(blobs_put(bench.store.blobs, file.data, file.size, &digest), 0);
	bytes_writer_deinit(&file);
	return digest;
}

/* Model "m": version 1, good, and version 2, which serves on trial. */
static int set_up(void **state)
{
	assert_int_equal(temp_folder_set_up(state), 0);
	memset(&bench, 0, sizeof(bench));
	bench.folder = *state;
	config_init(&bench.config);
	snprintf(bench.config.state, sizeof(bench.config.state), "%s", bench.folder->path);
	log_init(&bench.log, LOG_LEVEL_ERROR);
	bench.log.level = -1; /* what is logged is not looked at */
	store_open(&bench.store, bench.folder->path, 0, &bench.log);
	assert_true(bench.store.blobs >= 0);
	bench.load =
		(struct load_context){.config = &bench.config, .store = &bench.store, .watch = -1};
	bench.first = put_model(1);
	bench.second = put_model(2);
	bench.job.load = &bench.load;
	bench.job.registry = &bench.registry;
	bench.job.has_model = true;
	struct manifest *manifest = &bench.job.model.manifest;
	strcpy(manifest->name, "m");
	manifest_add(manifest, &(struct manifest_version){.model = bench.first});
	manifest->active = manifest->last_good = bench.first;
	manifest_add(manifest, &(struct manifest_version){.model = bench.second});
	manifest->active = bench.second;
	manifest->trial = true;
	bench.job.serving = bench.second;
	bench.job.in_memory = true;
	return 0;
}

static int tear_down(void **state)
{
	store_command_free(bench.command);
	job_deinit(&bench.job);
	registry_deinit(&bench.registry);
	store_close(&bench.store);
	return temp_folder_tear_down(state);
}

/* Executes a command of user 5. Returns its error. */
static int run(enum store_command_verb verb, const char *argument, const struct digest *digest)
{
	store_command_free(bench.command);
	job_deinit(&bench.job);
	bench.command = store_command_new();
	assert_non_null(bench.command);
	bench.command->verb = verb;
	bench.command->uid = 5;
	strcpy(bench.command->model, "m");
	strcpy(bench.command->argument, argument);
	if (digest) {
		bench.command->digest = *digest;
	}
	bench.job.kind = JOB_STORE_COMMAND;
	bench.job.command = bench.command;
	bench.job.outcome = JOB_NOTHING;
	execute_job(&bench.job);
	return bench.command->error.code;
}

static const struct manifest *manifest(void)
{
	return &bench.job.model.manifest;
}

/* The manifest of model "m" on disk. */
static struct manifest on_disk(void)
{
	struct manifest *all = NULL, only;
	size_t n = 0;
	assert_int_equal(store_manifests(&bench.store, &all, &n), 0);
	assert_int_equal(n, 1);
	only = all[0];
	free(all);
	return only;
}

static void assert_history(const char *text)
{
	owned_mem char *history = NULL;
	assert_int_equal(store_history_read(&bench.store, "m", 4096, &history, NULL), 0);
	assert_non_null(strstr(history, text));
}

static void a_command_needs_a_record_or_a_version(void **state)
{
	(void)state;
	bench.job.model.manifest.active = (struct digest){0}; /* was removed */
	assert_int_equal(run(STORE_COMMAND_PIN, "", NULL), -ENOENT);
	assert_int_equal(run(STORE_COMMAND_UNTEACH, "a", NULL), -ENOENT);
	assert_int_equal(run(STORE_COMMAND_UNPIN, "", NULL), 0);
	assert_int_equal(run((enum store_command_verb)99, "", NULL), -EOPNOTSUPP);
	bench.job.has_model = false;
	assert_int_equal(run(STORE_COMMAND_UNPIN, "", NULL), -ENOENT);
	assert_int_equal(run(STORE_COMMAND_HISTORY, "", NULL), -ENOENT);
}

static void a_pin_is_on_disk_and_in_the_history(void **state)
{
	(void)state;
	assert_int_equal(run(STORE_COMMAND_PIN, "", NULL), 0);
	assert_int_equal(bench.job.outcome, JOB_MANIFEST_CHANGED);
	assert_true(manifest()->pinned);
	assert_true(on_disk().pinned);
	assert_history(" pinned by uid 5");
	assert_int_equal(run(STORE_COMMAND_UNPIN, "", NULL), 0);
	assert_false(on_disk().pinned);
	assert_int_equal(run(STORE_COMMAND_HISTORY, "", NULL), 0);
	assert_non_null(strstr(bench.command->text, "unpinned by uid 5"));
}

/* ---- trials and rollback */

static void a_passed_trial_makes_the_version_good(void **state)
{
	(void)state;
	assert_int_equal(run(STORE_COMMAND_TRIAL_PASSED, "", &bench.first), 0); /* came late */
	assert_true(manifest()->trial);
	assert_int_equal(bench.job.outcome, JOB_NOTHING);
	assert_int_equal(run(STORE_COMMAND_TRIAL_PASSED, "", &bench.second), 0);
	assert_int_equal(bench.job.outcome, JOB_MANIFEST_CHANGED);
	assert_false(manifest()->trial);
	assert_true(digest_equal(&manifest()->last_good, &bench.second));
	assert_false(on_disk().trial);
	assert_history("version 2 passed its trial");
}

static void a_rollback_serves_the_good_version_and_lists_the_other_as_bad(void **state)
{
	(void)state;
	assert_int_equal(run(STORE_COMMAND_ROLLBACK, "", NULL), 0);
	assert_int_equal(bench.job.outcome, JOB_READY);
	assert_true(digest_equal(&bench.job.loaded->digest, &bench.first));
	assert_int_equal(bench.job.loaded->number, 1);
	assert_true(digest_equal(&manifest()->active, &bench.first));
	assert_false(manifest()->trial);
	assert_string_equal(store_find_bad(&bench.store, &bench.second), "rolled back by uid 5");
	const struct manifest saved = on_disk();
	assert_true(digest_equal(&saved.active, &bench.first));
	assert_history("rolled back to version 1: rolled back by uid 5");
	assert_int_equal(run(STORE_COMMAND_ROLLBACK, "", NULL), -ENOENT); /* nothing before it */
	assert_true(digest_equal(&manifest()->active, &bench.first));
}

static void a_rollback_to_a_lost_file_changes_nothing(void **state)
{
	(void)state;
	blobs_remove(bench.store.blobs, &bench.first);
	assert_int_equal(run(STORE_COMMAND_ROLLBACK, "", NULL), -ENOENT);
	assert_true(digest_equal(&manifest()->active, &bench.second));
	assert_true(manifest()->trial);
	assert_null(store_find_bad(&bench.store, &bench.second));
}

static void after_a_failed_trial_the_loop_may_serve_the_good_version_already(void **state)
{
	(void)state;
	bench.job.serving = bench.first;
	assert_int_equal(run(STORE_COMMAND_TRIAL_FAILED, "3 runs failed", &bench.second), 0);
	assert_int_equal(bench.job.outcome, JOB_KEPT);
	assert_null(bench.job.loaded);
	assert_true(digest_equal(&manifest()->active, &bench.first));
	assert_string_equal(store_find_bad(&bench.store, &bench.second), "3 runs failed");
}

static void a_pinned_version_keeps_serving_after_a_failed_trial(void **state)
{
	(void)state;
	bench.job.model.manifest.pinned = true;
	assert_int_equal(run(STORE_COMMAND_TRIAL_FAILED, "3 runs failed", &bench.second), -EPERM);
	assert_true(digest_equal(&manifest()->active, &bench.second));
	assert_null(store_find_bad(&bench.store, &bench.second));
	assert_history("3 runs failed: the version is pinned and keeps serving");
}

static void a_late_verdict_lists_as_bad_only_what_no_rollback_needs(void **state)
{
	const struct digest gone = {{9}};
	(void)state;
	bench.job.model.manifest.trial = false;
	assert_int_equal(run(STORE_COMMAND_TRIAL_FAILED, "why", &bench.first), 0);
	assert_int_equal(run(STORE_COMMAND_TRIAL_FAILED, "why", &bench.second), 0);
	assert_int_equal(bench.store.n_bad, 0);
	assert_int_equal(run(STORE_COMMAND_TRIAL_FAILED, "why", &gone), 0);
	assert_string_equal(store_find_bad(&bench.store, &gone), "why");
	assert_true(digest_equal(&manifest()->active, &bench.second));
}

/* ---- loading, and errors of the disk */

static void a_load_gives_the_active_version_and_falls_back_to_the_good_one(void **state)
{
	(void)state;
	assert_int_equal(run(STORE_COMMAND_LOAD, "", NULL), 0);
	assert_null(bench.job.loaded); /* it is in memory */
	bench.job.in_memory = false;
	assert_int_equal(run(STORE_COMMAND_LOAD, "", NULL), 0);
	assert_int_equal(bench.job.outcome, JOB_READY);
	assert_true(digest_equal(&bench.job.loaded->digest, &bench.second));
	blobs_remove(bench.store.blobs, &bench.second);
	assert_int_equal(run(STORE_COMMAND_LOAD, "", NULL), 0);
	assert_true(digest_equal(&bench.job.loaded->digest, &bench.first));
	blobs_remove(bench.store.blobs, &bench.first);
	bench.job.model.n = 1;
	bench.job.model.tried[0].settled = true;
	assert_int_equal(run(STORE_COMMAND_LOAD, "", NULL), -EIO);
	assert_int_equal(bench.job.outcome, JOB_UNLOADABLE);
	assert_false(bench.job.model.tried[0].settled); /* the folder may have an intact file */
}

static void a_corrupt_file_goes_to_quarantine_and_the_good_version_serves(void **state)
{
	char name[DIGEST_TEXT_SIZE], path[DIGEST_TEXT_SIZE + 16];
	(void)state;
	assert_int_equal(run(STORE_COMMAND_READ_ERROR, "", &bench.first), 0);
	assert_int_equal(bench.job.outcome, JOB_NOTHING); /* another version serves */
	digest_to_hex(&bench.second, name);
	assert_int_equal(unlinkat(bench.store.blobs, name, 0), 0);
	snprintf(path, sizeof(path), "blobs/%s", name);
	temp_folder_put(bench.folder, path, "rot");
	assert_int_equal(run(STORE_COMMAND_READ_ERROR, "", &bench.second), 0);
	assert_int_equal(bench.job.outcome, JOB_READY);
	assert_true(digest_equal(&bench.job.loaded->digest, &bench.first));
	assert_int_equal(faccessat(bench.store.blobs, name, F_OK, 0), -1);
	snprintf(path, sizeof(path), "quarantine/%s", name);
	assert_int_equal(faccessat(bench.folder->fd, path, F_OK, 0), 0);
	assert_history("is corrupt; moved to quarantine");
}

/* ---- bad files */

static void a_bad_file_is_forgotten_by_enough_digits_of_one_digest(void **state)
{
	const struct digest a = {{0xab, 0xcd, 0xef, 0x01, 1}}, b = {{0xab, 0xcd, 0xef, 0x01, 2}};
	char few[DIGEST_TEXT_SIZE];
	(void)state;
	assert_int_equal(store_add_bad(&bench.store, &a, "m", "why", NULL), 0);
	assert_int_equal(store_add_bad(&bench.store, &b, "m", "why", NULL), 0);
	assert_int_equal(store_add_bad(&bench.store, &bench.first, "m", "why", NULL), 0);
	digest_to_hex(&bench.first, few);
	few[7] = 0;
	assert_int_equal(run(STORE_COMMAND_FORGET_BAD, few, NULL), -EINVAL); /* too few */
	assert_int_equal(run(STORE_COMMAND_FORGET_BAD, "abcdef01", NULL), -EINVAL); /* which? */
	assert_int_equal(run(STORE_COMMAND_FORGET_BAD, "abcdef02", NULL), -ENOENT);
	assert_int_equal(bench.store.n_bad, 3);
	assert_int_equal(run(STORE_COMMAND_FORGET_BAD, "abcdef0102", NULL), 0);
	assert_true(digest_equal(&bench.command->digest, &b));
	assert_null(store_find_bad(&bench.store, &b));
	assert_non_null(store_find_bad(&bench.store, &a));
}

/* ---- few-shot examples */

static int teach(const char *version, const char *text)
{
	store_command_free(bench.command);
	bench.command = store_command_new();
	assert_non_null(bench.command);
	bench.command->verb = STORE_COMMAND_TEACH;
	bench.command->uid = 5;
	strcpy(bench.command->model, "m");
	strcpy(bench.command->argument, version);
	bench.command->fd = memfd_create("examples", MFD_CLOEXEC);
	assert_true(bench.command->fd >= 0);
	assert_int_equal(write(bench.command->fd, text, strlen(text)), strlen(text));
	bench.job.kind = JOB_STORE_COMMAND;
	bench.job.command = bench.command;
	execute_job(&bench.job);
	return bench.command->error.code;
}

static void examples_belong_to_the_version_that_serves(void **state)
{
	(void)state;
	assert_int_equal(teach("1", "a\t1 2\n"), -ENOENT); /* version 2 serves */
	assert_int_equal(teach("2", "a\t1 2\nb\t3 4\n"), 0);
	assert_string_equal(bench.command->text, "m version 2: 2 examples\n");
	assert_int_equal(bench.job.outcome, JOB_MANIFEST_CHANGED);
	assert_int_equal(teach("", "a\t5 6\n"), 0);
	assert_string_equal(bench.command->text, "m version 2: 3 examples\n");
	assert_int_equal(run(STORE_COMMAND_EXAMPLES, "", NULL), 0);
	assert_string_equal(bench.command->text, "a\t1 2\nb\t3 4\na\t5 6\n");
	assert_int_equal(run(STORE_COMMAND_UNTEACH, "c", NULL), -ENOENT);
	assert_int_equal(run(STORE_COMMAND_UNTEACH, "a", NULL), 0);
	assert_string_equal(bench.command->text, "m version 2: 1 examples\n");
	const struct manifest saved = on_disk();
	assert_true(digest_is_zero(&saved.versions[0].examples));
	assert_false(digest_is_zero(&saved.versions[1].examples));
	assert_history("version 2 lost examples by uid 5: 1 now");
}

static void a_repair_forgets_examples_whose_file_is_lost(void **state)
{
	(void)state;
	assert_int_equal(teach("2", "a\t1 2\n"), 0);
	struct registry_model *record = registry_add(&bench.registry, "m");
	record->manifest = *manifest();
	blobs_remove(bench.store.blobs, &record->manifest.versions[1].examples);
	blobs_remove(bench.store.blobs, &bench.second);
	assert_int_equal(run(STORE_COMMAND_FSCK, "repair", NULL), 0);
	assert_non_null(bench.job.repaired);
	assert_true(bench.job.repaired[0].changed);
	assert_true(bench.job.repaired[0].active_missing);
	assert_true(digest_is_zero(&bench.job.repaired[0].manifest.versions[1].examples));
	assert_history("version 2 has lost its examples");
	store_close(&bench.store); /* without a store there is nothing to look at */
	store_open(&bench.store, "none", 0, &bench.log);
	assert_int_equal(run(STORE_COMMAND_FSCK, "", NULL), -EOPNOTSUPP);
}

/* ---- the first job */

static void manifests_of_removed_models_go_unless_they_hold_a_signed_version(void **state)
{
	struct manifest removed = {.name = "a", .newest = 3};
	struct manifest signed_once = {.name = "b", .newest = 3, .signed_newest = 2};
	(void)state;
	signed_once.last_good = bench.first;
	assert_int_equal(store_save(&bench.store, &removed, NULL), 0);
	assert_int_equal(store_save(&bench.store, &signed_once, NULL), 0);
	assert_int_equal(store_save(&bench.store, manifest(), NULL), 0);
	bench.job.kind = JOB_OPEN;
	bench.job.has_model = false;
	execute_job(&bench.job);
	assert_int_equal(bench.job.code, 0);
	assert_int_equal(bench.job.n_manifests, 2);
	bool m = false;
	for (size_t i = 0; i < 2; i++) {
		const struct manifest *read = &bench.job.manifests[i];
		m = m || strcmp(read->name, "m") == 0;
		assert_string_not_equal(read->name, "a");
		if (strcmp(read->name, "b") == 0) {
			assert_int_equal(read->signed_newest, 2);
			assert_true(digest_is_zero(&read->last_good));
		}
	}
	assert_true(m);
	assert_int_equal(faccessat(bench.store.manifests, "a", F_OK, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_needs_a_record_or_a_version),
		TEST(a_pin_is_on_disk_and_in_the_history),
		TEST(a_passed_trial_makes_the_version_good),
		TEST(a_rollback_serves_the_good_version_and_lists_the_other_as_bad),
		TEST(a_rollback_to_a_lost_file_changes_nothing),
		TEST(after_a_failed_trial_the_loop_may_serve_the_good_version_already),
		TEST(a_pinned_version_keeps_serving_after_a_failed_trial),
		TEST(a_late_verdict_lists_as_bad_only_what_no_rollback_needs),
		TEST(a_load_gives_the_active_version_and_falls_back_to_the_good_one),
		TEST(a_corrupt_file_goes_to_quarantine_and_the_good_version_serves),
		TEST(a_bad_file_is_forgotten_by_enough_digits_of_one_digest),
		TEST(examples_belong_to_the_version_that_serves),
		TEST(a_repair_forgets_examples_whose_file_is_lost),
		TEST(manifests_of_removed_models_go_unless_they_hold_a_signed_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
