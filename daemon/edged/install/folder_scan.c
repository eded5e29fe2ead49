/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/inbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "daemon/install.h"
#include "daemon/watch.h"

/* What becomes of a model in this scan. */
struct look {
	struct catalogue *catalogue;
	const struct load_context *load;
	const struct catalogue_sink *sink;
	struct catalogue_model *model;
	size_t n_before; /* what was tried before; the new ones come behind in a list of their own */
	struct catalogue_tried before[CATALOGUE_MAX_TRIED];
	enum catalogue_event_kind kind; /* CATALOGUE_REFUSED until something serves */
	uint64_t version; /* number that was tried last */
	struct served *served;
	char reason[CATALOGUE_REASON_SIZE]; /* why the highest version tried does not serve */
};

static const struct catalogue_tried *tried_find(
	const struct look *look, const struct candidate_place *place)
{
	struct candidate_identity now;
	candidate_identify(place, &now);
	for (size_t i = 0; i < look->n_before; i++) {
		const struct catalogue_tried *tried = &look->before[i];
		if (tried->settled && tried->number == place->number &&
			tried->bundle == place->bundle && candidate_same(&tried->identity, &now)) {
			return tried;
		}
	}
	return NULL;
}

static void refused(struct look *look, const struct catalogue_tried *tried)
{
	if (look->reason[0] != 0) {
		return;
	}
	if (tried->number == 0) {
		snprintf(look->reason, sizeof(look->reason), "%s", tried->reason);
	} else {
		snprintf(look->reason, sizeof(look->reason), "version %" PRIu64 ": %s",
			tried->number, tried->reason);
		utf8_end(look->reason);
	}
}

/* It was refused for the same reason when it was looked at last: no news for its history. */
static bool is_known(const struct look *look, const struct catalogue_tried *tried)
{
	for (size_t i = 0; i < look->n_before; i++) {
		if (look->before[i].number == tried->number &&
			look->before[i].bundle == tried->bundle) {
			return strcmp(look->before[i].reason, tried->reason) == 0 &&
				candidate_same(&look->before[i].identity, &tried->identity);
		}
	}
	return false;
}

static void tell_loading(const struct look *look)
{
	catalogue_post(look->sink, look->model, CATALOGUE_LOADING, look->version, NULL, "");
}

static void version_install(
	struct look *look, const struct candidate_place *place, struct catalogue_tried *tried)
{
	struct error err = {0};
	tell_loading(look);
	static const struct digest none;
	int code = install_candidate(
		look->load, look->model, place, &none, tried, &look->served, &err);
	tried->settled = candidate_settled(code > 0 ? 0 : code, &tried->identity);
	if (code < 0) {
		/* Its copy goes before the next one takes room. */
		catalogue_sweep(look->catalogue, look->load->depot);
		snprintf(tried->reason, sizeof(tried->reason), "%.*s",
			(int)sizeof(tried->reason) - 1, err.text);
		refused(look, tried);
		if (code != -ECANCELED && !is_known(look, tried)) {
			depot_note(look->load->depot, look->model->manifest.name, "refused: %s",
				err.text);
		}
		return;
	}
	look->kind = code > 0 ? CATALOGUE_KEPT : CATALOGUE_READY;
}

/* What serves is that file, or was installed over it. */
static bool stands(const struct catalogue_model *model, const struct digest *digest)
{
	return digest_same(digest, &model->serving) ||
		(!digest_none(&model->serving) && digest_same(digest, &model->manifest.passed));
}

/* Tries one version; nothing to do once a higher one serves. */
static void version_try(struct look *look, const struct candidate_place *place)
{
	struct catalogue_model *model = look->model;
	if (look->kind != CATALOGUE_REFUSED) {
		return;
	}
	const struct catalogue_tried *before = tried_find(look, place);
	struct catalogue_tried *tried = &model->tried[model->n++];
	look->version = place->number;
	if (before && before->reason[0] != 0) {
		*tried = *before;
		refused(look, tried);
	} else if (before && stands(model, &before->digest)) {
		*tried = *before;
		look->kind = CATALOGUE_KEPT;
	} else {
		*tried = (struct catalogue_tried){.number = place->number, .bundle = place->bundle};
		version_install(look, place, tried);
	}
}

/* A folder that cannot be looked into. One that has just gone, or is a link to none, is none. */
static void folder_refused(struct look *look, uint64_t number, int code)
{
	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP) {
		return;
	}
	struct catalogue_tried *tried = &look->model->tried[look->model->n++];
	*tried = (struct catalogue_tried){.number = number};
	look->version = number;
	snprintf(tried->reason, sizeof(tried->reason), "%s", candidate_why(code));
	refused(look, tried);
}

/* One without a file is none; it is watched when @waits, for a file that may come. */
static void folder_try(struct look *look, int folder, uint64_t number, bool waits)
{
	char name[SERVED_VERSION_SIZE];
	owned_fd int inside = -1;
	snprintf(name, sizeof(name), "%" PRIu64, number);
	int code = import_open(folder, name, O_DIRECTORY, &inside);
	if (code == 0 && waits) {
		watch_folder(look->load->watch, inside);
	}
	if (code == 0 && faccessat(inside, "model.tflite", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		code = -errno;
	}
	if (code < 0) {
		folder_refused(look, number, code);
		return;
	}
	if (!waits) {
		watch_folder(look->load->watch, inside);
	}
	struct candidate_place place = candidate_nested(inside, number);
	version_try(look, &place);
}

static void folders_try(struct look *look, int models)
{
	owned_fd int folder = -1;
	owned_mem uint64_t *versions = NULL;
	size_t n = 0;
	int code = import_open(models, look->model->manifest.name, O_DIRECTORY, &folder);
	if (code == 0) {
		watch_folder(look->load->watch, folder);
		code = scan_versions(folder, &versions, &n);
	}
	if (code < 0) {
		folder_refused(look, 0, code);
		return;
	}
	/* Folders without a file take nobody's place, but not all of the watches that a user may have. */
	for (size_t i = 0;
		i < n && look->kind == CATALOGUE_REFUSED && look->model->n < SCAN_MAX_VERSIONS;
		i++) {
		folder_try(look, folder, versions[i], i < SCAN_MAX_VERSIONS);
	}
}

static void outcome_post(struct look *look)
{
	struct catalogue_model *model = look->model;
	model->inbox = model->seen = true;
	catalogue_post(
		look->sink, model, look->kind, look->version, take(look->served), look->reason);
}

/* A pinned model stays what it is, whatever the folder holds. */
static bool stays(const struct catalogue_model *model)
{
	return model->manifest.pinned && !digest_none(&model->serving);
}

static void look_init(struct look *look, struct catalogue_model *model)
{
	look->model = model;
	look->kind = CATALOGUE_REFUSED;
	look->n_before = model->n;
	memcpy(look->before, model->tried, model->n * sizeof(model->tried[0]));
	model->n = 0;
}

void inbox_look(struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink, int folder, const struct scan_model *found,
	struct catalogue_model *model)
{
	struct look look = {.catalogue = catalogue, .load = load, .sink = sink};
	if (stays(model)) {
		model->inbox = model->seen = true;
		return;
	}
	look_init(&look, model);
	if (found->folder) {
		folders_try(&look, folder);
	}
	if (found->bundle) {
		struct candidate_place place = candidate_bundle(folder, model->manifest.name);
		version_try(&look, &place);
	}
	if (found->file) {
		struct candidate_place place = candidate_flat(folder, model->manifest.name);
		version_try(&look, &place);
	}
	/* A folder without any model file is not a model, unless it was one. */
	if (model->n > 0) {
		outcome_post(&look);
	}
}
