/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/target.h"

#include <string.h>

#include "base/clock.h"

int target_signature_init(struct target_signature *signature, uint32_t n_inputs, uint32_t n_outputs,
	struct error *err)
{
	signature->inputs = calloc((size_t)n_inputs + 1, sizeof(signature->inputs[0]));
	signature->outputs = calloc((size_t)n_outputs + 1, sizeof(signature->outputs[0]));
	if (!signature->inputs || !signature->outputs) {
		target_signature_free(signature);
		return error_no_memory(err);
	}
	signature->n_inputs = n_inputs;
	signature->n_outputs = n_outputs;
	return 0;
}

void target_signature_free(struct target_signature *signature)
{
	free(signature->inputs);
	free(signature->outputs);
	*signature = (struct target_signature){0};
}

int target_signature(const struct target *target, uint32_t index,
	struct target_signature *ret_signature, struct error *err)
{
	return target->ops->signature(target, index, ret_signature, err);
}

void target_set_signature(struct target *target, const struct target_signature *signature)
{
	target->inputs = signature->inputs;
	target->outputs = signature->outputs;
	target->n_inputs = signature->n_inputs;
	target->n_outputs = signature->n_outputs;
}

void target_deinit(struct target *target)
{
	free(target->inputs);
	free(target->outputs);
	free(target->labels);
}

bool target_names_file(const char *argument)
{
	static const char suffix[] = ".tflite";
	size_t n = strlen(argument), m = sizeof(suffix) - 1;
	return strchr(argument, '/') || (n > m && strcmp(argument + n - m, suffix) == 0);
}

int target_open_again(const struct target *target, struct target **ret_target, struct error *err)
{
	return target->ops->open_again(target, ret_target, err);
}

void target_free(struct target *target)
{
	if (target) {
		target->ops->free(target);
	}
}

int target_run(struct target *target, const struct tensor_bytes *inputs, uint64_t *ret_ns,
	struct error *err)
{
	uint64_t start = clock_now_ns();
	int r = target->ops->run(target, inputs, err);
	if (r == 0) {
		*ret_ns = clock_now_ns() - start;
	}
	return r;
}

struct tensor_bytes target_output(const struct target *target, uint32_t index)
{
	return target->ops->output(target, index);
}
