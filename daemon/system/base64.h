/* SPDX-License-Identifier: Apache-2.0 */
/* base64 - RFC 4648, section 4 */
#ifndef DAEMON_SYSTEM_BASE64_H
#define DAEMON_SYSTEM_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* Decodes groups of four characters with padding; other characters are -EINVAL. *ret_data is owned
 * and zero-terminated. */
int must_check base64_decode(
	const char *text, size_t length, uint8_t **ret_data, size_t *ret_size, struct error *err);

/* Appends @data as base64. */
void base64_write(struct bytes_writer *w, const void *data, size_t size);

#endif
