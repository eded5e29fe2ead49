/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation, mapping and call on files of a run fails once in turn, in runs that change what a
 * session holds: variables, and checkpoints. A run that fails must leave all as it was, and the
 * session usable.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "base/strings.h"
#include "engine/edge.h"
#include "tests/fakes/fault.h"

#define MODEL "tests/data/CALL_ONCE_train/model.tflite"
#define MOST_CALLS 1000

/* A session of the model whose variable "sum" starts as 1 2 3, and a folder for its files. */
struct fixture {
	struct edge_model *model;
	struct edge_session *session;
	char path[40];
	int folder;
	_Alignas(16) uint8_t name[64];
};

static void start(struct fixture *f)
{
	const struct edge_options options = {.backends = backends_builtin(), .cpu_features = ~0ull};
	fault_arm(0);
	strcpy(f->path, "/tmp/edged-faults-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->folder = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->folder >= 0);
	assert_int_equal(edge_model_open_file(MODEL, &options, &f->model, NULL), 0);
	assert_int_equal(edge_session_new(f->model, 0, &f->session, NULL), 0);
	edge_session_set_checkpoints(f->session, f->folder, 1 << 20);
}

static void finish(struct fixture *f)
{
	edge_session_free(f->session);
	edge_model_unref(f->model);
	unlinkat(f->folder, "one", 0);
	close(f->folder);
	assert_int_equal(rmdir(f->path), 0); /* there is nothing else */
}

static int enter(struct fixture *f, const char *key, struct error *err)
{
	return edge_session_enter(f->session,
		edge_model_find_signature(f->model, key) < 0
			? UINT32_MAX
			: (uint32_t)edge_model_find_signature(f->model, key),
		err);
}

/* Adds 1 to each element. */
static int train(struct fixture *f, struct error *err)
{
	_Alignas(16) static const float ones[] = {1, 1, 1};
	int r = enter(f, "train", err);
	r = r < 0 ? r : edge_session_bind_input(f->session, 0, ones, sizeof(ones), err);
	return r < 0 ? r : edge_session_run(f->session, NULL, err);
}

/* Runs the signature that takes the file's name. */
static int run_on_file(struct fixture *f, const char *key, struct error *err)
{
	struct strings_writer w = strings_writer_of(f->name, 1);
	strings_put(&w, "one", 3);
	int r = enter(f, key, err);
	r = r < 0 ? r : edge_session_bind_input(f->session, 0, f->name, w.end, err);
	return r < 0 ? r : edge_session_run(f->session, NULL, err);
}

static int save(struct fixture *f, struct error *err)
{
	return run_on_file(f, "save", err);
}

static int restore(struct fixture *f, struct error *err)
{
	return run_on_file(f, "restore", err);
}

static float first_of_sum(struct fixture *f)
{
	uint64_t bytes = 0;
	assert_int_equal(enter(f, "infer", NULL), 0);
	assert_int_equal(edge_session_run(f->session, NULL, NULL), 0);
	const float *sum = edge_session_output(f->session, 0, &bytes);
	assert_non_null(sum);
	assert_int_equal(bytes, 12);
	assert_true(sum[1] == sum[0] + 1 && sum[2] == sum[0] + 2);
	return sum[0];
}

/* Restores the file and looks. */
static float first_of_file(struct fixture *f)
{
	assert_int_equal(restore(f, NULL), 0);
	return first_of_sum(f);
}

/* Runs @step with call @nth failing. False when there are fewer calls. */
static bool try_step(struct fixture *f, int (*step)(struct fixture *f, struct error *err),
	unsigned long nth, int *ret_result)
{
	struct error err = {0};
	assert_in_range(nth, 1, MOST_CALLS);
	fault_arm(nth);
	int r = step(f, &err);
	bool fired = fault_fired();
	fault_arm(0);
	assert_true(r == 0 || (err.code == r && err.text[0] != 0));
	assert_true(r == 0 || fired);
	*ret_result = r;
	return fired;
}

static void a_run_that_fails_leaves_variables_as_they_were(void **state)
{
	(void)state;
	bool more = true;
	for (unsigned long nth = 1; more; nth++) {
		struct fixture f = {0};
		int r = 0;
		start(&f);
		more = try_step(&f, train, nth, &r);
		float now = first_of_sum(&f);
		assert_true(now == (r == 0 ? 2 : 1));
		assert_int_equal(train(&f, NULL), 0);
		assert_true(first_of_sum(&f) == now + 1);
		finish(&f);
	}
}

static void a_save_that_fails_leaves_the_file_as_it_was(void **state)
{
	(void)state;
	bool more = true;
	for (unsigned long nth = 1; more; nth++) {
		struct fixture f = {0};
		int r = 0;
		start(&f);
		assert_int_equal(save(&f, NULL), 0); /* 1 */
		assert_int_equal(train(&f, NULL), 0);
		more = try_step(&f, save, nth, &r); /* 2 */
		assert_true(first_of_sum(&f) == 2);
		assert_true(first_of_file(&f) == (r == 0 ? 2 : 1));
		assert_int_equal(save(&f, NULL), 0);
		finish(&f);
	}
}

static void a_restore_that_fails_changes_nothing(void **state)
{
	(void)state;
	bool more = true;
	for (unsigned long nth = 1; more; nth++) {
		struct fixture f = {0};
		int r = 0;
		start(&f);
		assert_int_equal(save(&f, NULL), 0); /* 1 */
		assert_int_equal(train(&f, NULL), 0); /* 2 */
		more = try_step(&f, restore, nth, &r);
		assert_true(first_of_sum(&f) == (r == 0 ? 1 : 2));
		assert_true(first_of_file(&f) == 1);
		finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_fails_leaves_variables_as_they_were),
		cmocka_unit_test(a_save_that_fails_leaves_the_file_as_it_was),
		cmocka_unit_test(a_restore_that_fails_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
