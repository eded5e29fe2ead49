################################################################################
#
# libspng
#
################################################################################
# SPDX-License-Identifier: Apache-2.0

LIBSPNG_VERSION = 0.7.4
LIBSPNG_SITE = https://github.com/randy408/libspng/archive/refs/tags
LIBSPNG_SOURCE = v$(LIBSPNG_VERSION).tar.gz
LIBSPNG_LICENSE = BSD-2-Clause
LIBSPNG_LICENSE_FILES = LICENSE
LIBSPNG_INSTALL_STAGING = YES
LIBSPNG_DEPENDENCIES = host-pkgconf zlib

$(eval $(meson-package))
