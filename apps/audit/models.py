"""The audit log: one row for each act, which can be added and read, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from django.db import models
from django.db.models.functions import Now

from apps.tasks.since import spanned

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from apps.accounts.permissions import Person

TEXT_LENGTH = 300
NAME_LENGTH = 150
COMMONEST = "task.create"  # there are always some near, and each index is felt where one task is created
COLUMNS = {"person": "name", "act": "act", "object": "object"}  # by which entries are found
OBJECT_LENGTH = 220  # a word, and the longest name of a worker


class Result(models.TextChoices):
    """How it ended."""

    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    REFUSED = "refused", "Refused"


class Way(models.TextChoices):
    """By which door."""

    PAGE = "page", "Page"
    TOKEN = "token", "Token"
    COMMAND = "command", "Command"


class AppendOnly(Exception):
    """The audit log is not changed."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, person: Person) -> Self:
        """What this person did; of everybody for staff."""
        if getattr(person, "is_staff", False):
            return self.all()
        return self.filter(person=person.pk) if person.pk else self.none()

    def about(self, **wanted: str) -> Self:
        """Of these each must hold: the name of a `person`, an `act`, an `object`."""
        found = self.filter(**{COLUMNS[name]: value for name, value in wanted.items()})
        return found if wanted.get("act", COMMONEST) == COMMONEST else found.exclude(act=COMMONEST)  # as the index says

    def within(self, bounds: Iterable[tuple[str, datetime]]) -> Self:
        """`bounds`: pairs of lookup (gte, lt, ..) and time."""
        return self.filter(spanned(Entry, "at", bounds))

    def _refuse(self, *_rest: Any, **_more: Any) -> NoReturn:
        raise AppendOnly

    update = delete = bulk_update = update_or_create = _refuse
    aupdate = adelete = abulk_update = aupdate_or_create = _refuse


class Entry(models.Model):
    """`person` is a number and not a reference, and `name` stands beside it: they outlive the person.

    `object`: what it was done to, such as "task 12"; with a `count` above 1 that is the first of so many. Of what was
    refused `count` is how often.
    """

    at = models.DateTimeField(db_default=Now())
    person = models.BigIntegerField(null=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    act = models.CharField(max_length=40)
    object = models.CharField(max_length=OBJECT_LENGTH, blank=True)
    count = models.PositiveIntegerField(default=1)
    details = models.CharField(max_length=TEXT_LENGTH, blank=True)
    result = models.CharField(max_length=7, choices=Result.choices, default=Result.DONE)
    way = models.CharField(max_length=7, choices=Way.choices)
    token = models.CharField(max_length=12, blank=True)  # its prefix
    address = models.CharField(max_length=45, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["person", "id"], name="entry_person"),
            models.Index(fields=["name", "id"], name="entry_name"),
            models.Index(fields=["act", "id"], name="entry_act", condition=~models.Q(act=COMMONEST)),
            models.Index(fields=["object", "id"], name="entry_object"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.act} {self.object}"

    def save(self, *args: Any, **more: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **more)

    def delete(self, *_rest: Any, **_more: Any) -> NoReturn:
        raise AppendOnly


class Refusals(models.Model):
    """How often something was refused within the minute `since` when `first` tells of it. `who`: and from where."""

    WHO_LENGTH = 200

    who = models.CharField(max_length=WHO_LENGTH)
    act = models.CharField(max_length=40)
    since = models.DateTimeField()
    more = models.PositiveIntegerField(default=0)
    first = models.ForeignKey(Entry, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["who", "act"], name="refusals_once")]

    def __str__(self) -> str:
        return f"{self.who} {self.act} {self.more}"
