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

#include "daemon/marks.h"
#include "tests/unit/daemon/temp_folder.h"

static struct digest digest_from(int number)
{
	return digest_of(&number, sizeof(number));
}

/* As a process that dies does: what is mapped is in the file. */
static void die(struct marks *marks)
{
	marks_close(marks);
}

/* As the depot does: what it has heard of is forgotten. */
static bool next_dead(struct marks *marks, struct digest *ret_model)
{
	size_t at = 0;
	bool found = marks_next_dead(marks, &at, ret_model);
	if (found) {
		marks_clear(marks, ret_model);
	}
	return found;
}

static void deaths_are_held_against_a_file_until_they_are_cleared(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct marks marks;
	for (int i = 0; i < 4; i++) {
		size_t at = 0;
		marks_open(&marks, folder->fd);
		assert_int_equal(marks_next_dead(&marks, &at, &dead), i >= 2);
		assert_false(i >= 2 && marks_next_dead(&marks, &at, &dead));
		if (i < 2) {
			mark_begin(marks_take(&marks, &digest));
		}
		die(&marks);
	}
}

static void two_deaths_while_it_ran_are_held_against_a_file(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct marks marks;
	for (int i = 0; i < 2; i++) {
		marks_open(&marks, folder->fd);
		assert_false(next_dead(&marks, &dead));
		mark_begin(marks_take(&marks, &digest));
		die(&marks);
	}
	marks_open(&marks, folder->fd);
	assert_true(next_dead(&marks, &dead));
	assert_true(digest_same(&dead, &digest));
	assert_false(next_dead(&marks, &dead));
	die(&marks);
	marks_open(&marks, folder->fd);
	assert_false(next_dead(&marks, &dead));
	marks_close(&marks);
}

#define NO_MOUNT 77

/* In a process of its own: a disk of one page, which is taken. */
static int open_on_a_full_disk(const char *path)
{
	char page[4096] = {0};
	struct marks marks;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
		mount("full", path, "tmpfs", 0, "size=4096") < 0) {
		return NO_MOUNT;
	}
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(folder, "taken", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, page, sizeof(page)) > 0) {}
	marks_open(&marks, folder);
	return marks.slots ? 1 : 0;
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
	struct marks marks;
	for (int i = 0; i < 5; i++) {
		marks_open(&marks, folder->fd);
		assert_false(next_dead(&marks, &dead));
		struct mark *mark = marks_take(&marks, &digest);
		mark_begin(mark);
		mark_end(mark);
		die(&marks);
	}
}

static void what_has_proved_itself_begins_anew(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(1), dead;
	struct marks marks;
	for (int i = 0; i < 5; i++) {
		marks_open(&marks, folder->fd);
		assert_false(next_dead(&marks, &dead));
		marks_clear(&marks, &digest);
		mark_begin(marks_take(&marks, &digest));
		die(&marks);
	}
}

static void slots_in_use_are_kept_and_others_given_away(void **state)
{
	struct temp_folder *folder = *state;
	struct digest used = digest_from(-1);
	struct marks marks;
	marks_open(&marks, folder->fd);
	struct mark *mark = marks_take(&marks, &used);
	mark_begin(mark);
	for (int i = 0; i < 10 * MARKS_SLOTS; i++) {
		struct digest digest = digest_from(i);
		struct mark *other = marks_take(&marks, &digest);
		assert_non_null(other);
		assert_ptr_not_equal(other, mark);
		marks_give_back(&marks, other);
	}
	assert_ptr_equal(marks_take(&marks, &used), mark);
	marks_close(&marks);
}

/* Or a death would be held against a file that did not run. */
static void what_was_taken_is_nobody_elses_until_it_is_given_back(void **state)
{
	struct temp_folder *folder = *state;
	struct digest more = digest_from(-1);
	struct marks marks;
	struct mark *first = NULL;
	marks_open(&marks, folder->fd);
	for (int i = 0; i < MARKS_SLOTS; i++) {
		struct digest digest = digest_from(i);
		struct mark *mark = marks_take(&marks, &digest);
		assert_non_null(mark);
		assert_true(digest_same(&mark->model, &digest));
		first = first ? first : mark;
	}
	assert_null(marks_take(&marks, &more));
	marks_give_back(&marks, first);
	assert_ptr_equal(marks_take(&marks, &more), first);
	marks_close(&marks);
	marks_give_back(&marks, first); /* the file is closed already */
}

/* As an edged had that knew fewer. */
static void a_shorter_file_keeps_what_it_says(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_from(7), dead;
	struct marks marks;
	for (int i = 0; i < MARKS_DEATHS; i++) {
		marks_open(&marks, folder->fd);
		mark_begin(marks_take(&marks, &digest));
		die(&marks);
		int fd = openat(folder->fd, "running", O_RDWR | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, 64 * sizeof(struct mark)), 0);
		close(fd);
	}
	size_t at = 0;
	marks_open(&marks, folder->fd);
	assert_true(marks_next_dead(&marks, &at, &dead));
	assert_true(digest_same(&dead, &digest));
	marks_close(&marks);
}

static void foreign_bytes_are_no_deaths(void **state)
{
	struct temp_folder *folder = *state;
	struct digest dead;
	struct marks marks;
	static char bytes[MARKS_SLOTS * sizeof(struct mark)];
	memset(bytes, 0xee, sizeof(bytes));
	int fd = openat(folder->fd, "running", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	marks_open(&marks, folder->fd);
	assert_false(next_dead(&marks, &dead));
	marks_close(&marks);
	temp_folder_put(folder, "running", "short");
	marks_open(&marks, folder->fd);
	assert_false(next_dead(&marks, &dead));
	mark_begin(marks_take(&marks, &dead));
	marks_close(&marks);
}

static void without_a_file_nothing_is_marked(void **state)
{
	(void)state;
	struct digest digest = digest_from(1);
	struct marks marks;
	marks_open(&marks, -1);
	struct mark *mark = marks_take(&marks, &digest);
	assert_null(mark);
	mark_begin(mark);
	mark_end(mark);
	marks_clear(&marks, &digest);
	assert_false(next_dead(&marks, &digest));
	marks_close(&marks);
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
