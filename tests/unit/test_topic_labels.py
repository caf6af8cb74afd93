"""Labels of topics: phrases, diversity, and figures that fall where a label is wrong."""

import numpy as np
import pytest

from pipeline.topic_labels import TopicLabel, coherence, diversified, keyphrases, label_fit, label_topics
from pipeline.topic_phrases import phrases

THEMES = [
    ["late parcel", "lost shipment", "courier never rang", "tracking page"],
    ["dark mode", "editor theme", "font size", "colour scheme"],
    ["battery life", "charger gets hot", "power bank", "charging cable"],
]
ZH = [["快递 一直 没有 送到", "包裹 丢失"], ["手机 电池 续航 太差", "充电器 发烫"]]


def corpus(themes: list[list[str]], n: int, glue: str, joined: str = " ") -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(5)
    texts, assigned = [], []
    for topic, said in enumerate(themes):
        for i in range(n):
            some = [said[j].replace(" ", joined) for j in rng.choice(len(said), min(2, len(said)), replace=False)]
            texts.append(f"{glue} {i} {some[0]}, {some[-1]}")
            assigned.append(topic)
    return texts, np.array(assigned)


def labelled(texts: list[str], assigned: np.ndarray, lang: str = "en") -> list[TopicLabel]:
    k = int(assigned.max()) + 1
    return label_topics(texts, [lang] * len(texts), assigned, np.linspace(0, 1, len(texts)), k)


@pytest.mark.parametrize(
    ("text", "lang", "has", "lacks"),
    [
        ("The cost of living is high", "en", {"cost", "cost of living", "living"}, {"of", "cost of", "the cost"}),
        ("Great price. Battery died 2 times", "en", {"great price", "battery died"}, {"price battery", "died times"}),
        ("see https://a.example/late-parcel @bob", "en", set(), {"late", "parcel", "bob"}),
        ("快递的包裹丢失", "zh", {"快递", "包裹", "包裹丢失"}, {"的", "快递的", "的包裹"}),
        ("新 iPhone 手机", "zh", {"iphone", "iphone 手机"}, set()),
        ("la entrega del paquete", "es", {"entrega", "paquete", "entrega del paquete"}, {"la", "del"}),
        ("", "und", set(), {""}),
    ],
)
def test_phrases_are_words_in_a_row(text: str, lang: str, has: set[str], lacks: set[str]) -> None:
    found = phrases(text, lang)
    assert has <= found
    assert not lacks & found


def test_labels_name_their_topic_and_fit_members_they_were_not_made_from() -> None:
    texts, assigned = corpus(THEMES, 60, "my order, item")
    for topic, label in enumerate(labelled(texts, assigned)):
        own = " ".join(THEMES[topic])
        assert all(phrase in own for phrase in label.text(topic).split(" / ")), label
        assert label.label_fit is not None
        assert label.label_fit > 0.9
        assert label.coherence is not None


def test_labels_of_chinese_texts_are_chinese() -> None:
    texts, assigned = corpus(ZH, 40, "客服你好", "")
    first, second = labelled(texts, assigned, "zh")
    assert any(word in first.text(0) for word in ("快递", "包裹"))
    assert any(word in second.text(1) for word in ("电池", "充电器", "手机"))
    assert " " not in first.text(0).replace(" / ", "")
    assert first.label_fit == second.label_fit == 1.0


def test_the_fit_of_a_label_falls_where_labels_are_shuffled() -> None:
    texts, assigned = corpus(THEMES, 60, "my order, item")
    labels = [label.keyphrases for label in labelled(texts, assigned)]
    found = [phrases(text, "en") for text in texts]
    right = label_fit(labels, found, assigned)
    wrong = label_fit(labels[1:] + labels[:1], found, assigned)
    assert min(r for r in right if r is not None) > 0.9
    assert max(w for w in wrong if w is not None) < 0.1


def test_a_label_without_meaning_fits_nobody_and_shared_ones_a_fraction() -> None:
    found = [{"a"}, {"a"}, {"b"}, {"c"}]
    assert label_fit([[("a", 1.0)], [("a", 0.5)], [("z", 1.0)]], found, np.array([0, 1, 2, 0])) == [0.25, 0.5, 0.0]
    assert label_fit([[], []], [], np.array([], dtype=int)) == [None, None]


def test_coherence_is_npmi() -> None:
    texts = [{"a", "b"}, {"a", "b"}, {"a", "c"}, {"d"}]
    together, apart, lonely = coherence([[("a", 1), ("b", 1)], [("b", 1), ("c", 1)], [("a", 1), ("x", 1)]], texts)
    assert together == pytest.approx(np.log(0.5 / (0.75 * 0.5)) / -np.log(0.5), abs=1e-6)
    assert (apart, lonely) == (-1.0, None)


def test_diversity_prefers_another_word_to_the_same_one_again() -> None:
    candidates = [("battery life", 1.0, 20.0), ("battery", 0.9, 40.0), ("charger", 0.5, 20.0), ("chargers", 0.45, 20.0)]
    assert [p for p, _ in diversified(candidates, np.zeros((4, 4)), 3)] == ["battery life", "charger", "battery"]


def test_words_that_meet_go_together() -> None:
    candidates = [("goal", 1.0, 20.0), ("monday", 0.6, 20.0), ("keeper", 0.5, 20.0)]
    npmi = np.array([[1.0, -0.2, 0.4], [-0.2, 1.0, -0.2], [0.4, -0.2, 1.0]])
    assert [p for p, _ in diversified(candidates, np.zeros((3, 3)), 2)] == ["goal", "monday"]
    assert [p for p, _ in diversified(candidates, npmi, 2)] == ["goal", "keeper"]


def test_a_word_that_nearly_always_stands_in_a_phrase_gives_way_to_it() -> None:
    candidates = [("francisco", 1.0, 20.0), ("san francisco", 0.9, 19.0), ("bay", 0.2, 5.0)]
    assert [p for p, _ in diversified(candidates, np.zeros((3, 3)), 3)] == ["san francisco", "bay"]


def test_nothing_to_say_gives_a_name_by_number() -> None:
    (label,) = label_topics(["1 2 3"] * 30, ["und"] * 30, np.zeros(30, int), np.zeros(30), 1)
    assert (label.keyphrases, label.text(4), label.coherence) == ([], "topic 4", None)
    from scipy.sparse import csr_matrix

    assert keyphrases([], csr_matrix((3, 0)), np.zeros(3, int), 1) == [[]]
