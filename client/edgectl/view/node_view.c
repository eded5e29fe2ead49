/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/node_view.h"

#include <errno.h>

#include "base/array.h"

struct timed_node {
	struct edge_node_info info;
	uint32_t index;
	uint64_t ns;
};

struct nodes {
	struct timed_node *items; /* owned */
	size_t n;
	bool timed;
	double total_ns;
};

static void nodes_deinit(struct nodes *nodes)
{
	free(nodes->items);
}

static int nodes_collect(
	const struct edge_model *model, uint32_t signature, const uint64_t *ns, struct nodes *nodes)
{
	struct edge_node_info info;
	nodes->timed = ns != NULL;
	for (uint32_t i = 0; edge_model_node(model, signature, i, &info) == 0; i++) {
		struct timed_node *node = array_add(&nodes->items, &nodes->n, sizeof(*node));
		if (!node) {
			return -ENOMEM;
		}
		*node = (struct timed_node){.info = info, .index = i, .ns = ns ? ns[i] : 0};
		nodes->total_ns += (double)node->ns;
	}
	return 0;
}

static void node_fields(struct fields *f, const void *record, const void *context)
{
	const struct timed_node *node = record;
	const struct nodes *all = context;
	const double ns = (double)node->ns;
	char shape[SHAPE_TEXT_SIZE];
	fields_integer(f, "NODE", NULL, node->index);
	fields_text(f, "OP", "op", node->info.op);
	fields_text(f, "TYPE", "type", dtype_name(node->info.type));
	fields_text(f, "OUTPUT", "output", shape_format(shape, sizeof(shape), &node->info.output));
	fields_integer(f, "MACS", "macs", (int64_t)node->info.macs);
	if (all->timed) {
		fields_real(f, "MIN us", "min_us", 1, ns / 1e3);
		fields_cell(f, "SHARE", true, "%.1f%%",
			all->total_ns > 0 ? 100 * ns / all->total_ns : 0);
	}
	fields_text(f, "KERNEL", "kernel", node->info.detail);
}

int node_view_print(const struct edge_model *model, uint32_t signature, const uint64_t *ns,
	const struct cli_settings *settings)
{
	__attribute__((cleanup(nodes_deinit))) struct nodes nodes = {0};
	int r = nodes_collect(model, signature, ns, &nodes);
	return r < 0 ? r
		     : fields_print_table(FIELDS_LIST(node_fields, &nodes, nodes.items, nodes.n),
			       stdout, settings);
}

void node_view_put(struct json_document *document, const struct edge_model *model,
	uint32_t signature, const uint64_t *ns)
{
	__attribute__((cleanup(nodes_deinit))) struct nodes nodes = {0};
	if (nodes_collect(model, signature, ns, &nodes) == 0) {
		fields_put_list(
			document, "nodes", FIELDS_LIST(node_fields, &nodes, nodes.items, nodes.n));
	}
}
