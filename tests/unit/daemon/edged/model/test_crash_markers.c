/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "daemon/edged/model/crash_markers.h"
#include "tests/unit/daemon/temp_folder.h"

static struct digest digest_from(int number)
{
	return digest_of(&number, sizeof(number));
}

/* As a process that dies does: what is mapped is in the file. */
static void die(struct crash_markers *markers)
{
	crash_markers_close(markers);
}

/* As the depot does: what it has heard of is forgotten. */
static bool next_dead(struct crash_markers *markers, struct digest *ret_model)
{
	size_t at = 0;
	bool found = crash_markers_next_dead(markers, &at, ret_model);
	if (found) {
		crash_markers_clear(markers, ret_model);
	}
	return found;
}

static void deaths_are_held_against_a_file_until_they_are_cleared(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct crash_markers markers;
	for (int i = 0; i < 4; i++) {
		size_t at = 0;
		crash_markers_open(&markers, folder->fd);
		assert_int_equal(crash_markers_next_dead(&markers, &at, &dead), i >= 2);
		assert_false(i >= 2 && crash_markers_next_dead(&markers, &at, &dead));
		if (i < 2) {
			crash_marker_begin(crash_markers_take(&markers, &digest));
		}
		die(&markers);
	}
}

static void two_deaths_while_it_ran_are_held_against_a_file(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct crash_markers markers;
	for (int i = 0; i < 2; i++) {
		crash_markers_open(&markers, folder->fd);
		assert_false(next_dead(&markers, &dead));
		crash_marker_begin(crash_markers_take(&markers, &digest));
		die(&markers);
	}
	crash_markers_open(&markers, folder->fd);
	assert_true(next_dead(&markers, &dead));
	assert_true(digest_equal(&dead, &digest));
	assert_false(next_dead(&markers, &dead));
	die(&markers);
	crash_markers_open(&markers, folder->fd);
	assert_false(next_dead(&markers, &dead));
	crash_markers_close(&markers);
}

#define NO_MOUNT 77

/* In a process of its own: a disk of one page, which is taken. */
static int open_on_a_full_disk(const char *path)
{
	char page[4096] = {0};
	struct crash_markers markers;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
		mount("full", path, "tmpfs", 0, "size=4096") < 0) {
		return NO_MOUNT;
	}
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(folder, "taken", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, page, sizeof(page)) > 0) {}
	crash_markers_open(&markers, folder);
	return markers.slots ? 1 : 0;
}

static void a_full_disk_has_no_room_for_them_and_does_not_kill(void **state)
{
	const struct temp_folder *folder = *state;
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		_exit(open_on_a_full_disk(folder->path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_MOUNT) {
		print_message("SKIPPED: no right to mount a disk that is full\n");
		return;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void deaths_while_it_did_not_run_are_not(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct crash_markers markers;
	for (int i = 0; i < 5; i++) {
		crash_markers_open(&markers, folder->fd);
		assert_false(next_dead(&markers, &dead));
		struct crash_marker *marker = crash_markers_take(&markers, &digest);
		crash_marker_begin(marker);
		crash_marker_end(marker);
		die(&markers);
	}
}

static void what_has_proved_itself_begins_anew(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct crash_markers markers;
	for (int i = 0; i < 5; i++) {
		crash_markers_open(&markers, folder->fd);
		assert_false(next_dead(&markers, &dead));
		crash_markers_clear(&markers, &digest);
		crash_marker_begin(crash_markers_take(&markers, &digest));
		die(&markers);
	}
}

static void slots_in_use_are_kept_and_others_given_away(void **state)
{
	struct temp_folder *folder = *state;
	struct digest used = digest_from(-1);
	struct crash_markers markers;
	crash_markers_open(&markers, folder->fd);
	struct crash_marker *marker = crash_markers_take(&markers, &used);
	crash_marker_begin(marker);
	for (int i = 0; i < 10 * CRASH_MARKERS_SLOTS; i++) {
		struct digest digest = digest_from(i);
		struct crash_marker *other = crash_markers_take(&markers, &digest);
		assert_non_null(other);
		assert_ptr_not_equal(other, marker);
		crash_markers_give_back(&markers, other);
	}
	assert_ptr_equal(crash_markers_take(&markers, &used), marker);
	crash_markers_close(&markers);
}

/* Or a death would be held against a file that did not run. */
static void what_was_taken_is_nobody_elses_until_it_is_given_back(void **state)
{
	struct temp_folder *folder = *state;
	struct digest more = digest_from(-1);
	struct crash_markers markers;
	struct crash_marker *first = NULL;
	crash_markers_open(&markers, folder->fd);
	for (int i = 0; i < CRASH_MARKERS_SLOTS; i++) {
		struct digest digest = digest_from(i);
		struct crash_marker *marker = crash_markers_take(&markers, &digest);
		assert_non_null(marker);
		assert_true(digest_equal(&marker->model, &digest));
		first = first ? first : marker;
	}
	assert_null(crash_markers_take(&markers, &more));
	crash_markers_give_back(&markers, first);
	assert_ptr_equal(crash_markers_take(&markers, &more), first);
	crash_markers_close(&markers);
	crash_markers_give_back(&markers, first); /* the file is closed already */
}

/* As an edged had that knew fewer. */
static void a_shorter_file_keeps_what_it_says(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(7), dead;
	struct crash_markers markers;
	for (int i = 0; i < CRASH_MARKERS_DEATHS; i++) {
		crash_markers_open(&markers, folder->fd);
		crash_marker_begin(crash_markers_take(&markers, &digest));
		die(&markers);
		int fd = openat(folder->fd, "running", O_RDWR | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, 64 * sizeof(struct crash_marker)), 0);
		close(fd);
	}
	size_t at = 0;
	crash_markers_open(&markers, folder->fd);
	assert_true(crash_markers_next_dead(&markers, &at, &dead));
	assert_true(digest_equal(&dead, &digest));
	crash_markers_close(&markers);
}

static void foreign_bytes_are_no_deaths(void **state)
{
	struct temp_folder *folder = *state;
	struct digest dead;
	struct crash_markers markers;
	static char bytes[CRASH_MARKERS_SLOTS * sizeof(struct crash_marker)];
	memset(bytes, 0xee, sizeof(bytes));
	int fd = openat(folder->fd, "running", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	crash_markers_open(&markers, folder->fd);
	assert_false(next_dead(&markers, &dead));
	crash_markers_close(&markers);
	temp_folder_put(folder, "running", "short");
	crash_markers_open(&markers, folder->fd);
	assert_false(next_dead(&markers, &dead));
	crash_marker_begin(crash_markers_take(&markers, &dead));
	crash_markers_close(&markers);
}

static void without_a_file_nothing_is_marked(void **state)
{
	(void)state;
	struct digest digest = digest_from(1);
	struct crash_markers markers;
	crash_markers_open(&markers, -1);
	struct crash_marker *marker = crash_markers_take(&markers, &digest);
	assert_null(marker);
	crash_marker_begin(marker);
	crash_marker_end(marker);
	crash_markers_clear(&markers, &digest);
	assert_false(next_dead(&markers, &digest));
	crash_markers_close(&markers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(deaths_are_held_against_a_file_until_they_are_cleared),
		temp_folder_test(two_deaths_while_it_ran_are_held_against_a_file),
		temp_folder_test(a_full_disk_has_no_room_for_them_and_does_not_kill),
		temp_folder_test(deaths_while_it_did_not_run_are_not),
		temp_folder_test(what_has_proved_itself_begins_anew),
		temp_folder_test(slots_in_use_are_kept_and_others_given_away),
		temp_folder_test(what_was_taken_is_nobody_elses_until_it_is_given_back),
		temp_folder_test(a_shorter_file_keeps_what_it_says),
		temp_folder_test(foreign_bytes_are_no_deaths),
		cmocka_unit_test(without_a_file_nothing_is_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
