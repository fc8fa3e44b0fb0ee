#!/bin/sh
# The three policies on each example at full size: CPU, collector's CPU, pauses, peak memory, as measured.
# `sh tests/bench/policies.sh [RUNS]` writes tests/bench/record/policies.md; run `cargo build --release` first.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-5}
tenure=${TENURE:-target/release/tenure}
record=tests/bench/record/policies.md
{
    echo "# Policies side by side"
    echo "Made by \`sh tests/bench/policies.sh $runs\`, commit $(git rev-parse --short HEAD), $(nproc) CPUs,"
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1). Limit 256 MiB, pause goal 10 ms; interleaved runs, one process each."
} >"$record.new"
for file in examples/*.ten; do
    {
        echo
        "$tenure" bench --gc=static,adaptive,advisor --max-heap=256M --pause-goal=10ms --runs="$runs" "$file"
    } | tee -a "$record.new"
done
mv "$record.new" "$record"
