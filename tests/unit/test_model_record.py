"""What a run remembers of its model: it comes back whole, and what is missing is said."""

import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.errors import PublishError
from pipeline.manifest import Manifest, Published, append_log, write_manifest
from pipeline.model_record import (
    RecordError,
    built,
    loadable,
    missing_part,
    published_model,
    record_path,
    write_record,
)
from pipeline.models import sentiment_spec
from udfs.spec import EncoderSpec, FileDigest, HeadSpec, LanguageSpec, Runtime, ScoreSpec, TopicSpec

DAYS = tuple(dt.date(2026, 10, 5) + dt.timedelta(days=n) for n in range(3))
FILES = (FileDigest("model.safetensors", "a" * 64, 10), FileDigest("config.json", "b" * 64, 2))
ENCODER = EncoderSpec("e", "/models/e", FILES, "r", 4, 8, "cls", ("en", "zh"))
SPEC = ScoreSpec(
    ENCODER, HeadSpec("h", "/models/h", FILES[:1], "q", ("negative", "neutral", "positive")),
    LanguageSpec(("en", "zh"), "2.1.1", 0.4), mode="fast", runtime=Runtime("openvino", "int8"), max_chars=100, token_budget=512,
)  # fmt: skip


def published(root: Path, day: dt.date, run_id: str, tables: dict[str, dict[str, str]] | None = None) -> None:
    """Publish a night that holds one row of some tables, as far as readers of files see."""
    nights = []
    for name, row in (tables or {}).items():
        path = Path("_data") / name / f"run_date={day}" / f"run_id={run_id}" / "part-0.parquet"
        (root / path.parent).mkdir(parents=True)
        pq.write_table(pa.table({k: [v] for k, v in row.items()}), root / path)
        nights.append(Published(name, day, 1, "hash", str(path.parent), {str(path): 1}))
    write_manifest(root, Manifest(run_id, "nightjar", (day,), {}, tuple(nights)))
    append_log(root, run_id, [day])


@pytest.mark.parametrize(
    "spec", [SPEC, replace(SPEC, sentiment=None, token_budget=None)], ids=["whole", "without a head"]
)
def test_a_spec_comes_back_from_its_record_whole(tmp_path: Path, spec: ScoreSpec) -> None:
    write_record(tmp_path, "r1", replace(spec, topics=TopicSpec("/t", "c" * 64, "k")))
    published(tmp_path, DAYS[0], "r1")
    found = published_model(tmp_path, DAYS[1])
    assert found is not None
    assert (found.run_date, found.key, found.spec, found.problem) == (DAYS[0], spec.model_key(), spec, None)


@dataclass(frozen=True)
class Route:
    """A nested part that today's spec does not have."""

    encoder: EncoderSpec
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wider:
    """A spec of a later version: more fields, nested deeper."""

    encoder: EncoderSpec
    others: tuple[Route, ...] = ()
    best: Route | None = None


def test_fields_of_later_versions_come_along_and_older_records_have_the_default() -> None:
    wide = Wider(ENCODER, (Route(ENCODER, ("zh",)), Route(ENCODER)), Route(ENCODER))
    assert built(Wider, json.loads(json.dumps(asdict(wide)))) == wide
    assert built(Wider, {"encoder": json.loads(json.dumps(asdict(ENCODER))) | {"files": []}}) == Wider(
        replace(ENCODER, files=())
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"more": 1}, "ScoreSpec has the unknown field more; a newer version"),
        ({"max_chars": "many"}, "value of type str where <class 'int'>"),
        ({"mode": "sloppy"}, "value of type str where typing.Literal"),
        ({"runtime": 3}, "Runtime is not an object"),
        ({"encoder": {"name": "e"}}, "EncoderSpec is incomplete"),
    ],
)
def test_a_record_of_another_shape_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(RecordError, match=says):
        built(ScoreSpec, json.loads(json.dumps(asdict(SPEC))) | change)


def test_the_last_published_night_before_the_run_counts(tmp_path: Path) -> None:
    specs = [replace(SPEC, max_chars=n) for n in (1, 2, 3)]
    assert published_model(tmp_path, DAYS[0]) is None
    for day, spec, run_id in zip(DAYS, specs, ("r1", "r2", "r3"), strict=True):
        write_record(tmp_path, run_id, spec)
        published(tmp_path, day, run_id)
    assert published_model(tmp_path, DAYS[0]) is None, "a night that is run again does not follow itself"
    for day, spec in ((DAYS[1], specs[0]), (DAYS[2], specs[1]), (dt.date(2027, 1, 1), specs[2])):
        found = published_model(tmp_path, day)
        assert found is not None
        assert found.key == spec.model_key()


def test_a_night_without_a_record_is_known_by_its_tables(tmp_path: Path) -> None:
    published(tmp_path, DAYS[0], "r1", {"runs": {"model_key": "old"}})
    published(tmp_path, DAYS[1], "r2", {"runs": {"model_key": "cheap"}, "cascade_report": {"full_model_key": "full"}})
    for day, key in ((DAYS[1], "old"), (DAYS[2], "full")):
        found = published_model(tmp_path, day)
        assert found is not None
        assert (found.key, found.spec) == (key, None)
        assert "did not record its model" in str(found.problem)


def test_a_record_that_computes_another_key_now_is_no_model(tmp_path: Path) -> None:
    """For example after ENGINE_VERSION was raised: the same files score otherwise."""
    path = write_record(tmp_path, "r1", SPEC)
    path.write_text(path.read_text().replace(SPEC.model_key(), "f" * 16))
    published(tmp_path, DAYS[0], "r1")
    found = published_model(tmp_path, DAYS[1])
    assert found is not None
    assert (found.key, found.spec) == ("f" * 16, None)
    assert "another version of Nightjar scored it" in str(found.problem)
    record_path(tmp_path, "r1").write_text("{")
    with pytest.raises(PublishError, match=r"r1/model\.json: cannot be read"):
        published_model(tmp_path, DAYS[1])


def test_what_is_missing_of_a_model_is_named(tmp_path: Path) -> None:
    shipped = sentiment_spec(ModelConfig(embedding="static-en", sentiment="sentiment-en-static"), LanguageConfig())
    assert missing_part(shipped) is None
    assert shipped.sentiment is not None
    gone = replace(shipped, sentiment=replace(shipped.sentiment, source=str(tmp_path / "gone")))
    assert missing_part(gone) == f"{tmp_path}/gone: no such model folder on this machine"
    digest = replace(shipped.encoder.files[0], sha256="0" * 64)
    changed = replace(shipped, encoder=replace(shipped.encoder, files=(digest,)))
    assert "is not the locked file" in str(missing_part(changed))
    other = replace(shipped, language=replace(shipped.language, version="1.0"))
    assert "lingua 1.0; installed is 2." in str(missing_part(other))
    elsewhere = replace(shipped, mode="fast", runtime=Runtime("nowhere", "int8"))  # type: ignore[arg-type]
    assert missing_part(elsewhere) == "it was computed by nowhere, which is not installed"


def test_a_model_loaded_again_takes_the_device_of_the_run_and_keeps_its_results() -> None:
    here = replace(SPEC, device="cuda", mode="exact")
    exact = replace(SPEC, mode="exact", device="cpu")
    assert loadable(exact, here) == replace(exact, device="cuda", runtime=Runtime())
    assert loadable(exact, here).model_key() == exact.model_key()
    assert loadable(SPEC, here).runtime == SPEC.runtime, "in fast mode the runtime decides the result"
