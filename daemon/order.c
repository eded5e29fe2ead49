/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/blobs.h"
#include "daemon/fsck.h"
#include "daemon/install.h"
#include "daemon/notice.h"
#include "daemon/taught.h"
#include "daemon/transfer.h"

#define LEAST_DIGITS 8 /* of a digest that is named by its beginning */
#define LINES_HEAD 4 /* bytes of an answer before its lines */

struct ordering {
	struct order *order;
	struct catalogue *catalogue;
	const struct load_context *load;
	const struct catalogue_sink *sink;
	struct catalogue_model *model; /* NULL where the verb has none */
};

struct order *order_new(void)
{
	struct order *order = calloc(1, sizeof(*order));
	if (order) {
		order->fd = -1;
	}
	return order;
}

void order_free(struct order *order)
{
	if (order) {
		own_close_fd(&order->fd);
		free(order->text);
		free(order);
	}
}

static void tell_about(const struct ordering *ordering)
{
	catalogue_post(ordering->sink, ordering->model, CATALOGUE_ABOUT, 0, NULL, "");
}

/* Only what is on the disk counts. */
static int change(const struct ordering *ordering, const struct manifest *next, struct error *err)
{
	int code = depot_save(ordering->load->depot, next, err);
	if (code == 0) {
		ordering->model->manifest = *next;
	}
	return code;
}

/* ---- going back */

static void back_to(struct manifest *manifest, const struct digest *fallback)
{
	if (digest_same(&manifest->active, &manifest->last_good)) {
		manifest->previous = (struct digest){0};
	}
	manifest->active = manifest->last_good = *fallback;
	manifest->trial = false;
	manifest_trim(manifest);
}

/*
 * What was active is bad from now on; first that, so that a crash in between brings it not back. A
 * disk that takes neither does not keep what is bad in its place: it is so in memory.
 */
static int condemn(const struct ordering *ordering, const struct manifest *next, const char *reason,
	struct error *err)
{
	struct depot *depot = ordering->load->depot;
	const struct digest bad = ordering->model->manifest.active;
	int code = depot_add_bad(depot, &bad, next->name, reason, err);
	int saved = depot_save(depot, next, err);
	ordering->model->manifest = *next;
	return code < 0 ? code : saved;
}

/* The loop has gone back already, and nothing that it was told since took its place again. */
static bool is_back(const struct ordering *ordering)
{
	return ordering->order->back && ordering->order->ready == ordering->model->ready;
}

/* What serves from now on; *ret_served stays NULL where the loop has it already. */
static int fallback_load(const struct ordering *ordering, const struct manifest_version *fallback,
	struct served **ret_served, struct error *err)
{
	struct catalogue_model *model = ordering->model;
	if (is_back(ordering)) {
		model->loaded = true;
		model->bytes = ordering->order->bytes;
		return 0;
	}
	return load_version(ordering->load, model->manifest.name, fallback, ret_served, err);
}

static int rollback(const struct ordering *ordering, const char *reason, struct error *err)
{
	owned(served_unref) struct served *served = NULL;
	struct catalogue_model *model = ordering->model;
	const struct manifest_version *fallback = manifest_fallback(&model->manifest);
	if (!fallback) {
		return error_set(err, -ENOENT, "there is no version to go back to");
	}
	struct manifest next = model->manifest;
	const uint64_t version = fallback->version;
	const struct digest digest = fallback->model;
	back_to(&next, &digest);
	int code = fallback_load(ordering, fallback, &served, err);
	if (code < 0) {
		return code;
	}
	code = condemn(ordering, &next, reason, err);
	if (code < 0) {
		error_prefix(err,
			"version %" PRIu64 " serves, but only until edged is started again",
			version);
	}
	model->serving = digest;
	depot_note(ordering->load->depot, next.name, "back to version %" PRIu64 ": %s", version,
		reason);
	const enum catalogue_event_kind kind = served ? CATALOGUE_READY : CATALOGUE_KEPT;
	bool told = catalogue_post(ordering->sink, model, kind, 0, take(served), reason);
	return told ? code : error_no_memory(err);
}

static int rollback_asked(const struct ordering *ordering, struct error *err)
{
	char reason[64];
	snprintf(reason, sizeof(reason), "rolled back by uid %u", ordering->order->by);
	return rollback(ordering, reason, err);
}

/* ---- trials: what the loop says of one that is over already is not heeded */

static bool is_on_trial(const struct ordering *ordering)
{
	const struct manifest *manifest = &ordering->model->manifest;
	return manifest->trial && digest_same(&manifest->active, &ordering->order->digest);
}

static int proved(const struct ordering *ordering, struct error *err)
{
	struct manifest next = ordering->model->manifest;
	if (!is_on_trial(ordering)) {
		return 0;
	}
	manifest_prove(&next);
	int code = change(ordering, &next, err);
	if (code == 0) {
		marks_clear(&ordering->load->depot->marks, &next.active);
		depot_note(ordering->load->depot, next.name, "version %" PRIu64 " is good",
			manifest_find(&next, &next.active)->version);
		tell_about(ordering);
	}
	return code;
}

/* Another one took its place while the loop made up its mind: it is bad all the same, unless it was good. */
static int failed_late(const struct ordering *ordering, struct error *err)
{
	const struct order *order = ordering->order;
	const struct manifest *manifest = &ordering->model->manifest;
	struct depot *depot = ordering->load->depot;
	if (digest_same(&order->digest, &manifest->active) ||
		digest_same(&order->digest, &manifest->last_good) ||
		digest_same(&order->digest, &manifest->previous)) {
		return 0;
	}
	depot_note(depot, order->model, "the version before is bad: %s", order->argument);
	return depot_add_bad(depot, &order->digest, order->model, order->argument, err);
}

static int failed(const struct ordering *ordering, struct error *err)
{
	const struct order *order = ordering->order;
	if (!is_on_trial(ordering)) {
		return failed_late(ordering, err);
	}
	/* A pin that came behind the verdict is one of what serves by now. */
	int code = ordering->model->manifest.pinned && !is_back(ordering)
		? error_set(err, -EPERM, "it is pinned and goes on")
		: rollback(ordering, order->argument, err);
	if (code < 0) {
		error_prefix(err, "%s", order->argument);
		depot_note(ordering->load->depot, order->model, "%s", err->text);
	}
	return code;
}

static int fares(const struct ordering *ordering, bool well)
{
	static const struct digest none;
	if (is_on_trial(ordering)) {
		ordering->model->well = well ? ordering->order->digest : none;
	}
	return 0;
}

/* ---- disks that fail */

/* The store's own copies are looked at; what is broken goes out of the way. */
static void put_away(struct depot *depot, const char *name, const struct digest *digest)
{
	owned_fd int blob = -1;
	char text[DIGEST_TEXT_SIZE];
	digest_print(digest, text);
	pack_files_drop(&depot->packs, digest);
	int code = blobs_open(depot->stored, digest, &blob);
	if (code < 0 && code != -ENOMEM) {
		blobs_quarantine(depot->blobs, digest);
		depot_note(depot, name, "the store's copy %s is broken, and put away", text);
		const struct notice_about about = {.model = name, .digest = digest};
		notice(depot->log, NOTICE_QUARANTINED, &about,
			"the store's copy %s is broken, and put away", text);
	}
}

/* Whatever of the model can still be had serves. */
static int restore(const struct ordering *ordering)
{
	struct catalogue_model *model = ordering->model;
	struct served *served = NULL;
	char reason[CATALOGUE_REASON_SIZE];
	model->loaded = false;
	int code = install_restore(ordering->load, model, &served, reason, sizeof(reason));
	if (code < 0) {
		catalogue_doubt_model(model); /* the next look at the folder may find it */
	}
	bool told = catalogue_post(ordering->sink, model,
		code == 0 ? CATALOGUE_READY : CATALOGUE_LOST, 0, served, reason);
	return told ? 0 : -ENOMEM;
}

static int broken(const struct ordering *ordering, struct error *err)
{
	const struct order *order = ordering->order;
	if (!digest_same(&ordering->model->serving, &order->digest)) {
		return 0; /* something else serves already */
	}
	put_away(ordering->load->depot, order->model, &order->digest);
	catalogue_doubt_model(ordering->model);
	ordering->model->restored = true;
	return restore(ordering) < 0 ? error_no_memory(err) : 0;
}

/* ---- in memory or not */

static int load(const struct ordering *ordering, struct error *err)
{
	if (ordering->model->loaded) {
		return 0;
	}
	if (restore(ordering) < 0) {
		return error_no_memory(err);
	}
	return ordering->model->loaded
		? 0
		: error_set(err, -EIO, "model %s: it cannot be loaded", ordering->order->model);
}

static int unloaded(const struct ordering *ordering)
{
	struct catalogue_model *model = ordering->model;
	model->loaded = model->loaded && !digest_same(&model->serving, &ordering->order->digest);
	return 0;
}

/* ---- pins */

static int pin(const struct ordering *ordering, bool pinned, struct error *err)
{
	struct manifest next = ordering->model->manifest;
	next.pinned = pinned;
	int code = change(ordering, &next, err);
	if (code == 0) {
		depot_note(ordering->load->depot, next.name, "%s by uid %u",
			pinned ? "pinned" : "unpinned", ordering->order->by);
		tell_about(ordering);
	}
	return code;
}

/* ---- examples that it is taught */

/* What an answer can hold, and no more. */
static size_t most_of_examples(const struct ordering *ordering)
{
	const uint64_t body = ordering->load->config->max_body - LINES_HEAD;
	return body < TAUGHT_MAX_BYTES ? (size_t)body : TAUGHT_MAX_BYTES;
}

/* There is one: is_nothing(). */
static struct manifest_version *active_of(struct manifest *manifest)
{
	size_t at = 0;
	while (!digest_same(&manifest->versions[at].model, &manifest->active)) {
		at++;
	}
	return &manifest->versions[at];
}

/* Embeddings of another one mean something else. */
static int check_serves(
	const struct order *order, const struct manifest_version *version, struct error *err)
{
	char serves[32];
	snprintf(serves, sizeof(serves), "%" PRIu64, version->version);
	return !order->argument[0] || strcmp(order->argument, serves) == 0
		? 0
		: error_set(err, -ENOENT,
			  "the examples are of version %s, version %s serves: teach again",
			  order->argument, serves);
}

static int teach(const struct ordering *ordering, struct error *err)
{
	struct order *order = ordering->order;
	struct depot *depot = ordering->load->depot;
	struct manifest next = ordering->model->manifest;
	struct manifest_version *version = active_of(&next);
	const bool more = order->verb == ORDER_TEACH;
	size_t n = 0;
	int code = more ? check_serves(order, version, err) : 0;
	if (code < 0) {
		return code;
	}
	code = more ? taught_add(depot, order->fd, most_of_examples(ordering), version, &n, err)
		    : taught_remove(depot, order->argument, version, &n, err);
	code = code < 0 ? code : change(ordering, &next, err);
	if (code == 0) {
		depot_note(depot, next.name, "version %" PRIu64 " %s examples by uid %u: %zu now",
			version->version, more ? "was taught" : "lost", order->by, n);
		tell_about(ordering);
		int length = asprintf(&order->text, "%s version %" PRIu64 ": %zu examples\n",
			next.name, version->version, n);
		order->text = length < 0 ? NULL : order->text; /* then the answer has no lines */
	}
	catalogue_sweep(ordering->catalogue, depot);
	return code;
}

static int examples_tell(const struct ordering *ordering, struct error *err)
{
	struct manifest *manifest = &ordering->model->manifest;
	size_t size = 0;
	return taught_read(ordering->load->depot, active_of(manifest), most_of_examples(ordering),
		&ordering->order->text, &size, err);
}

/* ---- what is bad */

static const struct depot_bad *bad_find(
	const struct depot *depot, const char *prefix, size_t *ret_found)
{
	const struct depot_bad *found = NULL;
	char text[DIGEST_TEXT_SIZE];
	*ret_found = 0;
	for (size_t i = 0; i < depot->n_bad; i++) {
		digest_print(&depot->bad[i].model, text);
		if (strncmp(text, prefix, strlen(prefix)) == 0) {
			found = &depot->bad[i];
			++*ret_found;
		}
	}
	return found;
}

/* Files of that digest are tried again. */
static void try_again(struct catalogue *catalogue, const struct digest *digest)
{
	for (size_t i = 0; i < catalogue->n; i++) {
		struct catalogue_model *model = catalogue->models[i];
		for (size_t j = 0; j < model->n; j++) {
			if (digest_same(&model->tried[j].digest, digest)) {
				model->tried[j].settled = false;
			}
		}
	}
}

static int forget_bad(const struct ordering *ordering, struct error *err)
{
	struct depot *depot = ordering->load->depot;
	const char *prefix = ordering->order->argument;
	size_t n = 0;
	if (strlen(prefix) < LEAST_DIGITS) {
		return error_set(err, -EINVAL, "at least %d digits of the digest", LEAST_DIGITS);
	}
	const struct depot_bad *bad = bad_find(depot, prefix, &n);
	if (n != 1) {
		return error_set(err, n == 0 ? -ENOENT : -EINVAL, "%s file of that digest is bad",
			n == 0 ? "no" : "more than one");
	}
	const struct digest digest = bad->model;
	try_again(ordering->catalogue, &digest);
	return depot_forget_bad(depot, &digest, err);
}

/* ---- is the store what it should be? */

/* Models whose files went are restored, or copied from their folder, at the next look. */
static void lost_doubt(const struct ordering *ordering)
{
	char name[DIGEST_TEXT_SIZE];
	for (size_t i = 0; i < ordering->catalogue->n; i++) {
		struct catalogue_model *model = ordering->catalogue->models[i];
		const struct digest *active = &model->manifest.active;
		if (!digest_none(active) &&
			faccessat(ordering->load->depot->stored, digest_print(active, name), F_OK,
				AT_SYMLINK_NOFOLLOW) < 0) {
			catalogue_doubt_model(model);
		}
	}
}

/* Manifests that are broken on the disk are whole in memory. */
static int manifests_save(const struct ordering *ordering, struct error *err)
{
	int code = 0;
	for (size_t i = 0; i < ordering->catalogue->n && code == 0; i++) {
		code = depot_save(
			ordering->load->depot, &ordering->catalogue->models[i]->manifest, err);
	}
	return code;
}

/* The disk has lost them: who teaches starts anew, instead of failing from now on. */
static void examples_forget_lost(const struct ordering *ordering)
{
	char name[DIGEST_TEXT_SIZE];
	struct depot *depot = ordering->load->depot;
	for (size_t i = 0; i < ordering->catalogue->n; i++) {
		struct catalogue_model *model = ordering->catalogue->models[i];
		for (size_t k = 0; k < model->manifest.n; k++) {
			struct manifest_version *version = &model->manifest.versions[k];
			if (digest_none(&version->examples) ||
				faccessat(depot->stored, digest_print(&version->examples, name),
					F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
				errno != ENOENT) {
				continue;
			}
			version->examples = (struct digest){0};
			depot_note(depot, model->manifest.name,
				"version %" PRIu64 " has lost its examples", version->version);
			catalogue_post(ordering->sink, model, CATALOGUE_ABOUT, 0, NULL, "");
		}
	}
}

static int fsck(const struct ordering *ordering, struct error *err)
{
	struct order *order = ordering->order;
	const struct depot *depot = ordering->load->depot;
	const bool repair = strcmp(order->argument, "repair") == 0;
	size_t size = 0, wrong = 0;
	owned_fd int state = depot->stored < 0
		? -1
		: openat(depot->stored, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0 || (repair && depot->blobs < 0)) {
		return error_set(err, -EOPNOTSUPP, "there is no store that can be %s",
			repair ? "written" : "read");
	}
	FILE *out = open_memstream(&order->text, &size);
	if (!out) {
		return error_no_memory(err);
	}
	int code = fsck_run(state, repair ? FSCK_REPAIR_FILES : FSCK_LOOK, out, &wrong, err);
	if (fclose(out) != 0 && code == 0) {
		code = error_no_memory(err);
	}
	if (code == 0 && repair && wrong > 0) {
		examples_forget_lost(ordering);
		code = manifests_save(ordering, err);
		lost_doubt(ordering);
	}
	return code;
}

/* ---- any */

/* Those that need no model, or find it themselves; 1 for the others. */
static int run_without_model(const struct ordering *ordering, struct error *err)
{
	struct order *order = ordering->order;
	switch (order->verb) {
	case ORDER_FORGET_BAD:
		return forget_bad(ordering, err);
	case ORDER_FSCK:
		return fsck(ordering, err);
	case ORDER_INSTALL:
		return transfer_install(
			order, ordering->catalogue, ordering->load, ordering->sink, err);
	case ORDER_EXPORT:
		return transfer_export(order, ordering->catalogue, ordering->load, err);
	case ORDER_REMOVE:
		return transfer_remove(
			order, ordering->catalogue, ordering->load, ordering->sink, err);
	default:
		return 1;
	}
}

/* A name that was tried, or a model that was removed: there is nothing to pin or to teach. */
static bool is_nothing(enum order_verb verb, const struct catalogue_model *model)
{
	const bool of_active = verb == ORDER_PIN || verb == ORDER_TEACH || verb == ORDER_UNTEACH ||
		verb == ORDER_EXAMPLES;
	return of_active && !manifest_find(&model->manifest, &model->manifest.active);
}

static int run(struct ordering *ordering, struct error *err)
{
	struct order *order = ordering->order;
	int code = run_without_model(ordering, err);
	if (code <= 0) {
		return code;
	}
	ordering->model = catalogue_find(ordering->catalogue, order->model);
	if (!ordering->model || is_nothing(order->verb, ordering->model)) {
		return error_set(
			err, -ENOENT, "model %s: there is none of that name", order->model);
	}
	switch (order->verb) {
	case ORDER_ROLLBACK:
		return rollback_asked(ordering, err);
	case ORDER_PIN:
		return pin(ordering, true, err);
	case ORDER_UNPIN:
		return pin(ordering, false, err);
	case ORDER_HISTORY:
		return depot_history(ordering->load->depot, order->model, ORDER_HISTORY_BYTES,
			&order->text, err);
	case ORDER_PROVED:
		return proved(ordering, err);
	case ORDER_FAILED:
		return failed(ordering, err);
	case ORDER_WELL:
	case ORDER_ILL:
		return fares(ordering, order->verb == ORDER_WELL);
	case ORDER_LOAD:
		return load(ordering, err);
	case ORDER_UNLOADED:
		return unloaded(ordering);
	case ORDER_BROKEN:
		return broken(ordering, err);
	case ORDER_TEACH:
	case ORDER_UNTEACH:
		return teach(ordering, err);
	case ORDER_EXAMPLES:
		return examples_tell(ordering, err);
	default:
		break;
	}
	return error_set(err, -EOPNOTSUPP, "the store does not know verb %d", (int)order->verb);
}

void order_run(struct order *order, struct catalogue *catalogue, const struct load_context *load,
	const struct catalogue_sink *sink)
{
	struct ordering ordering = {
		.order = order, .catalogue = catalogue, .load = load, .sink = sink};
	struct error err = {0};
	if (run(&ordering, &err) < 0) {
		order->error = err;
	}
}
