/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wire/wire.h"
#include "base/wire/wire_field.h"

void wire_power_encode(struct bytes_writer *w, const struct wire_power *power)
{
	bytes_write_u32(w, power->policy);
	bytes_write_u32(w, power->flags);
	bytes_write_u32(w, power->duty);
	bytes_write_u32(w, (uint32_t)power->temperature_mc);
	bytes_write_u32(w, (uint32_t)power->limit_mc);
	bytes_write_u32(w, power->power_mw);
	bytes_write_u32(w, power->idle_mw);
	wire_field_text_encode(w, power->sensor);
	bytes_write_u64(w, power->model_runs);
	bytes_write_u64(w, power->model_nj);
}

int wire_power_decode(
	const void *body, size_t size, struct wire_power *ret_power, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	struct wire_power power = {
		.policy = bytes_read_u32(&r),
		.flags = bytes_read_u32(&r),
	};
	power.duty = bytes_read_u32(&r);
	power.temperature_mc = (int32_t)bytes_read_u32(&r);
	power.limit_mc = (int32_t)bytes_read_u32(&r);
	power.power_mw = bytes_read_u32(&r);
	power.idle_mw = bytes_read_u32(&r);
	power.sensor = wire_field_text_decode(&r);
	power.model_runs = bytes_read_u64(&r);
	power.model_nj = bytes_read_u64(&r);
	int code = wire_end(&r, WIRE_POWER, err);
	if (code == 0) {
		*ret_power = power;
	}
	return code;
}

void wire_power_ask_encode(struct bytes_writer *w, struct wire_text model)
{
	wire_field_text_encode(w, model);
}

int wire_power_ask_decode(
	const void *body, size_t size, struct wire_text *ret_model, struct error *err)
{
	struct bytes_reader r = bytes_reader_of(body, size);
	const struct wire_text model = wire_field_name_decode(&r);
	int code = wire_end(&r, WIRE_POWER, err);
	if (code == 0) {
		*ret_model = model;
	}
	return code;
}
