"""Which queues there are: the one that always is, those that a worker has served, those that a kind is meant for."""

from apps.queues.models import Queue
from apps.tasks.models import Kind
from workers.broker import DEFAULT_QUEUE


def known() -> set[str]:
    meant = Kind.objects.order_by().values_list("queue", flat=True)
    return {DEFAULT_QUEUE, *Queue.objects.values_list("name", flat=True).union(meant)}
