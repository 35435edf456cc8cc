"""The filter of system calls: what Python, numpy and threads need is allowed, everything else answers EPERM.

A task can start no other process (unless it was allowed to), open no socket, signal nobody but itself.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Iterator, Sequence

from workers.sandbox import syscalls, system

_LOAD, _EQUAL, _GREATER, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x8000_0000, 0x7FFF_0000, 0x0005_0000
_MODE_FILTER = 2
_NUMBER, _ARCH = 0, 4  # where they are in struct seccomp_data
_NEW_NAMESPACES, _THREAD = 0x7E02_0000, 0x0001_0000
_NAMES_OF_THREADS, _READ_OF_CAPABILITIES, _NAMES_OF_MEMORY = (15, 16), 23, 0x5356_4D41
_TERMINAL_AND_FLAGS = (
    0x5401,
    0x5413,
    0x541B,
    0x5421,
    0x5450,
    0x5451,
)  # isatty, its size, FIONREAD, FIONBIO, FIO(N)CLEX
# F_SETOWN, F_SETSIG, F_SETOWN_EX send a signal to another process; F_SETPIPE_SZ uses up what is the user's.
_SIGNALS_AND_LEASES = (8, 10, 15, 1024, 1026, 1031)

Step = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def restrict(*, processes: bool, shares_files: bool) -> None:
    """For good, for this process and what it starts. Raises OSError.

    `shares_files`: with others, so that the rights and times of files are to stay as they are.
    """
    program = list(_program(processes=processes, shares_files=shares_files))
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    steps = ctypes.create_string_buffer(code, len(code))
    described = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(steps)))
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    mode = ctypes.c_ulong(_MODE_FILTER)
    system.checked(
        "seccomp", system.libc.prctl(system.PR_SET_SECCOMP, mode, described, ctypes.c_ulong(0), ctypes.c_ulong(0))
    )


def supported() -> bool:
    """Whether the numbers of this machine's system calls are known."""
    return bool(_NUMBERS)


def _program(*, processes: bool, shares_files: bool) -> Iterator[Step]:
    number = _NUMBERS
    yield _LOAD, 0, 0, _ARCH
    yield _EQUAL, 1, 0, syscalls.AUDIT_ARCH[platform.machine()]
    yield _RETURN, 0, 0, _KILL  # another machine's numbers, as of 32-bit programs
    yield _LOAD, 0, 0, _NUMBER
    for first, last in _HARMLESS:
        yield _AT_LEAST, 0, 2, first
        yield _GREATER, 1, 0, last
        yield _RETURN, 0, 0, _ALLOW
    for each in () if shares_files else _CHANGING_FILES:
        yield from _on(each, [(_RETURN, 0, 0, _ALLOW)])
    yield from _answer(number["clone3"], errno.ENOSYS)  # its flags are in memory; glibc then takes clone
    yield from _on(number["clone"], _clone(processes=processes))
    if not processes:
        for name in ("kill", "tgkill"):
            yield from _on(number[name], _one_of(0, [os.getpid()], errno.EPERM))
    allowed_of_itself = [*_NAMES_OF_THREADS, _READ_OF_CAPABILITIES, _NAMES_OF_MEMORY]
    yield from _on(number["prctl"], _one_of(0, allowed_of_itself, errno.EPERM))
    yield from _on(number["ioctl"], _one_of(1, _TERMINAL_AND_FLAGS, errno.ENOTTY))
    yield from _on(number["fcntl"], _none_of(1, _SIGNALS_AND_LEASES))
    yield from _on(number["prlimit64"], _one_of(0, [0, os.getpid()], errno.EPERM))
    # A pair of datagram sockets could be sent to anybody's address.
    pairs = [kind | flags for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET) for flags in _SOCKET_FLAGS]
    yield from _on(number["socketpair"], _one_of(1, pairs, errno.EPERM))
    for name in _OF_PROCESSES if processes else ():
        if name in number:
            yield from _on(number[name], [(_RETURN, 0, 0, _ALLOW)])
    yield _RETURN, 0, 0, _ERRNO | errno.EPERM


_OF_PROCESSES = ("fork", "vfork", "execve", "execveat", "setsid", "setpgid", "kill", "tgkill")
_SOCKET_FLAGS = (0, socket.SOCK_CLOEXEC, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0] if numbers else 0
    for each in numbers[1:]:
        if each != last + 1:
            yield first, last
            first = each
        last = each
    yield first, last


def _on(number: int, steps: Sequence[Step]) -> Iterator[Step]:
    """The steps end with an answer, and may have loaded something else."""
    yield _EQUAL, 0, len(steps), number
    yield from steps


def _answer(number: int, error: int) -> Iterator[Step]:
    yield from _on(number, [(_RETURN, 0, 0, _ERRNO | error)])


def _clone(*, processes: bool) -> list[Step]:
    steps: list[Step] = [_argument(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    if not processes:
        steps += [(_ANY_BIT, 1, 0, _THREAD), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def _one_of(position: int, values: Sequence[int], error: int) -> list[Step]:
    tests: list[Step] = [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_argument(position), *tests, (_RETURN, 0, 0, _ERRNO | error), (_RETURN, 0, 0, _ALLOW)]


def _none_of(position: int, values: Sequence[int]) -> list[Step]:
    tests: list[Step] = [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_argument(position), *tests, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _argument(position: int) -> Step:
    """Its lower half, which is all that the kernel takes of an int; both machines are little-endian."""
    return _LOAD, 0, 0, 16 + 8 * position


# Read before there are children.
_NUMBERS = syscalls.numbers()
_CHANGING_FILES = syscalls.changing_files()
_HARMLESS = tuple(_ranges(syscalls.harmless()))
