/* SPDX-License-Identifier: Apache-2.0 */
#define ROW(name) name##__dotprod

#include "kernels/arm/cells_body.h"
