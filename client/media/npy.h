/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy - NumPy's array files, versions 1 and 2: little endian, C order
 *
 * Source: numpy.lib.format. A header that is not exactly a dictionary of descr, fortran_order and
 * shape is refused.
 */
#ifndef CLIENT_PIPELINE_NPY_H
#define CLIENT_PIPELINE_NPY_H

#include <stdio.h>

#include "base/dtype.h"
#include "base/error.h"

struct npy {
	unsigned int type; /* enum dtype */
	struct shape shape;
	const void *data; /* in the bytes given, any alignment */
	uint64_t bytes;
};

/* -EBADMSG for bytes that are no such file, -EOPNOTSUPP for Fortran order, big endian, other types
 * or more than 8 dimensions. */
int must_check npy_parse(const void *data, size_t size, struct npy *ret_npy, struct error *err);

/* Writes a version 1 file. -EOPNOTSUPP for types that NumPy does not have, -EIO. */
int must_check npy_write(FILE *file, const struct npy *npy, struct error *err);

#endif
