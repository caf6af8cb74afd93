"""Peer: Daft's `embed_text` with its transformers provider, Parquet to Parquet on Daft's own runner."""

import argparse
import os

from benchmarks.turns import CORES, parse


def main() -> None:
    """Take the turn."""
    turn, _ = parse(argparse.ArgumentParser(description=__doc__))
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
    with turn.timed():
        import daft
        import torch
        from daft.functions import embed_text

        torch.set_num_threads(CORES)
        vectors = embed_text(daft.col("text"), provider="transformers", model=str(turn.model))
        texts = daft.read_parquet(str(turn.texts))
        texts.select("content_key", vectors.alias("embedding")).write_parquet(str(turn.out))


if __name__ == "__main__":
    main()
