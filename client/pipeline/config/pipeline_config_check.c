/* SPDX-License-Identifier: Apache-2.0 */
/* Rejects keys that are valid alone and contradict each other. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/config/pipeline_config.h"

unsigned int pipeline_config_line(
	const struct pipeline_config_stage *stage, const char *section, const char *key)
{
	size_t n = 0;
	const struct pipeline_config_key *keys = pipeline_config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].key, key) == 0 &&
			stage->lines[i]) {
			return stage->lines[i];
		}
	}
	return stage->line ? stage->line : 1;
}

static bool gives_boxes(uint64_t kind)
{
	return kind == PIPELINE_CONFIG_POST_DETECTIONS || kind == PIPELINE_CONFIG_POST_SSD ||
		kind == PIPELINE_CONFIG_POST_YOLOV5 || kind == PIPELINE_CONFIG_POST_YOLOV8 ||
		kind == PIPELINE_CONFIG_POST_KEYPOINTS || kind == PIPELINE_CONFIG_POST_POSES;
}

static int fault(const struct pipeline_config_stage *stage, const char *section, const char *key,
	const char *why, unsigned int *ret_line, struct error *err)
{
	*ret_line = pipeline_config_line(stage, section, key);
	return error_set(err, -EINVAL, "%s: %s", key, why);
}

static int parent_find(
	struct pipeline_config *config, size_t index, unsigned int *ret_line, struct error *err)
{
	struct pipeline_config_stage *stage = &config->stages[index];
	stage->parent = index > 0 ? index - 1 : 0;
	if (!stage->after[0]) {
		return 0;
	}
	for (size_t i = 0; i < index; i++) {
		if (strcmp(config->stages[i].name, stage->after) == 0) {
			stage->parent = i;
			return 0;
		}
	}
	return fault(stage, "stage", "after", "no stage of that name stands before", ret_line, err);
}

static int cascade_check(
	struct pipeline_config *config, size_t index, unsigned int *ret_line, struct error *err)
{
	struct pipeline_config_stage *stage = &config->stages[index];
	static const char *const keys[] = {
		"after", "when", "min-score", "on", "for", "input", "grow", "max-crops", "budget"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && index == 0; i++) {
		if (pipeline_config_line(stage, "stage", keys[i]) !=
			pipeline_config_line(stage, "", "")) {
			return fault(stage, "stage", keys[i], "the first stage comes after none",
				ret_line, err);
		}
	}
	int code = parent_find(config, index, ret_line, err);
	if (code < 0) {
		return code;
	}
	const struct pipeline_config_stage *parent = &config->stages[stage->parent];
	uint64_t takes = pipeline_config_takes(config, stage);
	bool looks = index > 0 && stage->input != PIPELINE_CONFIG_INPUT_OUTPUTS;
	if (looks && parent->post.kind == PIPELINE_CONFIG_POST_TENSORS) {
		return fault(stage, "stage", "input",
			"kind = tensors of the stage before finds nothing to look at", ret_line,
			err);
	}
	if (stage->input == PIPELINE_CONFIG_INPUT_CROP && !gives_boxes(parent->post.kind)) {
		return fault(stage, "stage", "input", "the stage before finds no boxes to crop",
			ret_line, err);
	}
	if (stage->input == PIPELINE_CONFIG_INPUT_CROP && takes != PIPELINE_CONFIG_SOURCE_AUTO &&
		takes != PIPELINE_CONFIG_SOURCE_PICTURE) {
		return fault(stage, "stage", "input", "what comes in is no picture to crop",
			ret_line, err);
	}
	if (looks && stage->on == PIPELINE_CONFIG_ON_EVENT && !parent->decision.given) {
		return fault(
			stage, "stage", "on", "the stage before has no [decision]", ret_line, err);
	}
	if (looks && stage->on == PIPELINE_CONFIG_ON_EVENT && !isnan(parent->decision.change)) {
		return fault(stage, "stage", "on", "with change nothing begins in the stage before",
			ret_line, err);
	}
	return 0;
}

static int crop_check(
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_reals *crop = &stage->pre.crop;
	bool whole = crop->n == 0;
	bool inside = crop->n == 4 && crop->v[0] >= 0 && crop->v[1] >= 0 && crop->v[2] > 0 &&
		crop->v[3] > 0 && crop->v[0] + crop->v[2] <= 1 && crop->v[1] + crop->v[3] <= 1;
	return whole || inside
		? 0
		: fault(stage, "pre", "crop", "left, top, width and height, inside of 0 to 1",
			  ret_line, err);
}

static int features_check(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_pre *pre = &stage->pre;
	double highest = isnan(pre->fmax) ? (double)pre->sr / 2 : pre->fmax;
	if (pre->n_fft & (pre->n_fft - 1)) {
		return fault(stage, "pre", "n_fft", "a power of two", ret_line, err);
	}
	if (pre->win_length > pre->n_fft) {
		return fault(stage, "pre", "win_length", "longer than n_fft", ret_line, err);
	}
	if (pre->features == PIPELINE_CONFIG_FEATURES_SPECTRAL ||
		pre->features == PIPELINE_CONFIG_FEATURES_NONE) {
		return 0;
	}
	if (highest > (double)pre->sr / 2 || pre->fmin + 1 > highest) {
		return fault(stage, "pre", isnan(pre->fmax) ? "fmin" : "fmax",
			"fmin < fmax <= sr / 2, and 1 Hz between them", ret_line, err);
	}
	if (pre->features == PIPELINE_CONFIG_FEATURES_MFCC && pre->n_mfcc > pre->n_mels) {
		return fault(stage, "pre", "n_mfcc", "more than n_mels", ret_line, err);
	}
	bool first = stage == &config->stages[0];
	return first && config->source.kind == PIPELINE_CONFIG_SOURCE_NUMBERS &&
			config->source.columns > 1
		? fault(stage, "pre", "features", "mel and mfcc are of one column", ret_line, err)
		: 0;
}

/* The number of channels is known for images and for samples. */
static int norm_check(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_pre *pre = &stage->pre;
	const struct pipeline_config_reals *both[] = {&pre->mean, &pre->std};
	static const char *const keys[] = {"mean", "std"};
	uint64_t takes = pipeline_config_takes(config, stage);
	bool samples = takes == PIPELINE_CONFIG_SOURCE_SOUND &&
		pre->features == PIPELINE_CONFIG_FEATURES_NONE;
	for (size_t i = 0; i < 2; i++) {
		uint32_t n = both[i]->n;
		if (takes == PIPELINE_CONFIG_SOURCE_PICTURE && n != 0 && n != 1 && n != 3) {
			return fault(stage, "pre", keys[i], "one, or one for each of 3 colours",
				ret_line, err);
		}
		if (samples && n > 1) {
			return fault(stage, "pre", keys[i], "samples have one", ret_line, err);
		}
	}
	for (uint32_t i = 0; i < pre->std.n; i++) {
		if (pre->std.v[i] == 0) {
			return fault(stage, "pre", "std", "0 divides nothing", ret_line, err);
		}
	}
	return 0;
}

/* True for "value_0" and the like, the results' names of unnamed numbers. */
static bool is_unnamed(const char *name)
{
	static const char unnamed[] = "value_";
	const size_t begins = sizeof(unnamed) - 1;
	return strncmp(name, unnamed, begins) == 0 && name[begins] &&
		name[begins + strspn(name + begins, "0123456789")] == 0;
}

static bool is_taken(const char *name)
{
	static const char *const taken[] = {"pipeline", "stage", "model", "version", "source",
		"from_s", "to_s", "from_row", "to_row", "skipped", "error", "time_us", "infer_ms",
		"results", "events", "active", "event", "event_label", "event_score", "event_count",
		"event_zone", "label", "unit", "gw", "seq", "id", "ts", "ts_ms", "total_ms",
		"snapshot", NULL};
	for (size_t i = 0; taken[i]; i++) {
		if (strcmp(taken[i], name) == 0) {
			return true;
		}
	}
	return is_unnamed(name);
}

/* Each name becomes a member of the results and must not repeat another member. */
static int names_check(
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	char name[PIPELINE_CONFIG_TEXT_SIZE], shown[80];
	for (const char *at = stage->post.names; *at;) {
		at = pipeline_config_list_next(at, name);
		if (is_taken(name) || pipeline_config_list_has(at, name)) {
			*ret_line = pipeline_config_line(stage, "post", "names");
			return error_set(err, -EINVAL, "names: %s is what results have already",
				error_escape(shown, sizeof(shown), name, strlen(name)));
		}
	}
	return 0;
}

/* Rejects keys that have no effect. */
static int needs_check(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	char needs[PIPELINE_CONFIG_NEEDS_SIZE];
	size_t n = 0;
	const struct pipeline_config_key *keys = pipeline_config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		unsigned int line = pipeline_config_key_is_common(&keys[i]) ? config->lines[i]
									    : stage->lines[i];
		if (line && !pipeline_config_key_counts(config, stage, &keys[i])) {
			*ret_line = line;
			return error_set(err, -EINVAL, "%s: %s", keys[i].key,
				pipeline_config_key_needs(&keys[i], needs));
		}
	}
	return 0;
}

/* Number of outputs that postprocess.c reads. */
static unsigned int outputs_of(uint64_t kind)
{
	return kind == PIPELINE_CONFIG_POST_DETECTIONS || kind == PIPELINE_CONFIG_POST_POSES ? 4
		: kind == PIPELINE_CONFIG_POST_SSD                                           ? 2
											     : 1;
}

static int post_check(
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_post_keys *post = &stage->post;
	if (post->box_scales.n != 4 || !(post->box_scales.v[0] > 0) ||
		!(post->box_scales.v[1] > 0) || !(post->box_scales.v[2] > 0) ||
		!(post->box_scales.v[3] > 0)) {
		return fault(stage, "post", "box-scales", "four numbers above 0", ret_line, err);
	}
	if (post->activation == PIPELINE_CONFIG_SOFTMAX && gives_boxes(post->kind) &&
		post->kind != PIPELINE_CONFIG_POST_SSD) {
		return fault(stage, "post", "activation", "yolo has linear or sigmoid scores",
			ret_line, err);
	}
	if (post->outputs.n > outputs_of(post->kind)) {
		*ret_line = pipeline_config_line(stage, "post", "outputs");
		return error_set(
			err, -EINVAL, "outputs: this kind takes %u", outputs_of(post->kind));
	}
	for (uint32_t i = 0; i < post->outputs.n; i++) {
		double v = post->outputs.v[i];
		if (v < 0 || v > 255 || v != floor(v)) {
			return fault(stage, "post", "outputs", "numbers of outputs, from 0",
				ret_line, err);
		}
	}
	return 0;
}

static int anchors_check(
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_post_keys *post = &stage->post;
	const struct pipeline_config_reals *scales = &post->anchor_scales,
					   *ratios = &post->anchor_ratios;
	if (scales->n != 2 || !(scales->v[0] > 0) || scales->v[0] > scales->v[1] ||
		scales->v[1] > 1) {
		return fault(stage, "post", "anchor-scales",
			"the least and the largest, above 0 and not above 1", ret_line, err);
	}
	if (post->anchor_interpolated != 0 && !(post->anchor_interpolated >= 0.01)) {
		return fault(
			stage, "post", "anchor-interpolated", "0, or 0.01 to 100", ret_line, err);
	}
	for (uint32_t i = 0; i < ratios->n; i++) {
		if (!(ratios->v[i] >= 0.01) || ratios->v[i] > 100) {
			return fault(stage, "post", "anchor-ratios", "each between 0.01 and 100",
				ret_line, err);
		}
	}
	return 0;
}

/* Returns true if the lists share a word; *ret_word is that word. */
static bool shares_word(
	const char *list, const char *other, char ret_word[PIPELINE_CONFIG_TEXT_SIZE])
{
	while (*list) {
		list = pipeline_config_list_next(list, ret_word);
		if (pipeline_config_list_has(other, ret_word)) {
			return true;
		}
	}
	return false;
}

/* Rejects a word that one key looks for and another key excludes. */
static int words_check(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_stage *parent = &config->stages[stage->parent];
	const struct {
		const char *section, *key, *list, *other, *where;
	} pairs[] = {
		{"decision", "labels", stage->decision.labels, stage->decision.ignore, "ignore"},
		{"decision", "labels", stage->decision.labels, stage->post.skip, "skip"},
		{"stage", "when", stage->when, parent->post.skip, "skip of the stage before"},
	};
	char word[PIPELINE_CONFIG_TEXT_SIZE], shown[80];
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (shares_word(pairs[i].list, pairs[i].other, word)) {
			*ret_line = pipeline_config_line(stage, pairs[i].section, pairs[i].key);
			return error_set(err, -EINVAL, "%s: %s is also in %s", pairs[i].key,
				error_escape(shown, sizeof(shown), word, strlen(word)),
				pairs[i].where);
		}
	}
	return 0;
}

static int decision_check(
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_decision *d = &stage->decision;
	if (d->k > d->n) {
		return fault(stage, "decision", "k", "more than n", ret_line, err);
	}
	if (d->low > (isnan(d->threshold) ? stage->post.threshold : d->threshold)) {
		return fault(stage, "decision", "low", "above threshold", ret_line, err);
	}
	if (d->given && stage->post.kind == PIPELINE_CONFIG_POST_TENSORS &&
		d->publish != PIPELINE_CONFIG_PUBLISH_ALL) {
		return fault(stage, "decision", "publish",
			"with kind = tensors nothing begins: only all tells anything", ret_line,
			err);
	}
	return 0;
}

/* Returns the line of a key of [source]. */
static unsigned int common_line(const struct pipeline_config *config, const char *key)
{
	size_t n = 0;
	const struct pipeline_config_key *keys = pipeline_config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].section, "source") == 0 && strcmp(keys[i].key, key) == 0) {
			return config->lines[i];
		}
	}
	return 1;
}

/* Numbers without `names` have no labels; "value_0" is only a name in results. */
static int unnamed_check(const struct pipeline_config *config,
	const struct pipeline_config_stage *stage, unsigned int *ret_line, struct error *err)
{
	const struct {
		const char *section, *key, *list;
		const struct pipeline_config_post_keys *of;
	} lists[] = {
		{"decision", "labels", stage->decision.labels, &stage->post},
		{"decision", "ignore", stage->decision.ignore, &stage->post},
		{"stage", "when", stage->when, &config->stages[stage->parent].post},
	};
	char word[PIPELINE_CONFIG_TEXT_SIZE];
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct pipeline_config_post_keys *of = lists[i].of;
		const bool unnamed =
			of->kind == PIPELINE_CONFIG_POST_NUMBERS && !of->names[0] && !of->labels[0];
		for (const char *at = lists[i].list; *at && unnamed;) {
			at = pipeline_config_list_next(at, word);
			if (is_unnamed(word) || strcmp(word, "value") == 0) {
				*ret_line =
					pipeline_config_line(stage, lists[i].section, lists[i].key);
				return error_set(err, -EINVAL,
					"%s: %s is a number without a name; give it one by names",
					lists[i].key, word);
			}
		}
	}
	return 0;
}

int pipeline_config_check(struct pipeline_config *config, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_source *source = &config->source;
	if (config->stages[0].name[0] == 0) {
		memcpy(config->stages[0].name, config->name, sizeof(config->name));
	}
	if ((source->width == 0) != (source->height == 0)) {
		*ret_line = common_line(config, source->width ? "width" : "height");
		return error_set(err, -EINVAL, "width and height: both or none");
	}
	for (size_t i = 0; i < config->n_stages; i++) {
		const struct pipeline_config_stage *stage = &config->stages[i];
		if (!stage->model[0]) {
			*ret_line = stage->line ? stage->line : 1;
			return error_set(err, -EINVAL, "stage %s has no [model] name", stage->name);
		}
		int code = cascade_check(config, i, ret_line, err);
		code = code < 0 ? code : needs_check(config, stage, ret_line, err);
		code = code < 0 ? code : crop_check(stage, ret_line, err);
		code = code < 0 ? code : norm_check(config, stage, ret_line, err);
		code = code < 0 ? code : features_check(config, stage, ret_line, err);
		code = code < 0 ? code : post_check(stage, ret_line, err);
		code = code < 0 ? code : anchors_check(stage, ret_line, err);
		code = code < 0 ? code : names_check(stage, ret_line, err);
		code = code < 0 ? code : decision_check(stage, ret_line, err);
		code = code < 0 ? code : words_check(config, stage, ret_line, err);
		code = code < 0 ? code : unnamed_check(config, stage, ret_line, err);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}
