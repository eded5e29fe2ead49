/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle - a model and its companion files in one archive
 *
 * A plain tar (base/tar.h) of the files below in any order, each at most once. model.tflite is
 * required. No part is unpacked: a part is a range of the archive's bytes. Bytes after the
 * archive's end are ignored.
 */
#ifndef DAEMON_EDGED_STORE_BUNDLE_H
#define DAEMON_EDGED_STORE_BUNDLE_H

#include <sys/types.h>

#include "base/error.h"
#include "daemon/edged/model/loaded_model.h"

enum bundle_part {
	BUNDLE_MODEL, /* model.tflite */
	BUNDLE_LABELS, /* labels.txt */
	BUNDLE_GOLDEN, /* golden */
	BUNDLE_CONF, /* model.conf */
	BUNDLE_MINISIG, /* model.tflite.minisig */
	BUNDLE_EXAMPLES, /* examples.tsv; accepted only from store command INSTALL */
	BUNDLE_ABOUT, /* bundle.conf: section [bundle], key name */
	BUNDLE_PARTS
};

struct bundle {
	struct {
		off_t at, size; /* byte range in the file; @at 0: no such part */
	} parts[BUNDLE_PARTS];
};

const char *bundle_part_name(enum bundle_part part);

/* Returns true if @fd starts like a tar archive. */
bool bundle_is(int fd);
/* Finds the parts of @fd, which has @size bytes. -EBADMSG with the reason, or a read error. */
int must_check bundle_read(int fd, off_t size, struct bundle *ret_bundle, struct error *err);
/* Reads the model's name from bundle.conf; empty: none. -EINVAL with the reason. */
int must_check bundle_name(int fd, const struct bundle *bundle,
	char ret_name[LOADED_MODEL_NAME_SIZE], struct error *err);

/* Writing: call once for each part, then bundle_write_end(). */
int must_check bundle_write_bytes(int fd, enum bundle_part part, const void *data, size_t size);
/* Appends the whole file @from, which has @size bytes. */
int must_check bundle_write_file(int fd, enum bundle_part part, int from, off_t size);
int must_check bundle_write_name(int fd, const char *name);
int must_check bundle_write_end(int fd);

#endif
