/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy - NumPy array files, versions 1 and 2, little endian, C order
 *
 * Source: numpy.lib.format. The header must be exactly a dictionary of descr, fortran_order and
 * shape.
 */
#ifndef CLIENT_MEDIA_NPY_H
#define CLIENT_MEDIA_NPY_H

#include <stdio.h>

#include "base/dtype.h"
#include "base/error.h"

struct npy {
	unsigned int type; /* enum dtype */
	struct shape shape;
	const void *data; /* points into the parsed bytes, any alignment */
	uint64_t bytes;
};

/* Parses a file in memory. -EBADMSG: not an .npy file. -EOPNOTSUPP: Fortran order, big endian,
 * another type, or more than 8 dimensions. */
int must_check npy_parse(const void *data, size_t size, struct npy *ret_npy, struct error *err);

/* Writes a version 1 file. -EOPNOTSUPP: NumPy has no such type. -EIO. */
int must_check npy_write(FILE *file, const struct npy *npy, struct error *err);

#endif
