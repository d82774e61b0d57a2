#!/usr/bin/env bash
# Times ours against what a user would run instead, alternately, and writes build/bench/SYSTEM.json.
#
#   bash test/bench/compare.sh bit|data|offline_rl|simclr [--filter GLOB] [--pairs 5]
#
# ZOO_BUILD_DIR=build/release       our programs are built here
# ZOO_BENCH_VENV=test/bench/venv    the peers' Python environment (made here if it is missing)
# ZOO_PIP_ARGS="--index-url URL"    passed to `pip install`
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${ZOO_BUILD_DIR:-build/release}
venv=${ZOO_BENCH_VENV:-test/bench/venv}

# torch first; the rest without what it depends on, which would bring another torch.
torch=torch==2.13.0
others=(timm==1.0.31 torchvision==0.28.0 numpy==2.4.6 pillow==12.0.0 safetensors==0.8.0 PyYAML==6.0.4
  huggingface_hub==2.4.0 httpx==0.28.1 requests==2.34.2 tqdm==4.70.1 packaging==26.3
  tfrecord==1.14.6 crc32c==2.9.post0 google-crc32c==1.9.0 protobuf==7.36.2)

if ! "$venv/bin/python" -c 'import torch, numpy, yaml, safetensors, PIL, tfrecord, google_crc32c' 2> /dev/null; then
  echo "bench: making the peers' Python environment $venv" >&2
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
  # shellcheck disable=SC2086  # several arguments on purpose
  "${pip[@]}" ${ZOO_PIP_ARGS:-} "$torch"
  # shellcheck disable=SC2086
  "${pip[@]}" ${ZOO_PIP_ARGS:-} --no-deps "${others[@]}"
fi

# DALI is large, and not everywhere: without it its benchmark is left out.
dali=(nvidia-dali-cuda120==2.4.0 nvidia-nvimgcodec-cu12==0.9.0.20 optree==0.20.0 gast==0.7.0 astunparse==1.6.3 six==1.17.0)
if [ "${1:-}" = data ] && ! "$venv/bin/python" -c 'import nvidia.dali' 2> /dev/null; then
  # shellcheck disable=SC2086
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check ${ZOO_PIP_ARGS:-} --no-deps "${dali[@]}" ||
    echo "bench: DALI could not be installed" >&2
fi

# Under the GPL: run as the other side of a benchmark, and part of nothing of ours.
if [ "${1:-}" = offline_rl ] && ! "$venv/bin/python" -c 'import minatar' 2> /dev/null; then
  # shellcheck disable=SC2086
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check ${ZOO_PIP_ARGS:-} --no-deps minatar==1.0.15 ||
    echo "bench: MinAtar's package could not be installed" >&2
fi

if [ ! -f "$build/build.ninja" ]; then
  bash third_party/setup.sh >&2
  cmake --preset release -B "$build" > /dev/null
fi
echo "bench: building our programs in $build" >&2
cmake --build "$build" --target zoo-bench zoo-nothing zoo-bit >&2

exec "$venv/bin/python" test/bench/compare.py --build "$build" "$@"
