"""Labels of topics by class-based TF-IDF."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Phrases = list[tuple[str, float]]

_NOISE = re.compile(r"https?://\S+|www\.\S+|[@#]\w+|&\w+;|\S+@\S+")
_WORD = r"(?u)\b[^\W\d_][^\W\d_]+\b"
_MORE_STOP_WORDS = frozenset(
    "just like got get gets getting ve ll don didn doesn isn wasn aren couldn wouldn won im ive dont amp really did does "
    "know want need say said let thing things going way make made lot use using used hi hello hey dear thanks thank please "
    "regards best".split()
)
_TOP = 10
_MAX_PHRASES = 30_000


def label_topics(texts: Sequence[str], assigned: NDArray[np.int64], k: int) -> list[Phrases]:
    """Return for each of `k` topics up to ten phrases of one or two words with their weight, best first.

    Weight of phrase t in topic c: tf(t, c) * log(1 + A / f(t)), with tf the share of the topic's phrases, f the phrase's
    count over all topics and A the mean count of phrases per topic (Grootendorst, 2022, BERTopic, arXiv:2203.05794). A text
    counts each phrase once, so that one long text does not make a label. A phrase that repeats the words of a better one is
    left out.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    vectorizer = CountVectorizer(
        ngram_range=(1, 2),
        stop_words=sorted(ENGLISH_STOP_WORDS | _MORE_STOP_WORDS),
        token_pattern=_WORD,
        min_df=2 if len(texts) > 20 else 1,
        max_features=_MAX_PHRASES,
        binary=True,
    )
    try:
        counts = vectorizer.fit_transform([_NOISE.sub(" ", text) for text in texts])
    except ValueError:  # scikit-learn's word for a vocabulary that is empty
        return [[] for _ in range(k)]
    members = csr_matrix((np.ones(len(texts)), (assigned, np.arange(len(texts)))), shape=(k, len(texts)))
    per_topic = np.asarray((members @ counts).todense(), dtype=np.float64)
    total = per_topic.sum(axis=0)
    share = per_topic / np.maximum(per_topic.sum(axis=1, keepdims=True), 1.0)
    weight = share * np.log1p(per_topic.sum(axis=1).mean() / total)
    names = vectorizer.get_feature_names_out()
    return [_best(names, row) for row in weight]


def _stems(phrase: str) -> set[str]:
    """Return the words of a phrase without a final s: a plural says nothing that its singular does not."""
    return {word.removesuffix("s") for word in phrase.split()}


def _best(names: NDArray[np.object_], weights: NDArray[np.float64]) -> Phrases:
    chosen: Phrases = []
    for index in np.lexsort((names, -weights))[: 20 * _TOP]:
        phrase, words = str(names[index]), _stems(str(names[index]))
        if weights[index] <= 0 or len(chosen) == _TOP:
            break
        if not any(words & _stems(better) for better, _ in chosen):
            chosen.append((phrase, round(float(weights[index]), 6)))
    return chosen
