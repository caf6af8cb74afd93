"""The sample corpus as a whole: 21 days of messages, written as one Parquet file a day, and the truth beside them."""

import os
import random
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sample import drafts, planted
from pipeline.sample.volume import Plan

CORPUS, TRUTH = "corpus", "truth.parquet"
_TRUTH_SCHEMA = pa.schema([(name, pa.string()) for name in ("message_id", "lang", "sentiment", "theme", "planted")])


@dataclass(frozen=True)
class Message:
    """One row of the corpus, and its truth where the contract accepts it (`fault` None)."""

    message_id: str | None
    body: bytes | None
    created_at: datetime | None
    channel: str
    product: str
    day: date
    language: str
    sentiment: str
    theme: str
    planted: str | None
    fault: str | None


@dataclass(frozen=True)
class Written:
    """What was written."""

    messages: int
    rejected: int
    days: int
    files: int


def generate() -> list[Message]:
    """Make the whole corpus, the same on every machine, in the order of days and times."""
    author, plan = drafts.Author(), Plan()
    return [message for day in planted.DAYS for message in _day(author, plan, day)]


def _day(author: drafts.Author, plan: Plan, day: date) -> list[Message]:
    rng = random.Random(f"{planted.SEED}/{day}")
    accepted = [
        *drafts.edge_cases(author, day, rng),
        *drafts.short_repeats(day, rng),
        *drafts.personal_data(author, day, rng),
        *drafts.incident(author, day, rng),
        *drafts.emerging(author, day, rng),
        *drafts.campaign(author, day, rng),
        *drafts.ordinary(author, plan, day, rng),
    ]
    everything = accepted + list(drafts.rejected(author, day, accepted, rng))
    everything.sort(key=lambda draft: draft.moment)
    for number, draft in enumerate(everything, 1):
        if draft.fault != "null_id":
            draft.message_id = f"m-{day:%m%d}-{number:04}"
    return [_message(draft, day) for draft in everything]


def _message(draft: drafts.Draft, day: date) -> Message:
    return Message(
        message_id=draft.repeats.message_id if draft.repeats else draft.message_id,
        body=draft.body.encode() if isinstance(draft.body, str) else draft.body,
        created_at=None if draft.fault == "null_time" else draft.moment,
        channel=draft.channel,
        product=draft.product,
        day=day,
        language=draft.language,
        sentiment=draft.sentiment,
        theme=draft.theme,
        planted=draft.planted,
        fault=draft.fault,
    )


def write_sample(folder: Path) -> Written:
    """Write `folder/corpus/messages-<day>.parquet` and `folder/truth.parquet`, over those of an earlier run.

    Raises:
        OSError: where nothing can be written, or `folder/corpus` holds files that are not of this corpus.
    """
    messages = generate()
    corpus = folder / CORPUS
    corpus.mkdir(parents=True, exist_ok=True)
    names = {day: f"messages-{day}.parquet" for day in planted.DAYS}
    foreign = sorted(p.name for p in corpus.iterdir() if p.name not in names.values() and not p.name.startswith("."))
    if foreign:
        raise FileExistsError(f"{corpus / foreign[0]}: is not part of the sample corpus; give another folder")
    for day, name in names.items():
        _write(to_table([m for m in messages if m.day == day]), corpus / name)
    accepted = [m for m in messages if m.fault is None]
    _write(to_truth(accepted), folder / TRUTH)
    return Written(len(messages), len(messages) - len(accepted), len(names), len(names))


def _write(table: Any, path: Path) -> None:
    """Write beside the place and move: no reader meets half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table, temporary, compression="zstd")
    os.replace(temporary, path)


def to_table(messages: list[Message]) -> Any:
    """Return a pyarrow table: message_id, body, channel, product string, created_at timestamp(us, UTC).

    The bytes of `body` are stored as they are, also where they are not UTF-8.
    """
    binary = pa.array([m.body for m in messages], pa.binary())
    return pa.table(
        {
            "message_id": pa.array([m.message_id for m in messages], pa.string()),
            "body": pa.Array.from_buffers(pa.string(), len(binary), binary.buffers(), binary.null_count),
            "created_at": pa.array([m.created_at for m in messages], pa.timestamp("us", "UTC")),
            "channel": pa.array([m.channel for m in messages], pa.string()),
            "product": pa.array([m.product for m in messages], pa.string()),
        }
    )


def to_truth(accepted: list[Message]) -> Any:
    """Return a pyarrow table of what each accepted message is: message_id, lang, sentiment, theme, planted."""
    columns = ("message_id", "language", "sentiment", "theme", "planted")
    return pa.table([pa.array([getattr(m, c) for m in accepted], pa.string()) for c in columns], schema=_TRUTH_SCHEMA)
