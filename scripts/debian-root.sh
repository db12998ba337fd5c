#!/usr/bin/env bash
# Runs a command on this project in a minimal Debian 12, to prove that nothing but what ./dev
# installs is needed. The root is build/debian-root: bootstrapped on first use, kept afterwards.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/debian-root.sh [OPTION…] COMMAND [ARGUMENT…]      (as root; needs debootstrap)

  --fresh           bootstrap again, so that no package of an earlier run is left
  --worktree        copy the working tree as it is, instead of cloning the last commit
  --mirror URI      Debian mirror (default: the one in this machine's apt configuration)
  --file SRC:DST    copy a file into the root: a certificate, an apt or npm configuration
  --env NAME=VALUE  set a variable for the command; nothing else of this environment is passed

  scripts/debian-root.sh --fresh bash -c './dev demo && ./dev test'
TEXT
}

fail() { echo "debian-root: $*" >&2; exit 1; }

cd "$(dirname "$0")/.."
project=$PWD root=$PWD/build/debian-root
fresh='' worktree='' mirror='' files=() variables=()

while [[ ${1-} == --* ]]; do
  case $1 in
    --fresh) fresh=yes ;;
    --worktree) worktree=yes ;;
    --mirror) mirror=${2:?--mirror needs a URI}; shift ;;
    --file) files+=("${2:?--file needs SRC:DST}"); shift ;;
    --env) variables+=("${2:?--env needs NAME=VALUE}"); shift ;;
    --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[[ $# -gt 0 ]] || { usage >&2; exit 2; }
[[ $EUID == 0 ]] || fail "must be root, for chroot and mounts"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"

# One line a source, as this machine's apt sees it, whatever the format of its files.
debian_sources() {
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | grep -E ' bookworm(-updates|-security)? ' | sort -u
}

bootstrap() {
  local sources
  if [[ $mirror ]]; then
    sources="deb $mirror bookworm main"
  else
    sources=$(debian_sources) || fail "apt knows no bookworm source here: give --mirror URI"
    mirror=$(awk '$3 == "bookworm" { print $2; exit }' <<<"$sources")
  fi
  echo "debian-root: bootstrapping bookworm from $mirror"
  rm -rf "$root" "$root.new"
  mkdir -p "$root.new"
  debootstrap --variant=minbase bookworm "$root.new" "$mirror" >"$root.log" ||
    fail "debootstrap failed: see $root.log"
  echo "$sources" >"$root.new/etc/apt/sources.list"
  mv "$root.new" "$root"  # so that an interrupted bootstrap is not taken for a root
}

copy_project() {
  rm -rf "$root/weir"
  if [[ $worktree ]]; then
    mkdir "$root/weir"
    # A file deleted but still in the index is listed too, and does not exist.
    git ls-files -z --cached --others --exclude-standard |
      tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
      tar --extract --directory "$root/weir" --no-same-owner
  else
    git clone --quiet --no-hardlinks "$project" "$root/weir"
  fi
}

# Everything below runs in mount and process namespaces of its own: when the command ends, its
# mounts and whatever it left running are gone, and `rm -rf build` can never reach the real /dev.
if [[ ${WEIR_IN_NAMESPACE-} ]]; then
  mount --rbind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${variables[@]}" \
    /bin/sh -c 'cd /weir && exec "$@"' sh "$@"
fi

[[ -d $root && ! $fresh ]] || bootstrap
copy_project
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
for file in "${files[@]}"; do
  install -D -m 644 "${file%%:*}" "$root/${file#*:}"
done

options=()
for variable in "${variables[@]}"; do options+=(--env "$variable"); done
WEIR_IN_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child \
  "$project/scripts/debian-root.sh" "${options[@]}" "$@"
