/* SPDX-License-Identifier: Apache-2.0 */
/* conv_prepare - what CONV_2D, DEPTHWISE_CONV_2D and their kin prepare alike: windows, types, scales,
 * weights */
#ifndef BACKENDS_CPU_OPS_CONV_CONV_PREPARE_H
#define BACKENDS_CPU_OPS_CONV_CONV_PREPARE_H

#include "backends/cpu/op.h"
#include "kernels/conv/window.h"
#include "kernels/math/quant.h"

/* One axis of a window: padding before the first element follows from the output's size, for SAME
 * and VALID alike (tflite kernels/padding.h). All arguments at least 1. */
struct ek_window_axis conv_prepare_axis(
	int32_t in, int32_t out, int32_t taps, int32_t stride, int32_t dilation);

/* The window of CONV_2D and DEPTHWISE_CONV_2D: input [batch, h, w, ...], with setup->pad around it,
 * weights [..., h, w, ...]. */
struct ek_window conv_prepare_window(const struct op_setup *setup);

/* Operands 0, 1 and 2 have types that the kernels here take: float32, also with int8, int4 or uint8
 * weights; int8 with int8 or int4 weights; uint8; int16 with int8 or int4 weights and int32 or int64
 * bias. -EOPNOTSUPP naming what is missing. */
int must_check conv_prepare_accept_operands(const struct op_setup *setup, struct error *err);

/* True for float activations with integer weights: kernels/hybrid/hybrid.h. */
bool conv_prepare_is_hybrid(const struct op_setup *setup);

/* conv_prepare_accept_operands(), and output 0 has the type of operand 0. */
int must_check conv_prepare_accept_types(const struct op_setup *setup, struct error *err);

/* Bias of operand 2 by its type; both NULL where it was left out. */
struct conv_bias {
	const int32_t *b32;
	const int64_t *b64;
};
struct conv_bias conv_bias_bind(const struct op_call *call);

/* [channels] factors scale(input) * scale(weights, channel) / scale(output) beside the packed weights; for
 * uint8 the product of the two is rounded to float first, as the reference has it. */
int must_check conv_prepare_scales(struct op_setup *setup, uint32_t channels,
	const struct ek_scale **ret_scales, struct error *err);

/*
 * CPU features of the kernel that multiplies @rows rows, or pixels, with operand 1: none where a run
 * computes the weights, which entry 0 of the lists reads in the file's order, and none where packing
 * them for one run takes longer than it saves.
 */
uint64_t conv_prepare_features(const struct op_setup *setup, uint64_t rows);

/* Weights of operand 1 where a kernel does not read them from the operand itself. */
struct conv_weights {
	const void *plain; /* dense, in the file's order; NULL: a run reads the operand */
	void *made; /* @plain where it is no constant of the file, NULL else */
	void *packed; /* room for the row's pack function; NULL: it packs nothing */
	bool is_packed; /* at an earlier load: @packed is not written */
	const void *source; /* what the pack function reads */
	uint64_t packed_bytes;
	uint64_t unpacked_at; /* of the scratch, and of how many elements: computed int4 */
	uint64_t n_unpacked;
};

/*
 * Makes int8 of constant int4 weights and dense ones of sparse ones, and takes @packed_bytes (0:
 * none), all in program memory or, what is packed, in the model's file of packed
 * weights; for int4 weights that are computed, takes scratch. @elements: of
 * the weights.
 */
int must_check conv_weights_prepare(struct op_setup *setup, uint64_t elements,
	uint64_t packed_bytes, struct conv_weights *ret_weights, struct error *err);

/* What prepare() ends with where a row packs weights: has @pack do it, of @state, unless they are there,
 * and makes them those that a run reads. */
void conv_weights_pack(
	struct op_setup *setup, struct conv_weights *weights, op_pack_fn *pack, const void *state);

/* conv_weights_unpack() where there are some. */
int must_check conv_weights_unpack_int4(
	const struct op_call *call, const struct conv_weights *weights, struct error *err);

/* Unpacks int4 weights that are not known before the run. 0, -ETIMEDOUT or -ECANCELED. */
static inline int must_check conv_weights_unpack(
	const struct op_call *call, const struct conv_weights *weights, struct error *err)
{
	return weights->n_unpacked ? conv_weights_unpack_int4(call, weights, err) : 0;
}

/* Weights of this run where they are not known before: the operand, or its int4 elements, which
 * conv_weights_unpack() has unpacked. */
const void *conv_weights_bind(const struct op_call *call, const struct conv_weights *weights);

#endif
