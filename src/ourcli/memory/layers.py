"""The three layers: what each keeps, for how long, and how much it weighs in recall."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Layer(StrEnum):
    """A layer of memory; the value is also the table's name."""

    INTERACT = "interact"
    INSIGHTS = "insights"
    ASSETS = "assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSpec:
    """What a layer promises.

    Attributes:
        label: Short name shown to people (L1, L2, L3).
        purpose: What is kept there.
        retention: How long an unused record lives, None for as long as its source.
        weight: Factor on the fused score.
    """

    label: str
    purpose: str
    retention: timedelta | None
    weight: float


LAYERS: dict[Layer, LayerSpec] = {
    Layer.INTERACT: LayerSpec(
        label="L1", purpose="session chat and tool logs", retention=timedelta(hours=24), weight=1.2
    ),
    Layer.INSIGHTS: LayerSpec(label="L2", purpose="distilled decisions", retention=timedelta(days=90), weight=1.0),
    Layer.ASSETS: LayerSpec(label="L3", purpose="documents and code", retention=None, weight=0.8),
}
