"""The table `association_rules`."""

from pipeline.table import BOOLEAN, DOUBLE, EVIDENCE, LONG, STRING, STRINGS, Column, Table

ASSOCIATION_RULES = Table(
    "association_rules",
    "What goes together in the texts of a night: rules found on one half of the texts and tested on the other.",
    (
        Column("lang", STRING, "language of the texts the rule is about; null: all languages"),
        Column(
            "antecedent",
            STRINGS,
            "items, `kind=value`, in order; kinds: phrase, topic, group, source, lang, sentiment",
            False,
        ),
        Column("consequent", STRINGS, "one item", False),
        Column("n_docs", LONG, "documents with all items of the rule", False),
        Column("n_effective", LONG, "distinct texts among them", False),
        Column("n_antecedent", LONG, "distinct texts with the antecedent", False),
        Column("n_texts", LONG, "distinct texts of the night (of this language)", False),
        Column("support", DOUBLE, "n_effective / n_texts", False),
        Column("confidence", DOUBLE, "n_effective / n_antecedent", False),
        Column(
            "ci_low", DOUBLE, "lower end of the Wilson 95 % interval of confidence, for a rule given beforehand", False
        ),
        Column("ci_high", DOUBLE, "upper end of the same", False),
        Column("lift", DOUBLE, "confidence / share of the consequent", False),
        Column("leverage", DOUBLE, "support - share of the antecedent * share of the consequent", False),
        Column("conviction", DOUBLE, "(1 - share of the consequent) / (1 - confidence); null where confidence is 1"),
        Column("p_value", DOUBLE, "Fisher's exact test, one-sided, on the half that the rule was not found on", False),
        Column("q_value", DOUBLE, "Benjamini-Hochberg over all rules tested that night", False),
        Column(
            "holdout_lift", DOUBLE, "lift on the half that the rule was not found on; null where that has no such texts"
        ),
        Column("is_driver", BOOLEAN, "the rule leads to `sentiment=negative`", False),
        Column("evidence", EVIDENCE, "up to three documents with all items; personal data in quotes is masked", False),
    ),
    key=("lang", "antecedent", "consequent"),
)
