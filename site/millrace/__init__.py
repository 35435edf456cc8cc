"""Millrace from Python: create tasks, wait for them, read what they returned. Needs nothing but Python.

import millrace

client = millrace.Client()
task = client.create("demo.noop", x=[1, 2]).wait(60)
print(task.result)
"""

from millrace.client import Changes, Client, Options, Overview
from millrace.errors import (
    Error,
    Misconfigured,
    NotAllowed,
    NotEnded,
    NotFound,
    Problem,
    Refused,
    ServerFault,
    TaskFailed,
    TimedOut,
    Unreachable,
)
from millrace.output import Piece
from millrace.rows import Counts, Kind, Queue, Running, Worker
from millrace.tasks import Artifact, Progress, Task, TaskError, Waiting
from millrace.waiting import wait

__version__ = "0.1.0"
__all__ = [
    "Artifact",
    "Changes",
    "Client",
    "Counts",
    "Error",
    "Kind",
    "Misconfigured",
    "NotAllowed",
    "NotEnded",
    "NotFound",
    "Options",
    "Overview",
    "Piece",
    "Problem",
    "Progress",
    "Queue",
    "Refused",
    "Running",
    "ServerFault",
    "Task",
    "TaskError",
    "TaskFailed",
    "TimedOut",
    "Unreachable",
    "Waiting",
    "Worker",
    "wait",
]
