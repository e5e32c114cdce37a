#!/bin/sh
# Becomes the command that the container was started with, so that signals reach it as process 1.
#
# Before a command that simulates, the kernels that came with the image go to the volume, where numba adds those of
# another processor than the image was built on. Those of another version of the image are removed: they could be used
# by mistake.
#
# An image with Ray has three more commands: ray-head and ray-node are nodes of a cluster, ray-work joins it with a node
# that runs no jobs, and drives it. RAY_HEAD is HOST:PORT, and RAY_NODE_MEMORY how many bytes a node's container has: of
# these, jobs get seven tenths, and what travels between processes two.
set -eu

shipped=${BASICAER_SHIPPED_KERNELS:-/opt/basicaer/kernels}
kept=${BASICAER_KEPT_KERNELS:-/var/lib/basicaer/kernels}

case ${1:-} in
  serve | work | run | ray-head | ray-node | ray-work)
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
ray=${BASICAER_RAY_COMMAND:-/opt/basicaer/bin/ray}
node() {
  memory=${RAY_NODE_MEMORY:?set it to the bytes that the container has}
  exec "$ray" start --block --disable-usage-stats --memory=$((memory * 7 / 10)) \
    --object-store-memory=$((memory * 2 / 10)) "$@"
}

case ${1:-} in
  ray-head)
    shift
    node --head --port=6379 --include-dashboard=false "$@"
    ;;
  ray-node)
    shift
    node --address="$RAY_HEAD" "$@"
    ;;
  ray-work)
    shift
    # Too little memory for a job: the worker's container has it for results on their way to the database.
    "$ray" start --address="$RAY_HEAD" --num-cpus=0 --memory=67108864 \
      --object-store-memory="${RAY_OBJECT_BYTES:-1073741824}" --disable-usage-stats
    set -- work --executor "ray://$RAY_HEAD" "$@"
    ;;
esac
exec "${BASICAER_COMMAND:-/opt/basicaer/bin/basicaer}" "$@"
