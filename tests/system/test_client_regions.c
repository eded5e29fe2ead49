/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory with the real engine and the client library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/edge_client.h"
#include "tests/system/daemon.h"

#define BYTES 65536
#define CASE "tests/data/CONV_2D_s8_wide/"

static size_t read_file(const char *path, void *out, size_t size)
{
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t n = fread(out, 1, size, file);
	fclose(file);
	return n;
}

static int set_up(void **state)
{
	struct daemon *daemon = malloc(sizeof(*daemon));
	static uint8_t bytes[BYTES];
	daemon_prepare(daemon);
	daemon_put_bytes(
		daemon, "conv.tflite", bytes, read_file(CASE "model.tflite", bytes, sizeof(bytes)));
	daemon_start(daemon, true);
	*state = daemon;
	return 0;
}

static int tear_down(void **state)
{
	daemon_end(*state);
	free(*state);
	return 0;
}

struct shared {
	struct edge_client *client;
	uint8_t *data;
	uint32_t region;
};

static struct shared share(const struct daemon *daemon)
{
	struct shared shared = {0};
	struct edge_client_error err = {0};
	void *data = NULL;
	int fd = -1;
	assert_int_equal(edge_client_open(daemon->socket, 10000, &shared.client, NULL), 0);
	assert_true(edge_client_peer(shared.client)->has_regions);
	assert_int_equal(edge_client_memory_new(BYTES, &fd, &data, &err), 0);
	assert_int_equal(
		edge_client_region_add(shared.client, fd, BYTES,
			EDGE_CLIENT_INPUTS | EDGE_CLIENT_OUTPUTS, 10000, &shared.region, &err),
		0);
	close(fd);
	shared.data = data;
	return shared;
}

static void answers_in_place_are_those_of_the_golden_case(void **state)
{
	struct shared shared = share(*state);
	struct edge_client_model *model = NULL;
	struct edge_client_answer *answer = NULL;
	static uint8_t wanted[BYTES];
	assert_int_equal(edge_client_describe(shared.client, "conv", NULL, 10000, &model, NULL), 0);
	const struct edge_client_tensor_info *info = &model->signatures[0].inputs[0];
	const struct edge_client_tensor input = {.type = info->type,
		.shape = info->shape,
		.bytes = (size_t)info->bytes,
		.region = shared.region};
	const struct edge_client_place place = {
		.region = shared.region, .offset = BYTES / 2, .room = BYTES / 2};
	const struct edge_client_request request = {
		.model = "conv", .n_inputs = 1, .inputs = &input, .n_places = 1, .places = &place};
	assert_int_equal(read_file(CASE "in0_0.bin", shared.data, BYTES / 2), info->bytes);
	size_t n = read_file(CASE "out0_0.bin", wanted, sizeof(wanted));
	for (int i = 0; i < 50; i++) {
		memset(shared.data + BYTES / 2, 0, BYTES / 2);
		assert_int_equal(
			edge_client_infer(shared.client, &request, 10000, &answer, NULL), 0);
		assert_int_equal(answer->outputs[0].bytes, n);
		assert_null(answer->outputs[0].data);
		assert_memory_equal(shared.data + BYTES / 2, wanted, n);
		edge_client_answer_free(answer);
	}
	assert_int_equal(edge_client_region_remove(shared.client, shared.region, 10000, NULL), 0);
	struct edge_client_error err;
	assert_true(edge_client_infer(shared.client, &request, 10000, &answer, &err) < 0);
	assert_int_equal(err.status, EDGE_CLIENT_NOT_FOUND);
	edge_client_model_free(model);
	edge_client_close(shared.client);
	munmap(shared.data, BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_place_are_those_of_the_golden_case),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
