/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run that is like the one before asks nobody for memory: not the allocator, not the system. All of it
 * was there when the session was opened, or has stayed from the runs before. Nodes of which only a run
 * knows the shapes or the parameters are left out: they are prepared for each run.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "engine/edge.h"
#include "tests/fakes/fault.h"

#define DATA "tests/data"
#define RUNS 3
#define LEAST_MODELS 300 /* of those in DATA that run with zeros */

static int find_run_time(void *context, const struct edge_step *step)
{
	*(bool *)context |= step->place == EDGE_PLACE_RUN_TIME;
	return 0;
}

static bool has_run_time(const struct edge_model *model)
{
	bool found = false;
	assert_int_equal(edge_model_steps(model, 0, find_run_time, &found), 0);
	return found;
}

/* False where the model is refused, has shapes that only a run knows, or cannot run with zeros. */
static bool runs(const char *path, const struct run_control *control)
{
	const struct edge_options options = {
		.backends = backends_builtin(), .cpu_features = ~0ull, .threads = 2};
	owned(edge_model_unref) struct edge_model *model = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	if (edge_model_open_file(path, &options, &model, NULL) < 0 || has_run_time(model) ||
		edge_session_new(model, 0, &session, NULL) < 0 ||
		edge_session_run(session, control, NULL) < 0 ||
		edge_session_run(session, control, NULL) < 0) {
		return false;
	}
	fault_arm(0);
	for (unsigned int i = 0; i < RUNS; i++) {
		assert_int_equal(edge_session_run(session, control, NULL), 0);
	}
	if (fault_calls() != 0) {
		fail_msg("%s: %lu calls in %d runs", path, fault_calls(), RUNS);
	}
	return true;
}

static unsigned int all_run(const struct run_control *control)
{
	unsigned int n = 0;
	DIR *dir = opendir(DATA);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[512];
		snprintf(path, sizeof(path), DATA "/%s/model.tflite", entry->d_name);
		n += entry->d_name[0] != '.' && !strstr(path, "_run_time") && runs(path, control);
	}
	closedir(dir);
	return n;
}

static void no_model_asks_for_memory(void **state)
{
	(void)state;
	assert_in_range(all_run(NULL), LEAST_MODELS, 10 * LEAST_MODELS);
}

static void nor_with_a_team(void **state)
{
	(void)state;
	owned(backends_team_free) struct team *team = NULL;
	assert_int_equal(backends_team_new(2, true, &team, NULL), 0);
	const struct run_control control = {.team = team};
	assert_in_range(all_run(&control), LEAST_MODELS, 10 * LEAST_MODELS);
}

static void nor_does_mobilenet(void **state)
{
	(void)state;
	static const char path[] = "../shared/models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite";
	if (access(path, R_OK) != 0) {
		print_message("SKIPPED: %s is not there\n", path);
		return;
	}
	assert_true(runs(path, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_model_asks_for_memory),
		cmocka_unit_test(nor_with_a_team),
		cmocka_unit_test(nor_does_mobilenet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
