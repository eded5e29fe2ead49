/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight_recorder - records of the last FLIGHT_RECORDS INFER requests
 *
 * A large request refused by its header alone has no record. The ring buffer of records takes
 * 660 KB of anonymous memory. Its pages are touched as requests come: an edged without requests uses
 * one page. SIGUSR1 writes the ring buffer to STATE/flight, and the message FLIGHT returns it. A
 * crash writes it to STATE/flight.crash. All functions are for the loop thread; only the crash
 * handler runs on any thread.
 */
#ifndef DAEMON_EDGED_SERVE_FLIGHT_RECORDER_H
#define DAEMON_EDGED_SERVE_FLIGHT_RECORDER_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/flight_record.h"
#include "base/log.h"
#include "daemon/system/counters.h"

struct request;

/* The memory's layout is the file's. */
struct flight_recorder_image {
	struct flight_header header;
	struct flight_name names[FLIGHT_NAMES];
	struct flight_record records[FLIGHT_RECORDS];
};

/* Zeroed: recording is off. */
struct flight_recorder {
	struct flight_recorder_image *image;
	uint16_t next_name; /* index in names[] for the next new name */
	uint16_t last_name; /* index of the name that was recorded last */
};

/* Allocates the ring buffer, which is never freed, and starts recording. If memory runs out,
 * recording stays off. */
void flight_recorder_open(struct flight_recorder *flight);

/* Adds the record of a request that ended with @status. The oldest record is overwritten. */
void flight_recorder_note(struct flight_recorder *flight, const struct request *request,
	enum edge_status status, const struct counters_times *times);

/* Writes the ring buffer to @state/flight and logs that. For SIGUSR1. */
void flight_recorder_write(
	struct flight_recorder *flight, const char *state, const struct log *log);

/* Encodes the newest records that fit into @max bytes. -EOPNOTSUPP: recording is off (the ring
 * buffer could not be allocated), or @max is too small for the names. -ENOMEM. */
int must_check flight_recorder_encode(const struct flight_recorder *flight, uint64_t max,
	struct bytes_writer *w, struct error *err);

/* Installs handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT that write @state/flight.crash
 * and then pass the signal to the previous handler. Call once per process, before mapped_guard(). */
void flight_recorder_guard(const struct flight_recorder *flight, const char *state);

#endif
