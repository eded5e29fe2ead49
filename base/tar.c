/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tar.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Offsets and lengths of the header's fields. */
#define NAME_LENGTH 100
#define MODE_AT 100
#define NUMBER_LENGTH 8 /* length of mode, owner, group and checksum */
#define OWNER_AT 108
#define GROUP_AT 116
#define SIZE_AT 124
#define SIZE_LENGTH 12
#define TIME_AT 136
#define SUM_AT 148
#define TYPE_AT 156
#define MAGIC_AT 257
#define MAGIC_LENGTH 5 /* "ustar"; POSIX continues with \0 00, GNU with two blanks */
#define PREFIX_AT 345

bool tar_is(const uint8_t block[TAR_BLOCK])
{
	return memcmp(block + MAGIC_AT, "ustar", MAGIC_LENGTH) == 0;
}

static bool is_zero(const uint8_t block[TAR_BLOCK])
{
	static const uint8_t zeros[TAR_BLOCK];
	return memcmp(block, zeros, TAR_BLOCK) == 0;
}

/* Sums all bytes, with blanks for the checksum's field. */
static uint32_t sum_of(const uint8_t block[TAR_BLOCK])
{
	uint32_t sum = 0;
	for (int i = 0; i < TAR_BLOCK; i++) {
		bool inside = i >= SUM_AT && i < SUM_AT + NUMBER_LENGTH;
		sum += inside ? ' ' : block[i];
	}
	return sum;
}

/* Parses octal digits up to a blank, a 0 or the field's end. */
static bool octal_parse(const uint8_t *field, size_t length, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t at = 0;
	for (; at < length && field[at] >= '0' && field[at] <= '7'; at++) {
		number = number << 3 | (uint64_t)(field[at] - '0'); /* 12 digits: 36 bits */
	}
	*ret_number = number;
	return at > 0 && (at == length || field[at] == 0 || field[at] == ' ');
}

static const char *type_name(uint8_t type)
{
	static const struct {
		uint8_t type;
		const char *name;
	} rows[] = {{'1', "a link"}, {'2', "a link"}, {'3', "a device"}, {'4', "a device"},
		{'5', "a folder"}, {'6', "a FIFO"}, {'L', "a long name"}, {'K', "a long name"},
		{'S', "a file with holes"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == type) {
			return rows[i].name;
		}
	}
	return "no regular file";
}

/* Returns false for unsupported types. @entry has name and size. */
static bool kind_find(uint8_t type, struct tar_entry *entry)
{
	const bool here = type == '5' && entry->size == 0 &&
		(entry->name[0] == 0 || strcmp(entry->name, ".") == 0);
	const bool extended = type == 'x' || type == 'g';
	entry->kind = here ? TAR_HERE : extended ? TAR_EXTENDED : TAR_FILE;
	return here || extended || type == '0' || type == 0;
}

/* Parses the header's fields, after its checksum was verified. */
static int fields_decode(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, struct error *err)
{
	char name[TAR_NAME_SIZE] = "", shown[TAR_NAME_SIZE];
	memcpy(name, block, NAME_LENGTH);
	const size_t skip = memcmp(name, "./", 2) == 0 ? 2 : 0;
	memcpy(entry->name, name + skip, TAR_NAME_SIZE - skip);
	error_escape(shown, sizeof(shown), name, strlen(name));
	const bool counts = octal_parse(block + SIZE_AT, SIZE_LENGTH, &entry->size);
	if (!kind_find(block[TYPE_AT], entry)) {
		return error_set(err, -EBADMSG, "%s is %s", shown, type_name(block[TYPE_AT]));
	}
	if (block[PREFIX_AT] != 0 && entry->kind != TAR_EXTENDED) {
		return error_set(err, -EBADMSG, "%s lies in a folder", shown);
	}
	return counts ? 0 : error_set(err, -EBADMSG, "%s has no size that counts", shown);
}

int tar_decode(const uint8_t block[TAR_BLOCK], struct tar_entry *ret_entry, struct error *err)
{
	struct tar_entry entry = {0};
	uint64_t sum = 0;
	if (is_zero(block)) {
		*ret_entry = (struct tar_entry){.kind = TAR_END};
		return 0;
	}
	if (!tar_is(block) || !octal_parse(block + SUM_AT, NUMBER_LENGTH, &sum) ||
		sum != sum_of(block)) {
		return error_set(err, -EBADMSG, "no header of an archive");
	}
	int code = fields_decode(block, &entry, err);
	if (code == 0) {
		*ret_entry = entry;
	}
	return code;
}

/* ---- extended headers: lines "LENGTH KEY=VALUE"; LENGTH counts the whole line */

static bool key_allowed(const char *key, size_t length)
{
	static const char *const keys[] = {
		"mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i]) == length && memcmp(keys[i], key, length) == 0) {
			return true;
		}
	}
	return false;
}

/* Returns the length of the line at @text; 0: invalid. *ret_key is the offset of its key. */
static size_t line_length(const char *text, size_t size, size_t *ret_key)
{
	size_t length = 0, at = 0;
	for (; at < size && at < 4 && text[at] >= '0' && text[at] <= '9'; at++) {
		length = 10 * length + (size_t)(text[at] - '0');
	}
	*ret_key = at + 1;
	return at > 0 && length <= size && length > at + 2 && text[at] == ' ' &&
			text[length - 1] == '\n'
		? length
		: 0;
}

int tar_check_extended(const char *text, size_t size, struct error *err)
{
	while (size > 0) {
		char shown[64];
		size_t key = 0;
		const size_t length = line_length(text, size, &key);
		const char *end = length > 0 ? memchr(text + key, '=', length - key) : NULL;
		if (!end) {
			return error_set(err, -EBADMSG, "an extended header is malformed");
		}
		const size_t key_length = (size_t)(end - text) - key;
		if (!key_allowed(text + key, key_length)) {
			return error_set(err, -EBADMSG, "an extended header says %s",
				error_escape(shown, sizeof(shown), text + key, key_length));
		}
		text += length;
		size -= length;
	}
	return 0;
}

static void octal_print(uint8_t *field, int length, uint64_t number)
{
	char text[SIZE_LENGTH + 1];
	snprintf(text, sizeof(text), "%0*" PRIo64, length - 1, number);
	memcpy(field, text, (size_t)length);
}

void tar_encode(const char *name, uint64_t size, uint8_t ret_block[TAR_BLOCK])
{
	assert(strlen(name) < NAME_LENGTH && size < UINT64_C(1) << 33);
	memset(ret_block, 0, TAR_BLOCK);
	memcpy(ret_block, name, strlen(name));
	octal_print(ret_block + MODE_AT, NUMBER_LENGTH, 0644);
	octal_print(ret_block + OWNER_AT, NUMBER_LENGTH, 0);
	octal_print(ret_block + GROUP_AT, NUMBER_LENGTH, 0);
	octal_print(ret_block + SIZE_AT, SIZE_LENGTH, size);
	octal_print(ret_block + TIME_AT, SIZE_LENGTH, 0);
	ret_block[TYPE_AT] = '0';
	memcpy(ret_block + MAGIC_AT,
		"ustar\0"
		"00",
		8);
	octal_print(ret_block + SUM_AT, NUMBER_LENGTH - 1, sum_of(ret_block));
	ret_block[SUM_AT + NUMBER_LENGTH - 1] = ' ';
}
