/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fakes/node_builder.h"

static void build_constants(struct node_builder *b, const int64_t *window, const int64_t *strides,
	const int64_t *dilations)
{
	node_builder_init(b, OP_REDUCE_WINDOW, OPTIONS_REDUCE_WINDOW);
	node_builder_input(b, DTYPE_INT16, SHAPE(7, 4));
	node_builder_input(b, DTYPE_INT16, (struct shape){0});
	node_builder_constant(b, DTYPE_INT64, SHAPE(2), window);
	node_builder_constant(b, DTYPE_INT64, SHAPE(2), strides);
	node_builder_constant(b, DTYPE_INT64, SHAPE(2), dilations);
	node_builder_output(b, DTYPE_INT16);
	b->node.options.reduce_window.function = 1;
}

static void windows_come_from_constants(void **state)
{
	(void)state;
	static int64_t window[] = {3, 1}, strides[] = {2, 1}, dilations[] = {2, 1};
	struct node_builder b;
	build_constants(&b, window, strides, dilations);
	node_builder_accepts(&b, 0, SHAPE(2, 4));
	node_builder_costs(&b, 2 * 4 * 3);
	window[0] = 9;
	node_builder_accepts(&b, 0, SHAPE(0, 4));
	window[0] = 0;
	node_builder_refuses(&b, -EBADMSG, "window 0 of dimension 0, must be 1 to 1073741824");
	window[0] = INT64_MAX;
	node_builder_refuses(&b, -EBADMSG, "window 9223372036854775807 of dimension 0");
	window[0] = 3;
	strides[1] = INT64_MIN;
	node_builder_refuses(&b, -EBADMSG, "stride -9223372036854775808 of dimension 1");
	strides[1] = 1;
	b.node.options.reduce_window.function = 7;
	node_builder_refuses(&b, -EBADMSG, "reduce function 7");
	b.constants[3] = NULL;
	node_builder_refuses(&b, -EBADMSG, "input 3 (strides) must be a constant");
	b.shapes[2] = SHAPE(1);
	node_builder_refuses(&b, -EBADMSG, "input 2 (window) has 1 elements, input has rank 2");
	b.shapes[1] = SHAPE(2);
	node_builder_refuses(&b, -EBADMSG, "init must have one element");
	b.tensors[1].type = DTYPE_INT8;
	node_builder_refuses(&b, -EBADMSG, "init is int8, must be int16");
}

/* Lists of the options are little-endian int64 at any alignment. */
static struct options_list list(const int64_t *values, uint32_t n)
{
	return (struct options_list){(const uint8_t *)values, n};
}

struct with_body {
	struct node_builder b;
	struct subgraph graphs[2];
	struct node body;
};

static void build_options(struct with_body *w, const int64_t *window, const int64_t *padding)
{
	struct node_builder *b = &w->b;
	node_builder_init(b, OP_STABLEHLO_REDUCE_WINDOW, OPTIONS_STABLEHLO_REDUCE_WINDOW);
	node_builder_input(b, DTYPE_FLOAT32, SHAPE(5, 2));
	node_builder_input(b, DTYPE_FLOAT32, (struct shape){0});
	node_builder_output(b, DTYPE_FLOAT32);
	struct options_hlo_reduce_window *o = &b->node.options.hlo_reduce_window;
	o->window = list(window, 2);
	o->padding = list(padding, 4);
	o->body = 1;
	w->body = (struct node){.op = OP_STABLEHLO_MAXIMUM, .version = 1, .n_inputs = 2};
	w->graphs[0] = b->subgraph;
	w->graphs[1] = (struct subgraph){.nodes = &w->body, .n_nodes = 1};
	b->graph = (struct graph){.subgraphs = w->graphs, .n_subgraphs = 2};
}

static void lists_that_are_left_out_mean_one_and_nothing(void **state)
{
	(void)state;
	static int64_t window[] = {2, 2}, padding[] = {1, -2, 0, 3}, base[] = {3, 1};
	struct with_body w;
	build_options(&w, window, padding);
	node_builder_accepts(&w.b, 0, SHAPE(3, 4));
	w.b.node.options.hlo_reduce_window.base_dilations = list(base, 2);
	node_builder_accepts(&w.b, 0, SHAPE(11, 4));
	w.b.node.options.hlo_reduce_window.strides = list(base, 2);
	node_builder_accepts(&w.b, 0, SHAPE(4, 4));
	w.b.node.options.hlo_reduce_window.strides = list(base, 1);
	node_builder_refuses(&w.b, -EBADMSG, "window_strides has 1 elements, must have 2");
	w.b.node.options.hlo_reduce_window.window = list(NULL, 0);
	node_builder_refuses(&w.b, -EBADMSG, "window_dimensions has 0 elements, must have 2");
}

static void padding_leaves_something_and_stays_in_bounds(void **state)
{
	(void)state;
	static int64_t window[] = {2, 2}, padding[] = {-2, -3, 0, 0};
	struct with_body w;
	build_options(&w, window, padding);
	node_builder_refuses(&w.b, -EBADMSG, "padding leaves 0 elements of dimension 0");
	padding[0] = INT64_MAX;
	node_builder_refuses(&w.b, -EBADMSG, "padding before 9223372036854775807");
	padding[0] = 1 << 30;
	node_builder_refuses(&w.b, -EFBIG, "windows along dimension 0");
	padding[0] = 0;
	padding[1] = 0;
	padding[3] = 1 << 20;
	window[1] = 1 << 20;
	window[0] = 4;
	node_builder_accepts(&w.b, 0, SHAPE(2, 3));
	window[0] = 5;
	padding[2] = 1 << 23;
	window[1] = 1 << 23;
	node_builder_refuses(&w.b, -EFBIG, "a window of 41943040 elements, at most 16777216");
}

static void body_is_one_known_operator_of_two(void **state)
{
	(void)state;
	static const int64_t window[] = {2, 2}, padding[4] = {0};
	struct with_body w;
	build_options(&w, window, padding);
	w.body.op = OP_SUB;
	node_builder_refuses(&w.b, -EOPNOTSUPP, "body SUB is not there yet");
	w.graphs[1].n_nodes = 0;
	node_builder_refuses(&w.b, -EOPNOTSUPP, "a body that is not one operator");
	w.b.node.options.hlo_reduce_window.body = 2;
	node_builder_refuses(&w.b, -EBADMSG, "body is subgraph 2 of 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_come_from_constants),
		cmocka_unit_test(lists_that_are_left_out_mean_one_and_nothing),
		cmocka_unit_test(padding_leaves_something_and_stays_in_bounds),
		cmocka_unit_test(body_is_one_known_operator_of_two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
