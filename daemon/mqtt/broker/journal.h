/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - requests that were acknowledged to the broker and are not answered yet
 *
 * The broker does not send an acknowledged message again. So a QoS 1 request is appended to a file
 * before its PUBACK is sent (mosq.h), and crossed out once the broker has its response. Requests
 * that are in the file at the next start are run again. A request that was tried JOURNAL_TRIES times
 * is answered with an error, so that it cannot crash the program forever. A try is counted when the
 * request goes to edged or to the worker (journal_count_try()).
 *
 * The file is in the runtime folder, a tmpfs: it survives the process but not a reboot, and causes
 * no flash wear. Each record begins at a page and is written by one call. It is crossed out by a
 * hole in its place, which gives its memory back. A journal without records is truncated. Numbers
 * are in the machine's byte order. A record is
 *
 *   header   number, time of arrival, sizes of the other parts
 *   texts    broker, topic, properties; each with a zero byte
 *   payload
 *   number   again: detects a record that was cut short
 *
 * Record numbers rise and begin at the monotonic clock's value at the start.
 *
 * Each broker has an equal share of records and bytes, so that a broker that takes no responses
 * leaves room for the others' requests.
 */
#ifndef DAEMON_MQTT_BROKER_JOURNAL_H
#define DAEMON_MQTT_BROKER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/broker/mosq.h"

#define JOURNAL_SLOTS 1024 /* records */
#define JOURNAL_TRIES 3
#define JOURNAL_N_TEXTS 9
/* limit of all texts of a record; a request above it is not in the journal */
#define JOURNAL_MAX_TEXTS (64u << 10)
#define JOURNAL_MAX_PAYLOAD (64u << 20)

struct journal;

/* A record. Belongs to the request, then to its response. */
struct journal_entry {
	struct journal *journal;
	char broker[SETTINGS_NAME_SIZE];
	uint64_t number; /* 0: there is no record */
	uint64_t at; /* offset in the file, in bytes */
	uint32_t bytes; /* size of the record */
	uint8_t tries; /* runs after the first one that have tried the request */
	bool earlier; /* the record is from an earlier run */
	bool tried; /* counted in @tries in this run */
	bool waits; /* to be returned by journal_next() */
};

struct journal {
	int fd; /* -1: no file; nothing is added or deleted */
	uint64_t page; /* page size in bytes */
	uint64_t max_bytes, bytes; /* of records, rounded up to whole pages */
	uint64_t next; /* number of the next record */
	uint64_t end; /* offset of the next record */
	size_t n_used, n_waiting;
	uint64_t full; /* requests that found no room in the journal */
	/* requests of earlier runs that were dropped: too many tries, unreadable, or their broker
	 * is gone */
	uint64_t given_up;
	size_t n_brokers; /* brokers that share the journal */
	struct journal_entry entries[JOURNAL_SLOTS];
};

/* A request that was read from the file. */
struct journal_record {
	const char *broker;
	struct mosq_message message; /* arrived_ns is the time of its first arrival */
	uint8_t *buffer; /* memory of all members; the caller frees it */
};

void journal_init(struct journal *journal); /* Sets up for one broker, without a file. */
/* Sets the number of brokers, above 0. A broker above its new share adds nothing until it is
 * below. */
void journal_set_brokers(struct journal *journal, size_t n_brokers);
/* Opens or creates @folder/kept. Records of an earlier run wait for journal_next(). @max_bytes is
 * above 0. -EAGAIN if another process has the file open. */
int must_check journal_open(
	struct journal *journal, const char *folder, uint64_t max_bytes, struct error *err);
/* Deletes the file, so that no later run repeats its requests. */
void journal_remove(const char *folder);
/* Closes the file. Its records stay for the next run. Notes remain valid and do nothing. */
void journal_close(struct journal *journal);

/* Writes a record. Returns NULL if there is no room or no file. */
struct journal_entry *journal_add(
	struct journal *journal, const char *broker, const struct mosq_message *message);
void journal_delete(struct journal_entry *entry); /* NULL is fine */
DEFINE_OWNED(struct journal_entry *, journal_delete)

/* Counts a try of a record of an earlier run, once in this run. Call before the request goes to the
 * worker or to edged. NULL is fine. */
void journal_count_try(struct journal_entry *entry);
/* Returns true if @entry has JOURNAL_TRIES tries. The caller answers with an error then. */
bool journal_is_given_up(const struct journal_entry *entry);
/* Sets the tries to 0, because the request was answered. NULL is fine. */
void journal_clear_tries(struct journal_entry *entry);

/* Makes journal_next() return the record again, after a lack of memory. */
void journal_put_off(struct journal_entry *entry);
/* Returns true if @entry may be taken now. */
typedef bool (*journal_may_fn)(const void *data, const struct journal_entry *entry);
/* Returns the oldest waiting record that @may accepts; NULL: none. */
struct journal_entry *journal_oldest(struct journal *journal, journal_may_fn may, const void *data);
/* Reads the record of journal_oldest(). Returns false if there is none, or no memory for it now. The
 * caller frees ret_record->buffer. Unreadable records are deleted and skipped. */
bool journal_next(struct journal *journal, journal_may_fn may, const void *data,
	struct journal_record *ret_record, struct journal_entry **ret_note);

#endif
