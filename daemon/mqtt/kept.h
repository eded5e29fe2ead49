/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept - requests that were acknowledged to the broker and are not answered yet
 *
 * What the broker has our word for is nobody's but ours. So a request of QoS 1 is written to a file
 * before the broker is told (mosq.h), and crossed out when its answer has arrived there. What an
 * end in the middle has left is read at the next start and asked again, as often as KEPT_TRIES at
 * most, so that no request can end the program for ever. A try is one that got as far as the process that
 * decodes or edged (kept_count_try()), in a life that a broker did not end (culprit.h).
 *
 * The file lies in the folder for what lives as long as the service, which is memory: it outlives the
 * process, not the machine, and wears nothing out. It is a row of KEPT_SLOTS places, far enough from
 * each other for any message, of which only the pages that were written exist; all but the first page
 * of the first places are given back. Its numbers are in the machine's own order. A record is
 *
 *   head     number (0: crossed out), time it came, sizes of what follows
 *   texts    broker, topic, properties; each with a zero byte
 *   payload
 *   number   again: a record that was cut short is none
 *
 * written by one call. Numbers rise, with the time since the machine started as their beginning, so
 * that nothing of an earlier life can be taken for an end.
 *
 * Each broker has an equal part of the places and of the bytes, so that one that takes no answers leaves room for what others
 * ask. What an earlier life has left counts there once it is asked again.
 */
#ifndef DAEMON_MQTT_KEPT_H
#define DAEMON_MQTT_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/mqtt/mosq.h"

#define KEPT_SLOTS 1024
#define KEPT_TRIES 3
#define KEPT_N_TEXTS 9
#define KEPT_MAX_TEXTS (64u << 10) /* bytes of all of a record, above which it is not kept */
#define KEPT_MAX_PAYLOAD (64u << 20)

#define KEPT_SHARES (2 * SETTINGS_MAX_BROKERS) /* some may have left, and not be done */

struct kept;

/* What a broker has. */
struct kept_share {
	char broker[SETTINGS_NAME_SIZE];
	size_t n; /* places; 0: the share is nobody's */
	uint64_t bytes; /* in whole pages */
};

/* That a request is kept: belongs to the request, then to its answer. */
struct kept_note {
	struct kept *kept;
	struct kept_share *share; /* it counts there; NULL: nowhere */
	char broker[SETTINGS_NAME_SIZE];
	uint64_t number; /* 0: free */
	uint64_t came_ns;
	uint32_t bytes; /* of the record */
	uint8_t tries; /* of lives after the first */
	bool earlier; /* it came in an earlier life */
	bool tried; /* in this one */
	bool waits; /* of an earlier life, or put off: not asked again yet */
};

struct kept {
	int fd; /* -1: nothing is kept, nothing is crossed out */
	uint64_t page; /* of memory, bytes */
	uint64_t max_bytes, bytes; /* of records, in whole pages */
	uint64_t next; /* number */
	size_t n_used, n_waiting;
	uint64_t full; /* requests for which there was no room */
	uint64_t
		given_up; /* of an earlier life: tried too often, not to be read, or nobody's any more */
	size_t n_brokers; /* among which it is divided */
	struct kept_share shares[KEPT_SHARES];
	struct kept_note notes[KEPT_SLOTS];
};

/* One of an earlier life. */
struct kept_record {
	const char *broker;
	struct mosq_message message; /* came_ns is when it came then */
	uint8_t *buffer; /* of all of it */
};

void kept_init(struct kept *kept); /* for one broker */
/* Above 0. Who has more than that now has nothing more kept until it is less. */
void kept_divide(struct kept *kept, size_t n_brokers);
/* Opens or makes @folder/kept, and what it has of an earlier life waits for kept_next(). @max_bytes above 0.
 * @forgive: the end of the life before was no doing of what it was asked: its tries do not count.
 * -EAGAIN while another process has it. */
int must_check kept_open(
	struct kept *kept, const char *folder, uint64_t max_bytes, bool forgive, struct error *err);
/* Nothing is to be kept: what an earlier life has left is not to be asked by a later one either. */
void kept_remove(const char *folder);
/* What is not crossed out stays for the next life; notes that are still about cost nothing. */
void kept_close(struct kept *kept);

/* NULL when it cannot be kept: no room, no file. */
struct kept_note *kept_add(
	struct kept *kept, const char *broker, const struct mosq_message *message);
void kept_cross_out(struct kept_note *note); /* NULL is fine */
DEFINE_OWNED(struct kept_note *, kept_cross_out)

/* Of an earlier life: it is about to go to where it may do harm. Once in a life; NULL and others are fine. */
void kept_count_try(struct kept_note *note);
/* It was tried as often as may be: it is answered without being asked, and kept->given_up counts it. */
bool kept_is_given_up(const struct kept_note *note);
/* There is an answer: it does no harm. */
void kept_clear_tries(struct kept_note *note);

/* There is no memory for it now: kept_next() gives it again. */
void kept_put_off(struct kept_note *note);
/* May this one be asked before others? */
typedef bool (*kept_may_fn)(const void *data, const struct kept_note *note);
/* The oldest that waits and may; its bytes are a little more than its payload's. NULL: none. */
struct kept_note *kept_oldest(struct kept *kept, kept_may_fn may, const void *data);
/* The same is to be asked. False: none, or there is no memory for it now. The buffer is the caller's to
 * free. One that cannot be read is crossed out and left out. */
bool kept_next(struct kept *kept, kept_may_fn may, const void *data, struct kept_record *ret_record,
	struct kept_note **ret_note);

#endif
