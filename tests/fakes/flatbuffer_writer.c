/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fakes/flatbuffer_writer.h"

#include <assert.h>

void flat_writer_start(struct bytes_writer *out, const char identifier[4])
{
	bytes_write_u32(out, 0);
	bytes_write(out, identifier, 4);
}

static void put_u32(struct bytes_writer *out, size_t at, uint32_t value)
{
	assert(!out->failed && at + 4 <= out->size);
	memcpy(out->data + at, &value, sizeof(value));
}

uint32_t flat_writer_table(struct bytes_writer *out, const uint8_t *widths, uint32_t n_widths)
{
	bytes_write_align(out, 8);
	size_t vtable = out->size;
	uint32_t vtable_bytes = 4 + 2 * n_widths;
	uint32_t distance = (uint32_t)bytes_align_up(vtable_bytes, 8), end = 4;
	uint16_t offsets[64] = {0};
	assert(n_widths <= 64);
	for (uint32_t i = 0; i < n_widths; i++) {
		if (widths[i]) {
			end = (uint32_t)bytes_align_up(end, widths[i]);
			offsets[i] = (uint16_t)end;
			end += widths[i];
		}
	}
	bytes_write_u16(out, (uint16_t)vtable_bytes);
	bytes_write_u16(out, (uint16_t)end);
	bytes_write(out, offsets, 2 * (size_t)n_widths);
	bytes_write_align(out, 8);
	bytes_write_u32(out, distance);
	bytes_reserve(out, end - 4);
	return (uint32_t)vtable + distance;
}

static size_t field(const struct bytes_writer *out, uint32_t table, uint32_t slot)
{
	assert(!out->failed);
	uint32_t vtable = table - bytes_get_u32(out->data + table);
	uint16_t offset = bytes_get_u16(out->data + vtable + 4 + 2 * slot);
	assert(offset != 0);
	return table + offset;
}

void flat_writer_set(
	struct bytes_writer *out, uint32_t table, uint32_t slot, uint64_t value, size_t width)
{
	memcpy(out->data + field(out, table, slot), &value, width);
}

void flat_writer_link(struct bytes_writer *out, uint32_t table, uint32_t slot, uint32_t target)
{
	size_t at = field(out, table, slot);
	put_u32(out, at, (uint32_t)(target - at));
}

uint32_t flat_writer_vector(
	struct bytes_writer *out, const void *data, uint32_t count, uint32_t width)
{
	size_t alignment = width == 1 ? 16 : width < 4 ? 4 : width;
	bytes_write_align(out, 4);
	while ((out->size + 4) % alignment) {
		bytes_write_u32(out, 0);
	}
	uint32_t at = (uint32_t)out->size;
	bytes_write_u32(out, count);
	if (data) {
		bytes_write(out, data, (size_t)count * width);
	} else {
		bytes_reserve(out, (size_t)count * width);
	}
	bytes_write_align(out, 4);
	return at;
}

void flat_writer_link_element(
	struct bytes_writer *out, uint32_t vector, uint32_t i, uint32_t target)
{
	size_t at = vector + 4 + 4 * (size_t)i;
	put_u32(out, at, (uint32_t)(target - at));
}

uint32_t flat_writer_string(struct bytes_writer *out, const char *text)
{
	bytes_write_align(out, 4);
	uint32_t at = (uint32_t)out->size;
	bytes_write_u32(out, (uint32_t)strlen(text));
	bytes_write(out, text, strlen(text) + 1);
	bytes_write_align(out, 4);
	return at;
}

void flat_writer_root(struct bytes_writer *out, uint32_t table)
{
	put_u32(out, 0, table);
}
