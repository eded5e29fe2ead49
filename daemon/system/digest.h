/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-256, the name of a blob
 *
 * The only file that knows libnettle. (libgcrypt, which libsystemd brings along, tests itself when it is
 * first used, and keeps a megabyte for that.)
 */
#ifndef DAEMON_DIGEST_H
#define DAEMON_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_SIZE 65 /* 64 digits and the 0 */

/* All zero: none. */
struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

bool digest_none(const struct digest *digest);
bool digest_same(const struct digest *a, const struct digest *b);

/* 64 small hexadecimal digits; returns @out. */
char *digest_print(const struct digest *digest, char out[DIGEST_TEXT_SIZE]);
/* False for anything but 64 small hexadecimal digits. */
bool digest_parse(const char *text, struct digest *ret_digest);

/* A sum that goes on. */
struct digest_stream;

/* -ENOMEM. */
int must_check digest_stream_new(struct digest_stream **ret_stream);
void digest_stream_free(struct digest_stream *stream); /* NULL is fine */
DEFINE_OWNED(struct digest_stream *, digest_stream_free)
void digest_stream_add(struct digest_stream *stream, const void *data, size_t size);
/* Once. */
struct digest digest_stream_end(struct digest_stream *stream);

struct digest digest_of(const void *data, size_t size);

/* Of the first @size bytes of @fd. -EBUSY when it ends before, or what reading gave. */
int must_check digest_of_file(int fd, off_t size, struct digest *ret_digest);

#endif
