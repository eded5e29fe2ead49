/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/op.h"

static int conv_accept(const struct op_setup *setup, struct error *err)
{
	(void)setup;
	return error_set(err, -EOPNOTSUPP, "CONV_2D is not there yet");
}

const struct cpu_op op_conv_2d = {.op = OP_CONV_2D, .accept = conv_accept};
