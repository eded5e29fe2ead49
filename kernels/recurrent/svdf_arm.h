/* SPDX-License-Identifier: Apache-2.0 */
/* svdf_arm - rows of the list of kernels/recurrent/svdf.h for Arm */
#ifndef KERNELS_RECURRENT_SVDF_ARM_H
#define KERNELS_RECURRENT_SVDF_ARM_H

#include "kernels/recurrent/svdf.h"

void ek_svdf_feature_s8__neon(const struct ek_svdf_q *args, const struct ek_tile *tile);
#if defined(__aarch64__)
void ek_svdf_feature_s8__dotprod(const struct ek_svdf_q *args, const struct ek_tile *tile);
#endif

#endif
