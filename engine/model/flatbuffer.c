/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/flatbuffer.h"

const char *flat_check_bytes(const struct flat *f, uint64_t at, uint64_t n, uint32_t alignment)
{
	if (n > f->size || at > f->size - n) {
		return "reaches beyond the end of the file";
	}
	return at % alignment ? "is not aligned" : NULL;
}

const char *flat_check_offset(const struct flat *f, uint32_t at, uint32_t *ret_target)
{
	const char *why = flat_check_bytes(f, at, 4, 4);
	if (why) {
		return why;
	}
	uint64_t offset = bytes_get_u32(f->data + at);
	if (offset == 0) {
		return "has an offset of 0";
	}
	why = flat_check_bytes(f, at + offset, 1, 1);
	if (!why) {
		*ret_target = (uint32_t)(at + offset);
	}
	return why;
}

const char *flat_check_table(const struct flat *f, uint32_t table)
{
	const char *why = flat_check_bytes(f, table, 4, 4);
	if (why) {
		return why;
	}
	/* The vtable may stand on either side: a signed distance, subtracted. */
	int64_t vtable = (int64_t)table - (int32_t)bytes_get_u32(f->data + table);
	if (vtable < 0 || flat_check_bytes(f, (uint64_t)vtable, 4, 2)) {
		return "has its vtable outside the file or not aligned";
	}
	uint16_t size = bytes_get_u16(f->data + vtable);
	if (size < 4 || size % 2) {
		return "has a vtable of a wrong size";
	}
	return flat_check_bytes(f, (uint64_t)vtable, size, 2)
		? "has a vtable that ends outside the file"
		: NULL;
}

const char *flat_check_vector(const struct flat *f, uint32_t at, uint32_t width)
{
	const char *why = flat_check_bytes(f, at, 4, 4);
	if (why) {
		return why;
	}
	uint64_t bytes = (uint64_t)bytes_get_u32(f->data + at) * width;
	return flat_check_bytes(f, (uint64_t)at + 4, bytes, width < 4 ? width : 4);
}

const char *flat_check_string(const struct flat *f, uint32_t at)
{
	const char *why = flat_check_vector(f, at, 1);
	if (why) {
		return why;
	}
	uint64_t end = (uint64_t)at + 4 + bytes_get_u32(f->data + at);
	return flat_check_bytes(f, end, 1, 1) || f->data[end] != 0 ? "is a string without its zero"
								   : NULL;
}

float flat_get_f32(const struct flat *f, uint32_t table, uint32_t slot, float fallback)
{
	float value = fallback;
	uint32_t at = flat_field(f, table, slot);
	if (at) {
		memcpy(&value, f->data + at, sizeof(value));
	}
	return value;
}

struct flat_vector flat_get_vector(const struct flat *f, uint32_t table, uint32_t slot)
{
	uint32_t at = flat_get_table(f, table, slot);
	if (at == 0) {
		return (struct flat_vector){0};
	}
	return (struct flat_vector){.data = f->data + at + 4, .count = bytes_get_u32(f->data + at)};
}
