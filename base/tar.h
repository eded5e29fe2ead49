/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar - headers of ustar archives with regular files and short names
 *
 * Each file is a header of TAR_BLOCK bytes and its data, padded to TAR_BLOCK. A block of zeros ends
 * the archive. pax headers are accepted if they have only times and owners, and so is the folder
 * "./", because tools write both by default. Other entries (links, devices, folders, GNU long
 * names, binary sizes) are refused by name. Source: POSIX.1-2017, pax, "ustar Interchange Format"
 * and "pax Extended Header".
 */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define TAR_BLOCK 512
#define TAR_MAX_EXTENDED 4096 /* limit for the data of an extended header */
#define TAR_NAME_SIZE 101 /* 100 bytes and the terminating 0 */

enum tar_kind {
	TAR_FILE,
	TAR_END, /* block of zeros: end of the archive */
	TAR_HERE, /* the folder "./", without data */
	TAR_EXTENDED /* extended header; its @size bytes go to tar_check_extended() */
};

struct tar_entry {
	enum tar_kind kind;
	char name[TAR_NAME_SIZE]; /* without a leading "./" */
	uint64_t size; /* at most 8 GiB - 1 */
};

/* Returns true if tar_decode() may accept the block. */
bool tar_is(const uint8_t block[TAR_BLOCK]);
/* Parses a header. -EBADMSG with the reason. */
int must_check tar_decode(
	const uint8_t block[TAR_BLOCK], struct tar_entry *ret_entry, struct error *err);
/* Verifies the data of an extended header. -EBADMSG with the reason unless it has only times and
 * owners, so that the plain header's name and size are valid. */
int must_check tar_check_extended(const char *text, size_t size, struct error *err);
/* Writes a header. @name: at most 99 bytes; @size below 8 GiB. Reproducible: time and owner are
 * 0. */
void tar_encode(const char *name, uint64_t size, uint8_t ret_block[TAR_BLOCK]);
/* Returns the bytes of padding after a file of @size bytes. */
static inline uint32_t tar_padding(uint64_t size)
{
	return (uint32_t)(-size & (TAR_BLOCK - 1));
}

#endif
