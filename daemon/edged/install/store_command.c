/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/edged/install/store_command.h"

#include <stdlib.h>

#include "base/own.h"

struct store_command *store_command_new(void)
{
	struct store_command *command = calloc(1, sizeof(*command));
	if (command) {
		command->fd = -1;
	}
	return command;
}

void store_command_free(struct store_command *command)
{
	if (command) {
		own_close_fd(&command->fd);
		free(command->text);
		free(command);
	}
}

void store_command_append(struct store_command **list, struct store_command *command)
{
	while (*list) {
		list = &(*list)->next;
	}
	*list = command;
}

void store_command_free_all(struct store_command *list)
{
	while (list) {
		struct store_command *next = list->next;
		store_command_free(list);
		list = next;
	}
}
