/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/hybrid_operand.h"

#include <string.h>

#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/tiles.h"

struct hybrid hybrid_prepare(
	struct op_setup *setup, uint64_t n_rows, uint64_t depth, bool asymmetric)
{
	return (struct hybrid){
		.n_rows = n_rows,
		.depth = depth,
		.codes_at = op_scratch(setup, n_rows * depth),
		.rows_at = op_scratch(setup, n_rows * sizeof(struct ek_hybrid_row)),
		.asymmetric = asymmetric,
		.kernel = OP_PICK(ek_hybrid, setup->cpu_features),
	};
}

static int quantise_in_tiles(const struct ek_hybrid *kernel, const float *values, uint64_t n,
	bool asymmetric, const struct run_control *control, int8_t *codes,
	struct ek_hybrid_row *ret_row)
{
	struct tiles t = {.total = n, .control = control};
	struct ek_hybrid_code code;
	float range[2] = {0, 0};
	while (tiles_next(&t)) {
		float part[2];
		kernel->range(values + t.at, (size_t)t.count, part);
		range[0] = part[0] < range[0] ? part[0] : range[0];
		range[1] = part[1] > range[1] ? part[1] : range[1];
	}
	const bool has_codes = ek_hybrid_choose(range, asymmetric, ret_row, &code);
	tiles_restart(&t);
	while (tiles_next(&t)) {
		if (has_codes) {
			kernel->encode(values + t.at, (size_t)t.count, &code, codes + t.at);
		} else {
			memset(codes + t.at, 0, (size_t)t.count);
		}
	}
	return t.result;
}

int hybrid_quantise(const struct ek_hybrid *kernel, const float *values, uint64_t n,
	bool asymmetric, const struct run_control *control, int8_t *codes,
	struct ek_hybrid_row *ret_row)
{
	if (n > TILE_ROW) {
		return quantise_in_tiles(kernel, values, n, asymmetric, control, codes, ret_row);
	}
	*ret_row = ek_hybrid_quantise(kernel, values, (size_t)n, asymmetric, codes);
	return 0;
}

int hybrid_run(const struct op_call *call, const struct hybrid *hybrid,
	struct hybrid_rows *ret_rows, struct error *err)
{
	uint8_t *scratch = call->scratch;
	int8_t *codes = (int8_t *)scratch + (size_t)hybrid->codes_at;
	struct ek_hybrid_row *rows = (void *)(scratch + (size_t)hybrid->rows_at);
	const float *values = op_in(call, hybrid->operand)->data;
	for (uint64_t i = 0; i < hybrid->n_rows; i++) {
		size_t at = (size_t)(i * hybrid->depth);
		int r = run_control_check(call->control);
		r = r < 0 ? r
			  : hybrid_quantise(hybrid->kernel, values + at, hybrid->depth,
				    hybrid->asymmetric, call->control, codes + at, &rows[i]);
		if (r < 0) {
			return error_set(err, r, "given up while a row was quantised");
		}
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
		scales[n] = quant_params_scale(weights, n);
	}
	*ret_scales = scales;
	return 0;
}
