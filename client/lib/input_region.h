/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input_region - a region that the connection uses by itself for large inputs of synchronous calls
 *
 * Inputs given by pointer are copied into the region, and the INFER message names the region.
 * Where that is not possible (no region yet, none allowed, still in use by the last request) the
 * inputs go in the message's body. The second large request asks for the region, so that a single
 * request does not pay for it. REGION_ADD is sent ahead of the request, which does not wait for
 * the reply. If the daemon refuses REGION_ADD, the connection never asks again. If the daemon
 * refuses another request because of the bytes held, the region is given back at once and for good.
 *
 * This module holds the memory and decides; the connection sends REGION_ADD and REGION_REMOVE.
 */
#ifndef CLIENT_LIB_INPUT_REGION_H
#define CLIENT_LIB_INPUT_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"

/* Most bytes of the region. The daemon charges them to the user as long as the connection lives.
 * By default a user may have 128 connections with such a region, which leave 47 MiB. 224 x 224 x
 * 3 floats fit. */
#define INPUT_REGION_MOST_BYTES (640u << 10)
#define INPUT_REGION_BODY_PART 16 /* the region is at most this part of a body's limit */

struct input_region {
	/* bytes of all inputs of a request from which the region is used; 0: never */
	uint64_t from;
	uint8_t *data; /* mapped; NULL: no memory */
	uint64_t bytes;
	uint32_t id; /* 0: the daemon has not confirmed the region yet */
	uint64_t request; /* id of the request whose inputs are in the region; 0: none */
	/* id of the last REGION_REMOVE; requests with a lower id were sent while the region was
	 * held */
	uint64_t removed_at;
	bool adding; /* REGION_ADD is without a reply */
	bool wanted; /* an earlier request was large enough, and none was refused since */
	bool unwanted; /* give the region back once the reply to REGION_ADD names it */
	bool refused;
};

/* Fills in a zeroed @region. */
void input_region_init(struct input_region *region);
/* Unmaps the memory. */
void input_region_deinit(struct input_region *region);

/* Unmaps the memory. Requests sent before keep using it. Returns the id for REGION_REMOVE; 0: there
 * is nothing to remove. */
uint32_t input_region_drop(struct input_region *region);

/* Maps new memory of @bytes for REGION_ADD. The caller owns *ret_fd. False: no memory; the region is
 * refused for good. */
bool input_region_map(struct input_region *region, uint64_t bytes, int *ret_fd);
/* The reply to REGION_ADD: @id, 0 if the daemon refused it. Returns the id for REGION_REMOVE if the
 * region was dropped meanwhile, else 0. */
uint32_t input_region_added(struct input_region *region, uint32_t id);

/* The daemon refused a request for the bytes or regions held: there is no region from now on. Returns
 * the id for REGION_REMOVE, or 0. */
uint32_t input_region_refused(struct input_region *region);

/*
 * Copies the inputs of @infer into the region. @max_body_bytes: the daemon's limit. Returns true if
 * the inputs are in the region: the caller then sets @request to the request's id until the reply
 * comes. Otherwise *ret_wanted is the size of a new region for later requests, or 0.
 */
bool input_region_put(struct input_region *region, struct wire_infer *infer,
	uint64_t max_body_bytes, uint64_t *ret_wanted);

#endif
