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

#include "daemon/edged/store/minisign.h"

#define SIGNATURE                                                                                  \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RURYvyIvacn5Ems/cL4DXXSAd4msCrDO9bzT9DNqiKOkHedCrnCof2nzueYYhj8Lm5+yZWoGvDsccluWl+"       \
	"xqy9k+B3furXk7MQI=\n"                                                                     \
	"trusted comment: version:7 model:m expires:2030-01-31\n"                                  \
	"plabYINIBzzxTU0dfy4IpJ5Ug6euOYM9OdgIkYz/ucA+5RDz32yvAKDnDacq/"                            \
	"3QXSJ6MyIErF9qJQRNr9pLKBg==\n"

static void a_signature_is_read_with_either_end_of_line(void **state)
{
	(void)state;
	struct minisign_signature signature;
	char dos[sizeof(SIGNATURE) + 8] = {0};
	size_t size = 0;
	assert_int_equal(minisign_parse(SIGNATURE, strlen(SIGNATURE), &signature, NULL), 0);
	assert_true(signature.hashed);
	assert_int_equal(signature.key, UINT64_C(0x12F9C9692F22BF58));
	assert_int_equal(signature.bytes[0], 0x6b);
	assert_int_equal(signature.global[63], 0x06);
	for (const char *at = SIGNATURE; *at; at++) {
		if (*at == '\n') {
			dos[size++] = '\r';
		}
		dos[size++] = *at;
	}
	assert_int_equal(minisign_parse(dos, size, &signature, NULL), 0);
	assert_int_equal(signature.comment_length, strlen("version:7 model:m expires:2030-01-31"));
	assert_int_equal(minisign_parse(SIGNATURE, strlen(SIGNATURE) - 1, &signature, NULL), 0);
}

/* As a fuzzer would, but the same each time: cut anywhere, one byte other anywhere. */
static void what_is_cut_or_changed_is_read_within_its_bounds(void **state)
{
	(void)state;
	const size_t size = strlen(SIGNATURE);
	for (size_t length = 0; length < size - 1; length++) {
		struct minisign_signature signature;
		struct error err = {0};
		char *cut = malloc(length + 1); /* its own, so that a sanitizer sees its end */
		memcpy(cut, SIGNATURE, length);
		assert_int_equal(minisign_parse(cut, length, &signature, &err), -EBADMSG);
		assert_true(err.text[0] != 0);
		free(cut);
	}
	for (size_t at = 0; at < size; at++) {
		for (int value = 0; value < 256; value++) {
			struct minisign_signature signature;
			struct minisign_claims claims;
			char changed[sizeof(SIGNATURE)] = SIGNATURE;
			changed[at] = (char)value;
			if (minisign_parse(changed, size, &signature, NULL) == 0) {
				assert_in_range(signature.comment - changed, 0, size);
				assert_in_range(signature.comment_length, 0, size);
				int code = minisign_claims(&signature, &claims, NULL);
				assert_true(code == 0 || code == -EBADMSG);
			}
		}
	}
}

static int claims_of(const char *comment, struct minisign_claims *ret_claims)
{
	const struct minisign_signature signature = {
		.comment = comment, .comment_length = strlen(comment)};
	return minisign_claims(&signature, ret_claims, NULL);
}

static void claims_are_words_of_the_trusted_comment(void **state)
{
	(void)state;
	struct minisign_claims claims;
	assert_int_equal(
		claims_of("timestamp:1700000000\tfile:x version:12 \t model:a.b-c_d\thashed",
			&claims),
		0);
	assert_int_equal(claims.version, 12);
	assert_string_equal(claims.model, "a.b-c_d");
	assert_int_equal(claims.expires, 0);
	assert_int_equal(claims_of("", &claims), 0);
	assert_int_equal(claims.version, 0);
	assert_int_equal(claims_of("myversion:3 Version:4 version", &claims), 0);
	assert_int_equal(claims.version, 0);
}

static void days_and_seconds_are_those_of_the_calendar(void **state)
{
	(void)state;
	static const struct {
		const char *comment;
		uint64_t expires;
	} rows[] = {
		{"expires:2030-01-31", 1896134400},
		{"expires:2030-02-01T00:00:00Z", 1896134400},
		{"expires:2024-02-29", 1709251200},
		{"expires:9999-12-31", UINT64_C(253402300800)},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct minisign_claims claims;
		assert_int_equal(claims_of(rows[i].comment, &claims), 0);
		assert_int_equal(claims.expires, rows[i].expires);
	}
}

static void claims_that_are_malformed_or_there_twice_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"version:", "version:0", "version:-1", "version:+1",
		"version:1x", "version:9223372036854775808", "version:99999999999999999999999",
		"version:1 version:1", "expires:", "expires:2023-02-29", "expires:2023-13-01",
		"expires:2023-1-01", "expires:2023-01-01T", "expires:2023-01-01T24:00:00Z",
		"expires:2023-01-01T10:00:00", "expires:2023-01-01T10:00:00Zx",
		"expires:1960-01-01", "expires:soon", "expires:2030-01-01 expires:2031-01-01",
		"model:", "model:a model:b", "labels:", "labels:0", "labels:nobody",
		"golden:", "golden:none golden:none", "conf:no",
		("labels:00000000000000000000000000000000000000000000000000000000000000"
		 "000"),
		"labels:A000000000000000000000000000000000000000000000000000000000000000",
		"model:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct minisign_claims claims;
		if (claims_of(rows[i], &claims) != -EBADMSG) {
			fail_msg("taken: %s", rows[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_read_with_either_end_of_line),
		cmocka_unit_test(what_is_cut_or_changed_is_read_within_its_bounds),
		cmocka_unit_test(claims_are_words_of_the_trusted_comment),
		cmocka_unit_test(days_and_seconds_are_those_of_the_calendar),
		cmocka_unit_test(claims_that_are_malformed_or_there_twice_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
