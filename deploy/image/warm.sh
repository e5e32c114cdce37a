#!/bin/sh
# Runs a circuit with the venv at $1, which proves the installation and leaves the kernels of this processor in
# $1/kernels. Their folder is named by all that they were compiled from: numba looks at the file of a function alone,
# not at those of the functions that were compiled into it.
set -eu
venv=$1

cd "$venv"/lib/python3*/site-packages
find basicaer/simulator -name '*.py' | LC_ALL=C sort >/tmp/sources
ls -d numba-* llvmlite-* numpy-* >/tmp/versions
xargs cat </tmp/sources | cat - /tmp/versions | sha256sum >/tmp/sum
name=$(cut -c 1-16 /tmp/sum)
NUMBA_CACHE_DIR=$venv/kernels/$name "$venv/bin/basicaer" run /src/examples/shell/bell.qasm --shots 100 --seed 7
