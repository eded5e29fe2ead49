/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strings.h"

#include <errno.h>

static void set_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static int check_offsets(const struct strings *s, uint64_t bytes, struct error *err)
{
	uint64_t last = strings_head_bytes(s->count);
	for (uint32_t i = 0; i <= s->count; i++) {
		uint64_t offset = strings_offset(s, i);
		if (offset < last || offset > bytes || (i == 0 && offset != last)) {
			return error_set(err, -EBADMSG, "strings: offset %u is %llu", i,
				(unsigned long long)offset);
		}
		last = offset;
	}
	return last == bytes ? 0
			     : error_set(err, -EBADMSG, "strings: %llu bytes behind the last one",
				       (unsigned long long)(bytes - last));
}

int strings_open(
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
	int r = check_offsets(&s, bytes, err);
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
