/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/cpu_features.h"

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__GLIBC__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

#if defined(CPU_FEATURE_ACTIVE)
/* As CPU_FEATURE_ACTIVE(), which shifts a signed 1 by 31 places. */
static bool is_active(unsigned int feature)
{
	const unsigned int word = 8 * sizeof(unsigned int), leaf = 4 * word;
	const struct cpuid_feature *found = __x86_get_cpuid_feature_leaf(feature / leaf);
	return found->active_array[feature % leaf / word] >> feature % word & 1;
}

/* What the C library found at the start of the program, by the same rules as below: a CPUID takes
 * microseconds in a guest, and a model that is loaded asks more than once. */
uint64_t ek_cpu_detect(void)
{
	const bool avx2 = is_active(x86_cpu_AVX2) && is_active(x86_cpu_FMA);
	const bool avx512 = is_active(x86_cpu_AVX512F) && is_active(x86_cpu_AVX512DQ) &&
		is_active(x86_cpu_AVX512BW) && is_active(x86_cpu_AVX512VL) &&
		is_active(x86_cpu_AVX512_VBMI) && is_active(x86_cpu_AVX512_VNNI);
	return (is_active(x86_cpu_SSE4_1) ? EK_CPU_SSE41 : 0) | (avx2 ? EK_CPU_AVX2 : 0) |
		(avx2 && is_active(x86_cpu_AVX_VNNI) ? EK_CPU_AVX_VNNI : 0) |
		(avx512 ? EK_CPU_AVX512_VNNI : 0);
}
#elif defined(__x86_64__)
static uint64_t read_xcr0(void)
{
	uint32_t low, high;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* Intel SDM volume 2, CPUID leaves 1 and 7; AVX state must also be enabled by the system (XCR0). */
uint64_t ek_cpu_detect(void)
{
	uint32_t a, b, c, d, c1, b7, c7, a71 = 0;
	uint64_t mask = 0;
	const uint32_t leaves =
		__get_cpuid_max(0, NULL); /* each CPUID is microseconds in a guest */
	if (leaves < 1) {
		return 0;
	}
	__cpuid(1, a, b, c1, d);
	mask |= c1 & (1u << 19) ? EK_CPU_SSE41 : 0;
	uint64_t xcr0 = c1 & (1u << 27) ? read_xcr0() : 0;
	if (leaves < 7) {
		return mask;
	}
	__cpuid_count(7, 0, a, b7, c7, d);
	if (a >= 1) {
		__cpuid_count(7, 1, a71, b, c, d);
	}
	if ((xcr0 & 0x6) == 0x6 && (c1 & (1u << 28)) && (c1 & (1u << 12)) && (b7 & (1u << 5))) {
		mask |= EK_CPU_AVX2;
		mask |= a71 & (1u << 4) ? EK_CPU_AVX_VNNI : 0;
	}
	const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
	const uint32_t vector = 1u << 1 | 1u << 11; /* VBMI, VNNI */
	if ((xcr0 & 0xE6) == 0xE6 && (b7 & avx512) == avx512 && (c7 & vector) == vector) {
		mask |= EK_CPU_AVX512_VNNI;
	}
	return mask;
}
#elif defined(__aarch64__)
/* The core that this runs on: Arm's own Cortex-A34, A53, A35, A55, A510 and A520. MIDR_EL1 is read by
 * way of the kernel, where it says that it can be. */
static bool is_in_order(void)
{
	static const uint16_t parts[] = {0xD02, 0xD03, 0xD04, 0xD05, 0xD46, 0xD80};
	bool found = false;
	uint64_t midr;
	if (!(getauxval(AT_HWCAP) & (1ul << 11))) {
		return false;
	}
	__asm__("mrs %0, midr_el1" : "=r"(midr));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		found = found || (midr >> 24 == 0x41 && (midr >> 4 & 0xFFF) == parts[i]);
	}
	return found;
}

/* Linux arch/arm64/include/uapi/asm/hwcap.h */
uint64_t ek_cpu_detect(void)
{
	uint64_t mask = EK_CPU_NEON;
	mask |= getauxval(AT_HWCAP) & (1ul << 20) ? EK_CPU_DOTPROD : 0;
	mask |= getauxval(AT_HWCAP2) & (1ul << 13) ? EK_CPU_I8MM : 0;
	mask |= is_in_order() ? EK_CPU_IN_ORDER : 0;
	return mask;
}
#elif defined(__arm__)
/* Linux arch/arm/include/uapi/asm/hwcap.h */
uint64_t ek_cpu_detect(void)
{
	const unsigned long has = getauxval(AT_HWCAP);
	return (has & (1ul << 12) ? EK_CPU_NEON : 0) | (has & (1ul << 16) ? EK_CPU_VFPV4 : 0);
}
#else
uint64_t ek_cpu_detect(void)
{
	return 0;
}
#endif

const void *ek_pick(const void *list, size_t count, size_t row_bytes, uint64_t mask)
{
	const char *row = (const char *)list + (count - 1) * row_bytes;
	for (; count > 1; count--, row -= row_bytes) {
		if ((((const struct ek_variant *)row)->needs & ~mask) == 0) {
			return row;
		}
	}
	return list;
}
