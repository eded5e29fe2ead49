/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/model.h"

#include <errno.h>

#include "engine/model/graph_build.h"
#include "engine/model/metadata.h"
#include "engine/model/model_file.h"
#include "engine/model/texts.h"
#include "engine/model/verify.h"

#define DEFAULT_FILE_BYTES (256u << 20)

struct model {
	struct file file;
	struct graph *graph;
	struct model_metadata *metadata;
	void *texts; /* of both */
};

static uint64_t file_limit(const struct model_limits *limits)
{
	return limits && limits->file_bytes ? limits->file_bytes : DEFAULT_FILE_BYTES;
}

/* Judges @model's file and builds what the model consists of. */
static int read_file(struct model *model, const struct model_limits *limits, struct error *err)
{
	static const struct model_limits defaults = {0};
	struct flat f = {model->file.data, model->file.size};
	uint32_t root = 0;
	int r = verify_model(&f, limits ? limits : &defaults, &root, err);
	if (r < 0) {
		return r;
	}
	r = graph_build(&f, root, &model->graph, err);
	if (r < 0) {
		return r;
	}
	r = metadata_build(&f, root, model->graph, &model->metadata, err);
	return r < 0 ? r : texts_copy(model->graph, model->metadata, &model->texts, err);
}

/* Takes over @file, whatever happens. */
static int open_file(struct file file, const struct model_limits *limits, struct model **ret_model,
	struct error *err)
{
	owned(model_free) struct model *model = calloc(1, sizeof(*model));
	if (!model) {
		file_deinit(&file);
		return error_no_memory(err);
	}
	model->file = file;
	int r = read_file(model, limits, err);
	if (mapped_broken(model->file.note)) {
		return error_set(err, -EIO, "the disk did not give a part of the file");
	}
	if (r < 0) {
		return r;
	}
	*ret_model = take(model);
	return 0;
}

int model_open_fd(
	int fd, const struct model_limits *limits, struct model **ret_model, struct error *err)
{
	struct file file;
	int r = file_map(fd, file_limit(limits), &file, err);
	return r < 0 ? r : open_file(file, limits, ret_model, err);
}

int model_open_bytes(const void *data, size_t size, const struct model_limits *limits,
	struct model **ret_model, struct error *err)
{
	struct file file;
	int r = file_borrow(data, size, file_limit(limits), &file, err);
	return r < 0 ? r : open_file(file, limits, ret_model, err);
}

void model_free(struct model *model)
{
	if (!model) {
		return;
	}
	free(model->texts);
	free(model->metadata);
	free(model->graph);
	file_deinit(&model->file);
	free(model);
}

const struct graph *model_graph(const struct model *model)
{
	return model->graph;
}

const struct model_metadata *model_get_metadata(const struct model *model)
{
	return model->metadata;
}

uint64_t model_file_bytes(const struct model *model)
{
	return model->file.size;
}

void model_forget_pages(const struct model *model)
{
	file_forget(&model->file);
}

const struct mapped *model_mapped(const struct model *model)
{
	return model->file.note;
}
