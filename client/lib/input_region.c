/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib/input_region.h"

#include <string.h>
#include <sys/mman.h>

#include "client/lib/edge_client.h"

#define PAGE 4096u

void input_region_init(struct input_region *region)
{
	*region = (struct input_region){.from = EDGE_CLIENT_SHARE_FROM};
}

void input_region_deinit(struct input_region *region)
{
	if (region->data) {
		munmap(region->data, (size_t)region->bytes);
	}
	region->data = NULL;
	region->bytes = 0;
	region->id = 0;
	region->request = 0;
}

/* ---- the region */

uint32_t input_region_drop(struct input_region *region)
{
	const uint32_t id = region->id;
	region->unwanted = region->adding;
	input_region_deinit(region);
	return id;
}

bool input_region_map(struct input_region *region, uint64_t bytes, int *ret_fd)
{
	void *data = NULL;
	if (edge_client_memory_new((size_t)bytes, ret_fd, &data, NULL) < 0) {
		region->refused = true;
		return false;
	}
	region->data = data;
	region->bytes = bytes;
	region->adding = true;
	return true;
}

uint32_t input_region_added(struct input_region *region, uint32_t id)
{
	const bool unwanted = region->unwanted;
	region->adding = false;
	region->unwanted = false;
	region->id = id;
	if (id == 0) {
		region->refused = true;
		input_region_deinit(region);
	}
	return unwanted ? input_region_drop(region) : 0;
}

uint32_t input_region_refused(struct input_region *region)
{
	uint32_t id = 0;
	if (region->id) {
		id = input_region_drop(region);
		region->refused = true;
	}
	/* a request that is refused does not count: its model may still be loading */
	region->wanted = false;
	return id;
}

/* ---- inputs */

/* Returns the bytes that the inputs by pointer take in the region; *ret_bytes without the
 * padding. */
static uint64_t bytes_of(const struct wire_infer *infer, uint64_t *ret_bytes)
{
	uint64_t room = 0;
	*ret_bytes = 0;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		const uint64_t bytes = infer->inputs[i].region ? 0 : infer->inputs[i].bytes;
		*ret_bytes += bytes;
		room += bytes_align_up(bytes, WIRE_ALIGNMENT);
	}
	return room;
}

static void copy(const struct input_region *region, struct wire_infer *infer)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		struct wire_tensor *tensor = &infer->inputs[i];
		if (tensor->region == 0 && tensor->bytes > 0) {
			memcpy(region->data + at, tensor->data, tensor->bytes);
			tensor->data = NULL;
			tensor->region = region->id;
			tensor->offset = at;
			at += bytes_align_up(tensor->bytes, WIRE_ALIGNMENT);
		}
	}
	infer->regions = true;
}

bool input_region_put(struct input_region *region, struct wire_infer *infer,
	uint64_t max_body_bytes, uint64_t *ret_wanted)
{
	const uint64_t part = max_body_bytes / INPUT_REGION_BODY_PART;
	const uint64_t most = part < INPUT_REGION_MOST_BYTES ? part : INPUT_REGION_MOST_BYTES;
	const uint64_t twice = 2 * region->bytes < most ? 2 * region->bytes : most;
	uint64_t bytes = 0;
	const uint64_t room = bytes_of(infer, &bytes);
	*ret_wanted = 0;
	if (region->from == 0 || bytes < region->from || room > most || region->refused ||
		region->adding) {
		return false;
	}
	if (!region->wanted) {
		region->wanted = true;
		return false;
	}
	if (room > region->bytes) {
		*ret_wanted = bytes_align_up(room > twice ? room : twice, PAGE);
		return false;
	}
	if (region->request) { /* a request that timed out may still run and read the region */
		return false;
	}
	copy(region, infer);
	return true;
}
