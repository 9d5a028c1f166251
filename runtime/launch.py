"""Becomes another program, having arranged that it ends when its parent does.

Run as a script by `runtime.processes`, never imported: it uses nothing but the
standard library, so that it starts in some 20 ms. On Linux the kernel delivers
the signal when the parent is gone (PR_SET_PDEATHSIG); elsewhere the watchdog
does that alone. With `--unprivileged`, root becomes `nobody`: PostgreSQL refuses
to run as root. On Linux it keeps the one capability to read files wherever root
put them, since a checkout under /root is closed to everybody else; so neither
users are added nor permissions widened on the machine.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _drop_root() -> None:
    """Become `nobody`, able to reach files as root could. Where that is not given, plainly `nobody`."""
    nobody = pwd.getpwnam("nobody")
    libc = ctypes.CDLL(None, use_errno=True)
    linux = sys.platform == "linux"
    if linux:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    if linux:
        one = 1 << CAP_DAC_OVERRIDE
        header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
        sets = (_CapabilityData * 2)(_CapabilityData(one, one, one), _CapabilityData(0, 0, 0))
        libc.capset(ctypes.byref(header), sets)
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--unprivileged", action="store_true")
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()
    if wanted.unprivileged and os.geteuid() == 0:
        _drop_root()
    if sys.platform == "linux":
        # After the change of user: the kernel forgets the wish when credentials change.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, wanted.signal, 0, 0, 0)
    if os.getppid() != wanted.parent:
        sys.exit(1)  # the parent died before the wish was made
    try:
        os.execvp(wanted.command[0], wanted.command)  # noqa: S606 - a program and its arguments, no shell
    except OSError as error:
        sys.exit(f"{wanted.command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
