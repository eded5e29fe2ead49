/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/wire/wire.h"

static void write_all(struct bytes_writer *w)
{
	const struct wire_stats stats = {.queued = {1, 2, 3, 4},
		.backends = wire_text_of("cpu: avx2"),
		.n_users = 1,
		.n_models = 1};
	const struct wire_stats_user user = {.uid = 7,
		.clients = 2,
		.queued = 3,
		.charged_bytes = 4,
		.requests = 5,
		.run_us = 6};
	struct wire_stats_model model = {.name = wire_text_of("m"),
		.version = wire_text_of("2"),
		.state = wire_text_of("ready"),
		.held_bytes = 99};
	model.counts[EDGE_OVERLOADED] = 11;
	histogram_put(&model.phases[WIRE_PHASE_QUEUE], 100);
	histogram_put(&model.phases[WIRE_PHASE_TOTAL], 100000);
	histogram_put(&model.phases[WIRE_PHASE_TOTAL], 200000);
	wire_stats_encode(w, &stats);
	wire_stats_user_encode(w, &user);
	wire_stats_model_encode(w, &model);
}

static int read_all(const struct bytes_writer *w, size_t size, struct wire_stats *stats,
	struct wire_stats_user *user, struct wire_stats_model *model)
{
	struct bytes_reader r = bytes_reader_of(w->data, size);
	int code = wire_stats_decode(&r, stats, NULL);
	code = code < 0 ? code : wire_stats_user_decode(&r, user, NULL);
	code = code < 0 ? code : wire_stats_model_decode(&r, model, NULL);
	return code < 0 ? code : wire_end(&r, WIRE_STATS, NULL);
}

static void stats_come_back_as_they_were_told(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	struct wire_stats stats;
	struct wire_stats_user user;
	struct wire_stats_model model;
	write_all(&w);
	assert_int_equal(read_all(&w, w.size, &stats, &user, &model), 0);
	assert_int_equal(stats.queued[WIRE_CLASS_CONTROL], 4);
	assert_true(wire_text_is(stats.backends, "cpu: avx2"));
	assert_int_equal(user.uid, 7);
	assert_int_equal(user.run_us, 6);
	assert_true(wire_text_is(model.state, "ready"));
	assert_int_equal(model.held_bytes, 99);
	assert_int_equal(model.counts[EDGE_OVERLOADED], 11);
	assert_int_equal(model.phases[WIRE_PHASE_TOTAL].n, 2);
	assert_int_equal(model.phases[WIRE_PHASE_TOTAL].sum_ns, 300000);
	assert_int_equal(model.phases[WIRE_PHASE_TOTAL].buckets[histogram_bucket(200000)], 1);
	assert_int_equal(model.phases[WIRE_PHASE_COMPUTE].n, 0);
	bytes_writer_deinit(&w);
}

static void stats_that_are_cut_off_or_lie_are_refused(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	struct wire_stats stats;
	struct wire_stats_user user;
	struct wire_stats_model model;
	write_all(&w);
	for (size_t size = 0; size < w.size; size++) {
		assert_int_equal(read_all(&w, size, &stats, &user, &model), -EPROTO);
	}
	const size_t users_at = 4 * 4 + 2 + strlen("cpu: avx2");
	w.data[users_at + 3] = 0x7f; /* two thousand million users */
	assert_int_equal(read_all(&w, w.size, &stats, &user, &model), -EPROTO);
	w.data[users_at + 3] = 0;
	w.data[w.size - 5] = 0xff; /* a bucket that there is not */
	assert_int_equal(read_all(&w, w.size, &stats, &user, &model), -EPROTO);
	bytes_writer_deinit(&w);
}

static void a_user_takes_as_many_bytes_as_the_header_says(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	const struct wire_stats_user user = {0};
	wire_stats_user_encode(&w, &user);
	assert_int_equal(w.size, WIRE_STATS_USER_BYTES);
	bytes_writer_deinit(&w);
}

static void keys_come_back_with_their_origin(void **state)
{
	(void)state;
	struct bytes_writer w = {0};
	struct wire_config_item back;
	const struct wire_config_item item = {.section = wire_text_of("daemon"),
		.key = wire_text_of("workers"),
		.value = wire_text_of("2"),
		.origin = wire_text_of("a.conf:3"),
		.pending = wire_text_of("4, at the next start")};
	wire_config_item_encode(&w, &item);
	struct bytes_reader r = bytes_reader_of(w.data, w.size);
	assert_int_equal(wire_config_item_decode(&r, &back, NULL), 0);
	assert_true(wire_text_is(back.origin, "a.conf:3"));
	assert_true(wire_text_is(back.pending, "4, at the next start"));
	r = bytes_reader_of(w.data, w.size - 1);
	assert_int_equal(wire_config_item_decode(&r, &back, NULL), -EPROTO);
	bytes_writer_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stats_come_back_as_they_were_told),
		cmocka_unit_test(stats_that_are_cut_off_or_lie_are_refused),
		cmocka_unit_test(a_user_takes_as_many_bytes_as_the_header_says),
		cmocka_unit_test(keys_come_back_with_their_origin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
