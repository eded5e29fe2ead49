/* SPDX-License-Identifier: Apache-2.0 */
/* input - one file becomes one input tensor, whatever the file is */
#ifndef CLIENT_PIPELINE_INPUT_H
#define CLIENT_PIPELINE_INPUT_H

#include "client/pipeline/fit.h"
#include "client/pipeline/source.h"

enum input_format {
	INPUT_AUTO, /* by what the bytes begin with, the name, or exactly the tensor's bytes */
	INPUT_IMAGE,
	INPUT_WAV,
	INPUT_S16LE, /* one channel of 16-bit samples at the model's rate */
	INPUT_CSV,
	INPUT_NPY,
	INPUT_RAW,
};

/*
 * The text of an error says what and where. An .npy of the tensor's own type is taken as stored;
 * another one of numbers is taken as real values, without normalisation. Raw bytes must be exactly
 * the tensor's.
 */
int must_check input_read(const struct spec *spec, const struct fit_options *options,
	enum input_format format, const struct source *source, struct tensor_bytes *ret_tensor,
	struct error *err);

#endif
