/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/power_view.h"

void power_view_add(struct fields *f, const struct edge_client_power *power)
{
	const double temperature = power->temperature_mc / 1e3, limit = power->limit_mc / 1e3;
	const double watts = power->power_mw / 1e3, idle = power->idle_mw / 1e3;
	if (!power->has_temperature && !power->has_meter) {
		return;
	}
	json_builder_begin_object(f->json, "power");
	fields_text(f, NULL, "policy", power->policy);
	json_builder_put_bool(f->json, "batch_turned_away", power->sheds_batch);
	fields_integer(f, NULL, "duty_percent", power->duty);
	json_builder_put_bool(f->json, "current", power->current);
	if (power->has_temperature) {
		fields_cell(f, "temperature", false, "%.1f C of %.1f C (%s)", temperature, limit,
			power->sensor);
		fields_text(f, NULL, "sensor", power->sensor);
		fields_real(f, NULL, "temperature_c", 0, temperature);
		fields_real(f, NULL, "limit_c", 0, limit);
	}
	if (power->has_meter) {
		fields_cell(f, "power", false, "%.2f W (%.2f W without work)", watts, idle);
		fields_real(f, NULL, "power_w", 0, watts);
		fields_real(f, NULL, "idle_w", 0, idle);
	}
	if (!power->sheds_batch && power->duty == 100) {
		fields_cell(f, "held back", false, "nothing (%s)", power->policy);
	} else {
		fields_cell(f, "held back", false, "%sworkers run %u%% of the time (%s)",
			power->sheds_batch ? "batch work, " : "", power->duty, power->policy);
	}
	json_builder_end(f->json);
}
