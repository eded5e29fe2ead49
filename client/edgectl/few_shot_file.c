/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/few_shot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/few_shot.h"
#include "base/file.h"

#define RETRY_MS 20 /* time between two attempts to lock */

static int fault(const char *path, struct error *err)
{
	return error_set(err, -errno, "%s: %s", path, strerror(errno));
}

/* Polls, because a blocking flock() has no time limit. */
static int lock(int fd, const char *path, const struct few_shot_file_wait *wait, struct error *err)
{
	const uint64_t began = clock_now_ns();
	bool reported = false;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return fault(path, err);
		}
		const uint64_t waited_ms = (clock_now_ns() - began) / NSEC_PER_MSEC;
		if (waited_ms >= wait->report_ms && !reported && wait->report) {
			wait->report(wait->context, path);
			reported = true;
		}
		if (waited_ms >= wait->limit_ms) {
			return error_set(err, -EBUSY,
				"%s: another program has held its lock for %g s: nothing was written",
				path, (double)wait->limit_ms / 1000);
		}
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * NSEC_PER_MSEC}, NULL);
	}
	return 0;
}

/* O_NONBLOCK: opening a FIFO must not block. */
static int open_locked(
	const char *path, const struct few_shot_file_wait *wait, int *ret_fd, struct error *err)
{
	struct stat st;
	owned_fd int fd =
		open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return fault(path, err);
	}
	if (!S_ISREG(st.st_mode)) {
		return error_set(err, -EINVAL, "%s: not a regular file", path);
	}
	int r = lock(fd, path, wait, err);
	if (r == 0) {
		*ret_fd = take_fd(fd);
	}
	return r;
}

static int read_whole(
	int fd, const char *path, char **ret_text, size_t *ret_size, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return fault(path, err);
	}
	if (st.st_size > FEW_SHOT_FILE_MAX_BYTES) {
		return error_set(
			err, -EFBIG, "%s: larger than %u bytes", path, FEW_SHOT_FILE_MAX_BYTES);
	}
	const size_t size = (size_t)st.st_size;
	owned_mem char *text = malloc(size + 1);
	if (!text) {
		return error_no_memory(err);
	}
	const int r = file_read_at(fd, 0, text, size);
	if (r < 0) {
		return error_set(err, r == -EBUSY ? -EIO : r, "%s: %s", path,
			r == -EBUSY ? "became shorter meanwhile" : strerror(-r));
	}
	*ret_text = take(text);
	*ret_size = size;
	return 0;
}

static int check_together(const char *path, const char *text, size_t size, struct error *err)
{
	owned_examples struct few_shot examples = {0};
	int r = size > FEW_SHOT_FILE_MAX_BYTES
		? error_set(err, -EFBIG, "more than %u bytes", FEW_SHOT_FILE_MAX_BYTES)
		: few_shot_parse(text, size, &examples, err);
	if (r < 0) {
		error_prefix(err, "%s", path);
	}
	return r;
}

/* Appends all of @text and syncs it to disk, or nothing. @before: size of the file. */
static int append(
	int fd, const char *path, const char *text, size_t size, size_t before, struct error *err)
{
	if (file_write(fd, text, size) == 0 && fsync(fd) == 0) {
		return 0;
	}
	int r = fault(path, err);
	(void)!ftruncate(fd, (off_t)before); /* on failure the written part stays */
	return r;
}

int few_shot_file_add(const char *path, const char *text, size_t size,
	const struct few_shot_file_wait *wait, struct error *err)
{
	owned_mem char *before = NULL, *joined = NULL;
	owned_fd int fd = -1;
	size_t before_size = 0, joined_size = 0;
	int r = open_locked(path, wait, &fd, err);
	r = r < 0 ? r : read_whole(fd, path, &before, &before_size, err);
	if (r < 0) {
		return r;
	}
	if (few_shot_join(before, before_size, text, size, &joined, &joined_size) < 0) {
		return error_no_memory(err);
	}
	r = check_together(path, joined, joined_size, err);
	return r < 0 ? r
		     : append(fd, path, joined + before_size, joined_size - before_size,
			       before_size, err);
}
