#!/usr/bin/env bash
# Makes a base image for deploy/Dockerfile out of Debian's packages alone, where no registry of images is in reach:
#   debian-base.sh NAME      (a minute or two, 300 MB; needs root, buildah and debootstrap)
# The packages come from where this machine gets its own.
set -euo pipefail
name=$1
release=bookworm

if buildah inspect --type image "$name" >/dev/null 2>&1; then
  exit 0
fi
source=$(apt-cache policy | grep -oE 'https?://[^ ]+' | grep -v security | head -1 || true)
if [ -z "$source" ]; then
  echo "error: this machine has no Debian package source: name an image with BASE_IMAGE=… instead" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
  "$release" "$work/root" "$source" >"$work/log" 2>&1; then
  tail -n 5 "$work/log" >&2
  exit 1
fi
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/root" / >/dev/null
buildah commit --quiet --rm "$container" "$name" >/dev/null
