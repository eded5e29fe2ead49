/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_blockwise - weights with a scale for each block of a row
 *
 * Source: BlockwiseQuantization of the schema (schema.fbs); what LiteRT and XNNPACK take: int4 rows
 * in whole blocks, scales [rows][blocks].
 */
#include <errno.h>

#include "base/bytes.h"
#include "engine/plan/rules/rule.h"

/* The tensor with a value for each of @n blocks: constants of one of @types. */
static int check_values(
	const struct tensor *t, uint64_t n, const char *name, uint32_t types, struct error *err)
{
	if (t->data && !t->sparsity && rule_elements(&t->shape) == n && types >> t->type & 1) {
		return 0;
	}
	char text[SHAPE_TEXT_SIZE];
	return error_set(err, -EBADMSG, "%s of %llu blocks: %s %s%s", name, (unsigned long long)n,
		dtype_name(t->type), shape_format(text, sizeof(text), &t->shape),
		t->data ? "" : ", no constant");
}

static int64_t value_at(const struct tensor *t, uint64_t i)
{
	switch (t->type) {
	case DTYPE_INT8:
		return (int8_t)t->data[i];
	case DTYPE_INT32:
		return (int32_t)bytes_get_u32(t->data + 4 * i);
	default:
		return (int64_t)bytes_get_u64(t->data + 8 * i);
	}
}

/* Every code less its zero point must stay an int8: zero points are codes as well. int4 ones are
 * so by their type. */
static int check_zeros(const struct tensor *t, uint64_t n, struct error *err)
{
	int r = check_values(t, n, "zero points",
		RULE_TYPE(INT4) | RULE_TYPE(INT8) | RULE_TYPE(INT32) | RULE_TYPE(INT64), err);
	for (uint64_t i = 0; r == 0 && t->type != DTYPE_INT4 && i < n; i++) {
		int64_t zero = value_at(t, i);
		if (zero < -8 || zero > 7) {
			return error_set(err, -EBADMSG, "zero point of block %llu is %lld",
				(unsigned long long)i, (long long)zero);
		}
	}
	return r;
}

int rule_blockwise(const struct op_context *ctx, uint32_t i, struct error *err)
{
	const struct tensor *t = op_context_input(ctx, i), *tensors = ctx->subgraph->tensors;
	const struct quant *q = &t->quant;
	if (t->type != DTYPE_INT4 || !t->data || t->shape.rank != 2) {
		return error_set(err, -EOPNOTSUPP,
			"%s v%u with blockwise weights that are no int4 matrix in the file is not "
			"there yet",
			operators_name(ctx->node->op), ctx->node->version);
	}
	if ((uint32_t)t->shape.dim[1] % q->block_size) {
		return error_set(err, -EBADMSG, "rows of %d elements in blocks of %u",
			(int)t->shape.dim[1], q->block_size);
	}
	uint64_t n = rule_elements(&t->shape) / q->block_size;
	int r = check_values(&tensors[q->block_scales], n, "scales",
		RULE_TYPE(FLOAT16) | RULE_TYPE(FLOAT32), err);
	return r < 0 || q->block_zeros < 0 ? r : check_zeros(&tensors[q->block_zeros], n, err);
}
