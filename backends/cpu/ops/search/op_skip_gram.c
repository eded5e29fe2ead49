/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SKIP_GRAM: all n-grams of the words of a string, with up to so many words left out between two.
 *
 * The n-grams are walked twice, to measure and to write. No list of words is kept: a place in the
 * walk knows where its word ends and looks for the next one from there.
 * Source: tflite kernels/skip_gram.cc.
 */
#include <errno.h>
#include <string.h>

#include "backends/cpu/operand/string_tensor.h"

#define WORK_BETWEEN_CHECKS (1 << 18) /* letters looked at, STEP_WORK more for each step */
#define STEP_WORK 256

/* A word chosen; @next: where to look for the one after it. */
struct word {
	uint32_t start, length, next;
	int64_t index;
};

struct walk {
	struct text text;
	int64_t n_words, size, max_skip; /* size: words of an n-gram */
	bool all; /* shorter ones as well */
	struct word *words; /* the n-gram so far */
	struct word *last; /* as many: what was chosen last at each place */
	int64_t depth;
	uint64_t work; /* since the control was looked at */
	const struct run_control *control;
};

/* Words may have any number of blanks between them. */
static int check(struct walk *w, uint64_t letters)
{
	w->work += STEP_WORK + letters;
	if (w->work < WORK_BETWEEN_CHECKS) {
		return 0;
	}
	w->work = 0;
	return run_control_check(w->control);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * The first word from @at on; false when there is none. Words end at blanks; a first word with a
 * blank before it is lost where another follows it, and a blank alone is a word, both as in the
 * reference.
 */
static bool find_word(const struct text *text, uint32_t at, struct word *ret)
{
	for (uint32_t i = at > 0 ? at : 1; i < text->length; i++) {
		if (!is_space(text->data[i])) {
			continue;
		}
		if (i > at && !is_space(text->data[at])) {
			*ret = (struct word){.start = at, .length = i - at, .next = i + 1};
			return true;
		}
		at = i + 1;
	}
	if (at >= text->length) {
		return false;
	}
	*ret = (struct word){.start = at, .length = text->length - at, .next = text->length};
	return true;
}

static int count_words(struct walk *w)
{
	struct word word = {0};
	int r = 0;
	for (uint32_t at = 0; r == 0 && find_word(&w->text, at, &word); at = word.next) {
		w->n_words++;
		r = check(w, word.next - at);
	}
	return r;
}

static void walk_start(struct walk *w)
{
	w->depth = 0;
	w->last[0] = (struct word){.index = -1};
}

/* One word deeper, where a word is left that is near enough, and, when only whole n-grams count,
 * enough words behind it. *ret_letters: how many were looked at. */
static bool walk_down(struct walk *w, uint64_t *ret_letters)
{
	*ret_letters = 0;
	if (w->depth == w->size) {
		return false;
	}
	struct word *last = &w->last[w->depth];
	int64_t index = last->index + 1;
	int64_t behind = w->all ? 0 : w->size - w->depth - 1;
	uint32_t at = last->next;
	if (index + behind >= w->n_words ||
		(w->depth > 0 && index - w->words[w->depth - 1].index - 1 > w->max_skip) ||
		!find_word(&w->text, last->next, last)) {
		return false;
	}
	*ret_letters = last->next - at;
	last->index = index;
	w->words[w->depth++] = *last;
	if (w->depth < w->size) {
		w->last[w->depth] = *last;
	}
	return true;
}

/* Steps to the next n-gram: 1 with its words in w->words[0 .. *ret_size - 1], 0 at the end, or the
 * control's answer. Longer ones come before the shorter ones that they begin with. */
static int walk_next(struct walk *w, int64_t *ret_size)
{
	for (;;) {
		uint64_t letters = 0;
		bool down = walk_down(w, &letters);
		int r = check(w, letters);
		if (r < 0) {
			return r;
		}
		if (down) {
			continue;
		}
		if (w->depth == 0) {
			return 0;
		}
		int64_t size = w->depth--;
		if (size == w->size || w->all) {
			*ret_size = size;
			return 1;
		}
	}
}

/* Letters, and a blank between words. */
static uint64_t gram_bytes(const struct walk *w, int64_t size)
{
	uint64_t bytes = (uint64_t)size - 1;
	for (int64_t i = 0; i < size; i++) {
		bytes += w->words[i].length;
	}
	return bytes;
}

static int measure(struct walk *w, uint64_t *ret_count, uint64_t *ret_bytes, struct error *err)
{
	uint64_t count = 0, bytes = 0;
	int64_t size = 0;
	int r = 0;
	walk_start(w);
	while ((r = walk_next(w, &size)) > 0) {
		bytes += gram_bytes(w, size);
		if (strings_head_bytes(++count) + bytes > STRINGS_MAX_BYTES) {
			return error_set(
				err, -EFBIG, "n-grams of more than %d bytes", STRINGS_MAX_BYTES);
		}
	}
	*ret_count = count;
	*ret_bytes = strings_head_bytes(count) + bytes;
	return r < 0 ? error_set(err, r, "given up in the middle of the operator") : 0;
}

static void write_gram(const struct walk *w, int64_t size, char *to)
{
	for (int64_t i = 0; i < size; i++) {
		const struct word *word = &w->words[i];
		if (i > 0) {
			*to++ = ' ';
		}
		memcpy(to, w->text.data + word->start, word->length);
		to += word->length;
	}
}

static int write_grams(const struct op_call *call, struct walk *w, uint32_t count,
	uint64_t all_bytes, struct error *err)
{
	struct strings_writer writer =
		strings_writer_within(op_out(call, 0)->data, count, all_bytes);
	int64_t size = 0;
	int r = 0;
	walk_start(w);
	while ((r = walk_next(w, &size)) > 0) {
		uint64_t bytes = gram_bytes(w, size);
		char *to = strings_reserve(&writer, (uint32_t)bytes);
		if (to) {
			write_gram(w, size, to);
		}
		w->work += bytes / 16;
	}
	return r < 0 ? error_set(err, r, "given up in the middle of the operator")
		     : string_tensor_check(&writer, err);
}

static int skip_gram_prepare(struct op_setup *setup, struct error *err)
{
	int32_t size = setup->node->options.skip_gram.ngram_size;
	(void)err;
	setup->scratch_bytes = 2 * (uint64_t)(size > 1 ? size : 1) * sizeof(struct word);
	return 0;
}

/* Fewer words than an n-gram has: nothing, shorter ones neither. */
static int skip_gram_run(const struct op_call *call, struct error *err)
{
	const struct options_skip_gram *o = &call->node->options.skip_gram;
	const struct value *in = op_in(call, 0);
	struct strings strings = {0};
	int r = run_control_open_strings(call->control, &strings, in, op_elements(&in->shape), err);
	if (r < 0) {
		return r == -EBADMSG ? -EINVAL : r;
	}
	struct walk w = {.size = o->ngram_size,
		.max_skip = o->max_skip_size,
		.all = o->include_all_ngrams,
		.words = call->scratch,
		.control = call->control};
	w.text.data = strings_get(&strings, 0, &w.text.length);
	r = count_words(&w);
	w.last = w.words + (w.size > 1 ? w.size : 1);
	w.size = w.size < 0 || w.n_words < w.size ? 0 : w.size;
	uint64_t count = 0, bytes = 0;
	r = r < 0 ? error_set(err, r, "given up in the middle of the operator")
		  : measure(&w, &count, &bytes, err);
	const struct shape shape = {.rank = 1, .dim = {(int32_t)count}};
	r = r < 0 ? r : op_give_output(call, 0, &shape, bytes, err);
	return r < 0 ? r : write_grams(call, &w, (uint32_t)count, bytes, err);
}

const struct cpu_op op_skip_gram = {
	.op = OP_SKIP_GRAM, .prepare = skip_gram_prepare, .run = skip_gram_run};
