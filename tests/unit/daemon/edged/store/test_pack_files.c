/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/edged/store/pack_files.h"

static bool is_first(void *context, const struct digest *digest)
{
	return digest_equal(context, digest);
}

static void put(int folder, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, 0) == 0;
}

static void a_name_has_the_model_the_build_and_the_features(void **state)
{
	(void)state;
	struct pack_files files;
	char key[PACK_FILES_NAME_SIZE], digits[DIGEST_TEXT_SIZE];
	const struct digest model = digest_of("a", 1);
	pack_files_init(&files, -1, 0x2a);
	assert_string_equal(pack_files_name(&files, &model, key), key);
	assert_memory_equal(key, digest_to_hex(&model, digits), DIGEST_TEXT_SIZE - 1);
	assert_int_equal(strlen(key), 64 + 1 + 16 + 3);
	assert_int_equal(key[64], '-');
	assert_int_equal(strspn(key + 65, "0123456789abcdef"), 16);
	assert_string_equal(key + 81, "-2a");
	files.suffix[0] = 0; /* a program without a build-id */
	assert_null(pack_files_name(&files, &model, key));
}

static void what_is_of_no_use_is_removed(void **state)
{
	(void)state;
	struct pack_files files;
	char path[] = "/tmp/test_pack_files.XXXXXX", key[PACK_FILES_NAME_SIZE];
	char other_model[PACK_FILES_NAME_SIZE], other_build[PACK_FILES_NAME_SIZE + 1],
		unfinished[128];
	struct digest model = digest_of("a", 1), other = digest_of("b", 1);
	assert_non_null(mkdtemp(path));
	pack_files_init(&files, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1);
	assert_true(files.folder >= 0);
	assert_non_null(pack_files_name(&files, &model, key));
	assert_non_null(pack_files_name(&files, &other, other_model));
	snprintf(other_build, sizeof(other_build), "%.64s-0000000000000000-1", key);
	snprintf(unfinished, sizeof(unfinished), ".%s", key);
	const char *names[] = {key, other_model, other_build, unfinished, "short"};
	for (size_t i = 0; i < 5; i++) {
		put(files.folder, names[i]);
	}
	assert_int_equal(pack_files_sweep(&files, is_first, &model), 4);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(is_there(files.folder, names[i]), i == 0);
	}
	assert_int_equal(pack_files_sweep(&files, is_first, &other), 1);
	pack_files_deinit(&files);
	assert_int_equal(pack_files_sweep(&files, is_first, &other), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_the_model_the_build_and_the_features),
		cmocka_unit_test(what_is_of_no_use_is_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
