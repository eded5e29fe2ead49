/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle - a model and what belongs to it in one archive
 *
 * A plain tar (base/tar.h) of the files below, each at most once, in any order, model.tflite at least.
 * Nothing of it is unpacked to a path: a part is a place in the file. What follows the archive's end is not read.
 */
#ifndef DAEMON_BUNDLE_H
#define DAEMON_BUNDLE_H

#include <sys/types.h>

#include "base/error.h"
#include "daemon/served.h"

enum bundle_part {
	BUNDLE_MODEL, /* model.tflite */
	BUNDLE_LABELS, /* labels.txt */
	BUNDLE_GOLDEN, /* golden */
	BUNDLE_CONF, /* model.conf */
	BUNDLE_MINISIG, /* model.tflite.minisig */
	BUNDLE_EXAMPLES, /* examples.tsv; only of what is installed by an order */
	BUNDLE_ABOUT, /* bundle.conf: [bundle] with name = */
	BUNDLE_PARTS
};

struct bundle {
	struct {
		off_t at, size; /* @at 0: it is not there */
	} parts[BUNDLE_PARTS];
};

const char *bundle_part_name(enum bundle_part part);

/* True when @fd begins like an archive. */
bool bundle_is(int fd);
/* Finds the parts of @fd, which has @size bytes. -EBADMSG with the reason, or what reading gave. */
int must_check bundle_read(int fd, off_t size, struct bundle *ret_bundle, struct error *err);
/* The model's name that bundle.conf says; empty: none. -EINVAL with the reason. */
int must_check bundle_name(
	int fd, const struct bundle *bundle, char ret_name[SERVED_NAME_SIZE], struct error *err);

/* Writing: the parts one after the other, then the end. */
int must_check bundle_write_bytes(int fd, enum bundle_part part, const void *data, size_t size);
/* All of the file @from, which has @size bytes. */
int must_check bundle_write_file(int fd, enum bundle_part part, int from, off_t size);
int must_check bundle_write_name(int fd, const char *name);
int must_check bundle_write_end(int fd);

#endif
