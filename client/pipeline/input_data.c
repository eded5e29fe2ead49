/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/input_data.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "client/media/byte_source.h"
#include "client/media/csv.h"
#include "client/media/json_numbers.h"
#include "client/media/sound.h"

struct input_data *input_data_ref(struct input_data *input_data)
{
	input_data->refs++;
	return input_data;
}

void input_data_unref(struct input_data *input_data)
{
	if (input_data && --input_data->refs == 0) {
		image_free(&input_data->image);
		free(input_data->values);
		free(input_data->bytes);
		free(input_data);
	}
}

int input_data_new(enum input_data_kind kind, struct input_data **ret_input_data, struct error *err)
{
	struct input_data *input_data = calloc(1, sizeof(*input_data));
	if (!input_data) {
		return error_no_memory(err);
	}
	input_data->refs = 1;
	input_data->kind = kind;
	input_data->frame = (struct findings_frame){0, 0, 1, 1};
	input_data->to_s = NAN;
	*ret_input_data = input_data;
	return 0;
}

enum form {
	FORM_UNKNOWN,
	FORM_IMAGE,
	FORM_WAV,
	FORM_PCM,
	FORM_CSV,
	FORM_JSON,
	FORM_RAW
};

struct content {
	const char *type;
	enum form form;
	enum source_format format;
};

static const struct content contents[] = {
	{"image/jpeg", FORM_IMAGE, SOURCE_JPEG},
	{"image/png", FORM_IMAGE, SOURCE_PNG},
	{"image/bmp", FORM_IMAGE, SOURCE_BMP},
	{"image/x-ms-bmp", FORM_IMAGE, SOURCE_BMP},
	{"image/x-portable-anymap", FORM_IMAGE, SOURCE_PNM},
	{"image/x-portable-pixmap", FORM_IMAGE, SOURCE_PNM},
	{"image/x-portable-graymap", FORM_IMAGE, SOURCE_PNM},
	{"audio/wav", FORM_WAV, SOURCE_WAV},
	{"audio/x-wav", FORM_WAV, SOURCE_WAV},
	{"audio/vnd.wave", FORM_WAV, SOURCE_WAV},
	{"audio/l16", FORM_PCM, SOURCE_UNKNOWN},
	{"text/csv", FORM_CSV, SOURCE_CSV},
	{"text/plain", FORM_CSV, SOURCE_CSV},
	{"application/json", FORM_JSON, SOURCE_UNKNOWN},
	{"application/octet-stream", FORM_RAW, SOURCE_UNKNOWN},
};

static const struct content *content_find(const char *type)
{
	size_t length = strcspn(type, "; ");
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		if (strlen(contents[i].type) == length &&
			strncasecmp(contents[i].type, type, length) == 0) {
			return &contents[i];
		}
	}
	return NULL;
}

static bool looks_like_json(const struct source *bytes)
{
	const char *text = (const char *)bytes->data;
	size_t at = csv_bom_size(text, bytes->size);
	at += strspn(text + at, " \t\r\n");
	return bytes->data[at] == '[' || bytes->data[at] == '{';
}

/* Detects the content from the first bytes. */
static struct content content_guess(
	const struct pipeline_config_source *source, const struct source *bytes)
{
	enum source_format format = source_format_of(bytes);
	struct content content = {.format = format};
	if (source_is_image(format)) {
		content.form = FORM_IMAGE;
	} else if (format == SOURCE_WAV) {
		content.form = FORM_WAV;
	} else if (source->kind == PIPELINE_CONFIG_SOURCE_SOUND) {
		content.form = FORM_PCM;
	} else if (source->kind == PIPELINE_CONFIG_SOURCE_TENSOR) {
		content.form = FORM_RAW;
	} else if (looks_like_json(bytes)) {
		content.form = FORM_JSON;
	} else {
		bool table = format == SOURCE_CSV || source->kind == PIPELINE_CONFIG_SOURCE_NUMBERS;
		content.form = table ? FORM_CSV : FORM_RAW;
	}
	return content;
}

static int frame_read(const struct pipeline_config_source *source, const struct source *bytes,
	struct input_data *input_data, struct error *err)
{
	uint32_t channels = source->pixel == PIPELINE_CONFIG_GREY ? 1 : 3;
	size_t wanted = (size_t)source->width * source->height * channels;
	if (bytes->size != wanted) {
		return error_set(
			err, -EINVAL, "%zu bytes for a raw frame of %zu", bytes->size, wanted);
	}
	int r = image_new((uint32_t)source->width, (uint32_t)source->height, channels,
		&input_data->image, err);
	if (r < 0) {
		return r;
	}
	memcpy(input_data->image.pixels, bytes->data, wanted);
	for (size_t i = 0; source->pixel == PIPELINE_CONFIG_BGR && i < wanted; i += 3) {
		input_data->image.pixels[i] = bytes->data[i + 2];
		input_data->image.pixels[i + 2] = bytes->data[i];
	}
	return 0;
}

static int sound_read(const struct pipeline_config_source *source, const struct source *bytes,
	bool wav, struct input_data *input_data, struct error *err)
{
	struct sound sound = {0};
	int r = wav ? sound_wav_decode(bytes->data, bytes->size, &sound, err)
		    : sound_s16_decode(bytes->data, bytes->size, (uint32_t)source->rate,
			      (uint32_t)source->channels, &sound, err);
	if (r < 0) {
		return r;
	}
	input_data->values = sound.samples;
	input_data->rows = sound.n;
	input_data->columns = 1;
	input_data->rate = sound.rate;
	return 0;
}

static int numbers_read(const struct pipeline_config_source *source, const struct source *bytes,
	bool json, struct input_data *input_data, struct error *err)
{
	owned_table struct number_table table = {0};
	const char *text = (const char *)bytes->data;
	const size_t columns = (size_t)source->columns;
	/* Without a stream the numbers fill a tensor, and rows may have any length. */
	const size_t wanted =
		source->kind == PIPELINE_CONFIG_SOURCE_NUMBERS || columns > 1 ? columns : 0;
	int r = json ? json_numbers_parse(text, bytes->size, wanted, &table, err)
		     : csv_parse(text, bytes->size, wanted, &table, err);
	if (r < 0) {
		return r;
	}
	if (table.n == 0) {
		return error_set(err, -EINVAL, "there are no numbers");
	}
	input_data->values = calloc(table.n, sizeof(input_data->values[0]));
	if (!input_data->values) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < table.n; i++) {
		input_data->values[i] = (float)table.values[i];
		/* one bad value would spoil every window that contains it */
		if (!isfinite(input_data->values[i])) {
			error_set(err, -EINVAL, "number %zu: %g is %s", i % columns + 1,
				table.values[i],
				isfinite(table.values[i]) ? "too large" : "no number");
			if (table.rows > 1) {
				error_prefix(err, "row %zu", i / columns + 1);
			}
			return -EINVAL;
		}
	}
	input_data->rows = table.n / columns;
	input_data->columns = columns;
	return 0;
}

static int bytes_take(struct source *bytes, struct input_data *input_data)
{
	input_data->bytes = take(bytes->data);
	input_data->n_bytes = bytes->size;
	return 0;
}

/* Checks that the input has the kind of [source]. */
static int kind_check(
	const struct pipeline_config_source *source, enum input_data_kind kind, struct error *err)
{
	static const char *const names[] = {"a picture", "a sound", "numbers", "a tensor"};
	return source->kind == PIPELINE_CONFIG_SOURCE_AUTO ||
			source->kind == (uint64_t)kind + PIPELINE_CONFIG_SOURCE_PICTURE
		? 0
		: error_set(err, -EINVAL, "%s where the pipeline takes %s", names[kind],
			  names[source->kind - PIPELINE_CONFIG_SOURCE_PICTURE]);
}

static enum input_data_kind kind_of(const struct pipeline_config_source *source, enum form form)
{
	switch (form) {
	case FORM_IMAGE:
		return INPUT_DATA_PICTURE;
	case FORM_WAV:
	case FORM_PCM:
		return INPUT_DATA_SOUND;
	case FORM_CSV:
	case FORM_JSON:
		return INPUT_DATA_NUMBERS;
	default:
		return source->kind == PIPELINE_CONFIG_SOURCE_SOUND ? INPUT_DATA_SOUND
			: source->width                             ? INPUT_DATA_PICTURE
								    : INPUT_DATA_TENSOR;
	}
}

static int content_read(const struct pipeline_config_source *source, const struct content *content,
	struct source *bytes, struct input_data *input_data, struct error *err)
{
	switch (input_data->kind) {
	case INPUT_DATA_PICTURE:
		return content->form == FORM_IMAGE ? image_decode(content->format, bytes->data,
							     bytes->size, &input_data->image, err)
						   : frame_read(source, bytes, input_data, err);
	case INPUT_DATA_SOUND:
		return sound_read(source, bytes, content->form == FORM_WAV, input_data, err);
	case INPUT_DATA_NUMBERS:
		return numbers_read(source, bytes, content->form == FORM_JSON, input_data, err);
	default:
		return bytes_take(bytes, input_data);
	}
}

/* Copies the input, because decoders need a zero byte after the last byte. */
static int bytes_copy(
	const struct pipeline_input *input, struct source *ret_bytes, struct error *err)
{
	if (input->size > PIPELINE_MAX_INPUT_BYTES) {
		return error_set(
			err, -EFBIG, "%zu bytes, limit %u", input->size, PIPELINE_MAX_INPUT_BYTES);
	}
	uint8_t *data = malloc(input->size + 1);
	if (!data) {
		return error_no_memory(err);
	}
	if (input->size) {
		memcpy(data, input->data, input->size);
	}
	data[input->size] = 0;
	*ret_bytes = (struct source){.path = "-", .data = data, .size = input->size};
	return 0;
}

int input_data_decode(const struct pipeline_config_source *source,
	const struct pipeline_input *input, struct input_data **ret_input_data, struct error *err)
{
	owned_source struct source bytes = {0};
	owned(input_data_unref) struct input_data *input_data = NULL;
	char shown[64];
	int r = bytes_copy(input, &bytes, err);
	if (r < 0) {
		return r;
	}
	const struct content *known =
		input->content_type ? content_find(input->content_type) : NULL;
	if (input->content_type && !known) {
		return error_set(err, -EOPNOTSUPP, "content type %s",
			error_escape(shown, sizeof(shown), input->content_type,
				strlen(input->content_type)));
	}
	struct content content = known ? *known : content_guess(source, &bytes);
	enum input_data_kind kind = kind_of(source, content.form);
	r = kind_check(source, kind, err);
	r = r < 0 ? r : input_data_new(kind, &input_data, err);
	r = r < 0 ? r : content_read(source, &content, &bytes, input_data, err);
	if (r < 0) {
		return r;
	}
	*ret_input_data = take(input_data);
	return 0;
}

/* Converts a fraction to pixels, clamped to the image. */
static uint32_t pixel_of(double share, uint32_t size, bool up)
{
	double at = up ? ceil(share * size) : floor(share * size);
	return (uint32_t)fmin(fmax(at, 0), size);
}

int input_data_crop(const struct input_data *from, const struct finding *box, double grow,
	struct input_data **ret_input_data, struct error *err)
{
	const struct findings_frame *f = &from->frame;
	double wide = (box->x2 - box->x1) * grow, high = (box->y2 - box->y1) * grow;
	uint32_t w = from->image.width, h = from->image.height;
	uint32_t left = pixel_of((box->x1 - wide - f->left) / f->width, w, false);
	uint32_t right = pixel_of((box->x2 + wide - f->left) / f->width, w, true);
	uint32_t top = pixel_of((box->y1 - high - f->top) / f->height, h, false);
	uint32_t bottom = pixel_of((box->y2 + high - f->top) / f->height, h, true);
	if (from->kind != INPUT_DATA_PICTURE || left >= right || top >= bottom) {
		return error_set(err, -ERANGE, "nothing of the picture is in the box");
	}
	owned(input_data_unref) struct input_data *part = NULL;
	int r = input_data_new(INPUT_DATA_PICTURE, &part, err);
	r = r < 0 ? r
		  : image_crop(
			    &from->image, left, top, right - left, bottom - top, &part->image, err);
	if (r < 0) {
		return r;
	}
	part->frame =
		(struct findings_frame){f->left + f->width * left / w, f->top + f->height * top / h,
			f->width * (right - left) / w, f->height * (bottom - top) / h};
	*ret_input_data = take(part);
	return 0;
}
