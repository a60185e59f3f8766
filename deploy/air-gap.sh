#!/bin/sh
# Carries Waxseal to where there is no internet: images, chart and compose files in one archive.
#
#   On a machine that can build or pull:   deploy/air-gap.sh save waxseal.tar.gz [image…]
#   Behind the air gap, from the archive:  tar -xOzf waxseal.tar.gz waxseal/deploy/air-gap.sh | sh -s load waxseal.tar.gz [registry/prefix]
#
# `save` takes the images that compose.yaml names (WAXSEAL_IMAGE and REDIS_IMAGE change them there and
# here alike) and any more that are given, such as a proxy's. `load` unpacks to ./waxseal, checks every
# file's digest and loads the images; with a registry it also pushes them there, for Kubernetes.
# DOCKER=podman uses podman.
set -eu

docker="${DOCKER:-docker}"

fail() {
  echo "air-gap: $*" >&2
  exit 1
}

# The images of compose.yaml: the variable's value where it is set, the written default where it is not.
images_of() {
  sed -n 's/^ *image: ${\([A-Z_]*\):-\([^}]*\)}$/\1 \2/p' "$1" | while read -r variable default; do
    eval "echo \"\${$variable:-$default}\""
  done | sort -u
}

save() {
  archive="$1"
  shift
  root="$(cd "$(dirname "$0")/.." && pwd)"
  for needed in compose.yaml deploy/compose deploy/chart/Chart.yaml; do
    [ -e "$root/$needed" ] || fail "$root/$needed is missing. Run this from a complete copy of the repository."
  done
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/waxseal"
  { images_of "$root/compose.yaml"; for image in "$@"; do echo "$image"; done; } | sort -u > "$work/waxseal/images.txt"
  while read -r image; do
    $docker image inspect "$image" > /dev/null 2>&1 || $docker pull "$image" ||
      fail "$image is neither here nor to be pulled. Build it with: $docker build -t $image ."
  done < "$work/waxseal/images.txt"
  # shellcheck disable=SC2046 # One argument per image is meant.
  $docker save --output "$work/waxseal/images.tar" $(cat "$work/waxseal/images.txt")
  cp "$root/compose.yaml" "$work/waxseal/"
  mkdir "$work/waxseal/deploy"
  cp -R "$root/deploy/compose" "$root/deploy/chart" "$root/deploy/air-gap.sh" "$work/waxseal/deploy/"
  (cd "$work/waxseal" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum > "$work/sums" && mv "$work/sums" SHA256SUMS)
  case "$archive" in
    *.gz | *.tgz) tar -czf "$archive" -C "$work" waxseal ;;
    *) tar -cf "$archive" -C "$work" waxseal ;;
  esac
  echo "Saved $(wc -l < "$work/waxseal/images.txt") images, the chart and the compose files in $archive:"
  sed 's/^/  /' "$work/waxseal/images.txt"
  sha256sum "$archive"
}

load() {
  archive="$1"
  prefix="${2:-}"
  [ -f "$archive" ] || fail "$archive is not a file."
  [ ! -e waxseal ] || fail "./waxseal exists already. Move it away, or change to another folder."
  tar -xf "$archive"
  (cd waxseal && sha256sum --quiet -c SHA256SUMS) || fail "the archive is damaged. Copy it again."
  $docker load --input waxseal/images.tar
  if [ -n "$prefix" ]; then
    while read -r image; do
      $docker tag "$image" "${prefix%/}/$image"
      $docker push "${prefix%/}/$image"
    done < waxseal/images.txt
  fi
  echo "Loaded. Compose:    cd waxseal && docker compose up -d --no-build"
  echo "        Kubernetes: helm install waxseal waxseal/deploy/chart (see its values for a registry prefix)"
}

case "${1:-}" in
  save) [ $# -ge 2 ] || fail "say where to save: deploy/air-gap.sh save waxseal.tar.gz"; shift; save "$@" ;;
  load) [ $# -ge 2 ] || fail "say what to load: deploy/air-gap.sh load waxseal.tar.gz [registry/prefix]"; shift; load "$@" ;;
  *) fail "say save or load. The first lines of this script tell how." ;;
esac
