#!/bin/sh
# Make .venv from the hashed lock: `sh scripts/venv.sh python3`.
set -eu

python=$1
if ! command -v "$python" >/dev/null; then
    echo "$python was not found. Install it: apt-get install python3 python3-venv" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1). Name another: make … PYTHON=python3.12" >&2
    exit 1
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if ! "$python" -m venv --clear .venv; then
        echo "$python cannot make a virtual environment. Install what it lacks: apt-get install python3-venv" >&2
        exit 1
    fi
fi
echo "Installing requirements-dev.txt into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
