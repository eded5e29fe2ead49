/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "tests/fakes/fake_bridge.h"
#include "tests/unit/daemon/temp_folder.h"

#define DIGIT                                                                                      \
	"[source]\nkind = picture\n[model]\nname = digits\n"                                       \
	"[post]\nkind = classes\nthreshold = 0.5\n"

static struct bridge bridge; /* too large for the stack */

/* Model "digits", pipeline "digit", and a state folder. */
static int setup(void **state)
{
	size_t bad = 1;
	assert_int_equal(temp_folder_set_up(state), 0);
	const struct temp_folder *folder = *state;
	fake_bridge_start(&bridge, 10, 100);
	fake_bridge_model(&bridge)->kind = MODELS_CLASSES;
	temp_folder_put(folder, "digit.conf", DIGIT);
	snprintf(bridge.settings.pipelines, sizeof(bridge.settings.pipelines), "%s", folder->path);
	assert_int_equal(pipelines_load(&bridge.pipelines, &bad, NULL), 0);
	assert_int_equal(bad, 0);
	strcpy(bridge.settings.commands, "threshold enable");
	state_file_init(
		&bridge.commands.models_file, &bridge.loop, &bridge.log, folder->path, "set");
	state_file_init(&bridge.commands.pipelines_file, &bridge.loop, &bridge.log, folder->path,
		"pipelines");
	return 0;
}

static int teardown(void **state)
{
	uv_run(&bridge.loop, UV_RUN_NOWAIT);
	while (!state_file_is_idle(&bridge.commands.models_file) ||
		!state_file_is_idle(&bridge.commands.pipelines_file)) {
		uv_run(&bridge.loop, UV_RUN_ONCE);
	}
	state_file_deinit(&bridge.commands.models_file);
	state_file_deinit(&bridge.commands.pipelines_file);
	fake_bridge_end(&bridge);
	return temp_folder_tear_down(state);
}

static void command_bytes(const char *model, const char *key, const void *value, size_t size)
{
	const struct mosq_message message = {.payload = value, .size = size};
	command_message(&bridge, bridge.brokers.connections[0], model, key, &message);
}

static void command(const char *model, const char *key, const char *value)
{
	command_bytes(model, key, value, strlen(value));
}

static void pipeline_command(const char *pipeline, const char *key, const char *value)
{
	const struct mosq_message message = {.payload = value, .size = strlen(value)};
	command_pipeline_message(&bridge, bridge.brokers.connections[0], pipeline, key, &message);
}

static struct model_entry *digits(void)
{
	return known_models_find(&bridge.models, "digits");
}

/* Returns the text of a file that the state folder has once all is written. */
static void assert_written(const struct temp_folder *folder, const char *name, const char *wanted)
{
	char text[256] = "";
	while (!state_file_is_idle(&bridge.commands.models_file) ||
		!state_file_is_idle(&bridge.commands.pipelines_file)) {
		uv_run(&bridge.loop, UV_RUN_ONCE);
	}
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
	if (!wanted) {
		assert_int_equal(fd, -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static void assert_refused(const char *topic, const char *code, const char *why)
{
	const struct outbox_message *newest = fake_bridge_newest(&bridge, 0);
	assert_string_equal(newest->topic, topic);
	assert_true(fake_bridge_says(newest, code));
	assert_true(fake_bridge_says(newest, why));
	assert_false(newest->retain);
}

static void a_switch_is_on_or_off_in_four_words_each(void **state)
{
	static const char *const yes[] = {"ON", "on", "1", "true", "Yes"};
	static const char *const no[] = {"OFF", "Off", "0", "FALSE", "no"};
	static const char *const neither[] = {"", "2", "onn", "o", "ON "};
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		bool on = false;
		assert_int_equal(command_parse_switch(yes[i], &on), 0);
		assert_true(on);
		assert_int_equal(command_parse_switch(no[i], &on), 0);
		assert_false(on);
		on = true;
		assert_int_equal(command_parse_switch(neither[i], &on), -EINVAL);
		assert_true(on);
	}
}

static void a_model_that_is_switched_off_stays_off_on_disk(void **state)
{
	command("digits", "enable", "OFF");
	assert_true(digits()->off);
	assert_int_equal(bridge.counts.commands, 1);
	assert_written(*state, "set.conf", "[digits]\nenable = no\n");
	command("digits", "enable", "ON");
	assert_false(digits()->off);
	assert_int_equal(bridge.counts.commands, 2);
	assert_int_equal(bridge.counts.refused, 0);
}

static void a_threshold_is_set_and_taken_back(void **state)
{
	command("digits", "threshold", "0.25");
	assert_true(digits()->threshold == 0.25);
	assert_written(*state, "set.conf", "[digits]\nenable = yes\nthreshold = 0.25\n");
	command("digits", "threshold", "");
	assert_true(isnan(digits()->threshold)); /* the model's own */
	assert_int_equal(bridge.counts.commands, 2);
}

static void a_command_that_changes_nothing_writes_no_file(void **state)
{
	command("digits", "enable", "ON");
	command("digits", "threshold", "");
	assert_int_equal(bridge.counts.commands, 2);
	assert_written(*state, "set.conf", NULL);
}

static void a_key_outside_of_commands_is_denied(void **state)
{
	(void)state;
	strcpy(bridge.settings.commands, "threshold");
	command("digits", "enable", "OFF");
	assert_false(digits()->off);
	assert_refused(
		"edged/gw1/digits/error", "\"error\":\"DENIED\"", "enable is none of commands");
	pipeline_command("digit", "enable", "OFF");
	assert_false(bridge.pipelines.items[0]->off);
	assert_refused("edged/gw1/pipeline/digit/error/set", "\"error\":\"DENIED\"",
		"enable is none of commands");
	assert_int_equal(bridge.counts.refused, 2);
	assert_int_equal(bridge.counts.commands, 0);
}

static void a_model_that_is_not_listed_is_not_found(void **state)
{
	(void)state;
	command("letters", "enable", "OFF");
	assert_refused("edged/gw1/letters/error", "\"error\":\"NOT_FOUND\"", "no such model");
	digits()->listed = false;
	command("digits", "enable", "OFF");
	assert_false(digits()->off);
	assert_refused("edged/gw1/digits/error", "\"error\":\"NOT_FOUND\"", "no such model");
	pipeline_command("letter", "enable", "OFF");
	assert_refused("edged/gw1/pipeline/letter/error/set", "\"error\":\"NOT_FOUND\"",
		"no such pipeline");
	assert_int_equal(bridge.counts.refused, 3);
}

static void a_value_is_a_text_of_at_most_31_bytes(void **state)
{
	(void)state;
	command("digits", "threshold", "0.2500000000000000000000000000"); /* 30 */
	assert_true(digits()->threshold == 0.25);
	command("digits", "threshold", "0.12500000000000000000000000000"); /* 31 */
	assert_true(digits()->threshold == 0.125);
	command("digits", "threshold", "0.500000000000000000000000000000"); /* 32 */
	assert_refused("edged/gw1/digits/error", "\"error\":\"INVALID\"", "up to 31 bytes");
	command_bytes("digits", "enable", "OFF", 4); /* with its zero byte */
	assert_refused("edged/gw1/digits/error", "\"error\":\"INVALID\"", "up to 31 bytes");
	assert_true(digits()->threshold == 0.125);
	assert_false(digits()->off);
}

static void a_wrong_value_is_refused_and_changes_nothing(void **state)
{
	command("digits", "threshold", "1.5"); /* of classes: up to 1 */
	assert_true(isnan(digits()->threshold));
	command("digits", "enable", "maybe");
	assert_refused("edged/gw1/digits/error", "\"error\":\"INVALID\"", "enable is ON or OFF");
	assert_int_equal(bridge.counts.refused, 2);
	pipeline_command("digit", "enable", "maybe");
	assert_false(bridge.pipelines.items[0]->off);
	assert_int_equal(bridge.counts.refused, 3);
	assert_written(*state, "set.conf", NULL);
	assert_written(*state, "pipelines.conf", NULL);
}

static void a_threshold_of_an_anomaly_may_be_above_one(void **state)
{
	(void)state;
	digits()->kind = MODELS_ANOMALY;
	command("digits", "threshold", "1.5");
	assert_true(digits()->threshold == 1.5);
}

static void a_pipeline_that_is_switched_off_stays_off_on_disk(void **state)
{
	pipeline_command("digit", "enable", "OFF");
	assert_true(bridge.pipelines.items[0]->off);
	assert_written(*state, "pipelines.conf", "[digit]\nenable = no\n");
	pipeline_command("digit", "enable", "off");
	assert_int_equal(bridge.counts.commands, 2);
	assert_written(*state, "set.conf", NULL); /* that file is the models' */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_switch_is_on_or_off_in_four_words_each),
		TEST(a_model_that_is_switched_off_stays_off_on_disk),
		TEST(a_threshold_is_set_and_taken_back),
		TEST(a_command_that_changes_nothing_writes_no_file),
		TEST(a_key_outside_of_commands_is_denied),
		TEST(a_model_that_is_not_listed_is_not_found),
		TEST(a_value_is_a_text_of_at_most_31_bytes),
		TEST(a_wrong_value_is_refused_and_changes_nothing),
		TEST(a_threshold_of_an_anomaly_may_be_above_one),
		TEST(a_pipeline_that_is_switched_off_stays_off_on_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
