"""The sample corpus: the same on every machine, as large as promised, and what is planted is there."""

import datetime as dt
import difflib
import hashlib
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import load_config
from pipeline.preflight import inspect_corpus
from pipeline.sample import planted
from pipeline.sample.corpus import Message, generate, write_sample
from pipeline.sample.edge_cases import EDGE_CASES, LONG_MESSAGE
from pipeline.sample.personal_data import CARDS, EMAIL_DOMAINS, IBANS

ROOT = Path(__file__).parents[2]
CONTENT = "8a2bf2c478e9c5f79fc996b7dd168edd7dbc75d9cc0cacea6c3298b6c089feb4"
"""Of the content; a deliberate change of the material changes it, and docs/sample.md with it."""


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return generate()


@pytest.fixture(scope="module")
def accepted(messages: list[Message]) -> list[Message]:
    return [m for m in messages if m.fault is None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample")
    write_sample(path)
    return path


def text(message: Message) -> str:
    assert message.body is not None
    return message.body.decode()


def normalised(raw: str) -> str:
    """Do what pipeline.text.normalised does, in Python."""
    visible = re.sub(r"[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]", "", raw)
    return " ".join(visible.split())


def test_every_machine_makes_the_same_corpus(messages: list[Message]) -> None:
    assert generate() == messages
    fields = [(m.message_id, m.body, m.created_at and m.created_at.isoformat(), m.channel, m.product) for m in messages]
    truth = [(str(m.day), m.language, m.sentiment, m.theme, m.planted, m.fault) for m in messages]
    assert hashlib.sha256(repr((fields, truth)).encode()).hexdigest() == CONTENT


def test_size_and_spread(messages: list[Message], accepted: list[Message]) -> None:
    assert len(messages) == planted.N_MESSAGES >= 6_600
    assert len(messages) - len(accepted) == sum(map(planted.rejected, planted.DAYS)) == 49
    assert Counter(m.day for m in accepted).keys() == set(planted.DAYS)
    assert len(planted.DAYS) == 21
    assert min(Counter(m.day for m in accepted).values()) >= 280
    assert {m.product for m in accepted} == set(planted.PRODUCTS)
    assert {m.channel for m in accepted} == set(planted.CHANNELS)
    languages = Counter(m.language for m in accepted)
    shares = {language: languages[language] / len(accepted) for language in planted.LANGUAGES}
    assert shares == {
        "en": pytest.approx(0.66, abs=0.03),
        "zh": pytest.approx(0.19, abs=0.02),
        "es": pytest.approx(0.14, abs=0.02),
    }
    for product in planted.PRODUCTS:
        found = Counter(m.sentiment for m in accepted if m.product == product)
        assert min(found[s] for s in ("negative", "neutral", "positive")) >= 80


def test_a_week_has_its_seasons(accepted: list[Message]) -> None:
    def per_day(channel: str, days: set[int]) -> float:
        chosen = [d for d in planted.DAYS if d.weekday() in days and d not in planted.INCIDENT_DAYS]
        return sum(m.channel == channel and m.planted is None and m.day in chosen for m in accepted) / len(chosen)

    weekend = {5, 6}
    assert per_day("email", weekend) < 0.6 * per_day("email", set(range(5)))
    assert per_day("app_review", weekend) > 1.2 * per_day("app_review", set(range(5)))


def test_messages_differ_from_each_other(accepted: list[Message]) -> None:
    own = [normalised(text(m)) for m in accepted if m.planted not in ("campaign", "short_repeat")]
    assert len(set(own)) == len(own)
    shapeless = Counter(re.sub(r"[\W\d_]+", " ", t).strip().lower() for t in own)
    assert len(shapeless) >= 0.95 * len(own)
    english = [
        t for m, t in zip(accepted, map(text, accepted), strict=True) if m.language == "en" and m.planted is None
    ]
    openings = Counter(" ".join(t.lower().split()[:4]) for t in english if len(t.split()) > 8)
    assert max(openings.values()) < 0.02 * len(english)
    lengths = sorted(len(t) for t in own)
    assert lengths[len(lengths) // 20] <= 25
    assert lengths[len(lengths) // 2] in range(70, 180)
    assert lengths[-len(lengths) // 50] >= 350


def test_no_phrase_is_left_unfilled(accepted: list[Message]) -> None:
    odd = re.compile(r"[{}\[\]|\0]|\\n|  | [,.] ")
    ours = [text(m) for m in accepted if m.theme != "edge"]
    assert [t for t in ours if odd.search(t)] == []


def test_the_incident_turns_the_router_negative(accepted: list[Message]) -> None:
    router = [m for m in accepted if m.product == planted.INCIDENT_PRODUCT]
    for day in planted.DAYS:
        today = [m for m in router if m.day == day]
        negative = [m.sentiment == "negative" for m in today if m.language == "en"]
        share = sum(negative) / len(negative)
        if day in planted.INCIDENT_DAYS:
            assert Counter(m.language for m in today) == planted.INCIDENT_MESSAGES[day]
            assert share == pytest.approx(planted.INCIDENT_NEGATIVE_SHARE, abs=0.02)
            assert {m.planted for m in today} == {"incident"}
        else:
            assert 25 <= len(today) <= 40
            assert 0.2 <= share <= 0.4
            assert "7.2.0" not in " ".join(text(m) for m in today)


def test_the_emerging_topic_grows_from_nothing(accepted: list[Message]) -> None:
    topic = [m for m in accepted if m.planted == "emerging"]
    assert Counter(m.day for m in topic) == planted.EMERGING_MESSAGES
    counts = [planted.EMERGING_MESSAGES[d] for d in sorted(planted.EMERGING_MESSAGES)]
    assert counts == sorted(set(counts))
    assert sum(counts) == 238
    assert min(planted.EMERGING_MESSAGES) == planted.EMERGING_FIRST_DAY
    assert {(m.product, m.language, m.theme) for m in topic} == {
        (planted.EMERGING_PRODUCT, "en", planted.EMERGING_THEME)
    }
    words = re.compile("|".join(planted.EMERGING_WORDS), re.IGNORECASE)
    assert sum(bool(words.search(text(m))) for m in topic) > 0.8 * len(topic)
    assert [m.message_id for m in accepted if m.planted != "emerging" and words.search(text(m))] == []


def test_the_campaign_repeats_one_text_with_small_edits(accepted: list[Message]) -> None:
    posts = [m for m in accepted if m.planted == "campaign"]
    assert {(m.product, m.channel) for m in posts} == {(planted.CAMPAIGN_PRODUCT, planted.CAMPAIGN_CHANNEL)}
    copies = Counter(m.day for m in posts if text(m) == planted.CAMPAIGN_TEXT)
    variants = [m for m in posts if text(m) != planted.CAMPAIGN_TEXT]
    assert copies == planted.CAMPAIGN_COPIES
    assert Counter(m.day for m in variants) == planted.CAMPAIGN_VARIANTS
    assert (sum(copies.values()), len(variants)) == (36, 84)
    assert len({m.message_id for m in posts}) == 120
    assert len({normalised(text(m)) for m in variants}) == 84
    original = planted.CAMPAIGN_TEXT.lower().split()
    for m in variants:
        assert difflib.SequenceMatcher(None, original, text(m).lower().split()).ratio() > 0.75, text(m)


def test_duplicates_of_each_night_are_those_documented(accepted: list[Message]) -> None:
    for day in planted.DAYS:
        texts = Counter(normalised(text(m)) for m in accepted if m.day == day)
        assert sum(n - 1 for n in texts.values()) == planted.duplicates(day)
        assert {t for t, n in texts.items() if n > 1} <= {planted.CAMPAIGN_TEXT, *planted.SHORT_REPEATS}
    assert sum(map(planted.duplicates, planted.DAYS)) == 49


def test_edge_cases_are_accepted_as_written(accepted: list[Message]) -> None:
    found = {m.planted: text(m) for m in accepted if m.theme == "edge"}
    assert found == {f"edge:{case.name}": case.body for case in EDGE_CASES}
    assert 5_500 <= len(LONG_MESSAGE) <= 6_500


EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
LONG_NUMBER = re.compile(r"\+?\(?\d[\d ().-]{5,}\d")
TEST_PHONE = re.compile(r"(1?\d{3}55501\d\d|(34)?7900001\d\d|(86)?154000001\d\d)")


def found_in(message: str) -> list[tuple[str, str]]:
    """Return (kind, value) of everything that looks like personal data."""
    found = [("email", m) for m in EMAIL.findall(message)]
    rest = EMAIL.sub(" ", message)
    found += [("iban", m) for m in IBAN.findall(rest)]
    for number in LONG_NUMBER.findall(IBAN.sub(" ", rest)):
        n_digits = sum(c.isdigit() for c in number)
        if n_digits >= 9:  # fewer are prices, versions and years
            found.append(("card" if n_digits >= 15 else "phone", number.strip()))
    return found


def test_personal_data_is_there_and_belongs_to_nobody(accepted: list[Message]) -> None:
    every = [(m, kind, value) for m in accepted for kind, value in found_in(text(m))]
    assert Counter(kind for _, kind, _ in every) == planted.PERSONAL_DATA
    assert all(m.planted == f"personal_data:{kind}" for m, kind, _ in every)
    assert len({m.message_id for m, _, _ in every}) == sum(planted.PERSONAL_DATA.values()) == 78
    assert len({m.day for m, _, _ in every}) == 21
    for _, kind, value in every:
        if kind == "email":
            assert value.rstrip(".").split("@")[1] in EMAIL_DOMAINS
        elif kind == "phone":
            assert TEST_PHONE.fullmatch(re.sub(r"\D", "", value)), value
        else:
            assert value.strip(" .") in (CARDS if kind == "card" else IBANS)


@pytest.mark.parametrize("card", CARDS)
def test_card_numbers_pass_luhn(card: str) -> None:
    digits = [int(c) for c in reversed(card) if c.isdigit()]
    assert (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


@pytest.mark.parametrize("iban", IBANS)
def test_ibans_pass_their_check(iban: str) -> None:
    plain = iban.replace(" ", "")
    assert int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def test_every_kind_of_malformed_row_is_there_as_often_as_documented(folder: Path) -> None:
    found: dict[str, Counter[dt.date]] = {}
    for path in sorted((folder / "corpus").iterdir()):
        table = pq.read_table(path)
        night = min(t for t in table["created_at"].to_pylist() if t).date()
        assert path.name == f"messages-{night}.parquet"
        seen: set[str] = set()
        rows = zip(table["message_id"].to_pylist(), raw(table), table["created_at"].to_pylist(), strict=True)
        for message_id, body, created_at in rows:
            assert created_at is None or created_at.date() == night
            reason = fault(message_id, body, created_at, seen)
            if reason:
                found.setdefault(reason, Counter())[night] += 1
        assert planted.rejected(night) < 0.02 * len(table)
    assert found == planted.REJECTED
    totals = {reason: sum(by_night.values()) for reason, by_night in planted.REJECTED.items()}
    assert totals == {
        "invalid_utf8": 8, "null_id": 8, "null_time": 7, "empty_text": 10, "too_long": 4, "duplicate_id": 12,
    }  # fmt: skip
    assert planted.REJECTED_COLUMN.keys() == totals.keys()


def raw(table: pa.Table) -> list[bytes | None]:
    """Return the stored bytes of `body`."""
    return [value for chunk in table["body"].chunks for value in chunk.cast(pa.binary()).to_pylist()]


def fault(message_id: str | None, body: bytes | None, created_at: dt.datetime | None, seen: set[str]) -> str | None:
    """Judge a row by docs/documents.md; rows come in the order of their times."""
    try:
        message = body.decode() if body is not None else None
    except UnicodeDecodeError:
        return "invalid_utf8"
    if message_id is None or not normalised(message_id):
        return "null_id"
    if created_at is None:
        return "null_time"
    if message is None or not normalised(message):
        return "empty_text"
    if len(message) > planted.TOO_LONG_CHARS:
        return "too_long"
    if message_id in seen:
        return "duplicate_id"
    seen.add(message_id)
    return None


def test_malformed_rows_come_in_all_variants(messages: list[Message]) -> None:
    bad = {reason: [m for m in messages if m.fault == reason] for reason in planted.REJECTED}
    bodies = [m.body or b"" for m in bad["invalid_utf8"]]
    assert [sum(piece in b for b in bodies) for piece in (b"\xff\xfe", b"\xed\xa0\x80")] == [4, 4]
    assert Counter(m.message_id is None for m in bad["null_id"]) == {True: 4, False: 4}
    assert sum(m.body is None for m in bad["empty_text"]) == 3
    assert any("\u200b" in text(m) for m in bad["empty_text"] if m.body)
    first = {m.message_id: m for m in messages if m.fault is None}
    same = [first[m.message_id].body == m.body for m in bad["duplicate_id"]]
    assert Counter(same) == {True: 6, False: 6}
    assert all(first[m.message_id].day == m.day for m in bad["duplicate_id"])


def test_the_files_hold_no_truth_and_the_job_accepts_them(folder: Path, accepted: list[Message]) -> None:
    config = load_config(ROOT / "conf" / "jobs" / "sample.yaml", [f"input.path={folder / 'corpus'}"])
    assert config.input.too_long_chars == planted.TOO_LONG_CHARS
    corpus = inspect_corpus(config.input)
    assert len(corpus.files) == len(planted.DAYS)
    assert corpus.warnings == ()
    schema = pq.read_schema(corpus.files[0].path)
    assert schema.names == ["message_id", "body", "created_at", "channel", "product"]
    assert schema.field("created_at").type == pa.timestamp("us", "UTC")
    truth = pq.read_table(folder / "truth.parquet")
    assert truth["message_id"].to_pylist() == [m.message_id for m in accepted]
    assert len(set(truth["message_id"].to_pylist())) == len(truth)
    assert set(truth["sentiment"].to_pylist()) == {"negative", "neutral", "positive", "mixed"}
    assert set(truth["lang"].to_pylist()) == {"en", "zh", "es", "und"}


def make_sample(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "jobs" / "make_sample.py"), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_the_job_writes_twice_into_the_same_folder_and_says_what(tmp_path: Path, messages: list[Message]) -> None:
    for _ in range(2):
        done = make_sample("--out", str(tmp_path))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{len(messages):,} messages of 21 days in 21 files" in done.stdout
    assert sum(pq.read_metadata(p).num_rows for p in (tmp_path / "corpus").iterdir()) == len(messages)


def test_the_job_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    assert make_sample().returncode == 2
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "mine.parquet").write_bytes(b"x")
    mixed = make_sample("--out", str(tmp_path))
    assert mixed.returncode == 2
    assert "mine.parquet: is not part of the sample corpus" in mixed.stderr
    assert [p.name for p in (tmp_path / "corpus").iterdir()] == ["mine.parquet"]
    (tmp_path / "file").write_text("x")
    assert make_sample("--out", str(tmp_path / "file")).returncode == 2
