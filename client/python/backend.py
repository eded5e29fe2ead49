# SPDX-License-Identifier: Apache-2.0
"""Makes the wheel of the modules for pip (PEP 517), with the standard library alone. The same files give the same bytes."""
import base64
import hashlib
import os
import re
import tarfile
import zipfile

MODULES = ["edged.py", "edged_infer.py", "edged_memory.py", "edged_stats.py", "edged_store.py", "edged_tensor.py"]
SOURCES = MODULES + ["backend.py", "pyproject.toml", "README.md"]


def _field(name):
    with open("pyproject.toml", encoding="utf-8") as file:
        return re.search(rf'^{name} = "(.*)"$', file.read(), re.M).group(1)


def _metadata():
    with open("README.md", encoding="utf-8") as file:
        readme = file.read()
    return "\n".join([
        "Metadata-Version: 2.1", "Name: edged", f"Version: {_field('version')}", f"Summary: {_field('description')}", "License: Apache-2.0",
        f"Requires-Python: {_field('requires-python')}", "Provides-Extra: numpy", "Requires-Dist: numpy; extra == 'numpy'",
        "Description-Content-Type: text/markdown", "", readme])


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    stem = f"edged-{_field('version')}"
    files = {}
    for name in MODULES:
        with open(name, "rb") as file:
            files[name] = file.read()
    info = stem + ".dist-info/"
    files[info + "METADATA"] = _metadata().encode()
    files[info + "WHEEL"] = b"Wheel-Version: 1.0\nGenerator: edged\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
        for name, data in files.items())
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    name = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data)
    return name


def build_sdist(sdist_directory, config_settings=None):
    stem = f"edged-{_field('version')}"
    with tarfile.open(os.path.join(sdist_directory, stem + ".tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name in SOURCES:
            tar.add(name, f"{stem}/{name}")
    return stem + ".tar.gz"
