/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sensors - how warm the machine is, at what temperature its kernel slows it down, and what it
 * takes
 *
 * Below the root of sysfs, looked for once:
 *   class/thermal/thermal_zone*: temp, and the lowest trip point of type passive or hot; of
 *     critical ones 10 degrees less
 *   class/hwmon/hwmon*: temp*_input with temp*_max, else 10 degrees below temp*_crit
 *   class/powercap: energy_uj of packages (RAPL)
 *   class/hwmon, where there is no such: power*_input, else in*_input times curr*_input of the
 *     same number (INA). A board has one on its supply and others behind it, so the greatest
 *     counts
 * Sources: the kernel's Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-hwmon, sysfs-
 * class-powercap.
 *
 * Files are opened to be read and closed again; one that is not there any more, or that this
 * user may not read, does not count.
 */
#ifndef DAEMON_SENSORS_H
#define DAEMON_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

#define SENSORS_TEMPERATURES 16
#define SENSORS_METERS 8
#define SENSORS_PATH_SIZE 96
#define SENSORS_NAME_SIZE 32

struct sensors_temperature {
	char path[SENSORS_PATH_SIZE];
	char name[SENSORS_NAME_SIZE];
	int32_t limit_mc; /* millidegrees Celsius */
};

struct sensors_meter {
	enum {
		SENSORS_ENERGY, /* microjoules since some time */
		SENSORS_POWER, /* microwatts */
		SENSORS_VOLTAGE /* millivolts; milliamperes in @other */
	} kind;
	char path[SENSORS_PATH_SIZE], other[SENSORS_PATH_SIZE];
	uint64_t range_uj; /* a counter begins anew there; 0: never */
	uint64_t last_uj;
};

/* Zeroed before sensors_find(). */
struct sensors {
	char root[256];
	uint32_t n_temperatures, n_meters;
	struct sensors_temperature temperatures[SENSORS_TEMPERATURES];
	struct sensors_meter meters[SENSORS_METERS];
	bool counted; /* the counters were read before */
	uint64_t last_ns;
};

struct sensors_reading {
	bool has_temperature, has_energy;
	/* Of the one that is nearest to its limit: */
	int32_t temperature_mc, limit_mc;
	const char *name;
	/* Since the last reading: */
	uint64_t energy_uj, ns;
};

/* What there is below @root, a path of at most 255 bytes. */
void sensors_find(struct sensors *sensors, const char *root);

/* A meter of power counts for the time since the last reading only if that is at most a few
 * seconds ago: nobody knows what was before. */
void sensors_read(struct sensors *sensors, uint64_t now_ns, struct sensors_reading *ret_reading);

#endif
