/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-256, the name of a blob
 *
 * The only user of libnettle. (libgcrypt, a dependency of libsystemd, runs self-tests at its first
 * use and keeps a megabyte for them.)
 */
#ifndef DAEMON_SYSTEM_DIGEST_H
#define DAEMON_SYSTEM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_SIZE 65 /* 64 digits and the terminating 0 */

/* All zero: none. */
struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

bool digest_is_zero(const struct digest *digest);
bool digest_equal(const struct digest *a, const struct digest *b);

/* Writes 64 lower-case hexadecimal digits. Returns @out. */
char *digest_to_hex(const struct digest *digest, char out[DIGEST_TEXT_SIZE]);
/* Returns false for anything but 64 lower-case hexadecimal digits. */
bool digest_parse(const char *text, struct digest *ret_digest);

/* A hash in progress. */
struct digest_stream;

/* -ENOMEM. */
int must_check digest_stream_new(struct digest_stream **ret_stream);
void digest_stream_free(struct digest_stream *stream); /* NULL is fine */
DEFINE_OWNED(struct digest_stream *, digest_stream_free)
void digest_stream_add(struct digest_stream *stream, const void *data, size_t size);
/* Finishes the hash. Call once. */
struct digest digest_stream_end(struct digest_stream *stream);

struct digest digest_of(const void *data, size_t size);

/* Hashes the first @size bytes of @fd. -EBUSY if the file is shorter, or a read error. */
int must_check digest_of_file(int fd, off_t size, struct digest *ret_digest);

#endif
