#!/bin/sh
# Installs the server from /src, with the extras $2, into a venv at $1, without pip, and without what only development
# needs: tests, headers, stubs of types, and the reference simulator.
set -eu
venv=$1
extras=$2

python3 -m venv --without-pip "$venv"
python3 -m pip --python "$venv/bin/python" install --no-cache-dir --quiet -c /src/constraints.txt "/src[$extras]"

cd "$venv"/lib/python3*/site-packages
find . -type d \( -name tests -o -path ./basicaer/simulator/reference -o -path ./numpy/_core/include \) \
  -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.[ach]' -o -name '*.hpp' \) -delete
