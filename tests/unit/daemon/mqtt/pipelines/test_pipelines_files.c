/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/unit/daemon/log_to.h"
#include "tests/unit/daemon/temp_folder.h"

#define DIGIT                                                                                      \
	"[source]\nkind = picture\n[model]\nname = digits\n"                                       \
	"[post]\nkind = classes\nthreshold = 0.5\n"
#define FACE                                                                                       \
	"[source]\nkind = picture\n[model]\nname = face\n"                                         \
	"[post]\nkind = embedding\nmax-distance = 0.3\n"

static struct bridge bridge; /* too large for the stack */
static struct pipelines *const pipelines = &bridge.pipelines;

static int setup(void **state)
{
	assert_int_equal(temp_folder_set_up(state), 0);
	const struct temp_folder *folder = *state;
	fake_bridge_start(&bridge, 10, 100);
	log_to(&bridge.log, folder->fd, LOG_LEVEL_ERROR); /* a folder takes no lines */
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	return 0;
}

static int teardown(void **state)
{
	fake_bridge_end(&bridge);
	return temp_folder_tear_down(state);
}

/* Returns the number of files that were refused. */
static size_t load(void)
{
	size_t bad = SIZE_MAX;
	assert_int_equal(pipelines_load(pipelines, &bad, NULL), 0);
	return bad;
}

static void unlink_file(const struct temp_folder *folder, const char *name)
{
	assert_int_equal(unlinkat(folder->fd, name, 0), 0);
}

static void a_pipeline_has_the_name_of_its_file(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	temp_folder_put(*state, "face.conf", FACE);
	temp_folder_put(*state, "digit.txt", "no pipeline");
	assert_int_equal(load(), 0);
	assert_int_equal(pipelines->n, 2);
	assert_non_null(pipelines_find(pipelines, "digit"));
	assert_non_null(pipelines_find(pipelines, "face"));
	assert_null(pipelines_find(pipelines, "letter"));
	assert_true(pipelines_find(pipelines, "digit")->own_threshold == 0.5);
	assert_true(isnan(pipelines_find(pipelines, "digit")->threshold)); /* not set over MQTT */
	assert_string_equal((const char *)pipelines_find(pipelines, "digit")->file.data, DIGIT);
	assert_int_equal(pipelines_find(pipelines, "digit")->file.size, strlen(DIGIT));
}

static void the_word_none_means_no_pipelines(void **state)
{
	const struct temp_folder *folder = *state;
	assert_int_equal(mkdirat(folder->fd, "none", 0755), 0);
	temp_folder_put(folder, "none/digit.conf", DIGIT);
	assert_int_equal(fchdir(folder->fd), 0);
	strcpy(bridge.settings.pipelines, "none");
	assert_int_equal(load(), 0);
	assert_int_equal(pipelines->n, 0);
	assert_int_equal(chdir("/"), 0);
}

static void a_file_that_cannot_be_a_pipeline_is_counted_and_left_out(void **state)
{
	temp_folder_put(*state, "empty.conf", "");
	temp_folder_put(*state, "wrong.conf", "[source]\nkind = smell\n");
	temp_folder_put(*state, "two words.conf", DIGIT); /* no level of a topic */
	temp_folder_put(*state, "model.conf",
		"[source]\nkind = picture\n[model]\nname = Digits\n[post]\nkind = classes\n");
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 4);
	assert_int_equal(pipelines->n, 1);
	assert_string_equal(pipelines->items[0]->name, "digit");
	assert_int_equal(pipelines->n_models, 1);
}

static void a_file_above_one_mebibyte_is_refused(void **state)
{
	const size_t max = 1u << 20;
	char *text = malloc(max + 2);
	assert_non_null(text);
	memset(text, '\n', max + 1);
	memcpy(text, DIGIT, strlen(DIGIT));
	text[max] = 0;
	temp_folder_put(*state, "digit.conf", text);
	assert_int_equal(load(), 0);
	text[max] = '\n';
	text[max + 1] = 0;
	temp_folder_put(*state, "digit.conf", text);
	assert_int_equal(load(), 1);
	free(text);
}

static void settings_and_sources_outlive_a_changed_file(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 0);
	struct error err = {0};
	bool changed = false;
	struct mqtt_pipeline *pipeline = pipelines->items[0];
	pipelines_add_known_source(pipelines, bridge.brokers.connections[0], "digit", "cam");
	pipeline->sources[0].unpublished = strdup("{}");
	strcpy(pipeline->wait_reason, "edged is away");
	pipeline->off = true;
	assert_int_equal(pipelines_set_threshold(pipelines, pipeline, "0.75", &changed, &err), 0);
	pipeline->state_hash = 11;
	temp_folder_put(*state, "digit.conf", DIGIT "top-k = 2\n");
	assert_int_equal(load(), 0);
	pipeline = pipelines->items[0];
	assert_non_null(strstr((const char *)pipeline->file.data, "top-k"));
	assert_int_equal(pipeline->n_sources, 1);
	assert_string_equal(pipeline->sources[0].name, "cam");
	assert_string_equal(pipeline->sources[0].unpublished, "{}");
	assert_string_equal(pipeline->wait_reason, "edged is away");
	assert_true(pipeline->off);
	assert_true(pipeline->threshold == 0.75);
	assert_true(pipeline_threshold(pipeline->parsed) == 0.75);
	assert_true(pipeline->own_threshold == 0.5);
	assert_int_equal(pipeline->state_hash, 11);
}

static void a_file_that_became_wrong_keeps_its_earlier_version(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 0);
	const struct mqtt_pipeline *before = pipelines->items[0];
	temp_folder_put(*state, "digit.conf", "[source]\nkind = smell\n");
	assert_int_equal(load(), 1);
	assert_int_equal(pipelines->n, 1);
	assert_ptr_equal(pipelines->items[0], before);
	assert_string_equal(before->file.data, DIGIT);
}

static void a_removed_file_ends_its_pipeline(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	temp_folder_put(*state, "face.conf", FACE);
	assert_int_equal(load(), 0);
	unlink_file(*state, "digit.conf");
	assert_int_equal(load(), 0);
	assert_int_equal(pipelines->n, 1);
	assert_string_equal(pipelines->items[0]->name, "face");
	assert_null(pipelines_find(pipelines, "digit"));
	assert_int_equal(pipelines->n_models, 1); /* and its model */
	assert_string_equal(pipelines->models[0].name, "face");
}

static void pipelines_above_the_limit_are_refused(void **state)
{
	char name[32];
	for (int i = 0; i <= PIPELINES_MAX; i++) {
		snprintf(name, sizeof(name), "p%03d.conf", i);
		temp_folder_put(*state, name, DIGIT);
	}
	assert_int_equal(load(), 1);
	assert_int_equal(pipelines->n, PIPELINES_MAX);
	assert_int_equal(pipelines->n_models, 1); /* all share one model */
}

/* ---- models */

/* Describes "digits": one output of 2 x 5 numbers. */
static void describe_digits(void)
{
	static const struct edge_client_tensor_info input = {.name = "x",
							    .type = EDGE_CLIENT_FLOAT32,
							    .shape = {.rank = 2, .dim = {1, 2}},
							    .declared = {.rank = 2, .dim = {1, 2}},
							    .bytes = 8,
							    .labels = ""},
						    output = {.name = "y",
							    .type = EDGE_CLIENT_FLOAT32,
							    .shape = {.rank = 2, .dim = {2, 5}},
							    .declared = {.rank = 2, .dim = {2, 5}},
							    .bytes = 40,
							    .labels = ""};
	static const struct edge_client_signature signature = {
		.key = "", .n_inputs = 1, .n_outputs = 1, .inputs = &input, .outputs = &output};
	static const struct edge_client_model model = {.name = "digits",
		.version = "1",
		.title = "",
		.description = "",
		.author_version = "",
		.labels = "",
		.generation = 1,
		.n_signatures = 1,
		.signatures = &signature};
	pipelines_describe(pipelines, &model);
}

static void a_described_model_goes_to_the_child_and_its_size_is_known(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 0);
	struct mqtt_pipeline *pipeline = pipelines->items[0];
	assert_int_equal(pipelines_count_numbers(pipelines, pipeline), 0);
	bridge.models.listed = true;
	assert_false(pipelines_are_models_described(pipelines, pipeline));
	describe_digits();
	assert_true(pipelines_are_models_described(pipelines, pipeline));
	assert_int_equal(pipelines_count_numbers(pipelines, pipeline), 10);
	assert_true(pipelines->models[0].send_frame);
	assert_true(pipelines->models[0].frame.size > 5);
	bridge.models.listed = false; /* models may have gone */
	assert_false(pipelines_are_models_described(pipelines, pipeline));
}

static void a_model_that_edged_no_longer_lists_is_gone_for_the_child(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 0);
	struct model_entry *model = fake_bridge_model(&bridge);
	describe_digits();
	pipelines->models[0].send_frame = false;
	pipelines_check_models(pipelines);
	assert_false(pipelines->models[0].send_frame);
	model->listed = false;
	pipelines_check_models(pipelines);
	assert_true(pipelines->models[0].send_frame);
	assert_false(pipelines->models[0].is_served);
	assert_int_equal(pipelines_count_numbers(pipelines, pipelines->items[0]), 0);
}

static void while_edged_is_away_the_described_models_are_withdrawn_from_the_worker(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	temp_folder_put(*state, "face.conf", FACE);
	assert_int_equal(load(), 0);
	describe_digits();
	pipelines_reset_sources(pipelines);
	assert_true(pipelines->models[0].send_removal);
	assert_false(pipelines->models[1].send_removal); /* was not described */
}

static void examples_of_a_model_are_sent_and_their_end_is_sent_once(void **state)
{
	temp_folder_put(*state, "face.conf", FACE);
	assert_int_equal(load(), 0);
	const struct pipelines_model *model = &pipelines->models[0];
	pipelines_set_examples(pipelines, "face", ""); /* there never were any */
	assert_false(model->send_examples);
	pipelines_set_examples(pipelines, "digits", "a 1\n");
	assert_false(model->send_examples);
	pipelines_set_examples(pipelines, "face", "a 1\n");
	assert_true(model->send_examples);
	const size_t size = model->examples.size;
	pipelines_set_examples(pipelines, "face", "");
	assert_true(model->send_examples);
	assert_true(model->examples.size > 0 && model->examples.size < size);
}

/* Returns why the first pipeline waits. */
static const char *needs(void)
{
	pipelines_check_needs(pipelines);
	return pipelines->items[0]->wait_reason;
}

static void a_pipeline_tells_what_it_waits_for(void **state)
{
	temp_folder_put(*state, "digit.conf", DIGIT);
	assert_int_equal(load(), 0);
	assert_string_equal(needs(), ""); /* edged has not told its models yet */
	bridge.models.listed = true;
	assert_string_equal(needs(), "there is no model digits");
	struct model_entry *model = fake_bridge_model(&bridge);
	model->generation = 0;
	strcpy(model->state, "refused");
	assert_string_equal(needs(), "model digits is refused");
	strcpy(model->reason, "no memory");
	assert_string_equal(needs(), "model digits is refused: no memory");
	model->generation = 2;
	model->described = 0;
	assert_string_equal(needs(), ""); /* its description is to come */
	model->described = 2;
	assert_string_equal(needs(), "model digits has no signature ");
	describe_digits();
	assert_string_equal(needs(), "");
	bridge.edged.away = true;
	assert_string_equal(needs(), "edged is away");
}

static void an_embedding_waits_for_examples_that_cannot_be_read(void **state)
{
	temp_folder_put(*state, "face.conf", FACE);
	assert_int_equal(load(), 0);
	struct model_entry *model = known_models_add(&bridge.models, "face");
	model->listed = true;
	bridge.models.listed = true;
	model->generation = 1;
	assert_string_equal(needs(), "");
	strcpy(model->no_examples, "too many");
	assert_string_equal(needs(), "the examples of model face: too many");
}

static void a_pipeline_that_begins_to_wait_resets_its_sources_once(void **state)
{
	temp_folder_put(*state, "digit.conf",
		"[source]\nkind = picture\n[model]\nname = digits\n"
		"[post]\nkind = classes\n[decision]\nlabels = a\nthreshold = 0.5\n");
	assert_int_equal(load(), 0);
	bridge.models.listed = true;
	pipelines_add_known_source(pipelines, bridge.brokers.connections[0], "digit", "cam");
	pipelines->items[0]->sources[0].has_published = true;
	needs();
	const size_t n = bridge.brokers.connections[0]->outbox.n;
	assert_int_equal(n, 1);
	assert_string_equal(
		fake_bridge_newest(&bridge, 0)->topic, "edged/gw1/pipeline/digit/last/cam");
	assert_true(fake_bridge_says(fake_bridge_newest(&bridge, 0), "\"active\":0"));
	outbox_drop(&bridge.brokers.connections[0]->outbox,
		bridge.brokers.connections[0]->outbox.first);
	needs();
	assert_int_equal(bridge.brokers.connections[0]->outbox.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pipeline_has_the_name_of_its_file),
		TEST(the_word_none_means_no_pipelines),
		TEST(a_file_that_cannot_be_a_pipeline_is_counted_and_left_out),
		TEST(a_file_above_one_mebibyte_is_refused),
		TEST(settings_and_sources_outlive_a_changed_file),
		TEST(a_file_that_became_wrong_keeps_its_earlier_version),
		TEST(a_removed_file_ends_its_pipeline),
		TEST(pipelines_above_the_limit_are_refused),
		TEST(a_described_model_goes_to_the_child_and_its_size_is_known),
		TEST(a_model_that_edged_no_longer_lists_is_gone_for_the_child),
		TEST(while_edged_is_away_the_described_models_are_withdrawn_from_the_worker),
		TEST(examples_of_a_model_are_sent_and_their_end_is_sent_once),
		TEST(a_pipeline_tells_what_it_waits_for),
		TEST(an_embedding_waits_for_examples_that_cannot_be_read),
		TEST(a_pipeline_that_begins_to_wait_resets_its_sources_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
