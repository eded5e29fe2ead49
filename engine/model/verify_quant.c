/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "engine/model/schema.h"
#include "engine/model/verify.h"

struct range {
	int64_t least, most;
};

/* Range of a type's zero points. Types that are not quantised carry scales through conversions, and
 * nobody reads their zero points. */
static struct range zeros_of(unsigned int type)
{
	switch (type) {
	case DTYPE_INT4:
		return (struct range){-8, 7};
	case DTYPE_INT8:
		return (struct range){INT8_MIN, INT8_MAX};
	case DTYPE_UINT8:
		return (struct range){0, UINT8_MAX};
	case DTYPE_INT16:
		return (struct range){INT16_MIN, INT16_MAX};
	case DTYPE_UINT16:
		return (struct range){0, UINT16_MAX};
	default:
		return (struct range){INT32_MIN, INT32_MAX};
	}
}

/* Finite and above zero: of such floats the bits are 1 to those of the largest. */
static bool is_scale(uint32_t bits)
{
	return bits - 1 < 0x7f7fffff;
}

typedef uint32_t words __attribute__((vector_size(16)));

/* There are as many as channels: four are looked at together. */
static bool are_scales(const uint8_t *data, uint32_t count)
{
	words bad = {0};
	bool good = true;
	for (; count >= 4; count -= 4, data += sizeof(words)) {
		words bits;
		memcpy(&bits, data, sizeof(bits));
		bad |= (words)(bits - 1 >= 0x7f7fffff);
	}
	for (; count > 0; count--, data += 4) {
		good &= is_scale(bytes_get_u32(data));
	}
	return good && (bad[0] | bad[1] | bad[2] | bad[3]) == 0;
}

/* All are looked at before one is looked for. */
static int check_scales(struct verify *v, const struct flat_vector *scales)
{
	const bool good = are_scales(scales->data, scales->count);
	for (uint32_t i = 0; !good; i++) {
		float scale = 0;
		memcpy(&scale, scales->data + 4 * (size_t)i, sizeof(scale));
		if (!is_scale(bytes_get_u32(scales->data + 4 * (size_t)i))) {
			return error_set(v->err, -EBADMSG, "scale %u is %g", i, (double)scale);
		}
	}
	return 0;
}

static int check_zeros(struct verify *v, const struct flat_vector *zeros, unsigned int type)
{
	const struct range range = zeros_of(type);
	/* 0 is in all ranges, and what weights have */
	const bool plain = bytes_are_zero(zeros->data, 8 * (size_t)zeros->count);
	for (uint32_t i = 0; !plain && i < zeros->count; i++) {
		int64_t zero = (int64_t)bytes_get_u64(zeros->data + 8 * (size_t)i);
		if (zero < range.least || zero > range.most) {
			return error_set(v->err, -EBADMSG, "zero point %u is %lld, not a %s", i,
				(long long)zero, dtype_name(type));
		}
	}
	return 0;
}

static int check_values(struct verify *v, const struct flat_vector *scales,
	const struct flat_vector *zeros, unsigned int type)
{
	int r = verify_charge(v, (uint64_t)scales->count + zeros->count);
	r = r < 0 ? r : check_scales(v, scales);
	return r < 0 ? r : check_zeros(v, zeros, type);
}

/* One scale, or one for each index of a dimension. In a 1-D tensor (a bias) the dimension's number
 * says nothing: what counts is that there are as many scales as elements. */
static int check_counts(struct verify *v, uint32_t n_scales, uint32_t n_zeros, int32_t dimension,
	const struct shape *shape)
{
	if (n_zeros != n_scales) {
		return error_set(
			v->err, -EBADMSG, "%u scales and %u zero points", n_scales, n_zeros);
	}
	if (n_scales == 1 && shape->rank == 0) {
		return 0;
	}
	if (shape->rank == 1 && n_scales == (uint32_t)shape->dim[0]) {
		return 0;
	}
	if (dimension < 0 || dimension >= shape->rank) {
		return error_set(v->err, -EBADMSG, "quantized dimension %d of a tensor of rank %u",
			(int)dimension, shape->rank);
	}
	if (n_scales != 1 && n_scales != (uint32_t)shape->dim[dimension]) {
		return error_set(v->err, -EBADMSG, "%u scales for dimension %d of size %d",
			n_scales, (int)dimension, (int)shape->dim[dimension]);
	}
	return 0;
}

static int check_blockwise(struct verify *v, uint32_t blockwise, uint32_t n_scales)
{
	int32_t scales = flat_get_i32(v->f, blockwise, SLOT(BLOCKWISE_QUANTIZATION, scales), 0);
	int32_t zeros = flat_get_i32(v->f, blockwise, SLOT(BLOCKWISE_QUANTIZATION, zero_points), 0);
	int32_t size = flat_get_i32(v->f, blockwise, SLOT(BLOCKWISE_QUANTIZATION, block_size), 0);
	if (n_scales) {
		return error_set(v->err, -EBADMSG, "blockwise quantization with %u scales as well",
			n_scales);
	}
	if (scales < 0 || (uint32_t)scales >= v->n_tensors) {
		return error_set(v->err, -EBADMSG, "scales of blocks: tensor %d of %u", (int)scales,
			v->n_tensors);
	}
	if (zeros < -1 || zeros >= (int64_t)v->n_tensors) {
		return error_set(v->err, -EBADMSG, "zero points of blocks: tensor %d of %u",
			(int)zeros, v->n_tensors);
	}
	return size >= 1 ? 0 : error_set(v->err, -EBADMSG, "blocks of %d elements", (int)size);
}

int verify_quant(struct verify *v, uint32_t tensor, const struct shape *shape, unsigned int type)
{
	uint32_t q = flat_get_table(v->f, tensor, SLOT(TENSOR, quantization));
	struct flat_vector scales = flat_get_vector(v->f, q, SLOT(QUANTIZATION_PARAMETERS, scale));
	struct flat_vector zeros =
		flat_get_vector(v->f, q, SLOT(QUANTIZATION_PARAMETERS, zero_point));
	uint8_t details = flat_get_u8(v->f, q, SLOT(QUANTIZATION_PARAMETERS, details_type), 0);
	if (details == QUANTIZATION_DETAILS_BLOCKWISE) {
		return check_blockwise(v,
			flat_get_table(v->f, q, SLOT(QUANTIZATION_PARAMETERS, details)),
			scales.count);
	}
	if (details != 0) {
		return error_set(v->err, -EOPNOTSUPP,
			"quantization of kind %u (custom, multi-axis) is not supported", details);
	}
	if (scales.count == 0) {
		return 0;
	}
	int r = check_counts(v, scales.count, zeros.count,
		flat_get_i32(v->f, q, SLOT(QUANTIZATION_PARAMETERS, quantized_dimension), 0),
		shape);
	return r < 0 ? r : check_values(v, &scales, &zeros, type);
}
