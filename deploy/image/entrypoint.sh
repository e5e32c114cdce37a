#!/bin/sh
# Becomes the command that the container was started with, so that signals reach it as process 1.
#
# Before a command that simulates, the kernels that came with the image go to the volume, where numba adds those of
# another processor than the image was built on. Those of another version of the image are removed: they could be used
# by mistake.
set -eu

shipped=${BASICAER_SHIPPED_KERNELS:-/opt/basicaer/kernels}
kept=${BASICAER_KEPT_KERNELS:-/var/lib/basicaer/kernels}

case ${1:-} in
  serve | work | run)
    version=$(ls "$shipped")
    if [ ! -d "$kept/$version" ]; then
      if ! rm -rf "$kept" || ! mkdir -p "$kept" || ! cp -r "$shipped/$version" "$kept/.new"; then
        echo "error: $kept can't be written to by user $(id -u): give the volume to this user" >&2
        exit 1
      fi
      mv "$kept/.new" "$kept/$version"
    fi
    export NUMBA_CACHE_DIR="$kept/$version"
    ;;
esac
exec "${BASICAER_COMMAND:-/opt/basicaer/bin/basicaer}" "$@"
