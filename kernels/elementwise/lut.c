/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/elementwise/lut.h"

static void lut8__c(uint8_t *dst, const uint8_t *src, size_t n, const uint8_t table[static 256])
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = table[src[i]];
	}
}

void ek_lut16(uint16_t *dst, const uint8_t *src, size_t n, const uint16_t table[static 256])
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = table[src[i]];
	}
}

void ek_lut32(uint32_t *dst, const uint8_t *src, size_t n, const uint32_t table[static 256])
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = table[src[i]];
	}
}

void ek_lut513(int16_t *dst, const int16_t *src, size_t n, const int16_t table[static EK_LUT513])
{
	for (size_t i = 0; i < n; i++) {
		dst[i] = ek_lut513_at(table, src[i]);
	}
}

const struct ek_lut8 ek_lut8[] = {
	{{"lut8__c", 0}, lut8__c},
#if defined(__x86_64__)
	{{"lut8__avx2", EK_CPU_AVX2}, ek_lut8__avx2},
#elif defined(__aarch64__)
	{{"lut8__neon", EK_CPU_NEON}, ek_lut8__neon},
#endif
};
const size_t ek_lut8_count = sizeof(ek_lut8) / sizeof(ek_lut8[0]);
