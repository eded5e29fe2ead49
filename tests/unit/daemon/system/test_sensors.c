/* SPDX-License-Identifier: Apache-2.0 */
/* A sysfs in a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>

#include "daemon/system/sensors.h"
#include "tests/unit/daemon/temp_folder.h"

#define SECOND UINT64_C(1000000000)

/* Makes the folders too. */
static void put(const struct temp_folder *folder, const char *path, const char *text)
{
	char part[128];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		int made = mkdirat(folder->fd, part, 0755);
		(void)made; /* it was there */
	}
	temp_folder_put(folder, path, text);
}

static void put_zone(const struct temp_folder *folder, const char *zone, const char *type,
	const char *temp, const char *trip_type, const char *trip)
{
	char path[128];
	const char *const names[] = {"type", "temp", "trip_point_0_type", "trip_point_0_temp"};
	const char *const texts[] = {type, temp, trip_type, trip};
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "class/thermal/%s/%s", zone, names[i]);
		put(folder, path, texts[i]);
	}
}

static struct sensors_reading look(struct sensors *sensors, uint64_t now_ns)
{
	struct sensors_reading reading;
	sensors_read(sensors, now_ns, &reading);
	return reading;
}

static void the_zone_nearest_to_its_limit_counts(void **state)
{
	const struct temp_folder *folder = *state;
	struct sensors sensors = {0};
	put_zone(folder, "thermal_zone0", "cpu-thermal\n", "71000\n", "passive\n", "85000\n");
	put_zone(folder, "thermal_zone1", "gpu-thermal\n", "60000\n", "critical\n", "81000\n");
	put_zone(folder, "thermal_zone2", "fan-only\n", "99000\n", "active\n", "50000\n");
	put_zone(folder, "thermal_zone3", "not-set\n", "99000\n", "passive\n", "0\n");
	put_zone(folder, "cooling_device0", "fan\n", "99000\n", "passive\n", "50000\n");
	sensors_find(&sensors, folder->path);
	assert_int_equal(sensors.n_temperatures, 2);
	struct sensors_reading reading = look(&sensors, SECOND);
	assert_true(reading.has_temperature && !reading.has_energy);
	assert_string_equal(reading.name, "gpu-thermal"); /* 11 degrees; the other has 14 */
	assert_int_equal(reading.limit_mc, 71000);
	put(folder, "class/thermal/thermal_zone0/temp", "80000\n");
	reading = look(&sensors, 2 * SECOND);
	assert_string_equal(reading.name, "cpu-thermal");
	assert_int_equal(reading.limit_mc - reading.temperature_mc, 5000);
}

static void what_cannot_be_read_does_not_count(void **state)
{
	const struct temp_folder *folder = *state;
	struct sensors sensors = {0}, none = {0};
	put_zone(folder, "thermal_zone0", "cpu\n", "70000\n", "passive\n", "85000\n");
	sensors_find(&sensors, folder->path);
	static const char *const texts[] = {
		"", "hot\n", "70000x\n", "99999999999999999999\n", "9000000\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(folder, "class/thermal/thermal_zone0/temp", texts[i]);
		assert_false(look(&sensors, SECOND).has_temperature);
	}
	assert_int_equal(unlinkat(folder->fd, "class/thermal/thermal_zone0/temp", 0), 0);
	assert_false(look(&sensors, SECOND).has_temperature);
	put(folder, "class/thermal/thermal_zone0/temp", "-5000\n"); /* in winter */
	assert_int_equal(look(&sensors, SECOND).temperature_mc, -5000);
	sensors_find(&none, "/nowhere");
	assert_int_equal(none.n_temperatures + none.n_meters, 0);
}

static void hwmon_has_temperatures_too(void **state)
{
	const struct temp_folder *folder = *state;
	struct sensors sensors = {0};
	put(folder, "class/hwmon/hwmon0/name", "coretemp\n");
	put(folder, "class/hwmon/hwmon0/temp1_input", "50000\n");
	put(folder, "class/hwmon/hwmon0/temp1_max", "84000\n");
	put(folder, "class/hwmon/hwmon0/temp2_input", "51000\n");
	put(folder, "class/hwmon/hwmon0/temp2_crit", "70000\n");
	put(folder, "class/hwmon/hwmon0/temp3_input", "90000\n"); /* nobody says what is too much */
	sensors_find(&sensors, folder->path);
	const struct sensors_reading reading = look(&sensors, SECOND);
	assert_int_equal(sensors.n_temperatures, 2);
	assert_string_equal(reading.name, "coretemp");
	assert_int_equal(reading.limit_mc, 60000);
	assert_int_equal(reading.temperature_mc, 51000);
}

static void packages_are_counted_over_their_range(void **state)
{
	const struct temp_folder *folder = *state;
	struct sensors sensors = {0};
	put(folder, "class/powercap/intel-rapl:0/name", "package-0\n");
	put(folder, "class/powercap/intel-rapl:0/energy_uj", "1000\n");
	put(folder, "class/powercap/intel-rapl:0/max_energy_range_uj", "10000\n");
	put(folder, "class/powercap/intel-rapl:0:0/name", "core\n");
	put(folder, "class/powercap/intel-rapl:0:0/energy_uj", "900\n");
	put(folder, "class/powercap/intel-rapl:1/name", "package-1\n");
	put(folder, "class/powercap/intel-rapl:1/energy_uj", "5000\n");
	put(folder, "class/hwmon/hwmon0/power1_input", "1\n"); /* there are counters */
	sensors_find(&sensors, folder->path);
	assert_int_equal(sensors.n_meters, 2);
	assert_false(look(&sensors, SECOND).has_energy);
	put(folder, "class/powercap/intel-rapl:0/energy_uj", "4000\n");
	put(folder, "class/powercap/intel-rapl:1/energy_uj", "5500\n");
	struct sensors_reading reading = look(&sensors, 100 * SECOND);
	assert_true(reading.has_energy);
	assert_int_equal(reading.energy_uj, 3500);
	assert_int_equal(reading.ns, 99 * SECOND);
	put(folder, "class/powercap/intel-rapl:0/energy_uj", "100\n");
	assert_int_equal(look(&sensors, 101 * SECOND).energy_uj, 6100);
}

/* A meter of the board's supply, and one of a part behind it. */
static void meters_of_power_count_the_greatest_for_as_long_as_they_are_fresh(void **state)
{
	const struct temp_folder *folder = *state;
	struct sensors sensors = {0};
	put(folder, "class/hwmon/hwmon0/name", "ina226\n");
	put(folder, "class/hwmon/hwmon0/power1_input", "3000000\n");
	put(folder, "class/hwmon/hwmon1/name", "ina3221\n");
	put(folder, "class/hwmon/hwmon1/in1_input", "5000\n");
	put(folder, "class/hwmon/hwmon1/curr1_input", "1200\n");
	put(folder, "class/hwmon/hwmon1/in2_input", "5000\n"); /* without a current */
	sensors_find(&sensors, folder->path);
	assert_int_equal(sensors.n_meters, 2);
	assert_false(look(&sensors, SECOND).has_energy);
	const struct sensors_reading reading = look(&sensors, 3 * SECOND);
	assert_true(reading.has_energy);
	assert_int_equal(reading.energy_uj, 12000000); /* 6 W for 2 s */
	assert_false(look(&sensors, 60 * SECOND).has_energy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_folder_test(the_zone_nearest_to_its_limit_counts),
		temp_folder_test(what_cannot_be_read_does_not_count),
		temp_folder_test(hwmon_has_temperatures_too),
		temp_folder_test(packages_are_counted_over_their_range),
		temp_folder_test(meters_of_power_count_the_greatest_for_as_long_as_they_are_fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
