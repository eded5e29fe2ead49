# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Small library for PNG files"
HOMEPAGE = "https://libspng.org"
LICENSE = "BSD-2-Clause"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/BSD-2-Clause;md5=cb641bc04cda31daea161b1bc15da69f"

SRC_URI = "https://github.com/randy408/libspng/archive/refs/tags/v${PV}.tar.gz;downloadfilename=${BP}.tar.gz"
SRC_URI[sha256sum] = "47ec02be6c0a6323044600a9221b049f63e1953faf816903e7383d4dc4234487"

DEPENDS = "zlib"

inherit meson pkgconfig
