/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/scripts.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"
#include "base/wire/wire.h"

#define MEMORY (64u << 10)
#define RING_AT 8192u
#define MOST_FDS 253 /* that one message may carry */
#define FLOOD 30

/* ---- chance */

static uint32_t chance(struct hostile *h, uint32_t n)
{
	h->seed ^= h->seed << 13;
	h->seed ^= h->seed >> 17;
	h->seed ^= h->seed << 5;
	return h->seed % n;
}

/* ---- connections */

static int connect_to(const struct hostile *h)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", h->socket);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void keep(struct hostile *h, int fd)
{
	int *place = &h->held[h->at++ % HOSTILE_HELD];
	if (*place >= 0) {
		close(*place);
	}
	*place = fd;
}

/* ---- frames */

static void throw_fds(int fd, const void *bytes, size_t size, const int *fds, unsigned int n)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MOST_FDS * sizeof(int))] = {0};
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (n > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)sent; /* edged may have closed, or take nothing now */
}

/* Some of it is damaged, some cut off, some sent in two halves. */
static void throw_bytes(struct hostile *h, int fd, uint8_t *bytes, size_t size)
{
	if (chance(h, 5) == 0) {
		for (uint32_t n = 1 + chance(h, 3); n > 0; n--) {
			bytes[chance(h, (uint32_t)size)] ^= (uint8_t)(1u << chance(h, 8));
		}
	}
	if (chance(h, 12) == 0) {
		size = chance(h, (uint32_t)size);
	}
	const size_t half = chance(h, 4) == 0 ? chance(h, (uint32_t)size + 1) : 0;
	throw_fds(fd, bytes, half, NULL, 0);
	throw_fds(fd, bytes + half, size - half, NULL, 0);
}

struct message {
	uint8_t bytes[4096];
	size_t size;
};

static void message_make(
	struct message *m, struct wire_header header, const struct bytes_writer *body)
{
	header.body_bytes = (uint32_t)body->size;
	wire_header_encode(&header, m->bytes);
	m->size = WIRE_HEADER_BYTES;
	if (body->size > 0 && body->size <= sizeof(m->bytes) - WIRE_HEADER_BYTES) {
		memcpy(m->bytes + WIRE_HEADER_BYTES, body->data, body->size);
		m->size += body->size;
	}
}

static void hello(struct hostile *h, int fd)
{
	struct bytes_writer w = {0};
	struct message m;
	const struct wire_hello said = {.major = WIRE_MAJOR,
		.minor = (uint16_t)(chance(h, 5) == 0 ? chance(h, 4) : 3),
		.capabilities = chance(h, 5) == 0 ? chance(h, 32) : UINT64_MAX,
		.name = wire_text_of("hostile")};
	wire_hello_encode(&w, &said);
	message_make(&m, (struct wire_header){.type = WIRE_HELLO}, &w);
	if (chance(h, 20) == 0) {
		throw_bytes(h, fd, m.bytes, m.size);
	} else {
		throw_fds(fd, m.bytes, m.size, NULL, 0);
	}
	bytes_writer_deinit(&w);
}

static const char *some_model(struct hostile *h)
{
	static const char *const models[] = {"echo", "echo", "wide", "sum", "late", "fails", "?"};
	return models[chance(h, sizeof(models) / sizeof(models[0]))];
}

/* An INFER; of a region when @region is not 0. */
static void infer_make(struct hostile *h, struct message *m, uint32_t region)
{
	static const uint8_t data[64] = {1, 2, 3, 4};
	struct bytes_writer w = {0};
	const struct wire_infer infer = {.regions = region != 0,
		.model = wire_text_of(some_model(h)),
		.n_inputs = chance(h, 10) == 0 ? chance(h, 3) : 1,
		.n_wanted = chance(h, 10) == 0 ? chance(h, 3) : WIRE_ALL_OUTPUTS,
		.key = chance(h, 6) == 0 ? 1 : 0,
		.n_places = region != 0 && chance(h, 2) == 0 ? 1 : 0,
		.places = {{.region = region, .offset = 64 * chance(h, 64), .room = 64}},
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, 4}},
			.bytes = 4,
			.region = region,
			.offset = region ? 64 * (uint64_t)chance(h, 64) : 0,
			.data = data}}};
	wire_infer_encode(&w, &infer);
	const unsigned int flags = (region ? WIRE_FLAG_REGIONS : 0) |
		(infer.key ? WIRE_FLAG_KEY : 0) | chance(h, 4) << WIRE_CLASS_SHIFT;
	message_make(m,
		(struct wire_header){.type = WIRE_INFER,
			.flags = (uint16_t)flags,
			.id = chance(h, 8),
			.deadline_us = chance(h, 3) == 0 ? 1 + chance(h, 5000) : 0,
			.session = chance(h, 6) == 0 ? chance(h, 3) : 0},
		&w);
	bytes_writer_deinit(&w);
}

/* Anything else, most of it well formed. */
static void other_make(struct hostile *h, struct message *m)
{
	struct bytes_writer w = {0};
	const uint16_t type = (uint16_t)(1 + chance(h, WIRE_TYPE_COUNT));
	const struct wire_describe describe = {
		.model = wire_text_of(some_model(h)), .version = wire_text_of("")};
	const struct wire_store store = {.verb = WIRE_STORE_HISTORY + chance(h, 9),
		.model = wire_text_of(some_model(h)),
		.argument = wire_text_of("")};
	const struct wire_session_open open = {
		.model = wire_text_of("sum"), .version = wire_text_of("")};
	switch (type) {
	case WIRE_DESCRIBE:
		wire_describe_encode(&w, &describe);
		break;
	case WIRE_CANCEL:
		wire_cancel_encode(&w, chance(h, 8));
		break;
	case WIRE_SESSION_OPEN:
		wire_session_open_encode(&w, &open);
		break;
	case WIRE_STORE:
		wire_store_encode(&w, &store);
		break;
	case WIRE_SESSION_RESET:
	case WIRE_SESSION_CLOSE:
	case WIRE_REGION_REMOVE:
	case WIRE_SUBSCRIBE:
		bytes_write_u32(&w, 1 + chance(h, 3));
		break;
	default:
		break;
	}
	message_make(m, (struct wire_header){.type = type, .id = chance(h, 8)}, &w);
	bytes_writer_deinit(&w);
}

/* ---- what a script may do */

static void talk(struct hostile *h, int fd)
{
	struct message m;
	for (uint32_t n = 1 + chance(h, 30); n > 0; n--) {
		if (chance(h, 2) == 0) {
			infer_make(h, &m, chance(h, 6) == 0 ? chance(h, 3) : 0);
		} else {
			other_make(h, &m);
		}
		throw_bytes(h, fd, m.bytes, m.size);
	}
}

static void garbage(struct hostile *h, int fd)
{
	uint8_t bytes[512];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)chance(h, 256);
	}
	throw_fds(fd, bytes, 1 + chance(h, sizeof(bytes)), NULL, 0);
}

/* A byte at a time, and not to the end. */
static void slowly(struct hostile *h, int fd)
{
	struct message m;
	infer_make(h, &m, 0);
	for (size_t i = 0, n = chance(h, (uint32_t)m.size); i < n; i++) {
		throw_fds(fd, m.bytes + i, 1, NULL, 0);
		sched_yield();
	}
}

/* A body of which little comes, or one that is too large. */
static void hugely(struct hostile *h, int fd)
{
	static const uint32_t sizes[] = {
		1 << 20, 2000000, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, INT32_MAX, UINT32_MAX};
	uint8_t bytes[2048] = {0};
	wire_header_encode(
		&(struct wire_header){.type = WIRE_INFER,
			.id = chance(h, 8),
			.body_bytes = sizes[chance(h, sizeof(sizes) / sizeof(sizes[0]))]},
		bytes);
	throw_fds(fd, bytes, WIRE_HEADER_BYTES + chance(h, 2000), NULL, 0);
}

static void descriptors(struct hostile *h, int fd)
{
	int fds[MOST_FDS];
	struct message m;
	owned_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (uint32_t round = 1 + chance(h, 8); round > 0; round--) {
		const unsigned int n = chance(h, 2) == 0 ? 1 : 1 + chance(h, MOST_FDS);
		for (unsigned int i = 0; i < n; i++) {
			fds[i] = chance(h, 4) == 0 ? fd : null;
		}
		other_make(h, &m);
		throw_fds(fd, m.bytes, chance(h, 3) == 0 ? 1 : m.size, fds, n);
	}
}

/* ---- memory */

struct shared {
	int fd;
	uint8_t *data; /* MAP_FAILED: none */
};

/* Some of it is sealed and whole, the other has a fault. */
static struct shared memory_make(struct hostile *h)
{
	static const int seals[] = {F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, F_SEAL_GROW, F_SEAL_SHRINK,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_WRITE};
	const unsigned int kind = chance(h, 12);
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (kind == 0 ? MFD_HUGETLB : 0);
	struct shared shared = {.fd = memfd_create("test", flags), .data = MAP_FAILED};
	const off_t bytes = kind == 0 ? 2 << 20 : kind == 1 ? (off_t)1 << 36 : MEMORY;
	int code = ftruncate(shared.fd, bytes);
	if (code == 0 && kind > 1 && kind != 2) { /* kinds 1 and 2 are sparse */
		code = fallocate(shared.fd, 0, 0, bytes);
	}
	if (code == 0 && kind > 1) {
		shared.data = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd, 0);
	}
	code = kind == 3 ? code : fcntl(shared.fd, F_ADD_SEALS, seals[chance(h, 5)]);
	return shared;
}

static void memory_add(struct hostile *h, int fd, int memory)
{
	struct bytes_writer w = {0};
	struct message m;
	const struct wire_region region = {
		.bytes = chance(h, 8) == 0 ? UINT64_C(1) << chance(h, 64) : MEMORY,
		.uses = chance(h, 8) == 0 ? 1 + chance(h, 3) : 3};
	wire_region_add_encode(&w, &region);
	message_make(&m, (struct wire_header){.type = WIRE_REGION_ADD, .id = 100}, &w);
	throw_fds(fd, m.bytes, m.size, &memory, 1);
	bytes_writer_deinit(&w);
}

static void ring_add(struct hostile *h, int fd, int bell)
{
	struct bytes_writer w = {0};
	struct message m;
	const struct wire_ring ring = {.region = 1,
		.offset = RING_AT,
		.slots = chance(h, 8) == 0 ? chance(h, 100) : 4,
		.slot_bytes = chance(h, 8) == 0 ? chance(h, 70000) : 1024};
	wire_ring_encode(&w, &ring);
	message_make(&m, (struct wire_header){.type = WIRE_RING_OPEN, .id = 101}, &w);
	throw_fds(fd, m.bytes, m.size, &bell, 1);
	bytes_writer_deinit(&w);
}

struct flipper {
	uint8_t *data;
	uint32_t seed;
	atomic_bool stop;
};

/* Writes while edged reads, and while use() writes: a race that is meant. */
__attribute__((no_sanitize("thread"))) static void *flip(void *argument)
{
	struct flipper *flipper = argument;
	while (!atomic_load(&flipper->stop)) {
		flipper->seed = flipper->seed * 1664525u + 1013904223u;
		flipper->data[(flipper->seed >> 8) % MEMORY] ^= (uint8_t)(flipper->seed >> 24);
	}
	return NULL;
}

/* Requests of a region and of a ring in it. */
static void use(struct hostile *h, int fd, const struct shared *shared, int bell)
{
	const uint64_t one = 1;
	struct message m;
	for (uint32_t n = 0, rounds = 5 + chance(h, 20); n < rounds; n++) {
		infer_make(h, &m, 1);
		throw_fds(fd, m.bytes, m.size, NULL, 0);
		infer_make(h, &m, chance(h, 2));
		memcpy(shared->data + RING_AT + WIRE_RING_SLOTS + (size_t)(n % 4) * 1024, m.bytes,
			m.size < 1024 ? m.size : 1024);
		memcpy(shared->data + RING_AT + WIRE_RING_SUBMITTED, &(uint32_t){n + 1},
			sizeof(uint32_t));
		ssize_t rung = write(bell, &one, sizeof(one));
		(void)rung;
		if (chance(h, 8) == 0) { /* pages that were there are there no more */
			int code = fallocate(
				shared->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MEMORY);
			(void)code;
		}
		if (chance(h, 8) == 0) { /* works where it is not sealed */
			int code = ftruncate(shared->fd, 0);
			code = code == 0 ? ftruncate(shared->fd, MEMORY) : code;
			(void)code;
		}
		sched_yield();
	}
}

static void share(struct hostile *h, int fd)
{
	const struct shared shared = memory_make(h);
	owned_fd int memory = shared.fd;
	owned_fd int bell = eventfd(0, EFD_CLOEXEC | (chance(h, 2) == 0 ? EFD_NONBLOCK : 0));
	struct flipper flipper = {.data = shared.data, .seed = chance(h, 1u << 30)};
	pthread_t thread;
	memory_add(h, fd, memory);
	ring_add(h, fd, chance(h, 8) == 0 ? memory : bell);
	/* A mapping of a file that another cuts off is not for flipping. */
	const bool flips =
		shared.data != MAP_FAILED && (fcntl(memory, F_GET_SEALS) & F_SEAL_SHRINK) != 0;
	if (flips && pthread_create(&thread, NULL, flip, &flipper) == 0) {
		use(h, fd, &shared, bell);
		atomic_store(&flipper.stop, true);
		pthread_join(thread, NULL);
	}
	if (shared.data != MAP_FAILED) {
		munmap(shared.data, MEMORY);
	}
}

static void flood(struct hostile *h)
{
	int fds[FLOOD];
	for (int i = 0; i < FLOOD; i++) {
		fds[i] = connect_to(h);
		if (fds[i] >= 0 && chance(h, 2) == 0) {
			throw_fds(fds[i], "EDG1", 1 + chance(h, 4), NULL, 0);
		}
	}
	for (int i = 0; i < FLOOD; i++) {
		own_close_fd(&fds[i]);
	}
}

/* ---- a script */

static void act(struct hostile *h, int fd)
{
	static void (*const acts[])(struct hostile * h, int fd) = {
		talk, talk, garbage, slowly, hugely, descriptors, share, share, share};
	acts[chance(h, sizeof(acts) / sizeof(acts[0]))](h, fd);
}

void hostile_init(struct hostile *hostile, const char *socket)
{
	*hostile = (struct hostile){.socket = socket};
	memset(hostile->held, 0xff, sizeof(hostile->held));
}

void hostile_run(struct hostile *h, uint32_t seed)
{
	h->seed = seed * 2654435761u + 1;
	if (chance(h, 12) == 0) {
		flood(h);
		return;
	}
	const int fd = connect_to(h);
	if (fd < 0) {
		return;
	}
	if (chance(h, 12) != 0) {
		hello(h, fd);
	}
	for (uint32_t n = chance(h, 3) == 0 ? 3 : 1; n > 0; n--) {
		act(h, fd);
	}
	if (chance(h, 3) == 0) {
		keep(h, fd);
	} else {
		close(fd);
	}
}

void hostile_deinit(struct hostile *hostile)
{
	for (int i = 0; i < HOSTILE_HELD; i++) {
		own_close_fd(&hostile->held[i]);
	}
}
