/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tray.h"

#include <string.h>
#include <sys/mman.h>

#include "client/connection.h"

#define PAGE 4096u

void tray_init(struct tray *tray)
{
	*tray = (struct tray){.from = TRAY_FROM};
}

static void unmap(struct tray *tray)
{
	if (tray->data) {
		munmap(tray->data, (size_t)tray->bytes);
	}
	tray->data = NULL;
	tray->bytes = 0;
	tray->region = 0;
	tray->request = 0;
}

void tray_deinit(struct tray *tray)
{
	unmap(tray);
	free(tray->asked);
	tray->asked = NULL;
}

/* ---- the region */

void tray_hear(struct edge_client *client)
{
	struct tray *tray = &client->tray;
	const bool unwanted = tray->unwanted;
	if (!tray->asked || !tray->asked->done) {
		return;
	}
	if (tray->asked->err.code == 0) {
		tray->region = tray->asked->region;
	} else {
		tray->refused = true;
		unmap(tray);
	}
	free(tray->asked);
	tray->asked = NULL;
	tray->unwanted = false;
	if (unwanted) {
		tray_drop(client);
	}
}

/* Whatever becomes of it shows at the next call. */
static void remove_region(struct edge_client *client)
{
	struct tray *tray = &client->tray;
	struct error ignored = {0};
	int r = connection_start_region_remove(
		client, tray->region, (struct listener){0}, &tray->last, &ignored);
	if (r < 0) {
		tray->refused = true; /* it stays until the connection ends */
		return;
	}
	r = channel_send(&client->channel, &ignored);
	(void)r;
}

void tray_drop(struct edge_client *client)
{
	struct tray *tray = &client->tray;
	if (tray->asked) {
		tray->unwanted = true;
	} else if (tray->region) {
		remove_region(client);
	}
	unmap(tray);
}

bool tray_makes_room(struct edge_client *client, uint64_t id)
{
	struct tray *tray = &client->tray;
	if (tray->region) {
		tray_drop(client);
		tray->refused = true;
	}
	tray->wanted = false; /* who is not answered yet needs none: models may be loaded still */
	return id <= tray->last;
}

static int ask(struct edge_client *client, uint64_t bytes, int fd, struct error *err)
{
	struct tray *tray = &client->tray;
	const struct wire_region region = {.bytes = bytes, .uses = WIRE_REGION_INPUTS};
	uint64_t id = 0;
	tray->asked = calloc(1, sizeof(*tray->asked));
	if (!tray->asked) {
		return error_no_memory(err);
	}
	int r = connection_start_region_add(
		client, fd, &region, (struct listener){NULL, NULL, tray->asked}, &id, err);
	if (r < 0) {
		free(tray->asked);
		tray->asked = NULL;
	}
	return r;
}

/* Asks for one of so many bytes at least, and gives the one before back. */
static void renew(struct edge_client *client, uint64_t bytes, uint64_t most)
{
	struct tray *tray = &client->tray;
	struct error ignored = {0};
	owned_fd int fd = -1;
	void *data = NULL;
	const uint64_t twice = 2 * tray->bytes < most ? 2 * tray->bytes : most;
	const uint64_t wanted = bytes_align_up(bytes > twice ? bytes : twice, PAGE);
	tray_drop(client);
	if (edge_client_memory_new((size_t)wanted, &fd, &data, NULL) < 0) {
		tray->refused = true;
		return;
	}
	tray->data = data;
	tray->bytes = wanted;
	if (ask(client, wanted, fd, &ignored) < 0) {
		tray->refused = true;
		unmap(tray);
	}
}

/* ---- inputs */

/* Bytes that the inputs by pointer take there, and have. */
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

static void copy(const struct tray *tray, struct wire_infer *infer)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < infer->n_inputs; i++) {
		struct wire_tensor *tensor = &infer->inputs[i];
		if (tensor->region == 0 && tensor->bytes > 0) {
			memcpy(tray->data + at, tensor->data, tensor->bytes);
			tensor->data = NULL;
			tensor->region = tray->region;
			tensor->offset = at;
			at += bytes_align_up(tensor->bytes, WIRE_ALIGNMENT);
		}
	}
	infer->regions = true;
}

bool tray_put(struct edge_client *client, struct wire_infer *infer)
{
	struct tray *tray = &client->tray;
	const uint64_t part = client->peer.max_body_bytes / TRAY_BODY_PART;
	const uint64_t most = part < TRAY_MOST_BYTES ? part : TRAY_MOST_BYTES;
	uint64_t bytes = 0;
	const uint64_t room = bytes_of(infer, &bytes);
	if (tray->from == 0 || bytes < tray->from || room > most || tray->refused || tray->asked ||
		!client->peer.has_regions) {
		return false;
	}
	if (!tray->wanted) {
		tray->wanted = true;
		return false;
	}
	if (room > tray->bytes) {
		renew(client, room, most);
		return false;
	}
	if (tray->request) { /* one that was given up may run on, and another may be in the midst of it */
		return false;
	}
	copy(tray, infer);
	return true;
}
