/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/model_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "engine/model/flatbuffer.h"

static int check_size(uint64_t size, uint64_t limit, struct error *err)
{
	if (size < 8) {
		return error_set(err, -EBADMSG, "file: %llu bytes, too short for a model",
			(unsigned long long)size);
	}
	if (size > limit || size > FLAT_MAX_BYTES) {
		return error_set(err, -EFBIG, "file: %llu bytes, the limit is %llu",
			(unsigned long long)size,
			(unsigned long long)(limit < FLAT_MAX_BYTES ? limit : FLAT_MAX_BYTES));
	}
	return 0;
}

int file_map(int fd, uint64_t limit, struct file *ret_file, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		int code = -errno;
		return error_set(err, code, "file: fstat: %s", strerror(-code));
	}
	if (!S_ISREG(st.st_mode)) {
		return error_set(err, -EBADMSG, "file: not a regular file");
	}
	int r = check_size((uint64_t)st.st_size, limit, err);
	if (r < 0) {
		return r;
	}
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		int code = -errno;
		return error_set(err, code, "file: mmap: %s", strerror(-code));
	}
	*ret_file = (struct file){.data = data, .size = (uint32_t)st.st_size, .mapped = true};
	ret_file->note = mapped_add(data, (size_t)st.st_size);
	return 0;
}

int file_borrow(
	const void *data, size_t size, uint64_t limit, struct file *ret_file, struct error *err)
{
	int r = check_size(size, limit, err);
	if (r < 0) {
		return r;
	}
	if ((uintptr_t)data % 8 != 0) {
		return error_set(err, -EINVAL, "file: bytes in memory must be aligned to 8");
	}
	*ret_file = (struct file){.data = data, .size = (uint32_t)size};
	return 0;
}

void file_forget(const struct file *file)
{
	if (file->mapped) {
		madvise((void *)(uintptr_t)file->data, file->size, MADV_DONTNEED);
	}
}

void file_deinit(struct file *file)
{
	mapped_remove(file->note);
	if (file->mapped) {
		munmap((void *)(uintptr_t)file->data, file->size);
	}
	*file = (struct file){0};
}
