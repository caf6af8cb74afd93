"""Language identification by lingua (Apache-2.0, its models inside the wheel)."""

SUPPORTED_LANGUAGES = frozenset(
    "af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk ko la lg lt lv mi "
    "mk mn mr ms nb nl nn pa pl pt ro ru sk sl sn so sq sr st sv sw ta te th tl tn tr ts uk ur vi xh yo zh zu".split()
)
"""ISO 639-1 codes lingua 2.1 can tell apart."""
