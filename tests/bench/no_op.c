/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_op - a model that does next to nothing, for ipc
 *
 *   no_op BYTES_IN BYTES_OUT FILE.tflite
 *
 * Its one operator gives the first of its input's bytes, so that what is measured is how they come and go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fakes/fake_model.h"

static void describe(struct fake_model *m, int32_t in, const int32_t *out)
{
	static const int32_t begin = 0;
	struct fake_subgraph *s = &m->subgraphs[0];
	m->codes[m->n_codes++] =
		(struct fake_code){.op = OP_SLICE, .old_op = OP_SLICE, .version = 2};
	m->buffers[1] = (struct fake_buffer){.data = &begin, .size = sizeof(begin)};
	m->buffers[2] = (struct fake_buffer){.data = out, .size = sizeof(*out)};
	m->n_buffers = 3;
	s->tensors[0] =
		(struct fake_tensor){.name = "in", .type = DTYPE_UINT8, .shape = FAKE_LIST(in)};
	s->tensors[1] = (struct fake_tensor){
		.name = "begin", .type = DTYPE_INT32, .shape = FAKE_LIST(1), .buffer = 1};
	s->tensors[2] = (struct fake_tensor){
		.name = "size", .type = DTYPE_INT32, .shape = FAKE_LIST(1), .buffer = 2};
	s->tensors[3] =
		(struct fake_tensor){.name = "out", .type = DTYPE_UINT8, .shape = FAKE_LIST(*out)};
	s->n_tensors = 4;
	s->nodes[s->n_nodes++] =
		(struct fake_node){.inputs = FAKE_LIST(0, 1, 2), .outputs = FAKE_LIST(3)};
	s->inputs = FAKE_LIST(0);
	s->outputs = FAKE_LIST(3);
	m->version = 3;
	m->n_subgraphs = 1;
}

static int write_file(const char *path, const struct bytes_writer *bytes)
{
	FILE *file = bytes->failed ? NULL : fopen(path, "we");
	const bool written = file && fwrite(bytes->data, bytes->size, 1, file) == 1;
	const bool closed = file && fclose(file) == 0;
	if (!written || !closed) {
		perror(path);
	}
	return written && closed ? 0 : 1;
}

int main(int argc, char **argv)
{
	const long in = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
	const long out = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	if (out < 1 || in < out || in > 1 << 24) {
		fputs("Usage: no_op BYTES_IN BYTES_OUT FILE.tflite\n", stderr);
		return 2;
	}
	const int32_t size = (int32_t)out;
	owned_mem struct fake_model *model = calloc(1, sizeof(*model));
	if (!model) {
		return 1;
	}
	describe(model, (int32_t)in, &size);
	struct bytes_writer bytes = fake_model_write(model);
	int code = write_file(argv[3], &bytes);
	bytes_writer_deinit(&bytes);
	return code;
}
