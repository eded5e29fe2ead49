/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sensors - temperature, throttling temperature and energy of the machine
 *
 * Files below the root of sysfs, searched once:
 *
 *   class/thermal/thermal_zone*  temp; limit: lowest trip point of type passive or hot, or 10
 *                                degrees below a critical one
 *   class/hwmon/hwmon*           temp*_input; limit: temp*_max, or 10 degrees below temp*_crit
 *   class/powercap               energy_uj of packages (RAPL)
 *   class/hwmon without RAPL     power*_input, or in*_input times curr*_input of equal number
 *                                (INA); the highest counts: it measures the board's supply
 *
 * Files are opened for each reading. A missing or unreadable file is skipped. Sources: the kernel's
 * Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-hwmon, sysfs-class-powercap.
 */
#ifndef DAEMON_SYSTEM_SENSORS_H
#define DAEMON_SYSTEM_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

#define SENSORS_TEMPERATURES 16
#define SENSORS_METERS 8
#define SENSORS_PATH_SIZE 96
#define SENSORS_NAME_SIZE 32

struct sensors_temperature {
	char path[SENSORS_PATH_SIZE];
	char name[SENSORS_NAME_SIZE];
	int32_t limit_mc; /* throttling temperature in millidegrees Celsius */
};

struct sensors_meter {
	enum {
		SENSORS_ENERGY, /* counter in microjoules */
		SENSORS_POWER, /* microwatts */
		SENSORS_VOLTAGE /* @path in millivolts, @other in milliamperes */
	} kind;
	char path[SENSORS_PATH_SIZE], other[SENSORS_PATH_SIZE];
	uint64_t range_uj; /* value at which the counter wraps; 0: never */
	uint64_t last_uj;
};

/* Zero it before sensors_find(). */
struct sensors {
	char root[256];
	uint32_t n_temperatures, n_meters;
	struct sensors_temperature temperatures[SENSORS_TEMPERATURES];
	struct sensors_meter meters[SENSORS_METERS];
	bool counted; /* the counters have been read once */
	uint64_t last_ns;
};

struct sensors_reading {
	bool has_temperature, has_energy;
	/* The temperature nearest to its limit: */
	int32_t temperature_mc, limit_mc;
	const char *name;
	/* Since the last reading: */
	uint64_t energy_uj, ns;
};

/* Searches for sensors below @root, a path of at most 255 bytes. */
void sensors_find(struct sensors *sensors, const char *root);

/* Reads all sensors. A power meter counts only if the last reading is at most a few seconds old,
 * because the power in between is unknown. */
void sensors_read(struct sensors *sensors, uint64_t now_ns, struct sensors_reading *ret_reading);

#endif
