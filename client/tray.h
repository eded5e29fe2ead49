/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tray - a region of the connection's own, in which the large inputs of synchronous calls are handed over
 *
 * Whoever asks notices nothing: inputs by pointer are copied there and named, and where that cannot be (no
 * region yet, none allowed, the last one still in use) they go in the body. One that asks again after an answer gets
 * a region, so that who asks once does not pay for it. A region is asked for by a message ahead of the
 * request, for whose answer nobody waits longer. One refusal is the last: of the region itself, or of anything else
 * on this connection for the bytes that are held, for whose sake it is given back at once.
 */
#ifndef CLIENT_TRAY_H
#define CLIENT_TRAY_H

#include "base/wire.h"
#include "client/edge_client.h"

struct outcome;

#define TRAY_FROM EDGE_CLIENT_SHARE_FROM /* bytes of all inputs, from which it is used at first */
/* Of its memory, which counts as the user's while the connection lives, also when that is idle: by default a user may
 * have 128 that share memory, and these leave it 47 MiB. 224 x 224 x 3 floats have room. */
#define TRAY_MOST_BYTES (640u << 10)
#define TRAY_BODY_PART 16 /* and no more than this part of the longest body that the daemon takes */

struct tray {
	uint64_t from; /* 0: never */
	uint8_t *data; /* mapped; NULL: there is none */
	uint64_t bytes;
	uint32_t region; /* 0: not agreed yet */
	uint64_t request; /* which may read there; 0: none */
	struct outcome *asked; /* what the daemon is to say of the region; NULL: nothing more */
	uint64_t last; /* request that went out before one was given back */
	bool wanted; /* inputs would have gone there before, and nothing was refused since */
	bool unwanted; /* what was asked for goes back when the daemon has said which it is */
	bool refused;
};

/* A zeroed one that is used from TRAY_FROM. */
void tray_init(struct tray *tray);
/* After the last answer. */
void tray_deinit(struct tray *tray);

/* Gives the region back, at once: what was sent before still has it. */
void tray_drop(struct edge_client *client);

/* Takes what the daemon has said, once tray.asked is done. */
void tray_hear(struct edge_client *client);

/* Request @id was refused for the bytes that are held, or for the regions. True when it is worth to ask again: the
 * tray was among them and is given back. */
bool tray_makes_room(struct edge_client *client, uint64_t id);

/* Puts the inputs of @infer there, or asks for the region that a later one needs. True when they lie there:
 * then tray.request is to be the request's id until that is answered. */
bool tray_put(struct edge_client *client, struct wire_infer *infer);

#endif
