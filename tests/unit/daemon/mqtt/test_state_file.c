/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/mqtt/state_file.h"
#include "tests/unit/daemon/temp_folder.h"

struct world {
	uv_loop_t loop;
	struct log log;
	struct state_file state_file;
};

static void begin(struct world *w, const char *folder)
{
	memset(w, 0, sizeof(*w));
	log_init(&w->log, LOG_LEVEL_ERROR); /* what fails here is meant to */
	assert_int_equal(uv_loop_init(&w->loop), 0);
	state_file_init(&w->state_file, &w->loop, &w->log, folder, "set");
}

static void run_until_idle(struct world *w)
{
	while (!state_file_is_idle(&w->state_file)) {
		uv_run(&w->loop, UV_RUN_ONCE);
	}
}

static void end(struct world *w)
{
	run_until_idle(w);
	state_file_deinit(&w->state_file);
	assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void save(struct world *w, const char *text)
{
	struct bytes_writer writer = {0};
	bytes_write(&writer, text, strlen(text));
	state_file_write(&w->state_file, &writer);
	assert_null(writer.data);
}

static void expect(const struct temp_folder *folder, const char *text)
{
	char found[64] = "";
	int fd = openat(folder->fd, "set.conf", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	close(fd);
	assert_string_equal(found, text);
	assert_int_equal(faccessat(folder->fd, "set.new", F_OK, 0), -1);
}

static void what_was_written_last_is_there_whole(void **state)
{
	struct world w;
	begin(&w, ((struct temp_folder *)*state)->path);
	assert_true(state_file_is_idle(&w.state_file));
	save(&w, "a longer text than the next one\n");
	assert_false(state_file_is_idle(&w.state_file));
	end(&w);
	expect(*state, "a longer text than the next one\n");
	begin(&w, ((struct temp_folder *)*state)->path);
	save(&w, "first\n");
	save(&w, "second\n");
	end(&w);
	expect(*state, "second\n");
	begin(&w, ((struct temp_folder *)*state)->path);
	save(&w, "");
	end(&w);
	expect(*state, "");
}

/* A pipe that nobody reads yet: who opens it for writing waits. */
static void of_what_comes_while_the_disk_hangs_only_the_newest_is_written(void **state)
{
	const struct temp_folder *folder = *state;
	struct world w;
	char text[64] = "";
	assert_int_equal(mkfifoat(folder->fd, "set.new", 0600), 0);
	begin(&w, folder->path);
	save(&w, "first\n");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "number %d\n", i);
		save(&w, text);
		uv_run(&w.loop, UV_RUN_NOWAIT);
		assert_false(state_file_is_idle(&w.state_file));
	}
	int reader = openat(folder->fd, "set.new", O_RDONLY | O_CLOEXEC); /* it is there now */
	assert_true(reader >= 0);
	assert_int_equal(unlinkat(folder->fd, "set.new", 0), 0);
	end(&w);
	expect(folder, "number 99\n");
	assert_int_equal(read(reader, text, sizeof(text)), 6);
	assert_memory_equal(text, "first\n", 6);
	close(reader);
}

static void a_write_that_fails_leaves_what_was_there(void **state)
{
	const struct temp_folder *folder = *state;
	struct world w;
	begin(&w, folder->path);
	save(&w, "before\n");
	end(&w);
	assert_int_equal(mkdirat(folder->fd, "set.new", 0700), 0);
	begin(&w, folder->path);
	save(&w, "fails\n");
	end(&w);
	assert_true(w.state_file.err.code < 0);
	assert_int_equal(unlinkat(folder->fd, "set.new", AT_REMOVEDIR), 0);
	expect(folder, "before\n");
	begin(&w, folder->path);
	struct bytes_writer none = {.failed = true};
	state_file_write(&w.state_file, &none);
	assert_true(state_file_is_idle(&w.state_file));
	save(&w, "after\n");
	end(&w);
	assert_int_equal(w.state_file.err.code, 0);
	expect(folder, "after\n");
}

static void what_could_not_be_written_is_tried_once_more(void **state)
{
	const struct temp_folder *folder = *state;
	struct world w;
	begin(&w, folder->path);
	state_file_try_again(&w.state_file);
	assert_true(state_file_is_idle(&w.state_file));
	assert_int_equal(mkdirat(folder->fd, "set.new", 0700), 0);
	save(&w, "first\n");
	run_until_idle(&w);
	assert_true(w.state_file.err.code < 0);
	state_file_try_again(&w.state_file);
	assert_false(state_file_is_idle(&w.state_file));
	run_until_idle(&w);
	assert_true(w.state_file.err.code < 0);
	assert_int_equal(unlinkat(folder->fd, "set.new", AT_REMOVEDIR), 0);
	state_file_try_again(&w.state_file);
	run_until_idle(&w);
	expect(folder, "first\n");
	state_file_try_again(&w.state_file); /* it is there */
	assert_true(state_file_is_idle(&w.state_file));
	end(&w);
}

static void without_a_folder_nothing_is_kept(void **state)
{
	struct world w;
	(void)state;
	begin(&w, "");
	save(&w, "nothing");
	assert_true(state_file_is_idle(&w.state_file));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(what_was_written_last_is_there_whole),
		temp_folder_test(of_what_comes_while_the_disk_hangs_only_the_newest_is_written),
		temp_folder_test(a_write_that_fails_leaves_what_was_there),
		temp_folder_test(what_could_not_be_written_is_tried_once_more),
		cmocka_unit_test(without_a_folder_nothing_is_kept),
	};
	return cmocka_run_group_tests_name("saver", tests, NULL, NULL);
}
