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

#include "tests/system/daemon.h"
#include "tests/system/peer.h"

#define FOLDER "tests/data/recorded/"

/* Each file of a folder is what a client of that version sent after its HELLO, a frame or several,
 * and its name ends in the status that is due to the last: 04-infer.OK.bin. 00-hello.OK.bin is the
 * HELLO. */
static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	daemon_prepare(daemon);
	daemon_put(daemon, "echo.tflite", "echo 4");
	daemon_start(daemon, false);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

static size_t file_read(const char *folder, const char *name, uint8_t *out, size_t size)
{
	char path[512];
	snprintf(path, sizeof(path), FOLDER "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t n = fread(out, 1, size, file);
	fclose(file);
	assert_true(n >= WIRE_HEADER_BYTES && n < size);
	return n;
}

static int is_recording(const struct dirent *entry)
{
	return strstr(entry->d_name, ".bin") != NULL;
}

/* Sends a frame and gets its reply; returns the frame's size. */
static size_t replay_frame(struct peer *peer, const uint8_t *frame, unsigned int *ret_status)
{
	size_t size = WIRE_HEADER_BYTES + bytes_get_u32(frame + 16);
	peer_send_bytes(peer, frame, size);
	struct answer answer = peer_receive(peer);
	assert_int_equal(answer.header.type, bytes_get_u16(frame + 4) | WIRE_REPLY);
	assert_int_equal(answer.header.id, bytes_get_u64(frame + 8));
	*ret_status = answer.header.status;
	answer_free(&answer);
	return size;
}

/* Replays one file on a connection of its own. */
static void replay(struct daemon *daemon, const char *folder, const char *name)
{
	uint8_t bytes[4096];
	char wanted[32] = "";
	unsigned int status = 0;
	struct peer peer = peer_connect(daemon);
	size_t n = file_read(folder, "00-hello.OK.bin", bytes, sizeof(bytes));
	assert_int_equal(replay_frame(&peer, bytes, &status), n);
	assert_int_equal(status, EDGE_OK);
	if (strcmp(name, "00-hello.OK.bin") != 0) {
		n = file_read(folder, name, bytes, sizeof(bytes));
		assert_int_equal(sscanf(name, "%*[^.].%31[^.].bin", wanted), 1);
		for (size_t at = 0; at < n;) {
			at += replay_frame(&peer, bytes + at, &status);
			assert_true(at == n || status == EDGE_OK);
		}
		if (strcmp(status_name(status), wanted) != 0) {
			fail_msg("%s: %s", name, status_name(status));
		}
	}
	peer_close(&peer);
}

static void replay_all(struct daemon *daemon, const char *folder)
{
	char path[256];
	struct dirent **entries = NULL;
	snprintf(path, sizeof(path), FOLDER "%s", folder);
	int n = scandir(path, &entries, is_recording, alphasort);
	assert_true(n >= 8);
	for (int i = 0; i < n; i++) {
		replay(daemon, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void requests_of_1_0_are_understood(void **state)
{
	replay_all(*state, "protocol-1.0");
}

static void requests_of_1_1_are_understood(void **state)
{
	replay_all(*state, "protocol-1.1");
}

/* What of 1.2's shared memory needs no descriptor, which no file has. */
static void requests_of_1_2_with_regions_are_understood(void **state)
{
	replay_all(*state, "protocol-1.2-regions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_1_0_are_understood),
		cmocka_unit_test(requests_of_1_1_are_understood),
		cmocka_unit_test(requests_of_1_2_with_regions_are_understood),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
