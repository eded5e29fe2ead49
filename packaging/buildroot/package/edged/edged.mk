################################################################################
#
# edged
#
################################################################################
# SPDX-License-Identifier: Apache-2.0

EDGED_VERSION = 0.1.0
EDGED_SITE = $(BR2_EXTERNAL_EDGED_PATH)/../..
EDGED_SITE_METHOD = local
EDGED_LICENSE = Apache-2.0
EDGED_LICENSE_FILES = LICENSE
EDGED_INSTALL_STAGING = YES
EDGED_DEPENDENCIES = host-pkgconf jansson jpeg-turbo libsodium libspng libuv nettle
EDGED_CONF_OPTS = -Dtests=false

ifeq ($(BR2_PACKAGE_SYSTEMD),y)
EDGED_DEPENDENCIES += systemd
EDGED_CONF_OPTS += -Dsystemd=enabled
else
EDGED_CONF_OPTS += -Dsystemd=disabled
endif

ifeq ($(BR2_PACKAGE_MOSQUITTO),y)
EDGED_DEPENDENCIES += mosquitto
EDGED_CONF_OPTS += -Dmqtt=enabled
EDGED_MQTT_USER = edged-mqtt -1 edged-mqtt -1 * /var/lib/edged-mqtt - edged front end of edged toward MQTT
else
EDGED_CONF_OPTS += -Dmqtt=disabled
endif

define EDGED_USERS
	edged -1 edged -1 * /var/lib/edged/store - - inference daemon
	$(EDGED_MQTT_USER)
endef

define EDGED_PERMISSIONS
	/var/lib/edged d 750 root edged - - - - -
	/var/lib/edged/models d 755 root edged - - - - -
	/var/lib/edged/store d 750 edged edged - - - - -
endef

define EDGED_MAKE_FOLDERS
	mkdir -p $(TARGET_DIR)/var/lib/edged/models $(TARGET_DIR)/var/lib/edged/store
endef
EDGED_POST_INSTALL_TARGET_HOOKS += EDGED_MAKE_FOLDERS

define EDGED_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(BR2_EXTERNAL_EDGED_PATH)/package/edged/S80edged \
		$(TARGET_DIR)/etc/init.d/S80edged
endef

$(eval $(meson-package))
