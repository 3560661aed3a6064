"""What a learner moves: recorded predictions, and sliders over persistent figures.

A name is imported from its module when it is first asked for: a lesson needs three of them, and
importing the networks and theories behind all the others takes as long as drawing a figure.
"""

from importlib import import_module
from typing import Any

_MODULE_OF = {
    "Labelling": "labelling",
    "Prediction": "prediction",
    "activation_explorer": "activation",
    "chain_explorer": "chain_rule",
    "clipping_explorer": "clipping",
    "difference_explorer": "backprop",
    "edge_explorer": "edge_of_chaos",
    "growth_explorer": "exploding",
    "initialization_explorer": "initialization",
    "label_traces": "labelling",
    "normalization_explorer": "normalization",
    "predict": "prediction",
    "predictions_summary": "prediction",
    "residual_explorer": "residuals",
    "staircase_explorer": "floats",
    "through_time_explorer": "through_time",
    "trace_explorer": "diagnosis",
    "vanishing_explorer": "vanishing",
}
__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    """Import what is asked for; raises AttributeError for a name that is not listed."""
    if name not in _MODULE_OF:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}. Choose from {', '.join(_MODULE_OF)}."
        )
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
