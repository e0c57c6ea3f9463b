# Installs what a bare Debian 12 lacks. Sourced by ./dev.

BUILD_PACKAGES=(
  ca-certificates git python3 python3-venv cmake ninja-build ccache
  clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  zlib1g-dev libzstd-dev libomp.so.5
)
TEST_PACKAGES=(
  clang-format-22 clang-tidy-22 libclang-rt-22-dev libgtest-dev libgmock-dev
)
# Python packages, as NAME or NAME==VERSION; each imports by its NAME.
RUN_MODULES=(numpy)
TEST_MODULES=(pytest hypothesis ruff mypy entmax ml_dtypes torch==2.13.0)
BENCH_MODULES=(matplotlib torch==2.13.0)
DOCS_MODULES=(torch==2.13.0)

fail() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# Any version of LLVM's OpenMP runtime will do.
has_package() {
  if [ "$1" = libomp.so.5 ]; then
    [[ "$(/sbin/ldconfig -p)" == *libomp.so.5\ * ]]
  else
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  fi
}

has_candidate() {
  [[ "$(apt-cache policy "$1")" == *"Candidate: "[!\(]* ]]
}

# Prints the Debian package for a name of the lists above.
package_name() {
  local candidate
  if [ "$1" != libomp.so.5 ]; then
    echo "$1"
    return
  fi
  for candidate in libomp5-22 libomp5-19 libomp5-14; do
    if has_candidate "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo libomp5
}

# install_packages NAME...: installs those that are not there.
install_packages() {
  [ "${SPARSEK_INSTALL:-1}" = 1 ] || return 0
  # Elsewhere than on Debian CMake says what is missing.
  command -v dpkg-query >/dev/null || return 0
  local name missing=() packages=() sudo=()
  for name in "$@"; do
    has_package "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      fail "needs root or sudo to run: apt-get install ${missing[*]/libomp.so.5/libomp5-19}"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq -o DPkg::Lock::Timeout=300 >/dev/null ||
    fail "apt-get update failed; needed packages: ${missing[*]}"
  for name in "${missing[@]}"; do
    name="$(package_name "$name")"
    has_candidate "$name" ||
      fail "apt offers no $name: sparsek needs LLVM/MLIR 22 (${missing[*]}); https://apt.llvm.org shows how to add its packages"
    packages+=("$name")
  done
  echo "dev: installing ${packages[*]}" >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
    --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    "${packages[@]}" >/dev/null ||
    fail "apt-get install failed: ${packages[*]}"
}

# install_python NAME[==VERSION]...: makes .venv and installs into it what
# neither it nor the system's Python has.
install_python() {
  local wanted missing=()
  if [ ! -x .venv/bin/python ]; then
    install_packages python3 python3-venv
    python3 -m venv --system-site-packages .venv ||
      fail "python3 -m venv failed: install python3-venv"
  fi
  for wanted in "$@"; do
    .venv/bin/python - "$wanted" <<'PYTHON' || missing+=("$wanted")
import importlib.metadata
import importlib.util
import sys

name, _, version = sys.argv[1].partition("==")
found = importlib.util.find_spec(name) is not None
if found and version:
    found = importlib.metadata.version(name).split("+")[0] == version
sys.exit(not found)
PYTHON
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "${SPARSEK_INSTALL:-1}" = 1 ] || fail "Python lacks ${missing[*]}"
  echo "dev: installing into .venv: ${missing[*]}" >&2
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "${missing[@]}" ||
    fail "pip install failed: ${missing[*]}"
}
