/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/power.h"

#include <stdio.h>

#include "base/clock.h"
#include "daemon/edged/models/models.h"
#include "daemon/edged/serve/sched.h"

#define INTERVAL_MS 1000
#define MIN_IDLE_RATIO 1000 /* reading takes at most 1/MIN_IDLE_RATIO of the time */

static void on_tick(uv_timer_t *timer);

void power_start(struct power *power, uv_loop_t *loop)
{
	sensors_find(&power->sensors, power->config->sensors);
	power->has_sensors = power->sensors.n_temperatures + power->sensors.n_meters > 0;
	uv_timer_init(loop, &power->timer);
	power->timer.data = power;
	if (power->has_sensors) {
		log_info(power->log, "power: %u temperatures, %u meters",
			power->sensors.n_temperatures, power->sensors.n_meters);
	}
}

/* The first reading is taken in the loop's next turn, after the request. */
void power_begin(struct power *power)
{
	power->active = power->first = power->ran_since_reading = true;
	uv_timer_start(&power->timer, on_tick, 0, 0);
}

void power_note_run(struct power *power, struct loaded_model *loaded, uint64_t ns)
{
	if (power->has_sensors && loaded) {
		power->ran_since_reading = true;
		energy_note_run(&power->energy, &loaded->energy, ns);
	}
}

/* ---- throttling */

static void throttle(struct power *power, bool refuses_batch, uint32_t duty)
{
	struct sched *sched = power->sched;
	const enum queue_class lowest_class = refuses_batch ? QUEUE_NORMAL : QUEUE_BATCH;
	if (sched->lowest_class == lowest_class && sched->duty == duty) {
		return;
	}
	sched_throttle(sched, lowest_class, duty);
}

static void log_power(const struct power *power)
{
	const struct governor *governor = &power->governor;
	const struct sensors_reading *reading = &power->reading;
	char rest[64] = "";
	if (!governor->refuses_batch && governor->pause_percent == 0) {
		log_notice(power->log, "power: nothing is held back any more");
		return;
	}
	if (governor->pause_percent > 0) {
		snprintf(rest, sizeof(rest), "%sworkers run %u%% of the time",
			governor->refuses_batch ? ", " : "", governor_duty(governor));
	}
	log_notice(power->log, "power: %s has %.1f C, and is slowed down at %.1f C: %s%s",
		reading->name ? reading->name : "a sensor", reading->temperature_mc / 1e3,
		reading->limit_mc / 1e3, governor->refuses_batch ? "batch work is turned away" : "",
		rest);
}

static void govern(struct power *power, uint64_t now_ns)
{
	const struct sensors_reading *reading = &power->reading;
	const enum governor_policy policy = (enum governor_policy)power->config->power_policy;
	const int32_t headroom_mc =
		reading->has_temperature ? reading->limit_mc - reading->temperature_mc : INT32_MAX;
	const bool changed = governor_step(&power->governor, policy, headroom_mc, now_ns);
	throttle(power, power->governor.refuses_batch, governor_duty(&power->governor));
	if (changed) {
		log_power(power);
	}
}

/* ---- readings */

static void close_interval(struct power *power, bool idle)
{
	const struct sensors_reading *reading = &power->reading;
	const struct models *models = power->models;
	const double active_uj = reading->has_energy
		? energy_end(&power->energy, reading->energy_uj, reading->ns, idle)
		: -1;
	for (size_t i = 0; i < models->n; i++) {
		struct loaded_model *loaded = models->entries[i].loaded;
		if (loaded) {
			energy_divide(&power->energy, &loaded->energy, active_uj);
		}
	}
	energy_begin(&power->energy);
}

/* True when requests are queued or run. */
static bool is_busy(const struct power *power)
{
	uint32_t queued = 0, running = 0;
	sched_count(power->sched, &queued, &running);
	return queued + running > 0;
}

static void on_tick(uv_timer_t *timer)
{
	struct power *power = timer->data;
	const uint64_t start_ns = clock_now_ns();
	const bool first = power->first;
	sensors_read(&power->sensors, start_ns, &power->reading);
	close_interval(power, first); /* before the first reading the machine was idle */
	if (!first && !power->ran_since_reading && !is_busy(power)) {
		power->active = false;
		/* Batch requests stay refused until a reading shows that the machine is cool. Each
		 * request, also one that is refused, starts the readings again (power_wake()). */
		throttle(power, power->governor.refuses_batch, SCHED_ALL);
		return;
	}
	power->first = power->ran_since_reading = false;
	govern(power, start_ns);
	const uint64_t delay_ms = (clock_now_ns() - start_ns) * MIN_IDLE_RATIO / NSEC_PER_MSEC;
	uv_timer_start(timer, on_tick, delay_ms > INTERVAL_MS ? delay_ms : INTERVAL_MS, 0);
}

struct wire_power power_report(const struct power *power, const struct loaded_model *loaded)
{
	const struct sensors_reading *reading = &power->reading;
	const struct sched *sched = power->sched;
	return (struct wire_power){
		.policy = (uint32_t)power->config->power_policy,
		.flags = (reading->has_temperature ? WIRE_POWER_TEMPERATURE : 0) |
			(power->energy.known ? WIRE_POWER_METER : 0) |
			(sched->lowest_class > QUEUE_BATCH ? WIRE_POWER_REFUSES_BATCH : 0) |
			(power->active ? WIRE_POWER_LIVE : 0),
		.duty = sched->duty,
		.temperature_mc = reading->temperature_mc,
		.limit_mc = reading->limit_mc,
		.power_mw = (uint32_t)(power->energy.power_uw / 1e3 + 0.5),
		.idle_mw = (uint32_t)(power->energy.idle_uw / 1e3 + 0.5),
		.sensor = wire_text_of(reading->name ? reading->name : ""),
		.model_runs = loaded ? (uint64_t)loaded->energy.runs : 0,
		.model_nj = loaded ? energy_of_run(&loaded->energy) : 0,
	};
}
