/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/kernels/peak.h"

#include <stddef.h>

#include "base/clock.h"
#include "kernels/cpu_features.h"

#define TRIES 200
#define TURNS 1000

typedef void peak_fn(void);

/* A loop of twelve sums, and how many products a turn of it makes. */
struct peak {
	uint64_t needs;
	enum peak_kind kind;
	peak_fn *run;
	double products;
};

#ifdef __x86_64__
#define TWELVE(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
#define LOOP(body)                                                                                 \
	do {                                                                                       \
		long turns = TURNS;                                                                \
		__asm__ volatile("1:\n" body "dec %0\njnz 1b\n"                                    \
				 : "+r"(turns)::"cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",      \
				 "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",         \
				 "xmm12", "xmm13", "xmm14", "xmm15");                              \
	} while (0)

#define ZMM_DOT(i) "vpdpbusd %%zmm15, %%zmm14, %%zmm" #i "\n"
#define ZMM_FMA(i) "vfmadd231ps %%zmm15, %%zmm14, %%zmm" #i "\n"
#define YMM_DOT(i) "%{vex%} vpdpbusd %%ymm15, %%ymm14, %%ymm" #i "\n"
#define YMM_FMA(i) "vfmadd231ps %%ymm15, %%ymm14, %%ymm" #i "\n"
/* Exact where VPMADDUBSW would saturate: products of 16 bits. */
#define YMM_MADD(i) "vpmaddwd %%ymm15, %%ymm14, %%ymm13\nvpaddd %%ymm13, %%ymm" #i ", %%ymm" #i "\n"
#define XMM_MADD(i)                                                                                \
	"movdqa %%xmm14, %%xmm13\npmaddwd %%xmm15, %%xmm13\npaddd %%xmm13, %%xmm" #i "\n"
#define CLEAR "vpxor %%xmm14, %%xmm14, %%xmm14\nvpxor %%xmm15, %%xmm15, %%xmm15\nvzeroall\n"

static void zmm_dot(void)
{
	__asm__ volatile(CLEAR ::: "xmm14", "xmm15");
	LOOP(TWELVE(ZMM_DOT));
}

static void zmm_fma(void)
{
	__asm__ volatile(CLEAR ::: "xmm14", "xmm15");
	LOOP(TWELVE(ZMM_FMA));
}

static void ymm_dot(void)
{
	__asm__ volatile(CLEAR ::: "xmm14", "xmm15");
	LOOP(TWELVE(YMM_DOT));
}

static void ymm_fma(void)
{
	__asm__ volatile(CLEAR ::: "xmm14", "xmm15");
	LOOP(TWELVE(YMM_FMA));
}

static void ymm_madd(void)
{
	__asm__ volatile(CLEAR ::: "xmm14", "xmm15");
	LOOP(TWELVE(YMM_MADD));
}

static void xmm_madd(void)
{
	__asm__ volatile("pxor %%xmm14, %%xmm14\npxor %%xmm15, %%xmm15\n" ::: "xmm14", "xmm15");
	LOOP(TWELVE(XMM_MADD));
}

static const struct peak peaks[] = {
	{EK_CPU_AVX512_VNNI, PEAK_BYTES, zmm_dot, 12.0 * 64},
	{EK_CPU_AVX512_VNNI, PEAK_FLOATS, zmm_fma, 12.0 * 16},
	{EK_CPU_AVX_VNNI, PEAK_BYTES, ymm_dot, 12.0 * 32},
	{EK_CPU_AVX2, PEAK_BYTES, ymm_madd, 12.0 * 16},
	{EK_CPU_AVX2, PEAK_FLOATS, ymm_fma, 12.0 * 8},
	{EK_CPU_SSE41, PEAK_BYTES, xmm_madd, 12.0 * 8},
};
static const size_t n_peaks = sizeof(peaks) / sizeof(peaks[0]);
#else
static const struct peak *const peaks = NULL;
static const size_t n_peaks = 0;
#endif

double peak_measure(uint64_t needs, enum peak_kind kind)
{
	const struct peak *peak = NULL;
	for (size_t i = 0; i < n_peaks && !peak; i++) {
		if (peaks[i].kind == kind && (peaks[i].needs & needs)) {
			peak = &peaks[i];
		}
	}
	if (!peak) {
		return 0;
	}
	uint64_t least = UINT64_MAX;
	for (uint32_t i = 0; i < TRIES; i++) {
		uint64_t start = clock_now_ns();
		peak->run();
		uint64_t took = clock_now_ns() - start;
		least = took < least ? took : least;
	}
	return peak->products * TURNS / (double)(least ? least : 1);
}
