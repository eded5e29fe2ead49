/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline_config - parses pipelines.d/NAME.conf
 *
 * One table (pipeline_config_table.c) has a row for each key, with type, range and default;
 * tests compare the manual with the table. The syntax is that of base/text/ini.h. [pipeline] and
 * [source] appear once. [model], [pre], [post] and [decision] belong to the preceding [stage
 * NAME], or to the first stage, which needs no name. Errors have file:line: unknown section or
 * key, value out of range, duplicate key, contradicting keys. Keys and sections that begin with X-
 * are ignored. An empty value is the default.
 */
#ifndef CLIENT_PIPELINE_CONFIG_PIPELINE_CONFIG_H
#define CLIENT_PIPELINE_CONFIG_PIPELINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "client/pipeline/config/zone.h"

#define PIPELINE_CONFIG_MAX_STAGES 8
#define PIPELINE_CONFIG_MAX_KEYS 128
#define PIPELINE_CONFIG_NAME_SIZE 64
#define PIPELINE_CONFIG_TEXT_SIZE 256
#define PIPELINE_CONFIG_PATH_SIZE 1024
#define PIPELINE_CONFIG_MAX_REALS 8

enum pipeline_config_source_kind {
	PIPELINE_CONFIG_SOURCE_AUTO, /* the kind of each input is detected */
	PIPELINE_CONFIG_SOURCE_PICTURE,
	PIPELINE_CONFIG_SOURCE_SOUND,
	PIPELINE_CONFIG_SOURCE_NUMBERS,
	PIPELINE_CONFIG_SOURCE_TENSOR,
};
enum pipeline_config_pixel {
	PIPELINE_CONFIG_RGB,
	PIPELINE_CONFIG_BGR,
	PIPELINE_CONFIG_GREY
};
enum pipeline_config_features {
	PIPELINE_CONFIG_FEATURES_NONE,
	PIPELINE_CONFIG_FEATURES_MEL,
	PIPELINE_CONFIG_FEATURES_MFCC,
	PIPELINE_CONFIG_FEATURES_SPECTRAL,
};
enum pipeline_config_input {
	PIPELINE_CONFIG_INPUT_WHOLE,
	PIPELINE_CONFIG_INPUT_CROP,
	PIPELINE_CONFIG_INPUT_OUTPUTS
};
enum pipeline_config_on {
	PIPELINE_CONFIG_ON_RESULT,
	PIPELINE_CONFIG_ON_EVENT
};
enum pipeline_config_post {
	/* classes or reconstruction if the outputs look like that, else tensors */
	PIPELINE_CONFIG_POST_AUTO,
	PIPELINE_CONFIG_POST_CLASSES,
	PIPELINE_CONFIG_POST_DETECTIONS, /* of TFLite_Detection_PostProcess */
	PIPELINE_CONFIG_POST_SSD,
	PIPELINE_CONFIG_POST_YOLOV5,
	PIPELINE_CONFIG_POST_YOLOV8,
	PIPELINE_CONFIG_POST_KEYPOINTS,
	PIPELINE_CONFIG_POST_POSES, /* of PosenetDecoderOp */
	PIPELINE_CONFIG_POST_MASK,
	PIPELINE_CONFIG_POST_NUMBERS,
	PIPELINE_CONFIG_POST_RECONSTRUCTION,
	PIPELINE_CONFIG_POST_EMBEDDING,
	PIPELINE_CONFIG_POST_TENSORS,
};
enum pipeline_config_activation {
	PIPELINE_CONFIG_LINEAR,
	PIPELINE_CONFIG_SOFTMAX,
	PIPELINE_CONFIG_SIGMOID
};
enum pipeline_config_lowest {
	PIPELINE_CONFIG_LOWEST_REDUCED,
	PIPELINE_CONFIG_LOWEST_FULL
};
enum pipeline_config_publish {
	PIPELINE_CONFIG_PUBLISH_ALL,
	PIPELINE_CONFIG_PUBLISH_CHANGES,
	PIPELINE_CONFIG_PUBLISH_BEGIN
};

struct pipeline_config_reals {
	uint32_t n;
	double v[PIPELINE_CONFIG_MAX_REALS];
};

/* Counts, times in ms, booleans and enums are uint64_t, reals are double (NaN: not set), so that
 * a table row can address every field by offset. */
struct pipeline_config_source {
	uint64_t kind; /* enum pipeline_config_source_kind */
	uint64_t rate, channels; /* of PCM without a header: Hz, and number */
	uint64_t columns;
	uint64_t width, height, pixel; /* of raw frames, in pixels; 0: no raw frames */
	uint64_t every, latest_only;
	uint64_t gap_ms; /* 0: no gap detection */
};

enum features_style {
	FEATURES_LIBROSA,
	FEATURES_TENSORFLOW
};
enum features_log {
	FEATURES_LINEAR,
	FEATURES_LN,
	FEATURES_LOG10,
	FEATURES_DB
};
enum features_win {
	FEATURES_HANN,
	FEATURES_HAMMING,
	FEATURES_ONES
};

struct pipeline_config_pre {
	struct pipeline_config_reals crop; /* left, top, width, height as fractions of the image */
	/* enum preprocess_resize, preprocess_layout, pipeline_config_pixel */
	uint64_t resize, layout, colour, pad;
	struct pipeline_config_reals mean, std;
	uint64_t window, hop; /* samples or rows; 0: from the model; hop 0: same as window */
	uint64_t sr;
	uint64_t features; /* enum pipeline_config_features */
	uint64_t style; /* enum features_style */
	uint64_t n_fft, hop_length, win_length, win, center; /* see features.h */
	uint64_t n_mels, htk, norm, n_mfcc;
	double fmin, fmax, power;
	uint64_t log; /* enum features_log */
	double log_offset, amin, top_db;
	char spectral[PIPELINE_CONFIG_TEXT_SIZE];
};

enum pipeline_config_snapshot {
	PIPELINE_CONFIG_SNAPSHOT_NO,
	PIPELINE_CONFIG_SNAPSHOT_PNG, /* "yes" */
	PIPELINE_CONFIG_SNAPSHOT_JPEG
};

struct pipeline_config_post_keys {
	uint64_t kind; /* enum pipeline_config_post */
	char labels[PIPELINE_CONFIG_PATH_SIZE];
	char skip[PIPELINE_CONFIG_TEXT_SIZE];
	uint64_t top_k;
	double threshold;
	uint64_t activation;
	double nms;
	uint64_t max_boxes, class_agnostic;
	struct pipeline_config_reals outputs;
	char anchors[PIPELINE_CONFIG_PATH_SIZE];
	uint64_t anchor_layers, anchor_stride; /* of generated anchors: anchors.h */
	struct pipeline_config_reals anchor_scales, anchor_ratios;
	double anchor_interpolated;
	uint64_t anchor_lowest; /* enum pipeline_config_lowest */
	struct pipeline_config_reals box_scales;
	uint64_t pixels; /* 1: coordinates are pixels of the tensor, 0: fractions */
	uint64_t background; /* 1: class 0 of the scores is the background */
	double point_threshold;
	uint64_t show_mask;
	char names[PIPELINE_CONFIG_TEXT_SIZE], unit[PIPELINE_CONFIG_NAME_SIZE];
	double gain, offset;
	char examples[PIPELINE_CONFIG_PATH_SIZE];
	uint64_t distance; /* 0: cosine, 1: euclidean */
	double max_distance;
	uint64_t snapshot; /* enum pipeline_config_snapshot */
};

struct pipeline_config_decision {
	bool given; /* the section is present */
	double threshold, low;
	char labels[PIPELINE_CONFIG_TEXT_SIZE], ignore[PIPELINE_CONFIG_TEXT_SIZE];
	uint64_t k, n, average, min_count;
	uint64_t hold_off_ms, rate_limit, rate_period_ms;
	struct zones zones;
	uint64_t publish; /* enum pipeline_config_publish */
	double change; /* smallest change of a number to emit */
};

struct pipeline_config_stage {
	char name[PIPELINE_CONFIG_NAME_SIZE];
	unsigned int line; /* line of the section */
	unsigned int
		lines[PIPELINE_CONFIG_MAX_KEYS]; /* line of each key in table order; 0: not given */
	char after[PIPELINE_CONFIG_NAME_SIZE];
	char when[PIPELINE_CONFIG_TEXT_SIZE];
	double min_score;
	uint64_t on, for_ms, input, max_crops, budget_ms;
	double grow;
	/* index of the stage that `after` names; its own index for the first stage */
	size_t parent;
	char model[PIPELINE_CONFIG_PATH_SIZE], signature[PIPELINE_CONFIG_NAME_SIZE];
	uint64_t session;
	struct pipeline_config_pre pre;
	struct pipeline_config_post_keys post;
	struct pipeline_config_decision decision;
};

struct pipeline_config {
	char name[PIPELINE_CONFIG_NAME_SIZE];
	char description[PIPELINE_CONFIG_TEXT_SIZE];
	uint64_t priority; /* enum edge_client_priority */
	struct pipeline_config_source source;
	unsigned int lines[PIPELINE_CONFIG_MAX_KEYS];
	size_t n_stages;
	struct pipeline_config_stage stages[PIPELINE_CONFIG_MAX_STAGES];
};

enum pipeline_config_kind {
	PIPELINE_CONFIG_TEXT, /* char array of max + 1 bytes */
	PIPELINE_CONFIG_COUNT, /* decimal integer */
	PIPELINE_CONFIG_TIME, /* decimal with ms, s or min */
	PIPELINE_CONFIG_BOOL, /* yes or no */
	PIPELINE_CONFIG_CHOICE, /* index in words */
	PIPELINE_CONFIG_REAL, /* min..max; "" is NaN */
	PIPELINE_CONFIG_REALS, /* up to max numbers, separated by commas */
	PIPELINE_CONFIG_ZONES, /* see zone.h */
};

struct pipeline_config_key {
	const char *section, *key;
	enum pipeline_config_kind kind;
	/* in struct pipeline_config for [pipeline] and [source], else in struct pipeline_config_stage */
	size_t offset;
	double min, max;
	const char *value; /* default, as written in a file */
	const char *words; /* of PIPELINE_CONFIG_CHOICE, separated by one blank */
	/*
	 * Condition under which the key has an effect; NULL: always. Alternatives are separated by
	 * " | ". An alternative is a list of conditions separated by blanks; all must hold.
	 * "name=word,word": the value is one of the words (a list: has one of them). "name": the
	 * value is not empty, 0 or no. "!": negates. A name is a key of the same section,
	 * "section.key", "before.key" ([post] of the stage before), "takes" (kind of the stage's
	 * input: [source] kind; numbers for `input = outputs`), "windows" (the stage has its own
	 * window) or "decision" (the section is present).
	 */
	const char *needs;
};
extern const struct pipeline_config_key pipeline_config_keys[];
extern const size_t pipeline_config_n_keys;
/* NULL: no such key. */
const struct pipeline_config_key *pipeline_config_key_find(const char *section, const char *key);

/* True if the key's offset is in struct pipeline_config. */
bool pipeline_config_key_is_common(const struct pipeline_config_key *key);

/* True if the condition `needs` of the key holds (pipeline_config_needs.c). @stage may be NULL
 * for a key of struct pipeline_config. */
bool pipeline_config_key_counts(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, const struct pipeline_config_key *key);

/* Formats `needs` for people: "only where kind is ssd"; "" without a condition. Returns @out. */
#define PIPELINE_CONFIG_NEEDS_SIZE 256
char *pipeline_config_key_needs(
	const struct pipeline_config_key *key, char out[PIPELINE_CONFIG_NEEDS_SIZE]);

/* Returns the kind of a stage's input, enum pipeline_config_source_kind. */
uint64_t pipeline_config_takes(
	const struct pipeline_config *config, const struct pipeline_config_stage *stage);

/* Parses @value into one field. @base: the struct of the key's offset. -EINVAL: the message has
 * the reason without file and line. */
int must_check pipeline_config_set(
	void *base, const struct pipeline_config_key *key, const char *value, struct error *err);

/* Formats a field as pipeline_config_set() reads it. Returns @out. */
char *pipeline_config_get(
	const void *base, const struct pipeline_config_key *key, char *out, size_t size);

/* Reads @file to its end. @name is used in messages. Its last component without .conf is the
 * pipeline's name: letters, digits, '.', '_' and '-'. */
int must_check pipeline_config_read(
	FILE *file, const char *name, struct pipeline_config **ret_config, struct error *err);

/* Prints all keys that have an effect, as a file. */
void pipeline_config_print(const struct pipeline_config *config, FILE *out);

/* Copies the first word of a comma-separated list. Blanks around words are dropped; "\," is a
 * comma in a word, "\\" a backslash. Returns the rest of the list. */
const char *pipeline_config_list_next(const char *list, char ret_word[PIPELINE_CONFIG_TEXT_SIZE]);
/* True if @word, which is not "", is in @list. */
bool pipeline_config_list_has(const char *list, const char *word);

/* Returns the line of a key, or the line of the stage's section if the key is not given. */
unsigned int pipeline_config_line(
	const struct pipeline_config_stage *stage, const char *section, const char *key);

/* Rejects keys that contradict each other (pipeline_config_check.c). *ret_line: line of one of
 * the keys. */
int must_check pipeline_config_check(
	struct pipeline_config *config, unsigned int *ret_line, struct error *err);

#endif
