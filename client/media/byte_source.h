/* SPDX-License-Identifier: Apache-2.0 */
/*
 * byte_source - reads an input file, standard input or a text of the command line into memory
 *
 * A file is opened once, read whole and closed. Decoders work on the copy, so a change of the file
 * meanwhile has no effect.
 */
#ifndef CLIENT_MEDIA_BYTE_SOURCE_H
#define CLIENT_MEDIA_BYTE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SOURCE_MAX_BYTES (256u << 20)

enum source_format {
	SOURCE_UNKNOWN, /* raw numbers, or an unknown format */
	SOURCE_JPEG,
	SOURCE_PNG,
	SOURCE_BMP,
	SOURCE_PNM, /* PPM and PGM */
	SOURCE_WAV,
	SOURCE_NPY,
	SOURCE_CSV,
};

struct source {
	const char *path; /* borrowed; "-": standard input; "text:...": the text itself */
	uint8_t *data; /* owned; never NULL after source_open(); followed by one zero byte */
	size_t size;
};

/* Reads @path, standard input for "-", or the text after "text:". -EFBIG: more than @limit bytes
 * (0: SOURCE_MAX_BYTES). -EISDIR: a directory. Else the error of open or read. */
int must_check source_open(
	const char *path, size_t limit, struct source *ret_source, struct error *err);
/* Reads a file that a configuration names: a regular file or /dev/null, which never block.
 * -EINVAL: another kind of file. Other errors like source_open(). */
int must_check source_open_file(
	const char *path, size_t limit, struct source *ret_source, struct error *err);
void source_close(struct source *source); /* @source may be zeroed */

/* Detects the format from the first bytes. CSV is detected by the name (.csv, .tsv, .txt) or,
 * without a name, if there are only numbers, separators and line ends. */
enum source_format source_format_of(const struct source *source);

/* True if the text was given on the command line ("text:..."). */
bool source_is_text(const struct source *source);

/* True if the name ends in .csv, .tsv or .txt. */
bool source_is_table_name(const char *path);

/* True for JPEG, PNG, BMP and PNM. */
bool source_is_image(enum source_format format);

#define owned_source __attribute__((cleanup(source_close)))

#endif
