#!/usr/bin/env bash
# parallel_sweep_test.sh WSE: the script of --scheduler parallel makes all runs, and the sweep merges them.
set -euo pipefail
wse=$1
command -v parallel >/dev/null || { echo "parallel is not installed"; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
printf 'model: tiny-gpt\nmachine: tiny\ngrid: {io.lanes: [1, 2, 3], tile.sram.size_bytes: [49152, 98304]}\n' >'a sweep.yaml'
sed -i '1i name: s' 'a sweep.yaml'
"$wse" sweep 'a sweep.yaml' --scheduler parallel --jobs 3 --out 'the results'
bash 'the results/run.parallel.sh' </dev/null
merged=$("$wse" sweep 'a sweep.yaml' --out 'the results')
echo "$merged"
[[ $merged == *'6 runs, 6 of them found complete'* ]]
[[ $(wc -l <'the results/sweep.csv') == 7 ]]
