/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power - the loop's side of sensors, governor and energy
 *
 * While there is work the sensors are read once a second, or less often so that reading takes less
 * than a thousandth of the loop's time. Without work they are not read and workers do not rest,
 * because an idle machine cools down by itself. Classes that were refused stay refused until the
 * next request wakes the readings and the machine turns out to be cool. Loop thread only.
 */
#ifndef DAEMON_EDGED_SERVE_POWER_H
#define DAEMON_EDGED_SERVE_POWER_H

#include <uv.h>

#include "base/log.h"
#include "base/wire/wire.h"
#include "daemon/edged/config/config.h"
#include "daemon/edged/model/energy.h"
#include "daemon/system/governor.h"
#include "daemon/system/sensors.h"

struct sched;
struct loaded_model;
struct models;

struct power {
	/* borrowed */
	const struct config *config;
	const struct log *log;
	const struct models *models;
	struct sched *sched;
	struct sensors sensors;
	struct sensors_reading reading; /* the last reading */
	struct governor governor;
	struct energy energy;
	uv_timer_t timer;
	bool has_sensors; /* a sensor was found */
	bool active; /* the timer runs: sensors are being read */
	bool first; /* no reading was taken since the timer was started */
	bool ran_since_reading; /* a request ran since the last reading */
};

/* Finds the sensors. config, log, models and sched are set. */
void power_start(struct power *power, uv_loop_t *loop);

void power_begin(struct power *power);
/* There is work: starts reading the sensors if they are not read already. */
static inline void power_wake(struct power *power)
{
	if (power->has_sensors && !power->active) {
		power_begin(power);
	}
}

/* Notes that a run of @loaded took @ns. @loaded may be NULL. */
void power_note_run(struct power *power, struct loaded_model *loaded, uint64_t ns);

/* The reply to POWER for the machine, and for @loaded if not NULL. */
struct wire_power power_report(const struct power *power, const struct loaded_model *loaded);

#endif
