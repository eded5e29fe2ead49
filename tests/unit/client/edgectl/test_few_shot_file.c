/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "client/edgectl/few_shot_file.h"

struct place {
	char folder[32], path[64];
};

static int make_place(void **state)
{
	static struct place place;
	strcpy(place.folder, "/tmp/edged-test-XXXXXX");
	assert_non_null(mkdtemp(place.folder));
	snprintf(place.path, sizeof(place.path), "%s/examples.tsv", place.folder);
	*state = &place;
	return 0;
}

static int remove_place(void **state)
{
	const struct place *place = *state;
	unlink(place->path);
	return rmdir(place->folder);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void check(const char *path, const char *wanted)
{
	char text[256] = "";
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = 0;
	fclose(file);
	assert_string_equal(text, wanted);
}

static int add(const char *path, const char *text, struct error *err)
{
	const struct few_shot_file_wait wait = {.limit_ms = 60000};
	return few_shot_file_add(path, text, strlen(text), &wait, err);
}

static void examples_are_added_to_a_file_that_is_made(void **state)
{
	const struct place *place = *state;
	assert_int_equal(add(place->path, "a\t1 2\n", NULL), 0);
	assert_int_equal(add(place->path, "b\t3 4\na\t5 6\n", NULL), 0);
	check(place->path, "a\t1 2\nb\t3 4\na\t5 6\n");
}

static void a_last_line_without_an_end_gets_one(void **state)
{
	const struct place *place = *state;
	put(place->path, "one\t0 1");
	assert_int_equal(add(place->path, "two\t1 0\n", NULL), 0);
	check(place->path, "one\t0 1\ntwo\t1 0\n");
}

static void what_does_not_go_together_is_refused_and_changes_nothing(void **state)
{
	const struct place *place = *state;
	struct error err = {0};
	put(place->path, "one\t0 1 0\n");
	assert_int_equal(add(place->path, "two\t1 0\n", &err), -EBADMSG);
	assert_non_null(strstr(err.text, "examples.tsv: line 2 has 2 numbers, not 3"));
	check(place->path, "one\t0 1 0\n");
	put(place->path, "no examples\n");
	assert_int_equal(add(place->path, "two\t1 0\n", &err), -EBADMSG);
	check(place->path, "no examples\n");
}

static void a_write_that_fails_leaves_the_file_as_it_was(void **state)
{
	const struct place *place = *state;
	const struct rlimit small = {16, 16};
	int status = 0;
	put(place->path, "one\t0 1\n");
	pid_t child = fork();
	if (child == 0) {
		struct error err = {0};
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &small) < 0) {
			_exit(9);
		}
		int r = add(place->path, "two\t0.25 0.75\n", &err);
		_exit(r == -EFBIG && strstr(err.text, "examples.tsv: ") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	check(place->path, "one\t0 1\n");
}

static void what_is_no_file_is_refused_and_not_waited_for(void **state)
{
	const struct place *place = *state;
	struct error err = {0};
	unlink(place->path);
	assert_int_equal(mkfifo(place->path, 0600), 0);
	assert_int_equal(add(place->path, "a\t1\n", &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(add(place->folder, "a\t1\n", NULL), -EISDIR);
}

static void count_words(void *context, const char *path)
{
	unsigned int *words = context;
	*words += strstr(path, "examples.tsv") != NULL;
}

static void a_lock_that_stays_is_told_once_and_given_up(void **state)
{
	const struct place *place = *state;
	unsigned int words = 0;
	struct few_shot_file_wait wait = {
		.report_ms = 10, .limit_ms = 100, .report = count_words, .context = &words};
	struct error err = {0};
	put(place->path, "a\t1 2\n");
	int fd = open(place->path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(few_shot_file_add(place->path, "b\t3 4\n", 6, &wait, &err), -EBUSY);
	assert_non_null(strstr(err.text, "examples.tsv: another program has held its lock"));
	assert_int_equal(words, 1);
	wait.report = NULL;
	assert_int_equal(few_shot_file_add(place->path, "b\t3 4\n", 6, &wait, NULL), -EBUSY);
	check(place->path, "a\t1 2\n");
	close(fd);
	wait.limit_ms = 60000;
	assert_int_equal(few_shot_file_add(place->path, "b\t3 4\n", 6, &wait, &err), 0);
	check(place->path, "a\t1 2\nb\t3 4\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			examples_are_added_to_a_file_that_is_made, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_last_line_without_an_end_gets_one, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			what_does_not_go_together_is_refused_and_changes_nothing, make_place,
			remove_place),
		cmocka_unit_test_setup_teardown(
			a_write_that_fails_leaves_the_file_as_it_was, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			what_is_no_file_is_refused_and_not_waited_for, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_lock_that_stays_is_told_once_and_given_up, make_place, remove_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
