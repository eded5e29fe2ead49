/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/system/regions.h"

#define GROWTH_KB 1024

int regions_set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	char line[128];
	daemon_prepare(daemon);
	snprintf(line, sizeof(line), "slow %s/gate", daemon->folder);
	daemon_put(daemon, "slow.tflite", line);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_put(daemon, "wide.tflite", "echo 100000");
	daemon_put(daemon, "sum.tflite", "sum 100");
	daemon_config(daemon,
		"[limits]\nmax-regions = 4\nmax-shared-clients = 16\n"
		"max-body = 4M\nmax-bytes-per-user = 8M\nlog-lines-per-user = 1000000\n");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

int regions_tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

void regions_expect_good(struct daemon *daemon)
{
	struct peer peer = peer_open(daemon);
	peer_infer(&peer, 1, "echo", 4, 11, 0);
	peer_expect_echo(&peer, 1, 4, 11);
	peer_close(&peer);
}

/* ---- what edged holds */

static unsigned int count_entries(const struct daemon *daemon, const char *what)
{
	char path[64];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)daemon->pid, what);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder)) {
		n++;
	}
	closedir(folder);
	return n;
}

/* Mappings of memory that tests have made. */
static unsigned int count_mapped(const struct daemon *daemon)
{
	char path[64], line[512];
	unsigned int n = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)daemon->pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		n += strstr(line, "memfd:test") != NULL;
	}
	fclose(file);
	return n;
}

struct held held_by(struct daemon *daemon)
{
	return (struct held){.files = count_entries(daemon, "fd"),
		.threads = count_entries(daemon, "task"),
		.mapped = count_mapped(daemon),
		.kb = daemon_memory_kb(daemon, "Rss")};
}

void held_expect(struct daemon *daemon, const struct held *before)
{
	uint64_t until = clock_now_ns() + UINT64_C(20000000000);
	for (;;) {
		regions_expect_good(daemon);
		struct held now = held_by(daemon);
		bool small = !daemon_memory_counts() || now.kb <= before->kb + GROWTH_KB;
		if (now.files <= before->files && now.threads == before->threads &&
			now.mapped == before->mapped && small) {
			return;
		}
		if (clock_now_ns() > until) {
			fail_msg("%u files, %u threads, %u mappings, %ld KB; were %u, %u, %u, %ld",
				now.files, now.threads, now.mapped, now.kb, before->files,
				before->threads, before->mapped, before->kb);
		}
	}
}

/* ---- requests */

void ask_send_infer(
	struct peer *peer, uint64_t id, uint32_t session, const struct wire_infer *infer)
{
	struct bytes_writer w = {0};
	uint8_t header[WIRE_HEADER_BYTES];
	wire_infer_encode(&w, infer);
	assert_false(w.failed);
	wire_header_encode(&(struct wire_header){.type = WIRE_INFER,
				   .flags = WIRE_FLAG_REGIONS,
				   .id = id,
				   .body_bytes = (uint32_t)w.size,
				   .session = session},
		header);
	peer_send_bytes(peer, header, sizeof(header));
	peer_send_bytes(peer, w.data, w.size);
	bytes_writer_deinit(&w);
}

void ask_send(struct peer *peer, uint64_t id, const struct ask *ask)
{
	static struct wire_infer infer;
	infer = (struct wire_infer){.regions = true,
		.model = wire_text_of(ask->model),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.n_places = ask->out_region != 0,
		.places = {{.region = ask->out_region,
			.offset = ask->out_offset,
			.room = ask->room}},
		.inputs = {{.type = DTYPE_INT8,
			.shape = {2, {1, ask->width}},
			.bytes = (uint32_t)ask->width,
			.region = ask->in_region,
			.offset = ask->in_offset,
			.data = ask->data}}};
	ask_send_infer(peer, id, ask->session, &infer);
}

struct wire_tensor ask_expect_output(struct peer *peer, uint64_t id, void *out)
{
	static struct wire_infer_reply reply;
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.id, id);
	if (answer.header.status != EDGE_OK) {
		fail_msg("%s: %.*s", status_name(answer.header.status),
			(int)answer.header.body_bytes - 2, answer.body + 2);
	}
	assert_int_equal(answer.header.flags, WIRE_FLAG_REGIONS);
	assert_int_equal(wire_infer_reply_decode(answer.body, answer.header.body_bytes,
				 answer.header.flags, &reply, NULL),
		0);
	assert_int_equal(reply.n_outputs, 1);
	if (reply.outputs[0].data) {
		memcpy(out, reply.outputs[0].data, reply.outputs[0].bytes);
	}
	answer_free(&answer);
	return reply.outputs[0];
}

void ask_expect(struct peer *peer, const struct ask *ask, enum edge_status status)
{
	ask_send(peer, 77, ask);
	peer_expect(peer, 77, status);
}

const struct ask ask_in_place = {
	.model = "echo", .width = 4, .in_region = 1, .out_region = 1, .out_offset = 64, .room = 64};
