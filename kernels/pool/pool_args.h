/* SPDX-License-Identifier: Apache-2.0 */
/* pool_args - the arguments of a row of the lists of kernels/pool/pool.h */
#ifndef KERNELS_POOL_POOL_ARGS_H
#define KERNELS_POOL_POOL_ARGS_H

#include "kernels/conv/window.h"

struct ek_pool {
	struct ek_window window;
	uint32_t channels;
	const void *input;
	int32_t lo, hi; /* integers */
	float lo_f32, hi_f32;
	void *output;
};

#endif
