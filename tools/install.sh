#!/usr/bin/env bash
# What requirements.lock names, then this project: tools/install.sh PYTHON [--editable]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pip=("$1" -m pip)
shift

# Without --no-deps, pip 23.0 to 23.2 refuse the lock as soon as a package that another one asks for
# with extras has a release newer than the locked one.
"${pip[@]}" install --quiet --no-deps --require-hashes -r requirements.lock

# So whether the lock is whole is asked here: with no index there is nothing to add, extras included.
PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' \
  "${pip[@]}" install --quiet --no-index --no-build-isolation "$@" '.[test]' || {
  echo "requirements.lock lacks what pyproject.toml, or a package in the lock, asks for (see above)." \
    "Make it anew: make lock" >&2
  exit 1
}
