#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what every packaging says of the project against meson: version, licence, dependencies, library version, file names.

packaging.py ROOT BUILD
"""
import fnmatch
import glob
import hashlib
import json
import os
import re
import sys

# What a dependency of meson.build is called elsewhere: Debian, Yocto, Buildroot. None: not there on purpose.
DEPENDENCIES = {
    "libuv": ("libuv1-dev", "libuv", "libuv"),
    "libsystemd": ("libsystemd-dev", "systemd", "systemd"),
    "jansson": ("libjansson-dev", "jansson", "jansson"),
    "libturbojpeg": ("libturbojpeg0-dev", "libjpeg-turbo", "jpeg-turbo"),
    "spng": ("libspng-dev", "libspng", "libspng"),
    "libsodium": ("libsodium-dev", "libsodium", "libsodium"),
    "nettle": ("nettle-dev", "nettle", "nettle"),
    "libmosquitto": ("libmosquitto-dev", "mosquitto", "mosquitto"),
    "cmocka": ("libcmocka-dev", None, None),
}
OF_LIBC = {"threads"}
OPTIONAL = ("usr/share/man/", "usr/lib/systemd/", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d")
YOCTO = "packaging/yocto/recipes-edged/edged/edged_{}.bb"
BUILDROOT = "packaging/buildroot/package/edged/edged.mk"


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def found(pattern, text, flags=re.M):
    match = re.search(pattern, text, flags)
    return match.group(1) if match else "(nothing)"


def check_versions(root, version):
    said = {
        "packaging/debian/changelog": r"\Aedged \(([^)]*)\)",
        "client/python/pyproject.toml": r'^version = "(.*)"$',
        "client/python/edged.py": r'^__version__ = "(.*)"$',
        "packaging/oci/Containerfile": r'image\.version="(.*)"',
        BUILDROOT: r"^EDGED_VERSION = (.*)$",
    }
    errors = [f"{path} has version {found(pattern, read(root, path))}, meson.build {version}"
              for path, pattern in said.items() if found(pattern, read(root, path)) != version]
    if not os.path.exists(os.path.join(root, YOCTO.format(version))):
        errors.append(f"there is no {YOCTO.format(version)}")
    return errors


def check_licence(root, version, licence):
    said = {
        "packaging/debian/copyright": r"^License: (.*)$",
        "client/python/pyproject.toml": r'^license = { text = "(.*)" }$',
        "packaging/oci/Containerfile": r'image\.licenses="(.*)"',
        YOCTO.format(version): r'^LICENSE = "(.*)"$',
        BUILDROOT: r"^EDGED_LICENSE = (.*)$",
    }
    errors = [f"{path} has licence {found(pattern, read(root, path))}, meson.build {licence}"
              for path, pattern in said.items() if found(pattern, read(root, path)) != licence]
    with open(os.path.join(root, "LICENSE"), "rb") as file:
        digest = hashlib.md5(file.read()).hexdigest()
    if found(r"LICENSE;md5=(\w+)", read(root, YOCTO.format(version))) != digest:
        errors.append(f"{YOCTO.format(version)}: the md5 of LICENSE is {digest}")
    return errors


def wanted_dependencies(root):
    """The names in dependency('...') of every meson.build."""
    names = set()
    for path in glob.glob(os.path.join(root, "**", "meson.build"), recursive=True):
        if not os.path.relpath(path, root).startswith("build"):
            names |= set(re.findall(r"\bdependency\('([^']+)'", read(root, path)))
    return names - OF_LIBC


def check_dependencies(root, version):
    errors = []
    control = found(r"^Build-Depends:\n((?: .*\n)+)", read(root, "packaging/debian/control"))
    debian = set(re.findall(r"^ ([a-z0-9.+-]+)", control, re.M))
    deps = set(re.findall(r"[a-z0-9.+-]+", found(r"^build=\(([^)]*)\)", read(root, "packaging/deps"))))
    recipe = read(root, YOCTO.format(version))
    yocto = set((found(r'^DEPENDS = "(.*)"$', recipe) + " " + " ".join(re.findall(r"^PACKAGECONFIG\[.*,([a-z]+)\"$", recipe, re.M))).split())
    makefile = read(root, BUILDROOT)
    buildroot = set(" ".join(re.findall(r"^EDGED_DEPENDENCIES \+?= (.*)$", makefile, re.M)).split())
    places = [("packaging/debian/control", debian), (YOCTO.format(version), yocto), (BUILDROOT, buildroot)]
    for name in sorted(wanted_dependencies(root)):
        if name not in DEPENDENCIES:
            errors.append(f"{name}: tests/lint/packaging.py does not know what it is called elsewhere")
            continue
        for (path, there), called in zip(places, DEPENDENCIES[name]):
            if called and called not in there:
                errors.append(f"{path}: {called} is missing")
        if name != "cmocka" and DEPENDENCIES[name][0] not in deps:
            errors.append(f"packaging/deps: {DEPENDENCIES[name][0]} is missing in build=()")
    known = {name for names in (DEPENDENCIES[n] for n in wanted_dependencies(root) if n in DEPENDENCIES) for name in names}
    for path, there in places[1:]:
        errors += [f"{path}: {name} is no dependency of meson.build" for name in sorted(there - known - {"host-pkgconf"})]
    return errors


def installed(build):
    """What meson installs, from the prefix on, with /etc for sysconfdir."""
    with open(os.path.join(build, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
        prefix = next(o["value"] for o in json.load(file) if o["name"] == "prefix")
    with open(os.path.join(build, "meson-info", "intro-installed.json"), encoding="utf-8") as file:
        paths = [os.path.relpath(path, prefix) for path in json.load(file).values()]
    return {path if path.startswith("etc/") else "usr/" + path for path in paths}


def check_files(root, build):
    """Each file is in one package, and each line of a package's list is some file."""
    errors, files = [], installed(build)
    taken = set()
    for path in sorted(glob.glob(os.path.join(root, "packaging/debian/*.install")) +
                       glob.glob(os.path.join(root, "packaging/debian/*.manpages"))):
        if "edged-mqtt" in path and "usr/bin/edged-mqtt" not in files:
            continue  # built without libmosquitto
        for line in read(root, path).splitlines():
            pattern = line.split()[0].replace("debian/tmp/", "")
            if any(pattern.startswith(place) and not any(f.startswith(place) for f in files) for place in OPTIONAL):
                continue  # built without scdoc, or without systemd
            here = {f for f in files if fnmatch.fnmatch(f, pattern) or f.startswith(pattern + "/")}
            if not here and not os.path.exists(os.path.join(root, "packaging/apparmor", os.path.basename(pattern))):
                errors.append(f"{os.path.relpath(path, root)}: meson installs no {pattern}")
            taken |= here
    return errors + [f"{f} is in no Debian package" for f in sorted(files - taken)]


def check_library(root):
    """The packages of the library are named after its soversion."""
    build = read(root, "client/meson.build")
    soversion = found(r"^  soversion: '(\d+)',$", build)
    name = "libedged-client" + soversion
    errors = [] if found(r"^  version: '(\d+)\.\d+\.\d+',$", build) == soversion else [
        "client/meson.build: the library's version does not begin with its soversion"]
    errors += [f"packaging/debian/{name}.{kind} is missing" for kind in ("symbols", "install")
              if not os.path.exists(os.path.join(root, "packaging/debian", f"{name}.{kind}"))]
    if f"Package: {name}\n" not in read(root, "packaging/debian/control"):
        errors.append(f"packaging/debian/control has no package {name}")
    return errors


def check_units(root, version):
    units = {os.path.basename(p).replace(".in", "") for p in glob.glob(os.path.join(root, "packaging/systemd/edged*.s*"))}
    said = set(" ".join(re.findall(r'^SYSTEMD_SERVICE:\${PN}(?:-mqtt)? = "(.*)"$', read(root, YOCTO.format(version)), re.M)).split())
    recipe = read(root, YOCTO.format(version))
    if not re.search(r"^inherit .*\bfeatures_check\b", recipe, re.M) or found(r'^REQUIRED_DISTRO_FEATURES = "(.*)"$', recipe) != "systemd":
        return [f"{YOCTO.format(version)}: nothing starts edged where the distribution has no systemd, which is not required"]
    return [f"{YOCTO.format(version)}: SYSTEMD_SERVICE and packaging/systemd differ by {name}" for name in sorted(units ^ said)]


def folders(root, path, pattern):
    """What a file says of each folder: its owner, group and mode."""
    return {m["path"]: (m["user"], m["group"], int(m["mode"], 8)) for m in re.finditer(pattern, read(root, path), re.M)}


def check_folders(root):
    """All packagings make the same folders; the state is the only one that edged may write, and root's lie below none of edged's."""
    tmpfiles = folders(root, "packaging/systemd/tmpfiles.conf", r"^d (?P<path>/var/\S+) (?P<mode>\d+) (?P<user>\w+) (?P<group>\w+) -$")
    said = {
        "packaging/debian/edged.postinst": r"install -d -o (?P<user>\w+) -g (?P<group>\w+) -m (?P<mode>\d+) (?P<path>/var/\S+)$",
        BUILDROOT: r"^\t(?P<path>/var/\S+) d (?P<mode>\d+) (?P<user>\w+) (?P<group>\w+)",
    }
    said = {path: folders(root, path, pattern) for path, pattern in said.items()}
    errors = [f"{path} and packaging/systemd/tmpfiles.conf differ in folders: {there} and {tmpfiles}"
              for path, there in said.items() if there != tmpfiles]
    state = found(r"^#state = (.*)$", read(root, "conf/edged.conf"))
    unit = found(r"^StateDirectory=(.*)$", read(root, "packaging/systemd/edged.service.in"))
    if "/var/lib/" + unit != state:
        errors.append(f"edged.conf has state = {state}, edged.service StateDirectory={unit}")
    errors += [f"packaging/systemd/tmpfiles.conf: {path} can be written by others than root, and is not the state folder {state}"
               for path, (user, group, mode) in tmpfiles.items() if path != state and (user != "root" or mode & 0o022)]
    errors += [f"packaging/systemd/tmpfiles.conf: {path} is below edged's state folder" for path in tmpfiles if path.startswith(state + "/")]
    return errors if state in tmpfiles else errors + [f"packaging/systemd/tmpfiles.conf has no {state}"]


def main():
    root, build = sys.argv[1:3]
    project = read(root, "meson.build")
    version, licence = found(r"^  version: '(.*)',$", project), found(r"^  license: '(.*)',$", project)
    errors = check_versions(root, version)
    if not errors:  # paths have the version in them
        errors = (check_licence(root, version, licence) + check_dependencies(root, version) + check_files(root, build) +
                  check_library(root) + check_units(root, version) + check_folders(root))
    print("\n".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
