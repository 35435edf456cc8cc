"""What the workers are told to leave alone, as the database has it."""

from apps.queues.models import Order, Queue, Worker
from workers.messages import Orders


def current() -> Orders:
    paused = Queue.objects.paused().order_by("name").values_list("name", flat=True)
    told = list(Worker.objects.told().order_by("name").values_list("name", "order"))
    return Orders(
        paused=list(paused),
        draining=[name for name, order in told if order == Order.DRAIN],
        stopping=[name for name, order in told if order == Order.STOP],
    )
