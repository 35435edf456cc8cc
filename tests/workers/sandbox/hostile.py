"""Code that means harm, and what must come of each piece: the list that the sandbox is measured against."""

# ruff: noqa: S108
from dataclasses import dataclass, field
from typing import Any

NOTHING = object()
DENIED = r"(PermissionError|FileNotFoundError): "
UNREACHABLE = r"(PermissionError|FileNotFoundError|NotADirectoryError|OSError: \[Errno (30|40|19|18)\])"
SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    returned = libc.syscall(number, *arguments)
    if returned < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return returned
"""


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """`error`: of the outcome, `Type: message`, as a pattern. `how`: its process ended without an outcome, so.

    With `how` and another one either will do: the first process of a namespace cannot kill itself, for one.

    `{secret}`, `{open}`, `{var}`, `{checkout}`, `{worker}`, `{template}`, `{sibling}`, `{port}` and `{sockets}` in the
    code are real ones, made by the test.
    """

    name: str
    code: str
    error: str = ""
    value: Any = NOTHING
    how: str = ""
    intruded: bool = False
    limit: float | None = 30.0  # it takes that long on a busy machine alone
    words: tuple[str, ...] = field(default=())  # that the traceback has

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def _reads(*places: str) -> list[Hostile]:
    return [
        Hostile(name=f"reads {place}", code=f'open(f"{place}", "rb").read()', error=UNREACHABLE) for place in places
    ]


def _writes(*places: str) -> list[Hostile]:
    return [
        Hostile(name=f"writes {place}", code=f'open(f"{place}", "wb").write(b"x")', error=UNREACHABLE)
        for place in places
    ]


def _tries(name: str, code: str, error: str = "PermissionError: ", **more: Any) -> Hostile:
    return Hostile(name=name, code=code, error=error, **more)


READING = [
    *_reads("{secret}", "{open}", "/etc/shadow", "/etc/passwd", "/etc/hostname", "/root/.ssh/id_ed25519"),
    *_reads("{checkout}/manage.py", "{checkout}/pyproject.toml", "{var}/secrets.json", "{checkout}/.git/config"),
    *_reads("/proc/{worker}/environ", "/proc/{worker}/mem", "/proc/{template}/environ", "/proc/{template}/mem"),
    *_reads("/proc/{worker}/root/etc/shadow", "/proc/1/root/etc/shadow", "/proc/{template}/root{secret}"),
    *_reads("/proc/self/root/etc/shadow", "/proc/self/cwd/../etc/shadow", "/proc/{worker}/cwd/pyproject.toml"),
    *_reads("/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse", "/proc/kcore", "/proc/kallsyms"),
    *_reads("/sys/kernel/notes", "/var/log/dpkg.log", "/run/systemd/notify", "/proc/sys/kernel/random/boot_id"),
    _tries("lists home", 'import os; os.listdir("/root") + os.listdir("/home")', UNREACHABLE),
    _tries("lists the checkout", 'import os; os.listdir("{checkout}")', UNREACHABLE),
    _tries("lists the folder of tests and tmp", 'import glob; glob.glob("{var}/*") or open("{var}")', UNREACHABLE),
    Hostile(
        name="reads the worker's environment from its own",
        code="""
import os
[name for name in os.environ if name.startswith(("MILLRACE", "RABBITMQ", "DATABASE", "AWS", "SSH", "CANARY"))]
""",
        value=[],
    ),
    Hostile(
        name="follows what is open in its process",
        code="""
import os
found = []
for number in range(3, 256):
    try:
        found.append(os.readlink(f"/proc/self/fd/{number}").partition(":")[0])
    except OSError:
        pass
sorted(set(found))
""",
        value=["socket"],
    ),
    Hostile(
        name="looks at every environment there is",
        code="""
import os
found = []
for pid in [*range(1, 5000), *range({worker} - 5000, {worker} + 5000)]:
    try:
        if b"CANARY" in open(f"/proc/{pid}/environ", "rb").read():
            found.append(pid)
    except OSError:
        pass
found
""",
        value=[],
    ),
    Hostile(
        name="looks for files of the task before",
        code="""
import os
before = os.listdir(".")
open("left-behind", "w").write("secret of a task")
before
""",
        value=[],
    ),
    _tries(
        "opens by handle",
        SYSCALL + 'call(303, -100, b"/", ctypes.create_string_buffer(200), ctypes.byref(ctypes.c_int()), 0)',
    ),
]

NETWORK = [
    _tries("connects by IPv4", 'import socket; socket.create_connection(("127.0.0.1", {port}), 2)'),
    _tries("connects by IPv6", 'import socket; socket.create_connection(("::1", {port}), 2)'),
    _tries("asks the metadata service", 'import socket; socket.create_connection(("169.254.169.254", 80), 2)'),
    _tries("resolves a name", 'import socket; socket.getaddrinfo("example.org", 80)', "gaierror: |PermissionError: "),
    _tries("fetches a page", 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:{port}/")', "URLError: "),
    _tries("listens", 'import socket; socket.create_server(("127.0.0.1", 0))'),
    _tries("sends a datagram", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    _tries("opens a raw socket", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    _tries("opens a packet socket", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    _tries("opens netlink", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
    _tries("opens vsock", "import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    _tries("opens a unix socket", 'import socket; socket.socket(socket.AF_UNIX).connect("{sockets}")'),
    _tries("opens an abstract socket", 'import socket; socket.socket(socket.AF_UNIX).connect("\\0millrace-test")'),
    _tries("makes a datagram pair", "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)"),
    _tries(
        "connects one end of a pair elsewhere",
        'import socket; socket.socketpair()[0].connect("\\0millrace-test")',
    ),
    _tries(
        "connects the worker's socket elsewhere",
        """
import os, socket, stat
[end] = [n for n in range(3, 256) if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode)]
socket.socket(fileno=os.dup(end)).connect("\\0millrace-test")
""",
    ),
]

WRITING = [
    *_writes("/x", "/usr/x", "/etc/x", "/etc/passwd", "/dev/x", "/proc/x", "/sys/x", "/var/tmp/x", "/run/x"),
    *_writes("{checkout}/x", "{checkout}/manage.py", "{var}/x", "{open}", "/home/x", "/root/x", "/millrace/x"),
    *_writes("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_score_adj", "/proc/self/uid_map"),
    *_writes("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/cgroup.procs", "/dev/kmsg"),
    _tries(
        "writes a .pth into the packages",
        """
import sysconfig
open(sysconfig.get_path("purelib") + "/evil.pth", "w").write("import os")
""",
        UNREACHABLE,
    ),
    _tries(
        "writes a .pyc beside a module",
        """
import json, os, py_compile
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
py_compile.compile(json.__file__, cfile=os.path.dirname(json.__file__) + "/__pycache__/evil.pyc", doraise=True)
""",
        UNREACHABLE,
    ),
    _tries("changes our own package", 'import workers; open(workers.__path__[0] + "/link.py", "a")', UNREACHABLE),
    _tries("removes a library", "import json, os; os.remove(json.__file__)", UNREACHABLE),
    _tries("renames a library", 'import json, os; os.rename(json.__file__, json.__file__ + "x")', UNREACHABLE),
    _tries("changes rights", "import json, os; os.chmod(json.__file__, 0o777)", UNREACHABLE),
    _tries("writes through a symlink", 'import os; os.symlink("{open}", "a"); open("a", "w")', UNREACHABLE),
    _tries("makes a hard link to a secret", 'import os; os.link("{open}", "a")', UNREACHABLE + "|OSError"),
    _tries("makes a device", "import os, stat; os.mknod('sda', stat.S_IFBLK | 0o600, os.makedev(8, 0))"),
    _tries("makes a FIFO to hang whoever opens it", "import os; os.mkfifo('pipe')"),
]

USING_UP = [
    _tries("forks", "import os; os.fork()"),
    _tries("forks for ever", "import os\nwhile True: os.fork()"),
    _tries("runs a shell", 'import os; os.execv("/bin/sh", ["sh", "-c", "id"])'),
    _tries("runs a shell by subprocess", 'import subprocess; subprocess.run(["id"])'),
    _tries("spawns", 'import os; os.posix_spawn("/bin/sh", ["sh"], {})'),
    Hostile(
        name="runs a shell by system", code='import os; os.system("id > /tmp/out"), os.listdir(".")', value=[32512, []]
    ),
    _tries("starts a pool", "import multiprocessing\nwith multiprocessing.Pool(2) as p: p.map(abs, [1])", UNREACHABLE),
    _tries(
        "starts threads for ever",
        """
import threading, time
threading.stack_size(32768)
while True:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
""",
        "RuntimeError: can't start new thread",
    ),
    _tries("takes 10 GB", "bytearray(10 << 30)", "MemoryError: "),
    _tries("takes memory bit by bit", "a = []\nwhile True: a.append(bytearray(64 << 20))", "MemoryError: "),
    _tries("grows a list without end", "a = [0]\nwhile True: a = a + a", "MemoryError: "),
    _tries("makes a huge text", 'len(("x" * 1000) * (10 ** 9))', "MemoryError: |OverflowError: "),
    _tries("maps 10 GB", "import mmap; mmap.mmap(-1, 10 << 30)", "OSError: .*memory|MemoryError"),
    _tries("takes memory outside of its own", "import os; os.memfd_create('m')"),
    _tries("takes shared memory", SYSCALL + "call(29, 0, 1 << 20, 0o1600)"),
    _tries(
        "takes POSIX shared memory",
        "from multiprocessing import shared_memory as s; s.SharedMemory(create=True, size=9)",
        UNREACHABLE,
    ),
    _tries(
        "fills the disk",
        """
for number in range(1000):
    with open(str(number), "wb") as file:
        for _ in range(15):
            file.write(bytes(1 << 19))
""",
        r"OSError: \[Errno 28\]",
    ),
    _tries("writes a huge file", 'f = open("a", "wb")\nwhile True: f.write(bytes(1 << 20))', r"OSError: \[Errno 27\]"),
    _tries("makes a sparse file", 'open("a", "wb").truncate(1 << 40)', r"OSError: \[Errno 27\]"),
    _tries(
        "allocates a file",
        'import os; f = open("a", "wb"); os.posix_fallocate(f.fileno(), 0, 1 << 40)',
        r"OSError: \[Errno 27\]",
    ),
    _tries(
        "makes files without end",
        'for number in range(10 ** 6): open(str(number), "w").close()',
        r"OSError: \[Errno 28\]",
    ),
    _tries("opens files without end", 'a = [open("/dev/null") for _ in range(10 ** 6)]', r"OSError: \[Errno 24\]"),
    _tries("makes pipes without end", "import os; a = [os.pipe() for _ in range(10 ** 6)]", r"OSError: \[Errno 24\]"),
    Hostile(name="prints without end", code='while True: print("x" * 1000)', error="TimeLimit: ", limit=0.3),
    Hostile(
        name="prints without end below Python",
        code="import os\nwhile True: os.write(2, b'x' * 65536)",
        error="TimeLimit: ",
        limit=0.3,
    ),
    Hostile(name="loops", code="while True: pass", error="TimeLimit: ", limit=0.2),
    Hostile(name="sleeps", code="import time; time.sleep(1000)", error="TimeLimit: ", limit=0.2),
    Hostile(
        name="loops with pleasure",
        code="while True:\n  try:\n    while True: sum([1])\n  except BaseException: pass",
        how="SIGKILL",
        error="TimeLimit: ",  # when it comes between the turns of the outer loop
        limit=0.2,
    ),
    Hostile(name="computes a large number", code="10 ** 10 ** 9", error="TimeLimit: |MemoryError: ", limit=0.2),
    Hostile(name="computes where no signal is seen", code="sum(iter(int, 1))", how="SIGKILL", limit=0.2),
    Hostile(
        name="matches without end", code='import re; re.match("(a+)+$", "a" * 60 + "b")', error="TimeLimit: ", limit=0.2
    ),
    Hostile(
        name="ignores the signal",
        code="import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
        how="SIGKILL",
        limit=0.2,
    ),
    Hostile(
        name="blocks every signal",
        code="import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        how="SIGKILL",
        limit=0.2,
    ),
    Hostile(
        name="goes on in threads",
        code="""
import threading, time
def spin():
    while True: pass
for _ in range(4): threading.Thread(target=spin).start()
"left"
""",
        value="left",
    ),
]

OTHERS = [
    _tries("kills everybody", "import os, signal; os.kill(-1, signal.SIGKILL)"),
    _tries("kills its group", "import os, signal; os.kill(0, signal.SIGKILL)"),
    _tries("kills the worker", "import os, signal; os.kill({worker}, signal.SIGKILL)"),
    _tries("kills the template", "import os, signal; os.kill({template}, signal.SIGKILL)"),
    _tries("kills another task", "import os, signal; os.kill({sibling}, signal.SIGKILL)"),
    _tries("signals by pidfd", SYSCALL + "call(434, {worker}, 0)"),
    _tries("signals by a thread's number", SYSCALL + "call(200, {worker}, 9)"),
    _tries("sends a queued signal", SYSCALL + "call(129, {worker}, 9, ctypes.create_string_buffer(128))"),
    _tries("has input signal the worker", "import fcntl, os; fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, {worker})"),
    _tries("chooses the signal", "import fcntl, os; fcntl.fcntl(os.pipe()[0], 10, 9)"),
    _tries("traces the worker", SYSCALL + "call(101, 16, {worker}, 0, 0)"),
    _tries("traces another task", SYSCALL + "call(101, 16, {sibling}, 0, 0)"),
    _tries("reads the worker's memory", SYSCALL + "call(310, {worker}, 0, 0, 0, 0, 0)"),
    _tries("writes the worker's memory", SYSCALL + "call(311, {worker}, 0, 0, 0, 0, 0)"),
    _tries("takes the worker's descriptors", SYSCALL + "call(438, 3, 0, 0)"),
    _tries("slows the worker", "import os; os.setpriority(os.PRIO_PROCESS, {worker}, 19)"),
    _tries("limits the worker", "import resource as r; r.prlimit({worker}, r.RLIMIT_NOFILE, (0, 0))"),
    _tries("pins the worker", "import os; os.sched_setaffinity({worker}, [0])"),
    _tries("leaves its session", "import os; os.setsid()"),
    _tries(
        "becomes a daemon",
        """
import os
os.setsid()
if os.fork() == 0:
    if os.fork() == 0:
        while True: pass
""",
    ),
]

KERNEL = [
    _tries("mounts", SYSCALL + 'call(165, b"none", b"/tmp", b"tmpfs", 0, None)'),
    _tries("unmounts", SYSCALL + 'call(166, b"/tmp", 2)'),
    _tries("unshares", SYSCALL + "call(272, 0x10000000)"),
    _tries("clones into a namespace", SYSCALL + "call(56, 0x10000000 | 17, 0, 0, 0, 0)"),
    _tries("clones a thread into a namespace", SYSCALL + "call(56, 0x10000000 | 0x10f00, 0, 0, 0, 0)"),
    _tries(
        "clones by the newer call", SYSCALL + "call(435, ctypes.create_string_buffer(88), 88)", r"OSError: \[Errno 38\]"
    ),
    _tries("enters a namespace", SYSCALL + "call(308, 3, 0)"),
    _tries("changes the root", 'import os; os.chroot("/tmp")'),
    _tries("pivots the root", SYSCALL + 'call(155, b"/tmp", b"/tmp")'),
    _tries("uses the keyring", SYSCALL + "call(250, 0, -3, 0)"),
    _tries("adds a key", SYSCALL + 'call(248, b"user", b"a", b"b", 1, -3)'),
    _tries("loads BPF", SYSCALL + "call(321, 0, ctypes.create_string_buffer(128), 128)"),
    _tries("counts events", SYSCALL + "call(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)"),
    _tries("handles page faults", SYSCALL + "call(323, 1)"),
    _tries("uses io_uring", SYSCALL + "call(425, 1, ctypes.create_string_buffer(128))"),
    _tries("loads a module", SYSCALL + 'call(175, b"", 0, b"")'),
    _tries("loads a kernel", SYSCALL + "call(246, 0, 0, 0, 0)"),
    _tries("reboots", SYSCALL + "call(169, 0, 0, 0, 0)"),
    _tries("changes its personality", SYSCALL + "call(135, 0x0040000)"),
    _tries("uses ports", SYSCALL + "call(172, 3)"),
    _tries("sets the clock", "import time; time.clock_settime(time.CLOCK_REALTIME, 0)"),
    _tries("sets the host's name", 'import socket; socket.sethostname("x")'),
    _tries("becomes root", "import os; os.setuid(0)"),
    _tries("becomes another group", "import os; os.setgroups([0])"),
    _tries(
        "takes capabilities",
        SYSCALL + "call(126, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xffffffff] * 6))",
    ),
    _tries("keeps capabilities", SYSCALL + "call(157, 8, 1, 0, 0, 0)"),
    _tries("outlives the template", SYSCALL + "call(157, 1, 0, 0, 0, 0)"),
    _tries("adopts orphans", SYSCALL + "call(157, 36, 1, 0, 0, 0)"),
    _tries("replaces the filter", SYSCALL + "call(157, 22, 0, 0, 0, 0)"),
    _tries("lets the worker's tracer in", SYSCALL + "call(157, 0x59616d61, {worker}, 0, 0, 0)"),
    _tries(
        "raises its limits",
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 40, 1 << 40))",
        "ValueError: not allowed to raise",
    ),
    _tries(
        "frees its limits",
        "import resource as r; r.setrlimit(r.RLIMIT_NPROC, (-1, -1))",
        "ValueError: not allowed to raise",
    ),
    _tries("types into a terminal", "import fcntl; fcntl.ioctl(1, 0x5412, b'x')", r"OSError: \[Errno 25\]"),
    _tries("locks memory", SYSCALL + "call(151, 1)"),
    _tries("watches files", SYSCALL + "call(294, 0)"),
    _tries("splices user memory", SYSCALL + "call(278, 1, 0, 0, 0)"),
    Hostile(
        name="calls as another machine",
        code="""
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
""",
        how="SIGSYS",
    ),
    _tries("calls by x32 numbers", SYSCALL + "call(0x40000000 + 41, 2, 1, 0)"),
    _tries(
        "loads a library from its own folder",
        """
import ctypes, glob, shutil
shutil.copy(glob.glob("/lib/*-linux-gnu/libm.so.6")[0], "evil.so")
ctypes.CDLL("./evil.so")
""",
        "OSError: ",
    ),
]

ENDING = [
    Hostile(
        name="exits", code="import sys; sys.exit(3)", error=r"SystemExit: exited with code 3 in mid-task \(sys.exit\)"
    ),
    Hostile(name="exits with words", code='import sys; sys.exit("bye")', error="SystemExit: exited with code 1"),
    Hostile(name="exits at once", code="import os; os._exit(0)", how="exited with code 0"),
    Hostile(name="faults", code="import ctypes; ctypes.string_at(0)", how="SIGSEGV"),
    Hostile(name="aborts", code="import os; os.abort()", how="SIG"),
    Hostile(
        name="kills itself", code="import os, signal; os.kill(os.getpid(), signal.SIGKILL)", how="SIGKILL", value=None
    ),
    Hostile(name="recurses", code="def f(): f()\nf()", error="RecursionError: ", words=("f()",)),
    Hostile(
        name="recurses without a limit",
        code="import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
        error="MemoryError: |TimeLimit: ",
        how="SIGKILL",
        limit=1.0,
    ),
    Hostile(
        name="recurses in C",
        code="a = ()\nfor _ in range(10 ** 6): a = (a,)\nhash(a)",
        how="SIGSEGV",
    ),
    Hostile(
        name="nests too deeply to be read",
        code="(" * 5000 + ")" * 5000,
        error="SyntaxError: |MemoryError: |RecursionError",
    ),
    Hostile(name="nests operators", code="-" * 50_000 + "1", error="RecursionError: |MemoryError: |SyntaxError"),
    Hostile(name="has a NUL", code="a = 1\0", error="(SyntaxError|ValueError): .*null bytes"),
    Hostile(name="has a lone surrogate", code="a = '\ud800'", error="UnicodeEncodeError: "),
    Hostile(
        name="raises a huge text",
        code='raise ValueError("x" * 10 ** 7)',
        error="ValueError: x{1000,}\n... .* bytes left out",
    ),
    Hostile(
        name="raises what cannot be told",
        code="class E(Exception):\n  def __str__(self): raise SystemExit(1)\n  __repr__ = __str__\nraise E",
        error=r"E: \(its text could not be made: SystemExit\)",
    ),
    Hostile(
        name="raises a chain without end",
        code="""
a, b = ValueError("a"), ValueError("b")
a.__cause__, b.__cause__ = b, a
raise a
""",
        error="ValueError: a",
    ),
    Hostile(
        name="raises what fights its traceback",
        code="""
class E(BaseException):
    def with_traceback(self, _): raise RuntimeError
    __traceback__ = property(lambda self: 1 / 0)
    __cause__ = property(lambda self: self)
raise E("still told")
""",
        error="E: still told",
    ),
    Hostile(name="returns too much", code='"x" * 10 ** 6', error="TooLarge: it returned 1,000,002 bytes"),
    Hostile(name="returns a huge number", code="10 ** 10000", error="NotSerialisable: |ValueError"),
    Hostile(name="returns itself", code="a = []\na.append(a)\na", error="NotSerialisable: result.*contains itself"),
    Hostile(
        name="returns an endless thing",
        code="""
import collections.abc
class A(collections.abc.Sequence):
    def __len__(self): return 10 ** 12
    def __getitem__(self, i): return i
A()
""",
        error="TooLarge: ",
    ),
    Hostile(
        name="returns what never ends to be told",
        code="""
import sys
class A(float):
    @property
    def __class__(self):
        while sys._getframe(1).f_code.co_filename.endswith("returned.py"): pass
        return float
A()
""",
        how="SIGKILL",
        value=NOTHING,
        limit=0.2,
    ),
    Hostile(
        name="returns what never ends to be shown",
        code="""
class A(float):
    @property
    def __class__(self):
        while True: pass
A()
""",
        error="TimeLimit",
        limit=0.2,
    ),
    Hostile(
        name="returns what raises",
        code="""
class A(dict):
    def items(self): raise SystemExit(5)
    def __iter__(self): raise SystemExit(5)
    def keys(self): raise SystemExit(5)
A(a={1})
""",
        error="SystemExit|NotSerialisable",
    ),
    Hostile(name="returns a module", code="import os; os", error="NotSerialisable: a module"),
    Hostile(
        name="breaks what would answer",
        code="""
import json, workers.messages, workers.link, workers.answers
def broken(*_, **__): raise SystemExit(9)
for module in (json, workers.messages, workers.link, workers.answers):
    for name in list(vars(module)):
        if callable(getattr(module, name)) and not name.startswith("__"):
            setattr(module, name, broken)
""",
        how="exited with code 70",
    ),
    Hostile(
        name="breaks the builtins",
        code="""
import builtins
for name in list(vars(builtins)):
    if name not in ("__build_class__", "__import__"):
        try: setattr(builtins, name, None)
        except Exception: pass
""",
        how="exited with code",
    ),
    Hostile(name="closes everything", code="import os; os.closerange(0, 256)", how="exited with code 70"),
    Hostile(
        name="closes what it prints to",
        code="import os, sys\nos.close(1); os.close(2)\nsys.stdout = None\n42",
        value=42,
    ),
    Hostile(
        name="ends the interpreter's threads",
        code="""
import _thread, threading
threading.Timer(0.05, _thread.interrupt_main).start()
while True: pass
""",
        error="KeyboardInterrupt",
    ),
]

WORKERS_SOCKET = """
import os, socket, stat, json, struct
[end] = [n for n in range(3, 256) if os.path.exists(f"/proc/self/fd/{n}") and stat.S_ISSOCK(os.fstat(n).st_mode)]
sock = socket.socket(fileno=end)
def answer(event, seconds=0.1, last=True, first=b"\\0"):
    sock.send(first + struct.pack("cd?", b"A", seconds, last) + event)
def outcome(**fields):
    given = {"type": "OUTCOME", "task": TASK, "attempt": 1, "status": "FINISHED", "run_seconds": 0.1}
    return json.dumps({**given, **fields}).encode()
import time
"""


def _forges(name: str, line: str, **more: Any) -> Hostile:
    return Hostile(name=f"forges {name}", code=f"{WORKERS_SOCKET}{line}\ntime.sleep(60)", **more)


FORGING = [
    _forges("its own result, which is its right", 'answer(outcome(value="1.5"))', value="1.5"),
    _forges("that of another task", "answer(outcome(task=TASK + 1))", intruded=True),
    _forges("that of another attempt", "answer(outcome(attempt=12))", intruded=True),
    _forges("two in one", 'answer(outcome() + b"," + outcome(task=TASK + 1))', intruded=True),
    _forges("a heartbeat", 'answer(outcome() + b\'],"heartbeat":{"host":"x"\')', intruded=True),
    _forges("a STARTED", 'answer(outcome(type="STARTED"))', intruded=True),
    _forges("a reason that there is not", 'answer(outcome(status="FAILED", reason="WORKER_LOST"))', intruded=True),
    _forges("a status that there is not", 'answer(outcome(status="CANCELLED"))', intruded=True),
    _forges("a number that is none", 'answer(outcome(value="1; DROP TABLE"))', intruded=True),
    _forges("JSON that is none", 'answer(outcome(result="{{"))', intruded=True),
    _forges("text that cannot be stored", 'answer(outcome(result=json.dumps("\\ud800")))', intruded=True),
    _forges(
        "more than may be kept", 'answer(outcome(result=json.dumps("x" * 60000)) + b" " * 4000)', value="x" * 60000
    ),
    _forges("garbage", "answer(os.urandom(1000))", intruded=True),
    _forges("an empty answer", 'sock.send(b"\\0")', intruded=True),
    _forges("deep JSON", 'answer(b"[" * 60000)', intruded=True),
    _forges("time", 'answer(outcome(run_seconds=float("nan")))', intruded=True),
    _forges("that it is not the last", "answer(outcome(), last=False)", intruded=True),
    Hostile(
        name="forges an answer without end",
        code=WORKERS_SOCKET + 'while True: sock.send(b"\\1" + bytes(60000))',
        intruded=True,
    ),
]

# Where something else holds off each sort of harm than at the full level.
TELLING = {
    *("reads_{secret}", "reads_{open}", "reads_/proc/{worker}/environ", "reads_/proc/{template}/mem"),
    *("writes_{open}", "looks_for_files_of_the_task_before", "opens_an_abstract_socket", "connects_by_IPv4", "forks"),
    *("kills_another_task", "traces_the_worker", "becomes_root", "unshares", "forges_that_of_another_task"),
}

ALL = [*READING, *NETWORK, *WRITING, *USING_UP, *OTHERS, *KERNEL, *ENDING, *FORGING]
