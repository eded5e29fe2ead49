/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strings.h"

#include <errno.h>

static void set_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

int strings_check_offsets(const struct strings *strings, uint64_t bytes, uint32_t first, uint32_t n,
	struct error *err)
{
	const uint64_t head = strings_head_bytes(strings->count);
	uint64_t last = first ? strings_offset(strings, first - 1) : head;
	for (uint32_t i = first; i - first < n; i++) {
		uint64_t offset = strings_offset(strings, i);
		if (offset < last || offset > bytes || (i == 0 && offset != last)) {
			return error_set(err, -EBADMSG, "strings: offset %u is %llu", i,
				(unsigned long long)offset);
		}
		last = offset;
	}
	return last == bytes || first + n <= strings->count
		? 0
		: error_set(err, -EBADMSG, "strings: %llu bytes behind the last one",
			  (unsigned long long)(bytes - last));
}

int strings_open_head(
	struct strings *ret, const void *data, uint64_t bytes, uint64_t elements, struct error *err)
{
	if (bytes < strings_head_bytes(0) || bytes > STRINGS_MAX_BYTES) {
		return error_set(
			err, -EBADMSG, "strings: a table of %llu bytes", (unsigned long long)bytes);
	}
	struct strings s = {.data = data, .count = bytes_get_u32(data)};
	if (s.count != elements || strings_head_bytes(s.count) > bytes) {
		return error_set(err, -EBADMSG, "strings: %u for %llu elements in %llu bytes",
			s.count, (unsigned long long)elements, (unsigned long long)bytes);
	}
	*ret = s;
	return 0;
}

int strings_open(
	struct strings *ret, const void *data, uint64_t bytes, uint64_t elements, struct error *err)
{
	struct strings s = {0};
	int r = strings_open_head(&s, data, bytes, elements, err);
	r = r < 0 ? r : strings_check_offsets(&s, bytes, 0, s.count + 1, err);
	if (r == 0) {
		*ret = s;
	}
	return r;
}

struct strings_writer strings_writer_of(void *data, uint32_t count)
{
	return strings_writer_within(data, count, STRINGS_MAX_BYTES);
}

struct strings_writer strings_writer_within(void *data, uint32_t count, uint64_t bytes)
{
	struct strings_writer w = {.data = data,
		.count = count,
		.end = (uint32_t)strings_head_bytes(count),
		.limit = bytes};
	set_u32(w.data, count);
	set_u32(w.data + 4, w.end);
	return w;
}

void strings_put(struct strings_writer *w, const void *text, uint32_t length)
{
	void *to = strings_reserve(w, length);
	if (to && length) {
		memcpy(to, text, length);
	}
}

void *strings_reserve(struct strings_writer *w, uint32_t length)
{
	if (w->failed || w->written == w->count || length > w->limit - w->end) {
		w->failed = true;
		return NULL;
	}
	void *to = w->data + w->end;
	w->end += length;
	w->written++;
	set_u32(w->data + 4 + 4 * (size_t)w->written, w->end);
	return to;
}
