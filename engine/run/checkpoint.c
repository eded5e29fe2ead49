/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"

#define MAGIC "EDGEDCK1"
#define MAGIC_BYTES 8
#define UNFINISHED_SIZE (CHECKPOINT_MAX_NAME + 32)

static bool is_plain(const char *text, uint32_t length)
{
	bool plain = length > 0 && length <= CHECKPOINT_MAX_NAME && text[0] != '.';
	for (uint32_t i = 0; plain && i < length; i++) {
		char c = text[i];
		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
	}
	return plain;
}

/* The one string of a tensor. */
static int open_string(
	const struct value *value, const char **ret_text, uint32_t *ret_length, struct error *err)
{
	struct strings strings;
	int r = strings_open(&strings, value->data, value->bytes, 1, err);
	if (r < 0) {
		return -EINVAL;
	}
	*ret_text = strings_get(&strings, 0, ret_length);
	return 0;
}

static int file_name(const struct checkpoints *checkpoints, const struct value *value,
	char ret_name[CHECKPOINT_MAX_NAME + 1], struct error *err)
{
	const char *text = NULL;
	uint32_t length = 0;
	if (checkpoints->folder < 0) {
		return error_set(err, -EACCES, "there is no folder for checkpoints here");
	}
	int r = open_string(value, &text, &length, err);
	if (r < 0) {
		return r;
	}
	if (!is_plain(text, length)) {
		char shown[100];
		error_escape(shown, sizeof(shown), text, length);
		return error_set(err, -EINVAL,
			"checkpoint '%s': the name must be 1 to %d of A-Z a-z 0-9 . _ - and not "
			"begin with a dot",
			shown, CHECKPOINT_MAX_NAME);
	}
	memcpy(ret_name, text, length);
	ret_name[length] = 0;
	return 0;
}

/* What the folder's files take, but for @except. */
static int count_files(const struct checkpoints *checkpoints, const char *except,
	uint32_t *ret_files, uint64_t *ret_bytes)
{
	int fd = openat(checkpoints->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct stat st;
	*ret_files = 0;
	*ret_bytes = 0;
	if (!dir) {
		int code = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return code;
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strcmp(entry->d_name, except) != 0 &&
			fstatat(checkpoints->folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
				0 &&
			S_ISREG(st.st_mode)) {
			(*ret_files)++;
			*ret_bytes += (uint64_t)st.st_size;
		}
	}
	closedir(dir);
	return 0;
}

static int check_room(
	const struct checkpoints *checkpoints, const char *name, uint64_t bytes, struct error *err)
{
	uint32_t files = 0;
	uint64_t taken = 0;
	int r = count_files(checkpoints, name, &files, &taken);
	if (r < 0) {
		return error_set(err, r, "the checkpoints' folder: %s", strerror(-r));
	}
	if (files >= CHECKPOINT_MAX_FILES || taken + bytes > checkpoints->max_bytes) {
		return error_set(err, -EFBIG,
			"checkpoint '%s': %u files of %" PRIu64 " bytes are there, the limit is "
			"%d of %" PRIu64,
			name, files, taken, CHECKPOINT_MAX_FILES, checkpoints->max_bytes);
	}
	return 0;
}

static void put_tensor(struct bytes_writer *w, const void *name, uint32_t length, unsigned int type,
	const struct value *value)
{
	bytes_write_u32(w, length);
	bytes_write(w, name, length);
	bytes_write_u8(w, (uint8_t)type);
	bytes_write_u8(w, value->shape.rank);
	for (unsigned int i = 0; i < value->shape.rank; i++) {
		bytes_write_u32(w, (uint32_t)value->shape.dim[i]);
	}
	bytes_write_u64(w, value->bytes);
	bytes_write(w, value->data, (size_t)value->bytes);
}

/* The file's bytes: operand 1 has the names of operands 2 and on. */
static int encode(const struct frame *frame, const struct node *node, struct bytes_writer *w,
	struct error *err)
{
	const struct value *names = &frame->values[node->inputs[1]];
	struct strings strings;
	uint32_t n = node->n_inputs - 2;
	if (strings_open(&strings, names->data, names->bytes, n, err) < 0) {
		error_prefix(err, "names of %u tensors", n);
		return -EINVAL;
	}
	bytes_write(w, MAGIC, MAGIC_BYTES);
	bytes_write_u32(w, n);
	for (uint32_t i = 0; i < n; i++) {
		int32_t t = node->inputs[2 + i];
		uint32_t length = 0;
		const void *name = strings_get(&strings, i, &length);
		put_tensor(w, name, length, frame->subgraph->tensors[t].type, &frame->values[t]);
	}
	return w->failed ? error_set(err, -EFBIG, "the checkpoint is too large") : 0;
}

/* Hidden, and of this session alone. */
static void unfinished_name(
	const struct checkpoints *checkpoints, char out[UNFINISHED_SIZE], const char *name)
{
	snprintf(out, UNFINISHED_SIZE, ".%s.%p", name, (const void *)checkpoints);
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int write_file(
	const struct checkpoints *checkpoints, const char *name, const struct bytes_writer *w)
{
	char path[UNFINISHED_SIZE];
	unfinished_name(checkpoints, path, name);
	owned_fd int fd = openat(checkpoints->folder, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	int r = write_all(fd, w->data, w->size);
	if (r == 0 && fsync(fd) < 0) {
		r = -errno;
	}
	if (r < 0) {
		unlinkat(checkpoints->folder, path, 0);
	}
	return r;
}

static int keep_pending(struct checkpoints *checkpoints, const char *name, struct error *err)
{
	for (uint32_t i = 0; i < checkpoints->n_pending; i++) {
		if (strcmp(checkpoints->pending[i], name) == 0) {
			return 0;
		}
	}
	if (checkpoints->n_pending == CHECKPOINT_MAX_PENDING) {
		return error_set(
			err, -EFBIG, "more than %d checkpoints in one run", CHECKPOINT_MAX_PENDING);
	}
	snprintf(checkpoints->pending[checkpoints->n_pending++], CHECKPOINT_MAX_NAME + 1, "%s",
		name);
	return 0;
}

int checkpoint_save(struct checkpoints *checkpoints, const struct frame *frame,
	const struct node *node, struct error *err)
{
	char name[CHECKPOINT_MAX_NAME + 1];
	int r = file_name(checkpoints, &frame->values[node->inputs[0]], name, err);
	if (r < 0) {
		return r;
	}
	struct bytes_writer w = {.limit = (size_t)checkpoints->max_bytes};
	r = encode(frame, node, &w, err);
	r = r < 0 ? r : check_room(checkpoints, name, w.size, err);
	r = r < 0 ? r : keep_pending(checkpoints, name, err);
	if (r == 0) {
		r = write_file(checkpoints, name, &w);
		if (r < 0) {
			error_set(err, r, "checkpoint '%s': %s", name, strerror(-r));
		}
	}
	bytes_writer_deinit(&w);
	return r;
}

void checkpoint_settle(struct checkpoints *checkpoints, bool commit)
{
	char path[UNFINISHED_SIZE];
	for (uint32_t i = 0; i < checkpoints->n_pending; i++) {
		unfinished_name(checkpoints, path, checkpoints->pending[i]);
		if (!commit ||
			renameat(checkpoints->folder, path, checkpoints->folder,
				checkpoints->pending[i]) < 0) {
			unlinkat(checkpoints->folder, path, 0);
		}
	}
	if (checkpoints->n_pending > 0 && commit) {
		(void)fsync(checkpoints->folder);
	}
	checkpoints->n_pending = 0;
}

/* A file that this run has saved, or one of an earlier run. */
static int read_file(const struct checkpoints *checkpoints, const char *name, uint8_t **ret_data,
	size_t *ret_size)
{
	char path[UNFINISHED_SIZE];
	struct stat st;
	snprintf(path, sizeof(path), "%s", name);
	for (uint32_t i = 0; i < checkpoints->n_pending; i++) {
		if (strcmp(checkpoints->pending[i], name) == 0) {
			unfinished_name(checkpoints, path, name);
		}
	}
	owned_fd int fd =
		openat(checkpoints->folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > checkpoints->max_bytes) {
		return -EFBIG;
	}
	owned_mem uint8_t *data = malloc((size_t)st.st_size + 1);
	size_t got = 0;
	while (data && got < (size_t)st.st_size) {
		ssize_t n = read(fd, data + got, (size_t)st.st_size - got);
		if (n <= 0) {
			return n < 0 ? -errno : -EBADMSG;
		}
		got += (size_t)n;
	}
	*ret_size = got;
	*ret_data = take(data);
	return *ret_data ? 0 : -ENOMEM;
}

struct stored {
	const void *name;
	uint32_t name_bytes;
	unsigned int type;
	struct value value; /* bytes in the file's */
};

/* The next tensor of a file, whoever has written it. */
static int read_stored(struct bytes_reader *r, struct stored *ret)
{
	uint64_t bytes = 0;
	*ret = (struct stored){.name_bytes = bytes_read_u32(r)};
	ret->name = bytes_read(r, ret->name_bytes);
	ret->type = bytes_read_u8(r);
	struct shape *shape = &ret->value.shape;
	shape->rank = bytes_read_u8(r);
	for (unsigned int i = 0; i < shape->rank && i < SHAPE_MAX_RANK; i++) {
		shape->dim[i] = (int32_t)bytes_read_u32(r);
	}
	ret->value.bytes = bytes_read_u64(r);
	if (r->failed || shape->rank > SHAPE_MAX_RANK ||
		shape_bytes(shape, ret->type, &bytes) < 0 || bytes != ret->value.bytes ||
		bytes > r->size) {
		return -EBADMSG;
	}
	ret->value.data = (void *)(uintptr_t)bytes_read(r, (size_t)bytes);
	return r->failed ? -EBADMSG : 0;
}

/* The tensor of that name in a file's bytes; -ENOENT without it. */
static int find_stored(
	const uint8_t *data, size_t size, const void *name, uint32_t length, struct stored *ret)
{
	struct bytes_reader r = bytes_reader_of(data, size);
	const void *magic = bytes_read(&r, MAGIC_BYTES);
	uint32_t n = bytes_read_u32(&r);
	if (r.failed || memcmp(magic, MAGIC, MAGIC_BYTES) != 0) {
		return -EBADMSG;
	}
	for (uint32_t i = 0; i < n; i++) {
		int e = read_stored(&r, ret);
		if (e < 0) {
			return e;
		}
		if (ret->name_bytes == length && memcmp(ret->name, name, length) == 0) {
			return 0;
		}
	}
	return -ENOENT;
}

static int put_stored(struct frame *frame, uint32_t t, const char *file,
	const struct stored *stored, struct error *err)
{
	unsigned int type = frame->subgraph->tensors[t].type;
	return stored->type == type
		? frame_put(frame, t, &stored->value, err)
		: error_set(err, -EINVAL, "checkpoint '%s': the tensor is %s, wanted as %s", file,
			  dtype_name(stored->type), dtype_name(type));
}

int checkpoint_restore(struct checkpoints *checkpoints, struct frame *frame,
	const struct node *node, struct error *err)
{
	char file[CHECKPOINT_MAX_NAME + 1], shown[100];
	const char *name = NULL;
	uint32_t length = 0;
	owned_mem uint8_t *data = NULL;
	size_t size = 0;
	struct stored stored;
	int r = file_name(checkpoints, &frame->values[node->inputs[0]], file, err);
	r = r < 0 ? r : open_string(&frame->values[node->inputs[1]], &name, &length, err);
	if (r < 0) {
		return r;
	}
	r = read_file(checkpoints, file, &data, &size);
	r = r < 0 ? r : find_stored(data, size, name, length, &stored);
	if (r < 0) {
		error_escape(shown, sizeof(shown), name, length);
		return error_set(err, r == -ENOENT ? -EINVAL : r,
			"checkpoint '%s', tensor '%s': %s", file, shown, strerror(-r));
	}
	return put_stored(frame, (uint32_t)node->outputs[0], file, &stored, err);
}
