#!/bin/sh
# Makes the lock files anew, with the newest versions that pyproject.toml allows, for every system and Python:
#   templates/lock/runtime.txt   what a generated runtime installs beside voiceops
#   templates/lock/ci.txt        what a pipeline, and the image, install beside voiceops
#   requirements-dev.txt         what the tests need, the build included
# UV is uv; more arguments go to it, as --upgrade-package NAME.
set -eu
cd "$(dirname "$0")/.."
lock() {
  out=$1
  shift
  # The public index, whatever this machine has set: addresses of mirrors are nobody else's.
  "${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --annotation-style line --no-config --default-index https://pypi.org/simple pyproject.toml --output-file "$out" "$@"
}
lock templates/lock/runtime.txt --extra otel --extra postgres "$@"
lock templates/lock/ci.txt --extra age --extra policy --extra postgres --extra s3 --extra sign "$@"
lock requirements-dev.txt --all-extras --group dev "$@"
