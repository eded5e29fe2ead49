/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/stage.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/media/byte_source.h"
#include "client/media/csv.h"
#include "client/media/preprocess.h"
#include "client/pipeline/anchors.h"
#include "client/pipeline/postprocess.h"

#define MAX_FILE (16u << 20) /* bytes of a file of labels, anchors or examples */

static int labels_read(struct stage *stage, struct error *err)
{
	owned_source struct source source = {0};
	int r = source_open_file(stage->config->post.labels, MAX_FILE, &source, err);
	r = r < 0 ? r : labels_parse((const char *)source.data, source.size, &stage->labels, err);
	if (r < 0) {
		error_prefix(err, "labels");
	}
	stage->own_labels = r == 0;
	return r;
}

/* `names` of numbers become labels. */
static int names_read(struct stage *stage, struct error *err)
{
	const char *list = stage->config->post.names;
	owned_labels struct labels labels = {0};
	char word[PIPELINE_CONFIG_TEXT_SIZE];
	/* each word's comma or the final zero byte leaves room for its zero byte */
	size_t room = strlen(list) + 1, used = 0;
	labels.text = malloc(room);
	labels.names = calloc(room, sizeof(labels.names[0]));
	if (!labels.text || !labels.names) {
		return error_no_memory(err);
	}
	while (*list) {
		list = pipeline_config_list_next(list, word);
		strcpy(labels.text + used, word);
		labels.names[labels.n++] = word[0] ? labels.text + used : NULL;
		used += strlen(word) + 1;
	}
	stage->labels = labels;
	labels = (struct labels){0};
	stage->own_labels = true;
	return 0;
}

static int anchors_read(struct stage *stage, struct error *err)
{
	owned_source struct source source = {0};
	owned_table struct number_table table = {0};
	int r = source_open_file(stage->config->post.anchors, MAX_FILE, &source, err);
	r = r < 0 ? r : csv_parse((const char *)source.data, source.size, 4, &table, err);
	if (r == 0 && table.n == 0) {
		r = error_set(err, -EBADMSG, "there are no rows");
	}
	if (r < 0) {
		error_prefix(err, "anchors");
		return r;
	}
	stage->anchors = take(table.values);
	stage->n_anchors = table.n / 4;
	return 0;
}

/* A missing file has no examples: it is created by the first edgectl teach. */
static int examples_read(struct stage *stage, struct error *err)
{
	owned_source struct source source = {0};
	int r = source_open_file(stage->config->post.examples, MAX_FILE, &source, err);
	if (r == -ENOENT) {
		return 0;
	}
	r = r < 0 ? r
		  : few_shot_parse((const char *)source.data, source.size, &stage->examples, err);
	if (r < 0) {
		error_prefix(err, "examples");
	}
	return r;
}

static int features_make(struct stage *stage, struct error *err)
{
	return features_new(&stage->config->pre, &stage->features, err);
}

int stage_init(struct stage *stage, struct pipeline_config_stage *config, unsigned int *ret_line,
	struct error *err)
{
	const bool features = config->pre.features != PIPELINE_CONFIG_FEATURES_NONE;
	const struct {
		const char *section, *key;
		bool wanted;
		int (*make)(struct stage *stage, struct error *err);
	} parts[] = {
		{"post", "labels", config->post.labels[0], labels_read},
		{"post", "names", config->post.names[0], names_read},
		{"post", "anchors", config->post.anchors[0], anchors_read},
		{"post", "examples", config->post.examples[0], examples_read},
		{"pre", "spectral", features, features_make},
	};
	*stage = (struct stage){.config = config};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int r = parts[i].wanted ? parts[i].make(stage, err) : 0;
		if (r < 0) {
			*ret_line = pipeline_config_line(config, parts[i].section, parts[i].key);
			stage_deinit(stage);
			return r;
		}
	}
	return 0;
}

static bool has_label(const struct labels *labels, const char *word)
{
	bool has = !word[0];
	for (size_t i = 0; i < labels->n && !has; i++) {
		has = labels->names[i] && strcmp(labels->names[i], word) == 0;
	}
	return has;
}

int stage_check_labels(const struct stage *stage, const struct stage *before,
	unsigned int *ret_line, struct error *err)
{
	const struct pipeline_config_stage *config = stage->config;
	const struct {
		const char *section, *key, *list;
		const struct stage *of;
	} lists[] = {{"post", "skip", config->post.skip, stage},
		{"decision", "labels", config->decision.labels, stage},
		{"decision", "ignore", config->decision.ignore, stage},
		{"stage", "when", config->when, before}};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char word[PIPELINE_CONFIG_TEXT_SIZE], shown[80];
		for (const char *at = lists[i].list; *at && lists[i].of->own_labels;) {
			at = pipeline_config_list_next(at, word);
			if (has_label(&lists[i].of->labels, word)) {
				continue;
			}
			*ret_line = pipeline_config_line(config, lists[i].section, lists[i].key);
			return error_set(err, -EINVAL,
				"%s: \"%s\" is none of its labels (a comma in one is \\,)",
				lists[i].key,
				error_escape(shown, sizeof(shown), word, strlen(word)));
		}
	}
	return 0;
}

void stage_forget_model(struct stage *stage)
{
	if (!stage->config || !stage->config->post.examples[0]) {
		few_shot_free(&stage->examples);
	}
	if (!stage->own_labels) {
		labels_free(&stage->labels);
	}
	pipeline_model_free(&stage->model);
	stage->described = false;
}

void stage_deinit(struct stage *stage)
{
	stage_forget_model(stage);
	labels_free(&stage->labels);
	free(stage->anchors);
	few_shot_free(&stage->examples);
	features_free(stage->features);
	sound_filter_free(&stage->filter);
	*stage = (struct stage){0};
}

/* Gets the model's few-shot examples, unless the config names a file. */
static int examples_ask(
	struct stage *stage, const struct pipeline_models *models, struct error *err)
{
	const struct pipeline_config_stage *config = stage->config;
	owned_mem char *text = NULL;
	if (config->post.kind != PIPELINE_CONFIG_POST_EMBEDDING || config->post.examples[0] ||
		!models->examples) {
		return 0;
	}
	int r = models->examples(models->context, config->model, &text, err);
	r = r < 0 ? r : few_shot_parse(text, strlen(text), &stage->examples, err);
	if (r < 0) {
		error_prefix(err, "examples of model %s", config->model);
	}
	return r;
}

int stage_describe(struct stage *stage, const struct pipeline_models *models, struct error *err)
{
	const struct pipeline_config_stage *config = stage->config;
	if (stage->described) {
		return 0;
	}
	int r = models->describe(models->context, config->model,
		config->signature[0] ? config->signature : NULL, &stage->model, err);
	if (r < 0) {
		return r;
	}
	const struct pipeline_model *model = &stage->model;
	if (model->n_inputs != 1) {
		r = error_set(err, -EOPNOTSUPP, "model %s has %u inputs; a pipeline fills one",
			config->model, model->n_inputs);
	}
	for (uint32_t i = 0; i < model->n_outputs && r == 0 && stage->labels.n == 0; i++) {
		const struct tensor_spec *spec = &model->outputs[i];
		r = spec->labels
			? labels_parse(spec->labels, spec->labels_bytes, &stage->labels, err)
			: 0;
		if (r < 0) {
			error_prefix(err, "labels of model %s", config->model);
		}
	}
	r = r < 0 ? r : examples_ask(stage, models, err);
	if (r < 0) {
		stage_forget_model(stage);
		return r;
	}
	stage->described = true;
	return 0;
}

/* Converts a number of samples to another rate, rounded up. */
static size_t rows_at(uint64_t rows, uint64_t from, uint64_t to)
{
	return (size_t)((rows * to + from - 1) / from);
}

int stage_window(const struct stage *stage, size_t columns, uint32_t rate,
	struct stage_window *ret_window, struct error *err)
{
	const struct pipeline_config_pre *pre = &stage->config->pre;
	const struct tensor_spec *spec = &stage->model.inputs[0];
	size_t elements = (size_t)tensor_spec_elements(spec);
	size_t rows = (size_t)pre->window;
	if (columns == 0) {
		return error_set(err, -EINVAL, "nothing came yet");
	}
	if (rows == 0) {
		rows = stage->features ? features_rows(stage->features, elements, columns)
				       : elements / columns;
	}
	if (rows == 0 || rows > (1u << 22)) {
		return error_set(
			err, -EINVAL, "window: the model's %zu elements do not say it", elements);
	}
	size_t hop = pre->hop ? (size_t)pre->hop : rows;
	bool other = rate && rate != pre->sr;
	*ret_window = (struct stage_window){.rows = other ? rows_at(rows, pre->sr, rate) : rows,
		.hop = other ? rows_at(hop, pre->sr, rate) : hop};
	return 0;
}

static struct preprocess_options options_of(const struct pipeline_config_pre *pre)
{
	struct preprocess_options options = {.layout = (enum preprocess_layout)pre->layout,
		.resize = (enum preprocess_resize)pre->resize,
		.n_mean = pre->mean.n,
		.n_std = pre->std.n,
		.rate = (uint32_t)pre->sr,
		.bgr = pre->colour == PIPELINE_CONFIG_BGR,
		.pad = (uint8_t)pre->pad};
	memcpy(options.mean, pre->mean.v, sizeof(options.mean));
	memcpy(options.std, pre->std.v, sizeof(options.std));
	return options;
}

/* Converts a part of the inner image, which lies at @outer, to fractions of the whole image. */
static struct findings_frame frame_in(
	const struct findings_frame *outer, double left, double top, double width, double height)
{
	return (struct findings_frame){outer->left + left * outer->width,
		outer->top + top * outer->height, width * outer->width, height * outer->height};
}

/* Returns the rectangle for @crop, at least one pixel. */
static struct image_part part_of(
	const struct image *image, const struct pipeline_config_reals *crop)
{
	struct image_part part = {0, 0, image->width, image->height};
	if (crop->n == 4) {
		part.x = (uint32_t)(crop->v[0] * image->width);
		part.y = (uint32_t)(crop->v[1] * image->height);
		part.x = part.x < image->width ? part.x : image->width - 1;
		part.y = part.y < image->height ? part.y : image->height - 1;
		part.width = (uint32_t)fmax(crop->v[2] * image->width, 1);
		part.height = (uint32_t)fmax(crop->v[3] * image->height, 1);
		part.width = (uint32_t)fmin(part.width, image->width - part.x);
		part.height = (uint32_t)fmin(part.height, image->height - part.y);
	}
	return part;
}

static int picture_prepare(const struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct findings_frame *ret_frame, struct error *err)
{
	const struct pipeline_config_pre *pre = &stage->config->pre;
	const struct preprocess_options options = options_of(pre);
	const struct image *image = &input_data->image;
	const struct image_part part = part_of(image, &pre->crop);
	const double w = image->width, h = image->height;
	struct preprocess_frame place = {0};
	int r = preprocess_image_part(
		&stage->model.inputs[0], &options, image, &part, ret_tensor, &place, err);
	if (r == 0) {
		const struct findings_frame frame = frame_in(&input_data->frame, part.x / w,
			part.y / h, part.width / w, part.height / h);
		*ret_frame = frame_in(&frame, place.left, place.top, place.width, place.height);
	}
	return r;
}

/* Resamples to the model's rate, to exactly the window's length if there is a window. */
static int sound_resampled(struct stage *stage, const struct input_data *input_data,
	struct sound *ret_sound, struct error *err)
{
	const struct pipeline_config_pre *pre = &stage->config->pre;
	const struct sound from = {input_data->values, input_data->rows, input_data->rate};
	int r = sound_filter_make(&stage->filter, from.rate, (uint32_t)pre->sr, err);
	return r < 0 ? r : sound_filter_run(&stage->filter, &from, ret_sound, err);
}

static int features_prepare(const struct stage *stage, const float *values, size_t rows,
	size_t columns, struct tensor_bytes *ret_tensor, struct error *err)
{
	struct preprocess_options options = options_of(&stage->config->pre);
	const struct tensor_spec *spec = &stage->model.inputs[0];
	size_t wanted = features_rows(stage->features, (size_t)tensor_spec_elements(spec), columns);
	/* Resampling may give one sample too many or too few. */
	if (wanted && rows > wanted &&
		features_count(stage->features, rows, columns) != tensor_spec_elements(spec)) {
		rows = wanted;
	}
	size_t n = features_count(stage->features, rows, columns);
	owned_mem double *out = calloc(n + 1, sizeof(out[0]));
	if (!out) {
		return error_no_memory(err);
	}
	if (n == 0) {
		return error_set(err, -EINVAL,
			"%zu rows of %zu are too few for features, or too many", rows, columns);
	}
	int r = features_run(stage->features, values, rows, columns, out, err);
	return r < 0 ? r : preprocess_numbers(spec, &options, out, n, ret_tensor, err);
}

static int sound_prepare(struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	owned_sound struct sound resampled = {0};
	struct preprocess_options options = options_of(&stage->config->pre);
	struct sound sound = {input_data->values, input_data->rows, input_data->rate};
	if (sound.rate != stage->config->pre.sr) {
		int r = sound_resampled(stage, input_data, &resampled, err);
		if (r < 0) {
			return r;
		}
		sound = resampled;
	}
	return stage->features
		? features_prepare(stage, sound.samples, sound.n, 1, ret_tensor, err)
		: preprocess_sound(&stage->model.inputs[0], &options, &sound, ret_tensor, err);
}

static int numbers_prepare(const struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	struct preprocess_options options = options_of(&stage->config->pre);
	size_t n = input_data->rows * input_data->columns;
	if (stage->features) {
		return features_prepare(stage, input_data->values, input_data->rows,
			input_data->columns, ret_tensor, err);
	}
	owned_mem double *values = calloc(n + 1, sizeof(values[0]));
	if (!values) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		values[i] = (double)input_data->values[i];
	}
	return preprocess_numbers(&stage->model.inputs[0], &options, values, n, ret_tensor, err);
}

static int bytes_prepare(const struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct error *err)
{
	const struct tensor_spec *spec = &stage->model.inputs[0];
	if (input_data->n_bytes != spec->bytes || spec->type == DTYPE_STRING) {
		return error_set(err, -EINVAL, "%zu bytes for a tensor of %llu",
			input_data->n_bytes, (unsigned long long)spec->bytes);
	}
	return tensor_copy(
		spec->type, &spec->shape, input_data->bytes, input_data->n_bytes, ret_tensor, err);
}

int stage_prepare(struct stage *stage, const struct input_data *input_data,
	struct tensor_bytes *ret_tensor, struct findings_frame *ret_frame, struct error *err)
{
	*ret_frame = input_data->frame;
	switch (input_data->kind) {
	case INPUT_DATA_PICTURE:
		return picture_prepare(stage, input_data, ret_tensor, ret_frame, err);
	case INPUT_DATA_SOUND:
		return sound_prepare(stage, input_data, ret_tensor, err);
	case INPUT_DATA_NUMBERS:
		return numbers_prepare(stage, input_data, ret_tensor, err);
	default:
		return bytes_prepare(stage, input_data, ret_tensor, err);
	}
}

/* Generates the anchors for an image of this size, unless a file has them. */
static int anchors_follow(struct stage *stage, uint32_t width, uint32_t height, struct error *err)
{
	const struct pipeline_config_post_keys *keys = &stage->config->post;
	double *rows = NULL;
	if (keys->kind != PIPELINE_CONFIG_POST_SSD || keys->anchors[0] ||
		(stage->anchors && stage->anchors_of[0] == width &&
			stage->anchors_of[1] == height)) {
		return 0;
	}
	int r = anchors_make(keys, width, height, &rows, &stage->n_anchors, err);
	if (r < 0) {
		return r;
	}
	free(stage->anchors);
	stage->anchors = rows;
	stage->anchors_of[0] = width;
	stage->anchors_of[1] = height;
	return 0;
}

int stage_read(struct stage *stage, const struct tensor_bytes *input,
	const struct findings_frame *frame, const struct tensor_bytes *outputs, uint32_t n_outputs,
	struct findings *ret_findings, struct error *err)
{
	struct postprocess post = {.keys = &stage->config->post,
		.labels = &stage->labels,
		.examples = &stage->examples};
	struct tensor_spec spec = stage->model.inputs[0];
	if (n_outputs != stage->model.n_outputs) {
		return error_set(err, -EBADMSG, "%u outputs of a model that has %u", n_outputs,
			stage->model.n_outputs);
	}
	spec.shape = input->shape;
	preprocess_picture_size(&input->shape, (enum preprocess_layout)stage->config->pre.layout,
		&post.input_width, &post.input_height);
	int r = anchors_follow(stage, post.input_width, post.input_height, err);
	post.anchors = stage->anchors;
	post.n_anchors = stage->n_anchors;
	r = r < 0 ? r
		  : postprocess_read(&post, &spec, input, 1, stage->model.outputs, outputs,
			    n_outputs, ret_findings, err);
	if (r == 0) {
		findings_place(ret_findings, frame);
	}
	return r;
}
