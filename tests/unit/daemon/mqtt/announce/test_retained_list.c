/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/mqtt/announce/retained_list.h"
#include "tests/unit/daemon/temp_folder.h"

static void open_list(struct retained_list *list, const struct temp_folder *folder)
{
	struct error err = {0};
	retained_list_init(list);
	if (retained_list_open(list, folder->path, &err) < 0) {
		fail_msg("%s", err.text);
	}
}

/* A process that is killed leaves the file as it is. */
static void kill_and_open(struct retained_list *list, const struct temp_folder *folder)
{
	retained_list_deinit(list);
	open_list(list, folder);
}

/* @texts: blank-separated, in order. */
static void expect(
	const struct retained_list *list, const char *broker, const char *kind, const char *texts)
{
	char found[256] = "";
	const char *text = NULL;
	for (size_t at = 0; (text = retained_list_next(list, broker, kind, &at));) {
		size_t n = strlen(found);
		snprintf(found + n, sizeof(found) - n, "%s%s", n ? " " : "", text);
	}
	assert_string_equal(found, texts);
}

static void entries_survive_and_removed_ones_do_not(void **state)
{
	struct retained_list list;
	open_list(&list, *state);
	retained_list_add(&list, "b", "topic", "edged/gw/z/state");
	retained_list_add(&list, "a", "topic", "edged/gw/y/state");
	retained_list_add(&list, "a", "topic", "edged/gw/x/state");
	retained_list_add(&list, "a", "topic", "edged/gw/x/state");
	retained_list_add(&list, "a", "component", "c_label sensor");
	retained_list_remove(&list, "a", "topic", "edged/gw/y/state");
	retained_list_remove(&list, "b", "topic", "edged/gw/y/state");
	for (int run = 0; run < 3; run++) {
		assert_int_equal(list.n, 3);
		expect(&list, "a", "topic", "edged/gw/x/state");
		expect(&list, "b", "topic", "edged/gw/z/state");
		expect(&list, "a", "component", "c_label sensor");
		expect(&list, "b", "component", "");
		expect(&list, "c", "topic", "");
		kill_and_open(&list, *state);
	}
	retained_list_remove_all(&list, "a", "topic");
	retained_list_remove_all(&list, "a", "source");
	kill_and_open(&list, *state);
	expect(&list, "a", "topic", "");
	expect(&list, "a", "component", "c_label sensor");
	retained_list_deinit(&list);
}

static void the_entry_behind_a_removed_one_is_not_passed_over(void **state)
{
	struct retained_list list;
	open_list(&list, *state);
	for (char name = 'a'; name <= 'f'; name++) {
		retained_list_add(&list, "x", "topic", (char[]){name, 0});
	}
	const char *text = NULL;
	for (size_t at = 0; (text = retained_list_next(&list, "x", "topic", &at));) {
		char copy[] = {*text, 0};
		if (strchr("bcf", *copy)) {
			retained_list_remove(&list, "x", "topic", copy);
			at--;
		}
	}
	expect(&list, "x", "topic", "a d e");
	retained_list_deinit(&list);
}

static void write_text(const struct temp_folder *folder, const char *text)
{
	owned_fd int fd = openat(folder->fd, "retained", O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void malformed_and_cut_lines_are_skipped(void **state)
{
	char text[3000];
	struct retained_list list;
	memset(text, 'x', sizeof(text) - 2);
	memcpy(text + sizeof(text) - 2, "\n", 2);
	write_text(*state, "+a topic one\n\n+\n-\nnonsense\n-a topic two\n?a topic three\n");
	write_text(*state, text);
	write_text(*state, "+a topic four\n+a topic fi");
	open_list(&list, *state);
	expect(&list, "a", "topic", "four one");
	retained_list_add(&list, "a", "topic", "five");
	retained_list_add(&list, "a", "topic", "a line\n+a topic break");
	retained_list_add(&list, "a", "topic", text);
	kill_and_open(&list, *state);
	expect(&list, "a", "topic", "five four one");
	retained_list_deinit(&list);
}

static void the_file_does_not_grow_with_the_changes(void **state)
{
	const struct temp_folder *folder = *state;
	struct retained_list list;
	struct stat st;
	open_list(&list, folder);
	retained_list_add(&list, "a", "topic", "stays");
	for (int i = 0; i < 10000; i++) {
		retained_list_add(&list, "a", "topic", "comes and goes");
		retained_list_remove(&list, "a", "topic", "comes and goes");
	}
	assert_int_equal(fstatat(folder->fd, "retained", &st, 0), 0);
	assert_true(st.st_size < 64 << 10);
	kill_and_open(&list, folder);
	expect(&list, "a", "topic", "stays");
	retained_list_deinit(&list);
}

static void entries_are_bounded(void **state)
{
	char text[32];
	struct retained_list list;
	(void)state;
	retained_list_init(&list); /* in memory only */
	for (int i = 0; i < RETAINED_LIST_MAX + 5; i++) {
		snprintf(text, sizeof(text), "%d", i);
		retained_list_add(&list, "a", "topic", text);
	}
	assert_int_equal(list.n, RETAINED_LIST_MAX);
	retained_list_remove(&list, "a", "topic", "7");
	retained_list_add(&list, "a", "topic", "once more");
	assert_int_equal(list.n, RETAINED_LIST_MAX);
	retained_list_deinit(&list);
}

static void without_a_folder_the_set_is_in_memory(void **state)
{
	struct retained_list list;
	struct error err = {0};
	(void)state;
	retained_list_init(&list);
	assert_int_equal(retained_list_open(&list, "/nonexistent", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/retained"));
	retained_list_add(&list, "a", "topic", "one");
	expect(&list, "a", "topic", "one");
	retained_list_deinit(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(entries_survive_and_removed_ones_do_not),
		temp_folder_test(the_entry_behind_a_removed_one_is_not_passed_over),
		temp_folder_test(malformed_and_cut_lines_are_skipped),
		temp_folder_test(the_file_does_not_grow_with_the_changes),
		cmocka_unit_test(entries_are_bounded),
		cmocka_unit_test(without_a_folder_the_set_is_in_memory),
	};
	return cmocka_run_group_tests_name("retained_list", tests, NULL, NULL);
}
