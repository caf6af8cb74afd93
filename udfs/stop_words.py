"""Words that say nothing by themselves, per language: stop words, negations, and the words that link two nouns.

English has a list of its own: the library's holds words that customers complain about (*bill*, *order*, *page*, *help*). The
other languages have those of `stopwordsiso` (MIT), less the words that judge, which the lists also hold.
"""

from dataclasses import dataclass
from functools import cache

_ENGLISH = frozenset(
    "a about above across actually after again against all almost along already also although always am among an and another "
    "any anybody anyone anything anyway are around as ask asked at away be became because become been before being below "
    "between both but by came can come comes coming could day days did do does doing done down during each either else enough "
    "etc even ever every everybody everyone everything few first for from further gave get gets getting give given gives go "
    "goes going gone got had has have having he hello her here hers herself hey hi him himself his how however i if in into is "
    "it its itself just keep keeps kept kind know last least less let lets like likely ll lot lots made make makes making many "
    "may maybe me might mine more most much must my myself near need needs next now of off oh ok okay on once one only onto or "
    "other others our ours ourselves out over own per perhaps please put quite rather re really regards said same saw say says "
    "see seem seems seen shall she should since so some somebody someone something sometimes soon still such sure take taken "
    "takes tell than thank thanks that the their theirs them themselves then there these they thing things think this those "
    "though through thus time times to today together too took toward towards tried try trying two u under until up upon ur us "
    "use used uses using ve very via want wants was way we well went were what whatever when where whether which while who "
    "whole whom whose why will with within would year years yes yesterday yet you your yours yourself yourselves im ive id "
    "amp dear rt via pls plz gonna wanna tomorrow tonight week weeks month months hour hours minute minutes three four five "
    "monday tuesday wednesday thursday friday saturday sunday s t m d".split()
)
_NEGATIONS = {
    "en": "not no never without cannot cant wont dont doesnt didnt isnt wasnt",
    "zh": "不 没 没有 无法 不能 不会 未 别",
    "es": "no nunca sin ni", "pt": "não nunca sem", "it": "non mai senza", "fr": "pas jamais sans aucun aucune",
    "de": "nicht kein keine keinen nie ohne", "ru": "не нет без", "id": "tidak bukan belum tanpa tak",
    "ar": "لا لم لن ليس بدون غير", "hi": "नहीं न मत", "ko": "안 못",
}  # fmt: skip
_LINKS = {
    "en": "of on in to for at the and", "es": "de del al a en con por la el", "pt": "de do da dos das ao no na em com",
    "fr": "de du des d au à en la", "it": "di del della dei da al in con", "id": "dan dari di", "ar": "من في",
    "hi": "का की के में से", "de": "der des und", "ru": "на в и",
}  # fmt: skip
_JUDGING = frozenset(
    "bien mal peor mejor buen buena buenas bueno buenos malo mala tarde nueva nuevo nuevas nuevos posible imposible "
    "bon bonne mauvais mieux pire nouveau nouveaux nouvelle possible impossible gut gute guten guter gutes schlecht neu neue "
    "neuen besser bom boa bem pior melhor novo nova bene buono male meglio peggio nuovo tardi хорошо плохо лучше хуже долго "
    "baik buruk benar salah sulit mudah 좋아 좋다 अच्छा".split()
)
_MORE = {
    "zh": "您好 你好 谢谢 感谢 以后 之后 以前 之前 后来 现在 今天 昨天 明天 时间 知道 觉得 感觉 没想到 希望 真的 非常 特别 "
    "有点 一直 已经 一下 一次 "
    "三天 两天 几天 一天 一点 不知 这次 每次 怎么 请问 问题 可以 东西 起来 下来 出来 不了",
    "ko": "후에 전에 됩니다 있어요 없어요 입니다 합니다 너무 정말 진짜",
    "ja": "今日 昨日 今 前 後 時 方 何 私 自分 的",
    "ar": "جدا يا و",
    "es": "buenas buenos muy hola gracias favor ayer hoy semana semanas mes meses",
}
_GENERIC = {
    "en": "question questions answer answers reply replies greeting greetings regards name names person people kids guy guys "
    "stuff number numbers kind sort part pair half start end move change difference case way point second minute morning "
    "evening night ten twenty thirty hundred thousand big small real free new old good bad great best worst nice fake cold hot",
    "es": "saludo saludos pregunta preguntas duda dudas consulta respuesta nombre gente persona personas señor señora caso forma "
    "parte hora horas minuto minutos mañana tarde noche culpa casa grande pequeño bueno malo gran buen mal",
    "zh": "同事 朋友 孩子 大家 老师 亲 人 家人 名字 事情 时候 早上 晚上 上午 下午",
}
_NEGATION_ENDS = frozenset(("fr", "de", "hi"))


@dataclass(frozen=True)
class StopWords:
    """What the words of a language may do in a phrase.

    Attributes:
        stops: neither begin nor end a phrase, and are no phrase.
        negations: begin a phrase of two words or more, are no phrase.
        links: may stand in the middle of three words.
        ends: whether a negation may also end a phrase (*geht nicht*).
    """

    stops: frozenset[str]
    negations: frozenset[str]
    links: frozenset[str]
    ends: bool


def _listed(lang: str) -> frozenset[str]:
    import stopwordsiso

    listed = {word.casefold() for word in stopwordsiso.stopwords(lang)}
    return frozenset((listed - _JUDGING) | set(_MORE.get(lang, "").split()))


@cache
def stop_words(lang: str) -> StopWords:
    """Return those of an ISO 639-1 language; a language without a list, and `und`, has the English ones."""
    import stopwordsiso

    if lang != "en" and not stopwordsiso.has_lang(lang):
        lang = "en"
    negations = frozenset(_NEGATIONS.get(lang, "").split())
    listed = _ENGLISH if lang == "en" else _listed(lang)
    return StopWords(listed - negations, negations, frozenset(_LINKS.get(lang, "").split()), lang in _NEGATION_ENDS)


@cache
def generic_words(lang: str) -> frozenset[str]:
    """Return words that phrases may hold but nobody judges by themselves: courtesies, people, times, numbers, adjectives."""
    return frozenset(_GENERIC.get(lang, "").split())
