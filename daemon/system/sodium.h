/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sodium - Ed25519 and BLAKE2b-512 from libsodium
 *
 * The only user of the library, which is loaded to verify a signature and unloaded afterwards.
 */
#ifndef DAEMON_SYSTEM_SODIUM_H
#define DAEMON_SYSTEM_SODIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define SODIUM_HASH_BYTES 64

struct sodium; /* the loaded library */

/* -ELIBACC with text if the library is missing. */
int must_check sodium_load(struct sodium **ret_sodium, struct error *err);
void sodium_unload(struct sodium *sodium); /* NULL is fine */
DEFINE_OWNED(struct sodium *, sodium_unload)

/* Returns true if @signature is the Ed25519 signature of the data by @key. */
bool sodium_verify(const struct sodium *sodium, const uint8_t signature[64], const void *data,
	size_t size, const uint8_t key[32]);

/* Hashes the first @size bytes of @fd with BLAKE2b-512. -EBUSY if the file is shorter, or a read
 * error. */
int must_check sodium_hash_file(
	const struct sodium *sodium, int fd, off_t size, uint8_t ret_hash[SODIUM_HASH_BYTES]);

#endif
