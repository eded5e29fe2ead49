/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/media/npy.h"

/* A version 1 file with that header text and four bytes of data. */
static size_t make(char *out, size_t size, const char *header)
{
	assert_true(size > strlen(header) + 14);
	memcpy(out, "\x93NUMPY\1\0", 8);
	out[8] = (char)strlen(header);
	out[9] = 0;
	memcpy(out + 10, header, strlen(header));
	memcpy(out + 10 + strlen(header), "\1\2\3\4", 4);
	return 10 + strlen(header) + 4;
}

static int parse(const char *header, struct npy *npy, struct error *err)
{
	static char file[512];
	size_t size = make(file, sizeof(file), header);
	return npy_parse(file, size, npy, err);
}

static void a_header_gives_type_and_shape(void **state)
{
	(void)state;
	struct npy npy = {0};
	assert_int_equal(parse("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }   \n",
				 &npy, NULL),
		0);
	assert_int_equal(npy.type, DTYPE_UINT8);
	assert_int_equal(npy.shape.rank, 2);
	assert_int_equal(npy.shape.dim[1], 2);
	assert_int_equal(npy.bytes, 4);
	assert_memory_equal(npy.data, "\1\2\3\4", 4);
	assert_int_equal(
		parse("{\"shape\":(),\"fortran_order\":False,\"descr\":\"<f4\"}", &npy, NULL), 0);
	assert_int_equal(npy.shape.rank, 0);
	assert_int_equal(npy.type, DTYPE_FLOAT32);
	assert_int_equal(
		parse("{'descr':'<i2','fortran_order':False,'shape':(2,)}", &npy, NULL), 0);
	assert_int_equal(npy.shape.rank, 1);
}

static void other_orders_and_types_are_not_supported(void **state)
{
	(void)state;
	struct npy npy = {0};
	struct error err = {0};
	assert_int_equal(parse("{'descr':'|u1','fortran_order':True,'shape':(4,)}", &npy, &err),
		-EOPNOTSUPP);
	assert_int_equal(
		parse("{'descr':'>f4','fortran_order':False,'shape':()}", &npy, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "npy: elements of type >f4 are not read here");
}

static void malformed_headers_are_refused(void **state)
{
	(void)state;
	static const char *const headers[] = {
		"",
		"{",
		"{}",
		"{'descr':'|u1'}",
		"{'descr':'|u1','fortran_order':False,'shape':(4,)",
		"{'descr':'|u1','fortran_order':False,'shape':(4,)} x",
		"{'descr':'|u1','fortran_order':Maybe,'shape':(4,)}",
		"{'descr':'|u1','fortran_order':False,'shape':(4,),'shape':(4,)}",
		"{'descr':'|u1','fortran_order':False,'shape':(-4,)}",
		"{'descr':'|u1','fortran_order':False,'shape':(99999999999,)}",
		"{'descr':'|u1','fortran_order':False,'shape':(1,1,1,1,1,1,1,1,4)}",
		"{'descr':'|u1','fortran_order':False,'shape':(5,)}",
		"{'descr':'aaaaaaaaaaaaaaaaaaaa','fortran_order':False,'shape':(4,)}",
	};
	struct npy npy = {0};
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_int_equal(parse(headers[i], &npy, NULL), -EBADMSG);
	}
	assert_int_equal(npy_parse("\x93NUMPY", 6, &npy, NULL), -EOPNOTSUPP);
	assert_int_equal(npy_parse("\x93NUMPY\1\0\xff\xff{", 11, &npy, NULL), -EBADMSG);
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	char *bytes = NULL;
	size_t size = 0;
	const float values[3] = {1, 2, 3};
	struct npy out = {DTYPE_FLOAT32, {2, {1, 3}}, values, sizeof(values)}, in = {0};
	FILE *file = open_memstream(&bytes, &size);
	assert_non_null(file);
	assert_int_equal(npy_write(file, &out, NULL), 0);
	fclose(file);
	assert_int_equal((size - sizeof(values)) % 64, 0);
	assert_int_equal(npy_parse(bytes, size, &in, NULL), 0);
	assert_true(shape_equal(&in.shape, &out.shape));
	assert_memory_equal(in.data, values, sizeof(values));
	free(bytes);
	out.type = DTYPE_INT4;
	file = open_memstream(&bytes, &size);
	assert_int_equal(npy_write(file, &out, NULL), -EOPNOTSUPP);
	fclose(file);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_gives_type_and_shape),
		cmocka_unit_test(other_orders_and_types_are_not_supported),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(what_is_written_is_read_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
