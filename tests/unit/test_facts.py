"""Facts of plain sentences, and what is not one."""

import datetime as dt

import pyarrow as pa
import pytest

from udfs.facts import facts, make_facts

KNOWN = frozenset(
    {
        "router",
        "battery life",
        "app",
        "no internet",
        "internet",
        "firmware update",
        "customer service",
        "客服",
        "路由器",
        "固件 升级",
        "信号",
    }
)


@pytest.mark.parametrize(
    ("lang", "text", "stated"),
    [
        ("en", "The router is completely dead.", [("router", "is", "dead")]),
        (
            "en",
            "The battery life is not great, but the app was slow!",
            [("battery life", "is not", "great"), ("app", "is", "slow")],
        ),
        ("en", "my app won’t open anymore", [("app", "does not", "open")]),
        ("en", "The app does not work properly", [("app", "does not", "work properly")]),
        ("en", "The router keeps rebooting since Monday", [("router", "keeps", "rebooting")]),
        ("en", "The router has stopped working", [("router", "stopped", "working")]),
        ("en", "No internet after the latest firmware update", [("no internet", "after", "firmware update")]),
        ("zh", "路由器很慢，客服不回复。", [("路由器", "is", "慢"), ("客服", "does not", "回复")]),
        ("zh", "信号非常差！", [("信号", "is", "差")]),
    ],
)
def test_plain_statements_are_found(lang: str, text: str, stated: list[tuple[str, str, str]]) -> None:
    found = facts(text, lang, KNOWN)
    assert [fact[:3] for fact in found] == stated
    assert all(fact[3] in text for fact in found)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Is the router dead? The app is slow?"),
        ("en", "If the app is slow, restart it."),
        ("en", "I hope the router is good. They said the app is safe."),
        ("en", "The app is about to close. The router is one of many. It is dead. The weather is bad."),
        ("en", "The app is the best."),
        ("zh", "信号差吗？希望客服回复。如果路由器很慢"),
        ("es", "El router está muerto"),
        ("en", ""),
    ],
)
def test_what_is_not_stated_is_no_fact(lang: str, text: str) -> None:
    assert facts(text, lang, KNOWN) == []


def test_a_text_states_a_fact_once() -> None:
    names = ["run_date", "lang", "doc_id", "content_key", "n_docs", "text"]
    day = dt.date(2026, 10, 5)
    rows = [(day, "en", "1", "k", 3, "The app is slow. The app is slow."), (day, "de", "2", "l", 1, "The app is slow.")]
    batch = pa.RecordBatch.from_pylist([dict(zip(names, r, strict=True)) for r in rows])
    (out,) = make_facts({(day, "en"): ["app"]})(iter([batch]))
    assert [(r["doc_id"], r["n_docs"], r["clause"]) for r in out.to_pylist()] == [("1", 3, "The app is slow")]
