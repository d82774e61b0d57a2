#!/usr/bin/env bash
# From nothing to a network that reads digits: installs what is missing, builds zoo-bit and runs its demo.
#
#   bash apps/demo.sh [key=value …] [--out DIR …]      arguments go to `zoo-bit demo`
set -euo pipefail
cd "$(dirname "$0")/.."

bash third_party/setup.sh
mkdir -p build
cmake --preset release ${ZOO_TORCH:+-DZOO_TORCH="$ZOO_TORCH"} > build/configure.log || { cat build/configure.log; exit 1; }
echo "demo: building zoo-bit (some minutes the first time)"
cmake --build --preset release --target zoo-bit
exec build/release/bin/zoo-bit demo "$@"
