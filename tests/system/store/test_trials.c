/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real models that break no rule and are no good: what served before them serves again, what they are is
 * bad, and history and log say why. The models are those of tests/cases/service.py: y = 2x, as it should
 * be; y = 3x; 0/0; y = 2x after 20,000 rounds; a loop that ends for zeros only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/edged/store/bundle.h"
#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"
#include "tests/system/trial.h"

#define PROOF 10 /* probation-requests */

static const float question[4] = {1, 2, 3, 4};

/* "brief" is "slow" with a 20th of its rounds: that is a constant of the file. */
static void make_rounds_fewer(uint8_t *bytes, size_t n)
{
	const int32_t rounds = 20000, fewer = 1000;
	uint8_t *at = memmem(bytes, n, &rounds, sizeof(rounds));
	assert_non_null(at);
	memcpy(at, &fewer, sizeof(fewer));
}

static size_t model_read(const char *kind, uint8_t *out, size_t size)
{
	if (strcmp(kind, "brief") == 0) {
		size_t n = model_read("slow", out, size);
		make_rounds_fewer(out, n);
		return n;
	}
	char path[128];
	snprintf(path, sizeof(path), "tests/data/SERVICE_trial_%s/model.tflite", kind);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t n = fread(out, 1, size, file);
	fclose(file);
	assert_true(n > 0 && n < size);
	return n;
}

static void reload(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	peer_expect(&peer, 900, EDGE_OK);
	peer_close(&peer);
}

static void put(struct daemon *daemon, const char *kind)
{
	uint8_t bytes[8192];
	size_t n = model_read(kind, bytes, sizeof(bytes));
	daemon_put_bytes(daemon, ".m.new", bytes, n);
	char from[160], to[160];
	snprintf(from, sizeof(from), "%s/models/.m.new", daemon->folder);
	snprintf(to, sizeof(to), "%s/models/m.tflite", daemon->folder);
	assert_int_equal(rename(from, to), 0);
}

/* ---- asking */

static void infer_encode(struct bytes_writer *w)
{
	const struct wire_infer infer = {.model = wire_text_of("m"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_FLOAT32,
			.shape = {1, {4}},
			.bytes = sizeof(question),
			.data = question}}};
	wire_infer_encode(w, &infer);
}

/* So many runs, each with a deadline; the second number of the last answer, NAN without one. */
static float ask(struct daemon *daemon, int n, uint32_t deadline_us)
{
	struct peer peer = peer_open(daemon);
	struct bytes_writer w = {0};
	float second = NAN;
	infer_encode(&w);
	for (int i = 0; i < n; i++) {
		struct wire_infer_reply reply;
		peer_send(&peer, WIRE_INFER, (uint64_t)i + 1, deadline_us, &w);
		struct answer answer = peer_receive(&peer);
		if (answer.header.status == EDGE_OK) {
			assert_int_equal(wire_infer_reply_decode(answer.body,
						 answer.header.body_bytes, 0, &reply, NULL),
				0);
			memcpy(&second, (const uint8_t *)reply.outputs[0].data + 4, sizeof(second));
		}
		answer_free(&answer);
	}
	bytes_writer_deinit(&w);
	peer_close(&peer);
	return second;
}

/* The question, and y = @factor * x, as frames. */
static struct bytes_writer golden_frames(float factor)
{
	struct bytes_writer frames = {0}, asked = {0}, due = {0};
	float answer[4];
	for (size_t i = 0; i < 4; i++) {
		answer[i] = factor * question[i];
	}
	infer_encode(&asked);
	struct wire_infer_reply reply = {.version = wire_text_of("1"),
		.n_outputs = 1,
		.outputs = {{.name = wire_text_of("y"),
			.type = DTYPE_FLOAT32,
			.shape = {1, {4}},
			.bytes = sizeof(answer),
			.data = answer}}};
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
	bytes_writer_deinit(&asked);
	bytes_writer_deinit(&due);
	return frames;
}

static void golden_put(struct daemon *daemon, float factor)
{
	struct bytes_writer frames = golden_frames(factor);
	daemon_put_bytes(daemon, "m.golden", frames.data, frames.size);
	bytes_writer_deinit(&frames);
}

/* What an install by the socket of the model with that self-test, or without for 0, is answered with. */
static enum edge_status install(struct daemon *daemon, const char *kind, float factor)
{
	uint8_t bytes[8192];
	const size_t n = model_read(kind, bytes, sizeof(bytes));
	struct bytes_writer frames = golden_frames(factor);
	struct peer peer = peer_open_transfer(daemon);
	const int fd = memfd_create("bundle", MFD_CLOEXEC);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_MODEL, bytes, n), 0);
	if (factor != 0) {
		assert_int_equal(
			bundle_write_bytes(fd, BUNDLE_GOLDEN, frames.data, frames.size), 0);
	}
	assert_int_equal(bundle_write_end(fd), 0);
	peer_store_fd(&peer, 903, WIRE_STORE_INSTALL, "m", fd);
	struct answer answer = peer_receive(&peer);
	const enum edge_status status = (enum edge_status)answer.header.status;
	answer_free(&answer);
	bytes_writer_deinit(&frames);
	peer_close(&peer);
	close(fd);
	return status;
}

/* ---- what the store says */

static bool is_bad(const struct daemon *daemon, const char *kind)
{
	uint8_t bytes[8192];
	char path[256], text[DIGEST_TEXT_SIZE];
	const struct digest digest = digest_of(bytes, model_read(kind, bytes, sizeof(bytes)));
	snprintf(path, sizeof(path), "%s/state/bad/%s", daemon->folder,
		digest_to_hex(&digest, text));
	return access(path, F_OK) == 0;
}

/* Of y = 2x. */
static void expect_good_serves(struct daemon *daemon)
{
	assert_true(ask(daemon, 1, 0) == 4);
}

static void start_with_the_good_one(struct daemon *daemon)
{
	put(daemon, "good");
	daemon_start(daemon, true);
	assert_true(ask(daemon, PROOF, 0) == 4);
	trial_expect_history(
		daemon, "version 1 passed its trial"); /* it comes behind the verdict */
	assert_false(is_bad(daemon, "good"));
}

/* It serves, does badly, and goes; after a restart it does not come back. */
static void expect_rolled_back(struct daemon *daemon, const char *kind, const char *why)
{
	start_with_the_good_one(daemon);
	put(daemon, kind);
	reload(daemon);
	trial_expect_history(daemon, "version 2 installed");
	ask(daemon, 3, 100000);
	daemon_wait_log(daemon, why);
	daemon_wait_log(daemon, "model m version 1: ready");
	expect_good_serves(daemon);
	trial_expect_history(daemon, why); /* it comes behind the verdict */
	trial_expect_history(daemon, "rolled back to version 1");
	assert_true(is_bad(daemon, kind));
	daemon_signal(daemon, SIGKILL);
	daemon_wait(daemon);
	daemon_start(daemon, true);
	expect_good_serves(daemon);
	trial_expect_history(daemon, "refused: bad: ");
}

/* Without @self_test_time: far more than any of them takes, also where others have the CPU. */
static void configure(struct daemon *daemon, const char *check, const char *self_test_time)
{
	char config[1200];
	snprintf(config, sizeof(config),
		"[daemon]\ncheck-program = %s\n[models]\nself-test-time = %s\n"
		"probation-requests = %d\nprobation-time = 60min\n",
		check, self_test_time ? self_test_time : "60s", PROOF);
	daemon_config(daemon, config);
}

/* Nobody has tried it before. */
static void one_that_gives_nan_makes_place_for_the_good_one(void **state)
{
	configure(*state, "none", NULL);
	expect_rolled_back(*state, "nan", "0 failed, 3 gave NaN, 0 were too slow");
}

static void one_that_gives_nan_whatever_it_is_asked_never_serves(void **state)
{
	struct daemon *daemon = *state;
	start_with_the_good_one(daemon);
	put(daemon, "nan");
	reload(daemon);
	daemon_wait_log(daemon, "refused: it gives NaN, whatever it is asked");
	expect_good_serves(daemon);
	assert_true(is_bad(daemon, "nan"));
	trial_expect_history(daemon, "refused: it gives NaN, whatever it is asked");
}

static void one_that_is_far_slower_makes_place_for_the_good_one(void **state)
{
	expect_rolled_back(*state, "slow", "0 failed, 0 gave NaN, 3 were too slow");
}

/* After a restart, too: then what is usual is known of runs that were on no trial. */
static void one_that_is_twenty_times_slower_makes_place_for_the_good_one(void **state)
{
	struct daemon *daemon = *state;
	put(daemon, "brief");
	daemon_start(daemon, true);
	assert_true(ask(daemon, PROOF, 0) == 4);
	trial_expect_history(daemon, "version 1 passed its trial");
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	daemon_start(daemon, true);
	assert_true(ask(daemon, PROOF, 0) == 4);
	put(daemon, "slow");
	reload(daemon);
	assert_true(ask(daemon, 3, 0) == 4);
	trial_expect_history(daemon, "3 of 3 runs were bad: 0 failed, 0 gave NaN, 3 were too slow");
	trial_expect_history(daemon, "rolled back to version 1");
	assert_true(is_bad(daemon, "slow"));
}

static void one_that_never_ends_makes_place_for_the_good_one(void **state)
{
	expect_rolled_back(*state, "loop", "0 failed, 0 gave NaN, 3 were too slow");
}

/* By what its rounds compute, long before there are too many of them; nobody has set a deadline. */
static void one_that_max_macs_ends_makes_place_for_the_good_one(void **state)
{
	struct daemon *daemon = *state;
	char config[200];
	snprintf(config, sizeof(config),
		"[models]\nmax-macs = 100000000\nmax-loops = 1000000000000\n"
		"probation-requests = %d\nprobation-time = 60min\n",
		PROOF);
	daemon_config(daemon, config);
	start_with_the_good_one(daemon);
	put(daemon, "loop");
	reload(daemon);
	trial_expect_history(daemon, "version 2 installed");
	assert_true(isnan(ask(daemon, 3, 0)));
	daemon_wait_log(daemon, "3 of 3 runs were bad: 0 failed, 0 gave NaN, 3 were too slow");
	daemon_wait_log(daemon, "model m version 1: ready");
	expect_good_serves(daemon);
	trial_expect_history(daemon, "rolled back to version 1");
	assert_true(is_bad(daemon, "loop"));
}

static void one_whose_answers_are_not_those_that_are_due_never_serves(void **state)
{
	struct daemon *daemon = *state;
	golden_put(daemon, 2);
	start_with_the_good_one(daemon);
	put(daemon, "wrong");
	reload(daemon);
	daemon_wait_log(daemon, "refused: self-test, question 1: output 0 is not what is due");
	expect_good_serves(daemon);
	assert_true(is_bad(daemon, "wrong"));
	trial_expect_history(daemon, "refused: self-test, question 1: output 0 is not what is due");
	daemon_signal(daemon, SIGKILL);
	daemon_wait(daemon);
	daemon_start(daemon, true);
	expect_good_serves(daemon);
	trial_expect_history(daemon, "refused: bad: its answers are not those of golden ");
}

/* It goes on for ever. */
static void one_whose_answer_comes_too_late_never_serves(void **state)
{
	struct daemon *daemon = *state;
	configure(daemon, getenv("EDGED_CHECK"), "3s");
	golden_put(daemon, 2);
	start_with_the_good_one(daemon);
	put(daemon, "loop");
	reload(daemon);
	daemon_wait_log(
		daemon, "refused: self-test, question 1: "); /* at whichever of its operators */
	expect_good_serves(daemon);
}

static void an_install_that_fails_its_self_test_is_refused(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, true);
	assert_int_equal(install(daemon, "good", 2), EDGE_OK);
	assert_int_equal(install(daemon, "wrong", 2), EDGE_MODEL_REFUSED);
	assert_int_equal(install(daemon, "wrong", 2), EDGE_MODEL_REFUSED); /* it is bad */
	expect_good_serves(daemon);
}

/* edged asks the questions itself. */
static void without_edged_check_it_is_refused_too(void **state)
{
	configure(*state, "none", NULL);
	an_install_that_fails_its_self_test_is_refused(state);
}

static void an_install_of_one_that_gives_nan_is_refused(void **state)
{
	struct daemon *daemon = *state;
	daemon_start(daemon, true);
	assert_int_equal(install(daemon, "nan", 0), EDGE_MODEL_REFUSED);
}

static bool is_loading(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_LIST, 902, 0, NULL);
	struct answer answer = peer_receive(&peer);
	bool is = wire_text_is(answer_find(&answer, "m").state, "loading");
	answer_free(&answer);
	peer_close(&peer);
	return is;
}

/* Which would take an hour. */
static void edged_stops_in_the_middle_of_a_self_test(void **state)
{
	struct daemon *daemon = *state;
	daemon_config(daemon,
		"[daemon]\ncheck-program = none\n"
		"[models]\nself-test-time = 60min\nmax-loops = 1000000000000\n");
	daemon_put(daemon, "m.tflite", "none");
	daemon_start(daemon, true);
	golden_put(daemon, 2);
	put(daemon, "loop");
	struct peer peer = peer_open(daemon);
	peer_send(&peer, WIRE_RELOAD, 900, 0, NULL);
	while (!is_loading(daemon)) {}
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	peer_close(&peer);
	assert_false(is_bad(daemon, "loop"));
}

static void with_another_golden_it_is_tried_again(void **state)
{
	struct daemon *daemon = *state;
	golden_put(daemon, 2);
	start_with_the_good_one(daemon);
	put(daemon, "wrong");
	reload(daemon);
	assert_true(is_bad(daemon, "wrong"));
	golden_put(daemon, 3);
	reload(daemon);
	assert_true(ask(daemon, 1, 0) == 6);
	assert_false(is_bad(daemon, "wrong"));
}

/* As cp over it leaves it for a moment. */
static void one_that_is_bad_does_not_serve_by_a_golden_without_a_question(void **state)
{
	struct daemon *daemon = *state;
	start_with_the_good_one(daemon);
	golden_put(daemon, 2);
	put(daemon, "wrong");
	reload(daemon);
	expect_good_serves(daemon);
	daemon_put_bytes(daemon, "m.golden", "", 0);
	reload(daemon);
	daemon_wait_log(daemon, "refused: the self-test: m.golden: it has no question");
	expect_good_serves(daemon);
	assert_true(is_bad(daemon, "wrong"));
	golden_put(daemon, 2);
	reload(daemon);
	expect_good_serves(daemon);
	trial_expect_history(daemon, "refused: bad: its answers are not those of golden ");
}

/* What stands beside it is wrong then. */
static void a_version_that_was_good_is_not_bad_for_a_golden(void **state)
{
	struct daemon *daemon = *state;
	start_with_the_good_one(daemon);
	put(daemon, "wrong");
	reload(daemon);
	assert_true(ask(daemon, PROOF, 0) == 6);
	trial_expect_history(daemon, "version 2 passed its trial");
	golden_put(daemon, 7);
	put(daemon, "good");
	reload(daemon);
	assert_true(ask(daemon, 1, 0) == 6);
	assert_false(is_bad(daemon, "good"));
	trial_expect_history(daemon, "refused: self-test, question 1: output 0 is not what is due");
}

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	assert_non_null(getenv("EDGED_CHECK"));
	daemon_prepare(daemon);
	configure(daemon, getenv("EDGED_CHECK"), NULL);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

#define trial_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		trial_test(one_that_gives_nan_makes_place_for_the_good_one),
		trial_test(one_that_gives_nan_whatever_it_is_asked_never_serves),
		trial_test(one_that_is_far_slower_makes_place_for_the_good_one),
		trial_test(one_that_is_twenty_times_slower_makes_place_for_the_good_one),
		trial_test(one_that_never_ends_makes_place_for_the_good_one),
		trial_test(one_that_max_macs_ends_makes_place_for_the_good_one),
		trial_test(one_whose_answers_are_not_those_that_are_due_never_serves),
		trial_test(one_whose_answer_comes_too_late_never_serves),
		trial_test(an_install_that_fails_its_self_test_is_refused),
		trial_test(without_edged_check_it_is_refused_too),
		trial_test(an_install_of_one_that_gives_nan_is_refused),
		trial_test(edged_stops_in_the_middle_of_a_self_test),
		trial_test(with_another_golden_it_is_tried_again),
		trial_test(one_that_is_bad_does_not_serve_by_a_golden_without_a_question),
		trial_test(a_version_that_was_good_is_not_bad_for_a_golden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
