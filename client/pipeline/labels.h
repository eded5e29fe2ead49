/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels - names of classes by number
 *
 * A file of lines in one of three forms: `name` (the line's number, from 0, is the class), `id
 * name` or `id:name`. A file has the second or third form when every line that is not empty starts
 * with a number and a separator and no number comes twice. Text is UTF-8 as it is in the file, without
 * the blanks at the end of a line.
 */
#ifndef CLIENT_PIPELINE_LABELS_H
#define CLIENT_PIPELINE_LABELS_H

#include "base/error.h"

#define LABELS_MAX 1000000u /* largest class number + 1 */
#define LABELS_MAX_BYTES 255u /* of a name: decisions keep many of them for each source */

struct labels {
	char *text; /* owned; the names, each 0-terminated */
	const char **names; /* owned; NULL for a class without a name */
	size_t n;
};

/* -EINVAL for a zero byte in the text or a longer name, -ENOMEM. @text is copied. */
int must_check labels_parse(
	const char *text, size_t size, struct labels *ret_labels, struct error *err);
void labels_free(struct labels *labels); /* zeroed is fine */

/* NULL when there is none. */
const char *labels_get(const struct labels *labels, size_t index);

#define owned_labels __attribute__((cleanup(labels_free)))

#endif
