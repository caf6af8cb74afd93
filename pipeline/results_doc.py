"""Write the tables of stored evaluations into `docs/models.md`: `python -m pipeline.results_doc`."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.evaluation_results import read_results

logger = logging.getLogger(__name__)
DOCS = Path(__file__).parents[1] / "docs"
PAGE, RESULTS = DOCS / "models.md", DOCS / "results"
BEGIN, END = "<!-- results: generated from docs/results by `make docs`; do not edit -->", "<!-- end of results -->"
Results = Mapping[str, Any]
Row = Mapping[str, Any]


def page_with_results(page: str, stored: Sequence[Results]) -> str:
    """Return a page with the text between its two markers replaced.

    Raises:
        ValueError: the page does not hold each marker once.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page must hold {BEGIN!r} and {END!r}, each once")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n\n".join(results_tables(one) for one in stored) or "Nothing is stored yet."
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def stored_results(folder: Path = RESULTS) -> list[Results]:
    """Read all stored results, in the order of their file names."""
    return [read_results(path) for path in sorted(folder.glob("*.json"))]


def results_tables(results: Results) -> str:
    """Return the tables of one evaluation in Markdown: models over labelled sets, encoders over pairs, language models."""
    parts = [f"**{results['name']}**"]
    if results["sets"]:
        parts.append("\n".join(_table(*_labelled_sets(results))))
    if results["similarity"] or results["retrieval"]:
        parts.append("\n".join(_table(*_pairs(results))))
    if results["perplexity"]:
        parts.append("\n".join(_table(*_perplexity(results))))
    return "\n\n".join(parts)


def _labelled_sets(results: Results) -> tuple[list[str], list[list[str]]]:
    sets = results["sets"]
    whole = {(c["model"], c["set"]): c for c in results["cells"] if c["lang"] == "*" and c["group"] == "*"}
    head = ["model", "parameters", "training, CPU min", "texts per CPU second"]
    head += [f"{s['name']} ({s['n']:,}), {'accuracy' if s['binary'] else 'macro-F1'}" for s in sets]
    body = []
    judged = {name for name, _ in whole}
    for model in (m for m in results["models"] if m["name"] in judged):
        row = [
            f"{model['family']} (`{model['name']}`)",
            _whole(model.get("parameters")),
            _minutes(model.get("training_cpu_minutes")),
            _whole(model.get("speed", {}).get("docs_per_cpu_s")),
        ]
        for one in sets:
            cell = whole.get((model["name"], one["name"]), {})
            row.append(_estimate(cell.get("accuracy" if one["binary"] else "macro_f1")))
        body.append(row)
    return head, body


def _pairs(results: Results) -> tuple[list[str], list[list[str]]]:
    head = ["vectors of", "set", "measure", "en", "zh", "mean of the others"]
    body: list[list[str]] = []
    measures = (
        ("similarity", "Spearman", ("spearman",)),
        ("retrieval", "translation found in English", ("to_english", "accuracy_at_1")),
        ("retrieval", "English found in translations", ("from_english", "accuracy_at_1")),
        ("retrieval", "same topic", ("topic_agreement",)),
    )
    for model in results["models"]:
        for key, title, path in measures:
            mine = [r for r in results[key] if r["model"] == model["name"]]
            for name in dict.fromkeys(r["set"] for r in mine):
                found = {r["lang"]: _value(r, path) for r in mine if r["set"] == name}
                if not any(found.values()):
                    continue
                body.append([f"`{model['name']}`", name, title, *_by_language(found)])
    return head, body


def _by_language(found: Mapping[str, Sequence[float] | None]) -> list[str]:
    """Return English, Chinese and the mean of the other languages; a language without a value counts for no mean."""
    others = [v[0] for lang, v in found.items() if lang not in ("en", "zh") and v is not None]
    mean = f"{sum(others) / len(others):.3f} of {len(others)}" if others else ""
    return [_estimate(found.get("en")), _estimate(found.get("zh")), mean]


def _perplexity(results: Results) -> tuple[list[str], list[list[str]]]:
    head = ["language model", "parameters", "held-back text", "tokens", "perplexity per token", "bits per byte"]
    families = {m["name"]: m for m in results["models"]}
    body = []
    for row in results["perplexity"]:
        model = families[row["model"]]
        figures = [_whole(row["n_tokens"]), f"{row['perplexity']:.1f}", f"{row['bits_per_byte']:.3f}"]
        body.append([f"{model['family']} (`{model['name']}`)", _whole(row["parameters"]), row["set"], *figures])
    return head, body


def _value(row: Row, path: Sequence[str]) -> Sequence[float] | None:
    found: Any = row
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None or found[0] is None else found


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield f"| {' | '.join(row)} |"


def _estimate(found: Sequence[float | None] | None) -> str:
    if found is None or found[0] is None:
        return ""
    value, low, high = found
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _minutes(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    PAGE.write_text(page_with_results(PAGE.read_text(encoding="utf-8"), stored_results()), encoding="utf-8")
    logger.info(f"wrote {PAGE}")
