/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent - what the operators with a state of their own share: the walk over time and batch, and
 * products with float activations, whose weights are float or int8 (hybrid)
 *
 * Batch entries are independent of each other, so a sequence is taken entry by entry: for each, its
 * steps in order, each from one row of the input to one row of the output. The state of an entry is
 * its row of the variable; a run that fails leaves it anywhere, the session puts it back.
 */
#ifndef BACKENDS_CPU_OPS_RECURRENT_RECURRENT_H
#define BACKENDS_CPU_OPS_RECURRENT_RECURRENT_H

#include "backends/cpu/op.h"
#include "kernels/gemm/matvec.h"

struct recurrent_walk {
	uint32_t batch, steps;
	bool time_major;
	bool backward; /* the last step first */
};

/* Of an input [batch][width], which is one step, or [batch][steps][width], or with @time_major
 * [steps][batch][width]. */
struct recurrent_walk recurrent_walk_of(const struct shape *input, bool time_major);

/* One step of batch entry @entry; @row: index of its row in input and output. */
typedef int recurrent_step_fn(const struct op_call *call, const void *args, uint32_t entry,
	size_t row, struct error *err);

/* All steps of all entries, up to the first error. */
int must_check recurrent_walk_run(const struct op_call *call, const struct recurrent_walk *walk,
	recurrent_step_fn *step, const void *args, struct error *err);

#define RECURRENT_NONE 255 /* no operand: beyond any node's */

/* One direction of a sequence: where its rows come from and go to. */
struct recurrent_direction {
	struct recurrent_walk walk;
	uint32_t input, aux; /* operands; aux may be RECURRENT_NONE */
	uint32_t inputs, aux_inputs, outputs; /* elements of a row */
	uint32_t output; /* of the node */
	uint32_t out_width, out_offset; /* elements: of a row of it, and before this direction's */
};

/* The only one, of input 0 and output 0. */
struct recurrent_direction recurrent_one_way(const struct op_setup *setup, uint32_t outputs);

/*
 * Forward and backward. With @weighted both see the second input @aux beside the first, each with
 * weights of its own. Without, the second input, where there is one, is what the backward direction
 * sees alone: the backward output of a layer below whose directions were not joined. The option
 * merge_outputs puts both outputs side by side into one.
 */
void recurrent_two_ways(const struct op_setup *setup, uint32_t aux, bool weighted,
	const uint32_t outputs[static 2], struct recurrent_direction ret[static 2]);

struct recurrent_product {
	const struct ek_matvec_row *row;
	const struct ek_hybrid *quantise;
	bool hybrid, asymmetric; /* rows are quantised, and how */
};

/* Products with @weights; @asymmetric: the option asymmetric_quantize_inputs. */
struct recurrent_product recurrent_product_of(
	const struct op_setup *setup, const struct tensor *weights, bool asymmetric);

/* @x, float[n], as the products want it. @codes: int8[n], written and kept by a hybrid row. */
struct ek_matvec_x recurrent_x(
	const struct recurrent_product *p, const float *x, size_t n, int8_t *codes);

/* Operand @i, [rows][columns]; w is NULL where it was left out. */
struct ek_matvec recurrent_weights(const struct op_call *call, uint32_t i);

/* Bytes of operand @i in a run; NULL where it was left out. */
static inline void *recurrent_data(const struct op_call *call, uint32_t i)
{
	const struct value *v = op_in(call, i);
	return v ? v->data : NULL;
}

#endif
