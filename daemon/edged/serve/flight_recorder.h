/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight_recorder - records of the last FLIGHT_RECORDS INFER requests
 *
 * A large request refused by its header alone has no record. The ring has 660 KB of anonymous memory. Its
 * pages are touched as requests come: an edged without requests uses one page. SIGUSR1 writes the
 * ring to STATE/flight, and the message FLIGHT returns it. A crash writes it to STATE/flight.crash.
 * Loop thread only, but for the crash.
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

/* Zeroed at first: no requests are recorded. */
struct flight_recorder {
	struct flight_recorder_image *image;
	uint16_t next_name, last_name; /* slot for the next new name; slot of the last name */
};

/* Allocates the ring, which stays as long as the process. Without memory no requests are
 * recorded. */
void flight_recorder_open(struct flight_recorder *flight);

void flight_recorder_note(struct flight_recorder *flight, const struct request *request,
	enum edge_status status, const struct counters_times *times);

/* Writes the ring to @state/flight and logs that. For SIGUSR1. */
void flight_recorder_write(
	struct flight_recorder *flight, const char *state, const struct log *log);

/* Encodes the newest records that fit into @max bytes. -ENOMEM, -EOPNOTSUPP when no requests
 * are recorded. */
int must_check flight_recorder_encode(const struct flight_recorder *flight, uint64_t max,
	struct bytes_writer *w, struct error *err);

/* Installs handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT that write
 * @state/flight.crash and then let the signal act as before. Once per process, before
 * mapped_guard(). */
void flight_recorder_guard(const struct flight_recorder *flight, const char *state);

#endif
