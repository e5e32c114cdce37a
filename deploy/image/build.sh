#!/usr/bin/env bash
# Builds deploy/Dockerfile with buildah, which needs no daemon:
#   build.sh NAME [EXTRAS]
# BASE_IMAGE names the image to start from; without it one is made out of Debian's packages (debian-base.sh). What pip
# is told on this machine (a mirror, an authority's certificate) holds for the build too, and stays out of the image.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1
extras=${2:-service,postgresql}
# No daemon, and neither cgroups nor an overlay: works in a container too.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}

missing=()
command -v buildah >/dev/null || missing+=(buildah)
[ -n "${BASE_IMAGE:-}" ] || command -v debootstrap >/dev/null || missing+=(debootstrap)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: ${missing[*]} is not installed: apt-get install ${missing[*]}, or build with" \
      "docker build -f deploy/Dockerfile -t $name ." >&2
    exit 1
  fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

base=${BASE_IMAGE:-localhost/basicaer-base}
[ -n "${BASE_IMAGE:-}" ] || deploy/image/debian-base.sh "$base"

# An earlier image of this name would stay, without a name.
old=$(buildah images --quiet "$name" 2>/dev/null || true)

lent=()
for path in /etc/pip.conf /etc/ssl/certs; do
  [ ! -e "$path" ] || lent+=(--volume "$path:$path:ro")
done
buildah bud --quiet --layers=false --network host --format docker "${lent[@]}" \
  --build-arg BASE_IMAGE="$base" \
  --build-arg EXTRAS="$extras" \
  --build-arg VERSION="$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
  --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
  --file deploy/Dockerfile --tag "$name" .
if [ -n "$old" ] && [ "$old" != "$(buildah images --quiet "$name")" ]; then
  buildah rmi --force "$old" >/dev/null
fi
