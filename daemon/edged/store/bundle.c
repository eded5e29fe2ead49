/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/store/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/background_yield.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/tar.h"
#include "base/text/ini.h"
#include "daemon/edged/store/import.h"
#include "daemon/edged/store/models_folder.h"

#define MAX_ABOUT 4096
#define MAX_ENTRIES (3 * BUNDLE_PARTS) /* parts, their extended headers, the end */

static const char *const names[BUNDLE_PARTS] = {
	[BUNDLE_MODEL] = "model.tflite",
	[BUNDLE_LABELS] = "labels.txt",
	[BUNDLE_GOLDEN] = "golden",
	[BUNDLE_CONF] = "model.conf",
	[BUNDLE_MINISIG] = "model.tflite.minisig",
	[BUNDLE_EXAMPLES] = "examples.tsv",
	[BUNDLE_ABOUT] = "bundle.conf",
};

const char *bundle_part_name(enum bundle_part part)
{
	return names[part];
}

/* ---- reading */

/* Reads one block; -EBADMSG at the end of the file. */
static int block_read(int fd, off_t at, uint8_t ret_block[TAR_BLOCK])
{
	const int code = file_read_at(fd, at, ret_block, TAR_BLOCK);
	return code == -EBUSY ? -EBADMSG : code;
}

bool bundle_is(int fd)
{
	uint8_t block[TAR_BLOCK];
	return block_read(fd, 0, block) == 0 && tar_is(block);
}

static int part_add(struct bundle *bundle, const struct tar_entry *entry, off_t at, off_t size,
	struct error *err)
{
	char escaped[TAR_NAME_SIZE];
	enum bundle_part part = BUNDLE_MODEL;
	error_escape(escaped, sizeof(escaped), entry->name, strlen(entry->name));
	while (part < BUNDLE_PARTS && strcmp(names[part], entry->name) != 0) {
		part++;
	}
	if (part == BUNDLE_PARTS) {
		return error_set(err, -EBADMSG, "the bundle: %s does not belong into one", escaped);
	}
	if (bundle->parts[part].at != 0) {
		return error_set(err, -EBADMSG, "the bundle: %s is there twice", escaped);
	}
	if (at > size || entry->size > (uint64_t)(size - at)) {
		return error_set(err, -EBADMSG, "the bundle: %s is cut short", escaped);
	}
	bundle->parts[part].at = at;
	bundle->parts[part].size = (off_t)entry->size;
	return 0;
}

static int entry_read(int fd, off_t at, struct tar_entry *ret_entry, struct error *err)
{
	uint8_t block[TAR_BLOCK];
	int code = block_read(fd, at, block);
	if (code < 0) {
		return error_set(err, code, "the bundle: %s",
			code == -EBADMSG ? "it is cut short" : strerror(-code));
	}
	code = tar_decode(block, ret_entry, err);
	if (code < 0) {
		error_prefix(err, "the bundle");
	}
	return code;
}

/* Verifies an extended header, of limited size. */
static int extended_check(int fd, off_t at, const struct tar_entry *entry, struct error *err)
{
	owned_mem char *text = NULL;
	if (entry->size > TAR_MAX_EXTENDED) {
		return error_set(err, -EBADMSG, "the bundle: an extended header is too long");
	}
	int code = import_read(fd, at, (off_t)entry->size, &text);
	if (code == -EBUSY) {
		return error_set(err, -EBADMSG, "the bundle: it is cut short");
	}
	if (code < 0) {
		return error_set(err, code, "the bundle: %s", strerror(-code));
	}
	code = tar_check_extended(text, (size_t)entry->size, err);
	if (code < 0) {
		error_prefix(err, "the bundle");
	}
	return code;
}

int bundle_read(int fd, off_t size, struct bundle *ret_bundle, struct error *err)
{
	struct bundle bundle = {0};
	struct tar_entry entry = {0};
	int n = 0;
	for (off_t at = 0; entry.kind != TAR_END;) {
		int code = n++ < MAX_ENTRIES
			? entry_read(fd, at, &entry, err)
			: error_set(err, -EBADMSG, "the bundle: more entries than belong into one");
		at += TAR_BLOCK;
		if (code == 0 && entry.kind == TAR_FILE) {
			code = part_add(&bundle, &entry, at, size, err);
		} else if (code == 0 && entry.kind == TAR_EXTENDED) {
			code = extended_check(fd, at, &entry, err);
		}
		if (code < 0) {
			return code;
		}
		at += (off_t)entry.size + tar_padding(entry.size);
	}
	if (bundle.parts[BUNDLE_MODEL].at == 0) {
		return error_set(err, -EBADMSG, "the bundle: it has no model.tflite");
	}
	*ret_bundle = bundle;
	return 0;
}

/* ---- bundle.conf */

static int on_section(void *context, const char *name, struct error *err)
{
	(void)context;
	return strcmp(name, "bundle") == 0
		? 0
		: error_set(err, -EINVAL, "the only section is [bundle]");
}

static int on_key(void *context, unsigned int line, char *key, char *value, struct error *err)
{
	char *name = context;
	(void)line;
	if (strcmp(key, "name") != 0 || !models_folder_name_valid(value, strlen(value))) {
		return error_set(err, -EINVAL, "the only key is name, a model's name");
	}
	memcpy(name, value, strlen(value) + 1);
	return 0;
}

int bundle_name(int fd, const struct bundle *bundle, char ret_name[LOADED_MODEL_NAME_SIZE],
	struct error *err)
{
	owned_mem char *text = NULL;
	const off_t at = bundle->parts[BUNDLE_ABOUT].at, size = bundle->parts[BUNDLE_ABOUT].size;
	const struct ini_reader reader = {
		.section = on_section, .key = on_key, .context = ret_name};
	ret_name[0] = 0;
	if (at == 0 || size == 0) {
		return 0;
	}
	if (size > MAX_ABOUT) {
		return error_set(err, -EFBIG, "bundle.conf is larger than %d bytes", MAX_ABOUT);
	}
	int code = import_read(fd, at, size, &text);
	FILE *file = code == 0 ? fmemopen(text, (size_t)size, "r") : NULL;
	if (!file) {
		return code < 0 ? error_set(err, code, "bundle.conf: %s", strerror(-code))
				: error_no_memory(err);
	}
	code = ini_read(file, "bundle.conf", &reader, err);
	fclose(file);
	return code;
}

/* ---- writing */

static int zeros_write(int fd, size_t n)
{
	static const uint8_t zeros[2 * TAR_BLOCK];
	return file_write(fd, zeros, n);
}

static int header_write(int fd, enum bundle_part part, uint64_t size)
{
	uint8_t block[TAR_BLOCK];
	tar_encode(names[part], size, block);
	return file_write(fd, block, sizeof(block));
}

int bundle_write_bytes(int fd, enum bundle_part part, const void *data, size_t size)
{
	int code = header_write(fd, part, size);
	if (code == 0) {
		code = file_write(fd, data, size);
	}
	return code < 0 ? code : zeros_write(fd, tar_padding(size));
}

static int chunk_write(void *context, const void *data, size_t size)
{
	const int *fd = context;
	const int code = file_write(*fd, data, size);
	background_yield_if_due();
	return code;
}

int bundle_write_file(int fd, enum bundle_part part, int from, off_t size)
{
	int code = header_write(fd, part, (uint64_t)size);
	if (code == 0) {
		code = file_each_chunk(from, 0, size, chunk_write, &fd);
	}
	return code < 0 ? code : zeros_write(fd, tar_padding((uint64_t)size));
}

int bundle_write_name(int fd, const char *name)
{
	char text[LOADED_MODEL_NAME_SIZE + 32];
	int length = snprintf(text, sizeof(text), "[bundle]\nname = %s\n", name);
	return bundle_write_bytes(fd, BUNDLE_ABOUT, text, (size_t)length);
}

int bundle_write_end(int fd)
{
	return zeros_write(fd, 2 * (size_t)TAR_BLOCK);
}
