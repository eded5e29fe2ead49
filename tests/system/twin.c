/* SPDX-License-Identifier: Apache-2.0 */
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

#include "backends/backends.h"
#include "engine/edge.h"
#include "tests/system/twin.h"

#define MOST_TRIES 20000
#define STEP 101 /* between bytes that are tried */

static uint8_t *file_read(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		fail_msg("%s is not there", path);
		abort();
	}
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	*ret_size = (size_t)ftell(file);
	uint8_t *bytes = malloc(*ret_size);
	assert_non_null(bytes);
	rewind(file);
	assert_int_equal(fread(bytes, 1, *ret_size, file), *ret_size);
	fclose(file);
	return bytes;
}

static struct edge_model *open_bytes(const uint8_t *bytes, size_t size)
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = backends_cpu_features()};
	struct edge_model *model = NULL;
	int fd = memfd_create("twin", MFD_CLOEXEC);
	assert_int_equal(write(fd, bytes, size), size);
	int code = edge_model_open_fd(fd, &options, &model, NULL);
	close(fd);
	return code < 0 ? NULL : model;
}

/* What the model's first output is for the input, malloc'ed; NULL if it cannot be asked. */
static uint8_t *answer_of(
	struct edge_model *model, const void *input, uint64_t bytes, uint64_t *ret_bytes)
{
	struct edge_session *session = NULL;
	uint8_t *out = NULL;
	if (edge_session_new(model, 0, &session, NULL) == 0 &&
		edge_session_bind_input(session, 0, input, bytes, NULL) == 0 &&
		edge_session_run(session, NULL, NULL) == 0) {
		const void *data = edge_session_output(session, 0, ret_bytes);
		out = malloc(*ret_bytes + 1);
		memcpy(out, data, *ret_bytes);
	}
	edge_session_free(session);
	return out;
}

static void ask_what_it_is(struct twin *twin)
{
	struct edge_tensor_info info;
	struct edge_model *model = open_bytes(twin->file[0], twin->size);
	assert_non_null(model);
	assert_int_equal(edge_model_input(model, 0, 0, &info), 0);
	twin->type = info.type;
	twin->shape = info.shape;
	twin->in_bytes = info.bytes;
	twin->input = aligned_alloc(64, bytes_align_up(info.bytes, 64));
	for (uint64_t i = 0; i < info.bytes; i++) {
		/* Small numbers in any type, as bytes of a float too. */
		((uint8_t *)twin->input)[i] =
			(uint8_t)(info.type == DTYPE_FLOAT32 && i % 4 == 3 ? 0x3f : i * 37 % 100);
	}
	twin->output[0] = answer_of(model, twin->input, twin->in_bytes, &twin->out_bytes);
	assert_non_null(twin->output[0]);
	edge_model_unref(model);
}

/* True when the second file, as it is now, answers, and otherwise. */
static bool differs(struct twin *twin)
{
	uint64_t bytes = 0;
	struct edge_model *model = open_bytes(twin->file[1], twin->size);
	uint8_t *out = model ? answer_of(model, twin->input, twin->in_bytes, &bytes) : NULL;
	edge_model_unref(model);
	if (out && bytes == twin->out_bytes && memcmp(out, twin->output[0], bytes) != 0) {
		twin->output[1] = out;
		return true;
	}
	free(out);
	return false;
}

struct twin twin_new(const char *path, bool alike)
{
	struct twin twin = {0};
	twin.file[0] = file_read(path, &twin.size);
	twin.file[1] = file_read(path, &twin.size);
	ask_what_it_is(&twin);
	if (alike) {
		return twin;
	}
	for (size_t try = 0; try < MOST_TRIES; try++) {
		uint8_t *byte = &twin.file[1][(twin.size / 3 + try * STEP) % twin.size];
		*byte ^= 0x45;
		if (differs(&twin)) {
			return twin;
		}
		*byte ^= 0x45;
	}
	fail_msg("no byte of %s makes another model of it", path);
	return twin;
}

void twin_free(struct twin *twin)
{
	for (int i = 0; i < 2; i++) {
		free(twin->file[i]);
		free(twin->output[i]);
	}
	free(twin->input);
}

void twin_ask(const struct twin *twin, struct peer *peer, uint64_t id, const char *model)
{
	struct bytes_writer w = {0};
	const struct wire_infer infer = {.model = wire_text_of(model),
		.n_inputs = 1,
		.n_wanted = WIRE_ALL_OUTPUTS,
		.inputs = {{.type = twin->type,
			.shape = twin->shape,
			.bytes = (uint32_t)twin->in_bytes,
			.data = twin->input}}};
	wire_infer_encode(&w, &infer);
	peer_send(peer, WIRE_INFER, id, 0, &w);
	bytes_writer_deinit(&w);
}

int twin_which(const struct twin *twin, const struct answer *answer, uint64_t *ret_generation)
{
	struct wire_infer_reply reply;
	if (answer->header.status != EDGE_OK) {
		fail_msg("%.*s", (int)answer->header.body_bytes, (const char *)answer->body);
	}
	assert_int_equal(
		wire_infer_reply_decode(answer->body, answer->header.body_bytes, 0, &reply, NULL),
		0);
	assert_int_equal(reply.outputs[0].bytes, twin->out_bytes);
	*ret_generation = reply.generation;
	for (int i = 0; i < 2; i++) {
		if (twin->output[i] &&
			memcmp(reply.outputs[0].data, twin->output[i], twin->out_bytes) == 0) {
			return i;
		}
	}
	fail_msg("the answer is of neither");
	return -1;
}
