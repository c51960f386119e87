#!/bin/sh
# Lock requirements.in and requirements-dev.in with hashes, for every platform from Python 3.11 on.
set -eu

for name in requirements requirements-dev; do
    UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --output-file "$name.txt" "$@" "$name.in"
done
