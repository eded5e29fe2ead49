/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/zip.h"

#include <errno.h>

#include "base/bytes.h"

#define END_BYTES 22
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30
#define END_SIGNATURE 0x06054b50
#define CENTRAL_SIGNATURE 0x02014b50
#define LOCAL_SIGNATURE 0x04034b50

struct directory {
	const uint8_t *data;
	uint64_t base; /* offsets count from here: what stood before the archive was appended */
	uint64_t at, end;
	uint32_t n;
};

/* Place of the end record: the last one whose comment reaches exactly to the end of the file. */
static int find_end(const uint8_t *data, uint32_t size, uint32_t *ret_at)
{
	for (uint32_t comment = 0; comment <= UINT16_MAX && comment + END_BYTES <= size;
		comment++) {
		uint32_t at = size - END_BYTES - comment;
		if (bytes_get_u32(data + at) == END_SIGNATURE &&
			bytes_get_u16(data + at + 20) == comment) {
			*ret_at = at;
			return 0;
		}
	}
	return -ENOENT;
}

static int read_end(const uint8_t *data, uint32_t size, struct directory *ret_directory)
{
	uint32_t end = 0;
	int r = find_end(data, size, &end);
	if (r < 0) {
		return r;
	}
	uint64_t bytes = bytes_get_u32(data + end + 12);
	uint64_t offset = bytes_get_u32(data + end + 16);
	if (bytes + offset > end) {
		return -EBADMSG;
	}
	*ret_directory = (struct directory){
		.data = data,
		.base = end - bytes - offset,
		.at = end - bytes,
		.end = end,
		.n = bytes_get_u16(data + end + 10),
	};
	return ret_directory->n <= ZIP_MAX_ENTRIES ? 0 : -EBADMSG;
}

/* The bytes of an entry, by its local header; @limit is where the central directory starts. */
static int read_local(const struct directory *d, uint64_t offset, uint64_t size, uint64_t limit,
	struct text *ret_content)
{
	uint64_t at = d->base + offset;
	if (at + LOCAL_BYTES > limit || bytes_get_u32(d->data + at) != LOCAL_SIGNATURE) {
		return -EBADMSG;
	}
	at += LOCAL_BYTES + bytes_get_u16(d->data + at + 26) + bytes_get_u16(d->data + at + 28);
	if (at + size > limit) {
		return -EBADMSG;
	}
	*ret_content = (struct text){(const char *)d->data + at, (uint32_t)size};
	return 0;
}

static int read_entry(struct directory *d, uint64_t limit, struct zip_entry *ret_entry)
{
	if (d->at + CENTRAL_BYTES > d->end) {
		return -EBADMSG;
	}
	const uint8_t *p = d->data + d->at;
	uint16_t flags = bytes_get_u16(p + 8), method = bytes_get_u16(p + 10);
	uint32_t packed = bytes_get_u32(p + 20), size = bytes_get_u32(p + 24);
	uint16_t name = bytes_get_u16(p + 28);
	uint64_t next =
		d->at + CENTRAL_BYTES + name + bytes_get_u16(p + 30) + bytes_get_u16(p + 32);
	if (bytes_get_u32(p) != CENTRAL_SIGNATURE || next > d->end) {
		return -EBADMSG;
	}
	int r = read_local(d, bytes_get_u32(p + 42), packed, limit, &ret_entry->content);
	if (r == 0 && (method != 0 || flags & 1 || packed != size)) {
		ret_entry->content.data = NULL;
	}
	ret_entry->name = (struct text){(const char *)p + CENTRAL_BYTES, name};
	d->at = next;
	return r;
}

static bool overlap(const struct text *a, const struct text *b)
{
	return a->data && b->data && a->data < b->data + b->length && b->data < a->data + a->length;
}

int zip_open(const uint8_t *data, uint32_t size, struct zip *ret_zip)
{
	struct directory d;
	int r = read_end(data, size, &d);
	if (r < 0) {
		return r;
	}
	uint64_t limit = d.at;
	ret_zip->n_entries = 0;
	for (uint32_t i = 0; i < d.n; i++) {
		r = read_entry(&d, limit, &ret_zip->entries[i]);
		for (uint32_t j = 0; r == 0 && j < i; j++) {
			if (overlap(&ret_zip->entries[i].content, &ret_zip->entries[j].content)) {
				r = -EBADMSG;
			}
		}
		if (r < 0) {
			return r;
		}
	}
	ret_zip->n_entries = d.n;
	return 0;
}

const struct zip_entry *zip_find(const struct zip *zip, struct text name)
{
	for (uint32_t i = 0; i < zip->n_entries; i++) {
		const struct text *have = &zip->entries[i].name;
		if (have->length == name.length &&
			memcmp(have->data, name.data, name.length) == 0) {
			return &zip->entries[i];
		}
	}
	return NULL;
}
