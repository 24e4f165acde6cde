# Sourced by the scripts: the checkout, the virtual environment, Debian's packages.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENV=${AZTRUST_VENV:-$ROOT/.venv}
cd "$ROOT"

say() { printf '== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This needs root: $*  (run it as root, then start this script again)" >&2
        exit 1
    fi
}

apt_install() {
    say "apt-get install $*"
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# make_venv DIR: a virtual environment of python3 (3.11 or later), with Debian's missing part installed when needed.
make_venv() {
    [ -x "$1/bin/python" ] && return
    command -v python3 >/dev/null || apt_install python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Python 3.11 or later is needed; python3 is $(python3 --version)." >&2
        exit 1
    }
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    say "virtual environment in $1"
    python3 -m venv "$1"
}

# install_editable: the checkout and what its tests need, again only when the metadata changed.
install_editable() {
    make_venv "$VENV"
    local stamp="$VENV/.aztrust-installed" now
    now=$(cat setup.cfg pyproject.toml | sha256sum)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return
    say "installing aztrust and what its tests need"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[test]'
    printf '%s' "$now" >"$stamp"
}
