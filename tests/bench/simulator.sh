#!/bin/sh
# The simulator of the heap against real runs: each workload is surveyed once, then run under two policies and simulated.
# Time is the work done (--gc-work-clock), so that both sides have the same clock and the load of the machine is out of it.
# `sh tests/bench/simulator.sh` writes tests/bench/record/simulator.md; run `cargo build --release` first.
set -eu
cd "$(dirname "$0")/../.."
tenure=${TENURE:-target/release/tenure}
record=tests/bench/record/simulator.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
    echo "# The simulator against real runs"
    echo
    echo "Made by \`sh tests/bench/simulator.sh\`, commit $(git rev-parse --short HEAD). Limit 96 MiB, pause goal 10 ms. Numbers are simulated ÷ observed."
    echo
    echo "| workload | policy | pauses | full collections | pause p50 | pause p95 | GC CPU | copied | marked | committed |"
    echo "|---|---|---|---|---|---|---|---|---|---|"
} >"$folder/record"
for file in examples/workloads/*.ten; do
    name=$(basename "$file" .ten)
    arguments=$(sed -n 's/^\/\/ full: *//p' "$file")
    # shellcheck disable=SC2086 # arguments are words
    "$tenure" --gc-work-clock --gc=survey --max-heap=512M --gc-journal="$folder/survey" "$file" $arguments >/dev/null
    for policy in static adaptive; do
        # shellcheck disable=SC2086
        "$tenure" --gc-work-clock --gc=$policy --max-heap=96M --gc-journal="$folder/real" "$file" $arguments >/dev/null || continue
        if table=$("$tenure" gc simulate --against="$folder/real" "$folder/survey"); then
            echo "| $name | $policy $(echo "$table" | sed -n '3,10p' | awk -F'|' '{ printf "|%s", $5 }') |"
        else
            echo "| $name | $policy | too short for a survey |"
        fi | tee -a "$folder/record"
    done
done
cp "$folder/record" "$record"
