"""The command line that jobs share: `--config FILE [--set key=value ...]`, exit codes, one clear line for an error."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from pipeline.config import C, load_job_config
from pipeline.errors import ConfigError, NightjarError
from pipeline.failures import explain
from pipeline.progress import configure_logging
from pipeline.session import check_java

logger = logging.getLogger("pipeline.command")


def run_job(model: type[C], run: Callable[[C], None], description: str, argv: Sequence[str] | None = None) -> int:
    """Parse the command line, load the configuration, run, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog=sys.argv[0], description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, metavar="FILE", help="YAML file")
    add_overrides(parser)
    args = parser.parse_args(argv)
    configure_logging()
    try:
        config = load_job_config(model, args.config, args.overrides)
        check_java()
        run(config)
    except BaseException as error:
        return report(error)
    return 0


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add `--set KEY=VALUE ...` to a parser."""
    parser.add_argument(
        "--set", dest="overrides", action="extend", nargs="+", default=[], metavar="KEY=VALUE",
        help="override configuration keys",
    )  # fmt: skip


def report(error: BaseException) -> int:
    """Log an error as one clear message; return the exit code."""
    if isinstance(error, SystemExit):
        raise error
    known = error if isinstance(error, NightjarError) else explain(error)
    logger.debug("the job failed", exc_info=error)
    kind = "configuration" if isinstance(known, ConfigError) else "failed"
    logger.error(f"{kind}: {known}", extra={"event": "error"})
    return known.exit_code
