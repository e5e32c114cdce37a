#!/bin/sh
# Compiles the kernels of this processor with the venv at $1 into $1/kernels, and runs a circuit, which proves the
# installation. Their folder is named by all that they were compiled from, so that an upgrade removes those of before.
set -eu
venv=$1

cd "$venv"/lib/python3*/site-packages
find basicaer/simulator -name '*.py' | LC_ALL=C sort >/tmp/sources
ls -d numba-* llvmlite-* numpy-* >/tmp/versions
xargs cat </tmp/sources | cat - /tmp/versions | sha256sum >/tmp/sum
name=$(cut -c 1-16 /tmp/sum)
export NUMBA_CACHE_DIR="$venv/kernels/$name"
"$venv/bin/python" -c 'from basicaer.simulator import warm_up; warm_up("c16"); warm_up("c8")'
"$venv/bin/basicaer" run /src/examples/shell/bell.qasm --shots 100 --seed 7
