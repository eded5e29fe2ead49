/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build(struct node_builder *b, enum op op, enum dtype type, float scale, int64_t zero)
{
	node_builder_init(b, op, op == OP_SOFTMAX ? 9 : 0);
	node_builder_quantise(b, node_builder_input(b, type, SHAPE(2, 3)), 0.5f, 0);
	node_builder_quantise(b, node_builder_output(b, type), scale, zero);
	b->node.options.softmax.beta = 1;
}

static void relus_keep_the_shape(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_RELU6, DTYPE_INT16, 0.5f, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	node_builder_costs(&b, 6);
	b.zeros[0][0] = 5;
	node_builder_refuses(&b, -EBADMSG, "input (int16) has zero point 5, must have 0");
	b.zeros[0][0] = 0;
	b.scales[1][0] = 1e-10f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 5e+09, must be below 2^30");
	b.scales[0][0] = 1e-10f;
	node_builder_refuses(&b, -EBADMSG, "limit is rescaled by 6e+10");
	build(&b, OP_RELU_N1_TO_1, DTYPE_INT16, 0.5f, 0);
	node_builder_refuses(&b, -EOPNOTSUPP, "RELU_N1_TO_1 v1 with int16 input is not there yet");
	build(&b, OP_RELU, DTYPE_FLOAT32, 0.5f, 0);
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "output is int8, must be float32");
}

static void logistic_wants_one_scale(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_LOGISTIC, DTYPE_INT8, 1.0f / 256, -128);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.zeros[1][0] = 0;
	node_builder_refuses(&b, -EBADMSG, "zero point 0, must be 1/256 and -128");
	build(&b, OP_LOGISTIC, DTYPE_UINT8, 1.0f / 128, 0);
	node_builder_refuses(&b, -EBADMSG, "output scale 0.0078125");
	build(&b, OP_LOGISTIC, DTYPE_INT16, 1.0f / 32768, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.scales[1][0] = 1.0f / 16384;
	node_builder_refuses(&b, -EBADMSG, "must be 2^-15");
	b.scales[1][0] = 1.0f / 32768;
	b.scales[0][0] = 1e6f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by 1.2288e+10");
}

static void tanh_takes_any_scale_of_bytes(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_TANH, DTYPE_INT8, 0.3f, 7);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.scales[1][0] = 1e-12f;
	node_builder_refuses(&b, -EBADMSG, "1 is rescaled by 1e+12");
	build(&b, OP_TANH, DTYPE_INT16, 0.3f, 0);
	node_builder_refuses(&b, -EBADMSG, "must be 2^-15");
	build(&b, OP_TANH, DTYPE_INT32, 0.3f, 0);
	node_builder_refuses(&b, -EOPNOTSUPP, "TANH v1 with int32 input is not there yet");
}

static void softmax_checks_what_probabilities_are_coded_as(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SOFTMAX, DTYPE_INT8, 1.0f / 256, -128);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.zeros[1][0] = 3;
	node_builder_refuses(&b, -EBADMSG, "zero point 3, must be 2^-8 and -128");
	b.tensors[1].type = DTYPE_INT16;
	node_builder_quantise(&b, 1, 1.0f / 65536, -32768);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.tensors[1].type = DTYPE_UINT8;
	node_builder_refuses(&b, -EOPNOTSUPP, "SOFTMAX v1 from int8 to uint8 is not there yet");
	build(&b, OP_SOFTMAX, DTYPE_FLOAT32, 1, 0);
	b.shapes[0] = (struct shape){0};
	node_builder_refuses(&b, -EBADMSG, "input has rank 0, must have 1 or more");
	b.shapes[0] = SHAPE(2, 3);
	b.tensors[1].type = DTYPE_FLOAT16;
	node_builder_refuses(&b, -EBADMSG, "output is float16, must be float32");
	build(&b, OP_TANH, DTYPE_FLOAT16, 1, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	build(&b, OP_LOGISTIC, DTYPE_FLOAT32, 1, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
}

static void softmax_checks_beta(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_SOFTMAX, DTYPE_UINT8, 1.0f / 256, 0);
	b.node.options.softmax.beta = 0;
	node_builder_refuses(&b, -EBADMSG, "beta 0 with input scale 0.5 is out of range");
	b.node.options.softmax.beta = -1;
	node_builder_refuses(&b, -EBADMSG, "beta -1");
	b.node.options.softmax.beta = (float)NAN;
	node_builder_refuses(&b, -EBADMSG, "beta nan");
	build(&b, OP_SOFTMAX, DTYPE_INT16, 1.0f / 32768, 0);
	b.node.options.softmax.beta = 1e30f;
	node_builder_refuses(&b, -EBADMSG, "input is rescaled by");
}

static void rows_of_codes_have_one_scale_each(void **state)
{
	(void)state;
	struct node_builder b;
	build(&b, OP_LOG_SOFTMAX, DTYPE_UINT8, 1.0f / 16, 255);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.zeros[1][0] = 127;
	node_builder_refuses(&b, -EBADMSG, "zero point 127, must be 0.0625 and 255");
	b.zeros[1][0] = 255;
	b.scales[0][0] = 1e-9f;
	node_builder_refuses(&b, -EBADMSG, "input scale 1e-09 is out of range");
	node_builder_init(&b, OP_L2_NORMALIZATION, OPTIONS_L2_NORM);
	node_builder_quantise(&b, node_builder_input(&b, DTYPE_INT8, SHAPE(2, 3)), 0.5f, 0);
	node_builder_quantise(&b, node_builder_output(&b, DTYPE_INT8), 1.0f / 128, 0);
	node_builder_accepts(&b, 0, SHAPE(2, 3));
	b.scales[1][0] = 1.0f / 127;
	node_builder_refuses(&b, -EBADMSG, "must be 0.0078125 and 0");
	b.node.options.arithmetic.activation = ACTIVATION_RELU;
	node_builder_refuses(&b, -EOPNOTSUPP, "with fused activation 1 is not there yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relus_keep_the_shape),
		cmocka_unit_test(logistic_wants_one_scale),
		cmocka_unit_test(tanh_takes_any_scale_of_bytes),
		cmocka_unit_test(softmax_checks_what_probabilities_are_coded_as),
		cmocka_unit_test(softmax_checks_beta),
		cmocka_unit_test(rows_of_codes_have_one_scale_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
