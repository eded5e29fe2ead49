/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory with the real engine and the client library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/lib/edge_client.h"
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

struct question {
	struct shared shared;
	struct edge_client_model *model;
	struct edge_client_tensor input;
	struct edge_client_place place;
	struct edge_client_request request;
	uint8_t wanted[BYTES];
	size_t n_wanted;
};

/* The golden case, in place. */
static struct question *question_new(const struct daemon *daemon)
{
	struct question *q = calloc(1, sizeof(*q));
	assert_non_null(q);
	q->shared = share(daemon);
	assert_int_equal(
		edge_client_describe(q->shared.client, "conv", NULL, 10000, &q->model, NULL), 0);
	const struct edge_client_tensor_info *info = &q->model->signatures[0].inputs[0];
	q->input = (struct edge_client_tensor){.type = info->type,
		.shape = info->shape,
		.bytes = (size_t)info->bytes,
		.region = q->shared.region};
	q->place = (struct edge_client_place){
		.region = q->shared.region, .offset = BYTES / 2, .room = BYTES / 2};
	q->request = (struct edge_client_request){.model = "conv",
		.n_inputs = 1,
		.inputs = &q->input,
		.n_places = 1,
		.places = &q->place};
	assert_int_equal(read_file(CASE "in0_0.bin", q->shared.data, BYTES / 2), info->bytes);
	q->n_wanted = read_file(CASE "out0_0.bin", q->wanted, sizeof(q->wanted));
	return q;
}

static void question_free(struct question *q)
{
	edge_client_model_free(q->model);
	edge_client_close(q->shared.client);
	munmap(q->shared.data, BYTES);
	free(q);
}

static void expect_answers(struct question *q, int n)
{
	struct edge_client_answer *answer = NULL;
	for (int i = 0; i < n; i++) {
		memset(q->shared.data + BYTES / 2, 0, BYTES / 2);
		assert_int_equal(
			edge_client_infer(q->shared.client, &q->request, 10000, &answer, NULL), 0);
		assert_int_equal(answer->outputs[0].bytes, q->n_wanted);
		assert_null(answer->outputs[0].data);
		assert_memory_equal(q->shared.data + BYTES / 2, q->wanted, q->n_wanted);
		edge_client_answer_free(answer);
	}
}

static void answers_in_place_are_those_of_the_golden_case(void **state)
{
	struct question *q = question_new(*state);
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err;
	expect_answers(q, 50);
	assert_int_equal(
		edge_client_region_remove(q->shared.client, q->shared.region, 10000, NULL), 0);
	assert_true(edge_client_infer(q->shared.client, &q->request, 10000, &answer, &err) < 0);
	assert_int_equal(err.status, EDGE_CLIENT_NOT_FOUND);
	question_free(q);
}

static void a_ring_gives_the_same_answers_with_and_without_spinning(void **state)
{
	struct question *q = question_new(*state);
	assert_true(edge_client_peer(q->shared.client)->has_rings);
	assert_int_equal(edge_client_use_ring(q->shared.client, 10000, NULL), 0);
	assert_int_equal(edge_client_use_ring(q->shared.client, 10000, NULL), 0); /* has one */
	expect_answers(q, 50);
	edge_client_set_spin(q->shared.client, 200);
	expect_answers(q, 50);
	question_free(q);
}

/* Its answer does not fit into a slot, and errors do. */
static void long_answers_and_errors_come_with_a_ring_too(void **state)
{
	struct question *q = question_new(*state);
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	assert_int_equal(edge_client_use_ring(q->shared.client, 10000, NULL), 0);
	q->request.n_places = 0;
	q->input.shape.dim[0] = 50; /* of the batch: 40,000 bytes come back */
	q->input.bytes *= 50;
	for (int i = 0; i < 50; i++) {
		read_file(CASE "in0_0.bin", q->shared.data + (size_t)i * 100, 100);
	}
	assert_int_equal(edge_client_infer(q->shared.client, &q->request, 10000, &answer, NULL), 0);
	assert_int_equal(answer->outputs[0].bytes, 50 * q->n_wanted);
	for (size_t i = 0; i < 50; i++) {
		const uint8_t *output = answer->outputs[0].data;
		assert_memory_equal(output + i * q->n_wanted, q->wanted, q->n_wanted);
	}
	edge_client_answer_free(answer);
	q->input.shape.dim[0] = 1;
	q->input.bytes = 100;
	q->request.model = "nobody";
	assert_true(edge_client_infer(q->shared.client, &q->request, 10000, &answer, &err) < 0);
	assert_int_equal(err.status, EDGE_CLIENT_NOT_FOUND);
	q->request.model = "conv";
	q->request.n_places = 1;
	expect_answers(q, 3);
	question_free(q);
}

static void a_daemon_that_dies_is_noticed_by_who_waits_at_a_ring(void **state)
{
	struct daemon *daemon = *state;
	struct question *q = question_new(daemon);
	struct edge_client_answer *answer = NULL;
	struct edge_client_error err = {0};
	assert_int_equal(edge_client_use_ring(q->shared.client, 10000, NULL), 0);
	daemon_signal(daemon, SIGSTOP);
	/* The time-out is that of a daemon that does nothing. */
	assert_int_equal(
		edge_client_infer(q->shared.client, &q->request, 20, &answer, &err), -ETIMEDOUT);
	daemon_signal(daemon, SIGCONT);
	expect_answers(q, 3); /* what came for nobody is thrown away */
	daemon_signal(daemon, SIGKILL);
	assert_int_equal(daemon_wait(daemon), -SIGKILL);
	assert_int_equal(
		edge_client_infer(q->shared.client, &q->request, 10000, &answer, &err), -ENOTCONN);
	question_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_place_are_those_of_the_golden_case),
		cmocka_unit_test(a_ring_gives_the_same_answers_with_and_without_spinning),
		cmocka_unit_test(long_answers_and_errors_come_with_a_ring_too),
		cmocka_unit_test(a_daemon_that_dies_is_noticed_by_who_waits_at_a_ring),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
