/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight - the records of a flight recorder, as they lie in memory, in files and on the socket
 *
 *   header, FLIGHT_NAMES names, header.n_records records
 *
 * Little endian, each as declared here, without padding. Records are in no order: @seq counts from 1 and
 * says which is newer; 0 is none. A record names its model by number; a name that was given to a later
 * model says nothing about records before @since.
 */
#ifndef BASE_FLIGHT_H
#define BASE_FLIGHT_H

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
	uint64_t started_us; /* when edged started, microseconds since 1970 */
	uint64_t written_us; /* when this was written */
	uint32_t pid;
	uint32_t signal; /* that ended edged; 0: somebody asked */
	uint64_t seq; /* of the newest record */
	uint64_t reserved[2]; /* 0 */
};

struct flight_name {
	uint64_t since; /* seq of the first record that means this */
	char text[72]; /* 0-terminated */
};

struct flight_record {
	uint64_t seq;
	uint64_t ended_us; /* microseconds since 1970 */
	uint64_t id; /* that its client gave it */
	uint64_t version; /* of the model; 0: not known */
	uint32_t queue_us, compute_us, total_us; /* as docs/observability.md defines them */
	uint32_t others_us; /* that more urgent requests took between its operators */
	uint32_t uid, pid; /* of its client */
	uint32_t body_bytes; /* of the request */
	uint16_t name; /* of its model; FLIGHT_NO_NAME: it was not known */
	uint8_t status; /* enum edge_status */
	uint8_t class; /* enum wire_class */
};

_Static_assert(sizeof(struct flight_header) == 64, "no padding");
_Static_assert(sizeof(struct flight_name) == 80, "no padding");
_Static_assert(sizeof(struct flight_record) == 64, "no padding");

/* Bytes of header and names; the records follow. */
#define FLIGHT_HEAD_BYTES (sizeof(struct flight_header) + FLIGHT_NAMES * sizeof(struct flight_name))

/* Foreign bytes, judged; borrowed. */
struct flight_view {
	struct flight_header header;
	const uint8_t *names, *records;
};

/* -EBADMSG with the reason for what is no such file. */
int must_check flight_view_open(
	const void *bytes, size_t size, struct flight_view *ret_view, struct error *err);
/* @index below header.n_records. */
struct flight_record flight_view_record(const struct flight_view *view, uint32_t index);
/* Of a record's model, as bytes that are not escaped; "" when it is not known. */
void flight_view_name(
	const struct flight_view *view, const struct flight_record *record, char ret_name[72]);

#endif
