/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/kernels/crash_note.h"
#include "tests/kernels/peak.h"

#define UNTOUCHED 0xa5
#define BENCH_NS 100000000ull
#define BENCH_EACH_NS 20000ull

struct check_buffer {
	struct check_buffer *next;
	void *map;
	size_t map_bytes;
};

static uint32_t next(struct check *c)
{
	/* splitmix64 */
	uint64_t z = (c->random += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

uint32_t check_below(struct check *c, uint32_t limit)
{
	return (uint32_t)(((uint64_t)next(c) * limit) >> 32);
}

int32_t check_between(struct check *c, int32_t lo, int32_t hi)
{
	return lo + (int32_t)check_below(c, (uint32_t)(hi - lo) + 1);
}

void *check_buffer(struct check *c, size_t bytes, size_t alignment)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (bytes + alignment - 1) / alignment * alignment;
	room += c->bench ? 64 : 0;
	size_t pages = (room + page - 1) / page * page;
	struct check_buffer *b = malloc(sizeof(*b));
	uint8_t *map = mmap(
		NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!b || map == MAP_FAILED || mprotect(map + pages, page, PROT_NONE) != 0) {
		perror("check_buffer");
		exit(2);
	}
	*b = (struct check_buffer){c->buffers, map, pages + page};
	c->buffers = b;
	return map + pages - room;
}

void check_free_all(struct check *c)
{
	while (c->buffers) {
		struct check_buffer *b = c->buffers;
		c->buffers = b->next;
		munmap(b->map, b->map_bytes);
		free(b);
	}
}

#define DEFINE_FILL(name, type, lo, hi)                                                            \
	type *name(struct check *c, size_t n)                                                      \
	{                                                                                          \
		type *x = check_buffer(c, n * sizeof(*x), sizeof(*x));                             \
		bool ends = check_below(c, 4) == 0 && !c->bench;                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			x[i] = (type)(ends ? (check_below(c, 2) ? (lo) : (hi))                     \
					   : check_between(c, lo, hi));                            \
		}                                                                                  \
		return x;                                                                          \
	}

DEFINE_FILL(check_s8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_FILL(check_u8, uint8_t, 0, UINT8_MAX)
DEFINE_FILL(check_s16, int16_t, INT16_MIN, INT16_MAX)

int32_t *check_s32(struct check *c, size_t n)
{
	int32_t *x = check_buffer(c, n * sizeof(*x), sizeof(*x));
	bool small = c->bench || check_below(c, 2);
	for (size_t i = 0; i < n; i++) {
		x[i] = small ? check_between(c, -5000, 5000) : (int32_t)next(c);
	}
	return x;
}

float *check_f32(struct check *c, size_t n)
{
	float *x = check_buffer(c, n * sizeof(*x), sizeof(*x));
	for (size_t i = 0; i < n; i++) {
		x[i] = (float)(int32_t)next(c) / 1073741824.0f;
	}
	return x;
}

size_t check_bytes(enum check_type type)
{
	return type == CHECK_S16 ? 2 : 1;
}

void *check_fill(struct check *c, enum check_type type, size_t n)
{
	return type == CHECK_S8    ? (void *)check_s8(c, n)
		: type == CHECK_U8 ? (void *)check_u8(c, n)
				   : (void *)check_s16(c, n);
}

void *check_weights(struct check *c, enum check_type type, size_t n)
{
	uint8_t *w = check_fill(c, type, n);
	const uint8_t lowest = type == CHECK_U8 ? 0 : (uint8_t)INT8_MIN;
	for (size_t i = 0; c->bench && i < n; i++) {
		w[i] = w[i] == lowest ? (uint8_t)(lowest + 1) : w[i];
	}
	return w;
}

int32_t check_get(enum check_type type, const void *x, size_t i)
{
	return type == CHECK_S8    ? ((const int8_t *)x)[i]
		: type == CHECK_U8 ? ((const uint8_t *)x)[i]
				   : ((const int16_t *)x)[i];
}

void check_put(enum check_type type, void *x, size_t i, int64_t value)
{
	if (type == CHECK_S16) {
		((int16_t *)x)[i] = (int16_t)value;
	} else {
		((uint8_t *)x)[i] = (uint8_t)value;
	}
}

int32_t check_middle(enum check_type type)
{
	return type == CHECK_U8 ? 128 : 0;
}

void check_range(enum check_type type, int32_t *ret_lo, int32_t *ret_hi)
{
	*ret_lo = type == CHECK_S8 ? INT8_MIN : type == CHECK_U8 ? 0 : INT16_MIN;
	*ret_hi = type == CHECK_S8 ? INT8_MAX : type == CHECK_U8 ? UINT8_MAX : INT16_MAX;
}

void check_full(struct check *c, enum check_type type, int32_t *zero, int32_t *lo, int32_t *hi)
{
	if (check_below(c, 4) == 0) {
		check_range(type, lo, hi);
		*zero = *lo;
	}
}

void check_limits(struct check *c, enum check_type type, int32_t *ret_lo, int32_t *ret_hi)
{
	check_range(type, ret_lo, ret_hi);
	if (check_below(c, 2)) {
		*ret_lo = check_between(c, *ret_lo, *ret_hi);
		*ret_hi = check_between(c, *ret_lo, *ret_hi);
	}
}

void check_plain(struct check *c, enum check_type type, int32_t *zero, int32_t *lo, int32_t *hi)
{
	if (c->bench) {
		check_range(type, lo, hi);
		*zero = type == CHECK_S16 ? 0 : *lo;
	}
}

struct ek_scale *check_scales(struct check *c, size_t n)
{
	struct ek_scale *s = check_buffer(c, n * sizeof(*s), sizeof(int32_t));
	int32_t highest = check_below(c, 2) ? 5 : 0;
	/* As real layers have them: no requantised value is far beyond the codes. */
	int32_t lowest = -12;
	if (check_below(c, 3) == 0) {
		highest = -7;
		lowest = -16;
	}
	for (size_t i = 0; i < n && c->bench; i++) {
		s[i] = (struct ek_scale){(int32_t)(next(c) >> 2 | 1u << 30), -9};
	}
	for (size_t i = 0; i < n && !c->bench; i++) {
		/* Powers of two, where every rounding can tie; nothing; anything. */
		uint32_t kind = check_below(c, 8);
		int32_t m = kind == 0 ? 1 << 30 : (int32_t)(next(c) >> 2 | 1u << 30);
		s[i] = (struct ek_scale){m, check_between(c, kind == 1 ? -31 : lowest, highest)};
		if (kind == 2) {
			s[i] = (struct ek_scale){0, 0};
		}
	}
	return s;
}

static struct ek_window_axis axis(struct check *c, bool dilated)
{
	struct ek_window_axis a = {.taps = 1 + check_below(c, 5)};
	a.stride = 1 + check_below(c, 3);
	a.dilation = dilated ? 1 + check_below(c, 3) : 1;
	a.in = 1 + check_below(c, 9);
	uint32_t reach = (a.taps - 1) * a.dilation + 1;
	bool same = reach > a.in || check_below(c, 2);
	a.out = same ? (a.in + a.stride - 1) / a.stride : (a.in - reach) / a.stride + 1;
	int32_t total = (int32_t)((a.out - 1) * a.stride + reach) - (int32_t)a.in;
	a.pad = total > 0 ? (uint32_t)total / 2 : 0;
	return a;
}

int32_t *check_ties(struct check *c, const struct ek_scale *scale, size_t n)
{
	int32_t *x = check_buffer(c, n * sizeof(*x), sizeof(*x));
	for (size_t i = 0; i < n; i++) {
		double steps = check_between(c, -300, 300) + 0.5;
		double at = steps * ldexp(1, 31 - scale[i].shift) / scale[i].multiplier;
		bool fits = scale[i].multiplier && fabs(at) < 2147483000.0;
		x[i] = (fits ? (int32_t)at : 0) + check_between(c, -2, 2);
	}
	return x;
}

void check_far(
	struct check *c, size_t n, const struct ek_scale **ret_scale, const int32_t **ret_bias)
{
	/* One in a thousand of random ones is such. */
	static const struct {
		struct ek_scale scale;
		int32_t bias;
	} far[] = {
		{{2061872820, -18}, -136512},
		{{1937537170, -19}, -290550},
		{{1798351356, -18}, 156520},
		{{1444269560, -18}, 194889},
		{{1145576184, -19}, 491410},
		{{1516678263, -18}, -556757},
		{{1829681631, -19}, 923030},
		{{1733618136, -19}, 324724},
	};
	struct ek_scale *scale = check_buffer(c, n * sizeof(*scale), sizeof(int32_t));
	int32_t *bias = check_buffer(c, n * sizeof(*bias), sizeof(*bias));
	for (size_t i = 0; i < n; i++) {
		scale[i] = far[i % (sizeof(far) / sizeof(far[0]))].scale;
		bias[i] = far[i % (sizeof(far) / sizeof(far[0]))].bias;
	}
	*ret_scale = scale;
	*ret_bias = bias;
}

struct ek_window check_window(struct check *c, bool dilated)
{
	struct ek_window w = {.batch = 1 + check_below(c, 2)};
	w.y = axis(c, dilated);
	w.x = axis(c, dilated);
	return w;
}

struct ek_window check_window_common(struct check *c, uint32_t taps)
{
	uint32_t stride = 1 + check_below(c, 2), pad = check_below(c, 2) ? (taps - 1) / 2 : 0;
	struct ek_window w = {.batch = 1 + check_below(c, 2)};
	struct ek_window_axis *axes[] = {&w.y, &w.x};
	for (size_t i = 0; i < 2; i++) {
		uint32_t out = 1 + check_below(c, i ? 40 : 6);
		*axes[i] = (struct ek_window_axis){.taps = taps,
			.stride = stride,
			.dilation = 1,
			.pad = pad,
			.out = out,
			.in = (out - 1) * stride + taps - 2 * pad + check_below(c, stride)};
	}
	return w;
}

struct ek_window check_window_large(uint32_t size, uint32_t taps, uint32_t stride)
{
	const uint32_t out = (size + stride - 1) / stride;
	const uint32_t seen = (out - 1) * stride + taps;
	const struct ek_window_axis a = {.in = size,
		.out = out,
		.taps = taps,
		.stride = stride,
		.dilation = 1,
		.pad = seen > size ? (seen - size) / 2 : 0};
	return (struct ek_window){.batch = 1, .y = a, .x = a};
}

int64_t check_divide(int64_t x, int64_t by)
{
	int64_t magnitude = x < 0 ? -x : x;
	int64_t y = (magnitude + by / 2) / by;
	return x < 0 ? -y : y;
}

int32_t check_wrap(int64_t x)
{
	return (int32_t)(uint32_t)(uint64_t)x;
}

int64_t check_clamp(int64_t x, int64_t lo, int64_t hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

static int64_t divide_down(int64_t x, int64_t by)
{
	return x / by - (x % by < 0);
}

/* The first rounding's ties go up. */
static int64_t high_product(int32_t x, struct ek_scale s)
{
	int64_t shifted = s.shift > 0 ? check_wrap((int64_t)x * ((int64_t)1 << s.shift)) : x;
	return divide_down(shifted * s.multiplier + ((int64_t)1 << 30), (int64_t)1 << 31);
}

int32_t check_requant(int32_t x, struct ek_scale s)
{
	return (int32_t)check_divide(high_product(x, s), s.shift < 0 ? (int64_t)1 << -s.shift : 1);
}

int32_t check_requant_up(int32_t x, struct ek_scale s)
{
	int64_t unit = s.shift < 0 ? (int64_t)1 << -s.shift : 1;
	return (int32_t)divide_down(high_product(x, s) + unit / 2, unit);
}

int32_t check_requant64(int64_t x, struct ek_scale s)
{
	int64_t m = s.multiplier < 0x7fff0000 ? ((int64_t)s.multiplier + 0x8000) / 0x10000 : 0x7fff;
	int64_t unit = (int64_t)1 << (15 - s.shift);
	int64_t sum = x * m + unit / 2;
	return check_wrap(divide_down(sum, unit));
}

bool check_wants(const struct check *c, const struct ek_variant *variant)
{
	return (variant->needs & ~c->features) == 0 && (!c->only || strstr(variant->name, c->only));
}

static bool element_equal(const struct check_subject *s, size_t i)
{
	const uint8_t *got = (const uint8_t *)s->output + i * s->element_bytes;
	const uint8_t *want = (const uint8_t *)s->expected + i * s->element_bytes;
	if (!s->slack) {
		return memcmp(got, want, s->element_bytes) == 0;
	}
	float a = 0, b = 0;
	memcpy(&a, got, sizeof(a));
	memcpy(&b, want, sizeof(b));
	return fabs((double)a - (double)b) <= s->slack[i];
}

static bool element_untouched(const struct check_subject *s, size_t i)
{
	const uint8_t *got = (const uint8_t *)s->output + i * s->element_bytes;
	for (size_t k = 0; k < s->element_bytes; k++) {
		if (got[k] != UNTOUCHED) {
			return false;
		}
	}
	return true;
}

/* Elements inside of @done are as expected, those outside as they were. */
static bool output_right(const struct check_subject *s, const struct ek_tile *done)
{
	for (uint32_t r = 0; r < s->rows; r++) {
		for (uint32_t k = 0; k < s->cols; k++) {
			size_t i = (size_t)r * s->cols + k;
			bool inside = r - done->first_row < done->n_rows &&
				k - done->first_col < done->n_cols;
			if (inside ? !element_equal(s, i) : !element_untouched(s, i)) {
				printf("%s: %s: row %u, column %u %s\n", s->variant->name, s->what,
					r, k, inside ? "differs" : "was written");
				return false;
			}
		}
	}
	return true;
}

static bool tile_right(const struct check_subject *s, const struct ek_tile *tile)
{
	memset(s->output, UNTOUCHED, (size_t)s->rows * s->cols * s->element_bytes);
	s->run(s->args, tile);
	return output_right(s, tile);
}

/* The least time of several runs in a row: one may be too short for the clock. */
static double measure(const struct check_subject *s)
{
	const struct ek_tile all = {0, s->rows, 0, s->cols};
	const uint64_t begin = clock_now_ns();
	double least = INFINITY;
	for (uint64_t now = begin; now - begin < BENCH_NS;) {
		const uint64_t start = now;
		uint32_t runs = 0;
		for (; now - start < BENCH_EACH_NS; runs++, now = clock_now_ns()) {
			s->run(s->args, &all);
		}
		least = fmin(least, (double)(now - start) / runs);
	}
	return least;
}

/* Instructions that do nothing and that no compiler writes: where tests/kernels/count begins and ends to
 * count. */
static void mark(void)
{
#if defined(__aarch64__)
	__asm__ volatile(".inst 0xaa1b037b" ::: "memory"); /* orr x27, x27, x27 */
#elif defined(__thumb2__)
	__asm__ volatile(".inst.w 0xea4a0a0a" ::: "memory"); /* orr.w r10, r10, r10 */
#endif
}

/* The second run is counted: the first one binds what it calls. */
static void count(const struct check_subject *s)
{
	const struct ek_tile all = {0, s->rows, 0, s->cols};
	s->run(s->args, &all);
	mark();
	s->run(s->args, &all);
	mark();
	printf("%s\t%s\t%llu\n", s->variant->name, s->what, (unsigned long long)s->work);
}

static void bench(const struct check_subject *s)
{
	const double ns = measure(s), rate = (double)s->work / ns;
	printf("%-26s %-40s %10.2f us %8.2f G/s", s->variant->name, s->what, ns / 1e3, rate);
	double peak = s->products == CHECK_OTHER
		? 0
		: peak_measure(s->variant->needs,
			  s->products == CHECK_FLOATS ? PEAK_FLOATS : PEAK_BYTES);
	if (peak > 0) {
		printf(" %5.1f %% of %.0f", 100 * rate / peak, peak);
	}
	printf("\n");
	fflush(stdout);
}

static void note(const struct check *c, const struct check_subject *s)
{
	crash_note("seed %llu, %s: %s", (unsigned long long)c->seed, s->variant->name, s->what);
	if (c->verbose) {
		printf("%s: %s\n", s->variant->name, s->what);
		fflush(stdout);
	}
}

void check_subject(struct check *c, const struct check_subject *s)
{
	note(c, s);
	if (c->bench) {
		(c->count ? count : bench)(s);
		return;
	}
	uint32_t row = check_below(c, s->rows + 1);
	uint32_t col = check_below(c, s->cols / s->col_step + 1) * s->col_step;
	const struct ek_tile tiles[] = {
		{0, s->rows, 0, s->cols},
		{0, row, 0, col},
		{row, s->rows - row, 0, col},
		{0, row, col, s->cols - col},
		{row, s->rows - row, col, s->cols - col},
	};
	bool right = true;
	for (size_t i = 0; right && i < sizeof(tiles) / sizeof(tiles[0]); i++) {
		right = tile_right(s, &tiles[i]);
	}
	c->passed += right;
	c->failed += !right;
}

#define BAND_SLACK 128

/* Where the input's first row would be; NULL where nothing is read. */
static const void *make_band(struct check *c, const struct ek_window *w, size_t row_bytes,
	const void *input, uint32_t cols, struct ek_tile *ret_tile)
{
	const uint32_t y = check_below(c, w->y.out), n = 1 + check_below(c, w->y.out - y);
	const int64_t top = (int64_t)y * w->y.stride - w->y.pad;
	const int64_t bottom =
		top + (int64_t)(n - 1) * w->y.stride + (int64_t)(w->y.taps - 1) * w->y.dilation + 1;
	const size_t first = top > 0 ? (size_t)top : 0;
	const size_t end = (size_t)check_clamp(bottom, 0, w->y.in);
	if (w->batch != 1 || end <= first) {
		return NULL;
	}
	const size_t bytes = (end - first) * row_bytes;
	uint8_t *there = check_buffer(c, BAND_SLACK + bytes + BAND_SLACK, 1);
	memcpy(there + BAND_SLACK, (const uint8_t *)input + first * row_bytes, bytes);
	*ret_tile = (struct ek_tile){y * w->x.out, n * w->x.out, 0, cols};
	return (const void *)((uintptr_t)there + BAND_SLACK - first * row_bytes);
}

void check_band(struct check *c, const struct check_subject *s, const struct ek_window *w,
	size_t row_bytes, const void **input)
{
	const void *whole = *input;
	struct ek_tile tile;
	*input = c->bench ? NULL : make_band(c, w, row_bytes, whole, s->cols, &tile);
	if (*input) {
		note(c, s);
		const bool right = tile_right(s, &tile);
		c->passed += right;
		c->failed += !right;
	}
	*input = whole;
}

/* Elements inside of @done are as expected, those outside as in @before. */
static bool rest_kept(const struct check_subject *s, const struct ek_tile *done, const void *before)
{
	for (size_t i = 0; i < (size_t)s->rows * s->cols; i++) {
		const size_t r = i / s->cols, k = i % s->cols, at = i * s->element_bytes;
		const bool inside =
			r - done->first_row < done->n_rows && k - done->first_col < done->n_cols;
		const bool kept = memcmp((const uint8_t *)s->output + at,
					  (const uint8_t *)before + at, s->element_bytes) == 0;
		if (inside ? !element_equal(s, i) : !kept) {
			printf("%s: %s, in place: row %zu, column %zu %s\n", s->variant->name,
				s->what, r, k, inside ? "differs" : "was written");
			return false;
		}
	}
	return true;
}

void check_in_place(
	struct check *c, const struct check_subject *subject, const void **operand, void **output)
{
	if (c->bench) {
		return;
	}
	struct check_subject s = *subject;
	const size_t bytes = (size_t)s.rows * s.cols * s.element_bytes;
	const void *before = *operand;
	void *const elsewhere = *output;
	const uint32_t row = check_below(c, s.rows), col = check_below(c, s.cols / s.col_step);
	const struct ek_tile tiles[] = {
		{0, s.rows, 0, s.cols},
		{row, s.rows - row, col * s.col_step, s.cols - col * s.col_step},
		{0, row + 1, 0, (col + 1) * s.col_step},
	};
	s.output = check_buffer(c, bytes, s.element_bytes);
	*operand = *output = s.output;
	note(c, &s);
	bool right = true;
	for (size_t i = 0; right && i < sizeof(tiles) / sizeof(tiles[0]); i++) {
		memcpy(s.output, before, bytes);
		s.run(s.args, &tiles[i]);
		right = rest_kept(&s, &tiles[i], before);
	}
	c->passed += right;
	c->failed += !right;
	*operand = before;
	*output = elsewhere;
}
