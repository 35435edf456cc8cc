"""What an address may hold."""

from django.urls import register_converter
from django.urls.converters import IntConverter

from apps.api.keyset import BIGGEST_ID


class NumberConverter(IntConverter):
    """`<number:...>`, of a row: beyond what a database can be asked for there is nothing."""

    def to_python(self, value: str) -> int:
        number = super().to_python(value)
        if number > BIGGEST_ID:
            raise ValueError(value)  # the address fits no pattern
        return number


register_converter(NumberConverter, "number")
