/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/strings.h"
#include "engine/run/copy.h"

#define MAGIC "EDGEDCK1"
#define MAGIC_BYTES 8
#define UNFINISHED_SIZE (CHECKPOINT_MAX_NAME + 32)
#define UNFINISHED_SECONDS 3600 /* older ones are nobody's any more */

/* What stands before a tensor's bytes: at most, and without its name. */
#define HEAD_BYTES(name_bytes) (4 + (name_bytes) + 2 + 4 * SHAPE_MAX_RANK + 8)

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

/* Counts a file of the folder, unless it is one that a crash has left. */
static void count_file(
	const struct checkpoints *checkpoints, const char *name, uint32_t *files, uint64_t *bytes)
{
	struct stat st;
	if (fstatat(checkpoints->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode)) {
		return;
	}
	if (name[0] == '.' && st.st_mtime + UNFINISHED_SECONDS < time(NULL)) {
		unlinkat(checkpoints->folder, name, 0);
		return;
	}
	(*files)++;
	*bytes += (uint64_t)st.st_size;
}

/* What the folder's files take, but for @except. */
static int count_files(const struct checkpoints *checkpoints, const char *except,
	uint32_t *ret_files, uint64_t *ret_bytes)
{
	int fd = openat(checkpoints->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
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
		if (strcmp(entry->d_name, except) != 0) {
			count_file(checkpoints, entry->d_name, ret_files, ret_bytes);
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

/* The names that operand 1 has for operands 2 and on, and how long the file will be. */
static int open_names(const struct call_frame *frame, const struct node *node,
	struct strings *ret_names, uint64_t *ret_bytes, struct error *err)
{
	const struct value *names = &frame->values[node->inputs[1]];
	uint32_t n = node->n_inputs - 2;
	if (strings_open(ret_names, names->data, names->bytes, n, err) < 0) {
		error_prefix(err, "names of %u tensors", n);
		return -EINVAL;
	}
	*ret_bytes = MAGIC_BYTES + 4;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t length = 0;
		strings_get(ret_names, i, &length);
		if (length > CHECKPOINT_MAX_TENSOR_NAME) {
			return error_set(err, -EINVAL, "name %u has %u bytes, the limit is %d", i,
				length, CHECKPOINT_MAX_TENSOR_NAME);
		}
		const struct value *value = &frame->values[node->inputs[2 + i]];
		*ret_bytes += HEAD_BYTES(length) + value->bytes;
	}
	return 0;
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

/* What stands before a tensor's bytes goes to @head, whose memory is used again. */
static int encode_head(struct bytes_writer *head, const void *name, uint32_t length,
	unsigned int type, const struct value *value)
{
	head->size = 0;
	bytes_write_u32(head, length);
	bytes_write(head, name, length);
	bytes_write_u8(head, (uint8_t)type);
	bytes_write_u8(head, value->shape.rank);
	for (unsigned int i = 0; i < value->shape.rank; i++) {
		bytes_write_u32(head, (uint32_t)value->shape.dim[i]);
	}
	bytes_write_u64(head, value->bytes);
	return head->failed ? -ENOMEM : 0;
}

/* write_all() of any size. */
static int write_value(int fd, const struct value *value, const struct run_control *control)
{
	int r = 0;
	for (uint64_t at = 0, n = 0; r == 0 && at < value->bytes; at += n) {
		n = value->bytes - at < COPY_AT_ONCE ? value->bytes - at : COPY_AT_ONCE;
		r = run_control_check(control);
		r = r < 0 ? r : write_all(fd, (const uint8_t *)value->data + at, (size_t)n);
	}
	return r;
}

static int write_tensors(int fd, const struct call_frame *frame, const struct node *node,
	const struct strings *names)
{
	struct bytes_writer head = {0};
	uint32_t n = node->n_inputs - 2;
	bytes_write(&head, MAGIC, MAGIC_BYTES);
	bytes_write_u32(&head, n);
	int r = head.failed ? -ENOMEM : write_all(fd, head.data, head.size);
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		int32_t t = node->inputs[2 + i];
		const struct value *value = &frame->values[t];
		uint32_t length = 0;
		const void *name = strings_get(names, i, &length);
		r = encode_head(&head, name, length, frame->subgraph->tensors[t].type, value);
		r = r < 0 ? r : write_all(fd, head.data, head.size);
		r = r < 0 ? r : write_value(fd, value, frame->control);
	}
	bytes_writer_deinit(&head);
	return r;
}

static int write_file(const struct checkpoints *checkpoints, const char *name,
	const struct call_frame *frame, const struct node *node, const struct strings *names)
{
	char path[UNFINISHED_SIZE];
	unfinished_name(checkpoints, path, name);
	owned_fd int fd = openat(checkpoints->folder, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	int r = write_tensors(fd, frame, node, names);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
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

int checkpoint_save(struct checkpoints *checkpoints, const struct call_frame *frame,
	const struct node *node, struct error *err)
{
	char name[CHECKPOINT_MAX_NAME + 1];
	struct strings names;
	uint64_t bytes = 0;
	int r = file_name(checkpoints, &frame->values[node->inputs[0]], name, err);
	r = r < 0 ? r : open_names(frame, node, &names, &bytes, err);
	r = r < 0 ? r : check_room(checkpoints, name, bytes, err);
	r = r < 0 ? r : keep_pending(checkpoints, name, err);
	if (r < 0) {
		return r;
	}
	r = write_file(checkpoints, name, frame, node, &names);
	return r < 0 ? error_set(err, r, "checkpoint '%s': %s", name, strerror(-r)) : 0;
}

int checkpoint_commit(struct checkpoints *checkpoints, struct error *err)
{
	char path[UNFINISHED_SIZE];
	if (checkpoints->n_pending == 0) {
		return 0;
	}
	while (checkpoints->n_pending > 0) {
		const char *name = checkpoints->pending[checkpoints->n_pending - 1];
		unfinished_name(checkpoints, path, name);
		if (renameat(checkpoints->folder, path, checkpoints->folder, name) < 0) {
			int code = -errno;
			return error_set(err, code, "checkpoint '%s': %s", name, strerror(-code));
		}
		checkpoints->n_pending--;
	}
	/* What is named is there; that it outlasts a power cut is a wish. */
	(void)fsync(checkpoints->folder);
	return 0;
}

void checkpoint_drop(struct checkpoints *checkpoints)
{
	char path[UNFINISHED_SIZE];
	while (checkpoints->n_pending > 0) {
		unfinished_name(checkpoints, path, checkpoints->pending[--checkpoints->n_pending]);
		unlinkat(checkpoints->folder, path, 0);
	}
}

/* The file that this run has saved, or one of an earlier run. */
static int open_file(const struct checkpoints *checkpoints, const char *name, int *ret_fd)
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
	if (!S_ISREG(st.st_mode)) {
		return -EBADMSG;
	}
	*ret_fd = take_fd(fd);
	return 0;
}

/* At most @size bytes at @at; fewer at the end of the file. */
static int read_some(int fd, void *out, size_t size, uint64_t at, size_t *ret_got)
{
	size_t got = 0;
	while (got < size) {
		ssize_t n = pread(fd, (uint8_t *)out + got, size - got, (off_t)(at + got));
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) {
			break;
		}
		got += n > 0 ? (size_t)n : 0;
	}
	*ret_got = got;
	return 0;
}

/* A tensor of a file, whoever has written it. */
struct stored {
	uint8_t head[HEAD_BYTES(CHECKPOINT_MAX_TENSOR_NAME)];
	const void *name; /* in head */
	uint32_t name_bytes;
	unsigned int type;
	struct shape shape;
	uint64_t at, bytes; /* in the file */
};

static int parse_head(struct stored *s, size_t size, uint64_t at)
{
	struct bytes_reader r = bytes_reader_of(s->head, size);
	uint64_t bytes = 0;
	s->name_bytes = bytes_read_u32(&r);
	s->name = bytes_read(&r, s->name_bytes);
	s->type = bytes_read_u8(&r);
	s->shape = (struct shape){.rank = bytes_read_u8(&r)};
	for (unsigned int i = 0; i < s->shape.rank && i < SHAPE_MAX_RANK; i++) {
		s->shape.dim[i] = (int32_t)bytes_read_u32(&r);
	}
	s->bytes = bytes_read_u64(&r);
	s->at = at + r.at;
	return r.failed || s->shape.rank > SHAPE_MAX_RANK ||
			shape_bytes(&s->shape, s->type, &bytes) < 0 || bytes != s->bytes
		? -EBADMSG
		: 0;
}

/* Finds the tensor of that name; -ENOENT without it. */
static int find_stored(int fd, const void *name, uint32_t length, const struct run_control *control,
	struct stored *s)
{
	uint64_t at = MAGIC_BYTES + 4;
	size_t got = 0;
	int r = read_some(fd, s->head, MAGIC_BYTES + 4, 0, &got);
	if (r < 0 || got < MAGIC_BYTES + 4 || memcmp(s->head, MAGIC, MAGIC_BYTES) != 0) {
		return r < 0 ? r : -EBADMSG;
	}
	for (uint32_t left = bytes_get_u32(s->head + MAGIC_BYTES); left > 0; left--) {
		r = run_control_check(control);
		r = r < 0 ? r : read_some(fd, s->head, sizeof(s->head), at, &got);
		r = r < 0 ? r : parse_head(s, got, at);
		if (r < 0) {
			return r;
		}
		if (s->name_bytes == length && memcmp(s->name, name, length) == 0) {
			return 0;
		}
		at = s->at + s->bytes;
	}
	return -ENOENT;
}

/* -EBADMSG where the file ends before them. */
static int read_stored(
	int fd, const struct stored *stored, const struct run_control *control, uint8_t *out)
{
	int r = 0;
	for (uint64_t at = 0, n = 0; r == 0 && at < stored->bytes; at += n) {
		size_t got = 0;
		n = stored->bytes - at < COPY_AT_ONCE ? stored->bytes - at : COPY_AT_ONCE;
		r = run_control_check(control);
		r = r < 0 ? r : read_some(fd, out + at, (size_t)n, stored->at + at, &got);
		r = r == 0 && got < n ? -EBADMSG : r;
	}
	return r;
}

/* The stored bytes become tensor @t. */
static int put_stored(struct call_frame *frame, uint32_t t, int fd, const struct stored *stored,
	struct error *err)
{
	unsigned int type = frame->subgraph->tensors[t].type;
	void *data = NULL;
	if (stored->type != type) {
		return error_set(err, -EINVAL, "is %s, wanted as %s", dtype_name(stored->type),
			dtype_name(type));
	}
	int r = heap_alloc(frame->heap, stored->bytes, &data, err);
	if (r < 0) {
		return r;
	}
	r = read_stored(fd, stored, frame->control, data);
	if (r < 0) {
		error_set(err, r, "%s", strerror(-r));
	} else {
		const struct value value = {data, stored->bytes, stored->shape};
		r = call_frame_put(frame, t, &value, err);
	}
	heap_free(frame->heap, data);
	return r;
}

/* -EINVAL for what is not there: the request names it. */
static int restore(struct checkpoints *checkpoints, struct call_frame *frame,
	const struct node *node, const char *file, struct error *err)
{
	const char *name = NULL;
	uint32_t length = 0;
	owned_fd int fd = -1;
	struct stored stored;
	int r = open_string(&frame->values[node->inputs[1]], &name, &length, err);
	if (r < 0) {
		return r;
	}
	r = open_file(checkpoints, file, &fd);
	r = r < 0 ? r : find_stored(fd, name, length, frame->control, &stored);
	if (r < 0) {
		error_set(err, r == -ENOENT ? -EINVAL : r, "%s", strerror(-r));
		r = r == -ENOENT ? -EINVAL : r;
	} else {
		r = put_stored(frame, (uint32_t)node->outputs[0], fd, &stored, err);
	}
	if (r < 0) {
		char shown[100];
		error_escape(shown, sizeof(shown), name, length);
		error_prefix(err, "tensor '%s'", shown);
	}
	return r;
}

int checkpoint_restore(struct checkpoints *checkpoints, struct call_frame *frame,
	const struct node *node, struct error *err)
{
	char file[CHECKPOINT_MAX_NAME + 1];
	int r = file_name(checkpoints, &frame->values[node->inputs[0]], file, err);
	if (r < 0) {
		return r;
	}
	r = restore(checkpoints, frame, node, file, err);
	if (r < 0) {
		error_prefix(err, "checkpoint '%s'", file);
	}
	return r;
}
