/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch - what runs of one model would save if several were put together
 *
 *   batch FILE.tflite...
 *
 * Each model with one input is planned for 1, 2, 4 and 8 times the rows of its first dimension. Printed: whether that is
 * free in the file, and the least time of a run by its rows, with what that is more or less than a run for each.
 */
#include <stdio.h>
#include <string.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "engine/edge.h"

#define ROUNDS_NS UINT64_C(300000000)
#define LEAST_ROUNDS 5

static const int32_t sizes[] = {1, 2, 4, 8};

/* The least nanoseconds of a run with @rows, 0 when the model does not go so. */
static uint64_t time_rows(struct edge_model *model, int32_t rows, struct error *err)
{
	struct edge_session *session = NULL;
	struct edge_tensor_info info;
	uint64_t least = UINT64_MAX, bytes = 0;
	int code = edge_session_new(model, 0, &session, err);
	code = code < 0 ? code : edge_model_input(model, 0, 0, &info);
	if (code == 0 && rows > 1) {
		info.shape.dim[0] *= rows;
		code = edge_session_resize(session, 0, &info.shape, err);
	}
	void *input = code == 0 ? edge_session_input(session, 0, &bytes) : NULL;
	if (input) {
		memset(input, 1, bytes);
	}
	const uint64_t until = clock_now_ns() + ROUNDS_NS;
	for (unsigned int i = 0; code == 0 && (i < LEAST_ROUNDS || clock_now_ns() < until); i++) {
		const uint64_t start = clock_now_ns();
		code = edge_session_run(session, NULL, err);
		const uint64_t took = clock_now_ns() - start;
		least = took < least ? took : least;
	}
	edge_session_free(session);
	return code < 0 ? 0 : least;
}

static void bench(const char *path)
{
	struct error err = {0};
	struct edge_model *model = NULL;
	struct edge_signature_info signature = {0};
	struct edge_tensor_info info = {0};
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = ~UINT64_C(0)};
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (edge_model_open_file(path, &options, &model, &err) < 0 ||
		edge_model_signature(model, 0, &signature) < 0 || signature.n_inputs != 1 ||
		edge_model_input(model, 0, 0, &info) < 0 || info.shape.rank < 2) {
		printf("%-44s no, or not one input\n", name);
		edge_model_unref(model);
		return;
	}
	const bool is_free = info.declared.rank > 0 && info.declared.dim[0] < 0;
	uint64_t one = 0;
	printf("%-44s %s", name, is_free ? "free " : "fixed");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const uint64_t ns = time_rows(model, sizes[i], &err);
		one = i == 0 ? ns : one;
		if (ns == 0) {
			printf("  %d: refused", sizes[i]);
			break;
		}
		const double each = (double)ns / sizes[i];
		printf("  %d: %8.1f us %+5.1f%%", sizes[i], each / 1e3,
			100 * (each / (double)one - 1));
	}
	puts("");
	fflush(stdout);
	edge_model_unref(model);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("Usage: batch FILE.tflite...\n", stderr);
		return 2;
	}
	puts("us for each row, and what that is more or less than alone");
	for (int i = 1; i < argc; i++) {
		bench(argv[i]);
	}
	return 0;
}
