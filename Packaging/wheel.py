"""A Python wheel of an installed tree: `wheel.py PREFIX DIST`. It holds the command, what it reads, and `assay_engine`.

    pip install dist/assay-*.whl

puts bin/assay and share/assay into the environment as `make install` puts them below a prefix, and the package `assay_engine`
beside its other packages. The wheel's name says which C library the program needs at least, of the versions of the symbols that
it asks for. The same tree gives the same bytes. Needs objdump (binutils), and nothing of Python but itself.
"""

import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path

# What every system of manylinux has (PEP 600); whatever else the program asks for would be missing somewhere.
SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libutil|libresolv|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+")
# 1980, the first day that a zip file can name.
DAY = (1980, 1, 1, 0, 0, 0)


def objdump(binary):
    return subprocess.run(["objdump", "-p", binary], check=True, capture_output=True, text=True).stdout


def platform_tag(binary):
    """`manylinux_2_34_x86_64`, of the newest of the C library's symbols that the program asks for."""
    dump = objdump(binary)
    foreign = [name for name in re.findall(r"NEEDED\s+(\S+)", dump) if not SYSTEM.fullmatch(name)]
    if foreign:
        sys.exit(f"wheel.py: {binary} needs {', '.join(foreign)}, which not every system has: link it statically")
    versions = [tuple(map(int, found.split("."))) for found in re.findall(r"\bGLIBC_(\d+\.\d+)", dump)]
    if not versions:
        sys.exit(f"wheel.py: {binary}: expected symbols of glibc, found none")
    return "manylinux_{}_{}_{}".format(*max(versions), platform.machine())


def version_of(binary):
    return subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()


METADATA = """\
Metadata-Version: 2.4
Name: assay
Version: {version}
Summary: Verifies and times numerical kernels for the layers of residual networks
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Python: >=3.10
Provides-Extra: engine
Requires-Dist: h5py>=3.10; extra == 'engine'
Requires-Dist: numpy>=2.1; extra == 'engine'
Description-Content-Type: text/markdown

The command `assay`, the golden files and suites that it reads (share/assay), assay.h, and the package `assay_engine`, in
which an engine of Python is a function and a decorator. The command needs no Python; `assay_engine` needs NumPy and h5py
(`pip install assay[engine]`).
"""


def entries(prefix, name, tag, version):
    """(path in the wheel, bytes, mode), in the order of paths."""
    found = {}
    for path in sorted(p for p in prefix.rglob("*") if p.is_file()):
        relative = path.relative_to(prefix).as_posix()
        if relative.startswith("bin/"):
            place = f"{name}.data/scripts/{relative.removeprefix('bin/')}"
        else:
            place = f"{name}.data/data/{relative}"
        found[place] = (path.read_bytes(), path.stat().st_mode & 0o777)
    package = prefix / "share/assay/Benchmarks/engines/python/assay_engine"
    for path in package.glob("*.py"):
        found[f"assay_engine/{path.name}"] = (path.read_bytes(), 0o644)
    info = f"{name}.dist-info"
    found[f"{info}/licenses/LICENSE"] = ((prefix / "share/assay/LICENSE").read_bytes(), 0o644)
    found[f"{info}/METADATA"] = (METADATA.format(version=version).encode(), 0o644)
    # Not pure: it holds a program for one machine, though any version of Python does.
    wheel = f"Wheel-Version: 1.0\nGenerator: Packaging/wheel.py\nRoot-Is-Purelib: false\nTag: {tag}\n"
    found[f"{info}/WHEEL"] = (wheel.encode(), 0o644)
    return found, f"{info}/RECORD"


def record(found, path):
    """A line for each file, with its digest; the record itself has none."""
    lines = []
    for place, (data, _) in sorted(found.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{place},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{path},,\n"]).encode()


def main(prefix, folder):
    binary = prefix / "bin/assay"
    version, tag = version_of(binary), f"py3-none-{platform_tag(binary)}"
    name = f"assay-{version}"
    found, record_path = entries(prefix, name, tag, version)
    found[record_path] = (record(found, record_path), 0o644)
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{tag}.whl"
    unfinished = wheel.with_suffix(".tmp")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        # The archive's own description comes last, as PEP 427 recommends.
        for place in sorted(found, key=lambda place: (".dist-info/" in place, place)):
            data, mode = found[place]
            item = zipfile.ZipInfo(place, DAY)
            item.compress_type, item.create_system, item.external_attr = zipfile.ZIP_DEFLATED, 3, (0o100000 | mode) << 16
            archive.writestr(item, data)
    os.replace(unfinished, wheel)
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB, {len(found)} files; the program is {binary.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: wheel.py PREFIX DIST")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
