"""The sentences under test: a student's summary, in its own words.

This is the whole list. A sentence that no experiment decides yet stays in the table and says so.
"""

from collections.abc import Mapping
from types import MappingProxyType

SUMMARY: Mapping[str, str] = MappingProxyType(
    {
        "C1": "The chain rule is basically the multiplication of the various partial derivatives.",
        "C2": "If the terms used are large … exploding gradients. … if the values are way too "
        "small … vanishing gradients.",
        "C3": "… we will either end up with a NAN value for exploding gradients or 0 for "
        "vanishing gradients.",
        "E1": "Model will have large changes in loss with each iteration",
        "E2": "Model loss will soon become NaN during training",
        "E3": "Model weights are way too high and sometimes become NaN",
        "E4": "Derivatives are constant in each iteration",
        "E5": "Model doesn't learn much even with large dataset resulting in poor performance in "
        "training phase",
        "V1": "Model weights soon achieve 0 value",
        "V2": "The weights near the output will have drastic changes whereas the weights for "
        "layer near the input will hardly have any changes in each iteration",
        "V3": "Model will either improve very slowly or will stop early as the loss soon achieves "
        "0 and no changes are detected in loss.",
        "R1": "Reducing the Layers of the network",
        "R2": "Gradient clipping i.e. limiting the values the gradient can take. Mainly used for "
        "Exploding gradients",
        "R3": "Careful weight initialization can help reduce vanishing gradients but can help "
        "with exploding gradients only partially.",
    }
)
