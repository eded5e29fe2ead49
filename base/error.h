/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - reason of a failure, for a person or a client
 *
 * A fallible function returns 0 or a negative errno, as libuv and sd-bus do. It writes its ret_
 * parameters only on success. It does not log: the handler of the error logs it once. If a person
 * or a client reads the reason, the function also takes a struct error, which may be NULL. The text
 * is printable UTF-8, also where it is cut (untrusted bytes become \xNN), and has no path or
 * address.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/status.h"

struct error {
	int code; /* negative errno */
	enum edge_status status; /* status for the client */
	char text[240];
	uint32_t retry_after_us; /* EDGE_OVERLOADED: delay before a retry; 0: none given */
};

/*
 * Fills @err, if it is not NULL, and returns @code, for `return error_set(err, -EBADMSG, "tensor
 * %u: ...", t);`. The status follows from the code:
 *
 *   -ENOMEM                       INTERNAL       -EBUSY, -EAGAIN          OVERLOADED
 *   -ENOENT                       NOT_FOUND      -ETIMEDOUT               DEADLINE
 *   -EACCES, -EPERM               DENIED         -ECANCELED               CANCELLED
 *   -E2BIG, -EFBIG                TOO_LARGE      -EIO                     BACKEND
 *   -EOPNOTSUPP                   UNSUPPORTED    -EBADMSG, -EILSEQ, -EDOM MODEL_REFUSED
 *   -EINVAL, -ERANGE, -EPROTO     INVALID        others                   INTERNAL
 */
int error_set(struct error *err, int code, const char *format, ...) printf_like(3, 4);

/* Prepends "prefix: " to the text and truncates the end. Does nothing to an empty error. */
void error_prefix(struct error *err, const char *format, ...) printf_like(2, 3);

/* Sets and returns -ENOMEM: return error_no_memory(err). */
int error_no_memory(struct error *err);

/* Returns the status of a negative errno, by the table of error_set(). */
enum edge_status error_status_of(int code);

/* Copies @text escaped into @out, at most @size - 1 bytes and a 0. C0, C1, DEL, bidirectional
 * controls, backslash and invalid UTF-8 become \xNN. Returns @out. Call it once, where names and
 * other untrusted bytes enter a message or log line. */
char *error_escape(char *out, size_t size, const void *text, size_t length);

/* Escapes like error_escape(), but keeps backslashes. For text from another process or a file whose
 * untrusted parts should already be escaped (reasons, errors, history). Output of error_escape()
 * stays unchanged. */
char *error_clean(char *out, size_t size, const void *text, size_t length);

#endif
