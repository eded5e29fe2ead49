/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - the bytes of one input file, of standard input, or of the command line
 *
 * A file is opened once, read into memory whole and closed; what is decoded afterwards is that
 * copy, so nobody can change it meanwhile.
 */
#ifndef CLIENT_PIPELINE_SOURCE_H
#define CLIENT_PIPELINE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SOURCE_MAX_BYTES (256u << 20)

enum source_format {
	SOURCE_UNKNOWN, /* raw numbers, or nothing that we know */
	SOURCE_JPEG,
	SOURCE_PNG,
	SOURCE_BMP,
	SOURCE_PNM, /* PPM and PGM */
	SOURCE_WAV,
	SOURCE_NPY,
	SOURCE_CSV,
};

struct source {
	const char *path; /* borrowed; "-" is standard input, "text:..." the text itself */
	uint8_t *data; /* owned; never NULL after source_open(), one zero byte follows the last */
	size_t size;
};

/* Reads @path, standard input for "-", or what follows "text:". -EFBIG above @limit bytes (0: SOURCE_MAX_BYTES), -EISDIR
 * for a directory, else what open and read gave. */
int must_check source_open(
	const char *path, size_t limit, struct source *ret_source, struct error *err);
/* The same of what a configuration names: a regular file or /dev/null, which nobody waits for. -EINVAL for another. */
int must_check source_open_file(
	const char *path, size_t limit, struct source *ret_source, struct error *err);
void source_close(struct source *source); /* zeroed is fine */

/* What the bytes say they are; CSV is told by its name (.csv, .tsv, .txt) or, without a name, by
 * holding nothing but numbers, separators and line ends. */
enum source_format source_format_of(const struct source *source);

/* Was it given on the command line? */
bool source_is_text(const struct source *source);

/* Does the name end as those of text tables do? */
bool source_is_table_name(const char *path);

/* True for JPEG, PNG, BMP and PNM. */
bool source_is_image(enum source_format format);

#define owned_source __attribute__((cleanup(source_close)))

#endif
