/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on versions on trial that come while the loader is at the same model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/trial.h"

static void one_that_fails_while_the_next_one_is_loaded_is_bad(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	trial_start_with_a_good_one(daemon);
	trial_put_and_reload(daemon, "fail 1");
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "m.tflite", line);
	struct peer loading = peer_open(daemon);
	peer_send(&loading, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	trial_ask(daemon, 3);
	daemon_wait_log(daemon, "runs were bad");
	daemon_let_go(daemon, 1);
	peer_expect(&loading, 900, EDGE_OK);
	peer_close(&loading);
	trial_expect_history(daemon, "the previous version failed its trial: 3 of 3 runs were bad");
	trial_expect_store(daemon, "3", 1, WIRE_STORE_TRIAL, "");
	trial_put_and_reload(daemon, "fail 1");
	trial_expect_store(daemon, "3", 1, WIRE_STORE_TRIAL,
		"bad: 3 of 3 runs were bad: 3 failed, 0 gave NaN, 0 were too slow");
}

/* Version 1 is good, version 2 on trial, for as long as it takes, and compared. */
static void start_with_a_shadow(struct daemon *daemon, const char *line, const char *more)
{
	char config[200];
	snprintf(config, sizeof(config),
		"[models]\nprobation-requests = 10\nprobation-time = 60min\n%s", more);
	daemon_config(daemon, config);
	trial_start_with_a_good_one(daemon);
	snprintf(config, sizeof(config),
		"[models]\nprobation-requests = 100000\nprobation-time = 60min\n%s", more);
	daemon_config(daemon, config);
	daemon_signal(daemon, SIGHUP);
	daemon_wait_log(daemon, "models ready");
	trial_put_and_reload(daemon, line);
	trial_expect_store(daemon, "2", 1, WIRE_STORE_TRIAL, "");
}

/* 7 7 7 7, and the same, as frames. */
static void golden_put(struct daemon *daemon)
{
	static const int8_t data[4] = {7, 7, 7, 7};
	struct bytes_writer frames = {0}, asked = {0}, due = {0};
	const struct wire_tensor tensor = {
		.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = sizeof(data), .data = data};
	const struct wire_infer infer = {.model = wire_text_of("m"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {tensor}};
	const struct wire_infer_reply reply = {
		.version = wire_text_of("1"), .n_outputs = 1, .outputs = {tensor}};
	wire_infer_encode(&asked, &infer);
	wire_infer_reply_encode(&due, &reply);
	const struct bytes_writer *bodies[] = {&asked, &due};
	for (unsigned int i = 0; i < 2; i++) {
		uint8_t head[WIRE_HEADER_BYTES];
		const struct wire_header header = {.type = WIRE_INFER | (i ? WIRE_REPLY : 0),
			.id = 1,
			.body_bytes = (uint32_t)bodies[i]->size};
		wire_header_encode(&header, head);
		bytes_write(&frames, head, sizeof(head));
		bytes_write(&frames, bodies[i]->data, bodies[i]->size);
	}
	daemon_put_bytes(daemon, "m.golden", frames.data, frames.size);
	bytes_writer_deinit(&frames);
	bytes_writer_deinit(&asked);
	bytes_writer_deinit(&due);
}

/* The same file with a golden is tested while its trial ends: then it takes the good one's place once more. */
static void one_that_fails_while_it_is_installed_anew_is_rolled_back(void **state)
{
	struct daemon *daemon = *state;
	char line[120];
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	start_with_a_shadow(daemon, line, "probation-shadow = 1\n");
	golden_put(daemon);
	struct peer loading = peer_open(daemon), peer = peer_open(daemon);
	peer_send(&loading, WIRE_RELOAD, 900, 0, NULL);
	daemon_wait_running(daemon);
	for (uint64_t i = 1; i <= 3; i++) {
		peer_infer(&peer, i, "m", 4, 7, 100000);
		peer_expect(&peer, i, EDGE_DEADLINE);
	}
	daemon_wait_log(daemon, "model m version 1: ready again");
	daemon_let_go(daemon, 1);
	peer_expect(&loading, 900, EDGE_OK);
	daemon_wait_log(daemon, "model m version 2: ready");
	daemon_wait_log(daemon, "model m version 1: ready");
	trial_expect_history(daemon, "rolled back to version 1: 3 of 3 runs were bad");
	peer_infer(&peer, 4, "m", 4, 7, 0);
	peer_expect_echo(&peer, 4, 4, 7);
	peer_close(&loading);
	peer_close(&peer);
}

#define late_test(f) cmocka_unit_test_setup_teardown(f, trial_set_up, trial_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		late_test(one_that_fails_while_the_next_one_is_loaded_is_bad),
		late_test(one_that_fails_while_it_is_installed_anew_is_rolled_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
