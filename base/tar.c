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
#define NUMBER_LENGTH 8 /* of mode, owner, group, and the checksum */
#define OWNER_AT 108
#define GROUP_AT 116
#define SIZE_AT 124
#define SIZE_LENGTH 12
#define TIME_AT 136
#define SUM_AT 148
#define TYPE_AT 156
#define MAGIC_AT 257
#define MAGIC_LENGTH 5 /* "ustar"; POSIX goes on with \0 00, GNU with two blanks */
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

/* All bytes, those of the checksum itself counted as blanks. */
static uint32_t sum_of(const uint8_t block[TAR_BLOCK])
{
	uint32_t sum = 0;
	for (int i = 0; i < TAR_BLOCK; i++) {
		bool inside = i >= SUM_AT && i < SUM_AT + NUMBER_LENGTH;
		sum += inside ? ' ' : block[i];
	}
	return sum;
}

/* Octal digits, up to a blank, a 0 or the field's end. */
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
		{'5', "a folder"}, {'6', "a FIFO"},
		{'x', "an extended header (use --format=ustar)"},
		{'g', "an extended header (use --format=ustar)"}, {'L', "a long name"},
		{'K', "a long name"}, {'S', "a file with holes"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == type) {
			return rows[i].name;
		}
	}
	return "no regular file";
}

int tar_decode(const uint8_t block[TAR_BLOCK], struct tar_entry *ret_entry, struct error *err)
{
	struct tar_entry entry = {0};
	char shown[NAME_LENGTH + 1];
	uint64_t sum = 0;
	if (is_zero(block)) {
		*ret_entry = (struct tar_entry){.end = true};
		return 0;
	}
	if (!tar_is(block) || !octal_parse(block + SUM_AT, NUMBER_LENGTH, &sum) ||
		sum != sum_of(block)) {
		return error_set(err, -EBADMSG, "no header of an archive");
	}
	memcpy(entry.name, block, NAME_LENGTH);
	error_escape(shown, sizeof(shown), entry.name, strlen(entry.name));
	if (block[TYPE_AT] != '0' && block[TYPE_AT] != 0) {
		return error_set(err, -EBADMSG, "%s is %s", shown, type_name(block[TYPE_AT]));
	}
	if (block[PREFIX_AT] != 0) {
		return error_set(err, -EBADMSG, "%s lies in a folder", shown);
	}
	if (!octal_parse(block + SIZE_AT, SIZE_LENGTH, &entry.size)) {
		return error_set(err, -EBADMSG, "%s has no size that counts", shown);
	}
	*ret_entry = entry;
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
