/* SPDX-License-Identifier: Apache-2.0 */
/* Key and signatures are minisign's own (0.11), made for "The model.\n". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/edged/store/trust.h"
#include "tests/unit/daemon/temp_folder.h"

#define MODEL "The model.\n"
#define KEY                                                                                        \
	"untrusted comment: minisign public key 12F9C9692F22BF58\n"                                \
	"RWRYvyIvacn5En79MwN7ECzqY3nVDJionJNrFmHaF4b5AnFIWCFKRHHO\n"
#define KEY_ID UINT64_C(0x12F9C9692F22BF58)
#define HASHED_FIRST                                                                               \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RURYvyIvacn5Ems/cL4DXXSAd4msCrDO9bzT9DNqiKOkHedCrnCof2nzueYYhj8Lm5+yZWoGvDsccluWl+"       \
	"xqy9k+B3furXk7MQI=\n"
#define HASHED_COMMENT "trusted comment: version:7 model:m expires:2030-01-31\n"
#define HASHED_LAST                                                                                \
	"plabYINIBzzxTU0dfy4IpJ5Ug6euOYM9OdgIkYz/ucA+5RDz32yvAKDnDacq/"                            \
	"3QXSJ6MyIErF9qJQRNr9pLKBg==\n"
#define HASHED HASHED_FIRST HASHED_COMMENT HASHED_LAST
#define WHOLE                                                                                      \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RWRYvyIvacn5Enc+EESND6+r7UFyBvwr4arjAwd3yWFmwUbJkaJcL2Tg1eAtB1GJUEaC9holXNGf1ZDFNUTr+"    \
	"NVgba+i2MIJrQA=\n"                                                                        \
	"trusted comment: version:8 model:m\n"                                                     \
	"V1ZfXI015DAYEexfZIYGTYaoeuA6gEnihy0N354gkn5KPI6PUgAL23SYyXnvLL3dhNNA3S+"                  \
	"Z1gYmlWGJoOr4AQ==\n"
#define LAST_SECOND UINT64_C(1896134399) /* 2030-01-31T23:59:59Z */

/* What is asked, and what the answer is held against. */
struct asked {
	struct trust trust;
	struct manifest manifest;
	struct digest digest;
	struct trust_file question;
	struct error err;
	uint64_t version, key;
};

static int memory_of(const char *text)
{
	int fd = memfd_create("trust", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void ask_about(struct asked *asked, const char *signature, const char *model)
{
	static const struct digest none;
	*asked = (struct asked){.manifest = {.name = "m"}};
	assert_int_equal(minisign_parse_key(KEY, strlen(KEY), &asked->trust.keys[0], NULL), 0);
	asked->trust.n = 1;
	asked->digest = digest_of(model, strlen(model));
	asked->question = (struct trust_file){
		.text = signature,
		.size = strlen(signature),
		.blob = memory_of(model),
		.bytes = (off_t)strlen(model),
		.digest = &asked->digest,
		.parts = {&none, &none, &none},
		.manifest = &asked->manifest,
		.now = LAST_SECOND,
	};
}

static int verdict(struct asked *asked)
{
	int code = trust_verify(
		&asked->trust, &asked->question, &asked->version, &asked->key, &asked->err);
	close(asked->question.blob);
	return code;
}

static void expect_refused(struct asked *asked, const char *why)
{
	assert_int_equal(verdict(asked), -EBADMSG);
	assert_string_equal(asked->err.text, why);
}

static void either_algorithm_of_the_standard_tool_is_verified(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	assert_int_equal(verdict(&asked), 0);
	assert_int_equal(asked.version, 7);
	assert_int_equal(asked.key, KEY_ID);
	ask_about(&asked, WHOLE, MODEL);
	assert_int_equal(verdict(&asked), 0);
	assert_int_equal(asked.version, 8);
}

static void another_file_is_refused_by_either(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, "The Model.\n");
	expect_refused(&asked, "signature: it is not of this file");
	ask_about(&asked, WHOLE, "The model.\n\n");
	expect_refused(&asked, "signature: it is not of this file");
	ask_about(&asked, WHOLE, "");
	assert_int_equal(verdict(&asked), -EBADMSG);
}

static void a_trusted_comment_of_somebody_else_is_refused(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked,
		HASHED_FIRST "trusted comment: version:9 model:m expires:2030-01-31\n" HASHED_LAST,
		MODEL);
	expect_refused(&asked, "signature: its trusted comment is not the one that was signed");
}

static void a_key_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	asked.trust.n = 0;
	expect_refused(&asked, "signature: no trusted key 12F9C9692F22BF58");
	ask_about(&asked, HASHED, MODEL);
	asked.trust = (struct trust){.code = -EACCES};
	expect_refused(&asked,
		"signature: no trusted key 12F9C9692F22BF58: the keys folder: Permission denied");
	ask_about(&asked, HASHED, MODEL);
	asked.trust.keys[0].bytes[7] ^= 1; /* another key with that id */
	expect_refused(&asked, "signature: its trusted comment is not the one that was signed");
}

static void versions_only_grow(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	asked.manifest.signed_newest = 8;
	expect_refused(&asked, "signature: version 7 is older than 8");
	ask_about(&asked, HASHED, MODEL);
	asked.manifest.signed_newest = 7;
	expect_refused(&asked, "signature: version 7 was another file");
	ask_about(&asked, HASHED, MODEL);
	asked.manifest.signed_newest = 7;
	asked.manifest.signed_file = asked.digest;
	assert_int_equal(verdict(&asked), 0);
	ask_about(&asked, HASHED, MODEL);
	asked.question.number = 6;
	expect_refused(&asked, "signature: it is of version 7, not 6");
}

static void it_is_for_one_model(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	memcpy(asked.manifest.name, "other", 6);
	expect_refused(&asked, "signature: it is for model m");
}

static void it_expires_with_the_day(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	asked.question.now = LAST_SECOND + 1;
	expect_refused(&asked, "signature: it has expired");
}

static void a_clock_that_went_back_does_not_bring_it_back(void **state)
{
	(void)state;
	struct asked asked;
	ask_about(&asked, HASHED, MODEL);
	asked.question.now = 0;
	asked.manifest.n = 1;
	asked.manifest.versions[0].since = LAST_SECOND + 1;
	expect_refused(&asked, "signature: it has expired");
}

/* ---- the folder */

static struct config *config_of(const struct temp_folder *folder, enum config_policy policy)
{
	static struct config config; /* too large for the stack */
	memset(&config, 0, sizeof(config));
	config.signatures = policy;
	snprintf(config.keys, sizeof(config.keys), "%s", folder->path);
	return &config;
}

static void keys_are_read_when_somebody_asks_for_them(void **state)
{
	const struct temp_folder *folder = *state;
	const struct log quiet = {.journal = -1, .level = LOG_LEVEL_ERROR};
	struct trust trust = {0};
	struct config *config = config_of(folder, CONFIG_POLICY_OFF);
	temp_folder_put(folder, "a.pub", KEY);
	temp_folder_put(folder, "b.pub", "no key");
	temp_folder_put(folder, "a.txt", KEY);
	assert_true(trust_load(&trust, config, &quiet));
	assert_int_equal(trust.n, 0);
	config->signatures = CONFIG_POLICY_REQUIRE;
	assert_true(trust_load(&trust, config, &quiet));
	assert_int_equal(trust.n, 1);
	assert_int_equal(trust.keys[0].id, KEY_ID);
	assert_false(trust_load(&trust, config, &quiet));
	assert_int_equal(trust.n, 1);
	assert_int_equal(unlinkat(folder->fd, "a.pub", 0), 0);
	assert_true(trust_load(&trust, config, &quiet));
	assert_int_equal(trust.n, 0);
	snprintf(config->keys, sizeof(config->keys), "%s/nowhere", folder->path);
	assert_true(trust_load(&trust, config, &quiet));
	assert_int_equal(trust.code, -ENOENT);
}

static void no_more_than_64_keys_are_kept(void **state)
{
	const struct temp_folder *folder = *state;
	const struct log quiet = {.journal = -1, .level = LOG_LEVEL_ERROR};
	struct trust trust = {0};
	const struct config *config = config_of(folder, CONFIG_POLICY_WARN);
	for (int i = 0; i < 70; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%d.pub", i);
		temp_folder_put(folder, name, KEY);
	}
	trust_load(&trust, config, &quiet);
	assert_int_equal(trust.n, TRUST_MAX_KEYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_algorithm_of_the_standard_tool_is_verified),
		cmocka_unit_test(another_file_is_refused_by_either),
		cmocka_unit_test(a_trusted_comment_of_somebody_else_is_refused),
		cmocka_unit_test(a_key_that_is_not_there_is_named),
		cmocka_unit_test(versions_only_grow),
		cmocka_unit_test(it_is_for_one_model),
		cmocka_unit_test(it_expires_with_the_day),
		cmocka_unit_test(a_clock_that_went_back_does_not_bring_it_back),
		temp_folder_test(keys_are_read_when_somebody_asks_for_them),
		temp_folder_test(no_more_than_64_keys_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
