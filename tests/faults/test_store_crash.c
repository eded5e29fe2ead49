/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edged is killed at every call that writes to its store, and at random ones: at the next start the
 * store opens, and the model that serves is one that was installed: none older than the last whose
 * installing was told.
 *
 * $CRASHES: how many times, 200 unless it is set. $CRASH_SEED: where the random ones begin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/system/digest.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define DEFAULT_CRASHES 200
#define MOST_CALLS 200 /* of one start */
#define PROVED_AT_ONCE "[models]\nprobation-time = 0s\n[daemon]\nworkers = 1\n"
#define ON_TRIAL "[models]\nprobation-time = 60min\n[daemon]\nworkers = 1\n"

struct bench {
	struct daemon daemon;
	unsigned long installs; /* files put into the folder so far: each has other bytes */
	unsigned long told; /* the last of them that was said to serve; 0: none */
	unsigned long crashes, survived;
	uint64_t random;
};

static const char *const hows[] = {"before", "after", "half"};

static struct digest digest_from(unsigned long install, char line[64])
{
	snprintf(line, 64, "echo 4 file %lu", install);
	return digest_of(line, strlen(line));
}

/* xorshift64 */
static unsigned long random_below(struct bench *bench, unsigned long n)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return (unsigned long)(bench->random % n);
}

/* What STORE_LIST says of the model; false when it serves nothing. */
static bool serving(struct daemon *daemon, struct digest *ret_digest)
{
	char text[DIGEST_TEXT_SIZE] = "";
	struct wire_store_item item;
	uint32_t n = 0;
	struct peer peer = peer_open_store(daemon);
	peer_send(&peer, WIRE_STORE_LIST, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_list_decode(&r, &n, NULL), 0);
	if (n > 0) {
		assert_int_equal(wire_store_item_decode(&r, &item, NULL), 0);
		if (item.sha256.length < sizeof(text)) {
			memcpy(text, item.sha256.data, item.sha256.length);
		}
	}
	answer_free(&answer);
	peer_close(&peer);
	return digest_parse(text, ret_digest);
}

static void expect_answers(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "m", 4, 3, 0);
	peer_expect_echo(&peer, 1, 4, 3);
	peer_close(&peer);
}

/* The store alone, without the folder's file: what serves is at least as new as what was told. */
static void expect_store_is_whole(struct bench *bench)
{
	char line[64];
	struct digest found;
	daemon_start(&bench->daemon, false);
	bool serves = serving(&bench->daemon, &found);
	bool known = !serves && bench->told == 0;
	for (unsigned long i = bench->told; serves && i > 0 && i <= bench->installs; i++) {
		struct digest wanted = digest_from(i, line);
		known = known || digest_equal(&wanted, &found);
	}
	for (unsigned long i = 1; serves && bench->told == 0 && i <= bench->installs; i++) {
		struct digest wanted = digest_from(i, line);
		known = known || digest_equal(&wanted, &found);
	}
	if (!known) {
		fail_msg("after install %lu of which %lu was told: %s", bench->installs,
			bench->told, bench->daemon.text);
	}
	if (serves) {
		expect_answers(&bench->daemon);
	}
	daemon_signal(&bench->daemon, SIGKILL);
	daemon_wait(&bench->daemon);
}

/* One start with a new file, killed at @call. True when that call came. */
static bool crash_at(struct bench *bench, unsigned long call, const char *how)
{
	char line[64], text[24];
	struct daemon *daemon = &bench->daemon;
	digest_from(++bench->installs, line);
	daemon_put(daemon, "m.tflite", line);
	snprintf(text, sizeof(text), "%lu", call);
	setenv("CRASH_CALL", text, 1);
	setenv("CRASH_HOW", how, 1);
	daemon_spawn(daemon, false);
	unsetenv("CRASH_CALL");
	bool told = daemon_look_log(daemon, "1 models ready");
	if (told) {
		bench->told = bench->installs;
		daemon_signal(daemon, SIGKILL);
	}
	int status = daemon_wait(daemon);
	if (status != -SIGKILL) {
		fail_msg("call %lu, %s: status %d: %s", call, how, status, daemon->text);
	}
	bench->crashes += !told;
	bench->survived += told;
	daemon_remove(daemon, "m.tflite");
	expect_store_is_whole(bench);
	return !told;
}

/* @line comes by the socket with the order @verb for m, and edged is killed at @call, else once it has answered: true then. */
static bool told_before_crash_at(struct bench *bench, unsigned long call, const char *how,
	enum wire_store_verb verb, const char *line)
{
	char text[24];
	bool told = false;
	struct daemon *daemon = &bench->daemon;
	int file = memfd_create("order", MFD_CLOEXEC);
	assert_int_equal(write(file, line, strlen(line)), strlen(line));
	snprintf(text, sizeof(text), "%lu", call);
	setenv("CRASH_CALL", text, 1);
	setenv("CRASH_HOW", how, 1);
	daemon_spawn(daemon, false);
	unsetenv("CRASH_CALL");
	if (daemon_look_log(daemon, "models ready")) {
		struct answer answer = {0};
		struct peer peer = peer_open_transfer(daemon);
		peer.may_be_closed = true;
		peer_store_fd(&peer, 1, verb, "m", file);
		told = peer_try_receive(&peer, &answer);
		assert_true(!told || answer.header.status == EDGE_OK);
		answer_free(&answer);
		peer_close(&peer);
	}
	if (told) {
		daemon_signal(daemon, SIGKILL);
	}
	assert_int_equal(daemon_wait(daemon), -SIGKILL);
	close(file);
	bench->crashes += !told;
	return told;
}

/* As above, but the file comes by the socket: what is told is the answer. */
static bool crash_in_install_at(struct bench *bench, unsigned long call, const char *how)
{
	char line[64];
	digest_from(++bench->installs, line);
	const bool told = told_before_crash_at(bench, call, how, WIRE_STORE_INSTALL, line);
	if (told) {
		bench->told = bench->installs;
	}
	bench->survived += told;
	expect_store_is_whole(bench);
	return !told;
}

#define EXAMPLES_SIZE 4096

/* What the model has been taught. */
static void examples_read(struct bench *bench, char text[EXAMPLES_SIZE])
{
	struct wire_text lines;
	daemon_start(&bench->daemon, false);
	struct peer peer = peer_open_store(&bench->daemon);
	peer_store(&peer, 1, WIRE_STORE_EXAMPLES, "m", NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(answer.header.status, EDGE_OK);
	assert_int_equal(
		wire_store_reply_decode(answer.body, answer.header.body_bytes, &lines, NULL), 0);
	snprintf(text, EXAMPLES_SIZE, "%.*s", (int)lines.length, lines.data);
	answer_free(&answer);
	peer_close(&peer);
	daemon_signal(&bench->daemon, SIGKILL);
	daemon_wait(&bench->daemon);
}

/* One example more, killed at @call: it is whole or not there, those before are, and what was answered is. */
static bool crash_in_teaching_at(
	struct bench *bench, unsigned long call, const char *how, char text[EXAMPLES_SIZE])
{
	char line[32], with[EXAMPLES_SIZE + 32], found[EXAMPLES_SIZE];
	snprintf(line, sizeof(line), "x\t%lu 0\n", ++bench->installs);
	snprintf(with, sizeof(with), "%s%s", text, line);
	const bool told = told_before_crash_at(bench, call, how, WIRE_STORE_TEACH, line);
	examples_read(bench, found);
	if (told || strcmp(found, text) != 0) {
		assert_string_equal(found, with);
	}
	memcpy(text, found, EXAMPLES_SIZE);
	return !told;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const char *seed = getenv("CRASH_SEED");
	assert_non_null(bench);
	daemon_prepare(&bench->daemon);
	daemon_config(&bench->daemon, PROVED_AT_ONCE);
	bench->random = (seed ? strtoull(seed, NULL, 10) : 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	daemon_end(&bench->daemon);
	free(bench);
	return 0;
}

static void killed_at_each_call_in_turn_the_store_opens(void **state)
{
	struct bench *bench = *state;
	for (size_t how = 0; how < sizeof(hows) / sizeof(hows[0]); how++) {
		unsigned long call = 1;
		while (crash_at(bench, call, hows[how])) {
			assert_true(++call < MOST_CALLS);
		}
		assert_true(call > 10);
	}
	print_message("%lu crashes\n", bench->crashes);
}

static void killed_in_an_install_no_answered_one_is_lost(void **state)
{
	struct bench *bench = *state;
	daemon_config(&bench->daemon, ON_TRIAL); /* nothing is written between start and install */
	for (size_t how = 0; how < sizeof(hows) / sizeof(hows[0]); how++) {
		unsigned long call = 1;
		while (crash_in_install_at(bench, call, hows[how])) {
			assert_true(++call < MOST_CALLS);
		}
		assert_true(call > 10);
	}
	daemon_config(&bench->daemon, PROVED_AT_ONCE);
	print_message("%lu crashes\n", bench->crashes);
}

static void killed_in_teaching_no_answered_example_is_lost(void **state)
{
	struct bench *bench = *state;
	char text[EXAMPLES_SIZE] = "";
	for (size_t how = 0; how < sizeof(hows) / sizeof(hows[0]); how++) {
		unsigned long call = 1;
		while (crash_in_teaching_at(bench, call, hows[how], text)) {
			assert_true(++call < MOST_CALLS);
		}
		assert_true(call > 4);
	}
	assert_true(strlen(text) > 10);
}

static void killed_at_random_the_store_opens(void **state)
{
	struct bench *bench = *state;
	const char *text = getenv("CRASHES");
	const unsigned long wanted = text ? strtoul(text, NULL, 10) : DEFAULT_CRASHES;
	while (bench->crashes < wanted) {
		const char *how = hows[random_below(bench, 3)];
		crash_at(bench, 1 + random_below(bench, 40), how);
	}
	print_message(
		"%lu crashes, %lu starts that were not hit\n", bench->crashes, bench->survived);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_each_call_in_turn_the_store_opens),
		cmocka_unit_test(killed_in_an_install_no_answered_one_is_lost),
		cmocka_unit_test(killed_in_teaching_no_answered_example_is_lost),
		cmocka_unit_test(killed_at_random_the_store_opens),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
