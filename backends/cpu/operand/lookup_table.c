/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/lookup_table.h"

#include <math.h>

#include "backends/cpu/op_accept.h"
#include "backends/cpu/operand/quant_params.h"
#include "backends/cpu/row_fusion.h"
#include "backends/cpu/tile_grid.h"
#include "backends/cpu/tiles.h"

void lookup_table_init(struct op_setup *setup, size_t entry_bytes, struct lookup_table *table)
{
	const struct ek_lut8 *kernel = OP_PICK(ek_lut8, setup->cpu_features);
	table->entry_bytes = (uint8_t)entry_bytes;
	table->run = kernel->run;
	setup->detail = entry_bytes == 1 ? kernel->variant.name
		: entry_bytes == 2       ? "lut16__c"
					 : "lut32__c";
}

void lookup_table_fill_curve(const struct op_setup *setup, ek_curve_fn *curve, float undefined,
	struct lookup_table *table)
{
	const struct tensor *in = op_tensor_in(setup, 0), *out = op_tensor_out(setup, 0);
	const float scale = quant_params_scale(in, 0), inverse = 1.0f / quant_params_scale(out, 0);
	const int32_t in_zero = (int32_t)quant_zero(&in->quant, 0);
	const int32_t out_zero = (int32_t)quant_zero(&out->quant, 0);
	int32_t lo, hi;
	quant_params_type_range(out->type, &lo, &hi);
	for (unsigned int i = 0; i < 256; i++) {
		float v = scale * (float)(lookup_table_code(in->type, i) - in_zero);
		int64_t code = ek_round32((double)roundf(curve(v, undefined) * inverse));
		table->u8[i] = (uint8_t)ek_clamp32(ek_sat32(code + out_zero), lo, hi);
	}
}

void lookup_table_fill_codes(const struct op_setup *setup, ek_quantized_one_fn *one,
	const struct ek_quantized *params, struct lookup_table *table)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	for (unsigned int i = 0; i < 256; i++) {
		table->u8[i] = (uint8_t)one(lookup_table_code(type, i), params);
	}
}

void lookup_table_fill_requant(const struct op_setup *setup, const struct ek_requant_params *params,
	struct lookup_table *table)
{
	unsigned int type = op_tensor_in(setup, 0)->type;
	for (unsigned int i = 0; i < 256; i++) {
		int32_t code = ek_requant_one(lookup_table_code(type, i), params);
		if (table->entry_bytes == 1) {
			table->u8[i] = (uint8_t)code;
		} else {
			table->u16[i] = (uint16_t)code;
		}
	}
}

/* One run of a table. */
struct table_job {
	const struct lookup_table *table;
	uint8_t *dst;
	const uint8_t *src;
};

static void run_part(const void *args, uint64_t first, uint64_t n)
{
	const struct table_job *job = args;
	const struct lookup_table *table = job->table;
	uint8_t *dst = job->dst + first * table->entry_bytes;
	const uint8_t *src = job->src + first;
	if (table->entry_bytes == 1) {
		table->run(dst, src, (size_t)n, table->u8);
	} else if (table->entry_bytes == 2) {
		ek_lut16((uint16_t *)(void *)dst, src, (size_t)n, table->u16);
	} else {
		ek_lut32((uint32_t *)(void *)dst, src, (size_t)n, table->u32);
	}
}

bool lookup_table_row_shape(
	const struct op_setup *setup, uint32_t operand, struct row_fusion_shape *ret)
{
	(void)operand;
	const struct shape *out = op_shape_out(setup, 0);
	const unsigned int in_type = op_tensor_in(setup, 0)->type;
	if (out->rank != 4 || out->dim[0] != 1 ||
		(in_type != DTYPE_INT8 && in_type != DTYPE_UINT8)) {
		return false;
	}
	const uint32_t rows = (uint32_t)out->dim[1];
	const uint64_t n = op_gemm(out, 2, 4);
	*ret = (struct row_fusion_shape){
		.y = {.in = rows, .out = rows, .taps = 1, .stride = 1, .dilation = 1},
		.in_row_bytes = n,
		.out_row_bytes = n * op_accept_element_bytes(op_tensor_out(setup, 0)),
		.is_simple = true};
	return true;
}

void lookup_table_run_rows(const struct op_call *call, const struct row_fusion_rows *rows)
{
	const uint64_t n = op_gemm(&op_out(call, 0)->shape, 2, 4);
	const struct table_job job = {call->state, rows->output, rows->input};
	run_part(&job, rows->first * n, rows->n * n);
}

int lookup_table_run(
	const struct lookup_table *table, const struct op_call *call, struct error *err)
{
	const struct value *out = op_out(call, 0);
	const struct table_job job = {table, out->data, op_in(call, 0)->data};
	const uint64_t n = op_elements(&out->shape);
	if (tile_grid_shares_line(call, n)) {
		return tile_grid_run_line(call, n, run_part, &job, err);
	}
	struct tiles t = {.total = n, .control = call->control};
	while (tiles_next(&t)) {
		run_part(&job, t.at, t.count);
	}
	return tiles_end(&t, err);
}
