/* SPDX-License-Identifier: Apache-2.0 */
/* model_limits - how large a model file may be */
#ifndef ENGINE_MODEL_MODEL_LIMITS_H
#define ENGINE_MODEL_MODEL_LIMITS_H

#include <stdint.h>

struct model_limits {
	uint64_t file_bytes; /* 0: 256 MiB */
	uint32_t nodes; /* over all subgraphs; 0: 100000 */
};

#endif
