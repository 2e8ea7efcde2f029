"""What the server's own tools are given, read once at the edge; the schemas that clients see are made from it."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.errors import ToolInputError
from ourcli.tools.data import JsonObject

LayerName = Literal["interact", "insights", "assets"]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
_Arguments = TypeVar("_Arguments", bound="Arguments")


class Arguments(BaseModel):
    """Arguments of one tool."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SearchArguments(Arguments):
    """What `memory_search` is given."""

    query: Annotated[str, Field(min_length=1, max_length=4000, description="What is looked for, in plain words.")]
    limit: Annotated[int, Field(ge=1, le=50, description="Most records to return.")] = 10
    layers: Annotated[
        list[LayerName],
        Field(description="interact: recent chat; insights: decisions and notes; assets: documents and code."),
    ] = ["interact", "insights", "assets"]
    tags: Annotated[list[Tag], Field(max_length=20, description="Only records that carry all of them.")] = []
    kind: Annotated[str | None, Field(max_length=200, description="Only records of this kind.")] = None


class AddArguments(Arguments):
    """What `memory_add` is given."""

    text: Annotated[str, Field(min_length=1, max_length=100_000, description="What to remember, as a whole thought.")]
    kind: Annotated[str, Field(min_length=1, max_length=200, description="What it is: note, decision, ...")] = "note"
    tags: Annotated[list[Tag], Field(max_length=20, description="Words to find it by.")] = []


class WhyArguments(Arguments):
    """What `memory_why` is given."""

    id: Annotated[str, Field(min_length=1, max_length=200, description="The record's id.")]


class IngestArguments(Arguments):
    """What `ingest` is given."""

    paths: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=4096)]],
        Field(min_length=1, max_length=100, description="Files and folders, absolute or below the served folder."),
    ]


def read(model: type[_Arguments], arguments: JsonObject) -> _Arguments:
    """Return the arguments of a tool.

    Raises:
        ToolInputError: They do not fit; the message says which one.
    """
    try:
        return model.model_validate(dict(arguments))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ToolInputError(f"{where or 'the arguments'}: {first['msg']}", hint="see the tool's input schema") from exc
