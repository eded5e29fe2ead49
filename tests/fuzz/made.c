/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/made.h"

#include <stdlib.h>

#include "tests/fakes/graph_builder.h"

#define CHANNELS 32000 /* of the filter bank: small enough to be opened */
#define BINS 16000
#define LARGE (1 << 22)
#define LONG_ROW (1 << 18)
#define FIRST_OUTPUT 8

/* One node, whose operands are tensors 0 and on. */
struct made {
	struct graph_builder b;
	int32_t operands[16]; /* outputs from FIRST_OUTPUT on */
	int16_t *widths; /* all of them BINS */
	int16_t *zeros; /* BINS and CHANNELS of them */
	struct node *node;
};

static void add_input(struct made *m, enum dtype type, struct shape shape)
{
	m->operands[m->node->n_inputs++] = graph_builder_input(&m->b, type, shape);
}

static void add_constant(struct made *m, enum dtype type, struct shape shape, const void *data)
{
	m->operands[m->node->n_inputs++] = graph_builder_constant(&m->b, type, shape, data);
}

/* The planner knows its shape from the rule; -1 leaves it open here. */
static void add_output(struct made *m, enum dtype type, struct shape shape)
{
	int32_t t = graph_builder_tensor(&m->b, type, shape);
	m->operands[FIRST_OUTPUT + m->node->n_outputs++] = t;
	graph_builder_output(&m->b, t);
}

/* Every channel is as wide as the bins allow. */
static void make_filter_bank(struct made *m)
{
	add_input(m, DTYPE_UINT32, SHAPE(BINS));
	add_constant(m, DTYPE_INT16, SHAPE(BINS), m->widths);
	add_constant(m, DTYPE_INT16, SHAPE(BINS), m->widths);
	add_constant(m, DTYPE_INT16, SHAPE(CHANNELS + 1), m->zeros);
	add_constant(m, DTYPE_INT16, SHAPE(CHANNELS + 1), m->zeros);
	add_constant(m, DTYPE_INT16, SHAPE(CHANNELS + 1), m->widths);
	add_output(m, DTYPE_UINT64, SHAPE(-1));
	m->node->options.signal_filter_bank.num_channels = CHANNELS;
}

static void make_square_root(struct made *m)
{
	add_input(m, DTYPE_UINT64, SHAPE(1024));
	add_constant(m, DTYPE_INT32, SHAPE(1), m->zeros);
	add_output(m, DTYPE_UINT32, SHAPE(-1));
	m->node->options.table = 0;
}

static void make_log(struct made *m)
{
	add_input(m, DTYPE_UINT32, SHAPE(1024));
	add_output(m, DTYPE_INT16, SHAPE(-1));
	m->node->options.signal_log = (struct options_signal_log){1, 1600};
}

static void make_pcan(struct made *m)
{
	add_input(m, DTYPE_UINT32, SHAPE(1024));
	add_input(m, DTYPE_UINT32, SHAPE(1024));
	add_constant(m, DTYPE_INT16, SHAPE(125), m->widths);
	add_output(m, DTYPE_UINT32, SHAPE(-1));
}

static void make_subtraction(struct made *m)
{
	add_input(m, DTYPE_UINT32, SHAPE(LARGE));
	add_output(m, DTYPE_UINT32, SHAPE(-1));
	add_output(m, DTYPE_UINT32, SHAPE(-1));
	m->node->options.signal_subtraction = (struct options_signal_subtraction){
		1, 1, 1, 1, .num_channels = LARGE, .smoothing_bits = 10};
}

static void make_auto_scale(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(1024));
	add_output(m, DTYPE_INT16, SHAPE(-1));
	add_output(m, DTYPE_INT32, (struct shape){0});
	m->node->options.table = 0;
}

static void make_energy(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(4 * LARGE));
	add_output(m, DTYPE_UINT32, SHAPE(-1));
	m->node->options.signal_energy = (struct options_signal_energy){0, 2 * LARGE};
}

static void make_framer(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(16, 16));
	add_output(m, DTYPE_INT16, SHAPE(-1, -1, -1));
	add_output(m, DTYPE_BOOL, (struct shape){0});
	m->node->options.signal_framer = (struct options_signal_framer){LONG_ROW, 1, true};
}

static void make_stacker(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(512));
	add_output(m, DTYPE_INT16, SHAPE(-1));
	add_output(m, DTYPE_BOOL, (struct shape){0});
	m->node->options.signal_stacker = (struct options_signal_stacker){512, 32000, 700, 1};
}

/* One sample of each stream, far behind the one that comes out. */
static void make_delay(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(4, 1));
	add_output(m, DTYPE_INT16, SHAPE(-1, -1));
	m->node->options.signal_delay.length = LARGE;
}

static void make_overlap_add(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(16, LONG_ROW));
	add_output(m, DTYPE_INT16, SHAPE(-1));
	m->node->options.signal_overlap_add = (struct options_signal_overlap_add){DTYPE_INT16, 1};
}

static void make_window(struct made *m)
{
	add_input(m, DTYPE_INT16, SHAPE(LARGE));
	add_input(m, DTYPE_INT16, SHAPE(LARGE));
	add_output(m, DTYPE_INT16, SHAPE(-1));
}

static const struct {
	enum op op;
	void (*make)(struct made *m);
} graphs[] = {
	{OP_SIGNAL_FILTER_BANK, make_filter_bank},
	{OP_SIGNAL_FILTER_BANK_SQUARE_ROOT, make_square_root},
	{OP_SIGNAL_FILTER_BANK_LOG, make_log},
	{OP_SIGNAL_PCAN, make_pcan},
	{OP_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION, make_subtraction},
	{OP_SIGNAL_FFT_AUTO_SCALE, make_auto_scale},
	{OP_SIGNAL_ENERGY, make_energy},
	{OP_SIGNAL_FRAMER, make_framer},
	{OP_SIGNAL_STACKER, make_stacker},
	{OP_SIGNAL_DELAY, make_delay},
	{OP_SIGNAL_OVERLAP_ADD, make_overlap_add},
	{OP_SIGNAL_WINDOW, make_window},
};

_Static_assert(sizeof(graphs) / sizeof(graphs[0]) * 2 == MADE_GRAPHS, "each of them twice");

static void fill_constants(struct made *m)
{
	for (int i = 0; i < BINS + CHANNELS; i++) {
		m->widths[i] = BINS;
	}
}

void made_try(uint32_t index, const struct trial_plan *plan,
	void (*found)(void *context, const struct finding *finding), void *context)
{
	owned_mem struct made *m = calloc(1, sizeof(*m));
	owned_mem int16_t *widths = calloc(BINS + CHANNELS, sizeof(*widths));
	owned_mem int16_t *zeros = calloc(BINS + CHANNELS, sizeof(*zeros));
	struct opened o = {0};
	if (!m || !widths || !zeros) {
		return;
	}
	m->widths = widths;
	m->zeros = zeros;
	fill_constants(m);
	graph_builder_init(&m->b);
	m->node = graph_builder_wide_node(&m->b, graphs[index / 2].op, NO_OPERANDS, NO_OPERANDS);
	m->node->inputs = m->operands;
	m->node->outputs = m->operands + FIRST_OUTPUT;
	m->node->options.table = (uint16_t)graphs[index / 2].op;
	graphs[index / 2].make(m);
	if (opened_init(&o, &m->b.graph, 0, index % 2 ? OPEN_ALL : OPEN_NOTHING)) {
		trial_graph(plan, &o, found, context);
	}
	opened_deinit(&o);
}
