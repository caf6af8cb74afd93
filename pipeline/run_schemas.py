"""Tables about the run: what it counted, which models it used, what a change of model did, which checks it passed."""

from pipeline.columns import MODEL_KEY
from pipeline.table import BOOLEAN, DATE, DOUBLE, INT, LONG, STRING, STRINGS, TIMESTAMP, Column, Table

RUNS = Table(
    "runs",
    "One row per published night. "
    "rows_in = rows_scored + rows_from_cache + rows_dup + rows_unsupported + rows_error + rows_rejected.",
    (
        Column("status", STRING, "`success`", False),
        Column("interval_start", TIMESTAMP, "start of the night, UTC, included", False),
        Column("interval_end", TIMESTAMP, "end of the night, UTC, excluded", False),
        Column("started_at", TIMESTAMP, "start of the run", False),
        Column("ended_at", TIMESTAMP, "when the tables were complete, before publishing", False),
        Column("n_dates", INT, "nights published by the same run; times and stages are of the whole run", False),
        Column("rows_corpus", LONG, "rows in all input files, whatever their date", False),
        Column("rows_in", LONG, "rows of this night", False),
        Column("rows_scored", LONG, "scored by the model in this run; sentences that mention aspects are not among them", False),
        Column("rows_from_cache", LONG, "taken from the score store", False),
        Column("rows_dup", LONG, "exact duplicates of another document of the night", False),
        Column("rows_unsupported", LONG, "in a language no configured model covers", False),
        Column("rows_error", LONG, "accepted but without a score for another reason", False),
        Column("rows_rejected", LONG, "rejected; see `rejects`", False),
        Column("tokens", LONG, "tokens of the documents scored in this run", False),
        Column("model_loads", INT, "times a worker process loaded the models in this run", False),
        Column("docs_per_s", DOUBLE, "distinct texts per second of the scoring stage; null where nothing was scored"),
        Column(
            "store_hit_rate",
            DOUBLE,
            "rows_from_cache / (rows_from_cache + rows_scored): share of the night's texts that cost nothing; null for none",
        ),
        Column("store_bytes", LONG, "bytes of the model's score store after the run scored"),
        MODEL_KEY,
        Column("topic_model_key", STRING, "fingerprint of the topic model; null where there is none"),
        Column("config_hash", STRING, "sha256 (hex) of the resolved configuration", False),
        Column("git_sha", STRING, "commit of the code, where it runs from a checkout"),
        Column("input_files", INT, "files read", False),
        Column("warnings", STRINGS, "what preflight noticed", False),
    ),
    key=("run_id",),
    volatile=(
        "started_at", "ended_at", "n_dates", "rows_scored", "rows_from_cache", "tokens", "model_loads", "docs_per_s",
        "store_hit_rate", "store_bytes",
        "config_hash", "git_sha", "rows_corpus", "input_files", "warnings",
    ),
)  # fmt: skip

RUN_STAGES = Table(
    "run_stages",
    "One row per stage of the run that published the night. A run over several nights writes the same rows to each.",
    (
        Column("stage", STRING, "name of the stage", False),
        Column("position", INT, "order of the stage in the run, from 1", False),
        Column("status", STRING, "`success`", False),
        Column("rows", LONG, "rows the stage made, all nights of the run", False),
        Column("tokens", LONG, "tokens read by a model", False),
        Column("seconds", DOUBLE, "wall time", False),
        Column("n_dates", INT, "nights of the run", False),
    ),
    key=("stage",),
    volatile=("rows", "tokens", "seconds", "n_dates"),
)

MODELS = Table(
    "models",
    "The models behind the night's model_key; with a cascade also those of its full model, under their own key.",
    (
        MODEL_KEY,
        Column(
            "task",
            STRING,
            "`embedding`, `sentiment`, `language`, `topics`, or the task of a head in `model.heads`",
            False,
        ),
        Column("name", STRING, "name of the model", False),
        Column("revision", STRING, "revision of the weights", False),
        Column("sha256", STRING, "sha256 (hex) over the digests of its files", False),
        Column("languages", STRINGS, "languages it covers; `*` for any", False),
        Column("params", STRING, "parameters as JSON", False),
        Column("precision", STRING, "number format of the computation", False),
    ),
    key=("model_key", "task", "name"),
)

CASCADE_REPORT = Table(
    "cascade_report",
    "What the cascade did: one row per night, none where it is off. The audit sample is drawn from the distinct texts of the "
    "whole run, all its nights together: threshold and agreement are the run's, the counts of texts are the night's.",
    (
        Column("cascade_key", STRING, "fingerprint of both models and settings of the cascade", False),
        Column("base_model_key", STRING, "the cheap model, which scored every text; see `models`", False),
        Column("full_model_key", STRING, "the full model, which decided what the cheap one was not sure of", False),
        Column("min_agreement", DOUBLE, "target: least share of texts whose label is the full model's", False),
        Column("confidence", DOUBLE, "confidence with which the target is kept, 0 to 1", False),
        Column("n_audit", LONG, "texts of the run's audit sample that the full model could score", False),
        Column("threshold", DOUBLE, "sentiment_confidence from which the cheap model decides; null on fallback"),
        Column("agreement", DOUBLE, "share of the sample whose label, as the threshold decides, is the full model's"),
        Column("agreement_low", DOUBLE, "one-sided Clopper-Pearson lower bound of agreement at `confidence`"),
        Column("agreement_decided", DOUBLE, "agreement among what the cheap model decided; null where that is nothing"),
        Column("agreement_decided_low", DOUBLE, "its lower bound: a figure to read, not part of what is promised"),
        Column("n_texts", LONG, "distinct texts of the night that the cheap model scored", False),
        Column("n_escalated", LONG, "texts of them below the threshold; on fallback all of them", False),
        Column("share_escalated", DOUBLE, "n_escalated / n_texts; null where there are none"),
        Column(
            "n_full_errors", LONG, "texts due to the full model that it failed on; they keep the cheap one's", False
        ),
        Column("is_fallback", BOOLEAN, "the target could not be shown: the full model decided all", False),
    ),
    key=("cascade_key",),
)

MODEL_BRIDGE = Table(
    "model_bridge",
    "What a change of model did: rows on the first night of a run whose model is not that of the last published night before it, "
    "none on other nights. Both scored a sample of the run's texts; one row per language and label, `*` for all languages.",
    (
        Column("old_model_key", STRING, "the model of the night before; with a cascade its full model", False),
        Column("new_model_key", STRING, "the model of this night; with a cascade its full model", False),
        Column("old_run_date", DATE, "the last published night before this one", False),
        Column("lang", STRING, "language by the new model, ISO 639-1 or `und`; `*` for all together", False),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`", False),
        Column("n_sample", LONG, "distinct texts of the sample in this language", False),
        Column("n", LONG, "texts of them that both models scored: what all figures below are about", False),
        Column("n_only_old", LONG, "texts that the old model alone could score", False),
        Column("n_only_new", LONG, "texts that the new model alone could score", False),
        Column("n_old", LONG, "texts with this label by the old model", False),
        Column("n_new", LONG, "texts with this label by the new model", False),
        Column("to_negative", LONG, "of the n_old texts, those the new model calls negative", False),
        Column("to_neutral", LONG, "of the n_old texts, those the new model calls neutral", False),
        Column("to_positive", LONG, "of the n_old texts, those the new model calls positive", False),
        Column("share_old", DOUBLE, "n_old / n; null where n is 0"),
        Column("share_new", DOUBLE, "n_new / n; null where n is 0"),
        Column("shift", DOUBLE, "share_new - share_old, -1 to 1"),
        Column("shift_low", DOUBLE, "lower end of its Agresti-Min interval for paired proportions, at `confidence`"),
        Column("shift_high", DOUBLE, "upper end of it"),
        Column("agreement", DOUBLE, "share of the n texts with the same label by both, all labels"),
        Column("agreement_low", DOUBLE, "lower end of its Wilson interval at `confidence`"),
        Column("agreement_high", DOUBLE, "upper end of it"),
        Column("score_shift", DOUBLE, "mean of new minus old sentiment_score, -2 to 2, all labels"),
        Column(
            "score_shift_low", DOUBLE, "lower end of its paired t interval at `confidence`; null where n is below 2"
        ),
        Column("score_shift_high", DOUBLE, "upper end of it"),
        Column("confidence", DOUBLE, "of the intervals, 0 to 1", False),
        Column("tolerance", DOUBLE, "largest absolute shift of a share that is no reason to stop", False),
        Column(
            "is_over",
            BOOLEAN,
            "|shift| is over the tolerance, and, for a single language, its interval does not hold 0",
            False,
        ),
    ),
    key=("lang", "sentiment"),
)

QUALITY_CHECKS = Table(
    "quality_checks",
    "The checks the night passed before it was published.",
    (
        Column("check_name", STRING, "name of the check", False),
        Column("table_name", STRING, "table it looks at", False),
        Column("severity", STRING, "`error`: a failed check publishes nothing", False),
        Column("observed", DOUBLE, "what was found"),
        Column("threshold", DOUBLE, "the limit"),
        Column("passed", BOOLEAN, "whether it passed", False),
    ),
    key=("check_name",),
)
