"""The page itself: sections of HTML from a night's facts. Everything that comes from data is escaped; there is no script."""

from collections.abc import Sequence
from html import escape
from typing import Any

from pipeline.night_report import charts, markup
from pipeline.night_report.queries import NightFacts

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#222;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #ddd}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}
td,th{padding:.25rem .5rem;text-align:left;vertical-align:top}
th{border-bottom:1px solid #999}tr:nth-child(even) td{background:#f6f6f6}td.n{text-align:right}td:first-child{min-width:11rem}
svg{width:100%;height:auto}blockquote{margin:.2rem 0;padding-left:.6rem;border-left:3px solid #ccc;font-size:.85rem}
.id{color:#666;font-size:.75rem}.up{color:#b5403a}.down{color:#2f7d5b}p.note{color:#555;font-size:.85rem}
"""
_METRICS = {
    "n_docs": "documents", "n_effective": "distinct texts", "negative_share": "share of negative",
    "mean_sentiment": "mean sentiment",
}  # fmt: skip
_DIMENSIONS = {"group_key": "group", "topic_id": "topic", "lang": "language"}
_MADE_OF = 10
"""Alerts whose parts are shown."""


def render(facts: NightFacts) -> str:
    """Return the page of a night, one self-contained HTML document."""
    night = charts.iso(facts.night)
    sections = [
        _summary(facts), _alerts(facts), _sentiment(facts), _aspects(facts), _topics(facts), _phrases(facts), _rules(facts),
        _campaigns(facts), _facts(facts), _health(facts),
    ]  # fmt: skip
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Night of {night}</title><style>{_STYLE}</style></head><body><h1>Night of {night}</h1>"
        + "".join(sections)
        + "</body></html>\n"
    )


def _summary(facts: NightFacts) -> str:
    run = facts["runs"][0]
    tonight = {r["sentiment"]: r for r in facts["sentiment"] if r["event_date"] == facts.night}
    parts = []
    for label in ("negative", "neutral", "positive"):
        row = tonight.get(label)
        if row and row["n_scored"]:
            low, high = charts.wilson(int(row["n_docs"]), int(row["n_scored"]))
            parts.append(
                f"{label} {markup.percent(row['n_docs'] / row['n_scored'])} ({markup.percent(low)} to {markup.percent(high)})"
            )
    tested = facts["tested"][0]
    alerts = (
        f"{tested['n_alerts']} of {tested['n_tested']:,} tested series are beyond what chance explains (q at most 0.05)."
        if tested["n_tested"]
        else "Nothing was tested: there is too little history before this night."
    )
    return f"<p>{run['rows_in']:,} rows in. {escape(', '.join(parts))}.</p><p>{alerts}</p>"


def _alerts(facts: NightFacts) -> str:
    if not facts["alerts"]:
        return "<h2>What moved</h2><p>No alert.</p>"
    rows = [
        (
            _what(a), markup.number(a["value"], a["metric"]), f"{markup.number(a['expected'], a['metric'])} "
            f"({markup.number(a['lower'], a['metric'])} to {markup.number(a['upper'], a['metric'])})",
            f"{a['q_value']:.2g}", str(a["likely_cause"] or ""),
        )
        for a in facts["alerts"]
    ]  # fmt: skip
    table = markup.table(("what", "tonight", "expected (95 % interval)", "q", "likely cause"), rows, numeric=(1, 2, 3))
    return f"<h2>What moved</h2>{table}{_drivers(facts)}"


def _what(alert: dict[str, Any]) -> str:
    topic = f"topic {alert['topic_id']}" if alert["topic_id"] is not None else ""
    named = topic + (f" ({alert['topic_label']})" if topic and alert["topic_label"] else "")
    phrase = f"“{alert['phrase']}”" if alert["phrase"] else ""
    aspect = f"aspect {alert['aspect']}" if alert["aspect"] else ""
    parts = [part for part in (alert["group_key"], named, alert["source"], alert["lang"], phrase, aspect) if part]
    arrow = "▲" if alert["direction"] == "up" else "▼"
    return f"{arrow} {_METRICS.get(alert['metric'], alert['metric'])}: {', '.join(parts) or 'all documents'}"


def _drivers(facts: NightFacts) -> str:
    """Show the parts of each alert's change, in the dimension where they say most; the parts add up to the change."""
    alerts = {(a["metric"], a["key"]): a for a in facts["alerts"]}
    grouped: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for row in facts["drivers"]:
        key = (row["metric"], row["key"])
        if key in alerts:
            grouped.setdefault(key, {}).setdefault(row["dimension"], []).append(row)
    rows = []
    for key in [key for key in alerts if key in grouped][:_MADE_OF]:
        dimensions = grouped[key]
        dimension, parts = max(
            dimensions.items(),
            key=lambda item: max(abs(p["contribution"]) * (p["component"] == "mix") for p in item[1]),
        )
        said = ", ".join(
            f"{p['component'].replace('_', ' ')} {p['contribution']:+.3g}"
            for p in parts
            if abs(p["contribution"]) > 1e-9
        )
        top = max(parts, key=lambda p: abs(p["contribution"]))
        where = "" if dimension == "none" else f"{_DIMENSIONS.get(dimension, dimension)} {top['segment']}"
        rows.append((_what(alerts[key]), f"{parts[0]['change']:+.3g}", said, where))
    if not rows:
        return ""
    note = '<p class="note">The parts of each change against the mean of comparable nights; they add up to it.</p>'
    return "<h3>Made of</h3>" + note + markup.table(("what", "change", "parts", "most from"), rows, numeric=(1,))


def _sentiment(facts: NightFacts) -> str:
    return f"<h2>Sentiment</h2>{charts.sentiment_lines(facts['sentiment'])}"


def _aspects(facts: NightFacts) -> str:
    """Show the aspects with their share of negative texts, and by how many points it differs from the days before."""
    rows = []
    for aspect in facts["aspects"]:
        n, negative = int(aspect["n_effective"]), int(aspect["n_negative"])
        low, high = charts.wilson(negative, n)
        change = "" if aspect["before"] is None else f"{100 * (negative / n - aspect['before']):+.0f} points"
        rows.append(
            (
                str(aspect["aspect"]), str(aspect["aspect_source"]), str(aspect["langs"]), f"{n:,}",
                f"{markup.percent(negative / n)} ({markup.percent(low)} to {markup.percent(high)})", change,
            )
        )  # fmt: skip
    head = ("aspect", "", "languages", "texts", "negative (95 % interval)", "change against the four weeks before")
    return markup.section("Aspects", head, rows, (3, 4, 5), facts["aspects"], lambda a: str(a["aspect"]))


def _topics(facts: NightFacts) -> str:
    topics = facts["topics"]
    if not topics:
        return "<h2>Topics</h2><p>There is no topic model yet.</p>"
    mood = {d["topic_id"]: d["mean_sentiment"] or 0.0 for d in facts["topic_days"] if d["event_date"] == facts.night}
    rows = [
        (
            str(t["topic_id"]), str(t["label"]), f"{t['n_docs']:,}", f"{t['n_effective']:,}",
            f"{mood.get(t['topic_id'], 0.0):+.2f}",
        )
        for t in topics
    ]  # fmt: skip
    table = markup.table(("id", "label", "documents", "distinct", "mean sentiment"), rows, numeric=(2, 3, 4))
    changes = [
        f"{e['event']}: {_ids(e['from_topic_ids'])} → {_ids(e['to_topic_ids'])}"
        for e in facts["lineage"]
        if e["event"] != "continued"
    ]
    lineage = f"<p class='note'>Changes of the topic model: {escape('; '.join(changes))}</p>" if changes else ""
    quotes = "".join(markup.quotes(str(t["label"]), t["evidence"]) for t in topics[:6])
    pictures = charts.topic_map(topics, mood) + charts.topic_trends(topics, facts["topic_days"])
    return f"<h2>Topics</h2>{pictures}{table}{lineage}{quotes}"


def _ids(ids: Sequence[int] | None) -> str:
    return ", ".join(map(str, ids or [])) or "none"


def _phrases(facts: NightFacts) -> str:
    rows = [
        (
            str(p["display"]), str(p["lang"]), f"{p['n_effective']:,}", f"{p['expected']:.1f}", f"{p['burst']:.1f}",
            "" if p["mean_sentiment"] is None else f"{p['mean_sentiment']:+.2f}",
        )
        for p in facts["phrases"]
    ]  # fmt: skip
    head = ("phrase", "language", "distinct texts", "expected", "ratio", "mean sentiment")
    return markup.section(
        "Phrases on the rise", head, rows, (2, 3, 4, 5), facts["phrases"][:4], lambda p: str(p["display"])
    )


def _rules(facts: NightFacts) -> str:
    rows = [
        (
            f"{' and '.join(r['antecedent'])} → {', '.join(r['consequent'])}",
            f"{r['n_effective']} of {r['n_antecedent']}",
            f"{markup.percent(r['confidence'])} ({markup.percent(r['ci_low'])} to {markup.percent(r['ci_high'])})",
            f"{r['lift']:.1f}",
            "" if r["holdout_lift"] is None else f"{r['holdout_lift']:.1f}", f"{r['q_value']:.2g}",
        )
        for r in facts["rules"]
    ]  # fmt: skip
    head = ("rule", "texts", "confidence (95 % interval)", "lift", "on the other half", "q")
    return markup.section(
        "What goes with negative",
        head,
        rows,
        (1, 2, 3, 4, 5),
        facts["rules"][:3],
        lambda r: " and ".join(r["antecedent"]),
    )


def _campaigns(facts: NightFacts) -> str:
    rows = [
        (
            str(c["dup_group_id"]), f"{c['n_docs']:,}", f"{c['n_texts']:,}", f"{c['first_ts']:%H:%M} to {c['last_ts']:%H:%M} UTC",
            markup.percent(c["top_source_share"]), f"{c['min_similarity']:.2f}", str(c["first_seen"]),
        )
        for c in facts["campaigns"]
    ]  # fmt: skip
    head = ("group", "documents", "distinct", "when", "from one source", "least similarity", "first seen")
    return markup.section("Campaigns", head, rows, (1, 2, 4, 5), facts["campaigns"], lambda c: str(c["dup_group_id"]))


def _facts(facts: NightFacts) -> str:
    rows = [
        (
            f"{f['subject']} {f['relation']} {f['object']}",
            str(f["lang"]),
            f"{f['n_effective']:,}",
            markup.percent(f["confidence"]),
        )
        for f in facts["facts"]
    ]
    return markup.section("Said plainly", ("statement", "language", "texts", "agreement"), rows, (2, 3), [], str)


def _health(facts: NightFacts) -> str:
    run = facts["runs"][0]
    keys = (
        "status", "rows_in", "rows_scored", "rows_from_cache", "rows_dup", "rows_unsupported", "rows_error", "rows_rejected",
        "tokens", "docs_per_s", "started_at", "ended_at", "model_key", "topic_model_key", "run_id",
    )  # fmt: skip
    table = markup.table(("run", ""), [(k, markup.plain(run[k])) for k in keys])
    stages = [(s["stage"], f"{s['rows']:,}", f"{s['seconds']:.1f}") for s in facts["stages"]]
    checks = [
        (c["check_name"], markup.plain(c["observed"]), markup.plain(c["threshold"]), "yes" if c["passed"] else "NO")
        for c in facts["checks"]
    ]
    warnings = "".join(f"<p>Warning: {escape(str(w))}</p>" for w in run["warnings"] or [])
    return (
        f"<h2>Run health</h2>{table}{warnings}"
        + markup.table(("stage", "rows", "seconds"), stages, numeric=(1, 2))
        + markup.table(("check", "observed", "limit", "passed"), checks, numeric=(1, 2))
    )
