/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/power.h"

#include <stdio.h>

#include "base/clock.h"
#include "daemon/edged.h"

#define INTERVAL_MS 1000
#define PART 1000 /* of the time goes into reading at most, one part of so many */
#define NS_PER_MS UINT64_C(1000000)

static void on_tick(uv_timer_t *timer);

void power_start(struct power *power, struct edged *edged)
{
	power->edged = edged;
	sensors_find(&power->sensors, edged->config.sensors);
	power->senses = power->sensors.n_temperatures + power->sensors.n_meters > 0;
	uv_timer_init(&edged->loop, &power->timer);
	power->timer.data = power;
	if (power->senses) {
		log_info(&edged->log, "power: %u temperatures, %u meters",
			power->sensors.n_temperatures, power->sensors.n_meters);
	}
}

/* Read at the loop's next turn: nobody waits for that. */
void power_begin(struct power *power)
{
	power->active = power->first = power->worked = true;
	uv_timer_start(&power->timer, on_tick, 0, 0);
}

void power_note_run(struct power *power, struct served *served, uint64_t ns)
{
	if (power->senses && served) {
		power->worked = true;
		energy_note_run(&power->energy, &served->energy, ns);
	}
}

/* ---- what is held back */

static bool restrain(struct power *power, bool sheds, uint32_t duty)
{
	struct sched *sched = &power->edged->dispatch.sched;
	const enum queue_class least = sheds ? QUEUE_NORMAL : QUEUE_BATCH;
	if (sched->least == least && sched->duty == duty) {
		return false;
	}
	sched_restrain(sched, least, duty);
	return true;
}

static void tell(const struct power *power)
{
	const struct governor *governor = &power->governor;
	const struct sensors_reading *reading = &power->reading;
	const struct edged *edged = power->edged;
	char rest[64] = "";
	if (!governor->sheds && governor->rests == 0) {
		log_notice(&edged->log, "power: nothing is held back any more");
		return;
	}
	if (governor->rests > 0) {
		snprintf(rest, sizeof(rest), "%sworkers run %u%% of the time",
			governor->sheds ? ", " : "", governor_duty(governor));
	}
	log_notice(&edged->log, "power: %s has %.1f C, and is slowed down at %.1f C: %s%s",
		reading->name ? reading->name : "a sensor", reading->temperature_mc / 1e3,
		reading->limit_mc / 1e3, governor->sheds ? "batch work is turned away" : "", rest);
}

static void govern(struct power *power, uint64_t now_ns)
{
	const struct sensors_reading *reading = &power->reading;
	const enum governor_policy policy = (enum governor_policy)power->edged->config.power_policy;
	const int32_t headroom_mc =
		reading->has_temperature ? reading->limit_mc - reading->temperature_mc : INT32_MAX;
	const bool changed = governor_step(&power->governor, policy, headroom_mc, now_ns);
	restrain(power, power->governor.sheds, governor_duty(&power->governor));
	if (changed) {
		tell(power);
	}
}

/* ---- readings */

static void account(struct power *power, bool idle)
{
	const struct sensors_reading *reading = &power->reading;
	const struct store *store = &power->edged->store;
	const double active_uj = reading->has_energy
		? energy_end(&power->energy, reading->energy_uj, reading->ns, idle)
		: -1;
	for (size_t i = 0; i < store->n; i++) {
		struct served *served = store->models[i].served;
		if (served) {
			energy_divide(&power->energy, &served->energy, active_uj);
		}
	}
	energy_begin(&power->energy);
}

static void on_tick(uv_timer_t *timer)
{
	struct power *power = timer->data;
	const uint64_t start_ns = clock_now_ns();
	const bool first = power->first;
	sensors_read(&power->sensors, start_ns, &power->reading);
	account(power, first);
	if (!first && !power->worked && dispatch_idle(&power->edged->dispatch)) {
		power->active = false;
		/* Who asks for batch work is turned away until it was seen to be cool: asking wakes this. */
		restrain(power, power->governor.sheds, SCHED_ALL);
		return;
	}
	power->first = power->worked = false;
	govern(power, start_ns);
	const uint64_t due_ms = (clock_now_ns() - start_ns) * PART / NS_PER_MS;
	uv_timer_start(timer, on_tick, due_ms > INTERVAL_MS ? due_ms : INTERVAL_MS, 0);
}

struct wire_power power_tell(const struct power *power, const struct served *served)
{
	const struct sensors_reading *reading = &power->reading;
	const struct sched *sched = &power->edged->dispatch.sched;
	return (struct wire_power){
		.policy = (uint32_t)power->edged->config.power_policy,
		.flags = (reading->has_temperature ? WIRE_POWER_TEMPERATURE : 0) |
			(power->energy.known ? WIRE_POWER_METER : 0) |
			(sched->least > QUEUE_BATCH ? WIRE_POWER_SHEDS : 0) |
			(power->active ? WIRE_POWER_CURRENT : 0),
		.duty = sched->duty,
		.temperature_mc = reading->temperature_mc,
		.limit_mc = reading->limit_mc,
		.power_mw = (uint32_t)(power->energy.power_uw / 1e3 + 0.5),
		.idle_mw = (uint32_t)(power->energy.idle_uw / 1e3 + 0.5),
		.sensor = wire_text_of(reading->name ? reading->name : ""),
		.model_runs = served ? (uint64_t)served->energy.runs : 0,
		.model_nj = served ? energy_of_run(&served->energy) : 0,
	};
}
