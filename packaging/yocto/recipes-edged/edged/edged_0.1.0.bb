# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Inference daemon for edge gateways"
DESCRIPTION = "Answers inference requests for .tflite models over a Unix socket, with the same bits on every CPU."
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

DEPENDS = "jansson libjpeg-turbo libsodium libspng libuv nettle systemd"

inherit externalsrc features_check meson pkgconfig systemd useradd

# It starts edged, and makes its folders.
REQUIRED_DISTRO_FEATURES = "systemd"

# The layer lies in the tree that it builds.
EXTERNALSRC = "${@os.path.realpath(os.path.join(d.getVar('THISDIR'), '../../../..'))}"
EXTERNALSRC_BUILD = "${WORKDIR}/build"

MESON_BUILDTYPE = "release"
EXTRA_OEMESON = "-Dtests=false -Dsystemd=enabled"
PACKAGECONFIG ??= ""
PACKAGECONFIG[mqtt] = "-Dmqtt=enabled,-Dmqtt=disabled,mosquitto"

# Units are installed below the prefix; systemd.bbclass looks below the root where /usr is not merged.
do_install:append() {
    if [ -d ${D}${nonarch_libdir}/systemd/system ] && [ "${nonarch_libdir}/systemd/system" != "${systemd_system_unitdir}" ]; then
        install -d ${D}${systemd_system_unitdir}
        mv ${D}${nonarch_libdir}/systemd/system/* ${D}${systemd_system_unitdir}/
        rmdir -p --ignore-fail-on-non-empty ${D}${nonarch_libdir}/systemd/system
    fi
}

SYSTEMD_SERVICE:${PN} = "edged.service edged.socket"
SYSTEMD_SERVICE:${PN}-mqtt = "edged-mqtt.service"
SYSTEMD_PACKAGES = "${PN} ${@bb.utils.contains('PACKAGECONFIG', 'mqtt', '${PN}-mqtt', '', d)}"
USERADD_PACKAGES = "${PN} ${@bb.utils.contains('PACKAGECONFIG', 'mqtt', '${PN}-mqtt', '', d)}"
GROUPADD_PARAM:${PN} = "--system edged"
USERADD_PARAM:${PN} = "--system --no-create-home --home-dir /var/lib/edged/store --shell /sbin/nologin --gid edged edged"

USERADD_PARAM:${PN}-mqtt = "--system --no-create-home --home-dir /var/lib/edged-mqtt --shell /sbin/nologin --user-group --groups edged edged-mqtt"

PACKAGE_BEFORE_PN = "${PN}-mqtt ${PN}-models libedged-client"
FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/sysusers.d ${nonarch_libdir}/tmpfiles.d ${nonarch_libdir}/systemd/catalog ${datadir}/bash-completion \
    ${datadir}/fish ${datadir}/zsh ${datadir}/dbus-1 ${datadir}/polkit-1"
FILES:${PN}-mqtt = "${bindir}/edged-mqtt ${sysconfdir}/edged/edged-mqtt.conf ${systemd_system_unitdir}/edged-mqtt.service \
    ${nonarch_libdir}/sysusers.d/edged-mqtt.conf"
FILES:${PN}-models = "${datadir}/edged/models ${datadir}/edged/samples"
FILES:libedged-client = "${libdir}/libedged-client.so.*"
CONFFILES:${PN} = "${sysconfdir}/edged/edged.conf"
# Opened when a signature is to be verified, linked by nothing.
RDEPENDS:${PN} = "libsodium"
RRECOMMENDS:${PN} = "${PN}-models"
