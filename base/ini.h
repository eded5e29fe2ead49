/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ini - the dialect of edged.conf, of a model.conf, of pipelines and of the store's manifests
 *
 * [section], key = value, comments only where a line starts with # or ;. No continuation lines, no
 * quoting: a value is what stands behind the = without the blanks around it.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"

#define INI_MAX_LINE 4096
#define INI_MAX_NAME 80 /* of a section */

/* What is told, line by line; the first error ends the reading. */
struct ini_reader {
	/* @name: of a section that begins. */
	int (*section)(void *context, const char *name, struct error *err);
	/* A key of the section that was named last; the texts may be changed. */
	int (*key)(void *context, unsigned int line, char *key, char *value, struct error *err);
	void *context;
};

/* A regular file, or /dev/null: what a configuration is, or names. A FIFO or a terminal would be waited for. */
bool ini_is_file(const struct stat *st);

/* Opens such a file for ini_read(), to be closed by the caller; -EINVAL for another. The text begins with @path. */
int must_check ini_open(const char *path, FILE **ret_file, struct error *err);

/* Reads @file to its end. -EINVAL for a line that is none, -EIO, or what the functions gave; the
 * text begins with "@name:line: ". */
int must_check ini_read(
	FILE *file, const char *name, const struct ini_reader *reader, struct error *err);

/* The same; *line is always that of what is told. */
int must_check ini_read_lines(FILE *file, const char *name, const struct ini_reader *reader,
	unsigned int *line, struct error *err);

/* "yes" or "no". */
int must_check ini_truth(const char *value, bool *ret_truth);

#endif
