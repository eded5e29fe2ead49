/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that becomes warm, in a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define PATIENCE_NS UINT64_C(60000000000)

static void put(const struct daemon *daemon, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/sys/class/%s", daemon->folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_sysfs(const struct daemon *daemon)
{
	static const char *const folders[] = {"sys", "sys/class", "sys/class/thermal",
		"sys/class/thermal/thermal_zone0", "sys/class/powercap", "sys/class/powercap/rapl"};
	char path[256];
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", daemon->folder, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	put(daemon, "thermal/thermal_zone0/type", "cpu-thermal\n");
	put(daemon, "thermal/thermal_zone0/trip_point_0_type", "passive\n");
	put(daemon, "thermal/thermal_zone0/trip_point_0_temp", "85000\n");
	put(daemon, "thermal/thermal_zone0/temp", "50000\n");
	put(daemon, "powercap/rapl/name", "package-0\n");
	put(daemon, "powercap/rapl/energy_uj", "1000\n");
}

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[256];
	daemon_prepare(daemon);
	make_sysfs(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	snprintf(line, sizeof(line), "[daemon]\nworkers = 2\n[power]\nsensors = %s/sys\n",
		daemon->folder);
	daemon_config(daemon, line);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static void set_temperature(const struct daemon *daemon, const char *text)
{
	put(daemon, "thermal/thermal_zone0/temp", text);
}

static struct wire_power tell(struct peer *peer, const char *model)
{
	struct bytes_writer w = {0};
	struct wire_power power;
	wire_power_ask_encode(&w, wire_text_of(model));
	peer_send(peer, WIRE_POWER, 99, 0, &w);
	bytes_writer_deinit(&w);
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(wire_power_decode(answer.body, answer.header.body_bytes, &power, NULL), 0);
	power.sensor = wire_text_of("");
	answer_free(&answer);
	return power;
}

/* Something runs all the while, so that the sensors are read. */
static void what_gets_hot_does_less_until_it_has_cooled_down(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, false);
	struct peer busy = peer_open_1_3(daemon), peer = peer_open_1_3(daemon);
	peer_infer(&busy, 1, "slow", 4, 1, 0);
	daemon_wait_running(daemon);
	peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 2, "echo", 2);
	peer_expect_echo(&peer, 2, 4, 2);
	set_temperature(daemon, "78000\n");
	daemon_wait_log(daemon,
		"cpu-thermal has 78.0 C, and is slowed down at 85.0 C: "
		"batch work is turned away");
	peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 3, "echo", 3);
	struct error err = {0};
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_OVERLOADED);
	assert_int_equal(answer.header.deadline_us, 1000000);
	wire_error_decode(answer.body, answer.header.body_bytes, answer.header.status, &err);
	assert_string_equal(err.text,
		"the machine is hot: work of this class is turned away; ask again in 1000000 us");
	answer_free(&answer);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 4, "echo", 4);
	peer_expect_echo(&peer, 4, 4, 4);
	set_temperature(daemon, "84000\n");
	daemon_wait_log(daemon, "batch work is turned away, workers run 75% of the time");
	const struct wire_power power = tell(&peer, "");
	assert_int_equal(power.flags & (WIRE_POWER_REFUSES_BATCH | WIRE_POWER_TEMPERATURE),
		WIRE_POWER_REFUSES_BATCH | WIRE_POWER_TEMPERATURE);
	assert_in_range(power.duty, 25, 75);
	assert_int_equal(power.limit_mc, 85000);
	peer_infer_as(&peer, WIRE_CLASS_NORMAL, 0, 5, "echo", 5);
	peer_expect_echo(&peer, 5, 4, 5);
	set_temperature(daemon, "40000\n");
	daemon_wait_log(daemon, "power: nothing is held back any more");
	peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 6, "echo", 6);
	peer_expect_echo(&peer, 6, 4, 6);
	daemon_let_go(daemon, 1);
	peer_expect_echo(&busy, 1, 4, 1);
	peer_close(&busy);
	peer_close(&peer);
}

static unsigned int ask_for_batch_work(struct peer *peer)
{
	peer_infer_as(peer, WIRE_CLASS_BATCH, 0, 7, "echo", 7);
	struct answer answer = peer_receive(peer);
	const unsigned int status = answer.header.status;
	answer_free(&answer);
	return status;
}

/* Nothing runs, so that after a while nothing is read any more. */
static void batch_work_is_turned_away_until_it_was_seen_to_be_cool(void **state)
{
	struct daemon *daemon = *state;
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	set_temperature(daemon, "78000\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_3(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	daemon_wait_log(daemon, "batch work is turned away");
	while (tell(&peer, "").flags & WIRE_POWER_LIVE) {
		assert_true(clock_now_ns() < until);
	}
	assert_int_equal(ask_for_batch_work(&peer), EDGE_OVERLOADED);
	set_temperature(daemon, "40000\n");
	while (ask_for_batch_work(&peer) != EDGE_OK) {
		assert_true(clock_now_ns() < until);
	}
	peer_close(&peer);
}

static void with_the_policy_performance_nothing_is_done(void **state)
{
	struct daemon *daemon = *state;
	char config[256];
	snprintf(config, sizeof(config), "[power]\nsensors = %s/sys\npolicy = performance\n",
		daemon->folder);
	daemon_config(daemon, config);
	set_temperature(daemon, "99000\n");
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_3(daemon);
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	struct wire_power power = {0};
	while (!(power.flags & WIRE_POWER_TEMPERATURE)) {
		assert_true(clock_now_ns() < until);
		peer_infer_as(&peer, WIRE_CLASS_BATCH, 0, 1, "echo", 1);
		peer_expect_echo(&peer, 1, 4, 1);
		power = tell(&peer, "");
	}
	assert_int_equal(power.temperature_mc, 99000);
	assert_int_equal(power.flags & WIRE_POWER_REFUSES_BATCH, 0);
	assert_int_equal(power.duty, 100);
	peer_close(&peer);
}

/* A counter that goes on whenever something ran. */
static void what_a_run_takes_is_estimated(void **state)
{
	struct daemon *daemon = *state;
	char text[32];
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_3(daemon);
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	uint64_t uj = 1000;
	struct wire_power power = {0};
	while (power.model_nj == 0) {
		assert_true(clock_now_ns() < until);
		peer_infer(&peer, 1, "echo", 4, 1, 0);
		peer_expect_echo(&peer, 1, 4, 1);
		uj += uj; /* the least that it took at the beginning is what it takes without work */
		uj = uj > UINT64_C(1) << 60 ? 1000 : uj;
		snprintf(text, sizeof(text), "%llu\n", (unsigned long long)uj);
		put(daemon, "powercap/rapl/energy_uj", text);
		power = tell(&peer, "echo");
	}
	assert_true(power.model_runs > 0);
	assert_true(power.flags & WIRE_POWER_METER);
	assert_int_equal(tell(&peer, "slow").model_runs, 0);
	assert_int_equal(tell(&peer, "").model_runs, 0);
	peer_close(&peer);
}

static unsigned long switches(const struct daemon *daemon)
{
	char path[64], line[128];
	unsigned long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) &&
		sscanf(line, "voluntary_ctxt_switches: %lu", &n) != 1) {}
	fclose(file);
	return n;
}

/* Two and a half seconds, in which it would have looked twice. */
static void without_work_nothing_wakes_up(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_3(daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	const uint64_t until = clock_now_ns() + PATIENCE_NS;
	const struct timespec while_ns = {.tv_sec = 2, .tv_nsec = 500000000};
	unsigned long before = 0, after = switches(daemon);
	do {
		assert_true(clock_now_ns() < until);
		before = after;
		nanosleep(&while_ns, NULL);
		after = switches(daemon);
	} while (after != before);
	peer_close(&peer);
}

static void a_model_that_is_not_there_has_no_power(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, false);
	struct peer peer = peer_open_1_3(daemon);
	struct bytes_writer w = {0};
	wire_power_ask_encode(&w, wire_text_of("missing"));
	peer_send(&peer, WIRE_POWER, 1, 0, &w);
	bytes_writer_deinit(&w);
	peer_expect(&peer, 1, EDGE_NOT_FOUND);
	peer_close(&peer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_gets_hot_does_less_until_it_has_cooled_down),
		TEST(batch_work_is_turned_away_until_it_was_seen_to_be_cool),
		TEST(with_the_policy_performance_nothing_is_done),
		TEST(what_a_run_takes_is_estimated),
		TEST(without_work_nothing_wakes_up),
		TEST(a_model_that_is_not_there_has_no_power),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
