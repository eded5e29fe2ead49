/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile clients' scripts in turn (scripts.h), beside good clients whose every answer is right, by an edged that
 * ends up holding what it held before: as it is, with 40 descriptors, and with calls that fail.
 *
 * $SCRIPTS: how many, 500 unless it is set. $SCRIPTS_SEED: number of the first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "tests/system/regions.h"
#include "tests/system/scripts.h"

#define DEFAULT_SCRIPTS 500
#define NOBODY 65534
#define ALONE 2000 /* requests of a good client before anybody hostile comes */
#define MAX_TIMES (1u << 20)
#define FEW_FILES 40

static uint32_t number_of(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);
	return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

/* ---- a good client, in a thread of its own: it counts, and the test asserts */

struct good {
	const char *socket;
	bool patient; /* connections may be lost and refused, since calls fail in edged */
	uint64_t most; /* requests; 0: until it is told to stop */
	atomic_bool stop;
	uint64_t asked, right, refused, lost, wrong;
	uint32_t *us; /* of each right answer; MAX_TIMES */
	int fd;
};

static bool all(int fd, void *bytes, size_t size)
{
	return size == 0 || recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static bool greet(struct good *good)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct bytes_writer w = {0};
	uint8_t bytes[512];
	struct wire_header header;
	const struct wire_hello hello = {
		.major = WIRE_MAJOR, .minor = 3, .name = wire_text_of("good")};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", good->socket);
	good->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	wire_hello_encode(&w, &hello);
	wire_header_encode(
		&(struct wire_header){.type = WIRE_HELLO, .body_bytes = (uint32_t)w.size}, bytes);
	memcpy(bytes + WIRE_HEADER_BYTES, w.data, w.size);
	const size_t size = WIRE_HEADER_BYTES + w.size;
	bytes_writer_deinit(&w);
	return connect(good->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		send(good->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size &&
		all(good->fd, bytes, WIRE_HEADER_BYTES) &&
		wire_header_decode(bytes, &header, NULL) == 0 && header.status == EDGE_OK &&
		header.body_bytes <= sizeof(bytes) && all(good->fd, bytes, header.body_bytes);
}

static bool send_question(const struct good *good, int8_t value)
{
	const int8_t data[4] = {value, (int8_t)~value, value, 7};
	struct bytes_writer w = {0};
	uint8_t bytes[512];
	const struct wire_infer infer = {.model = wire_text_of("echo"),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = DTYPE_INT8, .shape = {2, {1, 4}}, .bytes = 4, .data = data}}};
	wire_infer_encode(&w, &infer);
	wire_header_encode(
		&(struct wire_header){
			.type = WIRE_INFER, .id = good->asked, .body_bytes = (uint32_t)w.size},
		bytes);
	memcpy(bytes + WIRE_HEADER_BYTES, w.data, w.size);
	const size_t size = WIRE_HEADER_BYTES + w.size;
	bytes_writer_deinit(&w);
	return send(good->fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* False when the connection is lost. */
static bool take_answer(struct good *good, int8_t value)
{
	const int8_t wanted[4] = {value, (int8_t)~value, value, 7};
	_Alignas(64) uint8_t body[1024];
	uint8_t bytes[WIRE_HEADER_BYTES];
	struct wire_header header;
	struct wire_infer_reply reply;
	if (!all(good->fd, bytes, sizeof(bytes))) {
		return false;
	}
	if (wire_header_decode(bytes, &header, NULL) < 0 || header.body_bytes > sizeof(body) ||
		header.id != good->asked) {
		good->wrong++;
		return false;
	}
	if (!all(good->fd, body, header.body_bytes)) {
		return false;
	}
	if (header.status != EDGE_OK) {
		good->refused++;
	} else if (wire_infer_reply_decode(body, header.body_bytes, 0, &reply, NULL) == 0 &&
		memcmp(reply.outputs[0].data, wanted, sizeof(wanted)) == 0) {
		good->right++;
	} else {
		good->wrong++;
	}
	return true;
}

static void ask_once(struct good *good)
{
	const uint64_t start = clock_now_ns();
	const int8_t value = (int8_t)++good->asked;
	const uint64_t before = good->right;
	if (!send_question(good, value) || !take_answer(good, value)) {
		good->lost++;
		close(good->fd);
		good->fd = -1;
	} else if (good->right > before && good->right <= MAX_TIMES) {
		good->us[good->right - 1] = (uint32_t)((clock_now_ns() - start) / 1000);
	}
}

static void *good_run(void *argument)
{
	struct good *good = argument;
	good->fd = -1;
	while (good->most ? good->asked < good->most : !atomic_load(&good->stop)) {
		if (good->fd < 0 && !greet(good)) {
			good->lost++;
			own_close_fd(&good->fd);
			good->fd = -1;
			if (!good->patient) {
				break;
			}
			continue;
		}
		ask_once(good);
	}
	own_close_fd(&good->fd);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static uint32_t p99_us(const struct good *good)
{
	const uint64_t n = good->right < MAX_TIMES ? good->right : MAX_TIMES;
	if (n == 0) {
		return 0;
	}
	qsort(good->us, n, sizeof(good->us[0]), compare);
	return good->us[(n * 99 + 99) / 100 - 1];
}

/* ---- the hostile ones, in a process of their own, as another user where that can be */

static pid_t hostile_start(const struct daemon *daemon, uint32_t seed, uint32_t n)
{
	if (geteuid() == 0) {
		assert_int_equal(chmod(daemon->folder, 0755), 0);
		assert_int_equal(chmod(daemon->socket, 0666), 0);
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct hostile hostile;
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)) {
			_exit(1);
		}
		hostile_init(&hostile, daemon->socket);
		for (uint32_t i = 0; i < n; i++) {
			hostile_run(&hostile, seed + i);
		}
		hostile_deinit(&hostile);
		_exit(0);
	}
	return pid;
}

static void hostile_join(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		fail_msg("the scripts ended with %d", status);
	}
}

/* ---- edged */

static struct daemon *start(void)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	assert_non_null(daemon);
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "wide.tflite", "echo 100000");
	daemon_put(daemon, "sum.tflite", "sum 1000");
	daemon_put(daemon, "late.tflite", "late 2");
	daemon_put(daemon, "fails.tflite", "fail 1");
	daemon_config(daemon,
		"[limits]\nheader-timeout = 50ms\nhello-timeout = 50ms\nwrite-timeout = 100ms\n"
		"max-body = 2M\nmax-bytes-per-user = 8M\nmax-offences = 0\n");
	daemon_start(daemon, false);
	return daemon;
}

static void end(struct daemon *daemon)
{
	daemon_end(daemon);
	free(daemon);
}

/* @n scripts beside a good client. */
static void run_beside(struct daemon *daemon, struct good *good, uint32_t seed, uint32_t n)
{
	pthread_t thread;
	*good = (struct good){.socket = daemon->socket,
		.patient = good->patient,
		.us = calloc(MAX_TIMES, sizeof(uint32_t))};
	assert_non_null(good->us);
	/* First: it has threads, and shall have no copy of this one. */
	pid_t pid = hostile_start(daemon, seed, n);
	assert_int_equal(pthread_create(&thread, NULL, good_run, good), 0);
	hostile_join(pid);
	atomic_store(&good->stop, true);
	pthread_join(thread, NULL);
}

static void expect_all_right(const struct good *good)
{
	if (good->wrong > 0 || good->refused > 0 || good->lost > 0) {
		fail_msg("of %llu requests of a good client %llu were answered wrong, %llu "
			 "refused, "
			 "%llu lost",
			(unsigned long long)good->asked, (unsigned long long)good->wrong,
			(unsigned long long)good->refused, (unsigned long long)good->lost);
	}
	assert_true(good->right > 0);
}

static uint32_t p99_alone(const struct daemon *daemon)
{
	struct good good = {
		.socket = daemon->socket, .most = ALONE, .us = calloc(MAX_TIMES, sizeof(uint32_t))};
	assert_non_null(good.us);
	good_run(&good);
	expect_all_right(&good);
	const uint32_t us = p99_us(&good);
	free(good.us);
	return us;
}

static void good_clients_get_what_they_asked_for(void **state)
{
	struct daemon *daemon = NULL;
	struct good good = {0};
	const uint32_t n = number_of("SCRIPTS", DEFAULT_SCRIPTS);
	const uint32_t seed = number_of("SCRIPTS_SEED", 1);
	(void)state;
	daemon = start();
	run_beside(daemon, &good, seed, n / 10 + 1); /* what is made once is there */
	free(good.us);
	const uint32_t before_us = p99_alone(daemon);
	regions_expect_good(daemon);
	const struct held before = held_by(daemon);
	run_beside(daemon, &good, seed, n);
	expect_all_right(&good);
	print_message("%u scripts beside %llu requests: p99 %u us, %u us alone\n", n,
		(unsigned long long)good.right, p99_us(&good), before_us);
	free(good.us);
	held_expect(daemon, &before);
	end(daemon);
}

/* As held_expect(), where another connection may be one too many. */
static void wait_held(struct daemon *daemon, const struct held *before)
{
	const uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	const struct timespec nap = {.tv_nsec = 10000000};
	for (;;) {
		const struct held now = held_by(daemon);
		if (now.files <= before->files && now.threads == before->threads &&
			now.mapped == before->mapped) {
			return;
		}
		if (clock_now_ns() > until) {
			fail_msg("%u files, %u threads, %u mappings; were %u, %u, %u", now.files,
				now.threads, now.mapped, before->files, before->threads,
				before->mapped);
		}
		nanosleep(&nap, NULL);
	}
}

/* So few that a client's descriptor, or the next connection, is one too many. */
static void forty_descriptors_are_enough_to_survive(void **state)
{
	struct daemon *daemon = NULL;
	struct good good = {.patient = true};
	struct rlimit files, few;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = files;
	few.rlim_cur = few.rlim_max = FEW_FILES;
	daemon = start();
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait(daemon), 0);
	few.rlim_max = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	daemon_spawn(daemon, false);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	few.rlim_max = FEW_FILES;
	assert_int_equal(prlimit(daemon->pid, RLIMIT_NOFILE, &few, NULL), 0);
	daemon_wait_log(daemon, "models ready");
	const struct held before = held_by(daemon);
	run_beside(daemon, &good, number_of("SCRIPTS_SEED", 1),
		number_of("SCRIPTS", DEFAULT_SCRIPTS) / 4 + 1);
	assert_int_equal(good.wrong, 0);
	assert_true(good.right > 0);
	free(good.us);
	wait_held(daemon, &before);
	regions_expect_good(daemon);
	end(daemon);
}

/* Every script meets another call that fails, each number in turn. */
static void calls_that_fail_harm_who_made_them(void **state)
{
	struct daemon *daemon = NULL;
	struct good good = {.patient = true};
	const uint32_t n = number_of("SCRIPTS", DEFAULT_SCRIPTS) / 4 + 1;
	const char *fake = getenv("EDGED_FAKE");
	char kept[256];
	(void)state;
	snprintf(kept, sizeof(kept), "%s", fake ? fake : "");
	setenv("EDGED_FAKE", getenv("EDGED_FAULT"), 1);
	daemon = start();
	setenv("EDGED_FAKE", kept, 1);
	regions_expect_good(daemon);
	const struct held before = held_by(daemon);
	for (uint32_t i = 0; i < n; i += 5) {
		assert_int_equal(sigqueue(daemon->pid, SIGUSR2,
					 (union sigval){.sival_int = (int)(1 + i / 5 % 400)}),
			0);
		run_beside(daemon, &good, 1000000 + i, 5);
		assert_int_equal(good.wrong, 0);
		free(good.us);
	}
	sigqueue(daemon->pid, SIGUSR2, (union sigval){.sival_int = 0});
	held_expect(daemon, &before);
	end(daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_clients_get_what_they_asked_for),
		cmocka_unit_test(forty_descriptors_are_enough_to_survive),
		cmocka_unit_test(calls_that_fail_harm_who_made_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
