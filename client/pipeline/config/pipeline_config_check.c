/* SPDX-License-Identifier: Apache-2.0 */
/* Rejects keys that are valid alone and contradict each other. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "client/pipeline/config/pipeline_config.h"

unsigned int pipeline_config_line(
	const struct pipeline_config_stage *stage, const char *section, const char *key)
{
	const struct pipeline_config_key *row = pipeline_config_key_find(section, key);
	unsigned int line = row ? stage->lines[row - pipeline_config_keys] : 0;
	return line ? line : stage->line ? stage->line : 1;
}

/* The stage that is checked, and where the fault goes. */
struct check {
	struct pipeline_config *config;
	struct pipeline_config_stage *stage;
	size_t index; /* of the stage */
	unsigned int *ret_line;
	struct error *err;
};

/* A key whose value is wrong if @wrong. */
struct rule {
	bool wrong;
	const char *section, *key, *why;
};

static int fault(const struct check *c, const char *section, const char *key, const char *why)
{
	*c->ret_line = pipeline_config_line(c->stage, section, key);
	return error_set(c->err, -EINVAL, "%s: %s", key, why);
}

#define RULES_CHECK(c, rules) rules_check(c, rules, sizeof(rules) / sizeof((rules)[0]))

/* Reports the first key that is wrong. */
static int rules_check(const struct check *c, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].wrong) {
			return fault(c, rules[i].section, rules[i].key, rules[i].why);
		}
	}
	return 0;
}

static bool gives_boxes(uint64_t kind)
{
	return kind == PIPELINE_CONFIG_POST_DETECTIONS || kind == PIPELINE_CONFIG_POST_SSD ||
		kind == PIPELINE_CONFIG_POST_YOLOV5 || kind == PIPELINE_CONFIG_POST_YOLOV8 ||
		kind == PIPELINE_CONFIG_POST_KEYPOINTS || kind == PIPELINE_CONFIG_POST_POSES;
}

static int parent_find(const struct check *c)
{
	c->stage->parent = c->index > 0 ? c->index - 1 : 0;
	if (!c->stage->after[0]) {
		return 0;
	}
	for (size_t i = 0; i < c->index; i++) {
		if (strcmp(c->config->stages[i].name, c->stage->after) == 0) {
			c->stage->parent = i;
			return 0;
		}
	}
	return fault(c, "stage", "after", "no stage of that name stands before");
}

static int cascade_check(const struct check *c)
{
	static const char *const keys[] = {
		"after", "when", "min-score", "on", "for", "input", "grow", "max-crops", "budget"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && c->index == 0; i++) {
		if (pipeline_config_line(c->stage, "stage", keys[i]) !=
			pipeline_config_line(c->stage, "", "")) {
			return fault(c, "stage", keys[i], "the first stage comes after none");
		}
	}
	int code = parent_find(c);
	if (code < 0) {
		return code;
	}
	const struct pipeline_config_stage *parent = &c->config->stages[c->stage->parent];
	const uint64_t takes = pipeline_config_takes(c->config, c->stage);
	const bool looks = c->index > 0 && c->stage->input != PIPELINE_CONFIG_INPUT_OUTPUTS;
	const bool crops = c->stage->input == PIPELINE_CONFIG_INPUT_CROP;
	const bool on_event = looks && c->stage->on == PIPELINE_CONFIG_ON_EVENT;
	const struct rule rules[] = {
		{looks && parent->post.kind == PIPELINE_CONFIG_POST_TENSORS, "stage", "input",
			"kind = tensors of the stage before finds nothing to look at"},
		{crops && !gives_boxes(parent->post.kind), "stage", "input",
			"the stage before finds no boxes to crop"},
		{crops && takes != PIPELINE_CONFIG_SOURCE_AUTO &&
				takes != PIPELINE_CONFIG_SOURCE_PICTURE,
			"stage", "input", "what comes in is no picture to crop"},
		{on_event && !parent->decision.given, "stage", "on",
			"the stage before has no [decision]"},
		{on_event && !isnan(parent->decision.change), "stage", "on",
			"with change nothing begins in the stage before"},
	};
	return RULES_CHECK(c, rules);
}

static bool is_inside(const struct pipeline_config_reals *crop)
{
	const double *v = crop->v;
	return crop->n == 4 && v[0] >= 0 && v[1] >= 0 && v[2] > 0 && v[3] > 0 && v[0] + v[2] <= 1 &&
		v[1] + v[3] <= 1;
}

static bool has_zero(const struct pipeline_config_reals *reals)
{
	bool has = false;
	for (uint32_t i = 0; i < reals->n; i++) {
		has |= reals->v[i] == 0;
	}
	return has;
}

/* The number of channels is known for images and for samples. */
static int pre_check(const struct check *c)
{
	const struct pipeline_config_source *source = &c->config->source;
	const struct pipeline_config_pre *pre = &c->stage->pre;
	const double half = (double)pre->sr / 2, highest = isnan(pre->fmax) ? half : pre->fmax;
	const uint64_t takes = pipeline_config_takes(c->config, c->stage);
	const bool picture = takes == PIPELINE_CONFIG_SOURCE_PICTURE;
	const bool samples = takes == PIPELINE_CONFIG_SOURCE_SOUND &&
		pre->features == PIPELINE_CONFIG_FEATURES_NONE;
	const bool mfcc = pre->features == PIPELINE_CONFIG_FEATURES_MFCC;
	const bool mel = mfcc || pre->features == PIPELINE_CONFIG_FEATURES_MEL;
	const uint32_t n_mean = pre->mean.n, n_std = pre->std.n;
	static const char colours[] = "one, or one for each of 3 colours";
	const struct rule rules[] = {
		{pre->crop.n > 0 && !is_inside(&pre->crop), "pre", "crop",
			"left, top, width and height, inside of 0 to 1"},
		{picture && n_mean != 0 && n_mean != 1 && n_mean != 3, "pre", "mean", colours},
		{samples && n_mean > 1, "pre", "mean", "samples have one"},
		{picture && n_std != 0 && n_std != 1 && n_std != 3, "pre", "std", colours},
		{samples && n_std > 1, "pre", "std", "samples have one"},
		{has_zero(&pre->std), "pre", "std", "0 divides nothing"},
		{pre->n_fft & (pre->n_fft - 1), "pre", "n_fft", "a power of two"},
		{pre->win_length > pre->n_fft, "pre", "win_length", "longer than n_fft"},
		{mel && (highest > half || pre->fmin + 1 > highest), "pre",
			isnan(pre->fmax) ? "fmin" : "fmax",
			"fmin < fmax <= sr / 2, and 1 Hz between them"},
		{mfcc && pre->n_mfcc > pre->n_mels, "pre", "n_mfcc", "more than n_mels"},
		{mel && c->index == 0 && source->kind == PIPELINE_CONFIG_SOURCE_NUMBERS &&
				source->columns > 1,
			"pre", "features", "mel and mfcc are of one column"},
	};
	return RULES_CHECK(c, rules);
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
static int names_check(const struct check *c)
{
	char name[PIPELINE_CONFIG_TEXT_SIZE], shown[80];
	for (const char *at = c->stage->post.names; *at;) {
		at = pipeline_config_list_next(at, name);
		if (is_taken(name) || pipeline_config_list_has(at, name)) {
			*c->ret_line = pipeline_config_line(c->stage, "post", "names");
			return error_set(c->err, -EINVAL, "names: %s is what results have already",
				error_escape(shown, sizeof(shown), name, strlen(name)));
		}
	}
	return 0;
}

/* Rejects keys that have no effect. */
static int needs_check(const struct check *c)
{
	char needs[PIPELINE_CONFIG_NEEDS_SIZE];
	for (size_t i = 0; i < pipeline_config_n_keys; i++) {
		const struct pipeline_config_key *key = &pipeline_config_keys[i];
		unsigned int line = pipeline_config_key_is_common(key) ? c->config->lines[i]
								       : c->stage->lines[i];
		if (line && !pipeline_config_key_counts(c->config, c->stage, key)) {
			*c->ret_line = line;
			return error_set(c->err, -EINVAL, "%s: %s", key->key,
				pipeline_config_key_needs(key, needs));
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

/* True if each value is in @low..@high. */
static bool are_between(const struct pipeline_config_reals *reals, double low, double high)
{
	bool are = true;
	for (uint32_t i = 0; i < reals->n; i++) {
		are &= reals->v[i] >= low && reals->v[i] <= high;
	}
	return are;
}

static bool are_integers(const struct pipeline_config_reals *reals)
{
	bool are = true;
	for (uint32_t i = 0; i < reals->n; i++) {
		are &= reals->v[i] == floor(reals->v[i]);
	}
	return are;
}

static int post_check(const struct check *c)
{
	const struct pipeline_config_post_keys *post = &c->stage->post;
	const struct pipeline_config_reals *scales = &post->anchor_scales;
	const unsigned int outputs = outputs_of(post->kind);
	char takes[32];
	snprintf(takes, sizeof(takes), "this kind takes %u", outputs);
	const struct rule rules[] = {
		{post->box_scales.n != 4 || !are_between(&post->box_scales, DBL_TRUE_MIN, INFINITY),
			"post", "box-scales", "four numbers above 0"},
		{post->activation == PIPELINE_CONFIG_SOFTMAX && gives_boxes(post->kind) &&
				post->kind != PIPELINE_CONFIG_POST_SSD,
			"post", "activation", "yolo has linear or sigmoid scores"},
		{post->outputs.n > outputs, "post", "outputs", takes},
		{!are_between(&post->outputs, 0, 255) || !are_integers(&post->outputs), "post",
			"outputs", "numbers of outputs, from 0"},
		{scales->n != 2 || !(scales->v[0] > 0) || scales->v[0] > scales->v[1] ||
				scales->v[1] > 1,
			"post", "anchor-scales",
			"the least and the largest, above 0 and not above 1"},
		{post->anchor_interpolated != 0 && !(post->anchor_interpolated >= 0.01), "post",
			"anchor-interpolated", "0, or 0.01 to 100"},
		{!are_between(&post->anchor_ratios, 0.01, 100), "post", "anchor-ratios",
			"each between 0.01 and 100"},
	};
	return RULES_CHECK(c, rules);
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
static int words_check(const struct check *c)
{
	const struct pipeline_config_stage *stage = c->stage;
	const struct pipeline_config_stage *parent = &c->config->stages[stage->parent];
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
			*c->ret_line = pipeline_config_line(stage, pairs[i].section, pairs[i].key);
			return error_set(c->err, -EINVAL, "%s: %s is also in %s", pairs[i].key,
				error_escape(shown, sizeof(shown), word, strlen(word)),
				pairs[i].where);
		}
	}
	return 0;
}

static int decision_check(const struct check *c)
{
	const struct pipeline_config_decision *d = &c->stage->decision;
	const struct pipeline_config_post_keys *post = &c->stage->post;
	const struct rule rules[] = {
		{d->k > d->n, "decision", "k", "more than n"},
		{d->low > (isnan(d->threshold) ? post->threshold : d->threshold), "decision", "low",
			"above threshold"},
		{d->given && post->kind == PIPELINE_CONFIG_POST_TENSORS &&
				d->publish != PIPELINE_CONFIG_PUBLISH_ALL,
			"decision", "publish",
			"with kind = tensors nothing begins: only all tells anything"},
	};
	return RULES_CHECK(c, rules);
}

/* Numbers without `names` have no labels; "value_0" is only a name in results. */
static int unnamed_check(const struct check *c)
{
	const struct pipeline_config_stage *stage = c->stage;
	const struct {
		const char *section, *key, *list;
		const struct pipeline_config_post_keys *of;
	} lists[] = {
		{"decision", "labels", stage->decision.labels, &stage->post},
		{"decision", "ignore", stage->decision.ignore, &stage->post},
		{"stage", "when", stage->when, &c->config->stages[stage->parent].post},
	};
	char word[PIPELINE_CONFIG_TEXT_SIZE];
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct pipeline_config_post_keys *of = lists[i].of;
		const bool unnamed =
			of->kind == PIPELINE_CONFIG_POST_NUMBERS && !of->names[0] && !of->labels[0];
		for (const char *at = lists[i].list; *at && unnamed;) {
			at = pipeline_config_list_next(at, word);
			if (is_unnamed(word) || strcmp(word, "value") == 0) {
				*c->ret_line =
					pipeline_config_line(stage, lists[i].section, lists[i].key);
				return error_set(c->err, -EINVAL,
					"%s: %s is a number without a name; give it one by names",
					lists[i].key, word);
			}
		}
	}
	return 0;
}

/* Both sides of raw frames, or none. */
static int source_check(
	const struct pipeline_config *config, unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_source *source = &config->source;
	if ((source->width == 0) == (source->height == 0)) {
		return 0;
	}
	*ret_line = config->lines[pipeline_config_key_find(
					  "source", source->width ? "width" : "height") -
		pipeline_config_keys];
	return error_set(err, -EINVAL, "width and height: both or none");
}

int pipeline_config_check(struct pipeline_config *config, unsigned int *ret_line, struct error *err)
{
	static int (*const checks[])(const struct check *c) = {cascade_check, needs_check,
		pre_check, post_check, names_check, decision_check, words_check, unnamed_check};
	if (config->stages[0].name[0] == 0) {
		memcpy(config->stages[0].name, config->name, sizeof(config->name));
	}
	int code = source_check(config, ret_line, err);
	for (size_t i = 0; i < config->n_stages && code == 0; i++) {
		struct pipeline_config_stage *stage = &config->stages[i];
		const struct check c = {config, stage, i, ret_line, err};
		if (!stage->model[0]) {
			*ret_line = stage->line ? stage->line : 1;
			return error_set(err, -EINVAL, "stage %s has no [model] name", stage->name);
		}
		for (size_t k = 0; k < sizeof(checks) / sizeof(checks[0]) && code == 0; k++) {
			code = checks[k](&c);
		}
	}
	return code;
}
