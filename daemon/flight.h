/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flight - the flight recorder: the last FLIGHT_RECORDS requests, whatever became of them
 *
 * A ring in anonymous memory, 660 KB, whose pages are touched as requests come: an edged that nobody asks
 * has one of them. It is written to STATE/flight at SIGUSR1, told to who asks (FLIGHT), and written to
 * STATE/flight.crash when a signal ends edged that nobody sent or abort() does. Loop thread only, but for that.
 */
#ifndef DAEMON_FLIGHT_H
#define DAEMON_FLIGHT_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/flight.h"
#include "daemon/tally.h"

struct edged;
struct request;

/* What lies in memory is what is written. */
struct flight_image {
	struct flight_header header;
	struct flight_name names[FLIGHT_NAMES];
	struct flight_record records[FLIGHT_RECORDS];
};

/* Zeroed at first: then nothing is recorded. */
struct flight {
	struct flight_image *image;
	uint16_t next_name, last_name; /* whose place is next, that was asked for last */
};

/* Without memory nothing is recorded. It stays as long as the process. */
void flight_open(struct flight *flight);

void flight_note(struct flight *flight, const struct request *request, enum edge_status status,
	const struct tally_times *times);

/* SIGUSR1: to STATE/flight, and says so. */
void flight_write(struct edged *edged);

/* The newest records that @most bytes hold. -ENOMEM, -EOPNOTSUPP where nothing is recorded. */
int must_check flight_encode(
	const struct flight *flight, uint64_t most, struct bytes_writer *w, struct error *err);

/* From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write it to @state/flight.crash before they do
 * what they did. One for each process, before mapped_guard(). */
void flight_guard(const struct flight *flight, const char *state);

#endif
