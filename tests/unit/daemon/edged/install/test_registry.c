/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/edged/install/registry.h"

static struct registry registry;
static const struct digest some = {{1}}, other = {{2}};

static int tear_down(void **state)
{
	(void)state;
	registry_deinit(&registry);
	return 0;
}

static struct registry_model *add(const char *name)
{
	struct registry_model *model = registry_add(&registry, name);
	assert_non_null(model);
	return model;
}

static void assert_names(const char *wanted)
{
	char names[128] = "";
	for (size_t i = 0; i < registry.n; i++) {
		strcat(names, registry.models[i]->manifest.name);
		strcat(names, " ");
	}
	assert_string_equal(names, wanted);
}

static void records_are_sorted_by_name_and_added_once(void **state)
{
	(void)state;
	struct registry_model *m = add("m");
	add("z");
	add("a");
	add("ma");
	assert_ptr_equal(add("m"), m);
	assert_names("a m ma z ");
	assert_ptr_equal(registry_find(&registry, "m"), m);
	assert_null(registry_find(&registry, "b"));
	assert_null(registry_find(&registry, "zz"));
	registry_drop(&registry, "b"); /* was never there */
	registry_drop(&registry, "a");
	registry_drop(&registry, "z");
	assert_names("m ma ");
}

static void many_records_stay_sorted(void **state)
{
	char name[16];
	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "m%02d", i * 17 % 40);
		add(name);
	}
	assert_int_equal(registry.n, 40);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "m%02d", i);
		assert_string_equal(registry.models[i]->manifest.name, name);
		assert_ptr_equal(registry_find(&registry, name), registry.models[i]);
	}
}

static void a_record_of_a_removed_model_is_no_known_model(void **state)
{
	(void)state;
	assert_false(registry_is_known(NULL));
	struct registry_model *model = add("a");
	assert_false(registry_is_known(model));
	model->folder_scan = true;
	assert_true(registry_is_known(model));
	model->folder_scan = false;
	model->manifest.active = some;
	assert_true(registry_is_known(model));
}

static void only_known_models_count_for_max_models(void **state)
{
	struct registry_model *model = NULL;
	(void)state;
	add("a")->manifest.active = some;
	add("b"); /* was removed */
	assert_int_equal(registry_find_or_add(&registry, "c", 1, &model, NULL), -ENOSPC);
	assert_null(model);
	assert_null(registry_find(&registry, "c"));
	assert_int_equal(registry_find_or_add(&registry, "b", 1, &model, NULL), -ENOSPC);
	assert_int_equal(registry_find_or_add(&registry, "a", 1, &model, NULL), 0);
	assert_ptr_equal(model, registry_find(&registry, "a"));
	assert_int_equal(registry_find_or_add(&registry, "c", 2, &model, NULL), 0);
	assert_string_equal(model->manifest.name, "c");
}

/* Two settled attempts: of @some, refused, and of @other. */
static struct registry_model *tried(const char *name)
{
	struct registry_model *model = add(name);
	model->n = 2;
	model->tried[0] = (struct registry_tried){
		.digest = some, .settled = true, .reason = "its signature is not trusted"};
	model->tried[1] = (struct registry_tried){.digest = other, .settled = true};
	return model;
}

static void changed_keys_make_refused_files_worth_another_try(void **state)
{
	(void)state;
	const struct registry_model *a = tried("a"), *b = tried("b");
	registry_retry(&registry);
	assert_false(a->tried[0].settled);
	assert_true(a->tried[1].settled);
	assert_false(b->tried[0].settled);
	assert_true(b->tried[1].settled);
}

static void a_digest_that_is_no_longer_bad_is_worth_another_try(void **state)
{
	(void)state;
	const struct registry_model *a = tried("a"), *b = tried("b");
	registry_retry_digest(&registry, &other);
	assert_true(a->tried[0].settled);
	assert_false(a->tried[1].settled);
	assert_true(b->tried[0].settled);
	assert_false(b->tried[1].settled);
}

static void an_invalidated_model_is_tried_anew_from_store_and_folder(void **state)
{
	(void)state;
	struct registry_model *a = tried("a"), *b = tried("b");
	a->restored = b->restored = true;
	registry_invalidate_model(a);
	assert_false(a->restored || a->tried[0].settled || a->tried[1].settled);
	assert_true(b->restored && b->tried[0].settled && b->tried[1].settled);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_sorted_by_name_and_added_once),
		TEST(many_records_stay_sorted),
		TEST(a_record_of_a_removed_model_is_no_known_model),
		TEST(only_known_models_count_for_max_models),
		TEST(changed_keys_make_refused_files_worth_another_try),
		TEST(a_digest_that_is_no_longer_bad_is_worth_another_try),
		TEST(an_invalidated_model_is_tried_anew_from_store_and_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
