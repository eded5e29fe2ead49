/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/check/selftest.h"
#include "daemon/edged/install/candidate.h"
#include "daemon/edged/store/blobs.h"
#include "daemon/edged/store/minisign.h"
#include "tests/unit/daemon/temp_folder.h"

static struct {
	struct config config;
	struct log log;
	struct store store;
	struct load_context context;
	struct manifest known;
	struct candidate candidate;
	struct error err;
	const struct temp_folder *folder; /* the models folder; the store is in its state/ */
} bench;

static int set_up(void **state)
{
	char path[96];
	assert_int_equal(temp_folder_set_up(state), 0);
	memset(&bench, 0, sizeof(bench));
	bench.folder = *state;
	config_init(&bench.config);
	bench.config.signatures = CONFIG_POLICY_OFF;
	log_init(&bench.log, LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "%s/state", bench.folder->path);
	assert_int_equal(mkdir(path, 0755), 0);
	store_open(&bench.store, path, 0, &bench.log);
	assert_true(bench.store.blobs >= 0);
	bench.context =
		(struct load_context){.config = &bench.config, .store = &bench.store, .watch = -1};
	strcpy(bench.known.name, "m");
	bench.candidate.blob = bench.candidate.golden = -1;
	return 0;
}

static int tear_down(void **state)
{
	candidate_deinit(&bench.candidate);
	store_close(&bench.store);
	return temp_folder_tear_down(state);
}

static void put(const char *name, const char *text)
{
	temp_folder_put(bench.folder, name, text);
}

static int take_from(struct candidate_source source)
{
	candidate_deinit(&bench.candidate);
	bench.err = (struct error){0};
	return candidate_take(&bench.candidate, &bench.context, &source, &bench.known, &bench.err);
}

static int take_flat(void)
{
	return take_from(candidate_flat(bench.folder->fd, "m"));
}

static void assert_blob(const struct digest *digest, const char *text)
{
	char bytes[64] = "";
	int fd = -1;
	const struct digest wanted = digest_of(text, strlen(text));
	assert_true(digest_equal(digest, &wanted));
	assert_int_equal(blobs_open(bench.store.blobs_ro, digest, &fd), 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), strlen(text));
	close(fd);
	assert_string_equal(bytes, text);
}

/* Without a terminating zero: the longest allowed file or one byte more. */
static void put_bytes(const char *name, size_t size)
{
	char *text = malloc(size + 1);
	assert_non_null(text);
	memset(text, '#', size);
	text[size] = 0;
	put(name, text);
	free(text);
}

static void a_model_and_its_companion_files_become_blobs(void **state)
{
	(void)state;
	put("m.tflite", "model");
	put("m.labels.txt", "a\nb\n");
	put("m.golden", "questions");
	put("m.conf", "[model]\nallow-signature-change = yes\n");
	assert_int_equal(take_flat(), 0);
	const struct manifest_version *version = &bench.candidate.version;
	assert_blob(&version->model, "model");
	assert_blob(&version->labels, "a\nb\n");
	assert_blob(&version->golden, "questions");
	assert_blob(&version->conf, "[model]\nallow-signature-change = yes\n");
	assert_true(digest_is_zero(&version->minisig));
	assert_int_equal(version->version, 0); /* the manifest numbers it */
	assert_int_equal(version->bytes, 5);
	assert_int_equal(version->by, geteuid());
	assert_false(version->installed);
	assert_string_equal(bench.candidate.labels, "a\nb\n");
	assert_int_equal(bench.candidate.labels_length, 4);
	assert_int_equal(bench.candidate.golden_bytes, 9);
	assert_true(bench.candidate.golden >= 0);
	assert_true(bench.candidate.allow_signature_change);
}

static void companion_files_may_be_missing_but_not_the_model(void **state)
{
	(void)state;
	assert_int_equal(take_flat(), -ENOENT);
	put("m.tflite", "model");
	assert_int_equal(take_flat(), 0);
	assert_null(bench.candidate.labels);
	assert_int_equal(bench.candidate.golden, -1);
	assert_true(digest_is_zero(&bench.candidate.version.labels));
	assert_false(bench.candidate.allow_signature_change);
	bench.config.allow_signature_change = 1;
	assert_int_equal(take_flat(), 0);
	assert_true(bench.candidate.allow_signature_change);
	put("m.conf", "[model]\nallow-signature-change = no\n");
	assert_int_equal(take_flat(), 0);
	assert_false(bench.candidate.allow_signature_change);
}

static void a_version_folder_has_files_of_fixed_names_and_a_number(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(bench.folder->fd, "7", 0755), 0);
	put("7/model.tflite", "nested");
	put("7/labels.txt", "c\n");
	int version = openat(bench.folder->fd, "7", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(version >= 0);
	assert_int_equal(take_from(candidate_nested(version, 7)), 0);
	close(version);
	assert_blob(&bench.candidate.version.model, "nested");
	assert_string_equal(bench.candidate.labels, "c\n");
	assert_int_equal(bench.candidate.version.version, 7);
}

static void a_companion_file_that_is_wrong_is_named(void **state)
{
	static const struct {
		const char *name, *text, *why;
		int code;
	} cases[] = {
		{"m.golden", "", "the self-test: m.golden: it has no question", -EBADMSG},
		{"m.conf", "[other]\n", "the only section is [model]", -EINVAL},
		{"m.conf", "[model]\nallow = yes\n", "there is no key allow", -EINVAL},
		{"m.conf", "[model]\nallow-signature-change = perhaps\n",
			"allow-signature-change is yes or no", -EINVAL},
	};
	(void)state;
	put("m.tflite", "model");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(cases[i].name, cases[i].text);
		assert_int_equal(take_flat(), cases[i].code);
		assert_non_null(strstr(bench.err.text, cases[i].why));
		assert_int_equal(unlinkat(bench.folder->fd, cases[i].name, 0), 0);
	}
	assert_int_equal(mkdirat(bench.folder->fd, "m.labels.txt", 0755), 0);
	assert_int_equal(take_flat(), -EINVAL);
	assert_string_equal(bench.err.text, "m.labels.txt: not a regular file");
}

static void companion_files_have_limits_and_so_has_the_model(void **state)
{
	(void)state;
	put("m.tflite", "model");
	put_bytes("m.labels.txt", 1u << 20);
	assert_int_equal(take_flat(), 0);
	put_bytes("m.labels.txt", (1u << 20) + 1);
	assert_int_equal(take_flat(), -EFBIG);
	put("m.labels.txt", "");
	put_bytes("m.conf", 64u << 10); /* a comment */
	assert_int_equal(take_flat(), -EINVAL); /* too long a line, but not too large a file */
	put_bytes("m.conf", (64u << 10) + 1);
	assert_int_equal(take_flat(), -EFBIG);
	put("m.conf", "");
	bench.config.max_file_bytes = 5;
	assert_int_equal(take_flat(), 0);
	bench.config.max_file_bytes = 4;
	assert_int_equal(take_flat(), -EFBIG);
}

static void the_policy_decides_whether_a_signature_is_read(void **state)
{
	(void)state;
	put("m.tflite", "model");
	put("m.tflite.minisig", "signature");
	assert_int_equal(take_flat(), 0);
	assert_null(bench.candidate.minisig);
	bench.config.signatures = CONFIG_POLICY_WARN;
	assert_int_equal(take_flat(), 0);
	assert_string_equal(bench.candidate.minisig, "signature");
	assert_int_equal(bench.candidate.minisig_bytes, 9);
	put_bytes("m.tflite.minisig", MINISIGN_MAX_BYTES + 1);
	assert_int_equal(take_flat(), 0); /* counts as missing */
	assert_null(bench.candidate.minisig);
	bench.config.signatures = CONFIG_POLICY_REQUIRE;
	assert_int_equal(take_flat(), -EFBIG);
	assert_int_equal(unlinkat(bench.folder->fd, "m.tflite.minisig", 0), 0);
	assert_int_equal(take_flat(), 0); /* the install refuses it */
}

/* ---- bundles and open files */

static int bundle(const char *examples)
{
	int fd = openat(bench.folder->fd, "m.tar", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_LABELS, "x\n", 2), 0);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_MODEL, "bundled", 7), 0);
	assert_int_equal(bundle_write_bytes(fd, BUNDLE_EXAMPLES, examples, strlen(examples)), 0);
	assert_int_equal(bundle_write_end(fd), 0);
	return fd;
}

static void the_parts_of_a_bundle_are_ranges_of_its_file(void **state)
{
	(void)state;
	close(bundle("a\t1 2"));
	assert_int_equal(take_from(candidate_bundle(bench.folder->fd, "m")), 0);
	assert_blob(&bench.candidate.version.model, "bundled");
	assert_string_equal(bench.candidate.labels, "x\n");
	assert_int_equal(bench.candidate.version.bytes, 7);
	/* they have no signature */
	assert_true(digest_is_zero(&bench.candidate.version.examples));
}

static void an_open_file_is_a_bundle_or_a_model_of_its_user(void **state)
{
	(void)state;
	int fd = bundle("a\t1 2");
	assert_int_equal(take_from(candidate_given(fd, 12)), 0);
	close(fd);
	assert_blob(&bench.candidate.version.model, "bundled");
	assert_blob(&bench.candidate.version.examples, "a\t1 2\n"); /* lines can be appended */
	assert_int_equal(bench.candidate.version.by, 12);
	assert_true(bench.candidate.version.installed);
	put("m.tflite", "model");
	put("m.labels.txt", "a\n");
	fd = openat(bench.folder->fd, "m.tflite", O_RDONLY | O_CLOEXEC);
	assert_int_equal(take_from(candidate_given(fd, 12)), 0);
	close(fd);
	assert_blob(&bench.candidate.version.model, "model");
	assert_null(bench.candidate.labels); /* only what was handed over */
}

static void examples_that_are_no_examples_refuse_the_bundle(void **state)
{
	(void)state;
	int fd = bundle("a\tone two");
	assert_true(take_from(candidate_given(fd, 12)) < 0);
	assert_memory_equal(bench.err.text, "examples.tsv", 12);
	close(fd);
	fd = bundle("");
	assert_int_equal(take_from(candidate_given(fd, 12)), 0);
	assert_true(digest_is_zero(&bench.candidate.version.examples));
	close(fd);
}

static void a_bundle_that_is_none_is_refused(void **state)
{
	(void)state;
	put("m.tar", "no archive");
	assert_int_equal(take_from(candidate_bundle(bench.folder->fd, "m")), -EBADMSG);
	assert_int_equal(unlinkat(bench.folder->fd, "m.tar", 0), 0);
	assert_int_equal(take_from(candidate_bundle(bench.folder->fd, "m")), -ENOENT);
}

/* ---- identity */

static void any_changed_part_makes_it_another_candidate(void **state)
{
	struct candidate_identity before, now;
	(void)state;
	put("m.tflite", "model");
	const struct candidate_source source = candidate_flat(bench.folder->fd, "m");
	candidate_identify(&source, &before);
	candidate_identify(&source, &now);
	assert_true(candidate_same(&before, &now));
	put("m.golden", "q");
	candidate_identify(&source, &now);
	assert_false(candidate_same(&before, &now));
	put("m.tflite", "other model");
	candidate_identify(&source, &before);
	assert_false(candidate_same(&before, &now));
	assert_int_equal(before.parts[BUNDLE_MODEL].size, 11);
	assert_int_equal(before.parts[BUNDLE_LABELS].size, 0);
}

static void a_verdict_is_settled_and_a_lack_of_resources_is_not(void **state)
{
	static const struct candidate_identity long_ago;
	(void)state;
	assert_true(candidate_settled(0, &long_ago));
	assert_true(candidate_settled(-EBADMSG, &long_ago));
	assert_true(candidate_settled(-ETIMEDOUT, &long_ago));
	assert_true(candidate_settled(SELFTEST_WRONG, &long_ago));
	assert_true(candidate_settled(SELFTEST_NAN, &long_ago));
	assert_false(candidate_settled(-ENOMEM, &long_ago));
	assert_false(candidate_settled(-EBUSY, &long_ago));
	assert_false(candidate_settled(-ENOSPC, &long_ago));
	assert_false(candidate_settled(-EIO, &long_ago));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_model_and_its_companion_files_become_blobs),
		TEST(companion_files_may_be_missing_but_not_the_model),
		TEST(a_version_folder_has_files_of_fixed_names_and_a_number),
		TEST(a_companion_file_that_is_wrong_is_named),
		TEST(companion_files_have_limits_and_so_has_the_model),
		TEST(the_policy_decides_whether_a_signature_is_read),
		TEST(the_parts_of_a_bundle_are_ranges_of_its_file),
		TEST(an_open_file_is_a_bundle_or_a_model_of_its_user),
		TEST(examples_that_are_no_examples_refuse_the_bundle),
		TEST(a_bundle_that_is_none_is_refused),
		TEST(any_changed_part_makes_it_another_candidate),
		TEST(a_verdict_is_settled_and_a_lack_of_resources_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
