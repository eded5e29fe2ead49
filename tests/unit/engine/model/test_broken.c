/* SPDX-License-Identifier: Apache-2.0 */
/* A model whose file is cut while it is open, as a disk does that gives no page of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/backends.h"
#include "base/clock.h"
#include "base/mapped.h"
#include "engine/edge.h"
#include "tests/unit/bus_address.h"

#define MODEL "packaging/models/digits.tflite"
#define THREADS 4

static int copy(const char *from_path)
{
	char path[] = "/var/tmp/edged-broken-XXXXXX";
	static char bytes[1 << 20];
	int to = mkstemp(path);
	owned_fd int from = open(from_path, O_RDONLY | O_CLOEXEC);
	assert_true(to >= 0 && from >= 0);
	unlink(path);
	ssize_t n = read(from, bytes, sizeof(bytes));
	assert_true(n > 0);
	assert_int_equal(write(to, bytes, (size_t)n), n);
	return to;
}

static int run(struct edge_session *session, struct team *team, struct error *err)
{
	const struct run_control control = {.team = team};
	return edge_session_run(session, &control, err);
}

/* Every case of tests/data: operators read their operands where the file had them. */
static void no_operator_goes_astray_when_its_file_is_gone(void **state)
{
	(void)state;
	glob_t cases;
	size_t ran = 0;
	assert_int_equal(glob("tests/data/*/model.tflite", 0, NULL, &cases), 0);
	for (size_t i = 0; i < cases.gl_pathc; i++) {
		const struct edge_options options = {
			.backends = backends_builtin(), .cpu_features = i % 2 ? ~UINT64_C(0) : 0};
		owned(edge_model_unref) struct edge_model *model = NULL;
		owned(edge_session_free) struct edge_session *session = NULL;
		struct error err = {0};
		owned_fd int fd = copy(cases.gl_pathv[i]);
		if (edge_model_open_fd(fd, &options, &model, &err) < 0 ||
			edge_session_new(model, 0, &session, &err) < 0) {
			continue; /* cases of what is refused */
		}
		assert_int_equal(mapped_guard(), 0); /* behind cmocka */
		assert_int_equal(ftruncate(fd, 0), 0);
		const struct run_control control = {.deadline_ns = clock_now_ns() + 1000000000};
		int code = edge_session_run(session, &control, &err);
		assert_true(code < 0 || !edge_model_broken(model));
		ran++;
	}
	assert_true(ran > 100);
	globfree(&cases);
}

/* @packs: folder of the packed weights, which are cut instead of the file; -1: the file. */
static void expect_broken(int packs, struct team *team, uint64_t features)
{
	const struct edge_packs place = {.folder = packs, .key = "weights"};
	const struct edge_options options = {.backends = backends_builtin(),
		.cpu_features = features,
		.threads = THREADS,
		.packs = packs < 0 ? NULL : &place};
	owned(edge_model_unref) struct edge_model *model = NULL;
	owned(edge_session_free) struct edge_session *session = NULL;
	struct error err = {0};
	owned_fd int fd = copy(MODEL);
	assert_int_equal(edge_model_open_fd(fd, &options, &model, &err), 0);
	assert_int_equal(edge_model_keep(model, &err), 0);
	assert_int_equal(edge_session_new(model, 0, &session, &err), 0);
	if (packs >= 0 && edge_model_info(model)->pack_bytes == 0) {
		print_message("SKIPPED: no kernel of this CPU packs weights\n");
		return;
	}
	assert_int_equal(mapped_guard(), 0); /* behind cmocka */
	owned_fd int cut = packs < 0 ? dup(fd) : openat(packs, "weights", O_RDONLY | O_CLOEXEC);
	assert_true(cut >= 0);
	if (packs >= 0) {
		assert_int_equal(fchmod(cut, 0600), 0);
		own_close_fd(&cut);
		cut = openat(packs, "weights", O_RDWR | O_CLOEXEC);
	}
	assert_int_equal(ftruncate(cut, 0), 0);
	assert_int_equal(run(session, team, &err), -EIO);
	assert_true(edge_model_broken(model));
	assert_int_equal(run(session, team, &err), -EIO);
}

static void a_run_of_a_file_that_is_cut_fails(void **state)
{
	(void)state;
	expect_broken(-1, NULL, 0);
}

static void whichever_thread_of_a_team_reads_it_first(void **state)
{
	(void)state;
	struct team *team = NULL;
	char path[] = "/var/tmp/edged-packs-XXXXXX", file[64];
	assert_non_null(mkdtemp(path));
	owned_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(backends_team_new(THREADS, true, &team, NULL), 0);
	for (int i = 0; i < 30; i++) {
		expect_broken(-1, team, 0);
		expect_broken(folder, team, ~UINT64_C(0));
	}
	backends_team_free(team);
	snprintf(file, sizeof(file), "%s/weights", path);
	unlink(file);
	rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_of_a_file_that_is_cut_fails),
		cmocka_unit_test(no_operator_goes_astray_when_its_file_is_gone),
		cmocka_unit_test(whichever_thread_of_a_team_reads_it_first),
	};
	if (!bus_address_is_told()) {
		print_message("SKIPPED: this emulator does not say where a SIGBUS was\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
