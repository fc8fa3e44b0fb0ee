#!/bin/sh
# The smallest heap of each workload, by bisection; and what it commits with plenty of memory.
# `sh tests/bench/minimum_heaps.sh` takes the sizes called `full` and writes examples/workloads/minimum_heaps.csv; with the word
# `suite` it takes those of `tenure bench --suite=advisor` and writes suite_heaps.csv. Run `cargo build --release` first.
set -eu
cd "$(dirname "$0")/../.."
tenure=${TENURE:-target/release/tenure}
sizes=${1:-full}
case $sizes in
full) record=examples/workloads/minimum_heaps.csv ;;
suite) record=examples/workloads/suite_heaps.csv ;;
*) echo "sizes are full or suite" >&2 && exit 2 ;;
esac
made=$(mktemp)
trap 'rm -f "$made"' EXIT
echo "program,family,arguments,minimum_bytes,peak_bytes" >"$made"
for file in examples/workloads/*.ten; do
    family=$(sed -n 's/^\/\/ Family: //p' "$file")
    arguments=$(sed -n "s/^\/\/ $sizes: *//p" "$file")
    # shellcheck disable=SC2086 # arguments are words
    found=$("$tenure" gc minimum --json "$file" $arguments)
    bytes=$(echo "$found" | sed 's/.*"minimum_bytes":\([0-9]*\).*/\1/')
    peak=$(echo "$found" | sed 's/.*"peak_bytes":\([0-9]*\).*/\1/')
    echo "$(basename "$file" .ten),$family,$arguments,$bytes,$peak" | tee -a "$made"
done
cp "$made" "$record"
