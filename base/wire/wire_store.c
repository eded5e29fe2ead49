/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

void wire_store_item_encode(struct bytes_writer *w, const struct wire_store_item *item)
{
	wire_list_item_encode(w, &item->model);
	wire_field_text_encode(w, item->sha256);
	bytes_write_u64(w, item->since);
	bytes_write_u64(w, item->by);
	bytes_write_u64(w, item->last_good);
	bytes_write_u32(w, item->flags);
}

int wire_store_item_decode(
	struct bytes_reader *r, struct wire_store_item *ret_item, struct error *err)
{
	struct wire_store_item item = {0};
	int code = wire_list_item_decode(r, &item.model, err);
	item.sha256 = wire_field_text_decode(r);
	item.since = bytes_read_u64(r);
	item.by = bytes_read_u64(r);
	item.last_good = bytes_read_u64(r);
	item.flags = bytes_read_u32(r);
	if (code == 0) {
		code = wire_field_check(r, WIRE_STORE_LIST, err);
	}
	if (code == 0) {
		*ret_item = item;
	}
	return code;
}

void wire_store_encode(struct bytes_writer *w, const struct wire_store *store)
{
	bytes_write_u32(w, store->verb);
	wire_field_text_encode(w, store->model);
	wire_field_text_encode(w, store->argument);
}

int wire_store_decode(
	const void *body, size_t size, struct wire_store *ret_store, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	ret_store->verb = bytes_read_u32(&r);
	ret_store->model = wire_field_name_decode(&r);
	ret_store->argument = wire_field_name_decode(&r);
	return wire_end(&r, WIRE_STORE, err);
}

void wire_store_reply_encode(struct bytes_writer *w, struct wire_text lines)
{
	wire_field_lines_encode(w, lines);
}

int wire_store_reply_decode(
	const void *body, size_t size, struct wire_text *ret_lines, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_text lines = wire_field_lines_decode(&r);
	int code = wire_end(&r, WIRE_STORE, err);
	if (code == 0) {
		*ret_lines = lines;
	}
	return code;
}
