"""Cells beside their slots on one event loop: who may run something, and what is handed in advance."""

from tests.workers.rig import Rabbit, children_of
from tests.workers.test_slots import is_readable, taken, until, with_slots
from workers.sandbox.probe import SWITCHED_OFF, Findings, Level
from workers.slots import Slots

SLEEPS = "import time\ntime.sleep(600)"


async def told(rabbit: Rabbit, number: int) -> None:
    """Returns when the outcome of that task is out."""
    await until(lambda: number in [each["task"] for each in rabbit.events() if each["type"] == "OUTCOME"])


def test_nothing_of_the_sandbox_is_made_before_the_first_code_comes(rabbit: Rabbit, found: Findings) -> None:
    async def work(slots: Slots) -> None:
        assert slots.sandbox
        slots.add(taken(1))
        await slots.idle()
        assert slots.sandbox.template is None
        slots.add(taken(2, "code.python", code="1"))
        await told(rabbit, 2)
        assert slots.sandbox.template
        assert children_of(slots.sandbox.template.pid)

    with_slots(rabbit, 1, work, found)
    assert rabbit.outcome(2)["result"] == "1"


def test_a_place_runs_one_task_of_either_sort(rabbit: Rabbit, found: Findings) -> None:
    async def work(slots: Slots) -> None:
        code, handled = taken(1, "code.python", code=SLEEPS), taken(2)
        slots.add(code)
        await until(lambda: slots.running)
        slots.add(handled)
        assert not handled.in_slot
        slots.cancel(code)
        await until(lambda: handled.in_slot)
        await slots.idle()
        handled, code = taken(3, "test.sleep", seconds=600), taken(4, "code.python", code="1")
        await until(lambda: slots._cells[0].gets_on)
        slots.add(handled)
        slots.add(code)
        assert [handled.in_slot, code.in_slot] == [True, False]
        slots.cancel(handled)
        await told(rabbit, 4)

    with_slots(rabbit, 1, work, found)


def test_a_cell_is_never_handed_a_second_task(rabbit: Rabbit, found: Findings) -> None:
    async def work(slots: Slots) -> None:
        first, second = taken(1, "code.python", code=SLEEPS), taken(2, "code.python", code="2")
        slots.add(first)
        slots.add(second)
        await until(lambda: slots.running)
        slots.feed()
        assert [first.in_slot, second.in_slot] == [True, False]
        child = slots._cells[0]._child
        assert child
        await until(
            lambda: child and not is_readable(child.link._theirs)
        )  # else it is taken back, and the child is fresh
        slots.cancel(first)
        await until(lambda: second.in_slot)
        assert slots._cells[0]._child is not child

    with_slots(rabbit, 1, work, found)


def test_without_a_sandbox_code_is_refused_with_the_line_that_would_help(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        code = taken(1, "code.python", code="1")
        slots.add(code)
        await told(rabbit, 1)
        slots.cancel(code)  # too late, and no harm
        slots.add(taken(2))
        await told(rabbit, 2)

    with_slots(rabbit, 1, work, Findings(level=Level.NONE, missing=("No bubblewrap \udcff.",), fix="Install it."))
    refused = rabbit.outcome(1)
    assert (refused["status"], refused["reason"]) == ("FAILED", "UNKNOWN_KIND")
    assert refused["error"]["type"] == "NoSandbox"
    message = "This worker has no sandbox, so it runs no code.\nInstall it.\nNo bubblewrap "
    assert refused["error"]["message"].startswith(message)


def test_switched_off_code_is_refused_with_what_switches_it_on(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        slots.add(taken(1, "code.python", code="1"))
        await told(rabbit, 1)

    with_slots(rabbit, 1, work, SWITCHED_OFF)
    refused = rabbit.outcome(1)
    assert (refused["status"], refused["reason"]) == ("FAILED", "UNKNOWN_KIND")
    assert refused["error"]["message"].startswith("This worker runs no code: that is switched off.\nMILLRACE_CODE=on")


def test_what_waits_behind_code_goes_to_another_worker(rabbit: Rabbit, found: Findings) -> None:
    async def work(slots: Slots) -> None:
        slots.add(taken(1, "code.python", code=SLEEPS))
        await until(lambda: slots.running)
        slots.add(taken(2))
        await until(slots.relieve)

    with_slots(rabbit, 1, work, found)
