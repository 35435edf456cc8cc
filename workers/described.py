"""The JSON Schema of a handler's parameters, with what pydantic's own leaves out and a form needs."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

Core = Any  # one of pydantic's core schemas, each a dict


class Described(GenerateJsonSchema):
    """`format: decimal` for the text of a Decimal, the names of an enum's members, whether a time needs a zone."""

    def decimal_schema(self, schema: Core) -> JsonSchemaValue:
        described = super().decimal_schema(schema)
        number, *texts = described.get("anyOf", [{}])
        limits = {name: limit for name, limit in number.items() if name != "type"}
        for text in texts:
            if text.get("type") == "string":
                text |= {"format": "decimal", **limits}
        return described

    def enum_schema(self, schema: Core) -> JsonSchemaValue:
        described = super().enum_schema(schema)
        values = described.get("enum", [])
        names = [member.name for member in schema["members"]]
        if len(values) == len(names) and not all(isinstance(value, str) for value in values):
            described["x-names"] = names
        return described

    def datetime_schema(self, schema: Core) -> JsonSchemaValue:
        described = super().datetime_schema(schema)
        if schema.get("tz_constraint") == "aware":
            described["x-zone"] = "needed"
        return described
