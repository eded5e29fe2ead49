/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void random_shapes_come_from_the_input(void **state)
{
	(void)state;
	int32_t dims[3] = {2, 0, 5};
	struct node_builder b;
	node_builder_init(&b, OP_RANDOM_UNIFORM, OPTIONS_RANDOM);
	node_builder_constant(&b, DTYPE_INT32, SHAPE(3), dims);
	node_builder_output(&b, DTYPE_FLOAT32);
	node_builder_accepts(&b, 0, SHAPE(2, 0, 5));
	dims[1] = -1;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -1, must be 0..16777216");
	b.constants[0] = NULL;
	node_builder_accepts(&b, 0, SHAPE(-1, -1, -1));
	b.shapes[0] = SHAPE(9);
	node_builder_refuses(&b, -EOPNOTSUPP, "an output of rank above 8 is not there yet");
	b.tensors[0].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EBADMSG, "input 0 (shape) is float32, must be int32");
}

static void multinomial_needs_a_class(void **state)
{
	(void)state;
	int32_t samples = 4;
	struct node_builder b;
	node_builder_init(&b, OP_MULTINOMIAL, OPTIONS_RANDOM);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(2, 5));
	node_builder_constant(&b, DTYPE_INT32, (struct shape){0}, &samples);
	node_builder_output(&b, DTYPE_INT64);
	node_builder_accepts(&b, 0, SHAPE(2, 4));
	samples = -3;
	node_builder_refuses(&b, -EBADMSG, "dimension 1 of the output is -3");
	b.constants[1] = NULL;
	node_builder_accepts(&b, 0, SHAPE(2, -1));
	b.shapes[0] = SHAPE(2, 0);
	node_builder_refuses(&b, -EBADMSG, "logits of no class");
	b.tensors[b.outputs[0]].type = DTYPE_FLOAT32;
	node_builder_refuses(&b, -EOPNOTSUPP, "MULTINOMIAL v1 with float32 output");
}

static void bit_generators_have_states_of_two_or_three_words(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_STABLEHLO_RNG_BIT_GENERATOR, OPTIONS_STABLEHLO_RNG_BIT_GENERATOR);
	node_builder_input(&b, DTYPE_UINT64, SHAPE(3));
	node_builder_output(&b, DTYPE_UINT64);
	int32_t bits = node_builder_output(&b, DTYPE_INT32);
	b.tensors[bits].shape = SHAPE(7, 2);
	node_builder_accepts(&b, 0, SHAPE(3));
	node_builder_accepts(&b, 1, SHAPE(7, 2));
	b.node.options.rng.algorithm = 2;
	node_builder_refuses(&b, -EBADMSG, "state of 3 words, must be 2");
	b.node.options.rng.algorithm = 3;
	node_builder_refuses(&b, -EOPNOTSUPP, "algorithm 3 is not there yet");
	b.node.options.rng.algorithm = 1;
	b.tensors[bits].shape = SHAPE(-1);
	node_builder_refuses(&b, -EBADMSG, "output 1 has no shape in the model");
	b.shapes[0] = SHAPE(4);
	b.tensors[bits].shape = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "state of 4 words, must be 2 or 3");
}

static void lsh_projection_counts_its_bits(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_LSH_PROJECTION, OPTIONS_LSH_PROJECTION);
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(3, 2));
	node_builder_input(&b, DTYPE_INT64, SHAPE(5, 4));
	node_builder_input(&b, DTYPE_FLOAT32, SHAPE(5));
	node_builder_output(&b, DTYPE_INT32);
	b.node.options.lsh.type = 1;
	node_builder_accepts(&b, 0, SHAPE(3));
	b.node.options.lsh.type = 2;
	node_builder_accepts(&b, 0, SHAPE(6));
	b.node.options.lsh.type = 0;
	node_builder_refuses(&b, -EBADMSG, "projection of type 0");
	b.shapes[2] = SHAPE(4);
	node_builder_refuses(&b, -EBADMSG, "4 weights for 5 items");
	b.shapes[2] = SHAPE(5);
	b.shapes[0] = SHAPE(1, 33);
	node_builder_refuses(&b, -EBADMSG, "33 bits of a hash, at most 32");
	b.tensors[1].type = DTYPE_INT4;
	node_builder_refuses(&b, -EOPNOTSUPP, "LSH_PROJECTION v1 with int4 input");
}

static void skip_gram_takes_strings_only(void **state)
{
	(void)state;
	struct node_builder b;
	node_builder_init(&b, OP_SKIP_GRAM, OPTIONS_SKIP_GRAM);
	node_builder_input(&b, DTYPE_STRING, SHAPE(1));
	node_builder_output(&b, DTYPE_STRING);
	node_builder_accepts(&b, 0, SHAPE(-1));
	b.node.options.skip_gram.ngram_size = 5000;
	node_builder_refuses(&b, -EBADMSG, "n-grams of 5000 words, at most 4096");
	b.shapes[0] = SHAPE(0);
	node_builder_refuses(&b, -EBADMSG, "input");
	b.tensors[0].type = DTYPE_INT32;
	node_builder_refuses(&b, -EBADMSG, "input is int32, must be string");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_shapes_come_from_the_input),
		cmocka_unit_test(multinomial_needs_a_class),
		cmocka_unit_test(bit_generators_have_states_of_two_or_three_words),
		cmocka_unit_test(lsh_projection_counts_its_bits),
		cmocka_unit_test(skip_gram_takes_strings_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
