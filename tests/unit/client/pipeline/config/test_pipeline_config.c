/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/pipeline/config/pipeline_config.h"

#define MODEL "[model]\nname = m\n"

static int read_text(const char *text, struct pipeline_config **ret_config, struct error *err)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	assert_non_null(file);
	int r = pipeline_config_read(file, "dir/p.conf", ret_config, err);
	fclose(file);
	return r;
}

static struct pipeline_config *must_read(const char *text)
{
	struct pipeline_config *config = NULL;
	struct error err = {0};
	if (read_text(text, &config, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return config;
}

static void a_model_is_enough(void **state)
{
	(void)state;
	owned_mem struct pipeline_config *config = must_read(MODEL);
	assert_string_equal(config->name, "p");
	assert_int_equal(config->n_stages, 1);
	assert_string_equal(config->stages[0].name, "p");
	assert_string_equal(config->stages[0].model, "m");
	assert_int_equal(config->source.every, 1);
	assert_int_equal(config->stages[0].post.top_k, 5);
	assert_true(isnan(config->stages[0].post.threshold));
	assert_false(config->stages[0].decision.given);
}

static void sections_belong_to_the_stage_before_them(void **state)
{
	(void)state;
	owned_mem struct pipeline_config *config = must_read(
		"# two stages\n[source]\nkind = picture\n[stage find]\n[model]\nname = a\n"
		"[post]\nkind = detections\nthreshold = 0.25\n"
		"[stage face]\nafter = find\nwhen = person, dog\ninput = crop\ngrow = 0.1\n"
		"budget = 2s\n[model]\nname = b\n[decision]\nk = 2\nn = 3\n");
	assert_int_equal(config->n_stages, 2);
	assert_string_equal(config->stages[0].name, "find");
	assert_true(config->stages[0].post.threshold == 0.25);
	assert_int_equal(config->stages[1].parent, 0);
	assert_int_equal(config->stages[1].budget_ms, 2000);
	assert_int_equal(config->stages[1].decision.n, 3);
	assert_true(config->stages[1].decision.given);
	assert_false(config->stages[0].decision.given);
	assert_string_equal(config->stages[1].model, "b");
}

static void what_is_printed_reads_the_same(void **state)
{
	(void)state;
	owned_mem struct pipeline_config *first =
		must_read("[pipeline]\ndescription = a b\n" MODEL
			  "[pre]\ncrop = 0,0.25,1,0.5\nmean = 127.5\nstd=1,2,3\n"
			  "[post]\nkind = yolov8\nnms = 0.3\n"
			  "[decision]\nzones = door: 0 0, 1 0, 1 1; x: 0.1 0.1, 0.2 0.1, 0.2 0.3\n"
			  "hold-off = 3s\nlow = 0.2\n");
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	pipeline_config_print(first, file);
	fclose(file);
	owned_mem struct pipeline_config *second = must_read(text);
	free(text);
	memset(first->lines, 0, sizeof(first->lines));
	memset(second->lines, 0, sizeof(second->lines));
	for (size_t i = 0; i < first->n_stages; i++) {
		memset(first->stages[i].lines, 0, sizeof(first->stages[i].lines));
		memset(second->stages[i].lines, 0, sizeof(second->stages[i].lines));
		first->stages[i].line = second->stages[i].line = 0;
	}
	const size_t n = pipeline_config_n_keys;
	char a[ZONES_TEXT_SIZE], b[ZONES_TEXT_SIZE];
	const struct pipeline_config_key *keys = pipeline_config_keys;
	for (size_t i = 0; i < n; i++) {
		bool common = pipeline_config_key_is_common(&keys[i]);
		const void *one = common ? (void *)first : (void *)&first->stages[0];
		const void *other = common ? (void *)second : (void *)&second->stages[0];
		assert_string_equal(pipeline_config_get(one, &keys[i], a, sizeof(a)),
			pipeline_config_get(other, &keys[i], b, sizeof(b)));
	}
}

/* Of every kind, so also without the keys that are none of it. */
static void what_is_printed_can_be_read(void **state)
{
	(void)state;
	static const char *const kinds[] = {"auto", "classes", "detections", "ssd", "yolov5",
		"yolov8", "keypoints", "poses", "mask", "numbers", "reconstruction", "embedding",
		"tensors"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char text[128];
		snprintf(text, sizeof(text), MODEL "[post]\nkind = %s\n%s", kinds[i],
			strcmp(kinds[i], "ssd") == 0 ? "anchors = a.csv\n" : "");
		owned_mem struct pipeline_config *first = must_read(text);
		char *printed = NULL;
		size_t size = 0;
		FILE *file = open_memstream(&printed, &size);
		pipeline_config_print(first, file);
		fclose(file);
		owned_mem struct pipeline_config *second = must_read(printed);
		assert_int_equal(second->stages[0].post.kind, first->stages[0].post.kind);
		assert_int_equal(
			!strstr(printed, "\nexamples ="), strcmp(kinds[i], "embedding") != 0);
		free(printed);
	}
}

static void the_name_of_a_file_is_in_the_error(void **state)
{
	(void)state;
	static const char *const names[] = {"dir/two words.conf", "dir/\xc3\xbc.conf"};
	for (size_t i = 0; i < 2; i++) {
		struct pipeline_config *config = NULL;
		struct error err = {0};
		FILE *file = fmemopen((void *)(uintptr_t)MODEL, strlen(MODEL), "r");
		assert_int_equal(pipeline_config_read(file, names[i], &config, &err), -EINVAL);
		fclose(file);
		assert_int_equal(strncmp(err.text, names[i], strlen(names[i])), 0);
		assert_non_null(strstr(err.text, ": the name of a pipeline has"));
	}
}

static void what_belongs_to_others_is_skipped(void **state)
{
	(void)state;
	owned_mem struct pipeline_config *config =
		must_read("[X-mine]\nanything = here\n[model]\nname = m\nX-note = y\n");
	assert_string_equal(config->stages[0].model, "m");
}

struct mistake {
	const char *text;
	const char *place, *why; /* both in the error */
};

static const struct mistake mistakes[] = {
	{"", "p.conf:1: ", "no [model] name"},
	{MODEL "[post]\nkind = classes\nexamples = e\n",
		"p.conf:5: ", "examples: only where kind is embedding"},
	{MODEL "[post]\nexamples = e\n", "p.conf:4: ", "only where kind is embedding"},
	{MODEL "[post]\npixels = yes\nkind = ssd\nanchors = a\n",
		"p.conf:4: ", "pixels: only where kind is yolov5 or yolov8"},
	{MODEL "[post]\nkind = classes\nnms = 0.5\n", "p.conf:5: ", "nms: only where kind is ssd"},
	{MODEL "[post]\nclass-agnostic = yes\n", "p.conf:4: ", "class-agnostic: only where"},
	{MODEL "[post]\nkind = detections\nnms = 0.5\n", "p.conf:5: ", "nms: only where"},
	{MODEL "[post]\nkind = keypoints\nmax-boxes = 3\n", "p.conf:5: ", "max-boxes: only where"},
	{MODEL "[post]\nkind = poses\nactivation = sigmoid\n", "p.conf:5: ", "activation: only"},
	{MODEL "[post]\nkind = yolov8\ntop-k = 3\n", "p.conf:5: ", "top-k: only where"},
	{MODEL "[post]\nkind = mask\npoint-threshold = 0.1\n", "p.conf:5: ", "keypoints or poses"},
	{MODEL "[post]\nkind = tensors\nthreshold = 0.5\n", "p.conf:5: ", "only where kind is not"},
	{MODEL "[post]\nkind = tensors\noutputs = 1\n",
		"p.conf:5: ", "outputs: only where kind is not"},
	{MODEL "[post]\nkind = numbers\nthreshold = 0.5\n",
		"p.conf:5: ", "embedding and [decision] is given"},
	{MODEL "[post]\nkind = embedding\nlabels = l\n",
		"p.conf:5: ", "labels: only where kind is auto, classes"},
	{MODEL "[post]\nkind = numbers\nskip = a\n", "p.conf:5: ", "skip: only where"},
	{MODEL "[source]\nkind = sound\n[post]\nsnapshot = yes\n",
		"p.conf:6: ", "snapshot: only where what comes in is auto or picture"},
	{"name = m\n", "p.conf:1: ", "before the first [section]"},
	{"[modle]\nname = m\n", "p.conf:1: ", "no section [modle]"},
	{"[stage]\n" MODEL, "p.conf:1: ", "no section [stage]"},
	{"[stage a b]\n" MODEL, "p.conf:1: ", "letters, digits"},
	{"[model\nname = m\n", "p.conf:1: ", "[name]"},
	{"[model]\nnam = m\n", "p.conf:2: ", "no key nam in [model]"},
	{"[model]\nname = m\nname = n\n", "p.conf:3: ", "in line 2 already"},
	{"[model]\nname\n", "p.conf:2: ", "neither"},
	{MODEL "[source]\nkind = video\n", "p.conf:4: ", "one of: auto picture"},
	{MODEL "[source]\nevery = 0\n", "p.conf:4: ", "between 1 and 1000000"},
	{MODEL "[source]\nevery = 2x\n", "p.conf:4: ", "a number"},
	{MODEL "[source]\nevery = -1\n", "p.conf:4: ", "a number"},
	{MODEL "[source]\nrate = 99999999999999999999\n", "p.conf:4: ", "a number"},
	{MODEL "[source]\nlatest-only = true\n", "p.conf:4: ", "yes or no"},
	{MODEL "[post]\nkind = numbers\nnames = a, seq\n", "p.conf:5: ", "names: seq is what"},
	{MODEL "[post]\nkind = numbers\nnames = seq , a\n", "p.conf:5: ", "names: seq is what"},
	{MODEL "[post]\nkind = numbers\nnames = \x1b[1m,\x1b[1m\n",
		"p.conf:5: ", "names: \\x1b[1m is what"},
	{MODEL "[post]\nkind = numbers\nnames = value_12\n", "p.conf:5: ", "value_12"},
	{MODEL "[post]\nkind = numbers\nnames = a,b, a\n", "p.conf:5: ", "names: a is what"},
	{MODEL "[post]\nkind = numbers\nnames = b , a, b\n", "p.conf:5: ", "names: b is what"},
	{MODEL "[post]\nkind = numbers\nnames = time_us , x\n", "p.conf:5: ", "names: time_us is"},
	{MODEL "[post]\nkind = numbers\n[decision]\nlabels = a, value_0\n",
		"p.conf:6: ", "labels: value_0 is a number without a name; give it one by names"},
	{MODEL "[post]\nkind = numbers\n[decision]\nthreshold = 1\nignore = value\n",
		"p.conf:7: ", "ignore: value is a number without a name"},
	{MODEL "[post]\nkind = numbers\n[stage b]\nwhen = value_1\n" MODEL,
		"p.conf:6: ", "when: value_1 is a number without a name"},
	{MODEL "[source]\nwidth = 8\n", "p.conf:4: ", "both or none"},
	{MODEL "[pre]\ncrop = 0,0,1\n", "p.conf:4: ", "left, top"},
	{MODEL "[pre]\ncrop = 0.5,0,0.6,1\n", "p.conf:4: ", "left, top"},
	{MODEL "[pre]\ncrop = 1,2,3,4,5\n", "p.conf:4: ", "up to 4 numbers"},
	{MODEL "[pre]\nmean = 1,,2\n", "p.conf:4: ", "up to 4 numbers"},
	{MODEL "[pre]\nmean = 1,\n", "p.conf:4: ", "up to 4 numbers"},
	{MODEL "[pre]\nstd = 1,0\n", "p.conf:4: ", "0 divides nothing"},
	{MODEL "[pre]\nfeatures = mel\nn_fft = 500\n", "p.conf:5: ", "power of two"},
	{MODEL "[pre]\nfeatures = mel\nwin_length = 600\n", "p.conf:5: ", "longer than n_fft"},
	{MODEL "[pre]\nfeatures = mel\nfmax = 9000\n", "p.conf:5: ", "sr / 2"},
	{MODEL "[pre]\nfeatures = mel\nfmin = 8000\n", "p.conf:5: ", "fmin < fmax"},
	{MODEL "[pre]\nfeatures = mel\nfmin = 100\nfmax = 100.5\n", "p.conf:6: ", "1 Hz"},
	{MODEL "[pre]\nfeatures = mfcc\nn_mfcc = 41\n", "p.conf:5: ", "more than n_mels"},
	{MODEL "[pre]\nfeatures = mel\nstyle = tensorflow\ncenter = yes\n",
		"p.conf:6: ", "style is librosa"},
	{MODEL "[pre]\npower = nan\n", "p.conf:4: ", "a number"},
	{MODEL "[pre]\npower = 5\n", "p.conf:4: ", "between 0.5 and 4"},
	{MODEL "[post]\nkind = ssd\nanchor-layers = 17\n", "p.conf:5: ", "between 1 and 16"},
	{MODEL "[post]\nkind = ssd\nanchor-stride = 0\n", "p.conf:5: ", "between 1 and 1024"},
	{MODEL "[post]\nkind = ssd\nanchor-scales = 0.2\n", "p.conf:5: ", "least and the largest"},
	{MODEL "[post]\nkind = ssd\nanchor-scales = 0.9,0.2\n", "p.conf:5: ", "least and the la"},
	{MODEL "[post]\nkind = ssd\nanchor-scales = 0,0.2\n", "p.conf:5: ", "above 0"},
	{MODEL "[post]\nkind = ssd\nanchor-scales = 0.2,1.1\n", "p.conf:5: ", "not above 1"},
	{MODEL "[post]\nkind = ssd\nanchor-scales = 0.2,0.4,0.6\n", "p.conf:5: ", "up to 2 numb"},
	{MODEL "[post]\nkind = ssd\n\nanchor-ratios = 1,0\n", "p.conf:6: ", "0.01 and 100"},
	{MODEL "[post]\nkind = ssd\nanchor-ratios = 1,2,3,4,5,6,7,8,9\n",
		"p.conf:5: ", "up to 8 numbers"},
	{MODEL "[post]\nkind = ssd\nanchor-interpolated = -1\n", "p.conf:5: ", "between 0 and 100"},
	{MODEL "[post]\nkind = ssd\nanchor-interpolated = 1e-320\n", "p.conf:5: ", "0.01 to 100"},
	{MODEL "[post]\nkind = ssd\nanchor-lowest = 3\n", "p.conf:5: ", "one of: reduced full"},
	{MODEL "[post]\nkind = ssd\nanchors = a\nanchor-scales = 0.2,0.9\n",
		"p.conf:6: ", "anchor-scales: only where kind is ssd and anchors is not given"},
	{MODEL "[post]\nkind = ssd\nanchor-layers = 1\nanchor-ratios = 1\n",
		"p.conf:6: ", "anchor-layers is not 1, or"},
	{MODEL "[post]\nkind = yolov8\nanchor-layers = 2\n",
		"p.conf:5: ", "only where kind is ssd"},
	{MODEL "[post]\nkind = ssd\nanchors = a\nbox-scales = 10,10\n",
		"p.conf:6: ", "four numbers"},
	{MODEL "[post]\nkind = classes\noutputs = 0.5\n", "p.conf:5: ", "numbers of outputs"},
	{MODEL "[post]\nnms = 1.5\n", "p.conf:4: ", "between 0 and 1"},
	{MODEL "[decision]\nk = 2\n", "p.conf:4: ", "more than n"},
	{MODEL "[decision]\nthreshold = 0.4\nlow = 0.5\n", "p.conf:5: ", "above threshold"},
	{MODEL "[post]\nthreshold = 0.4\n[decision]\nlow = 0.5\n", "p.conf:6: ", "above threshold"},
	{MODEL "[decision]\nhold-off = 3\n", "p.conf:4: ", "time with its unit"},
	{MODEL "[decision]\nhold-off = 2d\n", "p.conf:4: ", "time with its unit"},
	{MODEL "[decision]\nhold-off = 9999min\n", "p.conf:4: ", "between 0 and 86400000 ms"},
	{MODEL "[decision]\nchange = 1\n",
		"p.conf:4: ", "change: only where [post] kind is numbers"},
	{MODEL "[decision]\nzones = a: 0 0, 1 0, 1 1\n",
		"p.conf:4: ", "zones: only where [post] kind is detections"},
	{MODEL "[post]\nkind = yolov5\n[decision]\nzones = a: 0 0, 1 0\n", "p.conf:6: ", "zone 1"},
	{MODEL "[post]\nkind = yolov5\n[decision]\nzones = a: 0 0, 1 0, 1 2\n",
		"p.conf:6: ", "zone 1"},
	{"[stage a]\nbudget = 1s\n" MODEL, "p.conf:2: ", "first stage comes after none"},
	{MODEL "[stage b]\nafter = c\n" MODEL, "p.conf:4: ", "no stage of that name"},
	{MODEL "[stage b]\ninput = crop\n" MODEL, "p.conf:4: ", "no boxes to crop"},
	{MODEL "[stage b]\non = event\n" MODEL, "p.conf:4: ", "no [decision]"},
	{MODEL "[stage b]\ninput = outputs\nwhen = x\n" MODEL,
		"p.conf:5: ", "when: only where input is whole or crop"},
	{MODEL "[stage b]\n[pre]\nhop = 2\n", "p.conf:3: ", "no [model] name"},
	{MODEL "[post]\nkind = tensors\n[stage b]\n" MODEL,
		"p.conf:5: ", "finds nothing to look at"},
	{"[source]\nkind = sound\n" MODEL "[post]\nkind = yolov8\n[stage b]\ninput = crop\n" MODEL,
		"p.conf:8: ", "no picture to crop"},
	{MODEL "[post]\nkind = numbers\n[decision]\nchange = 1\n[stage b]\non = event\n" MODEL,
		"p.conf:8: ", "nothing begins"},
	{"[source]\nkind = numbers\ncolumns = 2\n" MODEL "[pre]\nfeatures = mel\n",
		"p.conf:7: ", "one column"},
	{MODEL "[post]\nkind = yolov5\nactivation = softmax\n", "p.conf:5: ", "linear or sigmoid"},
	{MODEL "[post]\nkind = classes\noutputs = 0,1\n", "p.conf:5: ", "this kind takes 1"},
	{MODEL "[post]\nkind = tensors\n[decision]\npublish = begin\n",
		"p.conf:6: ", "only all tells anything"},
	{"[source]\nkind = picture\n" MODEL "[pre]\nmean = 1,2\n", "p.conf:6: ", "mean: one, or"},
	{"[source]\nkind = sound\n" MODEL "[pre]\nstd = 1,2\n",
		"p.conf:6: ", "std: samples have one"},
	{MODEL "\n# Who it is.\n\n[stage b]\n\n[pre]\nstd = 2\n", "p.conf:6: ", "no [model] name"},
	{MODEL "[post]\nkind = tensors\n\n[stage b]\n\n" MODEL,
		"p.conf:6: ", "finds nothing to look at"},
	{"[stage a]\n\n" MODEL "\n[stage a]\n" MODEL, "p.conf:6: ", "began in line 1"},
	{"\n[stage a]\n\n" MODEL "\n[stage a]\n" MODEL, "p.conf:7: ", "began in line 2"},
	{MODEL "[decision]\nlabels = cat, big dog ,x\nignore = y, big dog\n",
		"p.conf:4: ", "labels: big dog is also in ignore"},
	{MODEL "[decision]\nlabels = cat\\, big\nignore = dog, cat\\, big\n",
		"p.conf:4: ", "labels: cat, big is also in ignore"},
	{MODEL "[post]\nskip = x\n[decision]\nlabels = x\n",
		"p.conf:6: ", "labels: x is also in skip"},
	{MODEL "[post]\nskip = a,b\n[stage b]\nwhen = c, b\n" MODEL,
		"p.conf:6: ", "when: b is also in skip of the stage before"},
	{"[stage a]\n" MODEL "[stage a]\n" MODEL, "p.conf:4: ", "began in line 1"},
};

static void every_mistake_is_told_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct pipeline_config *config = NULL;
		struct error err = {0};
		const char *text = mistakes[i].text[0] ? mistakes[i].text : "\n";
		if (read_text(text, &config, &err) != -EINVAL || config ||
			!strstr(err.text, mistakes[i].place) ||
			!strstr(err.text, mistakes[i].why)) {
			fail_msg("mistake %zu: '%s' lacks '%s' or '%s'", i, err.text,
				mistakes[i].place, mistakes[i].why);
		}
	}
}

static void files_with_bytes_changed_are_read_or_refused(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 5000; round++) {
		char text[512];
		struct pipeline_config *config = NULL;
		struct error err = {0};
		const char *from =
			mistakes[(size_t)round % (sizeof(mistakes) / sizeof(mistakes[0]))].text;
		int n = snprintf(text, sizeof(text),
			"%s[decision]\nzones = a: 0 0, 1 0, 1 1\nk = 1\nhold-off = 2s\n", from);
		for (int i = 0; i < 3; i++) {
			seed = seed * 1664525u + 1013904223u;
			text[(seed >> 8) % (uint32_t)n] = (char)(1 + (seed >> 24) % 255);
		}
		int r = read_text(text, &config, &err);
		if (r < 0) {
			assert_true(err.text[0]);
			assert_null(config);
		}
		free(config);
	}
}

static void there_are_not_more_stages_than_fit(void **state)
{
	(void)state;
	char text[1024] = "";
	struct pipeline_config *config = NULL;
	struct error err = {0};
	for (int i = 0; i <= PIPELINE_CONFIG_MAX_STAGES; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"[stage s%d]\n[model]\nname = m\n", i);
	}
	assert_int_equal(read_text(text, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 8 stages"));
}

static void lists_have_whole_words(void **state)
{
	(void)state;
	assert_true(pipeline_config_list_has("cat, big dog ,x", "big dog"));
	assert_true(pipeline_config_list_has("cat, big dog ,x", "x"));
	assert_true(pipeline_config_list_has("cat", "cat"));
	assert_false(pipeline_config_list_has("cats", "cat"));
	assert_false(pipeline_config_list_has("", ""));
	assert_false(pipeline_config_list_has("a,,b", ""));
	assert_false(pipeline_config_list_has("tabby, tabby cat", "tabby, tabby cat"));
	assert_true(pipeline_config_list_has("x ,tabby\\, tabby cat , y", "tabby, tabby cat"));
	assert_false(pipeline_config_list_has("tabby\\, tabby cat", "tabby cat"));
	assert_true(pipeline_config_list_has("a\\b", "a\\b"));
	assert_true(pipeline_config_list_has("a\\\\,b", "a\\"));
	assert_true(pipeline_config_list_has("a\\\\,b", "b"));
}

static void words_of_a_list_come_one_by_one(void **state)
{
	(void)state;
	static const char *const words[] = {"one", "", "two three", "f,our", "\\"};
	const char *at = " one,, two three\t,f\\,our,\\";
	char word[PIPELINE_CONFIG_TEXT_SIZE];
	for (size_t i = 0; i < 5; i++) {
		assert_true(*at);
		at = pipeline_config_list_next(at, word);
		assert_string_equal(word, words[i]);
	}
	assert_string_equal(at, "");
	assert_string_equal(pipeline_config_list_next("", word), "");
	assert_string_equal(word, "");
	/* Longer than any text of a file is: cut, and nothing behind it is written to. */
	char longer[2 * PIPELINE_CONFIG_TEXT_SIZE];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	pipeline_config_list_next(longer, word);
	assert_int_equal(strlen(word), PIPELINE_CONFIG_TEXT_SIZE - 1);
}

static void a_point_is_in_the_first_zone_around_it(void **state)
{
	(void)state;
	struct zones zones = {0};
	assert_int_equal(
		zones_parse("l: 0 0, 0.5 0, 0.5 1, 0 1; all: 0 0, 1 0, 1 1, 0 1", &zones, NULL), 0);
	assert_string_equal(zones_find(&zones, 0.2, 0.2)->name, "l");
	assert_string_equal(zones_find(&zones, 0.7, 0.2)->name, "all");
	assert_null(zones_find(&zones, 1.2, 0.5));
	/* An L: its notch is outside. */
	assert_int_equal(zones_parse("L: 0 0, 0.3 0, 0.3 0.7, 1 0.7, 1 1, 0 1", &zones, NULL), 0);
	assert_null(zones_find(&zones, 0.6, 0.3));
	assert_non_null(zones_find(&zones, 0.6, 0.8));
}

/* "a_b" as the page's markup has it. */
static void escape(const char *key, char *out)
{
	for (; *key; key++) {
		if (*key == '_') {
			*out++ = '\\';
		}
		*out++ = *key;
	}
	*out = 0;
}

/* The last heading between @section and @key, which says what all keys below it need; NULL: none. */
static const char *heading_before(const char *section, const char *key)
{
	const char *last = NULL;
	for (const char *at = section; (at = strstr(at, "\n## ")) && at < key; at++) {
		last = at + 1;
	}
	return last;
}

static void the_manual_names_every_key_with_its_default(void **state)
{
	(void)state;
	static char page[65536];
	FILE *file = fopen(SOURCE_ROOT "/docs/man/edged-pipelines.5.scd", "r");
	assert_non_null(file);
	const size_t size = fread(page, 1, sizeof(page) - 1, file), n = pipeline_config_n_keys;
	fclose(file);
	assert_true(size > 0 && size < sizeof(page) - 1);
	const struct pipeline_config_key *keys = pipeline_config_keys;
	for (size_t i = 0; i < n; i++) {
		char key[80], value[160], wanted[320], title[64];
		snprintf(title, sizeof(title), "# SECTION [%s", keys[i].section);
		const char *section = strstr(page, title);
		assert_non_null(section);
		escape(keys[i].key, key);
		escape(keys[i].value, value);
		snprintf(wanted, sizeof(wanted), "\n*%s* =%s%s%s\n", key, value[0] ? " _" : "",
			value, value[0] ? "_" : "");
		const char *found = strstr(section, wanted);
		const char *next = strstr(section + 1, "\n# ");
		if (!found || found > next) {
			fail_msg("[%s] lacks %s", keys[i].section, wanted);
		}
		char needs[PIPELINE_CONFIG_NEEDS_SIZE], told[2 * PIPELINE_CONFIG_NEEDS_SIZE];
		escape(pipeline_config_key_needs(&keys[i], needs), told);
		const char *heading = heading_before(section, found);
		const char *end = heading ? strchr(heading, '\n') : strstr(found + 1, "\n\n");
		const char *said = told[0] ? strstr(heading ? heading : found, told + 1) : found;
		if (!said || said > end || (told[0] && said[-1] != 'O') || (heading && !told[0])) {
			fail_msg("[%s] %s lacks: %s", keys[i].section, keys[i].key, needs);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_is_enough),
		cmocka_unit_test(sections_belong_to_the_stage_before_them),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(what_is_printed_can_be_read),
		cmocka_unit_test(the_name_of_a_file_is_in_the_error),
		cmocka_unit_test(what_belongs_to_others_is_skipped),
		cmocka_unit_test(every_mistake_is_told_with_its_line),
		cmocka_unit_test(files_with_bytes_changed_are_read_or_refused),
		cmocka_unit_test(there_are_not_more_stages_than_fit),
		cmocka_unit_test(lists_have_whole_words),
		cmocka_unit_test(words_of_a_list_come_one_by_one),
		cmocka_unit_test(the_manual_names_every_key_with_its_default),
		cmocka_unit_test(a_point_is_in_the_first_zone_around_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
