/* SPDX-License-Identifier: Apache-2.0 */
/* conv_state - what CONV_2D and DEPTHWISE_CONV_2D keep from prepare to run: kernel, weights, tiles */
#ifndef BACKENDS_CPU_OPS_CONV_CONV_STATE_H
#define BACKENDS_CPU_OPS_CONV_CONV_STATE_H

#include "backends/cpu/blas.h"
#include "backends/cpu/operand/hybrid_operand.h"
#include "backends/cpu/ops/conv/conv_prepare.h"
#include "backends/cpu/row_fusion.h"
#include "backends/cpu/tile_grid.h"
#include "kernels/conv/conv.h"

/* Arguments as far as they are known before a run; a run fills in pointers to operands in a copy. */
struct conv_state {
	const struct ek_conv_q_row *row_q; /* one of the three */
	const struct ek_conv_f32_row *row_f32;
	const struct ek_conv_h_row *row_h;
	union {
		struct ek_conv_shape shape; /* first member of the others */
		struct ek_conv_q q;
		struct ek_conv_f32 f32;
		struct ek_conv_h h;
	};
	struct conv_weights weights;
	struct hybrid hybrid; /* with row_h */
	struct tile_grid_job job; /* but for args */
	struct blas
		blas; /* CONV_2D: open where it does the float products, of patch_rows pixels at once */
	uint32_t patch_rows;
};

/* Output pixels. */
static inline uint64_t conv_state_pixels(const struct conv_state *state)
{
	const struct ek_window *w = &state->shape.window;
	return (uint64_t)w->batch * w->y.out * w->x.out;
}

/* The kernel that was chosen. */
const struct ek_variant *conv_state_variant(const struct conv_state *state);

/* Prepares the kernel of @state, whose shape and row are set, and its weights of ek_conv_depth() times
 * out_c elements. The caller may change state->job afterwards. @asymmetric: rows of a hybrid product. */
int must_check conv_state_prepare(
	struct op_setup *setup, struct conv_state *state, bool asymmetric, struct error *err);

/* run() of struct cpu_op. */
int must_check conv_state_run(const struct op_call *call, struct error *err);

/* row_shape() and run_rows() of struct cpu_op. Not where a run computes something for all of the
 * picture before: scales, weights, patches. */
bool conv_state_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret);
void conv_state_run_rows(const struct op_call *call, const struct row_fusion_rows *rows);

#endif
