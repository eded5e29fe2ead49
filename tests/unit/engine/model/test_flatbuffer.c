/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/flatbuffer.h"
#include "engine/model/flatbuffer_verify.h"
#include "tests/fakes/flatbuffer_writer.h"

static void flat_checks_bounds_without_wrapping(void **state)
{
	(void)state;
	_Alignas(8) const uint8_t data[16] = {0};
	struct flat f = {data, sizeof(data)};
	assert_null(flat_check_bytes(&f, 0, 16, 8));
	assert_null(flat_check_bytes(&f, 16, 0, 1));
	assert_non_null(flat_check_bytes(&f, 1, 16, 1));
	assert_non_null(flat_check_bytes(&f, UINT64_MAX, 1, 1));
	assert_non_null(flat_check_bytes(&f, 8, UINT64_MAX - 4, 1));
	assert_string_equal(flat_check_bytes(&f, 2, 4, 4), "is not aligned");
}

static void flat_checks_offsets(void **state)
{
	(void)state;
	_Alignas(8) uint32_t data[4] = {8, 0, 0xfffffff8, 4};
	struct flat f = {(const uint8_t *)data, sizeof(data)};
	uint32_t target = 0;
	assert_null(flat_check_offset(&f, 0, &target));
	assert_int_equal(target, 8);
	assert_string_equal(flat_check_offset(&f, 4, &target), "has an offset of 0");
	assert_non_null(flat_check_offset(&f, 8, &target));
	assert_non_null(flat_check_offset(&f, 12, &target)); /* just behind the end */
	assert_non_null(flat_check_offset(&f, 14, &target));
}

static void flat_checks_vectors_and_strings(void **state)
{
	(void)state;
	_Alignas(8) uint32_t data[3] = {4, 0x64636261, 0};
	struct flat f = {(const uint8_t *)data, sizeof(data)};
	assert_null(flat_check_vector(&f, 0, 1));
	assert_null(flat_check_vector(&f, 0, 2));
	assert_non_null(flat_check_vector(&f, 0, 4));
	assert_null(flat_check_string(&f, 0));
	data[0] = 8;
	assert_string_equal(flat_check_string(&f, 0), "is a string without its zero");
	data[0] = 3; /* the byte behind it is 'd' */
	assert_string_equal(flat_check_string(&f, 0), "is a string without its zero");
	data[0] = 0x40000001; /* times 4 wraps to 4 in 32 bits */
	assert_non_null(flat_check_vector(&f, 0, 4));
}

static void flat_checks_vtables(void **state)
{
	(void)state;
	_Alignas(8) uint16_t data[8] = {6, 8, 4, 0, 8, 0, 7, 0};
	struct flat f = {(const uint8_t *)data, sizeof(data)};
	assert_null(flat_check_table(&f, 8));
	assert_int_equal(flat_field(&f, 8, 0), 12);
	assert_int_equal(flat_field(&f, 8, 1), 0);
	assert_int_equal(flat_get_u32(&f, 8, 0, 1), 7);
	assert_int_equal(flat_get_u32(&f, 8, 1, 99), 99);
	assert_int_equal(flat_get_i32(&f, 0, 0, -3), -3);
	data[0] = 5;
	assert_non_null(flat_check_table(&f, 8));
	data[0] = 2;
	assert_non_null(flat_check_table(&f, 8));
	data[0] = 18;
	assert_non_null(flat_check_table(&f, 8));
	data[0] = 6;
	data[4] = 9;
	assert_non_null(flat_check_table(&f, 8));
	data[4] = 10;
	data[5] = 0; /* before the start */
	assert_non_null(flat_check_table(&f, 8));
	assert_non_null(flat_check_table(&f, 14));
}

/* A Model with one subgraph table that is listed @n times. */
static struct bytes_writer shared_subgraphs(uint32_t n)
{
	static const uint8_t model[] = {4, 0, 4}, none[] = {0};
	struct bytes_writer out = {0};
	flat_writer_start(&out, "TFL3");
	uint32_t root = flat_writer_table(&out, model, 3);
	flat_writer_root(&out, root);
	uint32_t list = flat_writer_vector(&out, NULL, n, 4);
	flat_writer_link(&out, root, 2, list);
	uint32_t subgraph = flat_writer_table(&out, none, 1);
	for (uint32_t i = 0; i < n; i++) {
		flat_writer_link_element(&out, list, i, subgraph);
	}
	return out;
}

static void walk_stops_where_tables_are_shared_too_often(void **state)
{
	(void)state;
	uint32_t root = 0;
	struct error err = {0};
	struct bytes_writer out = shared_subgraphs(20);
	struct flat f = {out.data, (uint32_t)out.size};
	assert_int_equal(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, &err), 0);
	bytes_writer_deinit(&out);
	out = shared_subgraphs(5000);
	f = (struct flat){out.data, (uint32_t)out.size};
	assert_true(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, &err) < 0);
	assert_non_null(strstr(err.text, "]: more tables and strings than a file of this size"));
	bytes_writer_deinit(&out);
}

static void walk_says_where(void **state)
{
	(void)state;
	uint32_t root = 0;
	struct error err = {0};
	struct bytes_writer out = shared_subgraphs(3);
	struct flat f = {out.data, (uint32_t)out.size};
	assert_int_equal(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, &err), 0);
	struct flat_vector list = flat_get_vector(&f, root, 2);
	memset(out.data + (list.data - out.data) + 4, 0xff, 4);
	assert_true(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, &err) < 0);
	assert_string_equal(err.text, "subgraphs[1]: reaches beyond the end of the file");
	assert_true(flatbuffer_verify(&f, "M001", SCHEMA_MODEL, &root, &err) < 0);
	assert_string_equal(err.text, "file identifier: not M001");
	memset(out.data, 0, 4);
	assert_true(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, &err) < 0);
	assert_string_equal(err.text, "root offset: has an offset of 0");
	bytes_writer_deinit(&out);
}

static void walk_refuses_every_truncation(void **state)
{
	(void)state;
	uint32_t root = 0;
	struct bytes_writer out = shared_subgraphs(3);
	for (uint32_t size = 0; size < out.size; size++) {
		uint8_t *copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, out.data, size);
		struct flat f = {copy, size};
		assert_true(flatbuffer_verify(&f, "TFL3", SCHEMA_MODEL, &root, NULL) < 0);
		free(copy);
	}
	bytes_writer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_checks_bounds_without_wrapping),
		cmocka_unit_test(flat_checks_offsets),
		cmocka_unit_test(flat_checks_vectors_and_strings),
		cmocka_unit_test(flat_checks_vtables),
		cmocka_unit_test(walk_stops_where_tables_are_shared_too_often),
		cmocka_unit_test(walk_says_where),
		cmocka_unit_test(walk_refuses_every_truncation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
