/* SPDX-License-Identifier: Apache-2.0 */
/* peer - a client of raw frames for system tests. Everything fails the test by itself. */
#ifndef TESTS_SYSTEM_PEER_H
#define TESTS_SYSTEM_PEER_H

#include "base/wire/wire.h"
#include "tests/system/daemon.h"

struct peer {
	int fd;
	bool may_be_closed; /* by edged, in the middle of what is sent */
};

struct answer {
	struct wire_header header;
	uint8_t *body; /* WIRE_ALIGNMENT; peer_free() */
};

/* Connected; without and with HELLO said and answered. */
struct peer peer_connect(const struct daemon *daemon);
struct peer peer_open(const struct daemon *daemon);
/* As the second, in version 1.1 with sessions. */
struct peer peer_open_1_1(const struct daemon *daemon);
/* As the second, in version 1.2 with shared memory and sessions. */
struct peer peer_open_shared(const struct daemon *daemon);
/* In version 1.2, with the store. */
struct peer peer_open_store(const struct daemon *daemon);
/* In version 1.3. */
struct peer peer_open_1_3(const struct daemon *daemon);
/* In version 1.3, with the store and descriptors. */
struct peer peer_open_transfer(const struct daemon *daemon);
void peer_close(struct peer *peer);

void peer_send_bytes(struct peer *peer, const void *bytes, size_t size);
/* With @n descriptors at the first byte. */
void peer_send_fds(
	struct peer *peer, const void *bytes, size_t size, const int *fds, unsigned int n);
void peer_send(struct peer *peer, unsigned int type, uint64_t id, uint32_t deadline_us,
	const struct bytes_writer *body);
/* An INFER of an [rows, width] int8 input filled with @value. */
void peer_infer(struct peer *peer, uint64_t id, const char *model, int32_t width, int8_t value,
	uint32_t deadline_us);
/* The same of a class, and with a key if that is not 0, without deadline. */
void peer_infer_as(struct peer *peer, enum wire_class class, uint64_t key, uint64_t id,
	const char *model, int8_t value);
/* The same in a session. */
void peer_infer_in(struct peer *peer, uint32_t session, uint64_t id, const char *model,
	int32_t width, int8_t value, uint32_t deadline_us);
/* Any message, with the header's session. */
void peer_send_in(struct peer *peer, uint32_t session, unsigned int type, uint64_t id,
	uint32_t deadline_us, const struct bytes_writer *body);
void peer_session_open(struct peer *peer, uint64_t id, const char *model);
/* @type: WIRE_SESSION_RESET or WIRE_SESSION_CLOSE. */
void peer_session(struct peer *peer, unsigned int type, uint64_t id, uint32_t session);
/* Receives the reply of peer_session_open(): OK; the session. */
uint32_t peer_expect_session(struct peer *peer, uint64_t id);
/* A STORE with that verb; its argument may be NULL. */
void peer_store(struct peer *peer, uint64_t id, enum wire_store_verb verb, const char *model,
	const char *argument);
/* A STORE; @argument may be NULL. */
void peer_store(struct peer *peer, uint64_t id, enum wire_store_verb verb, const char *model,
	const char *argument);
/* As above; -1: without a descriptor. */
void peer_store_fd_with(struct peer *peer, uint64_t id, enum wire_store_verb verb,
	const char *model, const char *argument, int fd);
void peer_store_fd(
	struct peer *peer, uint64_t id, enum wire_store_verb verb, const char *model, int fd);
void peer_cancel(struct peer *peer, uint64_t id, uint64_t which);

struct answer peer_receive(struct peer *peer);
/* False when the daemon closed the connection instead. */
bool peer_try_receive(struct peer *peer, struct answer *ret_answer);
void answer_free(struct answer *answer);

/* Receives one frame, of that id and status. */
void peer_expect(struct peer *peer, uint64_t id, enum edge_status status);
/* Receives the reply of peer_infer(): OK, and every byte @value. */
void peer_expect_echo(struct peer *peer, uint64_t id, int32_t width, int8_t value);
/* The daemon closes the connection, and nothing comes before that. */
void peer_expect_closed(struct peer *peer);

/* A memfd of @bytes that are there, sealed; test and edged see the same. */
struct memory {
	int fd;
	uint8_t *data;
	size_t bytes;
};
struct memory memory_new(size_t bytes);
void memory_free(struct memory *memory);

/* REGION_ADD with @fd, none for -1. @uses: WIRE_REGION_*. */
void peer_region_add(struct peer *peer, uint64_t id, int fd, uint64_t bytes, uint32_t uses);
void peer_region_remove(struct peer *peer, uint64_t id, uint32_t region);
/* Adds all of @memory for inputs and outputs; the region. */
uint32_t peer_region(struct peer *peer, const struct memory *memory);

/* The list item of a model in an answer to LIST; asserts that it is there. */
struct wire_list_item answer_find(const struct answer *list, const char *name);

#endif
