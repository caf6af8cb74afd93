"""Peer: sentence-transformers without an engine around it: one process, all cores as threads. Its float32 is the reference."""

import argparse
import os

from benchmarks.turns import CORES, ENCODE_BATCH, parse


def main() -> None:
    """Take the turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="float32", choices=("float32", "float16", "bfloat16"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=ENCODE_BATCH)
    turn, args = parse(parser)
    os.environ["HF_HUB_OFFLINE"] = "1"
    with turn.timed():
        import pyarrow as pa
        import pyarrow.parquet as pq
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(CORES)
        dtype = getattr(torch, args.precision)
        model = SentenceTransformer(str(turn.model), device=args.device, model_kwargs={"dtype": dtype})
        table = pq.read_table(turn.texts)
        texts = table.column("text").to_pylist()
        vectors = model.encode(texts, batch_size=args.batch, normalize_embeddings=True, show_progress_bar=False)
        flat = pa.array(vectors.astype("float32", copy=False).reshape(-1))
        offsets = pa.array(range(0, len(flat) + 1, vectors.shape[1]), pa.int32())
        turn.out.mkdir(parents=True)
        columns = {"content_key": table.column("content_key"), "embedding": pa.ListArray.from_arrays(offsets, flat)}
        pq.write_table(pa.table(columns), turn.out / "vectors.parquet", compression="zstd", use_dictionary=False)


if __name__ == "__main__":
    main()
