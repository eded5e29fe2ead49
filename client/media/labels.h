/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels - names of classes by index
 *
 * A labels file has lines of one form: `name` (the class is the line's index, from 0), `id name`
 * or `id:name`. A file has the second or third form if every non-empty line begins with a number
 * and a separator and no number is repeated. Text is kept as it is in the file, except blanks at
 * the end of a line.
 */
#ifndef CLIENT_MEDIA_LABELS_H
#define CLIENT_MEDIA_LABELS_H

#include "base/error.h"

#define LABELS_MAX 1000000u /* largest class index + 1 */
#define LABELS_MAX_BYTES 255u /* bytes of a name; decisions keep many names for each source */

struct labels {
	char *text; /* owned; the names, each zero-terminated */
	const char **names; /* owned; NULL: a class without a name */
	size_t n;
};

/* Copies @text. -EINVAL: a zero byte in the text, or a name that is too long. -ENOMEM. */
int must_check labels_parse(
	const char *text, size_t size, struct labels *ret_labels, struct error *err);
void labels_free(struct labels *labels); /* @labels may be zeroed */

/* Returns the name of class @index; NULL: no name. */
const char *labels_get(const struct labels *labels, size_t index);

#define owned_labels __attribute__((cleanup(labels_free)))

#endif
