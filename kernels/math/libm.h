/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libm - tanh and erfc of floats, to the last bit as the reference's C library has them
 *
 * Tables of int16 codes hold results to 2^-15 of their range, so that an error in the last place of
 * a float shows now and then. The reference calls tanhf() and erfcf(), which are not correctly
 * rounded but the same wherever they are computed in floats without fused operations: the methods
 * of fdlibm (S_TANH, S_EXPM1, S_ERF) in single precision. Measured against glibc 2.36.
 */
#ifndef KERNELS_MATH_LIBM_H
#define KERNELS_MATH_LIBM_H

float ek_libm_tanh(float x);
float ek_libm_erfc(float x);

#endif
