/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/store.h"
#include "tests/unit/daemon/temp_folder.h"

static struct log quiet = {.journal = -1, .level = LOG_LEVEL_ERROR};

static struct manifest manifest_of(const char *name)
{
	struct manifest manifest = {.newest = 3};
	snprintf(manifest.name, sizeof(manifest.name), "%s", name);
	manifest.active = digest_of(name, strlen(name));
	return manifest;
}

static void what_was_saved_is_there_after_opening_again(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest a = manifest_of("a"), b = manifest_of("b"), *all = NULL;
	struct store store;
	size_t n = 0;
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_save(&store, &a, NULL), 0);
	assert_int_equal(store_save(&store, &b, NULL), 0);
	store_drop(&store, "b");
	a.newest = 4;
	assert_int_equal(store_save(&store, &a, NULL), 0);
	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_manifests(&store, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(&all[0], &a, sizeof(a));
	free(all);
	store_close(&store);
}

static void what_a_crash_left_is_dropped(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest good = manifest_of("good"), *all = NULL;
	struct store store;
	size_t n = 0;
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_save(&store, &good, NULL), 0);
	store_close(&store);
	temp_folder_put(folder, "manifests/half", "[model]\nactive = 12");
	temp_folder_put(folder, "manifests/empty", "");
	temp_folder_put(folder, "manifests/.new", "[model]");
	temp_folder_put(folder, "manifests/Not A Name", "x");
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_manifests(&store, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].name, "good");
	free(all);
	assert_int_equal(faccessat(store.manifests, "half", F_OK, 0), -1);
	assert_int_equal(faccessat(store.manifests, "empty", F_OK, 0), -1);
	assert_int_equal(faccessat(store.manifests, ".new", F_OK, 0), -1);
	store_close(&store);
}

static void what_is_bad_stays_bad_until_it_is_forgotten(void **state)
{
	struct temp_folder *folder = *state;
	struct digest bad = digest_of("bad", 3), other = digest_of("other", 5);
	struct store store;
	store_open(&store, folder->path, 0, &quiet);
	assert_null(store_find_bad(&store, &bad));
	assert_int_equal(store_add_bad(&store, &bad, "m", "it loops", NULL), 0);
	assert_int_equal(store_add_bad(&store, &bad, "m", "again", NULL), 0);
	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_string_equal(store_find_bad(&store, &bad), "it loops");
	assert_null(store_find_bad(&store, &other));
	assert_false(store_remove_bad(&store, &other));
	assert_true(store_remove_bad(&store, &bad));

	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_null(store_find_bad(&store, &bad));
	store_close(&store);
}

static void die_while_it_runs(const struct temp_folder *folder, const struct digest *digest)
{
	struct store store;
	store_open(&store, folder->path, 0, &quiet);
	crash_marker_begin(crash_markers_take(&store.markers, digest));
	store_close(&store);
}

static void two_deaths_make_a_file_bad_and_one_that_was_good_suspect(void **state)
{
	struct temp_folder *folder = *state;
	const struct digest good = digest_of("good", 4), other = digest_of("other", 5);
	struct manifest manifest = manifest_of("m");
	struct store store;
	manifest_add(&manifest, &(struct manifest_version){.version = 3, .model = good});
	manifest.active = manifest.last_good = good;
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_save(&store, &manifest, NULL), 0);
	store_close(&store);
	for (int i = 0; i < 2; i++) {
		die_while_it_runs(folder, &good);
		die_while_it_runs(folder, &other);
	}
	store_open(&store, folder->path, 0, &quiet);
	assert_null(store_find_bad(&store, &good));
	assert_true(store_is_suspect(&store, &good));
	assert_non_null(store_find_bad(&store, &other));
	assert_false(store_is_suspect(&store, &other));
	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_true(store_is_suspect(&store, &good)); /* until somebody clears it */
	crash_markers_clear(&store.markers, &good);
	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_false(store_is_suspect(&store, &good));
	store_close(&store);
}

static struct digest bad_of(const char *model, int i)
{
	char text[64];
	snprintf(text, sizeof(text), "%s %d", model, i);
	return digest_of(text, strlen(text));
}

static void bad_add(struct store *store, const char *model, int i)
{
	struct digest digest = bad_of(model, i);
	assert_int_equal(store_add_bad(store, &digest, model, "x", NULL), 0);
}

static bool bad_is(const struct store *store, const char *model, int i)
{
	struct digest digest = bad_of(model, i);
	return store_find_bad(store, &digest) != NULL;
}

/* Files that are written together may have the same time. */
static void bad_date(const struct temp_folder *folder, const char *model, int i)
{
	char digest[DIGEST_TEXT_SIZE], path[DIGEST_TEXT_SIZE + 8];
	const struct digest bad = bad_of(model, i);
	const struct timespec times[] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
	snprintf(path, sizeof(path), "bad/%s", digest_to_hex(&bad, digest));
	assert_int_equal(utimensat(folder->fd, path, times, 0), 0);
}

static void the_failures_of_one_model_do_not_push_out_those_of_others(void **state)
{
	struct temp_folder *folder = *state;
	struct store store;
	store_open(&store, folder->path, 0, &quiet);
	bad_add(&store, "quiet", 0);
	for (int i = 0; i < 3 * STORE_MAX_BAD_OF_MODEL; i++) {
		bad_add(&store, "noisy", i);
		bad_date(folder, "noisy", i);
	}
	assert_int_equal(store.n_bad, 1 + STORE_MAX_BAD_OF_MODEL);
	store_close(&store);
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store.n_bad, 1 + STORE_MAX_BAD_OF_MODEL);
	bad_add(&store, "noisy", 1000); /* they are known by name and age after a restart too */
	assert_true(bad_is(&store, "quiet", 0));
	assert_true(bad_is(&store, "noisy", 3 * STORE_MAX_BAD_OF_MODEL - 1));
	assert_true(bad_is(&store, "noisy", 2 * STORE_MAX_BAD_OF_MODEL + 1));
	assert_false(bad_is(&store, "noisy", 2 * STORE_MAX_BAD_OF_MODEL));
	store_close(&store);
}

static void only_so_many_are_remembered_as_bad(void **state)
{
	(void)state;
	struct store store;
	char name[32];
	store_open(&store, "/nonexistent", 0, &quiet);
	for (int i = 0; i < STORE_MAX_BAD - 2; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		bad_add(&store, name, 0);
	}
	for (int i = 0; i < 10; i++) {
		bad_add(&store, "most", i);
	}
	assert_int_equal(store.n_bad, STORE_MAX_BAD);
	assert_true(bad_is(&store, "m0", 0));
	assert_false(bad_is(&store, "most", 0));
	assert_true(bad_is(&store, "most", 9));
	store_close(&store);
}

/* Opened by somebody who may read and not write, as on a disk that has become read-only. */
static void read_as_somebody(const char *path)
{
	struct manifest *all = NULL, a = manifest_of("b");
	struct store store;
	char *text = NULL;
	size_t n = 0;
	const struct digest digest = digest_of("x", 1), bad = digest_of("bad", 3);
	owned_fd int blob = -1;
	store_open(&store, path, 0, &quiet);
	assert_int_equal(store.blobs, -1);
	assert_int_equal(store_manifests(&store, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].name, "a");
	free(all);
	assert_int_equal(blobs_open(store.blobs_ro, &digest, &blob), 0);
	assert_string_equal(store_find_bad(&store, &bad), "it loops");
	assert_int_equal(store_history_read(&store, "a", 1000, &text, NULL), 0);
	assert_non_null(strstr(text, "it happened"));
	free(text);
	assert_int_equal(store_save(&store, &a, NULL), 0);
	store_drop(&store, "a");
	store_close(&store);
}

static void a_folder_that_cannot_be_written_is_read(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest a = manifest_of("a");
	struct digest digest, bad = digest_of("bad", 3);
	struct store store;
	char command[256];
	int status = 0;
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_save(&store, &a, NULL), 0);
	assert_int_equal(blobs_put(store.blobs, "x", 1, &digest), 0);
	assert_int_equal(store_add_bad(&store, &bad, "a", "it loops", NULL), 0);
	store_history_add(&store, "a", "it happened");
	store_close(&store);
	snprintf(command, sizeof(command), "chmod -R a+rX,a-w %s", folder->path);
	assert_int_equal(system(command), 0);
	pid_t child = fork();
	if (child == 0) {
		int code = geteuid() == 0 ? seteuid(65534) : 0;
		assert_int_equal(code, 0);
		read_as_somebody(folder->path);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	snprintf(command, sizeof(command), "chmod -R u+w %s", folder->path);
	assert_int_equal(system(command), 0);
}

static void a_store_has_one_user_and_others_keep_in_memory(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest a = manifest_of("a"), *all = NULL;
	struct store first, second;
	size_t n = 1;
	store_open(&first, folder->path, 0, &quiet);
	store_open(&second, folder->path, 0, &quiet);
	assert_true(first.blobs >= 0);
	assert_int_equal(second.blobs, -1);
	assert_int_equal(store_save(&second, &a, NULL), 0);
	assert_int_equal(store_manifests(&second, &all, &n), 0);
	assert_int_equal(n, 0);
	store_close(&second);
	store_close(&first);
}

static void history_is_told_from_its_end_in_whole_lines(void **state)
{
	struct temp_folder *folder = *state;
	struct store store;
	char *text = NULL;
	store_open(&store, folder->path, 0, &quiet);
	assert_int_equal(store_history_read(&store, "m", 100, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
	for (int i = 0; i < 5000; i++) {
		store_history_add(&store, "m", "event %d", i);
	}
	assert_int_equal(store_history_read(&store, "m", 100, &text, NULL), 0);
	assert_non_null(strstr(text, "Z event 4999\n"));
	assert_int_equal(text[4], '-');
	assert_true(strlen(text) < 100);
	free(text);
	struct stat st;
	assert_int_equal(fstatat(store.history, "m", &st, 0), 0);
	assert_true(st.st_size < 70000);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(what_was_saved_is_there_after_opening_again),
		temp_folder_test(what_a_crash_left_is_dropped),
		temp_folder_test(two_deaths_make_a_file_bad_and_one_that_was_good_suspect),
		temp_folder_test(what_is_bad_stays_bad_until_it_is_forgotten),
		temp_folder_test(only_so_many_are_remembered_as_bad),
		temp_folder_test(the_failures_of_one_model_do_not_push_out_those_of_others),
		temp_folder_test(a_folder_that_cannot_be_written_is_read),
		temp_folder_test(a_store_has_one_user_and_others_keep_in_memory),
		temp_folder_test(history_is_told_from_its_end_in_whole_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
