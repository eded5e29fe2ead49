/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini - file format of edged.conf, model.conf, pipelines and manifests
 *
 * [section] and key = value. A comment is a line that starts with # or ;. No continuation lines and
 * no quotes: a value is the text after = without surrounding blanks.
 */
#ifndef BASE_TEXT_INI_H
#define BASE_TEXT_INI_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"

#define INI_MAX_LINE 4096
#define INI_MAX_NAME 80 /* section name */

/* Callbacks for each line; the first error ends the reading. */
struct ini_reader {
	/* A section starts. */
	int (*section)(void *context, const char *name, struct error *err);
	/* A key of the current section. May change the texts. */
	int (*key)(void *context, unsigned int line, char *key, char *value, struct error *err);
	void *context;
};

/* Returns true for a regular file or /dev/null. A FIFO or terminal could block the reader. */
bool ini_is_file(const struct stat *st);

/* Opens a file for ini_read(), which the caller closes; -EINVAL unless ini_is_file(). The error's
 * text begins with @path. */
int must_check ini_open(const char *path, FILE **ret_file, struct error *err);

/* Reads @file to its end. -EINVAL for a malformed line, -EIO, or the error of a callback. The text
 * begins with "@name:line: ". */
int must_check ini_read(
	FILE *file, const char *name, const struct ini_reader *reader, struct error *err);

/* Reads like ini_read(). *line is the number of the current line, also in callbacks. */
int must_check ini_read_lines(FILE *file, const char *name, const struct ini_reader *reader,
	unsigned int *line, struct error *err);

/* Parses "yes" or "no". */
int must_check ini_parse_bool(const char *value, bool *ret_truth);

#endif
