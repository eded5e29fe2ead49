/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/hybrid.h"

#include "backends/cpu/quant.h"

struct hybrid hybrid_prepare(
	struct op_setup *setup, uint64_t n_rows, uint64_t depth, bool asymmetric)
{
	return (struct hybrid){
		.n_rows = n_rows,
		.depth = depth,
		.codes_at = op_scratch(setup, n_rows * depth),
		.rows_at = op_scratch(setup, n_rows * sizeof(struct ek_hybrid_row)),
		.asymmetric = asymmetric,
		.kernel = ek_pick(
			ek_hybrid, ek_hybrid_count, sizeof(*ek_hybrid), setup->cpu_features),
	};
}

int hybrid_run(const struct op_call *call, const struct hybrid *hybrid,
	struct hybrid_rows *ret_rows, struct error *err)
{
	uint8_t *scratch = call->scratch;
	int8_t *codes = (int8_t *)scratch + (size_t)hybrid->codes_at;
	struct ek_hybrid_row *rows = (void *)(scratch + (size_t)hybrid->rows_at);
	const float *values = op_in(call, hybrid->operand)->data;
	for (uint64_t i = 0; i < hybrid->n_rows; i++) {
		int r = run_control_check(call->control);
		if (r < 0) {
			return error_set(err, r, "given up between two rows");
		}
		size_t at = (size_t)(i * hybrid->depth);
		rows[i] = ek_hybrid_quantise(hybrid->kernel, values + at, (size_t)hybrid->depth,
			hybrid->asymmetric, codes + at);
	}
	*ret_rows = (struct hybrid_rows){.codes = codes, .rows = rows};
	return 0;
}

int hybrid_scales(
	struct op_setup *setup, uint32_t channels, const float **ret_scales, struct error *err)
{
	const struct tensor *weights = op_tensor_in(setup, 1);
	float *scales = op_alloc(setup, channels * sizeof(*scales));
	if (!scales) {
		return op_alloc_failed(setup, err);
	}
	for (uint32_t n = 0; n < channels; n++) {
		scales[n] = quant_scale(weights, n);
	}
	*ret_scales = scales;
	return 0;
}
