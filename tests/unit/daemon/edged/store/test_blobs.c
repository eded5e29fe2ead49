/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/edged/store/blobs.h"
#include "tests/unit/daemon/temp_folder.h"

/* Imports "file" of the folder. */
static int import_file(const struct temp_folder *folder, int blobs, struct digest *ret_digest,
	int *ret_fd, struct error *err)
{
	struct import_identity identity;
	int fd = -1;
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	int code =
		blobs_import(blobs, fd, &identity, 0, identity.size, 100, ret_digest, ret_fd, err);
	close(fd);
	return code;
}

static int blobs_folder(const struct temp_folder *folder)
{
	assert_int_equal(mkdirat(folder->fd, "blobs", 0700), 0);
	int fd = openat(folder->fd, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* The original is overwritten and cut while the copy is mapped. */
static void expect_private_copy(const struct temp_folder *folder, int blobs)
{
	struct digest digest, wanted = digest_of("the model", 9);
	int fd = -1;
	temp_folder_put(folder, "file", "the model");
	assert_int_equal(import_file(folder, blobs, &digest, &fd, NULL), 0);
	assert_true(digest_equal(&digest, &wanted));
	const char *map = mmap(NULL, 9, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	temp_folder_put(folder, "file", "XXXXXXXXX");
	assert_memory_equal(map, "the model", 9);
	temp_folder_put(folder, "file", "");
	assert_memory_equal(map, "the model", 9);
	munmap((void *)(uintptr_t)map, 9);
	close(fd);
}

static void a_blob_is_a_private_file_named_by_its_digest(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest = digest_of("the model", 9);
	char name[DIGEST_TEXT_SIZE];
	struct stat st;
	int fd = -1, blobs = blobs_folder(folder);
	expect_private_copy(folder, blobs);
	assert_int_equal(fstatat(blobs, digest_to_hex(&digest, name), &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0444);
	assert_int_equal(blobs_open(blobs, &digest, &fd), 0);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	blobs_remove(blobs, &digest);
	assert_int_equal(blobs_open(blobs, &digest, &fd), -ENOENT);
	close(blobs);
}

static void without_a_folder_a_blob_is_sealed_memory(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest;
	int fd = -1;
	expect_private_copy(folder, -1);
	temp_folder_put(folder, "file", "sealed");
	assert_int_equal(import_file(folder, -1, &digest, &fd, NULL), 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	close(fd);
	assert_int_equal(blobs_open(-1, &digest, &fd), -ENOENT);
}

static void too_large_and_changed_files_are_not_imported(void **state)
{
	struct temp_folder *folder = *state;
	struct import_identity identity;
	struct digest digest;
	struct error err = {0};
	int fd = -1, copy = -1, blobs = blobs_folder(folder);
	temp_folder_put(folder, "file", "0123456789");
	assert_int_equal(import_open_file(folder->fd, "file", &fd, &identity), 0);
	assert_int_equal(
		blobs_import(blobs, fd, &identity, 0, identity.size, 9, &digest, &copy, &err),
		-EFBIG);
	assert_string_equal(err.text, "the file has 10 bytes, the limit is 9");
	temp_folder_put(folder, "file", "0123");
	assert_int_equal(
		blobs_import(blobs, fd, &identity, 0, identity.size, 99, &digest, &copy, &err),
		-EBUSY);
	temp_folder_put(folder, "file", "01234567890123");
	assert_int_equal(
		blobs_import(blobs, fd, &identity, 0, identity.size, 99, &digest, &copy, &err),
		-EBUSY);
	assert_string_equal(err.text, "the file was changed while it was read");
	close(fd);
	assert_int_equal(faccessat(blobs, ".new", F_OK, 0), -1);
	close(blobs);
}

static void a_blob_that_is_not_what_it_was_is_found_out(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest;
	char name[128];
	char text[DIGEST_TEXT_SIZE];
	int fd = -1, blobs = blobs_folder(folder);
	temp_folder_put(folder, "file", "the model");
	assert_int_equal(import_file(folder, blobs, &digest, &fd, NULL), 0);
	close(fd);
	snprintf(name, sizeof(name), "blobs/%s", digest_to_hex(&digest, text));
	assert_int_equal(fchmodat(folder->fd, name, 0600, 0), 0);
	temp_folder_put(folder, name, "the modem");
	assert_int_equal(blobs_open(blobs, &digest, &fd), -EBADMSG);
	assert_int_equal(import_file(folder, blobs, &digest, &fd, NULL), 0);
	close(fd);
	assert_int_equal(blobs_open(blobs, &digest, &fd), 0);
	close(fd);
	close(blobs);
}

/* A folder with something in it, where the blob of @bytes belongs. */
static void folder_put(const struct temp_folder *folder, const char *bytes)
{
	struct digest digest = digest_of(bytes, strlen(bytes));
	char text[DIGEST_TEXT_SIZE], name[128], file[160];
	snprintf(name, sizeof(name), "blobs/%s", digest_to_hex(&digest, text));
	assert_int_equal(mkdirat(folder->fd, name, 0700), 0);
	snprintf(file, sizeof(file), "%s/sub", name);
	assert_int_equal(mkdirat(folder->fd, file, 0700), 0);
	snprintf(file, sizeof(file), "%s/sub/file", name);
	temp_folder_put(folder, file, "x");
}

static void expect_blob(int blobs, const struct digest *digest)
{
	int fd = -1;
	assert_int_equal(blobs_open(blobs, digest, &fd), 0);
	close(fd);
}

/* Also where the same folder is in quarantine already. */
static void a_folder_in_a_blobs_place_is_put_away(void **state)
{
	struct temp_folder *folder = *state;
	struct digest digest;
	char text[DIGEST_TEXT_SIZE], away[128];
	int fd = -1, blobs = blobs_folder(folder);
	temp_folder_put(folder, "file", "the model");
	for (int i = 0; i < 2; i++) {
		folder_put(folder, "the model");
		assert_int_equal(import_file(folder, blobs, &digest, &fd, NULL), 0);
		close(fd);
		expect_blob(blobs, &digest);
		snprintf(
			away, sizeof(away), "quarantine/%s/sub/file", digest_to_hex(&digest, text));
		assert_int_equal(faccessat(folder->fd, away, F_OK, 0), 0);
		blobs_remove(blobs, &digest);
	}
	folder_put(folder, "labels");
	assert_int_equal(blobs_put(blobs, "labels", 6, &digest), 0);
	expect_blob(blobs, &digest);
	close(blobs);
}

static bool is_it(void *context, const struct digest *digest)
{
	return digest_equal(context, digest);
}

static void a_folder_that_no_blob_is_to_replace_is_swept(void **state)
{
	struct temp_folder *folder = *state;
	struct digest wanted, other = digest_of("others", 6);
	char text[DIGEST_TEXT_SIZE];
	int blobs = blobs_folder(folder);
	assert_int_equal(blobs_put(blobs, "labels", 6, &wanted), 0);
	folder_put(folder, "others");
	assert_int_equal(mkdirat(blobs, ".new", 0700), 0);
	assert_int_equal(blobs_sweep(blobs, is_it, &wanted), 2);
	assert_int_equal(faccessat(blobs, digest_to_hex(&other, text), F_OK, 0), -1);
	expect_blob(blobs, &wanted);
	close(blobs);
}

static void a_sweep_leaves_what_is_wanted(void **state)
{
	struct temp_folder *folder = *state;
	struct digest wanted, other;
	int fd = -1, blobs = blobs_folder(folder);
	assert_int_equal(blobs_put(blobs, "labels", 6, &wanted), 0);
	assert_int_equal(blobs_put(blobs, "labels", 6, &wanted), 0);
	assert_int_equal(blobs_put(blobs, "others", 6, &other), 0);
	temp_folder_put(folder, "blobs/.new", "half");
	temp_folder_put(folder, "blobs/notes", "x");
	assert_int_equal(blobs_sweep(blobs, is_it, &wanted), 3);
	assert_int_equal(blobs_open(blobs, &wanted, &fd), 0);
	close(fd);
	close(blobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(a_blob_is_a_private_file_named_by_its_digest),
		temp_folder_test(without_a_folder_a_blob_is_sealed_memory),
		temp_folder_test(too_large_and_changed_files_are_not_imported),
		temp_folder_test(a_blob_that_is_not_what_it_was_is_found_out),
		temp_folder_test(a_sweep_leaves_what_is_wanted),
		temp_folder_test(a_folder_in_a_blobs_place_is_put_away),
		temp_folder_test(a_folder_that_no_blob_is_to_replace_is_swept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
