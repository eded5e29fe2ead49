/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edged/models/scan.h"

struct all {
	struct scan scan;
	struct registry registry;
	struct config config;
	struct log log;
	struct scan_view view;
	struct job job;
	const char *serves; /* name of the model that serves; NULL: none */
};

static const struct digest some = {{1}};

static struct digest serving(void *context, const struct registry_model *model)
{
	const struct all *all = context;
	static const struct digest none;
	return all->serves && strcmp(all->serves, model->manifest.name) == 0 ? some : none;
}

static int set_up(void **state)
{
	struct all *all = calloc(1, sizeof(*all));
	assert_non_null(all);
	log_init(&all->log, LOG_LEVEL_ERROR);
	all->config.max_models = 3;
	all->view = (struct scan_view){.scan = &all->scan,
		.registry = &all->registry,
		.config = &all->config,
		.log = &all->log,
		.serving = serving,
		.context = all};
	*state = all;
	return 0;
}

static int tear_down(void **state)
{
	struct all *all = *state;
	scan_deinit(&all->scan);
	registry_deinit(&all->registry);
	free(all);
	return 0;
}

/* Adds a model of the store. */
static struct registry_model *stored(struct all *all, const char *name)
{
	struct registry_model *model = registry_add(&all->registry, name);
	assert_non_null(model);
	model->manifest.active = some;
	return model;
}

static struct job *expect(struct all *all, enum job_kind kind, const char *name)
{
	memset(&all->job, 0, sizeof(all->job));
	assert_true(scan_next(&all->view, &all->job));
	assert_int_equal(all->job.kind, kind);
	assert_string_equal(all->job.has_model ? all->job.model.manifest.name : "", name);
	return &all->job;
}

/* What the loop does with a result. */
static void take_back(struct all *all)
{
	struct job *job = &all->job;
	if (job->has_model) {
		*registry_find(&all->registry, job->model.manifest.name) = job->model;
	}
	scan_take(&all->view, job);
}

/* The folder on @device has these models. */
static void list(struct all *all, dev_t device, const char *const *names, size_t n)
{
	struct job_folder *folder = expect(all, JOB_LIST, "")->folder;
	folder->device = device;
	folder->models = calloc(n + 1, sizeof(folder->models[0]));
	folder->n = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(folder->models[i].name, names[i], strlen(names[i]) + 1);
	}
	take_back(all);
}

/* The loader looks at a model, and finds files of it or not. */
static void look(struct all *all, const char *name, bool found)
{
	struct job *job = expect(all, JOB_SCAN_MODEL, name);
	job->model.folder_scan = job->model.seen = found;
	job->found.name[0] = found ? 'm' : 0;
	take_back(all);
}

static void end(struct all *all)
{
	expect(all, JOB_SWEEP, "");
	take_back(all);
	assert_false(scan_next(&all->view, &all->job));
	assert_false(all->scan.on);
}

static void what_does_not_serve_is_restored_once(void **state)
{
	struct all *all = *state;
	stored(all, "a");
	stored(all, "b");
	all->serves = "a";
	for (int i = 0; i < 2; i++) {
		scan_begin(&all->view, 1);
		if (i == 0) {
			expect(all, JOB_RESTORE, "b");
			take_back(all);
		}
		list(all, 1, NULL, 0);
		look(all, "a", false);
		look(all, "b", false);
		end(all);
	}
}

static void known_models_are_looked_at_before_new_ones_up_to_the_limit(void **state)
{
	struct all *all = *state;
	const char *names[] = {"a", "b", "y", "z"};
	stored(all, "z")->restored = true;
	scan_begin(&all->view, 1);
	list(all, 1, names, 4);
	look(all, "z", true);
	look(all, "a", true);
	look(all, "b", true);
	expect(all, JOB_SWEEP, "");
	assert_int_equal(all->scan.folder.left_out.n, 1); /* y */
	take_back(all);
	assert_false(scan_next(&all->view, &all->job));
	assert_null(registry_find(&all->registry, "y"));
}

static void a_model_goes_with_its_files_but_not_with_the_device(void **state)
{
	struct all *all = *state;
	struct registry_model *model = stored(all, "a");
	model->restored = true;
	for (int i = 0; i < 3; i++) {
		scan_begin(&all->view, 1);
		list(all, i < 2 ? 1 : 2, NULL, 0);
		model->folder_scan = true;
		look(all, "a", i == 0);
		model->folder_scan = true;
		if (i > 0) {
			assert_int_equal(expect(all, JOB_GONE, "a")->removes, i == 1);
			take_back(all);
		}
		end(all);
	}
}

static void what_is_pinned_stays_without_its_files(void **state)
{
	struct all *all = *state;
	struct registry_model *model = stored(all, "a");
	model->restored = model->manifest.pinned = true;
	scan_begin(&all->view, 1);
	list(all, 1, NULL, 0);
	look(all, "a", false);
	model->folder_scan = true;
	end(all);
}

static void a_folder_that_cannot_be_listed_changes_nothing(void **state)
{
	struct all *all = *state;
	struct registry_model *model = stored(all, "a");
	all->log.level = LOG_LEVEL_ERROR;
	model->restored = model->folder_scan = true;
	scan_begin(&all->view, 1);
	expect(all, JOB_LIST, "")->code = -ENOENT;
	take_back(all);
	end(all);
	assert_true(model->folder_scan);
	assert_int_equal(all->scan.device, 0);
}

static void removed_models_above_the_limit_are_forgotten(void **state)
{
	struct all *all = *state;
	char name[] = "a";
	for (; name[0] < 'h'; name[0]++) {
		assert_non_null(registry_add(&all->registry, name));
	}
	registry_find(&all->registry, "a")->manifest.signed_newest = 7;
	scan_begin(&all->view, 1);
	list(all, 1, NULL, 0);
	expect(all, JOB_FORGET, "b");
	take_back(all);
	end(all);
	assert_int_equal(all->registry.n, 6);
	assert_null(registry_find(&all->registry, "b"));
}

#define scan_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scan_test(what_does_not_serve_is_restored_once),
		scan_test(known_models_are_looked_at_before_new_ones_up_to_the_limit),
		scan_test(a_model_goes_with_its_files_but_not_with_the_device),
		scan_test(what_is_pinned_stays_without_its_files),
		scan_test(a_folder_that_cannot_be_listed_changes_nothing),
		scan_test(removed_models_above_the_limit_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
