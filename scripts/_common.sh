# Sourced by the scripts beside it. Finds the project and shields them from the caller's Python.
# shellcheck shell=bash
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd -- "$root"

# Another environment's settings would send packages, or imports, to the wrong place.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV __PYVENV_LAUNCHER__ PIP_TARGET PIP_PREFIX PIP_ROOT
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
    printf 'scripts/%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

# Prints the comment that opens the running script, when its first argument asks for help.
usage_if_asked() {
    case ${1-} in
        -h | --help)
            sed -n '2,/^[^#]/s/^# \{0,1\}//p' -- "$root/scripts/$(basename -- "$0")"
            exit 0
            ;;
    esac
}

# Prints the path of the first Python that is 3.11 or later and able to make environments.
# With uv present, ensurepip (which Debian packages apart) is not needed.
find_python() {
    local candidate found without_ensurepip=''
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        # The base interpreter: one inside .venv would vanish when .venv is made anew.
        found=$("$candidate" -I -c '
import sys
if sys.version_info >= (3, 11):
    print(getattr(sys, "_base_executable", None) or sys.executable)
' 2>/dev/null) || found=''
        if [[ -n $found ]]; then
            if "$found" -I -c 'import venv' 2>/dev/null &&
                { command -v uv >/dev/null || "$found" -I -c 'import ensurepip' 2>/dev/null; }; then
                printf '%s\n' "$found"
                return
            fi
            without_ensurepip=${without_ensurepip:-$found}
        fi
        if [[ -n ${PYTHON:-} ]]; then
            break
        fi
    done
    if [[ -n $without_ensurepip ]]; then
        fail "$without_ensurepip cannot make virtual environments: install its venv module" \
            "(on Debian and Ubuntu: apt-get install python3-venv), then run this again."
    elif [[ -n ${PYTHON:-} ]]; then
        fail "PYTHON=$PYTHON is no Python 3.11 or later: set it to one, or unset it."
    else
        fail "found no Python 3.11 or later: install one, or name it (PYTHON=/path/to/python3 scripts/install)."
    fi
}
