"""What the documents point at exists; every shipped SQL file opens with a comment that says what it asks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_paths_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    named = re.findall(
        r"(?:^|[\s`(])((?:jobs|conf|pipeline|udfs|tests|benchmarks|docs)/[\w./-]+\.(?:py|ya?ml|conf|md|sql))\b", text
    )
    missing += [path for path in named if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = {a or b for a, b in re.findall(r"`make ([a-z0-9-]+)|^    make ([a-z0-9-]+)", text, re.MULTILINE)}
    assert named <= targets


@pytest.mark.parametrize("path", sorted((ROOT / "conf/sql").glob("*.sql")), ids=lambda p: p.name)
def test_sql_files_say_what_they_ask(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- ")
