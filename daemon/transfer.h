/* SPDX-License-Identifier: Apache-2.0 */
/* transfer - models that come and go by orders instead of by the models folder: install, export, remove */
#ifndef DAEMON_TRANSFER_H
#define DAEMON_TRANSFER_H

#include "daemon/order.h"

/*
 * Each is an order's work, in the loader's thread; errors with text, else order->text.
 *
 * Install: order->fd, a bundle or a model's file, is copied to its end, judged as a file of the models folder is,
 * and on the disk when this is done. It is called order->model, or as its bundle.conf says. A file that the models folder has of
 * that model is passed over until there is another.
 */
int must_check transfer_install(struct order *order, struct catalogue *catalogue,
	const struct load_context *load, const struct catalogue_sink *sink, struct error *err);
/* What serves, as a bundle, to order->fd: a regular file, so that writing does not wait for anybody. */
int must_check transfer_export(struct order *order, const struct catalogue *catalogue,
	const struct load_context *load, struct error *err);
/* -EPERM for a model that is pinned, or that the models folder has. */
int must_check transfer_remove(const struct order *order, struct catalogue *catalogue,
	const struct load_context *load, const struct catalogue_sink *sink, struct error *err);

#endif
