/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/edged/install/signature.h"
#include "tests/fakes/fake_model_open.h"

static struct digest signature(const struct fake_model *fake)
{
	struct digest digest = {0};
	void *bytes = NULL;
	struct edge_model *model = fake_model_open(fake, &bytes);
	assert_int_equal(signature_of(model, &digest), 0);
	edge_model_unref(model);
	free(bytes);
	assert_false(digest_is_zero(&digest));
	return digest;
}

static void other_weights_and_nodes_keep_the_signature(void **state)
{
	static const float constant[4] = {9, 9, 9, 9};
	(void)state;
	owned_mem struct fake_model *fake = fake_model_new();
	const struct digest before = signature(fake);
	fake->buffers[1].data = constant;
	fake->codes[0].op = OP_MUL;
	fake->subgraphs[0].nodes[0].options = OPTIONS_MUL;
	fake->subgraphs[0].tensors[1].name = "other";
	const struct digest after = signature(fake);
	assert_true(digest_equal(&before, &after));
}

static void what_a_client_names_or_sends_changes_the_signature(void **state)
{
	(void)state;
	owned_mem struct fake_model *fake = fake_model_new();
	struct digest seen[6] = {signature(fake)};
	fake->signatures[0].key = "other";
	seen[1] = signature(fake);
	fake->signatures[0].key = "serve";
	fake->signatures[0].inputs[0].name = "i";
	seen[2] = signature(fake);
	fake->signatures[0].inputs[0].name = "in";
	fake->signatures[0].outputs[0].name = "o";
	seen[3] = signature(fake);
	fake->signatures[0].outputs[0].name = "out";
	fake->subgraphs[0].tensors[0].shape = FAKE_LIST(2, 4);
	fake->subgraphs[0].tensors[2].shape = FAKE_LIST(2, 4);
	seen[4] = signature(fake);
	fake->subgraphs[0].tensors[0].signature = FAKE_LIST(-1, 4); /* rows at will */
	fake->subgraphs[0].tensors[2].signature = FAKE_LIST(-1, 4);
	seen[5] = signature(fake);
	for (size_t i = 0; i < 6; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_false(digest_equal(&seen[i], &seen[k]));
		}
	}
}

static void the_type_of_an_input_changes_the_signature(void **state)
{
	static const int32_t constant[4] = {1, 2, 3, 4};
	(void)state;
	owned_mem struct fake_model *fake = fake_model_new();
	const struct digest before = signature(fake);
	for (uint32_t i = 0; i < 3; i++) {
		fake->subgraphs[0].tensors[i].type = DTYPE_INT32;
	}
	fake->buffers[1].data = constant;
	const struct digest after = signature(fake);
	assert_false(digest_equal(&before, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_weights_and_nodes_keep_the_signature),
		cmocka_unit_test(what_a_client_names_or_sends_changes_the_signature),
		cmocka_unit_test(the_type_of_an_input_changes_the_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
