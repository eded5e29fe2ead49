/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/sensors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

#define MAX_TRIPS 16
#define MAX_CHANNELS 16 /* channels of a hwmon device */
/* governors of the kernel act before the critical temperature; the distance is a guess */
#define BELOW_CRITICAL_MC 10000
#define LEAST_LIMIT_MC 1000 /* unset trip points are 0, or far below */
#define MAX_LIMIT_MC 200000
#define STALE_NS UINT64_C(3000000000)

/* ---- files */

static bool text_read(const struct sensors *sensors, const char *path, char *out, size_t size)
{
	char full[sizeof(sensors->root) + SENSORS_PATH_SIZE + 32];
	snprintf(full, sizeof(full), "%s/%s", sensors->root, path);
	owned_fd int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n <= 0) {
		return false;
	}
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
	return true;
}

static bool number_read(const struct sensors *sensors, const char *path, int64_t *ret_number)
{
	char text[32], *end = NULL;
	if (!text_read(sensors, path, text, sizeof(text))) {
		return false;
	}
	errno = 0;
	*ret_number = strtoll(text, &end, 10);
	return end != text && *end == 0 && errno == 0;
}

/* Writes FOLDER/NAME; false if it is too long. */
static bool join(char out[SENSORS_PATH_SIZE], const char *folder, const char *name)
{
	return (size_t)snprintf(out, SENSORS_PATH_SIZE, "%s/%s", folder, name) < SENSORS_PATH_SIZE;
}

static bool number_in(
	const struct sensors *sensors, const char *folder, const char *name, int64_t *ret_number)
{
	char path[SENSORS_PATH_SIZE];
	return join(path, folder, name) && number_read(sensors, path, ret_number);
}

/* Calls @fn for each entry of @class whose name begins with @prefix. */
static void each_device(struct sensors *sensors, const char *class, const char *prefix,
	void (*fn)(struct sensors *sensors, const char *folder))
{
	char full[sizeof(sensors->root) + SENSORS_PATH_SIZE], folder[SENSORS_PATH_SIZE];
	snprintf(full, sizeof(full), "%s/%s", sensors->root, class);
	DIR *all = opendir(full);
	for (struct dirent *e; all && (e = readdir(all));) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 &&
			join(folder, class, e->d_name)) {
			fn(sensors, folder);
		}
	}
	if (all) {
		closedir(all);
	}
}

/* ---- search */

static void temperature_add(
	struct sensors *sensors, const char *path, const char *name, int64_t limit_mc)
{
	int64_t now = 0;
	if (sensors->n_temperatures == SENSORS_TEMPERATURES || limit_mc < LEAST_LIMIT_MC ||
		limit_mc > MAX_LIMIT_MC || !number_read(sensors, path, &now)) {
		return;
	}
	struct sensors_temperature *new = &sensors->temperatures[sensors->n_temperatures++];
	*new = (struct sensors_temperature){.limit_mc = (int32_t)limit_mc};
	snprintf(new->path, sizeof(new->path), "%s", path);
	snprintf(new->name, sizeof(new->name), "%.*s", (int)sizeof(new->name) - 1, name);
}

/* Returns the temperature of trip point @i if it throttles; else INT64_MAX. */
static int64_t trip_limit(const struct sensors *sensors, const char *folder, unsigned int i)
{
	char name[40], path[SENSORS_PATH_SIZE], type[16] = "";
	int64_t mc = 0;
	snprintf(name, sizeof(name), "trip_point_%u_type", i);
	if (!join(path, folder, name) || !text_read(sensors, path, type, sizeof(type))) {
		return INT64_MAX;
	}
	snprintf(name, sizeof(name), "trip_point_%u_temp", i);
	if (!number_in(sensors, folder, name, &mc) || mc < LEAST_LIMIT_MC) {
		return INT64_MAX;
	}
	if (strcmp(type, "critical") == 0) {
		return mc - BELOW_CRITICAL_MC;
	}
	return strcmp(type, "passive") == 0 || strcmp(type, "hot") == 0 ? mc : INT64_MAX;
}

static void find_zone(struct sensors *sensors, const char *folder)
{
	char path[SENSORS_PATH_SIZE], name[SENSORS_NAME_SIZE] = "thermal zone";
	int64_t limit = INT64_MAX;
	for (unsigned int i = 0; i < MAX_TRIPS; i++) {
		const int64_t one = trip_limit(sensors, folder, i);
		limit = one < limit ? one : limit;
	}
	if (join(path, folder, "type")) {
		bool named = text_read(sensors, path, name, sizeof(name));
		(void)named;
	}
	if (join(path, folder, "temp")) {
		temperature_add(sensors, path, name, limit);
	}
}

static void find_hwmon_temperatures(struct sensors *sensors, const char *folder)
{
	char path[SENSORS_PATH_SIZE], name[SENSORS_NAME_SIZE] = "hwmon", file[32];
	if (join(path, folder, "name")) {
		bool named = text_read(sensors, path, name, sizeof(name));
		(void)named;
	}
	for (unsigned int i = 1; i <= MAX_CHANNELS; i++) {
		int64_t limit = 0;
		snprintf(file, sizeof(file), "temp%u_max", i);
		if (!number_in(sensors, folder, file, &limit) || limit < LEAST_LIMIT_MC) {
			snprintf(file, sizeof(file), "temp%u_crit", i);
			limit = number_in(sensors, folder, file, &limit) ? limit - BELOW_CRITICAL_MC
									 : 0;
		}
		snprintf(file, sizeof(file), "temp%u_input", i);
		if (join(path, folder, file)) {
			temperature_add(sensors, path, name, limit);
		}
	}
}

static bool meter_add(struct sensors *sensors, const struct sensors_meter *meter)
{
	int64_t value = 0;
	if (sensors->n_meters == SENSORS_METERS || !number_read(sensors, meter->path, &value) ||
		(meter->other[0] && !number_read(sensors, meter->other, &value))) {
		return false;
	}
	sensors->meters[sensors->n_meters++] = *meter;
	return true;
}

/* Only packages, which include their subzones. */
static void find_package(struct sensors *sensors, const char *folder)
{
	struct sensors_meter meter = {.kind = SENSORS_ENERGY};
	char path[SENSORS_PATH_SIZE], name[32] = "";
	int64_t range = 0;
	if (!join(path, folder, "name") || !text_read(sensors, path, name, sizeof(name)) ||
		strncmp(name, "package", 7) != 0 || !join(meter.path, folder, "energy_uj")) {
		return;
	}
	if (number_in(sensors, folder, "max_energy_range_uj", &range) && range > 0) {
		meter.range_uj = (uint64_t)range;
	}
	meter_add(sensors, &meter);
}

static void find_hwmon_power(struct sensors *sensors, const char *folder)
{
	char file[32];
	for (unsigned int i = 1; i <= MAX_CHANNELS; i++) {
		struct sensors_meter power = {.kind = SENSORS_POWER};
		struct sensors_meter voltage = {.kind = SENSORS_VOLTAGE};
		snprintf(file, sizeof(file), "power%u_input", i);
		if (join(power.path, folder, file) && meter_add(sensors, &power)) {
			continue;
		}
		snprintf(file, sizeof(file), "in%u_input", i);
		bool fits = join(voltage.path, folder, file);
		snprintf(file, sizeof(file), "curr%u_input", i);
		if (fits && join(voltage.other, folder, file)) {
			meter_add(sensors, &voltage);
		}
	}
}

void sensors_find(struct sensors *sensors, const char *root)
{
	snprintf(sensors->root, sizeof(sensors->root), "%s", root);
	each_device(sensors, "class/thermal", "thermal_zone", find_zone);
	each_device(sensors, "class/hwmon", "hwmon", find_hwmon_temperatures);
	each_device(sensors, "class/powercap", "", find_package);
	if (sensors->n_meters == 0) {
		each_device(sensors, "class/hwmon", "hwmon", find_hwmon_power);
	}
}

/* ---- reading */

static void read_temperatures(struct sensors *sensors, struct sensors_reading *reading)
{
	for (uint32_t i = 0; i < sensors->n_temperatures; i++) {
		const struct sensors_temperature *one = &sensors->temperatures[i];
		int64_t mc = 0;
		if (!number_read(sensors, one->path, &mc) || mc < -MAX_LIMIT_MC ||
			mc > MAX_LIMIT_MC) {
			continue;
		}
		if (reading->has_temperature &&
			one->limit_mc - mc >= reading->limit_mc - reading->temperature_mc) {
			continue;
		}
		reading->has_temperature = true;
		reading->temperature_mc = (int32_t)mc;
		reading->limit_mc = one->limit_mc;
		reading->name = one->name;
	}
}

/* Returns the increase of a counter; a smaller value means that it wrapped. */
static uint64_t counter_step(struct sensors_meter *meter, uint64_t now_uj)
{
	const uint64_t before = meter->last_uj;
	meter->last_uj = now_uj;
	if (now_uj >= before) {
		return now_uj - before;
	}
	return meter->range_uj > before ? meter->range_uj - before + now_uj : 0;
}

/* Returns microwatts; 0 if the file cannot be read. */
static uint64_t meter_power(const struct sensors *sensors, const struct sensors_meter *meter)
{
	int64_t value = 0, other = 1;
	if (!number_read(sensors, meter->path, &value) || value < 0 ||
		(meter->other[0] && (!number_read(sensors, meter->other, &other) || other < 0))) {
		return 0;
	}
	return (uint64_t)value * (uint64_t)other; /* mV mA = uW */
}

static void read_meters(struct sensors *sensors, struct sensors_reading *reading)
{
	const bool fresh = sensors->last_ns > 0 && reading->ns <= STALE_NS;
	uint64_t counted = 0, power = 0;
	bool has_counter = false;
	for (uint32_t i = 0; i < sensors->n_meters; i++) {
		struct sensors_meter *meter = &sensors->meters[i];
		int64_t uj = 0;
		if (meter->kind != SENSORS_ENERGY) {
			const uint64_t one = meter_power(sensors, meter);
			power = one > power ? one : power;
		} else if (number_read(sensors, meter->path, &uj) && uj >= 0) {
			has_counter = true;
			counted += counter_step(meter, (uint64_t)uj);
		}
	}
	reading->has_energy = has_counter ? sensors->counted : power > 0 && fresh;
	reading->energy_uj =
		has_counter ? counted : (uint64_t)((double)power * (double)reading->ns / 1e9);
	sensors->counted = has_counter;
}

void sensors_read(struct sensors *sensors, uint64_t now_ns, struct sensors_reading *ret_reading)
{
	*ret_reading =
		(struct sensors_reading){.ns = sensors->last_ns ? now_ns - sensors->last_ns : 0};
	read_temperatures(sensors, ret_reading);
	read_meters(sensors, ret_reading);
	sensors->last_ns = now_ns;
}
