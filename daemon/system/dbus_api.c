/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/system/dbus_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libsystemd.so.0"

struct row {
	const char *name;
	size_t offset;
};

static const struct row rows[] = {
#define DBUS_API_ROW(name) {"sd_" #name, offsetof(struct dbus_api, name)},
	DBUS_API(DBUS_API_ROW)
#undef DBUS_API_ROW
		{"sd_bus_object_vtable_format", offsetof(struct dbus_api, vtable_format)},
};

bool dbus_api_load(struct dbus_api *ret_api)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *symbol = library ? dlsym(library, rows[i].name) : NULL;
		if (!symbol) {
			return false;
		}
		memcpy((char *)ret_api + rows[i].offset, &symbol, sizeof(symbol));
	}
	return true;
}
