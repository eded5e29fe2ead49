/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key beside every kind of source and every kind of answer: it is refused, or a pipeline does
 * something else with it than without. Which of the two is also written down here, after the manual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "client/pipeline/config/pipeline_config.h"
#include "client/pipeline/pipeline.h"
#include "tests/unit/client/pipeline/config/pipeline_config_cases.h"

static char folder[] = "/tmp/test_recipe_needs.XXXXXX";

/* ---- a world that writes down all that a pipeline does */

struct world {
	const char *post;
	struct tensor_spec input;
	size_t asked;
	char *trace;
	size_t used, room;
	const char *other; /* the trace it is compared with: the first difference ends the run */
	bool differs;
};

static void note(struct world *world, const char *text)
{
	size_t n = strlen(text);
	if (world->used + n + 2 > world->room) {
		world->room = 2 * (world->room + n + 2);
		world->trace = realloc(world->trace, world->room);
		assert_non_null(world->trace);
	}
	memcpy(world->trace + world->used, text, n);
	memcpy(world->trace + world->used + n, "\n", 2);
	world->differs = world->differs ||
		(world->other &&
			strncmp(world->other + world->used, world->trace + world->used, n + 1) !=
				0);
	world->used += n + 1;
}

#define N_BOXES 3

/* What each kind wants, one row per output. */
static uint32_t outputs_of(const struct world *world, struct shape shapes[4])
{
	const char *post = world->post;
	const int32_t n = N_BOXES;
	shapes[0] = (struct shape){2, {1, 4}};
	if (strcmp(post, "detections") == 0) {
		shapes[0] = (struct shape){3, {1, n, 4}};
		shapes[1] = shapes[2] = (struct shape){2, {1, n}};
		shapes[3] = (struct shape){1, {1}};
		return 4;
	}
	if (strcmp(post, "poses") == 0) {
		shapes[0] = (struct shape){4, {1, n, 2, 2}};
		shapes[1] = (struct shape){3, {1, n, 2}};
		shapes[2] = (struct shape){2, {1, n}};
		shapes[3] = (struct shape){1, {1}};
		return 4;
	}
	if (strcmp(post, "ssd") == 0) {
		shapes[0] = (struct shape){3, {1, n, 4}};
		shapes[1] = (struct shape){3, {1, n, 3}};
		return 2;
	}
	if (strcmp(post, "yolov5") == 0) {
		shapes[0] = (struct shape){3, {1, n, 5 + 4}};
	} else if (strcmp(post, "yolov8") == 0) {
		shapes[0] = (struct shape){3, {1, n, 4 + 4}};
	} else if (strcmp(post, "keypoints") == 0) {
		shapes[0] = (struct shape){4, {1, 1, 3, 3}};
	} else if (strcmp(post, "mask") == 0) {
		shapes[0] = (struct shape){4, {1, 4, 4, 1}};
	} else if (strcmp(post, "reconstruction") == 0) {
		shapes[0] = world->input.shape;
	}
	return 1;
}

static int describe(void *context, const char *model, const char *signature,
	struct pipeline_model *ret_model, struct error *err)
{
	struct world *world = context;
	struct shape shapes[4];
	bool first = strcmp(model, "m") == 0 || strcmp(model, "other") == 0;
	uint32_t n = first ? outputs_of(world, shapes) : 1;
	struct pipeline_model m = {.n_inputs = 1, .n_outputs = n};
	(void)err;
	note(world, model);
	note(world, signature ? signature : "no signature");
	m.inputs = calloc(1, sizeof(m.inputs[0]));
	m.outputs = calloc(n, sizeof(m.outputs[0]));
	assert_true(m.inputs && m.outputs);
	m.inputs[0] = world->input;
	for (uint32_t i = 0; i < n; i++) {
		m.outputs[i] = (struct tensor_spec){.type = DTYPE_FLOAT32, .score_threshold = NAN};
		m.outputs[i].shape = first ? shapes[i] : (struct shape){2, {1, 4}};
		m.outputs[i].type =
			strcmp(world->post, "mask") == 0 && first ? DTYPE_INT8 : DTYPE_FLOAT32;
	}
	m.labels = strdup("a\nb\nc\nd\n");
	m.outputs[0].labels = m.labels;
	m.outputs[0].labels_bytes = strlen(m.labels);
	*ret_model = m;
	return 0;
}

static int taught(void *context, const char *model, char **ret_text, struct error *err)
{
	(void)context;
	(void)model;
	(void)err;
	*ret_text = strdup("a\t1 0 0 0\nb\t0 1 0 0\n");
	return 0;
}

/* The score of what is found: twice high, twice low. */
static float score_of(size_t asked)
{
	return asked % 4 < 2 ? 0.9f : 0.3f;
}

static const float boxes[N_BOXES][4] = {/* centre and size; two overlap by a ninth */
	{0.25f, 0.25f, 0.2f, 0.2f}, {0.35f, 0.25f, 0.25f, 0.2f}, {0.75f, 0.75f, 0.25f, 0.25f}};

/* [2] is of another class than [0] and [1], and [1] of another than [0] by turns. */
static size_t class_of(size_t box, size_t asked)
{
	return box == 2 ? 2 : box == 1 ? 1 + asked % 2 : 1;
}

static float yolo_number(size_t i, size_t head, float score, size_t asked)
{
	size_t numbers = head + 4, box = i / numbers, at = i % numbers;
	if (at < 4) {
		return boxes[box][at];
	}
	if (head == 5 && at == 4) {
		return 1;
	}
	return at - head == class_of(box, asked) ? score : 0.05f;
}

static float number(const struct world *world, uint32_t output, size_t i, const float *in)
{
	const char *post = world->post;
	const float score = score_of(world->asked);
	const float *box = boxes[i / 4 % N_BOXES];
	if (strcmp(post, "detections") == 0) {
		float sign = i % 4 < 2 ? -0.5f : 0.5f;
		return output == 0    ? box[1 - i % 2] + sign * box[3 - i % 2]
			: output == 1 ? (float)class_of(i, world->asked)
			: output == 2 ? score
				      : N_BOXES;
	}
	if (strcmp(post, "ssd") == 0) {
		return output == 0 ? (i % 4 < 2 ? box[1 - i % 2] : 0.1f)
			: i % 3 == class_of(i / 3, world->asked) ? score
								 : 0.05f;
	}
	if (strcmp(post, "poses") == 0) {
		return output == 0    ? (float)i / 4
			: output == 3 ? N_BOXES
			: output == 1 ? (float)(i % 2)
				      : score;
	}
	if (post[0] == 'y') {
		return yolo_number(
			i, post[5] == '5' || post[6] == '5' ? 5 : 4, score, world->asked);
	}
	if (strcmp(post, "keypoints") == 0) {
		return i % 3 < 2 ? (float)(i + 1) / 10
			: i == 2 ? score
			: i == 5 ? score * 0.75f
				 : score;
	}
	if (strcmp(post, "reconstruction") == 0) {
		return in[i] + sqrtf(score);
	}
	if (strcmp(post, "embedding") == 0) {
		return i == 1 ? score : i == 2 ? sqrtf(1 - score * score) : 0;
	}
	return i == 1 ? score : i == 2 ? score / 2 : 0.05f;
}

static void answer(struct world *world, const struct tensor_bytes *input, bool first,
	struct tensor_bytes *outputs, uint32_t n)
{
	struct shape shapes[4] = {{2, {1, 4}}};
	bool mask = first && strcmp(world->post, "mask") == 0;
	if (first) {
		assert_int_equal(outputs_of(world, shapes), n);
	}
	for (uint32_t o = 0; o < n; o++) {
		uint64_t elements = 0;
		assert_int_equal(shape_elements(&shapes[o], &elements), 0);
		assert_int_equal(tensor_new(mask ? DTYPE_INT8 : DTYPE_FLOAT32, &shapes[o],
					 &outputs[o], NULL),
			0);
		for (size_t i = 0; i < elements; i++) {
			float score = score_of(world->asked);
			int8_t class = (float)i < 16 * score ? 1 : 2;
			float value = first ? number(world, o, i, input->data) : 0;
			if (mask) {
				((int8_t *)outputs[o].data)[i] = class;
			} else {
				((float *)outputs[o].data)[i] = value;
			}
		}
	}
}

static uint64_t hash_of(const struct tensor_bytes *tensor)
{
	const uint8_t *at = tensor->data;
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < tensor->bytes; i++) {
		hash = (hash ^ at[i]) * 1099511628211u;
	}
	return hash;
}

static void hear(void *context, const struct pipeline_result *result)
{
	struct world *world = context;
	char *json = strdup(result->json), line[160];
	assert_non_null(json);
	char *clock = strstr(json, "\"infer_ms\"");
	char *end = clock ? strchr(clock, ',') : NULL;
	if (clock) { /* the only thing that another run has otherwise */
		memmove(clock, end ? end : "", end ? strlen(end) + 1 : 1);
	}
	snprintf(line, sizeof(line), "%d %d %d %zu %zu", (int)result->kind, result->event,
		result->only_for_requester, result->mask_bytes, result->snapshot_bytes);
	note(world, line);
	note(world, json);
	free(json);
}

static void drain(struct world *world, struct pipeline *p)
{
	const struct pipeline_question *q;
	while ((q = pipeline_next(p))) {
		struct tensor_bytes outputs[4] = {{0}};
		char line[160];
		bool first = strcmp(q->model, "m") == 0 || strcmp(q->model, "other") == 0;
		snprintf(line, sizeof(line), "%s %u %d %d %016llx", q->model, q->priority,
			q->session != 0, q->deadline_ns != 0,
			(unsigned long long)hash_of(&q->inputs[0]));
		note(world, line);
		answer(world, &q->inputs[0], first, outputs, q->n_outputs);
		world->asked += first;
		uint32_t n = q->n_outputs;
		int r = pipeline_answer(p, q, outputs, n, NULL);
		(void)r; /* what failed was told */
		for (uint32_t i = 0; i < n; i++) {
			tensor_free(&outputs[i]);
		}
	}
}

/* ---- what comes in */

enum act {
	PICTURE,
	FRAME,
	SOUND,
	NUMBERS,
	TENSOR,
	N_ACTS
};

static size_t act_make(enum act act, size_t elements, bool features, size_t round, uint8_t *out)
{
	if (act == PICTURE) {
		int n = sprintf((char *)out, "P6 8 4 255\n");
		for (size_t i = 0; i < 96; i++) {
			out[(size_t)n + i] = (uint8_t)(i * 37 + round * 11);
		}
		return (size_t)n + 96;
	}
	if (act == NUMBERS) {
		size_t used = 0, n = features ? 32 : elements;
		for (size_t i = 0; i < n; i++) {
			used += (size_t)sprintf((char *)out + used, "%g\n",
				(double)((i * i * 7 + i * 3 + round) % 11) / 7);
		}
		return used;
	}
	size_t n = act == FRAME ? 48 : act == SOUND ? 64 : 4 * elements;
	for (size_t i = 0; i < n; i++) {
		out[i] = act == TENSOR ? 0 : (uint8_t)(i * i * 7 + i * 29 + round * 13);
	}
	return n;
}

static void act_play(
	struct world *world, struct pipeline *p, enum act act, size_t elements, bool features)
{
	static const char *const types[] = {"image/x-portable-anymap", "application/octet-stream",
		"audio/l16", "text/csv", "application/octet-stream"};
	uint8_t bytes[1024];
	for (size_t round = 0; round < 8 && !world->differs; round++) {
		const struct pipeline_input input = {.data = bytes,
			.size = act_make(act, elements, features, round, bytes),
			.content_type = types[act],
			.source = "s",
			.time_us = (round + 1) * 500000};
		struct error err = {0};
		if (pipeline_push(p, &input, &err) < 0) {
			note(world, err.text);
		}
		if (round % 2) {
			drain(world, p);
		}
	}
}

/* All that a pipeline of @text does with what may come in, up to where @other, if there is one, has
 * something else; NULL with the reason when it is refused. */
static char *trace_of(const char *text, const char *source, const char *post,
	const struct given *given, const char *other, struct error *err)
{
	struct world world = {.post = post, .other = other};
	note(&world, post);
	for (enum act act = 0; act < N_ACTS && !world.differs; act++) {
		size_t kind = act <= FRAME ? 1 : (size_t)act;
		if (strcmp(source, "auto") != 0 && strcmp(source, sources[kind]) != 0) {
			continue;
		}
		bool features = given->elements > 0;
		size_t elements = features ? given->elements : 8;
		world.input = (struct tensor_spec){.type = DTYPE_FLOAT32, .score_threshold = NAN};
		world.input.shape = act <= FRAME ? (struct shape){4, {1, 4, 4, 3}}
			: act == TENSOR          ? (struct shape){4, {1, 4, 5, 3}}
						 : (struct shape){4, {1, 1, (int32_t)elements, 1}};
		world.input.declared = world.input.shape;
		elements = (size_t)tensor_spec_elements(&world.input);
		world.input.bytes = 4 * elements;
		const struct pipeline_models models = {
			.describe = describe, .examples = taught, .context = &world};
		const struct pipeline_sink sink = {.result = hear, .context = &world};
		struct pipeline *p = NULL;
		if (pipeline_open_text("t.conf", text, strlen(text), &models, &sink, &p, err) < 0) {
			free(world.trace);
			return NULL;
		}
		world.asked = 0;
		act_play(&world, p, act, elements, features);
		pipeline_close(p);
	}
	return world.trace;
}

/* ---- files */

static void section_add(char *text, const char *name, const struct given *given, const char *beside,
	const char *line)
{
	bool own = strcmp(given->section, name) == 0;
	if (!own && !beside) {
		return;
	}
	sprintf(text + strlen(text), "[%s%s]\n%s%s%s", name,
		strcmp(name, "stage") == 0 ? " last" : "", beside ? beside : "",
		own && given->beside ? given->beside : "", own ? line : "");
}

/* The pipeline with (@line) or without ("") the key. */
static void text_make(const struct given *given, const char *source, const char *post,
	const char *line, char *text)
{
	char own[64] = "", own_post[128];
	bool model = strcmp(given->section, "model") == 0;
	bool cascade = strcmp(given->section, "stage") == 0;
	bool renamed = model && strcmp(given->key, "name") == 0 && line[0];
	bool anchors = strcmp(post, "ssd") == 0 && strncmp(given->key, "anchor", 6) != 0;
	snprintf(own, sizeof(own), "kind = %s\n", source);
	snprintf(own_post, sizeof(own_post), "kind = %s\n%s%s%s%s", post,
		anchors ? "anchors = " : "", anchors ? folder : "", anchors ? "/anchors\n" : "",
		given->post ? given->post : "");
	text[0] = 0;
	section_add(text, "pipeline", given, NULL, line);
	section_add(text, "source", given, own, line);
	section_add(text, "model", given, renamed ? "" : "name = m\n", line);
	section_add(text, "pre", given, given->pre, line);
	section_add(text, "post", given, own_post, line);
	section_add(text, "decision", given, given->decision, line);
	if (cascade && strcmp(given->key, "after") == 0) {
		strcat(text, "[stage mid]\n[model]\nname = mid\n[post]\nkind = numbers\n");
	}
	if (cascade) {
		section_add(text, "stage", given, "", line);
		strcat(text, "[model]\nname = last\n[post]\nkind = tensors\n");
	}
}

static bool is_in(char letter, const char *letters)
{
	return strchr(letters, letter) != NULL;
}

static void given_check(const struct given *given, size_t source, size_t post)
{
	char line[256], with_text[2048], without_text[2048];
	const bool file = given->value[0] == '@';
	snprintf(line, sizeof(line), "%s = %s%s%s\n", given->key, file ? folder : "",
		file ? "/" : "", given->value + file);
	text_make(given, sources[source], posts[post], line, with_text);
	text_make(given, sources[source], posts[post], "", without_text);
	struct error err = {0};
	char *with = trace_of(with_text, sources[source], posts[post], given, NULL, &err);
	bool counts = is_in(source_letters[source], given->sources) &&
		is_in(post_letters[post], given->posts);
	/* Places that are told of the tensor's pixels, whatever it was made of. */
	counts |= strcmp(given->key, "layout") == 0 && !given->post &&
		strcmp(sources[source], "tensor") == 0 && strcmp(posts[post], "poses") == 0;
	if (counts && !with) {
		fail_msg("refused: %s\n%s", err.text, with_text);
	} else if (!counts && with) {
		fail_msg("not refused: %s\n%s", given->key, with_text);
	}
	char *without = with
		? trace_of(without_text, sources[source], posts[post], given, with, NULL)
		: NULL;
	if (with && without && strcmp(with, without) == 0) {
		fail_msg("no effect: %s\n%s%s", given->key, with_text, with);
	}
	free(with);
	free(without);
}

static void a_key_is_refused_or_does_something(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(givens) / sizeof(givens[0]); i++) {
		for (size_t source = 0; source < N_SOURCES; source++) {
			for (size_t post = 0; post < N_POSTS; post++) {
				given_check(&givens[i], source, post);
			}
		}
	}
}

static void every_key_is_looked_at_here(void **state)
{
	(void)state;
	const size_t n = pipeline_config_n_keys;
	const struct pipeline_config_key *keys = pipeline_config_keys;
	for (size_t i = 0; i < n; i++) {
		/* The kinds are what all of this is about; the text is for people. */
		bool seen =
			strcmp(keys[i].key, "kind") == 0 || strcmp(keys[i].key, "description") == 0;
		for (size_t g = 0; g < sizeof(givens) / sizeof(givens[0]); g++) {
			seen |= givens[g].sources[0] &&
				strcmp(keys[i].section, givens[g].section) == 0 &&
				strcmp(keys[i].key, givens[g].key) == 0;
		}
		if (!seen) {
			fail_msg("[%s] %s is not looked at", keys[i].section, keys[i].key);
		}
	}
}

static void what_a_key_names_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} lacks[] = {
		{"[model]\nname = m\n\n[post]\nlabels = /nowhere/l\n",
			"t.conf:5: stage t: labels: "},
		{"[model]\nname = m\n[post]\nanchors = /nowhere/a\nkind = ssd\n",
			"t.conf:4: stage t: anchors: "},
		{"[model]\nname = m\n[pre]\nfeatures = spectral\nspectral = rms, peak\n",
			"t.conf:5: stage t: spectral: \"peak\""},
	};
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		struct error err = {0};
		struct given nothing = {0};
		assert_null(trace_of(lacks[i].text, "auto", "auto", &nothing, NULL, &err));
		assert_int_equal(strncmp(err.text, lacks[i].why, strlen(lacks[i].why)), 0);
	}
}

static void file_write(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	file_write("labels", "k\nl\nm\nn\n");
	file_write("examples", "z\t1 1 1 1\n");
	file_write("anchors", "0.25 0.25 0.2 0.2\n0.25 0.35 0.2 0.25\n0.75 0.75 0.25 0.25\n");
	return 0;
}

static int folder_remove(void **state)
{
	static const char *const names[] = {"labels", "examples", "anchors"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_refused_or_does_something),
		cmocka_unit_test(every_key_is_looked_at_here),
		cmocka_unit_test(what_a_key_names_is_refused_with_its_line),
	};
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
