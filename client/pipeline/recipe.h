/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe - what a pipelines.d/NAME.conf says
 *
 * One table (recipe_table.c) has a row per key: it parses, checks ranges, gives the defaults and
 * prints; the tests hold the manual against it. The dialect is that of base/ini.h. [pipeline] and
 * [source] come once; [model], [pre], [post] and [decision] belong to the [stage NAME] that was named
 * last, or to the first stage, which needs no name. An unknown section or key, a value out of range, a
 * key given twice, keys that contradict each other: an error with file:line. Keys and sections that
 * begin with X- are somebody else's and skipped. An empty value is the default.
 */
#ifndef CLIENT_PIPELINE_RECIPE_H
#define CLIENT_PIPELINE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "client/pipeline/zone.h"

#define RECIPE_MAX_STAGES 8
#define RECIPE_MAX_KEYS 128
#define RECIPE_NAME_SIZE 64
#define RECIPE_TEXT_SIZE 256
#define RECIPE_PATH_SIZE 1024
#define RECIPE_MAX_REALS 8

enum recipe_source_kind {
	RECIPE_SOURCE_AUTO, /* each input by itself, by what it is */
	RECIPE_SOURCE_PICTURE,
	RECIPE_SOURCE_SOUND,
	RECIPE_SOURCE_NUMBERS,
	RECIPE_SOURCE_TENSOR,
};
enum recipe_pixel {
	RECIPE_RGB,
	RECIPE_BGR,
	RECIPE_GREY
};
enum recipe_features {
	RECIPE_FEATURES_NONE,
	RECIPE_FEATURES_MEL,
	RECIPE_FEATURES_MFCC,
	RECIPE_FEATURES_SPECTRAL,
};
enum recipe_input {
	RECIPE_INPUT_WHOLE,
	RECIPE_INPUT_CROP,
	RECIPE_INPUT_OUTPUTS
};
enum recipe_on {
	RECIPE_ON_RESULT,
	RECIPE_ON_EVENT
};
enum recipe_post {
	RECIPE_POST_AUTO, /* classes or reconstruction where the outputs look so, else tensors */
	RECIPE_POST_CLASSES,
	RECIPE_POST_DETECTIONS, /* of TFLite_Detection_PostProcess */
	RECIPE_POST_SSD,
	RECIPE_POST_YOLOV5,
	RECIPE_POST_YOLOV8,
	RECIPE_POST_KEYPOINTS,
	RECIPE_POST_POSES, /* of PosenetDecoderOp */
	RECIPE_POST_MASK,
	RECIPE_POST_NUMBERS,
	RECIPE_POST_RECONSTRUCTION,
	RECIPE_POST_EMBEDDING,
	RECIPE_POST_TENSORS,
};
enum recipe_activation {
	RECIPE_LINEAR,
	RECIPE_SOFTMAX,
	RECIPE_SIGMOID
};
enum recipe_lowest {
	RECIPE_LOWEST_REDUCED,
	RECIPE_LOWEST_FULL
};
enum recipe_publish {
	RECIPE_PUBLISH_ALL,
	RECIPE_PUBLISH_CHANGES,
	RECIPE_PUBLISH_BEGIN
};

struct recipe_reals {
	uint32_t n;
	double v[RECIPE_MAX_REALS];
};

/* Counts, times in ms, truths and choices are uint64_t, reals are double (NaN: not said), so that a
 * table row can say where any of them is. */
struct recipe_source {
	uint64_t kind; /* enum recipe_source_kind */
	uint64_t rate, channels; /* of PCM without a header */
	uint64_t columns;
	uint64_t width, height, pixel; /* of raw frames; 0: there are none */
	uint64_t every, latest_only;
	uint64_t gap_ms; /* 0: none is told */
};

struct recipe_pre {
	struct recipe_reals crop; /* left, top, width, height, shares of the picture */
	uint64_t resize, layout, colour, pad; /* enum fit_resize, fit_layout, recipe_pixel */
	struct recipe_reals mean, std;
	uint64_t window, hop; /* samples or rows; 0: what the model takes; hop 0: the window */
	uint64_t sr;
	uint64_t features; /* enum recipe_features */
	uint64_t style; /* enum features_style */
	uint64_t n_fft, hop_length, win_length, win, center; /* see features.h */
	uint64_t n_mels, htk, norm, n_mfcc;
	double fmin, fmax, power;
	uint64_t log; /* enum features_log */
	double log_offset, amin, top_db;
	char spectral[RECIPE_TEXT_SIZE];
};

enum recipe_snapshot {
	RECIPE_SNAPSHOT_NO,
	RECIPE_SNAPSHOT_PNG, /* "yes" */
	RECIPE_SNAPSHOT_JPEG
};

struct recipe_post_keys {
	uint64_t kind; /* enum recipe_post */
	char labels[RECIPE_PATH_SIZE];
	char skip[RECIPE_TEXT_SIZE];
	uint64_t top_k;
	double threshold;
	uint64_t activation;
	double nms;
	uint64_t max_boxes, class_agnostic;
	struct recipe_reals outputs;
	char anchors[RECIPE_PATH_SIZE];
	uint64_t anchor_layers, anchor_stride; /* of those that no file has: anchors.h */
	struct recipe_reals anchor_scales, anchor_ratios;
	double anchor_interpolated;
	uint64_t anchor_lowest; /* enum recipe_lowest */
	struct recipe_reals box_scales;
	uint64_t pixels; /* coordinates are the tensor's pixels, not shares */
	uint64_t background; /* class 0 of the scores is nothing */
	double point_threshold;
	uint64_t show_mask;
	char names[RECIPE_TEXT_SIZE], unit[RECIPE_NAME_SIZE];
	double gain, offset;
	char examples[RECIPE_PATH_SIZE];
	uint64_t distance; /* 0 cosine, 1 euclidean */
	double max_distance;
	uint64_t snapshot; /* enum recipe_snapshot */
};

struct recipe_decision {
	bool given; /* there is such a section */
	double threshold, low;
	char labels[RECIPE_TEXT_SIZE], ignore[RECIPE_TEXT_SIZE];
	uint64_t k, n, average, min_count;
	uint64_t hold_off_ms, rate_limit, rate_period_ms;
	struct zones zones;
	uint64_t publish; /* enum recipe_publish */
	double change; /* of a number, that is worth telling */
};

struct recipe_stage {
	char name[RECIPE_NAME_SIZE];
	unsigned int line; /* where it began */
	unsigned int lines[RECIPE_MAX_KEYS]; /* of each row of the table, 0: not given */
	char after[RECIPE_NAME_SIZE];
	char when[RECIPE_TEXT_SIZE];
	double min_score;
	uint64_t on, for_ms, input, max_crops, budget_ms;
	double grow;
	size_t parent; /* of `after`; its own index for the first */
	char model[RECIPE_PATH_SIZE], signature[RECIPE_NAME_SIZE];
	uint64_t session;
	struct recipe_pre pre;
	struct recipe_post_keys post;
	struct recipe_decision decision;
};

struct recipe {
	char name[RECIPE_NAME_SIZE];
	char description[RECIPE_TEXT_SIZE];
	uint64_t priority; /* as enum edge_client_priority */
	struct recipe_source source;
	unsigned int lines[RECIPE_MAX_KEYS];
	size_t n_stages;
	struct recipe_stage stages[RECIPE_MAX_STAGES];
};

enum recipe_kind {
	RECIPE_TEXT, /* char array of max + 1 bytes */
	RECIPE_COUNT, /* decimal */
	RECIPE_TIME, /* decimal with ms, s or min */
	RECIPE_TRUTH, /* yes or no */
	RECIPE_CHOICE, /* position in words */
	RECIPE_REAL, /* min..max; "" is NaN */
	RECIPE_REALS, /* up to max numbers with commas between */
	RECIPE_ZONES, /* see zone.h */
};

struct recipe_key {
	const char *section, *key;
	enum recipe_kind kind;
	size_t offset; /* in struct recipe for [pipeline] and [source], else in struct recipe_stage */
	double min, max;
	const char *value; /* the default, as a file would say it */
	const char *words; /* RECIPE_CHOICE, separated by one blank */
	const char *help;
	/*
	 * Where it means anything; NULL: everywhere. Alternatives with " | " between them, of conditions
	 * with a blank between them, of which all must hold: "name=word,word" the value is one of these
	 * (a list has one of them), "name" it is neither empty nor 0 nor no, "!" before it: not so. A name
	 * is that of a key of the same section, "section.key", "before.key" of [post] of the stage before,
	 * or "takes" (the kind of what the stage sees: [source] kind, numbers for `input = outputs`),
	 * "windows" (the stage has its own), "decision" (the section is given).
	 */
	const char *needs;
};
const struct recipe_key *recipe_keys(size_t *ret_n);

/* Is the row's place in struct recipe itself? */
bool recipe_key_is_common(const struct recipe_key *key);

/* Does it mean anything beside what else is said (recipe_needs.c)? @stage may be NULL for a row of
 * struct recipe itself. */
bool recipe_key_counts(const struct recipe *recipe, const struct recipe_stage *stage,
	const struct recipe_key *key);

/* Its needs as words, "only where kind is ssd"; "" where it has none. Returns @out. */
#define RECIPE_NEEDS_SIZE 256
char *recipe_key_needs(const struct recipe_key *key, char out[RECIPE_NEEDS_SIZE]);

/* Of what a stage sees: enum recipe_source_kind. */
uint64_t recipe_takes(const struct recipe *recipe, const struct recipe_stage *stage);

/* Sets one key from a file's text: -EINVAL with the reason, without place. @base is the struct that
 * the row's offset counts from. */
int must_check recipe_set(
	void *base, const struct recipe_key *key, const char *value, struct error *err);

/* What recipe_set() would read. Returns @out. */
char *recipe_get(const void *base, const struct recipe_key *key, char *out, size_t size);

/* Reads @file to its end. @name is for errors; what stands behind its last slash, without .conf, is
 * the pipeline's name: letters, digits, '.', '_' and '-'. */
int must_check recipe_read(
	FILE *file, const char *name, struct recipe **ret_recipe, struct error *err);

/* All keys that count, as a file. */
void recipe_print(const struct recipe *recipe, FILE *out);

/* The first word of @list, whose words are separated by commas; blanks around them are none, and "\," is a
 * comma in a word, "\\" a backslash. Returns the list of the others. */
const char *recipe_list_next(const char *list, char ret_word[RECIPE_TEXT_SIZE]);
/* Is @word, which is not "", one of the words of @list? */
bool recipe_list_has(const char *list, const char *word);

/* The line of a key of @stage, or where the stage began. */
unsigned int recipe_line(const struct recipe_stage *stage, const char *section, const char *key);

/* Keys that contradict each other (recipe_check.c), with "line" of the one to look at in
 * *ret_line. */
int must_check recipe_check(struct recipe *recipe, unsigned int *ret_line, struct error *err);

#endif
