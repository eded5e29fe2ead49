/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power - the loop's side of sensors, governor and energy
 *
 * While something is to be done the sensors are read once a second, seldom enough to take less
 * than a thousandth of the loop's time. When nothing is, nothing is read, and workers do not rest:
 * a machine without work cools down by itself. What was turned away before goes on being so, until
 * somebody asks and it turns out to be cool. Loop thread only.
 */
#ifndef DAEMON_POWER_H
#define DAEMON_POWER_H

#include <uv.h>

#include "base/wire.h"
#include "daemon/energy.h"
#include "daemon/governor.h"
#include "daemon/sensors.h"

struct edged;
struct served;

struct power {
	struct edged *edged;
	struct sensors sensors;
	struct sensors_reading reading; /* the last one */
	struct governor governor;
	struct energy energy;
	uv_timer_t timer;
	bool senses; /* there is something to read */
	bool active; /* the timer runs */
	bool first; /* since it does, nothing was read */
	bool worked; /* something ran since the last reading */
};

void power_start(struct power *power, struct edged *edged);

void power_begin(struct power *power);
/* Something is to be done. */
static inline void power_wake(struct power *power)
{
	if (power->senses && !power->active) {
		power_begin(power);
	}
}

/* A run of @served, which may be NULL, took @ns. */
void power_note_run(struct power *power, struct served *served, uint64_t ns);

/* What POWER answers about the machine, and @served if that is not NULL. */
struct wire_power power_tell(const struct power *power, const struct served *served);

#endif
