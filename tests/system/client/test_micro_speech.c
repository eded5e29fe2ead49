/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The example of TensorFlow Lite Micro: a second of sound goes through audio_preprocessor_int8, 30 ms
 * every 20 ms, and the 49 x 40 features through micro_speech_quantized, which says silence, unknown,
 * yes or no. Models and sounds lie beside the source tree; skipped, and said so, where they do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "base/bytes.h"
#include "engine/edge.h"

#define MODELS "../shared/models/micro/"
#define SOUNDS "../shared/audio/"

#define WINDOW 480 /* samples: 30 ms */
#define STRIDE 320
#define FRAMES 49
#define FEATURES 40

enum answer {
	SILENCE,
	UNKNOWN,
	YES,
	NO
};

static struct edge_model *open_model(const char *path)
{
	const struct edge_options options = {
		.backends = backends_builtin(),
		.cpu_features = backends_cpu_features(),
	};
	struct edge_model *model = NULL;
	struct error err = {0};
	if (edge_model_open_file(path, &options, &model, &err) < 0) {
		fail_msg("%s: %s", path, err.text);
	}
	return model;
}

static struct edge_session *new_session(struct edge_model *model)
{
	struct edge_session *session = NULL;
	assert_int_equal(edge_session_new(model, 0, &session, NULL), 0);
	return session;
}

/* One run: @in goes in, @out_bytes of output 0 come back. */
static void run(
	struct edge_session *session, const void *in, size_t in_bytes, void *out, size_t out_bytes)
{
	uint64_t bytes = 0;
	struct error err = {0};
	memcpy(edge_session_input(session, 0, &bytes), in, in_bytes);
	assert_int_equal(bytes, in_bytes);
	if (edge_session_run(session, NULL, &err) < 0) {
		fail_msg("%s", err.text);
	}
	const void *answer = edge_session_output(session, 0, &bytes);
	assert_int_equal(bytes, out_bytes);
	memcpy(out, answer, out_bytes);
}

/* A second of 16-bit samples, what follows the file's "data" and its length. */
static void read_sound(const char *path, int16_t *samples, size_t n)
{
	static uint8_t file[65536];
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t size = fread(file, 1, sizeof(file), f);
	fclose(f);
	const uint8_t *data = memmem(file, size, "data", 4);
	assert_non_null(data);
	size_t bytes = bytes_get_u32(data + 4);
	assert_true(bytes <= size - (size_t)(data + 8 - file));
	memset(samples, 0, n * sizeof(*samples));
	memcpy(samples, data + 8, bytes < n * sizeof(*samples) ? bytes : n * sizeof(*samples));
}

static enum answer hear(const char *path)
{
	struct edge_model *front = open_model(MODELS "audio_preprocessor_int8.tflite");
	struct edge_model *net = open_model(MODELS "micro_speech_quantized.tflite");
	struct edge_session *ear = new_session(front), *mind = new_session(net);
	static int16_t samples[FRAMES * STRIDE + WINDOW];
	int8_t features[FRAMES * FEATURES], scores[4];
	read_sound(path, samples, sizeof(samples) / sizeof(samples[0]));
	for (size_t i = 0; i < FRAMES; i++) {
		run(ear, samples + i * STRIDE, WINDOW * sizeof(int16_t), features + i * FEATURES,
			FEATURES);
	}
	run(mind, features, sizeof(features), scores, sizeof(scores));
	int best = 0;
	for (int i = 1; i < 4; i++) {
		best = scores[i] > scores[best] ? i : best;
	}
	edge_session_free(ear);
	edge_session_free(mind);
	edge_model_unref(front);
	edge_model_unref(net);
	return (enum answer)best;
}

static void yes_no_and_silence_are_heard(void **state)
{
	(void)state;
	if (access(MODELS, R_OK) < 0 || access(SOUNDS, R_OK) < 0) {
		print_message("SKIPPED: no " MODELS " or " SOUNDS "\n");
		return;
	}
	assert_int_equal(hear(SOUNDS "yes_1000ms.wav"), YES);
	assert_int_equal(hear(SOUNDS "no_1000ms.wav"), NO);
	assert_int_equal(hear(SOUNDS "silence_1000ms.wav"), SILENCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(yes_no_and_silence_are_heard)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
