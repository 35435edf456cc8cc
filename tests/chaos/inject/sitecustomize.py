"""Imported by Python itself in every process of a stack under test, and by no other: see tests/chaos/rig.py.

What is to be injected into one of our modules is put there right after the module's import.
"""

import os
import sys

if os.environ.get("CHAOS_FOLDER"):
    root = os.path.dirname(__file__).removesuffix("/tests/chaos/inject")  # noqa: PTH120 pathlib costs every start 10 ms
    sys.path.append(root)
    from tests.chaos.inject import after_import

    after_import.install()
