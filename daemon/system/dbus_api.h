/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbus_api - functions of sd-bus, loaded at run time
 *
 * libsystemd is loaded only if there is a bus, which saves memory on other machines.
 */
#ifndef DAEMON_SYSTEM_DBUS_API_H
#define DAEMON_SYSTEM_DBUS_API_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

#define DBUS_API(X)                                                                                \
	X(bus_add_fallback_vtable)                                                                 \
	X(bus_add_node_enumerator)                                                                 \
	X(bus_add_object_manager)                                                                  \
	X(bus_add_object_vtable)                                                                   \
	X(bus_call_async)                                                                          \
	X(bus_call_method_async)                                                                   \
	X(bus_close_unref)                                                                         \
	X(bus_emit_interfaces_added)                                                               \
	X(bus_emit_interfaces_removed)                                                             \
	X(bus_emit_properties_changed_strv)                                                        \
	X(bus_error_set)                                                                           \
	X(bus_error_set_errno)                                                                     \
	X(bus_flush_close_unref)                                                                   \
	X(bus_get_events)                                                                          \
	X(bus_get_fd)                                                                              \
	X(bus_get_timeout)                                                                         \
	X(bus_message_append)                                                                      \
	X(bus_message_get_allow_interactive_authorization)                                         \
	X(bus_message_get_error)                                                                   \
	X(bus_message_get_member)                                                                  \
	X(bus_message_get_sender)                                                                  \
	X(bus_message_is_method_error)                                                             \
	X(bus_message_new_method_call)                                                             \
	X(bus_message_read)                                                                        \
	X(bus_message_ref)                                                                         \
	X(bus_message_unref)                                                                       \
	X(bus_open_system)                                                                         \
	X(bus_path_decode)                                                                         \
	X(bus_path_encode)                                                                         \
	X(bus_process)                                                                             \
	X(bus_reply_method_errorf)                                                                 \
	X(bus_reply_method_return)                                                                 \
	X(bus_request_name_async)

struct dbus_api {
#define DBUS_API_MEMBER(name) __typeof__(&sd_##name) name;
	DBUS_API(DBUS_API_MEMBER)
#undef DBUS_API_MEMBER
	const unsigned int *vtable_format; /* first entry of each vtable */
};

/* Loads the library; it is never unloaded. Returns false if the library or a function is
 * missing. */
bool dbus_api_load(struct dbus_api *ret_api);

#endif
