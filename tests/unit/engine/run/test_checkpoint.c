/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/strings.h"
#include "engine/run/checkpoint.h"
#include "tests/fakes/session_bench.h"

static const int32_t TEN[] = {10};

static uint64_t looks; /* at the control: time goes on by one at each */

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
	return ++looks;
}

/*
 * Subgraph 0 saves inputs 1 ("a") and 2 ("bc") in the file that input 0 names, and fails after that
 * where input 2 is 0. Subgraph 1 restores "bc" and "a".
 */
struct fixture {
	struct session_bench *bench;
	char path[40];
	int folder;
	_Alignas(16) uint8_t names[2][32], single[2][32], file[200];
};

static int32_t add_strings(
	struct graph_builder *b, uint8_t *room, uint32_t n, const char *const *texts)
{
	struct strings_writer w = strings_writer_of(room, n);
	for (uint32_t i = 0; i < n; i++) {
		strings_put(&w, texts[i], (uint32_t)strlen(texts[i]));
	}
	int32_t t = graph_builder_tensor(b, DTYPE_STRING, SHAPE((int32_t)n));
	b->tensors[t].data = room;
	b->tensors[t].data_bytes = w.end;
	return t;
}

static void build_save(struct fixture *f)
{
	static const char *const texts[] = {"a", "bc"};
	struct graph_builder *b = &f->bench->parts[0];
	int32_t file = graph_builder_input(b, DTYPE_STRING, SHAPE(1));
	int32_t first = graph_builder_input(b, DTYPE_INT32, SHAPE(3));
	int32_t second = graph_builder_input(b, DTYPE_INT32, SHAPE(1));
	int32_t names = add_strings(b, f->names[0], 2, texts);
	graph_builder_wide_node(b, OP_FLEX_SAVE, OPERANDS(file, names, first, second), NO_OPERANDS);
	int32_t out = graph_builder_tensor(b, DTYPE_INT32, SHAPE(1));
	int32_t ten = graph_builder_constant(b, DTYPE_INT32, SHAPE(1), TEN);
	graph_builder_node(b, OP_DIV, ten, second, out);
	graph_builder_output(b, out);
}

static void build_restore(struct fixture *f)
{
	static const char *const texts[] = {"bc", "a"};
	struct graph_builder *b = &f->bench->parts[1];
	int32_t file = graph_builder_input(b, DTYPE_STRING, SHAPE(1));
	for (int i = 0; i < 2; i++) {
		int32_t out = graph_builder_tensor(b, DTYPE_INT32, SHAPE(-1));
		int32_t name = add_strings(b, f->single[i], 1, &texts[i]);
		graph_builder_wide_node(b, OP_FLEX_RESTORE, OPERANDS(file, name), OPERANDS(out));
		graph_builder_output(b, out);
	}
}

static struct fixture *new_fixture(void)
{
	struct fixture *f = aligned_alloc(_Alignof(struct fixture), sizeof(*f));
	assert_non_null(f);
	*f = (struct fixture){0};
	f->bench = session_bench_new();
	build_save(f);
	build_restore(f);
	assert_int_equal(session_bench_start(f->bench, 2, 2, NULL), 0);
	strcpy(f->path, "/tmp/edged-checkpoint-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->folder = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	session_set_checkpoints(f->bench->session, f->folder, 4096);
	return f;
}

/* Removes all files of the folder, hidden ones too. Returns how many there were. */
static int empty_folder(struct fixture *f)
{
	int n = 0;
	DIR *dir = opendir(f->path);
	assert_non_null(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		n += unlinkat(f->folder, e->d_name, 0) == 0;
	}
	closedir(dir);
	return n;
}

static void free_fixture(struct fixture *f)
{
	session_bench_finish(f->bench);
	empty_folder(f);
	close(f->folder);
	assert_int_equal(rmdir(f->path), 0);
	free(f);
}

static int run_with(
	struct fixture *f, const char *file, const struct run_control *control, struct error *err)
{
	struct strings_writer w = strings_writer_of(f->file, 1);
	strings_put(&w, file, (uint32_t)strlen(file));
	assert_int_equal(session_bind_input(f->bench->session, 0, f->file, w.end, NULL), 0);
	return session_run(f->bench->session, control, err);
}

static int run_on(struct fixture *f, const char *file, struct error *err)
{
	return run_with(f, file, NULL, err);
}

static int save(struct fixture *f, const char *file, int32_t second, struct error *err)
{
	assert_int_equal(session_enter(f->bench->session, 0, NULL), 0);
	BENCH_SET_INTS(f->bench, 1, 1, 2, second);
	BENCH_SET_INTS(f->bench, 2, second);
	return run_on(f, file, err);
}

static int restore(struct fixture *f, const char *file, struct error *err)
{
	assert_int_equal(session_enter(f->bench->session, 1, NULL), 0);
	return run_on(f, file, err);
}

static void what_was_saved_comes_back_by_name(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(save(f, "one", 5, NULL), 0);
	assert_int_equal(save(f, "two", 7, NULL), 0);
	assert_int_equal(save(f, "one", 6, NULL), 0);
	assert_int_equal(restore(f, "two", NULL), 0);
	BENCH_EXPECT_INTS(f->bench, 0, 7);
	BENCH_EXPECT_INTS(f->bench, 1, 1, 2, 7);
	assert_int_equal(restore(f, "one", NULL), 0);
	BENCH_EXPECT_INTS(f->bench, 0, 6);
	assert_int_equal(empty_folder(f), 2);
	free_fixture(f);
}

static void a_run_that_fails_saves_nothing(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(save(f, "one", 0, NULL), -EINVAL);
	assert_int_equal(empty_folder(f), 0);
	assert_int_equal(save(f, "one", 3, NULL), 0);
	assert_int_equal(save(f, "one", 0, NULL), -EINVAL);
	assert_int_equal(restore(f, "one", NULL), 0);
	BENCH_EXPECT_INTS(f->bench, 0, 3);
	assert_int_equal(empty_folder(f), 1);
	free_fixture(f);
}

static void only_plain_names_in_the_folder_are_names(void **state)
{
	(void)state;
	static const char *const names[] = {"", ".", "..", ".hidden", "../x", "a/b", "/etc/passwd",
		"a b", "a\n", "\xff",
		"0123456789012345678901234567890123456789012345678901234567890123x"};
	struct fixture *f = new_fixture();
	struct error err = {0};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(save(f, names[i], 1, &err), -EINVAL);
		assert_int_equal(restore(f, names[i], &err), -EINVAL);
	}
	assert_string_equal(err.text,
		"subgraph 1, node 0 (FlexRestore v1): checkpoint "
		"'0123456789012345678901234567890123456789012345678901234567890123x': the name "
		"must be 1 to 64 of A-Z a-z 0-9 . _ - and not begin with a dot");
	assert_int_equal(empty_folder(f), 0);
	session_set_checkpoints(f->bench->session, -1, 0);
	assert_int_equal(save(f, "one", 1, &err), -EACCES);
	free_fixture(f);
}

static void links_and_folders_are_not_read(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	assert_int_equal(save(f, "one", 5, NULL), 0);
	assert_int_equal(symlinkat("one", f->folder, "link"), 0);
	assert_int_equal(mkdirat(f->folder, "folder", 0700), 0);
	assert_int_equal(restore(f, "link", NULL), -ELOOP);
	assert_int_equal(restore(f, "folder", NULL), -EBADMSG);
	assert_int_equal(save(f, "link", 6, NULL), 0); /* in place of the link */
	assert_int_equal(restore(f, "one", NULL), 0);
	BENCH_EXPECT_INTS(f->bench, 0, 5);
	assert_true(save(f, "folder", 6, NULL) < 0);
	assert_int_equal(unlinkat(f->folder, "folder", AT_REMOVEDIR), 0);
	assert_int_equal(empty_folder(f), 2);
	free_fixture(f);
}

static void limits_hold_for_the_whole_folder(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	struct error err = {0};
	char name[8];
	session_set_checkpoints(f->bench->session, f->folder, 150);
	assert_int_equal(save(f, "one", 5, NULL), 0);
	assert_int_equal(save(f, "one", 6, NULL), 0); /* itself does not count */
	assert_int_equal(save(f, "two", 6, &err), -EFBIG);
	assert_non_null(strstr(err.text, "1 files of 67 bytes are there, the limit is 64 of 150"));
	session_set_checkpoints(f->bench->session, f->folder, 1 << 20);
	for (int i = 1; i < CHECKPOINT_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(save(f, name, 1, NULL), 0);
	}
	assert_int_equal(save(f, "more", 1, NULL), -EFBIG);
	assert_int_equal(save(f, "one", 1, NULL), 0);
	assert_int_equal(empty_folder(f), CHECKPOINT_MAX_FILES);
	free_fixture(f);
}

/* Each file of the folder may be anything: one cut anywhere, or with any byte changed, gives an error
 * or tensors, and nothing else. */
static void a_file_that_is_not_whole_is_refused(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	uint8_t file[200];
	assert_int_equal(save(f, "one", 5, NULL), 0);
	int fd = openat(f->folder, "one", O_RDWR | O_CLOEXEC);
	ssize_t size = read(fd, file, sizeof(file));
	assert_in_range(size, 60, 199);
	for (ssize_t i = 0; i < size; i++) {
		static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
		for (size_t v = 0; v < sizeof(values); v++) {
			assert_int_equal(pwrite(fd, &values[v], 1, i), 1);
			int r = restore(f, "one", NULL);
			assert_true(r == 0 || r == -EBADMSG || r == -EINVAL || r == -EFBIG);
		}
		assert_int_equal(pwrite(fd, &file[i], 1, i), 1);
	}
	for (ssize_t cut = size - 1; cut >= 0; cut--) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_int_equal(restore(f, "one", NULL), -EBADMSG);
	}
	close(fd);
	free_fixture(f);
}

static void what_a_crash_has_left_is_removed_an_hour_later(void **state)
{
	(void)state;
	struct fixture *f = new_fixture();
	const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	for (int i = 0; i < 2; i++) {
		int fd = openat(f->folder, i ? ".new" : ".old", O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		assert_int_equal(i ? 0 : futimens(fd, long_ago), 0);
		close(fd);
	}
	assert_int_equal(save(f, "one", 5, NULL), 0);
	assert_true(faccessat(f->folder, ".old", F_OK, 0) < 0);
	assert_int_equal(empty_folder(f), 2);
	free_fixture(f);
}

/* In blocks of COPY_AT_ONCE: the deadline passes between the second and the third. */
static void a_large_tensor_is_written_and_read_with_looks_between_blocks(void **state)
{
	(void)state;
	enum {
		BLOCKS = 5,
		ELEMENTS = BLOCKS << 18
	};
	struct fixture *f = new_fixture();
	struct session *session = f->bench->session;
	struct run_control control = {.deadline_ns = UINT64_MAX};
	uint64_t bytes = 0, all = 0;
	session_set_checkpoints(session, f->folder, 1 << 25);
	assert_int_equal(session_enter(session, 0, NULL), 0);
	assert_int_equal(session_resize(session, 1, &SHAPE(ELEMENTS), NULL), 0);
	((int32_t *)session_input(session, 1, &bytes))[ELEMENTS - 1] = 4;
	BENCH_SET_INTS(f->bench, 2, 3);
	for (int subgraph = 0; subgraph < 2; subgraph++) {
		if (subgraph == 1) {
			assert_int_equal(session_enter(session, 1, NULL), 0);
		}
		looks = 0;
		control.deadline_ns = UINT64_MAX;
		assert_int_equal(run_with(f, "one", &control, NULL), 0);
		all = looks;
		assert_in_range(all, BLOCKS + 1, 100);
		for (uint64_t last = 2; last <= all; last++) {
			looks = 0;
			control.deadline_ns = last - 1;
			assert_int_equal(run_with(f, "one", &control, NULL), -ETIMEDOUT);
			assert_int_equal(looks, last);
		}
	}
	assert_int_equal(empty_folder(f), 1);
	free_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_comes_back_by_name),
		cmocka_unit_test(a_run_that_fails_saves_nothing),
		cmocka_unit_test(only_plain_names_in_the_folder_are_names),
		cmocka_unit_test(links_and_folders_are_not_read),
		cmocka_unit_test(limits_hold_for_the_whole_folder),
		cmocka_unit_test(a_file_that_is_not_whole_is_refused),
		cmocka_unit_test(what_a_crash_has_left_is_removed_an_hour_later),
		cmocka_unit_test(a_large_tensor_is_written_and_read_with_looks_between_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
