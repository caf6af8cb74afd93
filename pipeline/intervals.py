"""The Wilson score interval as Column expressions."""

from pyspark.sql import Column
from pyspark.sql import functions as F

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""

Z80 = 1.2815515655446004
"""The 90 % quantile: of an 80 % interval."""


def wilson(successes: Column, trials: Column, z: float = Z95) -> tuple[Column, Column]:
    """Return the lower and upper end of the interval of a share, 95 % by default; null where there are no trials.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    """
    n = F.when(trials > 0, trials.cast("double"))
    p = successes.cast("double") / n
    z2 = z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * F.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # at the ends the formula gives 0 and 1 exactly; rounding errors must not push it outside
    low = F.when(successes == 0, F.lit(0.0)).otherwise(F.greatest(centre - half, F.lit(0.0)))
    high = F.when(successes == trials, F.lit(1.0)).otherwise(F.least(centre + half, F.lit(1.0)))
    return F.when(trials > 0, low), F.when(trials > 0, high)
