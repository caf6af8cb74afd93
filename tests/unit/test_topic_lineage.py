"""Names of topics over refits, on planted directions."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import TopicsConfig
from pipeline.topic_clusters import Places, Rows
from pipeline.topic_lineage import Known, Lineage, lineage
from pipeline.topics import Sample, TopicModel, fit_topics, load_topics, refit_due, refit_topics

AXES = np.eye(8, 16, dtype=np.float32)
FIRST = dt.date(2026, 10, 5)


def cloud(*sizes: int, noise: float = 0.1, seed: int = 0) -> Rows:
    """Return unit rows around the axes, `sizes[i]` around axis i."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(AXES[: len(sizes)], sizes, axis=0) + noise * rng.normal(size=(sum(sizes), 16)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def unit(*axes: int) -> Rows:
    total = AXES[list(axes)].sum(axis=0)
    return total / np.linalg.norm(total)


def named(rows: Rows, known: Known, centroids: list[Rows], next_id: int = 20) -> Lineage:
    new = np.stack(centroids)
    assigned: Places = (rows @ new.T).argmax(axis=1)
    return lineage(rows, known, new, assigned, next_id, 0.25)


def known(centroids: list[Rows], ids: tuple[int, ...], dormant: tuple[int, ...] = ()) -> Known:
    return Known(ids, np.stack(centroids), np.full(len(ids), 0.6), np.array([i not in dormant for i in ids]))


def events(line: Lineage) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [(e.event, e.from_topic_ids, e.to_topic_ids) for e in line.events]


def test_topics_keep_their_ids_whatever_their_order() -> None:
    rows = cloud(50, 30, 20)
    line = named(rows, known([unit(0), unit(1), unit(2)], (7, 3, 9)), [unit(2), unit(0), unit(1)])
    assert line.ids == (9, 7, 3)
    assert events(line) == [("continued", (i,), (i,)) for i in (3, 7, 9)]
    assert {(e.overlap, e.similarity) for e in line.events} == {(1.0, 1.0)}
    assert line.next_id == 20


def test_the_assignment_is_best_in_sum_not_pair_by_pair() -> None:
    """Greedily the first new cluster would take topic 1, its best match, and leave the second one without a name."""
    rows = cloud(60, 40, 50)
    before = [unit(0, 1), unit(2)]
    line = named(rows, known(before, (1, 2)), [unit(0), unit(1, 2)])
    assert line.ids == (1, 2)


def test_a_new_theme_is_born_with_an_id_never_used() -> None:
    rows = cloud(50, 30, 40)
    line = named(rows, known([unit(0), unit(1, 2)], (1, 2)), [unit(0), unit(1), unit(2)], next_id=11)
    assert sorted(line.ids) == [1, 2, 11]
    assert [e.event for e in line.events].count("split") == 1


def test_texts_that_were_no_topics_usual_ones_make_a_birth_not_a_split() -> None:
    rows = cloud(50, 30, 40)
    line = named(rows, known([unit(0), unit(1)], (1, 2)), [unit(0), unit(1), unit(2)], next_id=11)
    assert line.ids == (1, 2, 11)
    (born,) = (e for e in line.events if e.event == "born")
    assert (born.from_topic_ids, born.to_topic_ids, line.next_id) == ((), (11,), 12)


def test_a_new_theme_does_not_take_the_id_of_an_ending_topic_that_happens_to_be_nearest() -> None:
    rows = cloud(50, 0, 30)
    tilted = unit(1) + 0.3 * unit(2)
    before = known([unit(0), tilted / np.linalg.norm(tilted)], (1, 2))
    assert (rows[50:] @ before.centroids.T).argmax(axis=1).mean() > 0.9
    line = named(rows, before, [unit(0), unit(2)])
    assert line.ids == (1, 20)
    assert ("born", (), (20,)) in events(line)
    assert ("dormant", (2,), ()) in events(line)


def test_a_topic_that_falls_in_two_is_a_split() -> None:
    line = named(cloud(50, 40, 60), known([unit(0, 1), unit(2)], (4, 5)), [unit(0), unit(1), unit(2)])
    assert line.ids == (4, 20, 5)
    (split,) = (e for e in line.events if e.event == "split")
    assert (split.from_topic_ids, split.to_topic_ids, split.overlap) == ((4,), (4, 20), 1.0)


def test_two_topics_that_become_one_are_merged() -> None:
    line = named(cloud(50, 40, 60), known([unit(0), unit(1), unit(2)], (4, 5, 6)), [unit(0, 1), unit(2)])
    assert line.ids == (4, 6)
    assert ("merged", (4, 5), (4,)) in events(line)


def test_a_theme_without_texts_goes_dormant_and_is_revived_with_its_id() -> None:
    before = [unit(0), unit(1), unit(2)]
    line = named(cloud(50, 40), known(before, (4, 5, 6)), [unit(0), unit(1)])
    assert ("dormant", (6,), ()) in events(line)
    back = named(cloud(50, 40, 30), known(before, (4, 5, 6), dormant=(6,)), [unit(0), unit(1), unit(2)])
    assert back.ids == (4, 5, 6)
    assert ("revived", (6,), (6,)) in events(back)


def test_every_topic_before_has_one_event_and_every_id_after_comes_from_one() -> None:
    rng = np.random.default_rng(3)
    for seed in range(30):
        rows = cloud(*rng.integers(0, 60, 7), noise=0.4, seed=seed)
        if len(rows) < 10:
            continue
        old = [unit(*rng.choice(8, rng.integers(1, 3), replace=False)) for _ in range(5)]
        new = [unit(*rng.choice(8, rng.integers(1, 3), replace=False)) for _ in range(6)]
        line = named(rows, known(old, (0, 1, 2, 3, 4), dormant=(4,)), new)
        gone = [e.from_topic_ids for e in line.events if e.event in ("merged", "dormant")]
        assert len(set(line.ids)) == 6
        targets = [i for e in line.events if e.event != "merged" for i in e.to_topic_ids]
        assert set(line.ids) <= set(targets)
        lost = {0, 1, 2, 3} - set(line.ids) - {i for e in line.events if e.event == "split" for i in e.from_topic_ids}
        assert lost == {ids[-1] for ids in gone}, line.events


def sample(rows: Rows) -> Sample:
    return Sample(
        rows, [f"theme{int(i)} of message {n}" for n, i in enumerate(rows.argmax(axis=1))], ["en"] * len(rows)
    )


CONFIG = TopicsConfig(least_agreement=0.9, min_topics=2, refit_every_nights=7)


def month(folder: Path) -> list[TopicModel]:
    """Four weeks: three themes; a fourth comes up; the first falls silent; it comes back."""
    models = [fit_topics(folder, "s", FIRST, sample(cloud(120, 100, 80)), CONFIG)]
    for week, sizes in enumerate([(120, 100, 80, 90), (0, 100, 90, 90), (0, 90, 90, 90), (110, 90, 90, 90)], start=1):
        night = FIRST + dt.timedelta(days=7 * week)
        assert refit_due(folder, "s", models[-1], night, CONFIG)
        models.append(refit_topics(folder, "s", models[-1], night, sample(cloud(*sizes, seed=week)), CONFIG))
    return models


def test_a_month_of_refits(tmp_path: Path) -> None:
    models = month(tmp_path)
    axis = [{int(np.argmax(t.centroid)): t.topic_id for t in m.active} for m in models]
    assert axis[0].keys() == {0, 1, 2}
    assert set(axis[0].values()) == {0, 1, 2}
    assert axis[1] == {**axis[0], 3: 3}
    assert axis[2] == axis[3] == {a: i for a, i in axis[1].items() if a != 0}
    assert axis[4] == axis[1]
    assert [e.event for e in models[2].events].count("dormant") == 1
    assert [e.event for e in models[4].events].count("revived") == 1
    old = {t.topic_id: t for t in models[4].active}[axis[0][0]]
    assert (old.first_seen, old.dormant_since) == (FIRST, None)
    (asleep,) = (t for t in models[3].topics if t.dormant_since)
    assert (asleep.topic_id, asleep.dormant_since) == (axis[0][0], FIRST + dt.timedelta(days=14))
    assert models[4].next_id == 4


def test_the_same_month_twice_gives_the_same_models(tmp_path: Path) -> None:
    first, second = month(tmp_path / "a"), month(tmp_path / "b")
    assert [m.spec.key for m in first] == [m.spec.key for m in second]


def test_a_night_has_the_model_that_was_in_force_on_it(tmp_path: Path) -> None:
    assert load_topics(tmp_path, "s") is None
    models = month(tmp_path)
    for days, of in ((-3, 0), (0, 0), (6, 0), (7, 1), (13, 1), (28, 4), (400, 4)):
        assert load_topics(tmp_path, "s", FIRST + dt.timedelta(days=days)) == models[of], days
    backfill = FIRST + dt.timedelta(days=13)
    assert not refit_due(tmp_path, "s", models[1], backfill + dt.timedelta(days=5), CONFIG), "the past stays as it was"


def test_a_model_is_never_overwritten(tmp_path: Path) -> None:
    models = month(tmp_path)
    again = refit_topics(tmp_path, "s", models[0], models[1].valid_from, sample(cloud(10, 10, 90)), CONFIG)
    assert again == models[1]
    assert not list(tmp_path.glob("s/.*"))


def test_a_dormant_topic_is_forgotten_in_the_end_but_its_id_is_not_used_again(tmp_path: Path) -> None:
    config = TopicsConfig(least_agreement=0.9, min_topics=2, dormant_nights=10)
    model = fit_topics(tmp_path, "s", FIRST, sample(cloud(120, 100, 80)), config)
    for week, sizes in ((1, (0, 100, 80)), (2, (0, 100, 80)), (3, (0, 100, 80)), (4, (90, 100, 80))):
        night = FIRST + dt.timedelta(days=7 * week)
        model = refit_topics(tmp_path, "s", model, night, sample(cloud(*sizes, seed=week)), config)
        assert len(model.topics) == (2 if week == 3 else 3)
    assert sorted(t.topic_id for t in model.active) == [1, 2, 3]


@pytest.mark.parametrize("nights", [0, 3])
def test_refits_can_be_turned_off(tmp_path: Path, nights: int) -> None:
    config = TopicsConfig(refit_every_nights=nights)
    model = fit_topics(tmp_path, "s", FIRST, sample(cloud(60, 50)), config)
    assert refit_due(tmp_path, "s", model, FIRST + dt.timedelta(days=3), config) == (nights == 3)
