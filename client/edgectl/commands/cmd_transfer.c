/* SPDX-License-Identifier: Apache-2.0 */
/* install and export: models in the daemon's store, without the models folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tar.h"
#include "client/edgectl/commands.h"
#include "client/edgectl/remote.h"
#include "client/edgectl/report.h"

#define CHUNK ((size_t)64 << 10)
#define MAX_STREAM ((uint64_t)4 << 30) /* larger than any model: bounds an endless stream */
#define MODEL_SUFFIX ".tflite"
#define MAX_PARTS 100 /* attempts at a free temporary name */

/* ---- files */

/* Opens a temporary file on disk; in memory if no folder is writable. */
static int spool_open(int *ret_fd, struct error *err)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(
		folder && folder[0] ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		fd = memfd_create("edgectl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	}
	if (fd < 0) {
		return error_set(err, -errno, "a temporary file: %s", strerror(errno));
	}
	*ret_fd = fd;
	return 0;
}

static int write_all(int fd, const void *data, size_t size, struct error *err)
{
	const int code = file_write(fd, data, size);
	return code < 0 ? error_set(err, code, "writing: %s", strerror(-code)) : 0;
}

/* Copies @from to its end. */
static int copy_rest(int from, int to, uint64_t *ret_bytes, struct error *err)
{
	owned_mem char *chunk = malloc(CHUNK);
	uint64_t bytes = 0;
	ssize_t n = 1;
	int code = chunk ? 0 : error_no_memory(err);
	while (code == 0 && n != 0) {
		n = read(from, chunk, CHUNK);
		if (n < 0 && errno != EINTR) {
			code = error_set(err, -errno, "reading: %s", strerror(errno));
		} else if (n > 0) {
			bytes += (uint64_t)n;
			code = bytes > MAX_STREAM ? error_set(err, -EFBIG, "it does not end")
						  : write_all(to, chunk, (size_t)n, err);
		}
	}
	*ret_bytes = bytes;
	return code;
}

/* Seals a memfd, so that it cannot change while the daemon reads. Fails harmlessly for other
 * files. */
static void seal(int fd)
{
	fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/* ---- companion files of a model */

/* Files beside NAME.tflite, and their names in a bundle. */
static const struct companion {
	const char *end, *name;
} companions[] = {
	{".tflite.minisig", "model.tflite.minisig"},
	{MODEL_SUFFIX, "model.tflite"},
	{".labels.txt", "labels.txt"},
	{".golden", "golden"},
	{".conf", "model.conf"},
};
#define N_COMPANIONS (sizeof(companions) / sizeof(companions[0]))

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);
	return length > n && strcmp(text + length - n, end) == 0;
}

/* Builds the path of one of the model's companion files. */
static int companion_path(const char *path, const struct companion *companion, char *out,
	size_t size, struct error *err)
{
	int stem = (int)(strlen(path) - strlen(MODEL_SUFFIX));
	int length = snprintf(out, size, "%.*s%s", stem, path, companion->end);
	return length < 0 || (size_t)length >= size
		? error_set(err, -EINVAL, "the path is too long")
		: 0;
}

/* Adds a header, the file and padding; the header is written last, with the file's size. */
static int part_add(int to, int from, const char *name, struct error *err)
{
	static const uint8_t zeros[TAR_BLOCK];
	uint8_t header[TAR_BLOCK];
	uint64_t bytes = 0;
	const off_t at = lseek(to, 0, SEEK_CUR);
	int code = write_all(to, zeros, TAR_BLOCK, err);
	code = code < 0 ? code : copy_rest(from, to, &bytes, err);
	code = code < 0 ? code : write_all(to, zeros, tar_padding(bytes), err);
	if (code < 0) {
		return code;
	}
	tar_encode(name, bytes, header);
	return pwrite(to, header, TAR_BLOCK, at) == TAR_BLOCK
		? 0
		: error_set(err, -EIO, "writing: %s", strerror(errno));
}

static int bundle_build(const char *path, int to, struct error *err)
{
	static const uint8_t end[2 * TAR_BLOCK];
	char file[4096];
	int code = 0;
	for (size_t i = 0; i < N_COMPANIONS && code == 0; i++) {
		code = companion_path(path, &companions[i], file, sizeof(file), err);
		owned_fd int fd = code < 0 ? -1 : open(file, O_RDONLY | O_CLOEXEC);
		if (code == 0 && fd >= 0) {
			code = part_add(to, fd, companions[i].name, err);
		} else if (code == 0 && errno != ENOENT) {
			code = error_set(err, -errno, "%s", strerror(errno));
		}
	}
	return code < 0 ? code : write_all(to, end, sizeof(end), err);
}

static bool has_companions(const char *path)
{
	char file[4096];
	bool found = false;
	for (size_t i = 0; i < N_COMPANIONS; i++) {
		bool itself = strcmp(companions[i].end, MODEL_SUFFIX) == 0;
		found = found ||
			(!itself &&
				companion_path(path, &companions[i], file, sizeof(file), NULL) ==
					0 &&
				access(file, F_OK) == 0);
	}
	return found;
}

/* ---- the file for the daemon */

/* Copies @from to a temporary file, or bundles the model @path and the files beside it. */
static int spool(int from, const char *path, int *ret_fd, struct error *err)
{
	owned_fd int fd = -1;
	uint64_t bytes = 0;
	int code = spool_open(&fd, err);
	if (code == 0) {
		code = path ? bundle_build(path, fd, err) : copy_rest(from, fd, &bytes, err);
	}
	if (code == 0) {
		seal(fd);
		*ret_fd = take_fd(fd);
	}
	return code;
}

/* Opens the file. Copies a stream to a temporary file; makes a bundle of a model file that has
 * files beside it. */
static int source_open(const char *path, int *ret_fd, struct error *err)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		return spool(STDIN_FILENO, NULL, ret_fd, err);
	}
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	if (S_ISREG(st.st_mode) && ends_in(path, MODEL_SUFFIX) && has_companions(path)) {
		return spool(-1, path, ret_fd, err);
	}
	if (!S_ISREG(st.st_mode)) {
		return spool(fd, NULL, ret_fd, err);
	}
	*ret_fd = take_fd(fd);
	return 0;
}

/* ---- install */

/* Returns --name, else the file's name; NULL: the bundle has the name. */
static const char *name_of(const struct cli_settings *s, const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	if (s->name || !ends_in(base, MODEL_SUFFIX)) {
		return s->name;
	}
	int length = (int)(strlen(base) - strlen(MODEL_SUFFIX));
	snprintf(out, size, "%.*s", length, base);
	return out;
}

static void print_first_line(const struct cli_settings *s, const char *text)
{
	char shown[256];
	if (text && !s->quiet) {
		puts(error_clean(shown, sizeof(shown), text, strcspn(text, "\n")));
	}
}

int cmd_install(const struct cli_settings *s)
{
	const char *path = s->arguments[0];
	char name[256];
	owned(edge_client_text_free) char *text = NULL;
	struct error err = {0};
	owned_fd int fd = -1;
	if (source_open(path, &fd, &err) < 0) {
		report_failed(path, &err);
		return EXIT_UNREADABLE;
	}
	if (remote_store(s->socket, s->timeout_ms, EDGE_CLIENT_STORE_INSTALL,
		    name_of(s, path, name, sizeof(name)), NULL, fd, &text, &err) < 0) {
		return report_failed(path, &err);
	}
	print_first_line(s, text);
	return EXIT_DONE;
}

/* ---- export */

/* Creates a file beside @path under an unused name. */
static int part_new(const char *path, char **ret_name, int *ret_fd, struct error *err)
{
	int code = -EEXIST;
	for (int i = 0; i < MAX_PARTS && code == -EEXIST; i++) {
		owned_mem char *name = NULL;
		char number[16] = "";
		if (i > 0) {
			snprintf(number, sizeof(number), "%d", i);
		}
		if (asprintf(&name, "%s.part%s", path, number) < 0) {
			name = NULL;
			return error_no_memory(err);
		}
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd >= 0) {
			*ret_fd = fd;
			*ret_name = take(name);
			return 0;
		}
		code = -errno;
	}
	return error_set(err, code, "%s", strerror(-code));
}

/* Writes to a temporary name and renames, so that the old file stays until the new one is
 * complete. */
static int deliver_file(int from, const char *path, struct error *err)
{
	owned_mem char *temporary = NULL;
	owned_fd int to = -1;
	uint64_t bytes = 0;
	int code = part_new(path, &temporary, &to, err);
	if (code < 0) {
		return code;
	}
	code = copy_rest(from, to, &bytes, err);
	if (code == 0 && rename(temporary, path) < 0) {
		code = error_set(err, -errno, "%s", strerror(errno));
	}
	if (code < 0) {
		unlink(temporary);
	}
	return code;
}

static int deliver(int from, const char *path, struct error *err)
{
	uint64_t bytes = 0;
	struct stat st;
	if (lseek(from, 0, SEEK_SET) < 0) {
		return error_set(err, -errno, "%s", strerror(errno));
	}
	if (strcmp(path, "-") == 0) {
		return copy_rest(from, STDOUT_FILENO, &bytes, err);
	}
	/* written directly: a pipe or a terminal cannot be renamed */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		owned_fd int to = open(path, O_WRONLY | O_CLOEXEC);
		return to < 0 ? error_set(err, -errno, "%s", strerror(errno))
			      : copy_rest(from, to, &bytes, err);
	}
	return deliver_file(from, path, err);
}

int cmd_export(const struct cli_settings *s)
{
	const char *path = s->n_arguments > 1 ? s->arguments[1] : "-";
	struct error err = {0};
	owned_fd int fd = -1;
	if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO)) {
		report_line("export: a bundle is nothing for a terminal: name a file");
		return EXIT_USAGE;
	}
	int code = spool_open(&fd, &err);
	code = code < 0 ? code
			: remote_store(s->socket, s->timeout_ms, EDGE_CLIENT_STORE_EXPORT,
				  s->arguments[0], NULL, fd, NULL, &err);
	if (code < 0) {
		return report_failed(NULL, &err);
	}
	if (deliver(fd, path, &err) < 0) {
		report_error(path, &err);
		return EXIT_UNREADABLE;
	}
	return EXIT_DONE;
}
