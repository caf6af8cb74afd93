"""Functions of SQL over text alone: language, keyphrases, personal data, tokens, summary. `docs/sql_text_functions.md`."""

from udfs.sql_function import SqlFunction
from udfs.sql_text import count_tokens, keyphrases, language, masking, summary

FUNCTIONS: tuple[SqlFunction, ...] = (
    *language.FUNCTIONS,
    *keyphrases.FUNCTIONS,
    *masking.FUNCTIONS,
    *count_tokens.FUNCTIONS,
    *summary.FUNCTIONS,
)
"""All of them; what they load, they load at the first call of a process."""
