"""Driver library of Nightjar: configuration, reading, transforms, publishing and SQL.

`from pipeline import with_sentiment` and the other names of `__all__` are the transforms of `pipeline.transforms`, loaded when
they are asked for, so that `import pipeline` loads no Spark.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.transforms import (
        to_topics,
        with_embedding,
        with_keyphrases,
        with_labels,
        with_language,
        with_masked,
        with_sentiment,
        with_summary,
    )

__version__ = "0.1.0"
__all__ = [
    "to_topics",
    "with_embedding",
    "with_keyphrases",
    "with_labels",
    "with_language",
    "with_masked",
    "with_sentiment",
    "with_summary",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline import transforms

    return getattr(transforms, name)
