"""The base of everything that is stored or sent: frozen, closed, camelCase on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NewType

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

RunId = NewType("RunId", str)
PromptId = NewType("PromptId", str)
MessageId = NewType("MessageId", str)
AttentionId = NewType("AttentionId", str)


class Wire(BaseModel):
    """One JSON object. Attributes are snake_case in Python and camelCase outside."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )

    def to_json(self) -> dict[str, Any]:
        """The object as it travels: aliases, JSON types, absent instead of null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Role(StrEnum):
    """Who speaks. The values are the wire spelling, `POLITERM_ROLE`, and JSON keys."""

    PLANNER = "PLANNER"
    EXECUTER = "EXECUTER"
    AGENT = "AGENT"
    USER = "USER"
    ORCHESTRATOR = "ORCHESTRATOR"

    @classmethod
    def _missing_(cls, value: object) -> Role | None:
        """Accept any case on the way in."""
        return cls.__members__.get(value.upper()) if isinstance(value, str) else None


class AgentState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    WORKING = "working"
    BLOCKED = "blocked"
    LIMITED = "limited"
    DEAD = "dead"
    UNCERTAIN = "uncertain"


class Why(Wire):
    """What a claim about an agent rests on: where it was seen, by which rule, and the text or record itself."""

    source: str
    rule: str
    evidence: str = ""
    until: str | None = None
    """For a limit: when it ends, in the agent's own words."""
