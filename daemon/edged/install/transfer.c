/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/blobs.h"
#include "daemon/install.h"
#include "daemon/notice.h"
#include "daemon/scan.h"

static int text_tell(struct order *order, const struct manifest *manifest)
{
	const struct manifest_version *active = manifest_find(manifest, &manifest->active);
	int length = asprintf(&order->text, "%s version %" PRIu64 ": ready\n", manifest->name,
		active ? active->version : 0);
	order->text = length < 0 ? NULL : order->text; /* then the answer has no lines */
	return 0;
}

static bool is_pinned(const struct catalogue_model *model)
{
	return model->manifest.pinned && !digest_none(&model->manifest.active);
}

/* ---- install */

static int check_regular(int fd, struct import_identity *ret_identity, struct error *err)
{
	int code = import_identify(fd, ret_identity);
	return code == 0 ? 0
			 : error_set(err, code, "%s",
				   code == -EINVAL ? "the descriptor is not that of a regular file"
						   : strerror(-code));
}

/* What the order says, or the bundle. */
static int name_find(const struct order *order, char ret_name[SERVED_NAME_SIZE], struct error *err)
{
	struct import_identity identity;
	struct bundle bundle;
	memcpy(ret_name, order->model, SERVED_NAME_SIZE);
	int code = check_regular(order->fd, &identity, err);
	if (code == 0 && ret_name[0] == 0 && bundle_is(order->fd)) {
		code = bundle_read(order->fd, identity.size, &bundle, err);
		code = code < 0 ? code : bundle_name(order->fd, &bundle, ret_name, err);
	}
	if (code == 0 && ret_name[0] == 0) {
		code = error_set(err, -EINVAL, "the file does not say which model it is");
	}
	if (code == 0 && !scan_name_valid(ret_name, strlen(ret_name))) {
		code = error_set(err, -EINVAL, "that cannot be a model's name");
	}
	return code;
}

/* What the models folder has of it, which is passed over from now on. */
static struct digest passed_of(const struct catalogue_model *model)
{
	static const struct digest none;
	const struct manifest *manifest = &model->manifest;
	return !model->inbox                      ? none
		: !digest_none(&manifest->passed) ? manifest->passed
						  : manifest->active;
}

/* Who may install may have a line of the log for each file: no others get here. */
static int refuse(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_model *model, int code, const struct error *err)
{
	const char *name = model->manifest.name;
	const struct notice_about about = {.model = name};
	catalogue_sweep(catalogue, load->depot);
	depot_note(load->depot, name, "refused: %s", err->text);
	notice(load->depot->log, NOTICE_MODEL_REFUSED, &about, "model %s: refused: %s", name,
		err->text);
	return code;
}

int transfer_install(struct order *order, struct catalogue *catalogue,
	const struct load_context *load, const struct catalogue_sink *sink, struct error *err)
{
	owned(served_unref) struct served *served = NULL;
	struct catalogue_model *model = NULL;
	struct catalogue_tried tried = {0};
	char name[SERVED_NAME_SIZE];
	int code = name_find(order, name, err);
	if (code == 0) {
		code = catalogue_need(catalogue, load, name, &model, err);
	}
	if (code < 0) {
		return code;
	}
	if (is_pinned(model)) {
		return error_set(err, -EPERM, "model %s is pinned", name);
	}
	const struct candidate_place place = candidate_given(order->fd, order->by);
	const struct digest passed = passed_of(model);
	code = install_candidate(load, model, &place, &passed, &tried, &served, err);
	if (code < 0) {
		return refuse(catalogue, load, model, code, err);
	}
	if (served) {
		/* Without memory to tell of it the next look serves it. */
		(void)catalogue_post(sink, model, CATALOGUE_READY, 0, take(served), "");
		catalogue_sweep(catalogue, load->depot);
	}
	return text_tell(order, &model->manifest);
}

/* ---- export */

static int part_write(
	int to, enum bundle_part part, const struct depot *depot, const struct digest *digest)
{
	struct import_identity identity;
	owned_fd int blob = -1;
	if (digest_none(digest)) {
		return 0;
	}
	int code = blobs_open(depot->stored, digest, &blob);
	if (code == 0) {
		code = import_identify(blob, &identity);
	}
	return code < 0 ? code : bundle_write_file(to, part, blob, identity.size);
}

static int version_write(
	int to, const char *name, const struct depot *depot, const struct manifest_version *version)
{
	const struct {
		enum bundle_part part;
		const struct digest *digest;
	} parts[] = {{BUNDLE_MINISIG, &version->minisig}, {BUNDLE_MODEL, &version->model},
		{BUNDLE_LABELS, &version->labels}, {BUNDLE_GOLDEN, &version->golden},
		{BUNDLE_CONF, &version->conf}, {BUNDLE_EXAMPLES, &version->examples}};
	int code = bundle_write_name(to, name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == 0; i++) {
		code = part_write(to, parts[i].part, depot, parts[i].digest);
	}
	return code < 0 ? code : bundle_write_end(to);
}

static int model_find(const struct catalogue *catalogue, const char *name,
	struct catalogue_model **ret_model, struct error *err)
{
	struct catalogue_model *model = catalogue_find(catalogue, name);
	if (!model || digest_none(&model->manifest.active)) {
		return error_set(err, -ENOENT, "model %s: there is none of that name", name);
	}
	*ret_model = model;
	return 0;
}

int transfer_export(struct order *order, const struct catalogue *catalogue,
	const struct load_context *load, struct error *err)
{
	struct import_identity identity;
	struct catalogue_model *model = NULL;
	int code = check_regular(order->fd, &identity, err);
	if (code == 0) {
		code = model_find(catalogue, order->model, &model, err);
	}
	if (code < 0) {
		return code;
	}
	if (load->depot->blobs < 0) {
		return error_set(
			err, -EOPNOTSUPP, "without a state folder nothing is kept to export");
	}
	const struct manifest *manifest = &model->manifest;
	code = version_write(
		order->fd, manifest->name, load->depot, manifest_find(manifest, &manifest->active));
	return code < 0 ? error_set(err, code, "writing the bundle: %s", strerror(-code))
			: text_tell(order, manifest);
}

/* ---- remove */

int transfer_remove(const struct order *order, struct catalogue *catalogue,
	const struct load_context *load, const struct catalogue_sink *sink, struct error *err)
{
	struct catalogue_model *model = NULL;
	int code = model_find(catalogue, order->model, &model, err);
	if (code < 0) {
		return code;
	}
	if (is_pinned(model)) {
		return error_set(err, -EPERM, "model %s is pinned", order->model);
	}
	if (model->inbox) {
		return error_set(err, -EPERM,
			"model %s has a file in the models folder: it goes when that goes",
			order->model);
	}
	depot_note(load->depot, order->model, "to be removed, by uid %u", order->by);
	code = catalogue_remove(catalogue, load, sink, model, err);
	catalogue_sweep(catalogue, load->depot);
	return code;
}
