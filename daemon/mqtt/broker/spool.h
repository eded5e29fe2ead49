/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool - results on disk while a broker is away
 *
 * A folder of segments, 16 hexadecimal digits and ".spool" each; a segment is records in a row:
 *
 *   u32  bytes of topic and payload        u64  number of the record, rising by one
 *   u32  CRC-32 of what follows            u16  bytes of the topic; the topic; the payload
 *
 * little endian. The file "done" holds the number of the first record that was not delivered (u64), and
 * in how many lives in a row that one was tried and the program ended without spool_close() (u8). What
 * is missing or damaged is left out when it is its turn, and whole records behind it are found by number and
 * checksum; behind the last whole one of the last segment (a power cut) it is taken off when the folder
 * is opened. Above the bound the oldest segment goes. Writing does not wait for the disk; spool_take_fds() helps to, in whatever thread.
 */
#ifndef DAEMON_MQTT_SPOOL_H
#define DAEMON_MQTT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SPOOL_MAX_RECORD (1u << 20)
#define SPOOL_SEGMENTS 8 /* into which the bound is cut */
#define SPOOL_MAX_FDS (SPOOL_SEGMENTS + 2)

struct spool;

struct spool_record {
	uint64_t number;
	const char *topic; /* ends with a zero byte */
	const void *payload;
	size_t size;
};

/* @folder is made. @max_bytes: of all segments. */
int must_check spool_open(
	const char *folder, uint64_t max_bytes, struct spool **ret_spool, struct error *err);
void spool_close(struct spool *spool); /* NULL is fine */
DEFINE_OWNED(struct spool *, spool_close)

/* At the end. -EFBIG for a record above SPOOL_MAX_RECORD or the bound, or what writing gave. */
int must_check spool_append(struct spool *spool, const char *topic, const void *payload,
	size_t size, struct error *err);

/* The record behind the one that was read last; borrowed until the next call. False: no more. */
bool spool_read(struct spool *spool, struct spool_record *ret_record);
/* The record that was read last is read again. */
void spool_unread(struct spool *spool);
/* Reads again from the first that was not delivered. */
void spool_rewind(struct spool *spool);
/* Record @number was delivered. The mark moves when all before it were too. */
void spool_done(struct spool *spool, uint64_t number);

/* Record @number is about to be sent. Noted on disk when it is the first that was not delivered: of the first one in a life,
 * or of each (@each). */
void spool_try(struct spool *spool, uint64_t number, bool each);
/* In how many lives in a row before this one was record *ret_number tried, and the program ended? */
unsigned int spool_tries(const struct spool *spool, uint64_t *ret_number);

/* Records that were not delivered yet. */
uint64_t spool_length(const struct spool *spool);
/* That will not be: above the bound, missing or damaged; what is taken off when the folder is opened counts as one. */
uint64_t spool_dropped(const struct spool *spool);

/* True when something was written, or delivered, since the last call of spool_take_fds(), which writes the mark and gives
 * descriptors of all that was written since, the folder last: to be fsynced and closed by the caller. Returns how many. */
bool spool_is_dirty(const struct spool *spool);
size_t spool_take_fds(struct spool *spool, int ret_fds[SPOOL_MAX_FDS]);

#endif
