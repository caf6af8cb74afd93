"""Configuration: every problem at once, with key, value and what to do."""

from pathlib import Path

import pytest

from pipeline.config import InputConfig, load_config
from pipeline.errors import ConfigError

GOOD = "input: {path: /data/in}\noutput: {root: /data/out}\n"


def load(tmp_path: Path, text: str, *overrides: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides)


def problems(tmp_path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, *overrides)
    return str(caught.value)


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    message = problems(
        tmp_path,
        "input: {path: /x, coluns: 3}\noutput: {catalog: 'a; DROP TABLE b'}\nmodel: {device: gpu}\n",
        "quality.min_rows=-1",
        "nonsense",
    )
    assert "input.coluns: unknown key; did you mean columns?" in message
    assert "output.root: missing; set it in the file or with --set output.root=..." in message
    assert "output.catalog: must be a plain name" in message
    assert "'a; DROP TABLE b'" in message
    assert "model.device: " in message
    assert "'gpu'" in message
    assert "quality.min_rows: " in message
    assert "--set 'nonsense': write it as key=value" in message
    assert message.splitlines()[0].endswith("6 problem(s)")


def test_overrides_reach_nested_keys_and_spark_properties(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        GOOD + "spark: {master: 'local[2]', sql: {shuffle: {partitions: 3}}}\n",
        "quality.min_rows=0",
        "input.columns.id=message_id",
        "spark.sql.shuffle.partitions=7",
        "spark.ui.enabled=false",
    )
    assert config.quality.min_rows == 0
    assert config.input.columns.id == "message_id"
    assert config.spark == {
        "spark.master": "local[2]",
        "spark.sql.shuffle.partitions": "7",
        "spark.ui.enabled": "false",
    }


@pytest.mark.parametrize(
    "path", ["/data/../etc", "s3://bucket/x", "file:///x", "/a*b", "/a'b", "", "/a\nb", "/a`b", "/a;b"]
)
def test_paths_that_could_mean_more_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        InputConfig(path=path)


def test_one_column_for_two_roles_is_refused(tmp_path: Path) -> None:
    assert "the same corpus column is named twice: body" in problems(
        tmp_path, "input: {path: /x, columns: {id: body, text: Body}}\noutput: {root: /y}\n"
    )


def test_unknown_language_is_named(tmp_path: Path) -> None:
    assert "no identifier for qq" in problems(tmp_path, GOOD + "language: {candidates: [en, qq]}\n")


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "just text"])
def test_a_file_that_is_no_mapping_is_one_clear_error(tmp_path: Path, text: str) -> None:
    assert "c.yaml" in problems(tmp_path, text)


def test_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such file"):
        load_config("nowhere.yaml")


@pytest.mark.parametrize("path", sorted(Path("conf/jobs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_job_files_open_with_their_command(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(("# spark-submit ", "# python "))


@pytest.mark.parametrize("name", ["nightly", "sample", "sample_cascade", "airline_tweets"])
def test_shipped_nightly_configurations_load(name: str) -> None:
    assert load_config(f"conf/jobs/{name}.yaml").output.catalog == "nightjar"


def test_the_cluster_publishes_what_the_laptop_does() -> None:
    laptop, cluster = (load_config(f"conf/jobs/{name}.yaml").model_dump() for name in ("sample", "cluster_test"))
    for config in (laptop, cluster):
        del config["spark"]
    assert cluster == laptop


def test_fingerprint_follows_the_values(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD)
    assert first.fingerprint() == load(tmp_path, GOOD, "model.device=auto").fingerprint()
    assert first.fingerprint() != load(tmp_path, GOOD, "model.device=cpu").fingerprint()


def test_errors_about_a_section_do_not_print_it(tmp_path: Path) -> None:
    """A whole section may hold a secret, and so may a Spark property."""
    spark = "spark: {hadoop.fs.s3a.secret.key: CANARY, list: [CANARY]}\n"
    message = problems(tmp_path, "input: {path: /x, columns: {id: a, text: a}}\noutput: {rot: 1}\n" + spark)
    assert "named twice" in message
    assert "CANARY" not in message


def test_the_cascade_is_off_by_default_and_says_what_its_audit_lacks(tmp_path: Path) -> None:
    assert not load(tmp_path, GOOD).cascade.enabled
    message = problems(tmp_path, GOOD, "cascade.audit_size=148", "cascade.min_agrement=0.9")
    assert "cascade.min_agrement: unknown key; did you mean min_agreement?" in message
    message = problems(tmp_path, GOOD, "cascade.audit_size=148")
    assert "an audit of 148 texts cannot show an agreement of 0.98 at confidence 0.95" in message
    assert "set audit_size to at least 149" in message
    assert load(tmp_path, GOOD, "cascade.audit_size=149").cascade.audit_size == 149


def test_a_change_of_model_stops_by_default(tmp_path: Path) -> None:
    change = load(tmp_path, GOOD).model_change
    assert (change.sample, change.tolerance, change.on_shift, change.on_unavailable) == (2_000, 0.03, "stop", "stop")
    message = problems(
        tmp_path, GOOD, "model_change.on_shift=ignore", "model_change.tolerance=3", "model_change.size=1"
    )
    assert "model_change.on_shift: Input should be 'stop' or 'accept', got 'ignore'" in message
    assert "model_change.tolerance: " in message
    assert "model_change.size: unknown key" in message


@pytest.mark.parametrize("name", ["x`; DROP TABLE y", "../../etc", "a.b.c.d", "a b", "1a", "", "x' OR '1'='1", "ä"])
def test_names_that_could_mean_more_are_refused(tmp_path: Path, name: str) -> None:
    """FAULTS case 51."""
    message = problems(tmp_path, GOOD, f'output.catalog="{name}"')
    assert "output.catalog: must be a plain name" in message


def test_patterns_read_no_more_of_a_text_than_goes_on(tmp_path: Path) -> None:
    text = "input: {path: /in, columns: {id: i, text: t, time: at}}\noutput: {root: /out}\n"
    short = load(tmp_path, text, "input.max_chars=1000").patterns_read()
    assert (short.aspects.max_chars, short.keyphrases.max_chars) == (1_000, 1_000)
    usual = load(tmp_path, text)
    assert usual.patterns_read() == usual.patterns
