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

#include "daemon/blobs.h"
#include "daemon/depot.h"
#include "tests/unit/daemon/temp_folder.h"

static struct log quiet = {.fd = -1, .journal = -1, .level = LOG_LEVEL_ERROR};

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
	struct depot depot;
	size_t n = 0;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_save(&depot, &a, NULL), 0);
	assert_int_equal(depot_save(&depot, &b, NULL), 0);
	depot_drop(&depot, "b");
	a.newest = 4;
	assert_int_equal(depot_save(&depot, &a, NULL), 0);
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_manifests(&depot, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(&all[0], &a, sizeof(a));
	free(all);
	depot_close(&depot);
}

static void what_a_crash_left_is_dropped(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest good = manifest_of("good"), *all = NULL;
	struct depot depot;
	size_t n = 0;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_save(&depot, &good, NULL), 0);
	depot_close(&depot);
	temp_folder_put(folder, "manifests/half", "[model]\nactive = 12");
	temp_folder_put(folder, "manifests/empty", "");
	temp_folder_put(folder, "manifests/.new", "[model]");
	temp_folder_put(folder, "manifests/Not A Name", "x");
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_manifests(&depot, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].name, "good");
	free(all);
	assert_int_equal(faccessat(depot.manifests, "half", F_OK, 0), -1);
	assert_int_equal(faccessat(depot.manifests, "empty", F_OK, 0), -1);
	assert_int_equal(faccessat(depot.manifests, ".new", F_OK, 0), -1);
	depot_close(&depot);
}

static void what_is_bad_stays_bad_until_it_is_forgotten(void **state)
{
	struct temp_folder *folder = *state;
	struct digest bad = digest_of("bad", 3), other = digest_of("other", 5);
	struct depot depot;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_null(depot_find_bad(&depot, &bad));
	assert_int_equal(depot_add_bad(&depot, &bad, "m", "it loops", NULL), 0);
	assert_int_equal(depot_add_bad(&depot, &bad, "m", "again", NULL), 0);
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_string_equal(depot_find_bad(&depot, &bad), "it loops");
	assert_null(depot_find_bad(&depot, &other));
	assert_int_equal(depot_forget_bad(&depot, &other, NULL), -ENOENT);
	assert_int_equal(depot_forget_bad(&depot, &bad, NULL), 0);
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_null(depot_find_bad(&depot, &bad));
	depot_close(&depot);
}

static void die_while_it_runs(const struct temp_folder *folder, const struct digest *digest)
{
	struct depot depot;
	depot_open(&depot, folder->path, 0, &quiet);
	mark_begin(marks_take(&depot.marks, digest));
	depot_close(&depot);
}

static void two_deaths_make_a_file_bad_and_one_that_was_good_suspect(void **state)
{
	struct temp_folder *folder = *state;
	const struct digest good = digest_of("good", 4), other = digest_of("other", 5);
	struct manifest manifest = manifest_of("m");
	struct depot depot;
	manifest_add(&manifest, &(struct manifest_version){.version = 3, .model = good});
	manifest.active = manifest.last_good = good;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_save(&depot, &manifest, NULL), 0);
	depot_close(&depot);
	for (int i = 0; i < 2; i++) {
		die_while_it_runs(folder, &good);
		die_while_it_runs(folder, &other);
	}
	depot_open(&depot, folder->path, 0, &quiet);
	assert_null(depot_find_bad(&depot, &good));
	assert_true(depot_is_suspect(&depot, &good));
	assert_non_null(depot_find_bad(&depot, &other));
	assert_false(depot_is_suspect(&depot, &other));
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_true(depot_is_suspect(&depot, &good)); /* until somebody clears it */
	marks_clear(&depot.marks, &good);
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_false(depot_is_suspect(&depot, &good));
	depot_close(&depot);
}

static struct digest bad_of(const char *model, int i)
{
	char text[64];
	snprintf(text, sizeof(text), "%s %d", model, i);
	return digest_of(text, strlen(text));
}

static void bad_add(struct depot *depot, const char *model, int i)
{
	struct digest digest = bad_of(model, i);
	assert_int_equal(depot_add_bad(depot, &digest, model, "x", NULL), 0);
}

static bool bad_is(const struct depot *depot, const char *model, int i)
{
	struct digest digest = bad_of(model, i);
	return depot_find_bad(depot, &digest) != NULL;
}

/* Files that are written together may have the same time. */
static void bad_date(const struct temp_folder *folder, const char *model, int i)
{
	char digest[DIGEST_TEXT_SIZE], path[DIGEST_TEXT_SIZE + 8];
	const struct digest bad = bad_of(model, i);
	const struct timespec times[] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
	snprintf(path, sizeof(path), "bad/%s", digest_print(&bad, digest));
	assert_int_equal(utimensat(folder->fd, path, times, 0), 0);
}

static void the_failures_of_one_model_do_not_push_out_those_of_others(void **state)
{
	struct temp_folder *folder = *state;
	struct depot depot;
	depot_open(&depot, folder->path, 0, &quiet);
	bad_add(&depot, "quiet", 0);
	for (int i = 0; i < 3 * DEPOT_BAD_OF_MODEL; i++) {
		bad_add(&depot, "noisy", i);
		bad_date(folder, "noisy", i);
	}
	assert_int_equal(depot.n_bad, 1 + DEPOT_BAD_OF_MODEL);
	depot_close(&depot);
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot.n_bad, 1 + DEPOT_BAD_OF_MODEL);
	bad_add(&depot, "noisy", 1000); /* they are known by name and age after a restart too */
	assert_true(bad_is(&depot, "quiet", 0));
	assert_true(bad_is(&depot, "noisy", 3 * DEPOT_BAD_OF_MODEL - 1));
	assert_true(bad_is(&depot, "noisy", 2 * DEPOT_BAD_OF_MODEL + 1));
	assert_false(bad_is(&depot, "noisy", 2 * DEPOT_BAD_OF_MODEL));
	depot_close(&depot);
}

static void only_so_many_are_remembered_as_bad(void **state)
{
	(void)state;
	struct depot depot;
	char name[32];
	depot_open(&depot, "/nonexistent", 0, &quiet);
	for (int i = 0; i < DEPOT_BAD - 2; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		bad_add(&depot, name, 0);
	}
	for (int i = 0; i < 10; i++) {
		bad_add(&depot, "most", i);
	}
	assert_int_equal(depot.n_bad, DEPOT_BAD);
	assert_true(bad_is(&depot, "m0", 0));
	assert_false(bad_is(&depot, "most", 0));
	assert_true(bad_is(&depot, "most", 9));
	depot_close(&depot);
}

/* Opened by somebody who may read and not write, as on a disk that has become read-only. */
static void read_as_somebody(const char *path)
{
	struct manifest *all = NULL, a = manifest_of("b");
	struct depot depot;
	char *text = NULL;
	size_t n = 0;
	const struct digest digest = digest_of("x", 1), bad = digest_of("bad", 3);
	owned_fd int blob = -1;
	depot_open(&depot, path, 0, &quiet);
	assert_int_equal(depot.blobs, -1);
	assert_int_equal(depot_manifests(&depot, &all, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].name, "a");
	free(all);
	assert_int_equal(blobs_open(depot.stored, &digest, &blob), 0);
	assert_string_equal(depot_find_bad(&depot, &bad), "it loops");
	assert_int_equal(depot_history(&depot, "a", 1000, &text, NULL), 0);
	assert_non_null(strstr(text, "it happened"));
	free(text);
	assert_int_equal(depot_save(&depot, &a, NULL), 0);
	depot_drop(&depot, "a");
	depot_close(&depot);
}

static void a_folder_that_cannot_be_written_is_read(void **state)
{
	struct temp_folder *folder = *state;
	struct manifest a = manifest_of("a");
	struct digest digest, bad = digest_of("bad", 3);
	struct depot depot;
	char command[256];
	int status = 0;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_save(&depot, &a, NULL), 0);
	assert_int_equal(blobs_put(depot.blobs, "x", 1, &digest), 0);
	assert_int_equal(depot_add_bad(&depot, &bad, "a", "it loops", NULL), 0);
	depot_note(&depot, "a", "it happened");
	depot_close(&depot);
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
	struct depot first, second;
	size_t n = 1;
	depot_open(&first, folder->path, 0, &quiet);
	depot_open(&second, folder->path, 0, &quiet);
	assert_true(first.blobs >= 0);
	assert_int_equal(second.blobs, -1);
	assert_int_equal(depot_save(&second, &a, NULL), 0);
	assert_int_equal(depot_manifests(&second, &all, &n), 0);
	assert_int_equal(n, 0);
	depot_close(&second);
	depot_close(&first);
}

static void history_is_told_from_its_end_in_whole_lines(void **state)
{
	struct temp_folder *folder = *state;
	struct depot depot;
	char *text = NULL;
	depot_open(&depot, folder->path, 0, &quiet);
	assert_int_equal(depot_history(&depot, "m", 100, &text, NULL), 0);
	assert_string_equal(text, "");
	free(text);
	for (int i = 0; i < 5000; i++) {
		depot_note(&depot, "m", "event %d", i);
	}
	assert_int_equal(depot_history(&depot, "m", 100, &text, NULL), 0);
	assert_non_null(strstr(text, "Z event 4999\n"));
	assert_int_equal(text[4], '-');
	assert_true(strlen(text) < 100);
	free(text);
	struct stat st;
	assert_int_equal(fstatat(depot.history, "m", &st, 0), 0);
	assert_true(st.st_size < 70000);
	depot_close(&depot);
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
