/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/power_view.h"

#include <stdbool.h>

static bool is_known(const struct edge_client_power *power)
{
	return power->has_temperature || power->has_meter;
}

void power_view_add(struct grid *grid, const struct edge_client_power *power)
{
	if (!is_known(power)) {
		return;
	}
	if (power->has_temperature) {
		grid_add(grid, "temperature");
		grid_add(grid, "%.1f C of %.1f C (%s)", power->temperature_mc / 1e3,
			power->limit_mc / 1e3, power->sensor);
	}
	if (power->has_meter) {
		grid_add(grid, "power");
		grid_add(grid, "%.2f W (%.2f W without work)", power->power_mw / 1e3,
			power->idle_mw / 1e3);
	}
	grid_add(grid, "held back");
	if (!power->sheds_batch && power->duty == 100) {
		grid_add(grid, "nothing (%s)", power->policy);
	} else {
		grid_add(grid, "%sworkers run %u%% of the time (%s)",
			power->sheds_batch ? "batch work, " : "", power->duty, power->policy);
	}
}

void power_view_put(struct json_document *d, const struct edge_client_power *power)
{
	if (!is_known(power)) {
		return;
	}
	json_builder_begin_object(d, "power");
	json_builder_put_text(d, "policy", power->policy);
	json_builder_put_bool(d, "batch_turned_away", power->sheds_batch);
	json_builder_put_integer(d, "duty_percent", power->duty);
	json_builder_put_bool(d, "current", power->current);
	if (power->has_temperature) {
		json_builder_put_text(d, "sensor", power->sensor);
		json_builder_put_real(d, "temperature_c", power->temperature_mc / 1e3);
		json_builder_put_real(d, "limit_c", power->limit_mc / 1e3);
	}
	if (power->has_meter) {
		json_builder_put_real(d, "power_w", power->power_mw / 1e3);
		json_builder_put_real(d, "idle_w", power->idle_mw / 1e3);
	}
	json_builder_end(d);
}
