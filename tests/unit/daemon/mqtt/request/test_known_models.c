/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "daemon/mqtt/request/known_models.h"
#include "tests/unit/daemon/temp_folder.h"

static struct known_models models;

static int teardown(void **state)
{
	(void)state;
	known_models_deinit(&models);
	return 0;
}

static int teardown_folder(void **state)
{
	teardown(NULL);
	return temp_folder_tear_down(state);
}

static struct model_entry *add(const char *name)
{
	struct model_entry *entry = known_models_add(&models, name);
	assert_non_null(entry);
	return entry;
}

static void fill(void)
{
	char name[16];
	for (int i = 0; i < MODELS_MAX; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		add(name)->listed = true;
	}
}

static void a_full_table_has_room_for_no_model_while_all_are_listed(void **state)
{
	(void)state;
	fill();
	assert_null(known_models_add(&models, "new"));
	known_models_find(&models, "m7")->listed = false;
	known_models_find(&models, "m7")->published.state = 5; /* its topics are to be emptied */
	assert_null(known_models_add(&models, "new"));
	known_models_find(&models, "m7")->published.state = 0;
	add("new");
	assert_null(known_models_find(&models, "m7"));
	assert_int_equal(models.n, MODELS_MAX);
}

static void a_removed_model_with_settings_goes_last(void **state)
{
	(void)state;
	fill();
	known_models_find(&models, "m1")->listed = false;
	known_models_find(&models, "m1")->off = true;
	known_models_find(&models, "m2")->listed = false;
	known_models_find(&models, "m2")->threshold = 0.5;
	known_models_find(&models, "m3")->listed = false;
	add("a")->listed = true;
	assert_null(known_models_find(&models, "m3"));
	add("b")->listed = true;
	assert_null(known_models_find(&models, "m1")); /* then the oldest */
	assert_non_null(known_models_find(&models, "m2"));
}

/* ---- descriptions */

static struct edge_client_tensor_info tensor(const char *name, int32_t a, int32_t b)
{
	return (struct edge_client_tensor_info){.name = name,
		.type = EDGE_CLIENT_FLOAT32,
		.shape = {.rank = 2, .dim = {a, b}},
		.declared = {.rank = 2, .dim = {-1, b}},
		.bytes = (uint64_t)(4 * a * b),
		.labels = ""};
}

static int describe(struct model_entry *entry, const struct edge_client_tensor_info *inputs,
	uint32_t n_inputs, const struct edge_client_tensor_info *outputs, uint32_t n_outputs,
	const char *labels)
{
	const struct edge_client_signature signature = {.key = "",
		.n_inputs = n_inputs,
		.n_outputs = n_outputs,
		.inputs = inputs,
		.outputs = outputs};
	const struct edge_client_model model = {.name = entry->name,
		.version = "1",
		.labels = labels,
		.generation = 9,
		.n_signatures = 1,
		.signatures = &signature};
	struct error err = {0};
	return known_models_describe(entry, &model, &err);
}

static void a_description_makes_a_model_usable(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 1, 2), out = tensor("y", 1, 3);
	(void)state;
	struct model_entry *entry = add("digits");
	entry->listed = true;
	entry->generation = 9;
	entry->response_bytes[MQTT_REQUEST_JSON] = 77; /* of an older version */
	assert_false(known_models_is_ready(entry));
	assert_int_equal(describe(entry, &in, 1, &out, 1, "a\nb\nc\n"), 0);
	assert_true(known_models_is_ready(entry));
	assert_int_equal(entry->described, 9);
	assert_int_equal(entry->inputs[0].bytes, 8);
	assert_int_equal(entry->outputs[0].shape.dim[1], 3);
	assert_int_equal(entry->outputs[0].declared.dim[0], -1);
	assert_int_equal(entry->labels.n, 3);
	assert_int_equal(entry->response_bytes[MQTT_REQUEST_JSON], 0);
	entry->generation = 0; /* not loaded */
	assert_false(known_models_is_ready(entry));
}

static void a_shape_that_only_a_run_decides_is_declared_as_it_was_told(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 1, 2);
	struct edge_client_tensor_info out = tensor("y", -1, 3);
	(void)state;
	out.run_time_shape = 1;
	out.declared.dim[0] = 5;
	struct model_entry *entry = add("digits");
	assert_int_equal(describe(entry, &in, 1, &out, 1, ""), 0);
	assert_int_equal(entry->outputs[0].declared.dim[0], -1);
}

static void a_model_with_more_tensors_than_fit_is_not_usable(void **state)
{
	struct edge_client_tensor_info many[MODELS_MAX_OUTPUTS + DECODE_MAX_INPUTS + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		many[i] = tensor("x", 1, 2);
	}
	struct model_entry *entry = add("digits");
	assert_int_equal(describe(entry, many, DECODE_MAX_INPUTS, many, MODELS_MAX_OUTPUTS, ""), 0);
	assert_true(entry->usable);
	assert_int_equal(describe(entry, many, DECODE_MAX_INPUTS + 1, many, 1, ""), 0);
	assert_false(entry->usable);
	assert_int_equal(entry->described, 9); /* it is not asked again */
	assert_int_equal(describe(entry, many, 1, many, MODELS_MAX_OUTPUTS + 1, ""), 0);
	assert_false(entry->usable);
	assert_int_equal(describe(entry, many, 0, many, 1, ""), 0);
	assert_false(entry->usable);
	assert_int_equal(describe(entry, many, 1, many, 0, ""), 0);
	assert_false(entry->usable);
}

static void the_kind_of_a_model_follows_from_its_outputs(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 2, 3), row = tensor("y", 1, 5),
					     one = tensor("y", 1, 1), table = tensor("y", 2, 3),
					     again = tensor("reconstruction", 2, 3),
					     other = tensor("reconstruction", 2, 4);
	const struct edge_client_tensor_info two[] = {row, row}, none = tensor("y", 1, 0);
	(void)state;
	struct model_entry *entry = add("digits");
	assert_int_equal(describe(entry, &in, 1, &row, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_CLASSES);
	assert_int_equal(describe(entry, &in, 1, &one, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_TENSORS);
	assert_int_equal(describe(entry, &in, 1, &none, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_TENSORS);
	assert_int_equal(describe(entry, &in, 1, &table, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_TENSORS);
	assert_int_equal(describe(entry, &in, 1, two, 2, ""), 0);
	assert_int_equal(entry->kind, MODELS_TENSORS);
	assert_int_equal(describe(entry, &in, 1, &again, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_ANOMALY);
	assert_int_equal(describe(entry, &in, 1, &other, 1, ""), 0);
	assert_int_equal(entry->kind, MODELS_TENSORS);
}

static void a_threshold_out_of_range_of_the_new_version_is_taken_back(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 2, 3), row = tensor("y", 1, 5),
					     again = tensor("reconstruction", 2, 3);
	(void)state;
	struct model_entry *entry = add("digits");
	entry->threshold = 7;
	assert_int_equal(describe(entry, &in, 1, &again, 1, ""), 0);
	assert_true(entry->threshold == 7);
	assert_int_equal(describe(entry, &in, 1, &row, 1, ""), 0);
	assert_true(isnan(entry->threshold));
	entry->threshold = 0.5;
	assert_int_equal(describe(entry, &in, 1, &row, 1, ""), 0);
	assert_true(entry->threshold == 0.5);
}

static void labels_of_the_output_go_before_labels_of_the_model(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 1, 2);
	struct edge_client_tensor_info outs[] = {tensor("y", 1, 2), tensor("z", 1, 2)};
	(void)state;
	outs[0].labels = "left\nright\n";
	struct model_entry *entry = add("digits");
	assert_int_equal(describe(entry, &in, 1, outs, 1, "a\nb\nc\n"), 0);
	assert_int_equal(entry->labels.n, 2);
	assert_int_equal(describe(entry, &in, 1, outs, 2, "a\nb\nc\n"), 0);
	assert_int_equal(entry->labels.n, 0); /* of which output would not be known */
}

static void a_forgotten_description_serves_until_the_next(void **state)
{
	const struct edge_client_tensor_info in = tensor("x", 1, 2), out = tensor("y", 1, 2);
	(void)state;
	struct model_entry *entry = add("digits");
	assert_int_equal(describe(entry, &in, 1, &out, 1, ""), 0);
	entry->taught = 4;
	known_models_forget_description(&models, "letters");
	assert_int_equal(entry->described, 9);
	known_models_forget_description(&models, "digits");
	assert_int_equal(entry->described, 0);
	assert_int_equal(entry->taught, 0);
	assert_true(entry->usable);
}

/* ---- settings */

static void settings_that_were_written_are_read_again(void **state)
{
	const struct temp_folder *folder = *state;
	struct bytes_writer w = {0};
	struct error err = {0};
	add("a")->off = true;
	add("b")->threshold = 0.1;
	add("c");
	known_models_write_settings(&models, &w);
	bytes_write_u8(&w, 0);
	temp_folder_put(folder, "set.conf", (const char *)w.data);
	bytes_writer_deinit(&w);
	known_models_deinit(&models);
	assert_int_equal(known_models_load_settings(&models, folder->path, &err), 0);
	assert_int_equal(models.n, 2);
	assert_true(known_models_find(&models, "a")->off);
	assert_true(isnan(known_models_find(&models, "a")->threshold));
	assert_false(known_models_find(&models, "b")->off);
	assert_true(known_models_find(&models, "b")->threshold == 0.1);
}

static void a_wrong_line_of_the_settings_is_skipped_and_the_first_is_told(void **state)
{
	const struct temp_folder *folder = *state;
	struct error err = {0};
	temp_folder_put(folder, "set.conf",
		"[a]\nthreshold = high\nenable = no\n[b]\nthreshold = low\n"
		"[NO NAME]\nenable = no\n[c]\nthreshold = 0.25\n");
	assert_int_equal(known_models_load_settings(&models, folder->path, &err), -EINVAL);
	assert_memory_equal(err.text, "set.conf:2", 10);
	assert_int_equal(models.n, 3);
	assert_true(known_models_find(&models, "a")->off);
	assert_true(known_models_find(&models, "c")->threshold == 0.25);
}

static void without_a_folder_or_file_there_are_no_settings(void **state)
{
	const struct temp_folder *folder = *state;
	struct error err = {0};
	assert_int_equal(known_models_load_settings(&models, "", &err), 0);
	assert_int_equal(known_models_load_settings(&models, folder->path, &err), 0);
	assert_int_equal(models.n, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)
#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, temp_folder_set_up, teardown_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_table_has_room_for_no_model_while_all_are_listed),
		TEST(a_removed_model_with_settings_goes_last),
		TEST(a_description_makes_a_model_usable),
		TEST(a_shape_that_only_a_run_decides_is_declared_as_it_was_told),
		TEST(a_model_with_more_tensors_than_fit_is_not_usable),
		TEST(the_kind_of_a_model_follows_from_its_outputs),
		TEST(a_threshold_out_of_range_of_the_new_version_is_taken_back),
		TEST(labels_of_the_output_go_before_labels_of_the_model),
		TEST(a_forgotten_description_serves_until_the_next),
		FOLDER_TEST(settings_that_were_written_are_read_again),
		FOLDER_TEST(a_wrong_line_of_the_settings_is_skipped_and_the_first_is_told),
		FOLDER_TEST(without_a_folder_or_file_there_are_no_settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
