#!/usr/bin/env bash
# Installs what libzoo needs and is not there yet: system packages (Debian, Ubuntu) and LibTorch. Safe to run again.
#
#   bash third_party/setup.sh
#
# ZOO_TORCH=/path/to/site-packages/torch   use that LibTorch (2.11 to 2.14) and install none
# ZOO_PIP_ARGS="--index-url URL"           passed to `pip install` when LibTorch is installed
set -euo pipefail
cd "$(dirname "$0")"

torch_version=2.13.0
packages=(build-essential cmake ninja-build ccache mold python3 python3-venv libfmt-dev libyaml-cpp-dev libcli11-dev
  nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev libgloo-dev catch2)

say() { echo "setup: $*"; }
fail() { echo "setup: error: $1" >&2; echo "hint: $2" >&2; exit 1; }

install_packages() {
  if ! command -v dpkg-query > /dev/null; then
    say "not a Debian or Ubuntu system; these packages, or their equals, must be there: ${packages[*]}"
    return
  fi
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "system packages: all ${#packages[@]} are installed"
    return
  fi
  local root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || fail "these packages are missing and there is no sudo: ${missing[*]}" "install them as root, then run this again"
    root=(sudo)
  fi
  say "installing system packages: ${missing[*]}"
  "${root[@]}" apt-get -qq update
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" > /dev/null
}

check_cmake() {
  local version
  version=$(cmake --version | sed -n 's/^cmake version \([0-9.]*\).*/\1/p')
  [ "$(printf '3.25\n%s\n' "$version" | sort -V | head -n 1)" = 3.25 ] ||
    fail "CMake $version is too old: 3.25 or newer is needed" "python3 -m pip install cmake, and put it first in PATH"
}

# Version of the LibTorch with prefix $1, or nothing.
version_of() {
  local header
  for header in "$1/include/torch/headeronly/version.h" "$1/include/torch/csrc/api/include/torch/version.h"; do
    if grep -qs 'define TORCH_VERSION_MAJOR ' "$header"; then
      sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' "$header" | paste -sd .
      return
    fi
  done
}

supported() { [[ $1 =~ ^2\.1[1-4]\. ]]; }

# Prefix of the torch package that `$1` would import, without importing it.
prefix_of_python() {
  "$1" -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')" 2> /dev/null || true
}

provide_torch() {
  local prefix version
  if [ -n "${ZOO_TORCH:-}" ]; then
    version=$(version_of "$ZOO_TORCH")
    supported "$version" || fail "ZOO_TORCH=$ZOO_TORCH holds LibTorch '${version:-none}'; 2.11 to 2.14 are supported" \
      "point it at the folder that holds include/ and lib/, for example .../site-packages/torch, or unset it"
    say "LibTorch $version from ZOO_TORCH"
    return
  fi
  if [ -n "${VIRTUAL_ENV:-}" ]; then
    prefix=$(prefix_of_python "$VIRTUAL_ENV/bin/python")
    version=$(version_of "$prefix")
    if supported "$version"; then
      say "LibTorch $version from the active Python environment, $VIRTUAL_ENV"
      return
    fi
  fi
  if [ -x venv/bin/python ]; then
    version=$(version_of "$(prefix_of_python venv/bin/python)")
    if [ "$version" = "$torch_version" ]; then
      say "LibTorch $version in third_party/venv"
      return
    fi
  else
    version=$(version_of "$(prefix_of_python python3)")
    if supported "$version"; then
      say "LibTorch $version from $(command -v python3)"
      return
    fi
    say "making the private Python environment third_party/venv"
    python3 -m venv venv
  fi
  say "installing the LibTorch wheel, torch==$torch_version, into third_party/venv"
  # shellcheck disable=SC2086  # several arguments on purpose
  venv/bin/python -m pip install --quiet --disable-pip-version-check ${ZOO_PIP_ARGS:-} "torch==$torch_version"
  version=$(version_of "$(prefix_of_python venv/bin/python)")
  [ "$version" = "$torch_version" ] || fail "third_party/venv holds LibTorch '${version:-none}' after the installation" "remove third_party/venv and run this again"
  say "LibTorch $version in third_party/venv"
}

install_packages
check_cmake
provide_torch
