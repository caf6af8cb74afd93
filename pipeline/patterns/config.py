"""Settings of the pattern stage."""

from pipeline.patterns.aspect_config import AspectsConfig
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.patterns.phrase_config import ConceptsConfig, KeyphrasesConfig, RulesConfig
from pipeline.settings import Frozen


class PatternsConfig(Frozen):
    """What is mined each night. With `enabled: false` pattern tables get no rows, and n_effective counts exact copies only."""

    enabled: bool = True
    near_duplicates: NearDuplicatesConfig = NearDuplicatesConfig()
    keyphrases: KeyphrasesConfig = KeyphrasesConfig()
    rules: RulesConfig = RulesConfig()
    concepts: ConceptsConfig = ConceptsConfig()
    aspects: AspectsConfig = AspectsConfig()
    movements: MovementConfig = MovementConfig()
