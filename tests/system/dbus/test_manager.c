/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define WATCHDOG_US "500000"
#define WATCHDOG_MS 500

/* A service manager: its socket for messages, and a listening socket to pass. */
struct manager {
	struct daemon daemon;
	int messages;
	int listener;
};

static int bound(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int listening(const struct manager *manager)
{
	owned_fd int fd = bound(manager->daemon.socket, SOCK_STREAM);
	assert_int_equal(listen(fd, 16), 0);
	return fcntl(fd, F_DUPFD_CLOEXEC, 50); /* above what is passed */
}

static int set_up(void **state)
{
	struct manager *manager = calloc(1, sizeof(*manager));
	char path[100];
	daemon_prepare(&manager->daemon);
	daemon_put(&manager->daemon, "echo.tflite", "echo 4");
	daemon_put(&manager->daemon, "bad.tflite", "bad");
	snprintf(path, sizeof(path), "%s/notify", manager->daemon.folder);
	manager->messages = bound(path, SOCK_DGRAM);
	manager->listener = -1;
	setenv("NOTIFY_SOCKET", path, 1);
	*state = manager;
	return 0;
}

static int tear_down(void **state)
{
	struct manager *manager = *state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PID");
	unsetenv("WATCHDOG_USEC");
	close(manager->messages);
	daemon_end(&manager->daemon);
	free(manager);
	return 0;
}

/* Receives messages until one contains @wanted. */
static void wait_message(const struct manager *manager, const char *wanted)
{
	char text[1024];
	do {
		struct pollfd waited = {.fd = manager->messages, .events = POLLIN};
		assert_int_equal(poll(&waited, 1, 60000), 1);
		ssize_t n = recv(manager->messages, text, sizeof(text) - 1, 0);
		assert_true(n > 0);
		text[n] = 0;
	} while (!strstr(text, wanted));
}

static void the_manager_is_told_what_happens(void **state)
{
	struct manager *manager = *state;
	daemon_start(&manager->daemon, false);
	wait_message(manager, "READY=1\nSTATUS=1 models ready, 1 refused");
	daemon_signal(&manager->daemon, SIGHUP);
	wait_message(manager, "RELOADING=1\nMONOTONIC_USEC=");
	wait_message(manager, "READY=1");
	daemon_signal(&manager->daemon, SIGTERM);
	wait_message(manager, "STOPPING=1");
	assert_int_equal(daemon_wait(&manager->daemon), 0);
}

/* What is loaded is answered: on a slow machine after READY. */
static void wait_serving(struct daemon *daemon, const char *model)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	bool served = false;
	for (int i = 0; i < 6000 && !served; i++) {
		struct peer peer = peer_open(daemon);
		peer_infer(&peer, 1, model, 4, 1, 0);
		struct answer answer = peer_receive(&peer);
		served = answer.header.status == EDGE_OK;
		answer_free(&answer);
		peer_close(&peer);
		nanosleep(&moment, NULL);
	}
	assert_true(served);
}

static void one_model_that_hangs_does_not_keep_edged_from_being_ready(void **state)
{
	struct manager *manager = *state;
	struct daemon *daemon = &manager->daemon;
	char line[128];
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "stalls.tflite", line);
	daemon_config(daemon, "[models]\nready-within = 100ms\n");
	daemon_spawn(daemon, false);
	wait_message(manager, "refused, others are still being looked at");
	wait_serving(daemon, "echo");
	daemon_let_go(daemon, 1);
	wait_message(manager, "READY=1\nSTATUS=2 models ready, 1 refused");
}

static void the_watchdog_is_fed(void **state)
{
	struct manager *manager = *state;
	setenv("WATCHDOG_USEC", "100000", 1);
	daemon_start(&manager->daemon, false);
	wait_message(manager, "WATCHDOG=1");
	wait_message(manager, "WATCHDOG=1");
}

/* True when it says that it is alive before the manager's time is over. */
static bool is_fed(const struct manager *manager)
{
	char text[1024];
	struct pollfd waited = {.fd = manager->messages, .events = POLLIN};
	if (poll(&waited, 1, WATCHDOG_MS) == 0) {
		return false;
	}
	ssize_t n = recv(manager->messages, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = 0;
	return true;
}

static void start_with_a_late_model(struct manager *manager)
{
	daemon_put(&manager->daemon, "late.tflite", "late 4000");
	setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
	daemon_start(&manager->daemon, false);
}

/* What runs goes on as if nobody had told it to end. */
static void wait_until_starved(struct manager *manager)
{
	const uint64_t until = clock_now_ns() + UINT64_C(60000000000);
	while (is_fed(manager)) {
		assert_true(clock_now_ns() < until);
	}
	daemon_wait_log(&manager->daemon, "a worker does not end its run");
}

/* One that still waits would be taken back. */
static void wait_until_it_runs(struct peer *peer)
{
	const uint64_t until = clock_now_ns() + UINT64_C(60000000000);
	struct wire_status status = {0};
	while (status.running == 0) {
		assert_true(clock_now_ns() < until);
		peer_send(peer, WIRE_STATUS, 2, 0, NULL);
		struct answer answer = peer_receive(peer);
		assert_int_equal(
			wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL),
			0);
		answer_free(&answer);
	}
}

/* Nobody waits for it any more, and it had no deadline. */
static void a_run_that_outlives_its_client_starves_the_watchdog(void **state)
{
	struct manager *manager = *state;
	start_with_a_late_model(manager);
	struct peer peer = peer_open(&manager->daemon);
	peer_infer(&peer, 1, "late", 4, 1, 0);
	wait_until_it_runs(&peer);
	peer_close(&peer);
	wait_until_starved(manager);
	wait_message(manager, "WATCHDOG=1");
}

static void a_run_without_a_deadline_is_told_to_end_after_answer_timeout(void **state)
{
	struct manager *manager = *state;
	daemon_config(&manager->daemon, "[limits]\nanswer-timeout = 300ms\n");
	start_with_a_late_model(manager);
	struct peer peer = peer_open(&manager->daemon);
	peer_infer(&peer, 1, "late", 4, 1, 0);
	peer_infer(&peer, 2, "late", 4, 1, 3600000000u); /* nor does an hour help */
	for (int i = 0; i < 2; i++) {
		struct answer answer = peer_receive(&peer);
		assert_int_equal(answer.header.status, EDGE_DEADLINE);
		answer_free(&answer);
	}
	wait_until_starved(manager);
	peer_close(&peer);
	wait_message(manager, "WATCHDOG=1");
}

/* Its deadline is answered. */
static void a_run_that_does_not_end_starves_the_watchdog(void **state)
{
	struct manager *manager = *state;
	struct daemon *daemon = &manager->daemon;
	start_with_a_late_model(manager);
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "late", 4, 1, 500000);
	peer_expect(&peer, 1, EDGE_DEADLINE);
	wait_until_starved(manager);
	peer_infer(&peer, 2, "echo", 4, 1, 0); /* the loop has not noticed anything */
	peer_expect_echo(&peer, 2, 4, 1);
	wait_message(manager, "WATCHDOG=1"); /* when it has ended after all */
	peer_close(&peer);
}

/* Descriptor 3 listens; edged uses it, and leaves its file alone at the end. */
static void use_passed_socket(struct manager *manager)
{
	struct stat st;
	int kept = fcntl(3, F_DUPFD_CLOEXEC, 100);
	int listener = bound(manager->daemon.socket, SOCK_STREAM);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(dup2(listener, 3), 3);
	setenv("LISTEN_FDS", "1", 1);
	daemon_start(&manager->daemon, false);
	struct peer peer = peer_open(&manager->daemon);
	peer_infer(&peer, 1, "echo", 4, 1, 0);
	peer_expect_echo(&peer, 1, 4, 1);
	peer_close(&peer);
	daemon_signal(&manager->daemon, SIGTERM);
	assert_int_equal(daemon_wait(&manager->daemon), 0);
	assert_int_equal(lstat(manager->daemon.socket, &st), 0);
	close(listener);
	if (kept >= 0) {
		dup2(kept, 3);
		close(kept);
	} else {
		close(3);
	}
}

static void a_passed_socket_is_used_and_not_removed(void **state)
{
	use_passed_socket(*state);
}

/* As systemd-socket-activate(1) does it, or a unit without Type=notify. */
static void a_passed_socket_is_used_where_nobody_wants_messages(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	use_passed_socket(*state);
}

/* Receives messages until one contains @wanted, which brings a descriptor. */
static int wait_descriptor(const struct manager *manager, const char *wanted)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int)) * 4];
	char text[1024];
	for (;;) {
		struct pollfd waited = {.fd = manager->messages, .events = POLLIN};
		struct iovec part = {text, sizeof(text) - 1};
		struct msghdr message = {.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		assert_int_equal(poll(&waited, 1, 60000), 1);
		ssize_t n = recvmsg(manager->messages, &message, MSG_CMSG_CLOEXEC);
		assert_true(n > 0);
		text[n] = 0;
		if (!strstr(text, wanted)) {
			continue;
		}
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
				int fd = -1;
				memcpy(&fd, CMSG_DATA(c), sizeof(fd));
				return fd;
			}
		}
		fail_msg("%s without a descriptor", wanted);
	}
}

/* Starts edged with what a manager passes at the descriptors 3 and 4. */
static void spawn_with(struct manager *manager, int listener, int kept)
{
	int before[2];
	for (int i = 0; i < 2; i++) {
		before[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 100);
	}
	assert_int_equal(dup2(listener, 3), 3);
	assert_int_equal(dup2(kept, 4), 4);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "infer:statistics", 1);
	daemon_spawn(&manager->daemon, false);
	for (int i = 0; i < 2; i++) {
		if (before[i] >= 0) {
			dup2(before[i], 3 + i);
			close(before[i]);
		} else {
			close(3 + i);
		}
	}
}

static void start_with(struct manager *manager, int listener, int kept)
{
	spawn_with(manager, listener, kept);
	daemon_wait_log(&manager->daemon, "models ready");
}

static uint64_t answered(const struct manager *manager)
{
	struct peer peer = peer_open(&manager->daemon);
	struct wire_status status = {0};
	peer_send(&peer, WIRE_STATUS, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	assert_int_equal(
		wire_status_decode(answer.body, answer.header.body_bytes, &status, NULL), 0);
	answer_free(&answer);
	peer_close(&peer);
	return status.counts[EDGE_OK];
}

/* Of the model "echo". */
static uint64_t answered_by_model(const struct manager *manager)
{
	struct peer peer = peer_open_1_3(&manager->daemon);
	struct wire_stats stats;
	struct wire_stats_user user;
	struct wire_stats_model model = {0};
	peer_send(&peer, WIRE_STATS, 1, 0, NULL);
	struct answer answer = peer_receive(&peer);
	struct bytes_reader r = bytes_reader_of(answer.body, answer.header.body_bytes);
	assert_int_equal(wire_stats_decode(&r, &stats, NULL), 0);
	for (uint32_t i = 0; i < stats.n_users; i++) {
		assert_int_equal(wire_stats_user_decode(&r, &user, NULL), 0);
	}
	for (uint32_t i = 0; i < stats.n_models && !wire_text_is(model.name, "echo"); i++) {
		assert_int_equal(wire_stats_model_decode(&r, &model, NULL), 0);
	}
	assert_true(wire_text_is(model.name, "echo"));
	assert_int_equal(model.phases[WIRE_PHASE_TOTAL].n, model.counts[EDGE_OK]);
	answer_free(&answer);
	peer_close(&peer);
	return model.counts[EDGE_OK];
}

static void ask(const struct manager *manager, int n)
{
	struct peer peer = peer_open(&manager->daemon);
	for (int i = 0; i < n; i++) {
		peer_infer(&peer, 1, "echo", 4, 1, 0);
		peer_expect_echo(&peer, 1, 4, 1);
	}
	peer_close(&peer);
}

static const char forget[] = "FDSTOREREMOVE=1\nFDNAME=statistics";
/* A connection that came while nobody was there is answered by the next edged, which counts on. */
static void a_restart_keeps_connections_that_wait_and_statistics(void **state)
{
	struct manager *manager = *state;
	owned_fd int listener = listening(manager);
	owned_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	start_with(manager, listener, nothing); /* which is not what was kept: ignored */
	wait_message(manager, forget);
	ask(manager, 5);
	daemon_signal(&manager->daemon, SIGTERM);
	wait_message(manager, forget);
	const int kept = wait_descriptor(manager, "FDSTORE=1\nFDNAME=statistics");
	assert_int_equal(daemon_wait(&manager->daemon), 0);
	struct peer early = peer_connect(&manager->daemon);
	start_with(manager, listener, kept);
	/* Which a crash would leave behind, older than what was told since. */
	wait_message(manager, forget);
	assert_int_equal(answered(manager), 5);
	assert_int_equal(answered_by_model(manager), 5);
	ask(manager, 2);
	assert_int_equal(answered(manager), 7);
	assert_int_equal(answered_by_model(manager), 7);
	struct bytes_writer w = {0};
	const struct wire_hello hello = {.major = WIRE_MAJOR, .name = wire_text_of("early")};
	wire_hello_encode(&w, &hello);
	peer_send(&early, WIRE_HELLO, 9, 0, &w);
	peer_expect(&early, 9, EDGE_OK);
	bytes_writer_deinit(&w);
	peer_close(&early);
	close(kept);
}

/* Ends it, and returns the statistics that it leaves, which are the caller's. */
static int leave(struct manager *manager)
{
	daemon_signal(&manager->daemon, SIGTERM);
	const int kept = wait_descriptor(manager, "FDSTORE=1\nFDNAME=statistics");
	assert_int_equal(daemon_wait(&manager->daemon), 0);
	return kept;
}

/* Of five answers of "echo". */
static int leave_five(struct manager *manager, int listener)
{
	owned_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	start_with(manager, listener, nothing);
	ask(manager, 5);
	return leave(manager);
}

/* An empty store, so that models are there when the folder has been looked at. */
static void store_renew(const struct manager *manager)
{
	char state[256], away[256];
	snprintf(state, sizeof(state), "%s/state", manager->daemon.folder);
	snprintf(away, sizeof(away), "%s/away", manager->daemon.folder);
	assert_int_equal(rename(state, away), 0);
	assert_int_equal(mkdir(state, 0700), 0);
}

static void statistics_outlive_an_edged_that_ends_before_its_models_are_there(void **state)
{
	struct manager *manager = *state;
	struct daemon *daemon = &manager->daemon;
	char line[128];
	owned_fd int listener = listening(manager);
	owned_fd int first = leave_five(manager, listener);
	store_renew(manager);
	daemon_remove(daemon, "echo.tflite");
	snprintf(line, sizeof(line), "stall %s/gate", daemon->folder);
	daemon_put(daemon, "stalls.tflite", line);
	spawn_with(manager, listener, first);
	daemon_wait_log(daemon, "listens");
	daemon_signal(daemon, SIGTERM);
	owned_fd int second = wait_descriptor(manager, "FDSTORE=1\nFDNAME=statistics");
	daemon_signal(daemon, SIGKILL); /* it may wait for what stalls */
	daemon_wait(daemon);
	daemon_remove(daemon, "stalls.tflite");
	daemon_put(daemon, "echo.tflite", "echo 4");
	start_with(manager, listener, second);
	assert_int_equal(answered(manager), 5);
	assert_int_equal(answered_by_model(manager), 5);
}

/* Memory that somebody can still write, or of another size, is not the statistics. */
static void other_memory_is_not_taken_for_statistics(void **state)
{
	struct manager *manager = *state;
	owned_fd int listener = listening(manager);
	struct memory memory = memory_new(4096);
	memset(memory.data, 0xff, memory.bytes);
	start_with(manager, listener, memory.fd);
	assert_int_equal(answered(manager), 0);
	memory_free(&memory);
}

/* What kept.c writes: 24 bytes and the counters, then a row for each model, which begins with its name. */
struct memory_of_statistics {
	size_t size;
	uint8_t bytes[65536];
};
enum {
	AT_MAGIC = 0,
	AT_SIZE = 8,
	AT_COUNTS = 12,
	AT_MODELS = 16,
	AT_ROW_SIZE = 20
};

static uint32_t word_at(const struct memory_of_statistics *m, size_t at)
{
	uint32_t word = 0;
	memcpy(&word, m->bytes + at, sizeof(word));
	return word;
}

static void statistics_read(int fd, struct memory_of_statistics *ret)
{
	const ssize_t size = pread(fd, ret->bytes, sizeof(ret->bytes), 0);
	assert_true(size > 0 && (size_t)size < sizeof(ret->bytes) / 2);
	ret->size = (size_t)size;
	assert_int_equal(
		word_at(ret, AT_SIZE) + word_at(ret, AT_MODELS) * word_at(ret, AT_ROW_SIZE), size);
}

/* Starts edged with @m in sealed memory. */
static void start_with_statistics(
	struct manager *manager, int listener, const struct memory_of_statistics *m)
{
	owned_fd int fd = memfd_create("altered", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, m->bytes, m->size), m->size);
	assert_int_equal(
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL),
		0);
	start_with(manager, listener, fd);
}

/* And ends it; it counts from @answers, @by_model. */
static void expect_counts(struct manager *manager, int listener,
	const struct memory_of_statistics *m, uint64_t answers, uint64_t by_model)
{
	start_with_statistics(manager, listener, m);
	assert_int_equal(answered(manager), answers);
	assert_int_equal(answered_by_model(manager), by_model);
	close(leave(manager));
}

static void statistics_with_another_head_are_not_taken(void **state)
{
	static const struct {
		size_t at;
		uint32_t word;
	} wrong[] = {{AT_MAGIC, 0}, {AT_SIZE, 0}, {AT_COUNTS, 1}, {AT_MODELS, 0}, {AT_MODELS, 2},
		{AT_MODELS, UINT32_MAX}, {AT_ROW_SIZE, 0}, {AT_ROW_SIZE, 64}};
	static struct memory_of_statistics m;
	struct manager *manager = *state;
	owned_fd int listener = listening(manager);
	owned_fd int kept = leave_five(manager, listener);
	statistics_read(kept, &m);
	expect_counts(manager, listener, &m, 5, 5);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		statistics_read(kept, &m);
		memcpy(m.bytes + wrong[i].at, &wrong[i].word, sizeof(wrong[i].word));
		expect_counts(manager, listener, &m, 0, 0);
	}
	statistics_read(kept, &m);
	m.size--;
	expect_counts(manager, listener, &m, 0, 0);
}

static void rows_of_statistics_that_fit_no_model_are_left_out(void **state)
{
	static struct memory_of_statistics m;
	struct manager *manager = *state;
	owned_fd int listener = listening(manager);
	owned_fd int kept = leave_five(manager, listener);
	statistics_read(kept, &m);
	const size_t row = word_at(&m, AT_SIZE), row_size = word_at(&m, AT_ROW_SIZE);
	memcpy(m.bytes + m.size, m.bytes + row, row_size); /* twice: once */
	memcpy(m.bytes + AT_MODELS, (const uint32_t[]){2}, sizeof(uint32_t));
	m.size += row_size;
	expect_counts(manager, listener, &m, 5, 5);
	statistics_read(kept, &m);
	memcpy(m.bytes + row, "gone", 5); /* not kept any longer either */
	start_with_statistics(manager, listener, &m);
	assert_int_equal(answered_by_model(manager), 0);
	owned_fd int next = leave(manager);
	statistics_read(next, &m);
	assert_int_equal(word_at(&m, AT_MODELS), 0);
}

#define manager_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		manager_test(the_manager_is_told_what_happens),
		manager_test(one_model_that_hangs_does_not_keep_edged_from_being_ready),
		manager_test(the_watchdog_is_fed),
		manager_test(a_run_that_does_not_end_starves_the_watchdog),
		manager_test(a_run_that_outlives_its_client_starves_the_watchdog),
		manager_test(a_run_without_a_deadline_is_told_to_end_after_answer_timeout),
		manager_test(a_passed_socket_is_used_and_not_removed),
		manager_test(a_passed_socket_is_used_where_nobody_wants_messages),
		manager_test(a_restart_keeps_connections_that_wait_and_statistics),
		manager_test(statistics_outlive_an_edged_that_ends_before_its_models_are_there),
		manager_test(other_memory_is_not_taken_for_statistics),
		manager_test(statistics_with_another_head_are_not_taken),
		manager_test(rows_of_statistics_that_fit_no_model_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
