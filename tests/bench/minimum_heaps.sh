#!/bin/sh
# The smallest heap of each workload at full size, by bisection; and what it commits with plenty of memory.
# `sh tests/bench/minimum_heaps.sh` writes examples/workloads/minimum_heaps.csv; run `cargo build --release` first.
set -eu
cd "$(dirname "$0")/../.."
tenure=${TENURE:-target/release/tenure}
record=examples/workloads/minimum_heaps.csv
made=$(mktemp)
trap 'rm -f "$made"' EXIT
echo "program,family,arguments,minimum_bytes,peak_bytes" >"$made"
for file in examples/workloads/*.ten; do
    family=$(sed -n 's/^\/\/ Family: //p' "$file")
    arguments=$(sed -n 's/^\/\/ full: *//p' "$file")
    # shellcheck disable=SC2086 # arguments are words
    found=$("$tenure" gc minimum --json "$file" $arguments)
    bytes=$(echo "$found" | sed 's/.*"minimum_bytes":\([0-9]*\).*/\1/')
    peak=$(echo "$found" | sed 's/.*"peak_bytes":\([0-9]*\).*/\1/')
    echo "$(basename "$file" .ten),$family,$arguments,$bytes,$peak" | tee -a "$made"
done
cp "$made" "$record"
