"""Numbers of the system calls that the filter speaks of: name, x86_64, aarch64 (from the kernel's own headers)."""

import platform

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_OF_FILES_ONLY = "# Allowed where no file but its own can be reached: Landlock does not look at them\n"
_NOT_ALWAYS = "# Allowed with some arguments only, or in some cases: see seccomp.py\n"


def numbers() -> dict[str, int]:
    """Of this machine; empty on one whose numbers are not known here."""
    return _column(_TABLE)


def harmless() -> list[int]:
    """Those that may be called with any argument."""
    return sorted(_column(_TABLE.partition(_OF_FILES_ONLY)[0]).values())


def changing_files() -> list[int]:
    """Those that change rights and times of files."""
    return list(_column(_TABLE.partition(_OF_FILES_ONLY)[2].partition(_NOT_ALWAYS)[0]).values())


def _column(table: str) -> dict[str, int]:
    column = {"x86_64": 1, "aarch64": 2}.get(platform.machine())
    rows = [line.split() for line in table.splitlines() if line and not line.startswith("#")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"} if column else {}


_TABLE = """\
# Files, by name and by descriptor
read 0 63
write 1 64
open 2 -
close 3 57
stat 4 -
fstat 5 80
lstat 6 -
newfstatat 262 79
statx 332 291
lseek 8 62
pread64 17 67
pwrite64 18 68
readv 19 65
writev 20 66
preadv 295 69
pwritev 296 70
preadv2 327 286
pwritev2 328 287
access 21 -
faccessat 269 48
faccessat2 439 439
openat 257 56
openat2 437 437
creat 85 -
dup 32 23
dup2 33 -
dup3 292 24
pipe 22 -
pipe2 293 59
close_range 436 436
fsync 74 82
fdatasync 75 83
sync_file_range 277 84
truncate 76 45
ftruncate 77 46
fallocate 285 47
fadvise64 221 223
readahead 187 213
getdents 78 -
getdents64 217 61
getcwd 79 17
chdir 80 49
fchdir 81 50
rename 82 -
renameat 264 38
renameat2 316 276
mkdir 83 -
mkdirat 258 34
rmdir 84 -
link 86 -
linkat 265 37
unlink 87 -
unlinkat 263 35
symlink 88 -
symlinkat 266 36
readlink 89 -
readlinkat 267 78
umask 95 166
statfs 137 43
fstatfs 138 44
flock 73 32
sendfile 40 71
copy_file_range 326 285
splice 275 76
tee 276 77
getxattr 191 8
lgetxattr 192 9
fgetxattr 193 10
listxattr 194 11
llistxattr 195 12
flistxattr 196 13
# Waiting
poll 7 -
ppoll 271 73
select 23 -
pselect6 270 72
epoll_create 213 -
epoll_create1 291 20
epoll_ctl 233 21
epoll_wait 232 -
epoll_pwait 281 22
epoll_pwait2 441 441
eventfd 284 -
eventfd2 290 19
timerfd_create 283 85
timerfd_settime 286 86
timerfd_gettime 287 87
pause 34 -
nanosleep 35 101
clock_nanosleep 230 115
restart_syscall 219 128
wait4 61 260
waitid 247 95
# Between two ends that it has
sendto 44 206
recvfrom 45 207
sendmsg 46 211
recvmsg 47 212
recvmmsg 299 243
shutdown 48 210
getsockname 51 204
getpeername 52 205
setsockopt 54 208
getsockopt 55 209
# Memory
mmap 9 222
mprotect 10 226
munmap 11 215
brk 12 214
mremap 25 216
msync 26 227
mincore 27 232
madvise 28 233
membarrier 324 283
# Threads
futex 202 98
futex_waitv 449 449
set_robust_list 273 99
get_robust_list 274 100
set_tid_address 218 96
gettid 186 178
rseq 334 293
sched_yield 24 124
sched_getaffinity 204 123
sched_getparam 143 121
sched_getscheduler 145 120
sched_get_priority_max 146 125
sched_get_priority_min 147 126
getcpu 309 168
arch_prctl 158 -
exit 60 93
exit_group 231 94
# Signals and time
rt_sigaction 13 134
rt_sigprocmask 14 135
rt_sigreturn 15 139
rt_sigpending 127 136
rt_sigtimedwait 128 137
rt_sigsuspend 130 133
sigaltstack 131 132
alarm 37 -
getitimer 36 102
setitimer 38 103
time 201 -
gettimeofday 96 169
clock_gettime 228 113
clock_getres 229 114
times 100 153
# About itself
getpid 39 172
getppid 110 173
getpgrp 111 -
getpgid 121 155
getsid 124 156
getuid 102 174
geteuid 107 175
getgid 104 176
getegid 108 177
getresuid 118 148
getresgid 120 150
getgroups 115 158
capget 125 90
getpriority 140 141
getrlimit 97 163
getrusage 98 165
uname 63 160
sysinfo 99 179
getrandom 318 278
# Allowed where no file but its own can be reached: Landlock does not look at them
chmod 90 -
fchmod 91 52
fchmodat 268 53
utime 132 -
utimes 235 -
utimensat 280 88
# Allowed with some arguments only, or in some cases: see seccomp.py
clone 56 220
clone3 435 435
kill 62 129
tgkill 234 131
prctl 157 167
prlimit64 302 261
ioctl 16 29
fcntl 72 25
socketpair 53 199
fork 57 -
vfork 58 -
execve 59 221
execveat 322 281
setsid 112 157
setpgid 109 154
"""
