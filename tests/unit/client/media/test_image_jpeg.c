/* SPDX-License-Identifier: Apache-2.0 */
/* JPEGs that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "client/media/image.h"

/* Where marker 0xff @marker stands behind @from. */
static size_t marker_find(const unsigned char *data, size_t from, size_t size, uint8_t marker)
{
	for (size_t i = from; i + 1 < size; i++) {
		if (data[i] == 0xff && data[i + 1] == marker) {
			return i;
		}
	}
	fail_msg("no marker %02x", marker);
	return 0;
}

/* A picture whose every row of blocks ends with a restart marker, so that what is missing in one is missed
 * there, and the others come back. */
static void a_jpeg_that_is_damaged_within_is_refused(void **state)
{
	(void)state;
	static uint8_t grey[64 * 64], damaged[8192];
	owned_image struct image image = {0}, zeros = {0};
	unsigned char *jpeg = NULL;
	unsigned long size = 0;
	for (size_t i = 0; i < sizeof(grey); i++) {
		grey[i] = (uint8_t)(i * 2654435761u >> 11);
	}
	assert_int_equal(setenv("TJ_RESTART", "1", 1), 0);
	tjhandle handle = tjInitCompress();
	assert_int_equal(
		tjCompress2(handle, grey, 64, 0, 64, TJPF_GRAY, &jpeg, &size, TJSAMP_GRAY, 95, 0),
		0);
	assert_int_equal(unsetenv("TJ_RESTART"), 0);
	assert_in_range(size, 1000, sizeof(damaged));
	assert_int_equal(image_jpeg_decode(jpeg, size, &image, NULL), 0);

	/* Half of the fourth row is missing, and all behind it is there. */
	const size_t first = marker_find(jpeg, 0, size, 0xd2) + 2;
	const size_t last = marker_find(jpeg, first, size, 0xd3);
	const size_t half = (first + last) / 2;
	memcpy(damaged, jpeg, half);
	memcpy(damaged + half, jpeg + last, size - last);
	struct image none = {0};
	struct error err = {0};
	assert_int_equal(image_jpeg_decode(damaged, size - (last - half), &none, &err), -EBADMSG);
	assert_string_equal(err.text, "JPEG: the data of the picture are cut off or damaged");

	/* Zeros in their place are data, of another picture. */
	memcpy(damaged, jpeg, size);
	memset(damaged + half, 0, last - half);
	assert_int_equal(image_jpeg_decode(damaged, size, &zeros, NULL), 0);
	assert_memory_equal(zeros.pixels, image.pixels, 24 * 64);
	assert_memory_not_equal(zeros.pixels + 24 * 64, image.pixels + 24 * 64, 8 * 64);
	assert_memory_equal(zeros.pixels + 32 * 64, image.pixels + 32 * 64, 32 * 64);
	tjFree(jpeg);
	tjDestroy(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jpeg_that_is_damaged_within_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
