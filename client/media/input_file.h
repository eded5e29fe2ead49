/* SPDX-License-Identifier: Apache-2.0 */
/* input_file - converts a file of any supported format to one input tensor */
#ifndef CLIENT_MEDIA_INPUT_FILE_H
#define CLIENT_MEDIA_INPUT_FILE_H

#include "client/media/byte_source.h"
#include "client/media/preprocess.h"

enum input_format {
	INPUT_AUTO, /* by the first bytes, the name, or if the size is exactly the tensor's */
	INPUT_IMAGE,
	INPUT_WAV,
	INPUT_S16LE, /* one channel of 16-bit samples at the model's rate */
	INPUT_CSV,
	INPUT_NPY,
	INPUT_RAW,
};

/*
 * Reads @source as one tensor. An .npy file of the tensor's type is taken as stored; an .npy file
 * of another numeric type is taken as real values without normalization. Raw bytes must have
 * exactly the tensor's size. Error messages name the file and the reason.
 */
int must_check input_file_read(const struct tensor_spec *spec,
	const struct preprocess_options *options, enum input_format format,
	const struct source *source, struct tensor_bytes *ret_tensor, struct error *err);

#endif
