#!/bin/sh
# Tells Spark which GPUs this worker, container or pod has, as Spark wants it: {"name": "gpu", "addresses": ["0", "1"]}
set -eu
indexes=$(nvidia-smi --query-gpu=index --format=csv,noheader)
addresses=$(printf '%s\n' "$indexes" | sed 's/.*/"&"/' | paste -sd, -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
