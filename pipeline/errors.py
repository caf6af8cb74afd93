"""The errors a run can end with, each with its exit code."""


class NightjarError(Exception):
    """Base of every error that is reported to the user as one clear message."""

    exit_code = 3


class ConfigError(NightjarError):
    """The configuration or the command line is wrong; all problems are listed in one message."""

    exit_code = 2


class DataError(NightjarError):
    """The corpus failed a check; nothing was published."""

    exit_code = 1


class ModelError(NightjarError):
    """A model is missing, unsafe or not the one that was locked."""

    exit_code = 2


class PublishError(NightjarError):
    """Publishing failed or another run is publishing; readers see the previous run."""

    exit_code = 3


class PartialError(NightjarError):
    """Scoring stopped at a limit; what is scored is in the score store, nothing was published."""

    exit_code = 4
