/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar - headers of archives: ustar, regular files with short names
 *
 * An archive is a header of TAR_BLOCK bytes and the file's bytes up to the next multiple of that, as often as
 * there are files, and a block of zeros. Extended headers of pax may be there when they say nothing but times and
 * owners, and so may the folder "./" itself: tools write both without being asked. Whatever else the formats know
 * (links, devices, folders, GNU's long names, sizes in binary) is refused by name.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TAR_BLOCK 512
#define TAR_MAX_EXTENDED 4096 /* bytes of an extended header that is looked at */
#define TAR_NAME_SIZE 101 /* 100 bytes and the 0 */

enum tar_kind {
	TAR_FILE,
	TAR_END, /* a block of zeros: no more entries */
	TAR_HERE, /* the folder "./" that the files lie in; it has no bytes */
	TAR_EXTENDED /* @size bytes for tar_check_extended() */
};

struct tar_entry {
	enum tar_kind kind;
	char name[TAR_NAME_SIZE]; /* without a "./" before it */
	uint64_t size; /* up to 8 GiB - 1 */
};

/* True for what begins like an archive that tar_decode() may take. */
bool tar_is(const uint8_t block[TAR_BLOCK]);
/* -EBADMSG with the reason. */
int must_check tar_decode(
	const uint8_t block[TAR_BLOCK], struct tar_entry *ret_entry, struct error *err);
/* The @size bytes of an extended header: -EBADMSG, with the reason, for one that says anything but times and owners,
 * so that name and size are those of the plain header. */
int must_check tar_check_extended(const char *text, size_t size, struct error *err);
/* @name: up to 99 bytes; @size below 8 GiB. The same for the same: time and owner are 0. */
void tar_encode(const char *name, uint64_t size, uint8_t ret_block[TAR_BLOCK]);
/* Zeros behind a file of that size. */
static inline uint32_t tar_padding(uint64_t size)
{
	return (uint32_t)(-size & (TAR_BLOCK - 1));
}

#endif
