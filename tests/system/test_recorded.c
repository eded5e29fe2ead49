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

#define FOLDER "tests/data/recorded/protocol-1.0"

/* Each file of the folder is what a client of that version sent after its HELLO, and its name ends
 * in the status that is due: 04-infer.OK.bin. 00-hello.OK.bin is the HELLO. */
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

static size_t file_read(const char *name, uint8_t *out, size_t size)
{
	char path[512];
	snprintf(path, sizeof(path), FOLDER "/%s", name);
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

/* Replays one file on a connection of its own; the first reply must have the status of its name. */
static void replay(struct daemon *daemon, const char *name)
{
	uint8_t bytes[4096];
	char wanted[32] = "";
	struct peer peer = peer_connect(daemon);
	size_t n = file_read("00-hello.OK.bin", bytes, sizeof(bytes));
	peer_send_bytes(&peer, bytes, n);
	peer_expect(&peer, bytes_get_u64(bytes + 8), EDGE_OK);
	if (strcmp(name, "00-hello.OK.bin") != 0) {
		n = file_read(name, bytes, sizeof(bytes));
		assert_int_equal(sscanf(name, "%*[^.].%31[^.].bin", wanted), 1);
		peer_send_bytes(&peer, bytes, n);
		struct answer answer = peer_receive(&peer);
		if (strcmp(status_name(answer.header.status), wanted) != 0) {
			fail_msg("%s: %s", name, status_name(answer.header.status));
		}
		assert_int_equal(answer.header.type, bytes_get_u16(bytes + 4) | WIRE_REPLY);
		assert_int_equal(answer.header.id, bytes_get_u64(bytes + 8));
		answer_free(&answer);
	}
	peer_close(&peer);
}

static void requests_of_1_0_are_understood(void **state)
{
	struct dirent **entries = NULL;
	int n = scandir(FOLDER, &entries, is_recording, alphasort);
	assert_true(n >= 8);
	for (int i = 0; i < n; i++) {
		replay(*state, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_1_0_are_understood),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
