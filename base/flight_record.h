/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight_record - format of flight records in memory, in files and on the socket
 *
 *   header, FLIGHT_NAMES names, header.n_records records
 *
 * Little endian, as declared here, without padding. Records are unordered: a higher @seq is newer;
 * 0 is an empty record. A record refers to its model's name by index. A name is valid only for
 * records with seq >= @since, because slots are reused.
 */
#ifndef BASE_FLIGHT_RECORD_H
#define BASE_FLIGHT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FLIGHT_RECORDS 10000
#define FLIGHT_NAMES 256
#define FLIGHT_NO_NAME UINT16_MAX
#define FLIGHT_MAGIC "EDGFLT1\n"

struct flight_header {
	char magic[8];
	uint32_t n_names, n_records;
	uint64_t started_us; /* start of edged, in microseconds since 1970 */
	uint64_t written_us; /* time of writing, in microseconds since 1970 */
	uint32_t pid;
	uint32_t signal; /* signal that ended edged; 0: written on request */
	uint64_t seq; /* @seq of the newest record */
	uint64_t reserved[2]; /* 0 */
};

struct flight_name {
	uint64_t since; /* @seq of the first record with this name */
	char text[72]; /* model name with a 0 after it */
};

struct flight_record {
	uint64_t seq;
	uint64_t ended_us; /* end of the request, in microseconds since 1970 */
	uint64_t id; /* id given by the client */
	uint64_t version; /* version of the model; 0: not known */
	uint32_t queue_us, compute_us, total_us; /* latencies as in docs/observability.md */
	uint32_t others_us; /* spent on more urgent requests between its operators */
	uint32_t uid, pid; /* ids of the client */
	uint32_t body_bytes; /* body size of the request */
	uint16_t name; /* index of the model's name; FLIGHT_NO_NAME: not known */
	uint8_t status; /* enum edge_status */
	uint8_t class; /* enum wire_class */
};

_Static_assert(sizeof(struct flight_header) == 64, "no padding");
_Static_assert(sizeof(struct flight_name) == 80, "no padding");
_Static_assert(sizeof(struct flight_record) == 64, "no padding");

/* Bytes before the first record. */
#define FLIGHT_HEAD_BYTES (sizeof(struct flight_header) + FLIGHT_NAMES * sizeof(struct flight_name))

/* Verified view of untrusted bytes; borrowed. */
struct flight_view {
	struct flight_header header;
	const uint8_t *names, *records;
};

/* Verifies the bytes. -EBADMSG with the reason. */
int must_check flight_view_open(
	const void *bytes, size_t size, struct flight_view *ret_view, struct error *err);
/* Returns record @index, which is below header.n_records. */
struct flight_record flight_view_record(const struct flight_view *view, uint32_t index);
/* Copies the name of a record's model, unescaped; "" if not known. */
void flight_view_name(
	const struct flight_view *view, const struct flight_record *record, char ret_name[72]);

#endif
