/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/serve/flight_recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/edged/serve/request.h"
#include "daemon/system/notice.h"

/* Wall-clock time. Async-signal-safe. */
static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void flight_recorder_open(struct flight_recorder *flight)
{
	void *memory = mmap(NULL, sizeof(*flight->image), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	_Static_assert(
		offsetof(struct flight_recorder_image, records) == FLIGHT_HEAD_BYTES, "no padding");
	if (memory == MAP_FAILED) {
		return;
	}
	*flight = (struct flight_recorder){.image = memory};
	flight->image->header = (struct flight_header){.magic = FLIGHT_MAGIC,
		.n_names = FLIGHT_NAMES,
		.n_records = FLIGHT_RECORDS,
		.started_us = now_us(),
		.pid = (uint32_t)getpid()};
}

/* ---- records */

/* The number of the name @text. A new name replaces the oldest one. */
static uint16_t name_of(struct flight_recorder *flight, const char *text, uint64_t seq)
{
	struct flight_name *names = flight->image->names;
	if (strcmp(names[flight->last_name].text, text) == 0) {
		return flight->last_name;
	}
	for (uint16_t i = 0; i < FLIGHT_NAMES && names[i].since > 0; i++) {
		if (strcmp(names[i].text, text) == 0) {
			return flight->last_name = i;
		}
	}
	const uint16_t found = flight->next_name;
	flight->next_name = (uint16_t)((found + 1) % FLIGHT_NAMES);
	names[found] = (struct flight_name){.since = seq};
	snprintf(names[found].text, sizeof(names[found].text), "%s", text);
	return flight->last_name = found;
}

static uint32_t us_of(uint64_t ns)
{
	return ns / NSEC_PER_USEC < UINT32_MAX ? (uint32_t)(ns / NSEC_PER_USEC) : UINT32_MAX;
}

/* The request's class in the wire's numbers. */
static uint8_t class_of(const struct request *request)
{
	static const uint8_t classes[QUEUE_CLASSES] = {[QUEUE_BATCH] = WIRE_CLASS_BATCH,
		[QUEUE_NORMAL] = WIRE_CLASS_NORMAL,
		[QUEUE_REALTIME] = WIRE_CLASS_REALTIME,
		[QUEUE_CONTROL] = WIRE_CLASS_CONTROL};
	return classes[request->item.class];
}

void flight_recorder_note(struct flight_recorder *flight, const struct request *request,
	enum edge_status status, const struct counters_times *times)
{
	if (!flight->image) {
		return;
	}
	struct flight_header *header = &flight->image->header;
	const struct loaded_model *loaded = request->loaded;
	const uint64_t seq = header->seq + 1;
	flight->image->records[seq % FLIGHT_RECORDS] = (struct flight_record){.seq = seq,
		.ended_us = now_us(),
		.id = request->id,
		.version = loaded ? loaded->number : 0,
		.queue_us = us_of(times->queue_ns),
		.compute_us = us_of(times->compute_ns),
		.total_us = us_of(times->total_ns),
		.others_us = us_of(times->others_ns),
		.uid = (uint32_t)request->client.account->uid,
		.pid = (uint32_t)request->client.pid,
		.body_bytes = request->body_bytes,
		.name = loaded ? name_of(flight, loaded->name, seq) : FLIGHT_NO_NAME,
		.status = (uint8_t)status,
		.class = class_of(request)};
	header->seq = seq;
}

int flight_recorder_encode(const struct flight_recorder *flight, uint64_t max,
	struct bytes_writer *w, struct error *err)
{
	const struct flight_recorder_image *image = flight->image;
	if (!image || max < FLIGHT_HEAD_BYTES) {
		return error_set(err, -EOPNOTSUPP, "no requests are recorded");
	}
	uint64_t n = (max - FLIGHT_HEAD_BYTES) / sizeof(image->records[0]);
	n = n < FLIGHT_RECORDS ? n : FLIGHT_RECORDS;
	n = n < image->header.seq ? n : image->header.seq;
	struct flight_header header = image->header;
	header.n_records = (uint32_t)n;
	header.written_us = now_us();
	bytes_write(w, &header, sizeof(header));
	bytes_write(w, image->names, sizeof(image->names));
	for (uint64_t seq = header.seq - n + 1; seq <= header.seq; seq++) {
		bytes_write(w, &image->records[seq % FLIGHT_RECORDS], sizeof(image->records[0]));
	}
	return w->failed ? error_no_memory(err) : 0;
}

/* ---- files; image_write() is async-signal-safe */

static int image_write(const struct flight_recorder_image *image, const char *path)
{
	const char *at = (const char *)image;
	size_t left = sizeof(*image);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n = fd < 0 ? -1 : 0;
	while (n >= 0 && left > 0) {
		n = write(fd, at, left);
		at += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	const int code = n < 0 ? -errno : 0;
	if (fd >= 0) {
		close(fd);
	}
	return code;
}

void flight_recorder_write(struct flight_recorder *flight, const char *state, const struct log *log)
{
	struct flight_recorder_image *image = flight->image;
	char path[CONFIG_PATH_SIZE + 16], new[CONFIG_PATH_SIZE + 24];
	if (!image) {
		return;
	}
	snprintf(path, sizeof(path), "%s/flight", state);
	snprintf(new, sizeof(new), "%s/flight.new", state);
	image->header.written_us = now_us();
	int code = image_write(image, new);
	if (code == 0 && rename(new, path) < 0) {
		code = -errno;
	}
	if (code < 0) {
		log_warning(log, "flight records: %s: %s", path, strerror(-code));
		return;
	}
	const struct notice_about about = {.path = path};
	notice(log, NOTICE_FLIGHT_WRITTEN, &about, "flight records of %llu requests are in %s",
		(unsigned long long)image->header.seq, path);
}

/* ---- crashes */

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* The state of the signal handler, written before the handler is installed. */
static struct {
	struct flight_recorder_image *image;
	char path[CONFIG_PATH_SIZE + 16];
	struct sigaction before[N_SIGNALS];
} crash;

/* A fault is raised again when this returns, and then meets the handler of before. A signal that
 * was sent, or abort()'s, is raised here. */
static void on_crash(int number, siginfo_t *info, void *context)
{
	(void)context;
	crash.image->header.signal = (uint32_t)number;
	crash.image->header.written_us = now_us();
	int code = image_write(crash.image, crash.path);
	(void)code; /* nothing can be reported from here */
	for (size_t i = 0; i < N_SIGNALS; i++) {
		sigaction(signals[i], &crash.before[i], NULL);
	}
	if (info->si_code <= 0) {
		raise(number);
	}
}

void flight_recorder_guard(const struct flight_recorder *flight, const char *state)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
	action.sa_sigaction = on_crash;
	sigfillset(&action.sa_mask);
	if (!flight->image) {
		return;
	}
	crash.image = flight->image;
	snprintf(crash.path, sizeof(crash.path), "%s/flight.crash", state);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		sigaction(signals[i], &action, &crash.before[i]);
	}
}
