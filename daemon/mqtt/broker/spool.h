/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool - results on disk while a broker is away
 *
 * A folder of segments named NUMBER.spool, NUMBER being 16 hexadecimal digits of the first record's
 * number. A segment is a sequence of records, little endian:
 *
 *   u32  bytes of topic and payload        u64  number of the record, rising by one
 *   u32  CRC-32 of what follows            u16  bytes of the topic; the topic; the payload
 *
 * The file "done" holds the number of the first undelivered record (u64). If a record is damaged or
 * missing, the rest of its segment is skipped. A torn end of the last segment is cut off when the
 * folder is opened. When the spool is full, its oldest segment is deleted. Writing does not wait for the disk: the caller fsyncs the descriptors of
 * spool_take_fds(), in any thread.
 */
#ifndef DAEMON_MQTT_BROKER_SPOOL_H
#define DAEMON_MQTT_BROKER_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SPOOL_MAX_RECORD (1u << 20)
#define SPOOL_SEGMENTS 8 /* a segment's share of the limit is 1 / SPOOL_SEGMENTS */
#define SPOOL_MAX_FDS (SPOOL_SEGMENTS + 2)

struct spool;

struct spool_record {
	uint64_t number;
	const char *topic; /* zero-terminated */
	const void *payload;
	size_t size;
};

/* Creates @folder if needed. @max_bytes limits all segments together. */
int must_check spool_open(
	const char *folder, uint64_t max_bytes, struct spool **ret_spool, struct error *err);
void spool_close(struct spool *spool); /* NULL is fine */
DEFINE_OWNED(struct spool *, spool_close)

/* Appends a record. -EFBIG if it is above SPOOL_MAX_RECORD or above a segment's size, or the error
 * of the write. */
int must_check spool_append(struct spool *spool, const char *topic, const void *payload,
	size_t size, struct error *err);

/* Reads the next record. It is valid until the next call. Returns false if there is none, or too
 * many are unacknowledged. */
bool spool_read(struct spool *spool, struct spool_record *ret_record);
/* Makes spool_read() return the last record again. */
void spool_unread(struct spool *spool);
/* Continues reading at the first undelivered record. */
void spool_rewind(struct spool *spool);
/* Marks record @number as delivered. The number in "done" rises once all records before are
 * delivered. */
void spool_done(struct spool *spool, uint64_t number);

/* Returns the number of undelivered records. */
uint64_t spool_length(const struct spool *spool);
/* Returns the number of lost records: dropped at the limit, missing or damaged. A cut-off end
 * counts as one. */
uint64_t spool_dropped(const struct spool *spool);

/* spool_is_dirty() returns true if records were written or delivered since the last
 * spool_take_fds(). spool_take_fds() writes "done" and returns the number of descriptors, the
 * folder's last. The caller fsyncs and closes them. */
bool spool_is_dirty(const struct spool *spool);
size_t spool_take_fds(struct spool *spool, int ret_fds[SPOOL_MAX_FDS]);

#endif
