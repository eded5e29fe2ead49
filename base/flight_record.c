/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flight_record.h"

#include <errno.h>
#include <string.h>

int flight_view_open(
	const void *bytes, size_t size, struct flight_view *ret_view, struct error *err)
{
	struct flight_view view = {.names = (const uint8_t *)bytes + sizeof(view.header)};
	if (size < FLIGHT_HEAD_BYTES ||
		memcmp(bytes, FLIGHT_MAGIC, sizeof(view.header.magic)) != 0) {
		return error_set(err, -EBADMSG, "these are no flight records");
	}
	memcpy(&view.header, bytes, sizeof(view.header));
	const size_t left = size - FLIGHT_HEAD_BYTES;
	if (view.header.n_names != FLIGHT_NAMES || view.header.n_records > FLIGHT_RECORDS ||
		left != view.header.n_records * sizeof(struct flight_record)) {
		return error_set(
			err, -EBADMSG, "the flight records are cut off, or of another edged");
	}
	view.records = (const uint8_t *)bytes + FLIGHT_HEAD_BYTES;
	*ret_view = view;
	return 0;
}

struct flight_record flight_view_record(const struct flight_view *view, uint32_t index)
{
	struct flight_record record;
	memcpy(&record, view->records + index * sizeof(record), sizeof(record));
	return record;
}

void flight_view_name(
	const struct flight_view *view, const struct flight_record *record, char ret_name[72])
{
	struct flight_name name = {.since = UINT64_MAX};
	if (record->name < FLIGHT_NAMES) {
		memcpy(&name, view->names + record->name * sizeof(name), sizeof(name));
	}
	ret_name[0] = 0;
	if (name.since <= record->seq) {
		name.text[sizeof(name.text) - 1] = 0;
		memcpy(ret_name, name.text, sizeof(name.text));
	}
}
