/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/backends.h"
#include "daemon/check/selftest.h"
#include "tests/fakes/fake_model.h"

/* What selftest_repeat() says of it. */
static int repeat(const struct fake_model *fake)
{
	owned(edge_model_unref) struct edge_model *model = NULL;
	const struct edge_options options = {.backends = backends_builtin()};
	struct bytes_writer file = fake_model_write(fake);
	struct error err = {0};
	owned_mem void *bytes = aligned_alloc(16, bytes_align_up(file.size, 16));
	assert_non_null(bytes);
	memcpy(bytes, file.data, file.size);
	if (edge_model_open_bytes(bytes, file.size, &options, &model, &err) < 0) {
		fail_msg("%s", err.text);
	}
	int code = selftest_repeat(model, NULL, &err);
	edge_model_unref(take(model));
	bytes_writer_deinit(&file);
	return code;
}

/* y = z / z, where z is of x by @op: 0/0 to zeros. */
static struct fake_model *divides(int32_t op, uint16_t options, uint8_t input)
{
	struct fake_model *m = fake_model_new();
	struct fake_subgraph *g = &m->subgraphs[0];
	m->n_codes = 2;
	m->codes[0] = (struct fake_code){.op = op, .version = 1};
	m->codes[1] = (struct fake_code){.op = OP_DIV, .version = 1};
	g->n_nodes = 2;
	g->tensors[0].type = input;
	g->tensors[1] = (struct fake_tensor){.name = "z", .shape = FAKE_LIST(1, 4)};
	g->nodes[0].inputs = op == OP_CAST ? FAKE_LIST(0) : FAKE_LIST(0, 0);
	g->nodes[0].outputs = FAKE_LIST(1);
	g->nodes[0].options = options;
	g->nodes[1].code = 1;
	g->nodes[1].inputs = FAKE_LIST(1, 1);
	g->nodes[1].outputs = FAKE_LIST(2);
	g->nodes[1].options = OPTIONS_DIV;
	return m;
}

static void a_model_that_gives_nan_to_zeros_only_passes(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = divides(OP_ADD, OPTIONS_ADD, DTYPE_FLOAT32);
	assert_int_equal(repeat(m), 0);
}

static void one_that_gives_nan_to_other_numbers_too_does_not(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = divides(OP_SUB, OPTIONS_SUB, DTYPE_FLOAT32);
	assert_int_equal(repeat(m), SELFTEST_NAN);
}

static void one_that_can_be_asked_about_zeros_only_passes(void **state)
{
	static const uint8_t types[] = {DTYPE_INT16, DTYPE_INT32, DTYPE_INT64, DTYPE_BOOL};
	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		owned_mem struct fake_model *m = divides(OP_CAST, OPTIONS_CAST, types[i]);
		assert_int_equal(repeat(m), 0);
	}
}

static void a_golden_without_a_question_passes_nobody(void **state)
{
	struct error err = {0};
	uint32_t n = 7;
	(void)state;
	assert_int_equal(selftest_run(NULL, "", 0, NULL, &n, &err), -EBADMSG);
	assert_string_equal(err.text, "self-test: it has no question");
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_that_gives_nan_to_zeros_only_passes),
		cmocka_unit_test(one_that_gives_nan_to_other_numbers_too_does_not),
		cmocka_unit_test(one_that_can_be_asked_about_zeros_only_passes),
		cmocka_unit_test(a_golden_without_a_question_passes_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
