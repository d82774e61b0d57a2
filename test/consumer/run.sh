#!/usr/bin/env bash
# Installs the library to an empty folder, and builds and runs a program against what was installed.
#
#   bash test/consumer/run.sh [BUILD_DIR]        default build/release, which must be built
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
prefix=$PWD/build/consumer-prefix
rm -rf "$prefix" build/consumer

cmake --install "$build" --prefix "$prefix" > /dev/null
for part in include/libzoo/core/error.h share/zoo/recipes; do
  [ -e "$prefix/$part" ] || { echo "consumer: the installation has no $part" >&2; exit 1; }
done
if grep -rl "$PWD/libzoo" "$prefix" --include='*.cmake'; then
  echo "consumer: the package files above point into the source tree" >&2
  exit 1
fi
cmake -S test/consumer -B build/consumer -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" > /dev/null
cmake --build build/consumer > /dev/null
build/consumer/consumer
