/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - why something failed, for a person or a peer
 *
 * A function that can fail returns int: 0 on success, a negative errno on failure, the language
 * libuv and sd-bus already speak. It writes its ret_ parameters only on success. It does not log:
 * who handles an error logs it, once. Where a person or a peer will read the reason it also takes a
 * struct error, which may be NULL. The text names what and where, holds only what a terminal shows
 * (foreign bytes are escaped as \xNN), is UTF-8 also where it is cut, and never a path or an address.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/status.h"

struct error {
	int code; /* negative errno */
	enum edge_status status; /* what a peer is told */
	char text[240];
	uint32_t retry_after_us; /* of EDGE_OVERLOADED: when to ask again; 0: not told */
};

/*
 * Fills @err (if not NULL) and returns @code, so that `return error_set(err, -EBADMSG, "tensor %u:
 * ...", t);` is one line. The status follows from the code: -ENOMEM INTERNAL, -ENOENT NOT_FOUND,
 * -EACCES and -EPERM DENIED, -E2BIG and -EFBIG TOO_LARGE, -EOPNOTSUPP UNSUPPORTED, -EBUSY and
 * -EAGAIN OVERLOADED, -ETIMEDOUT DEADLINE, -ECANCELED CANCELLED, -EIO BACKEND, -EBADMSG
 * MODEL_REFUSED, -EINVAL, -ERANGE and -EPROTO INVALID, all others INTERNAL.
 */
int error_set(struct error *err, int code, const char *format, ...) printf_like(3, 4);

/* Puts "prefix: " before the text that is there (truncating at the end); does nothing to an empty
 * error. */
void error_prefix(struct error *err, const char *format, ...) printf_like(2, 3);

/* Out of memory, in one line: return error_no_memory(err). */
int error_no_memory(struct error *err);

/* The status that belongs to a negative errno by the table above. */
enum edge_status error_status_of(int code);

/*
 * Copies at most @size - 1 bytes of escaped @text into @out and ends it with 0: C0, C1, DEL,
 * bidirectional controls, backslash and what is not UTF-8 become \xNN. Returns @out. For names and
 * other foreign bytes, once, where they become part of a text that is told, printed or logged.
 */
char *error_escape(char *out, size_t size, const void *text, size_t length);

/*
 * The same, but for backslashes, which stay: for a text that was told, so whoever wrote it has
 * escaped what is foreign in it (reasons, errors, lines of the history), and that comes from another process or
 * a file, which need not have. What error_escape() made is left as it is.
 */
char *error_clean(char *out, size_t size, const void *text, size_t length);

#endif
