/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sodium - Ed25519 and BLAKE2b-512 of libsodium
 *
 * The only door to that library, which is loaded when a signature is to be verified and let go afterwards: an
 * edged without signatures, or with nothing to verify, has none of it.
 */
#ifndef DAEMON_SODIUM_H
#define DAEMON_SODIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define SODIUM_HASH_BYTES 64

struct sodium; /* the library, loaded */

/* -ELIBACC with text where it is not there. */
int must_check sodium_load(struct sodium **ret_sodium, struct error *err);
void sodium_unload(struct sodium *sodium); /* NULL is fine */
DEFINE_OWNED(struct sodium *, sodium_unload)

/* True when @key signed just these bytes (Ed25519). */
bool sodium_verify(const struct sodium *sodium, const uint8_t signature[64], const void *data,
	size_t size, const uint8_t key[32]);

/* BLAKE2b-512 of the first @size bytes of @fd. -EBUSY when it ends before, or what reading gave. */
int must_check sodium_hash_file(
	const struct sodium *sodium, int fd, off_t size, uint8_t ret_hash[SODIUM_HASH_BYTES]);

#endif
