/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/edged/store/manifest.h"

static struct digest digest_from(int number)
{
	return digest_of(&number, sizeof(number));
}

static struct manifest_version version_from(int number, uint64_t version)
{
	return (struct manifest_version){.model = digest_from(number),
		.version = version,
		.bytes = 1000 + (uint64_t)number,
		.since = 1700000000,
		.by = 1000};
}

/* Installs @number as the store does: it is active and on trial. */
static uint64_t install(struct manifest *manifest, int number)
{
	struct manifest_version version = version_from(number, 0);
	const struct manifest_version *added = manifest_add(manifest, &version);
	uint64_t given = added->version;
	manifest->active = version.model;
	manifest->trial = true;
	manifest_trim(manifest);
	return given;
}

static void what_is_printed_is_read_back(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m", .pinned = true}, back;
	char *text = NULL;
	size_t size = 0;
	install(&manifest, 1);
	manifest_pass_trial(&manifest);
	install(&manifest, 2);
	manifest.versions[1].labels = digest_from(77);
	manifest.versions[1].examples = digest_from(78);
	assert_int_equal(manifest_print(&manifest, &text, &size), 0);
	assert_int_equal(manifest_parse("m", text, size, &back, NULL), 0);
	assert_memory_equal(&back, &manifest, sizeof(back));
	free(text);
}

static void half_a_text_and_a_changed_one_are_not_read(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"}, back;
	struct error err = {0};
	char *text = NULL;
	size_t size = 0;
	install(&manifest, 1);
	assert_int_equal(manifest_print(&manifest, &text, &size), 0);
	for (size_t cut = 0; cut < size; cut++) {
		assert_int_equal(manifest_parse("m", text, cut, &back, &err), -EINVAL);
	}
	assert_string_equal(err.text, "m: truncated or changed");
	for (size_t at = 0; at + 1 < size; at++) {
		text[at] ^= 1;
		assert_int_equal(manifest_parse("m", text, size, &back, NULL), -EINVAL);
		text[at] ^= 1;
	}
	assert_int_equal(manifest_parse("m", text, size, &back, NULL), 0);
	free(text);
}

static void a_version_that_comes_again_keeps_its_examples(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	const struct digest first = digest_from(78), second = digest_from(79);
	struct manifest_version version = version_from(1, 0);
	install(&manifest, 1);
	manifest.versions[0].examples = first;
	assert_true(manifest_wants(&manifest, &first));
	assert_true(digest_equal(&manifest_add(&manifest, &version)->examples, &first));
	version.examples = second;
	assert_true(digest_equal(&manifest_add(&manifest, &version)->examples, &second));
	assert_false(manifest_wants(&manifest, &first));
	install(&manifest, 2);
	assert_true(digest_is_zero(&manifest_find(&manifest, &manifest.active)->examples));
}

static void versions_are_numbered_on(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	assert_int_equal(install(&manifest, 1), 1);
	assert_int_equal(install(&manifest, 2), 2);
	struct manifest_version named = version_from(3, 10);
	manifest_add(&manifest, &named);
	assert_int_equal(install(&manifest, 4), 11);
	assert_int_equal(install(&manifest, 4), 11);
}

static void a_version_that_is_proved_is_what_a_later_one_falls_back_to(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	install(&manifest, 1);
	assert_null(manifest_fallback(&manifest));
	manifest_pass_trial(&manifest);
	install(&manifest, 2);
	assert_int_equal(manifest_fallback(&manifest)->version, 1);
	manifest_pass_trial(&manifest);
	assert_int_equal(manifest_fallback(&manifest)->version, 1);
	install(&manifest, 3);
	assert_int_equal(manifest_fallback(&manifest)->version, 2);
}

static void one_that_did_well_is_what_the_second_falls_back_to(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	const struct digest first = digest_from(1), second = digest_from(2), none = {0};
	manifest_prepare_replacement(&manifest, &none);
	install(&manifest, 1);
	manifest_prepare_replacement(&manifest, &none);
	assert_true(digest_is_zero(&manifest.last_good));
	manifest_prepare_replacement(&manifest, &second);
	assert_true(digest_is_zero(&manifest.last_good));
	manifest_prepare_replacement(&manifest, &first);
	install(&manifest, 2);
	assert_true(digest_equal(&manifest_fallback(&manifest)->model, &first));
	manifest_prepare_replacement(&manifest, &second); /* that there is one already stays */
	install(&manifest, 3);
	assert_true(digest_equal(&manifest_fallback(&manifest)->model, &first));
	manifest_pass_trial(&manifest);
	assert_true(digest_equal(&manifest.previous, &first));
}

static void only_versions_with_a_role_are_kept(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	struct digest good = digest_from(1), tried = digest_from(2), labels = digest_from(9);
	install(&manifest, 1);
	manifest_pass_trial(&manifest);
	for (int number = 2; number < 20; number++) {
		install(&manifest, number);
	}
	assert_int_equal(manifest.n, 2);
	assert_true(manifest_wants(&manifest, &good));
	assert_false(manifest_wants(&manifest, &tried));
	assert_false(manifest_wants(&manifest, &labels));
	struct manifest_version *kept = &manifest.versions[0];
	struct digest *const besides[] = {
		&kept->labels, &kept->golden, &kept->conf, &kept->minisig};
	for (size_t i = 0; i < sizeof(besides) / sizeof(besides[0]); i++) {
		const struct digest before = *besides[i];
		*besides[i] = labels;
		assert_true(manifest_wants(&manifest, &labels));
		*besides[i] = before;
	}
}

static void a_full_one_forgets_the_oldest_without_a_role(void **state)
{
	(void)state;
	struct manifest manifest = {.name = "m"};
	struct digest second = digest_from(2);
	install(&manifest, 1);
	manifest_pass_trial(&manifest);
	for (int number = 2; number < 6; number++) {
		struct manifest_version version = version_from(number, 0);
		manifest_add(&manifest, &version);
	}
	assert_int_equal(manifest.n, MANIFEST_MAX_VERSIONS);
	assert_non_null(manifest_find(&manifest, &manifest.last_good));
	assert_null(manifest_find(&manifest, &second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_read_back),
		cmocka_unit_test(half_a_text_and_a_changed_one_are_not_read),
		cmocka_unit_test(a_version_that_comes_again_keeps_its_examples),
		cmocka_unit_test(versions_are_numbered_on),
		cmocka_unit_test(a_version_that_is_proved_is_what_a_later_one_falls_back_to),
		cmocka_unit_test(one_that_did_well_is_what_the_second_falls_back_to),
		cmocka_unit_test(only_versions_with_a_role_are_kept),
		cmocka_unit_test(a_full_one_forgets_the_oldest_without_a_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
