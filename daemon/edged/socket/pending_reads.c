/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/socket/pending_reads.h"

#include "base/own.h"

/* A connection that has more after resume() is put into the new list, for the next turn. */
static void on_turn(uv_idle_t *idle)
{
	struct pending_reads *pending_reads = idle->data;
	struct pending_link *left = take(pending_reads->first);
	left->at = &left;
	while (left) {
		struct pending_link *link = left;
		pending_reads_remove(pending_reads, link);
		pending_reads->resume(link);
	}
}

void pending_reads_init(struct pending_reads *pending_reads, uv_loop_t *loop,
	void (*resume)(struct pending_link *link))
{
	*pending_reads = (struct pending_reads){.resume = resume};
	uv_idle_init(loop, &pending_reads->idle);
	pending_reads->idle.data = pending_reads;
}

void pending_reads_add(struct pending_reads *pending_reads, struct pending_link *link)
{
	if (link->at) {
		return;
	}
	*link = (struct pending_link){.next = pending_reads->first, .at = &pending_reads->first};
	if (link->next) {
		link->next->at = &link->next;
	}
	pending_reads->first = link;
	if (pending_reads->n++ == 0) {
		uv_idle_start(&pending_reads->idle, on_turn);
	}
}

void pending_reads_remove(struct pending_reads *pending_reads, struct pending_link *link)
{
	if (!link->at) {
		return;
	}
	*link->at = link->next;
	if (link->next) {
		link->next->at = link->at;
	}
	*link = (struct pending_link){0};
	if (--pending_reads->n == 0) {
		uv_idle_stop(&pending_reads->idle);
	}
}
