/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/model.h"
#include "tests/fakes/fake_model.h"

/* What opening the described file says: "" when it is fine. */
static const char *verdict(const struct fake_model *fake)
{
	static struct error err;
	struct bytes_writer file = fake_model_write(fake);
	struct model *model = NULL;
	memset(&err, 0, sizeof(err));
	int r = model_open_bytes(file.data, file.size, NULL, &model, &err);
	if (r == 0) {
		assert_non_null(model);
		err.text[0] = 0;
	} else {
		assert_int_equal(r, err.code);
	}
	model_free(model);
	bytes_writer_deinit(&file);
	return err.text;
}

/* A 2x4 constant whose rows are compressed: 3 elements are stored. */
static struct fake_sparsity sparse_rows(void)
{
	return (struct fake_sparsity){
		.order = FAKE_LIST(0, 1),
		.n_levels = 2,
		.levels = {{false, 2, {0}, {0}}, {true, 0, FAKE_LIST(0, 1, 3), FAKE_LIST(2, 0, 3)}},
	};
}

static void verify_follows_sparsity(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_sparsity s = sparse_rows();
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(2, 4);
	m->subgraphs[0].tensors[1].sparsity = &s;
	m->buffers[1].size = 12;
	assert_string_equal(verdict(m), "");
#define REFUSED(text) assert_string_equal(verdict(m), "subgraph 0, tensor 1 ('c'): " text)
	m->buffers[1].size = 16;
	REFUSED("sparsity: 16 bytes of data for 3 elements");
	m->buffers[1].size = 12;
	s.levels[1].indices.v[1] = 4;
	REFUSED("sparsity: index 1 is 4 of 4");
	s.levels[1].indices.v[1] = -1;
	REFUSED("sparsity: index 1 is -1 of 4");
	s = sparse_rows();
	s.levels[1].segments.v[1] = 4;
	REFUSED("sparsity: segment 1 ends before it starts");
	s.levels[1].segments.v[2] = 4;
	REFUSED("sparsity: segments do not cover the indices");
	s = sparse_rows();
	s.order = FAKE_LIST(1, 1);
	REFUSED("sparsity: traversal order is no permutation");
	s.order = FAKE_LIST(0);
	REFUSED("sparsity: 1 levels, 2 metadata, 0 blocks for a tensor of rank 2");
	s = sparse_rows();
	s.levels[0].size = 3;
	REFUSED("sparsity: level 0 has a wrong size");
	s = sparse_rows();
	m->subgraphs[0].tensors[1].buffer = 0;
	REFUSED("sparsity without constant data");
#undef REFUSED
}

/* A 4x8 constant in blocks of 2x4, whose dimensions come in another order than what they split:
 * the sizes must be those of the dimension that the block map names. */
static void verify_follows_blocks_in_any_order(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_sparsity s = {
		.order = FAKE_LIST(0, 1, 3, 2),
		.block_map = FAKE_LIST(0, 1),
		.n_levels = 4,
		.levels = {{false, 2, {0}, {0}}, {true, 0, FAKE_LIST(0, 1, 1), FAKE_LIST(1)},
			{false, 4, {0}, {0}}, {false, 2, {0}, {0}}},
	};
	static const float stored[8];
	m->buffers[1].data = stored;
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(4, 8);
	m->subgraphs[0].tensors[1].sparsity = &s;
	m->buffers[1].size = 32;
	assert_string_equal(verdict(m), "");
	s.levels[2].size = 2;
	s.levels[3].size = 4; /* now a block splits 4 rows into one: index 1 is beyond */
	assert_string_equal(
		verdict(m), "subgraph 0, tensor 1 ('c'): sparsity: level 0 has a wrong size");
}

/* What TensorFlow's converter makes of rows shorter than its blocks of 16: their end would be stored
 * beyond the row. */
static void verify_refuses_blocks_longer_than_their_dimension(void **state)
{
	(void)state;
	owned_mem struct fake_model *m = fake_model_new();
	struct fake_sparsity s = {
		.order = FAKE_LIST(0, 1, 2),
		.block_map = FAKE_LIST(1),
		.n_levels = 3,
		.levels = {{false, 2, {0}, {0}}, {true, 0, FAKE_LIST(0, 1, 1), FAKE_LIST(0)},
			{false, 8, {0}, {0}}},
	};
	static const float stored[8];
	m->buffers[1].data = stored;
	m->buffers[1].size = 32;
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(2, 4);
	m->subgraphs[0].tensors[1].sparsity = &s;
	assert_string_equal(verdict(m),
		"subgraph 0, tensor 1 ('c'): sparsity: 1 blocks in a dimension that is shorter "
		"than one");
	m->subgraphs[0].tensors[1].shape = FAKE_LIST(2, 8);
	assert_string_equal(verdict(m), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_follows_sparsity),
		cmocka_unit_test(verify_follows_blocks_in_any_order),
		cmocka_unit_test(verify_refuses_blocks_longer_than_their_dimension),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
