/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "engine/edge.h"
#include "engine/plan/packs.h"

#define MODEL "packaging/models/digits.tflite"
#define MOST (1 << 20)

/* The linker has the engine call this one (--wrap). */
static bool disk_fails;
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

struct folder {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct folder *folder = malloc(sizeof(*folder));
	snprintf(folder->path, sizeof(folder->path), "/tmp/test_packs.XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder->fd >= 0);
	*state = folder;
	return 0;
}

/* Of all but "." and ".."; @remove: they are gone afterwards. */
static unsigned int count_files(const struct folder *folder, bool remove)
{
	unsigned int n = 0;
	DIR *dir = opendir(folder->path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		n++;
		if (remove) {
			assert_int_equal(unlinkat(folder->fd, entry->d_name, 0), 0);
		}
	}
	closedir(dir);
	return n;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	count_files(folder, true);
	close(folder->fd);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static void *reserve(struct packs *packs, uint64_t bytes, bool *ret_filled)
{
	return packs->memory.reserve(packs->memory.context, bytes, ret_filled);
}

/* Two blocks of 100 and 64 bytes, as a load of a model makes or finds them: true when it found both. */
static bool load(const struct folder *folder, const char *key)
{
	struct packs packs;
	bool first = false, second = false;
	packs_open(&packs, folder->fd, key, MOST);
	uint8_t *a = reserve(&packs, 100, &first);
	uint8_t *b = reserve(&packs, 64, &second);
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal((uintptr_t)a % 64, 0);
	assert_int_equal((uintptr_t)b % 64, 0);
	assert_int_equal(first, second);
	if (!first) {
		memset(a, 17, 100);
		memset(b, 99, 64);
	}
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0);
	assert_int_equal(packs_bytes(&packs), 64 + 64 + 128 + 64 + 64);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(a[i], 17);
		assert_int_equal(b[i % 64], 99);
	}
	packs_deinit(&packs);
	return first;
}

static void what_one_load_packed_the_next_one_finds(void **state)
{
	const struct folder *folder = *state;
	assert_false(load(folder, "key"));
	assert_true(load(folder, "key"));
	assert_false(load(folder, "other"));
	assert_true(load(folder, "key"));
	assert_int_equal(count_files(folder, false), 2);
}

static void without_a_key_nothing_is_left(void **state)
{
	const struct folder *folder = *state;
	assert_false(load(folder, NULL));
	assert_false(load(folder, NULL));
	assert_int_equal(count_files(folder, false), 0);
}

static void flip_byte(const struct folder *folder, const char *name, off_t at)
{
	char byte;
	assert_int_equal(fchmodat(folder->fd, name, 0600, 0), 0);
	int fd = openat(folder->fd, name, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void a_changed_file_is_made_again(void **state)
{
	const struct folder *folder = *state;
	static const off_t places[] = {0, 8, 17, 31, 64, 128, 200, 227, 255, 256, 320, 383};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_false(load(folder, "key"));
		flip_byte(folder, "key", places[i]);
		assert_false(load(folder, "key"));
		assert_true(load(folder, "key"));
		assert_int_equal(count_files(folder, true), 1);
	}
}

static void a_shorter_or_longer_file_is_made_again(void **state)
{
	const struct folder *folder = *state;
	static const off_t sizes[] = {0, 1, 64, 128, 320, 383, 385, 448, 4096};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char path[128];
		load(folder, "key");
		snprintf(path, sizeof(path), "%s/key", folder->path);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(truncate(path, sizes[i]), 0);
		assert_false(load(folder, "key"));
		assert_true(load(folder, "key"));
	}
}

static void what_was_made_for_another_key_is_not_believed(void **state)
{
	const struct folder *folder = *state;
	assert_false(load(folder, "key"));
	assert_int_equal(renameat(folder->fd, "key", folder->fd, "other"), 0);
	assert_false(load(folder, "other"));
	assert_true(load(folder, "other"));
}

static void a_link_is_not_followed(void **state)
{
	const struct folder *folder = *state;
	assert_false(load(folder, "key"));
	assert_int_equal(renameat(folder->fd, "key", folder->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", folder->fd, "key"), 0);
	assert_false(load(folder, "key"));
	assert_true(load(folder, "key")); /* which is a file now */
}

static void what_a_crash_left_is_replaced(void **state)
{
	const struct folder *folder = *state;
	int fd = openat(folder->fd, ".key", O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
	assert_true(fd >= 0);
	close(fd);
	assert_false(load(folder, "key"));
	assert_true(load(folder, "key"));
	assert_int_equal(count_files(folder, false), 1);
}

static void other_wishes_than_before_get_none_and_the_file_goes(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	bool filled = false;
	assert_false(load(folder, "key"));
	packs_open(&packs, folder->fd, "key", MOST);
	assert_non_null(reserve(&packs, 100, &filled));
	assert_true(filled);
	assert_null(reserve(&packs, 65, &filled));
	assert_null(reserve(&packs, 64, &filled)); /* the order is lost */
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0);
	packs_deinit(&packs);
	assert_int_equal(count_files(folder, false), 0);
}

static void there_is_no_more_than_was_allowed(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	bool filled = false;
	packs_open(&packs, folder->fd, "key", 64 + 64 + 128 + 63);
	assert_null(reserve(&packs, 129, &filled));
	assert_null(reserve(&packs, UINT64_MAX, &filled));
	assert_non_null(reserve(&packs, 128, &filled));
	assert_null(reserve(&packs, 1, &filled));
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0);
	packs_deinit(&packs);
}

/* Its pages in the cache are good until the system drops them: then they are read as they were. */
static void what_the_disk_does_not_take_stays_in_memory(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	bool filled = false;
	disk_fails = true;
	packs_open(&packs, folder->fd, "key", MOST);
	uint8_t *block = reserve(&packs, 100000, &filled);
	assert_non_null(block);
	memset(block, 17, 100000);
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0);
	disk_fails = false;
	assert_false(packs.in_file);
	assert_int_equal(block[99999], 17);
	assert_int_equal(count_files(folder, false), 0);
	packs_deinit(&packs);
	assert_false(load(folder, "key"));
	assert_true(load(folder, "key"));
}

static void on_a_full_disk_the_memory_stays_and_no_file(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	struct rlimit before, small;
	bool filled = false;
	packs_open(&packs, folder->fd, "key", MOST);
	uint8_t *block = reserve(&packs, 100000, &filled);
	assert_non_null(block);
	memset(block, 17, 100000);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 5000; /* of a file: the second write fails */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	packs_seal(&packs);
	int code = packs_keep(&packs);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(code, 0);
	assert_int_equal(count_files(folder, false), 0);
	for (unsigned int i = 0; i < 100000; i += 999) {
		assert_int_equal(block[i], 17);
	}
	packs_deinit(&packs);
}

static void a_load_that_fails_leaves_nothing(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	bool filled = false;
	packs_open(&packs, folder->fd, "key", MOST);
	assert_non_null(reserve(&packs, 100, &filled));
	packs_deinit(&packs);
	assert_int_equal(count_files(folder, false), 0);
}

static void without_a_file_there_is_nothing_to_reserve(void **state)
{
	const struct folder *folder = *state;
	struct packs packs;
	bool filled = true;
	packs_open(&packs, -1, "key", MOST);
	assert_null(reserve(&packs, 1, &filled));
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0);
	assert_int_equal(packs_bytes(&packs), 0);
	packs_deinit(&packs);
	packs_open(&packs, folder->fd, "key", MOST);
	packs_seal(&packs);
	assert_int_equal(packs_keep(&packs), 0); /* nobody wanted any */
	packs_deinit(&packs);
	assert_int_equal(count_files(folder, false), 0);
}

/* ---- a model */

static void run(struct edge_model *model, uint8_t output[10])
{
	struct error err = {0};
	struct edge_session *session = NULL;
	struct edge_tensor_info info;
	uint64_t bytes = 0;
	assert_int_equal(edge_model_input(model, 0, 0, &info), 0);
	assert_int_equal(edge_session_new(model, 0, &session, &err), 0);
	uint8_t *input = edge_session_input(session, 0, &bytes);
	assert_int_equal(bytes, info.bytes);
	for (uint64_t i = 0; i < bytes; i++) {
		input[i] = (uint8_t)(i * 37);
	}
	assert_int_equal(edge_session_run(session, NULL, &err), 0);
	const uint8_t *data = edge_session_output(session, 0, &bytes);
	assert_int_equal(bytes, 10);
	memcpy(output, data, 10);
	edge_session_free(session);
}

static uint64_t answer(const struct edge_packs *packs, uint8_t output[10])
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = ~0ull, .packs = packs};
	struct error err = {0};
	uint8_t first[10];
	owned(edge_model_unref) struct edge_model *model = NULL;
	assert_int_equal(edge_model_open_file(MODEL, &options, &model, &err), 0);
	run(model, first);
	assert_int_equal(edge_model_keep(model, &err), 0);
	run(model, output);
	assert_memory_equal(output, first, 10);
	return edge_model_info(model)->pack_bytes;
}

static void a_model_answers_the_same_from_kept_weights(void **state)
{
	const struct folder *folder = *state;
	const struct edge_packs packs = {.folder = folder->fd, .key = "digits"};
	uint8_t expected[10], output[10];
	assert_int_equal(answer(NULL, expected), 0);
	uint64_t bytes = answer(&packs, output);
	assert_memory_equal(output, expected, 10);
	if (bytes == 0) {
		print_message("SKIPPED: no kernel of this CPU packs weights\n");
		return;
	}
	struct stat made, found;
	assert_int_equal(fstatat(folder->fd, "digits", &made, 0), 0);
	assert_int_equal(made.st_size, bytes);
	assert_int_equal(answer(&packs, output), bytes);
	assert_memory_equal(output, expected, 10);
	assert_int_equal(fstatat(folder->fd, "digits", &found, 0), 0);
	assert_int_equal(found.st_ino, made.st_ino);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_one_load_packed_the_next_one_finds),
		IN_FOLDER(without_a_key_nothing_is_left),
		IN_FOLDER(a_changed_file_is_made_again),
		IN_FOLDER(a_shorter_or_longer_file_is_made_again),
		IN_FOLDER(what_was_made_for_another_key_is_not_believed),
		IN_FOLDER(a_link_is_not_followed),
		IN_FOLDER(what_a_crash_left_is_replaced),
		IN_FOLDER(other_wishes_than_before_get_none_and_the_file_goes),
		IN_FOLDER(there_is_no_more_than_was_allowed),
		IN_FOLDER(what_the_disk_does_not_take_stays_in_memory),
		IN_FOLDER(on_a_full_disk_the_memory_stays_and_no_file),
		IN_FOLDER(a_load_that_fails_leaves_nothing),
		IN_FOLDER(without_a_file_there_is_nothing_to_reserve),
		IN_FOLDER(a_model_answers_the_same_from_kept_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
