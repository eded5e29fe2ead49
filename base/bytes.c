/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

const void *bytes_read(struct bytes_reader *r, size_t n)
{
	if (r->failed || n > r->size - r->at) {
		r->failed = true;
		return NULL;
	}
	const void *p = r->data + r->at;
	r->at += n;
	return p;
}

uint8_t bytes_read_u8(struct bytes_reader *r)
{
	const uint8_t *p = bytes_read(r, 1);
	return p ? *p : 0;
}

uint16_t bytes_read_u16(struct bytes_reader *r)
{
	const void *p = bytes_read(r, 2);
	return p ? bytes_get_u16(p) : 0;
}

uint32_t bytes_read_u32(struct bytes_reader *r)
{
	const void *p = bytes_read(r, 4);
	return p ? bytes_get_u32(p) : 0;
}

uint64_t bytes_read_u64(struct bytes_reader *r)
{
	const void *p = bytes_read(r, 8);
	return p ? bytes_get_u64(p) : 0;
}

float bytes_read_f32(struct bytes_reader *r)
{
	float v = 0;
	uint32_t bits = bytes_read_u32(r);
	memcpy(&v, &bits, sizeof(v));
	return v;
}

void bytes_read_align(struct bytes_reader *r, size_t alignment)
{
	bytes_read(r, (size_t)(bytes_align_up(r->at, alignment) - r->at));
}

void bytes_writer_deinit(struct bytes_writer *w)
{
	free(w->data);
	*w = (struct bytes_writer){.limit = w->limit};
}

static bool grow(struct bytes_writer *w, size_t need)
{
	size_t capacity = w->capacity ? w->capacity : 256;
	while (capacity < need) {
		if (bytes_mul_overflows(capacity, 2, &capacity)) {
			return false;
		}
	}
	uint8_t *data = realloc(w->data, capacity);
	if (!data) {
		return false;
	}
	w->data = data;
	w->capacity = capacity;
	return true;
}

void *bytes_reserve(struct bytes_writer *w, size_t n)
{
	size_t need = 0;
	if (w->failed || bytes_add_overflows(w->size, n, &need) || (w->limit && need > w->limit) ||
		(need > w->capacity && !grow(w, need))) {
		w->failed = true;
		return NULL;
	}
	if (!w->data && !grow(w, 1)) {
		w->failed = true;
		return NULL;
	}
	void *p = w->data + w->size;
	memset(p, 0, n);
	w->size = need;
	return p;
}

/* Fast path: space exists, and nothing needs to be zeroed. */
static inline void write_some(struct bytes_writer *w, const void *data, size_t n)
{
	const size_t room = w->limit && w->limit < w->capacity ? w->limit : w->capacity;
	if (n > 0 && !w->failed && w->size < room && n <= room - w->size) {
		memcpy(w->data + w->size, data, n);
		w->size += n;
		return;
	}
	void *p = bytes_reserve(w, n);
	if (p && n) {
		memcpy(p, data, n);
	}
}

void bytes_write(struct bytes_writer *w, const void *data, size_t n)
{
	write_some(w, data, n);
}

void bytes_write_u8(struct bytes_writer *w, uint8_t v)
{
	write_some(w, &v, sizeof(v));
}

void bytes_write_u16(struct bytes_writer *w, uint16_t v)
{
	write_some(w, &v, sizeof(v));
}

void bytes_write_u32(struct bytes_writer *w, uint32_t v)
{
	write_some(w, &v, sizeof(v));
}

void bytes_write_u64(struct bytes_writer *w, uint64_t v)
{
	write_some(w, &v, sizeof(v));
}

void bytes_write_f32(struct bytes_writer *w, float v)
{
	write_some(w, &v, sizeof(v));
}

void bytes_write_align(struct bytes_writer *w, size_t alignment)
{
	bytes_reserve(w, (size_t)(bytes_align_up(w->size, alignment) - w->size));
}
