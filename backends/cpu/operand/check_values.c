/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/check_values.h"

#include "backends/cpu/tiles.h"
#include "kernels/search/find_value.h"

static ek_find_fn *finder_of(unsigned int type)
{
	switch (type) {
	case DTYPE_INT8:
		return ek_find_s8;
	case DTYPE_UINT8:
		return ek_find_u8;
	case DTYPE_INT16:
		return ek_find_s16;
	case DTYPE_INT32:
		return ek_find_s32;
	case DTYPE_INT64:
		return ek_find_s64;
	default:
		return ek_find_f32;
	}
}

/* The index of what @find finds in input 1 in *@ret, or its size. */
static int find_in_tiles(const struct op_call *call, ek_find_fn *find, int64_t value, uint64_t *ret,
	struct error *err)
{
	const struct value *b = op_in(call, 1);
	unsigned int type = call->subgraph->tensors[call->node->inputs[1]].type;
	const char *data = b->data;
	struct tiles t = {.total = op_elements(&b->shape), .control = call->control};
	*ret = t.total;
	while (tiles_next(&t)) {
		uint64_t at = find(data + t.at * (dtype_bits(type) / 8), (size_t)t.count, value);
		if (at < t.count) {
			*ret = t.at + at;
			return 0;
		}
	}
	return tiles_end(&t, err);
}

static int check(const struct op_call *call, ek_find_fn *find, int64_t value, const char *what,
	struct error *err)
{
	uint64_t at = 0;
	int r = find_in_tiles(call, find, value, &at, err);
	if (r < 0 || at == op_elements(&op_in(call, 1)->shape)) {
		return r;
	}
	return error_set(err, -EINVAL, "input 1: element %llu is %s", (unsigned long long)at, what);
}

int check_values_nonzero(const struct op_call *call, int64_t zero, struct error *err)
{
	unsigned int type = call->subgraph->tensors[call->node->inputs[1]].type;
	return check(call, finder_of(type), zero, "a divisor of zero", err);
}

int check_values_not_negative(const struct op_call *call, struct error *err)
{
	return check(call, ek_find_negative_s32, 0, "a negative exponent of integers", err);
}
