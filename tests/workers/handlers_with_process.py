"""A module that starts a process while it is imported."""

import subprocess

STARTED = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
