/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pipeline/material.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "client/pipeline/number_list.h"
#include "client/pipeline/sound.h"
#include "client/pipeline/source.h"
#include "client/pipeline/table.h"

struct material *material_ref(struct material *material)
{
	material->refs++;
	return material;
}

void material_unref(struct material *material)
{
	if (material && --material->refs == 0) {
		image_free(&material->image);
		free(material->values);
		free(material->bytes);
		free(material);
	}
}

int material_new(enum material_kind kind, struct material **ret_material, struct error *err)
{
	struct material *material = calloc(1, sizeof(*material));
	if (!material) {
		return error_no_memory(err);
	}
	material->refs = 1;
	material->kind = kind;
	material->frame = (struct findings_frame){0, 0, 1, 1};
	material->to_s = NAN;
	*ret_material = material;
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
	size_t at = table_mark(text, bytes->size);
	at += strspn(text + at, " \t\r\n");
	return bytes->data[at] == '[' || bytes->data[at] == '{';
}

/* By what the bytes begin with. */
static struct content content_guess(const struct recipe_source *source, const struct source *bytes)
{
	enum source_format format = source_format_of(bytes);
	struct content content = {.format = format};
	if (source_is_image(format)) {
		content.form = FORM_IMAGE;
	} else if (format == SOURCE_WAV) {
		content.form = FORM_WAV;
	} else if (source->kind == RECIPE_SOURCE_SOUND) {
		content.form = FORM_PCM;
	} else if (source->kind == RECIPE_SOURCE_TENSOR) {
		content.form = FORM_RAW;
	} else if (looks_like_json(bytes)) {
		content.form = FORM_JSON;
	} else {
		bool table = format == SOURCE_CSV || source->kind == RECIPE_SOURCE_NUMBERS;
		content.form = table ? FORM_CSV : FORM_RAW;
	}
	return content;
}

static int frame_read(const struct recipe_source *source, const struct source *bytes,
	struct material *material, struct error *err)
{
	uint32_t channels = source->pixel == RECIPE_GREY ? 1 : 3;
	size_t wanted = (size_t)source->width * source->height * channels;
	if (bytes->size != wanted) {
		return error_set(
			err, -EINVAL, "%zu bytes for a raw frame of %zu", bytes->size, wanted);
	}
	int r = image_new(
		(uint32_t)source->width, (uint32_t)source->height, channels, &material->image, err);
	if (r < 0) {
		return r;
	}
	memcpy(material->image.pixels, bytes->data, wanted);
	for (size_t i = 0; source->pixel == RECIPE_BGR && i < wanted; i += 3) {
		material->image.pixels[i] = bytes->data[i + 2];
		material->image.pixels[i + 2] = bytes->data[i];
	}
	return 0;
}

static int sound_read(const struct recipe_source *source, const struct source *bytes, bool wav,
	struct material *material, struct error *err)
{
	struct sound sound = {0};
	int r = wav ? sound_wav_decode(bytes->data, bytes->size, &sound, err)
		    : sound_s16_decode(bytes->data, bytes->size, (uint32_t)source->rate,
			      (uint32_t)source->channels, &sound, err);
	if (r < 0) {
		return r;
	}
	material->values = sound.samples;
	material->rows = sound.n;
	material->columns = 1;
	material->rate = sound.rate;
	return 0;
}

static int numbers_read(const struct recipe_source *source, const struct source *bytes, bool json,
	struct material *material, struct error *err)
{
	owned_table struct table table = {0};
	const char *text = (const char *)bytes->data;
	const size_t columns = (size_t)source->columns;
	/* What is no stream fills a tensor, whose rows nobody named. */
	const size_t wanted = source->kind == RECIPE_SOURCE_NUMBERS || columns > 1 ? columns : 0;
	int r = json ? number_list_parse(text, bytes->size, wanted, &table, err)
		     : table_parse(text, bytes->size, wanted, &table, err);
	if (r < 0) {
		return r;
	}
	if (table.n == 0) {
		return error_set(err, -EINVAL, "there are no numbers");
	}
	material->values = calloc(table.n, sizeof(material->values[0]));
	if (!material->values) {
		return error_no_memory(err);
	}
	for (size_t i = 0; i < table.n; i++) {
		material->values[i] = (float)table.values[i];
		if (!isfinite(material->values[i])) { /* it would cost the windows that it is in */
			error_set(err, -EINVAL, "number %zu: %g is %s", i % columns + 1,
				table.values[i],
				isfinite(table.values[i]) ? "too large" : "no number");
			if (table.rows > 1) {
				error_prefix(err, "row %zu", i / columns + 1);
			}
			return -EINVAL;
		}
	}
	material->rows = table.n / columns;
	material->columns = columns;
	return 0;
}

static int bytes_take(struct source *bytes, struct material *material)
{
	material->bytes = take(bytes->data);
	material->n_bytes = bytes->size;
	return 0;
}

/* What the file says that comes in, or anything. */
static int kind_check(
	const struct recipe_source *source, enum material_kind kind, struct error *err)
{
	static const char *const names[] = {"a picture", "a sound", "numbers", "a tensor"};
	return source->kind == RECIPE_SOURCE_AUTO ||
			source->kind == (uint64_t)kind + RECIPE_SOURCE_PICTURE
		? 0
		: error_set(err, -EINVAL, "%s where the pipeline takes %s", names[kind],
			  names[source->kind - RECIPE_SOURCE_PICTURE]);
}

static enum material_kind kind_of(const struct recipe_source *source, enum form form)
{
	switch (form) {
	case FORM_IMAGE:
		return MATERIAL_PICTURE;
	case FORM_WAV:
	case FORM_PCM:
		return MATERIAL_SOUND;
	case FORM_CSV:
	case FORM_JSON:
		return MATERIAL_NUMBERS;
	default:
		return source->kind == RECIPE_SOURCE_SOUND ? MATERIAL_SOUND
			: source->width                    ? MATERIAL_PICTURE
							   : MATERIAL_TENSOR;
	}
}

static int content_read(const struct recipe_source *source, const struct content *content,
	struct source *bytes, struct material *material, struct error *err)
{
	switch (material->kind) {
	case MATERIAL_PICTURE:
		return content->form == FORM_IMAGE ? image_decode(content->format, bytes->data,
							     bytes->size, &material->image, err)
						   : frame_read(source, bytes, material, err);
	case MATERIAL_SOUND:
		return sound_read(source, bytes, content->form == FORM_WAV, material, err);
	case MATERIAL_NUMBERS:
		return numbers_read(source, bytes, content->form == FORM_JSON, material, err);
	default:
		return bytes_take(bytes, material);
	}
}

/* Decoders want a zero byte behind the last. */
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

int material_decode(const struct recipe_source *source, const struct pipeline_input *input,
	struct material **ret_material, struct error *err)
{
	owned_source struct source bytes = {0};
	owned(material_unref) struct material *material = NULL;
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
	enum material_kind kind = kind_of(source, content.form);
	r = kind_check(source, kind, err);
	r = r < 0 ? r : material_new(kind, &material, err);
	r = r < 0 ? r : content_read(source, &content, &bytes, material, err);
	if (r < 0) {
		return r;
	}
	*ret_material = take(material);
	return 0;
}

/* Pixels of a share, kept inside. */
static uint32_t pixel_of(double share, uint32_t size, bool up)
{
	double at = up ? ceil(share * size) : floor(share * size);
	return (uint32_t)fmin(fmax(at, 0), size);
}

int material_crop(const struct material *from, const struct finding *box, double grow,
	struct material **ret_material, struct error *err)
{
	const struct findings_frame *f = &from->frame;
	double wide = (box->x2 - box->x1) * grow, high = (box->y2 - box->y1) * grow;
	uint32_t w = from->image.width, h = from->image.height;
	uint32_t left = pixel_of((box->x1 - wide - f->left) / f->width, w, false);
	uint32_t right = pixel_of((box->x2 + wide - f->left) / f->width, w, true);
	uint32_t top = pixel_of((box->y1 - high - f->top) / f->height, h, false);
	uint32_t bottom = pixel_of((box->y2 + high - f->top) / f->height, h, true);
	if (from->kind != MATERIAL_PICTURE || left >= right || top >= bottom) {
		return error_set(err, -ERANGE, "nothing of the picture is in the box");
	}
	owned(material_unref) struct material *part = NULL;
	int r = material_new(MATERIAL_PICTURE, &part, err);
	r = r < 0 ? r
		  : image_crop(
			    &from->image, left, top, right - left, bottom - top, &part->image, err);
	if (r < 0) {
		return r;
	}
	part->frame =
		(struct findings_frame){f->left + f->width * left / w, f->top + f->height * top / h,
			f->width * (right - left) / w, f->height * (bottom - top) / h};
	*ret_material = take(part);
	return 0;
}
