/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/operand/activation.h"

#include <math.h>

#include "engine/op_options.h"
#include "kernels/math/fast_math.h"

/* NaN becomes @lo, as in LiteRT kernels/internal/tensor_utils.h; the operators without state let it
 * pass. */
static void clip(float *x, size_t n, float lo, float hi)
{
	for (size_t i = 0; i < n; i++) {
		float below = x[i] < hi ? x[i] : hi;
		x[i] = isnan(x[i]) || below < lo ? lo : below;
	}
}

void activation_apply(unsigned int activation, float *x, size_t n)
{
	switch (activation) {
	case ACTIVATION_RELU:
		clip(x, n, 0, INFINITY);
		break;
	case ACTIVATION_RELU6:
		clip(x, n, 0, 6);
		break;
	case ACTIVATION_RELU_N1_TO_1:
		clip(x, n, -1, 1);
		break;
	case ACTIVATION_TANH:
		for (size_t i = 0; i < n; i++) {
			x[i] = ek_fast_tanh(x[i]);
		}
		break;
	case ACTIVATION_SIGN_BIT:
		for (size_t i = 0; i < n; i++) {
			x[i] = signbit(x[i]) ? 1 : 0;
		}
		break;
	default:
		break;
	}
}
