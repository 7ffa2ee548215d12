#!/usr/bin/env bash
# compiler_matrix.sh SOURCE BUILD: the result hashes hold for GCC and Clang, debug and release.
set -euo pipefail
source_dir=$1
build_dir=$2
mkdir -p "$build_dir"
failed=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; exit 1; }
  for type in Debug Release; do
    tree="$build_dir/$compiler-$type"
    cmake -S "$source_dir" -B "$tree" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
      -DCMAKE_BUILD_TYPE="$type" -DWSE_WERROR=ON -DWSE_CORE_ONLY=ON >"$tree.log" 2>&1 &&
      cmake --build "$tree" --target result_hash_test >>"$tree.log" 2>&1 ||
      { tail -n 30 "$tree.log"; exit 1; }
    if ctest --test-dir "$tree" -R '^GoldenHashTest' --no-tests=error >>"$tree.log" 2>&1; then
      echo "$compiler $type: the same hashes"
    else
      echo "$compiler $type: other hashes, see $tree.log"
      failed=1
    fi
  done
done
exit $failed
