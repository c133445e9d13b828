"""Become another program that dies with its parent and never runs as root where that is asked.

Run as `python -IS launch.py SIGNAL PARENT UID PROGRAM ARGUMENT…`: an exec of its own instead of
subprocess's preexec_fn, which may deadlock under threads. Standard library only.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def die_with(parent: int, death_signal: int) -> None:
    """Have the kernel send `death_signal` to this process when `parent` dies (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # the parent died between its fork and the line above
        sys.exit(1)


def drop_root(uid: int) -> None:
    """Become `uid`, keeping only the right to pass through folders that are closed to it.

    A checkout of root's often lies in a folder of mode 700 (/root, a mkdtemp), which the server
    must still reach. Where the container grants no such capability, it does without.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    kept = 1 << _CAP_DAC_OVERRIDE
    data = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)  # effective, permitted, inheritable
    if libc.capset(header, data) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Drop root, bind this process to its parent, and exec the program (never returns)."""
    death_signal, parent, uid = (int(value) for value in arguments[:3])
    if uid:
        drop_root(uid)
    # after the change of user, which clears the death signal
    if death_signal:
        die_with(parent, death_signal)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execvp(arguments[3], arguments[3:])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
