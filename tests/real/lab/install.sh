#!/usr/bin/env bash
# Install shairport-sync 5.x, 4.3.7 and 3.3.8, shairplay and nodetunes into .lab: each of three
# releases of Debian in a root of its own, and the packages of nodetunes for Node.js.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
lab=${AIRPLAY_LAB:-$PWD/.lab}
nodetunes=tests/real/lab/nodetunes

say() { printf 'receivers: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

# What each root is for is in its stamp, so that a change here installs it again.
install_root() {  # suite packages...
  local suite=$1 root=$lab/$1
  shift
  [[ "$(cat "$root/.stamp" 2>/dev/null)" == "$*" ]] && return
  say "installing $* from Debian $suite"
  rm -rf "$root"
  # The script for sid serves every suite that is newer than this debootstrap.
  local script=/usr/share/debootstrap/scripts/$suite
  [[ -e $script ]] || script=/usr/share/debootstrap/scripts/sid
  debootstrap --variant=minbase "$suite" "$root" "$mirror" "$script" >"$lab/$suite.log" 2>&1 ||
    fail "debootstrap failed, see $lab/$suite.log"
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99snapshot"
  # shairport-sync 5 looks localhost up and ends where it finds none.
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  # Mounts of a mount namespace are gone with it.
  unshare --mount --propagation private bash -euc '
    mount -t proc proc "$0/proc"
    mount --rbind /dev "$0/dev"
    chroot "$0" apt-get -qq update
    DEBIAN_FRONTEND=noninteractive chroot "$0" apt-get -qq -y install --no-install-recommends "$@"
    chroot "$0" apt-get clean
  ' "$root" "$@" >>"$lab/$suite.log" 2>&1 || fail "apt-get failed in $root, see $lab/$suite.log"
  echo "$*" >"$root/.stamp"
}

# Compiling for this release of Node.js is out of the question: these packages are from 2015.
# What is native in them is replaced by lab/nodetunes/receiver.js.
install_nodetunes() {
  local folder=$lab/nodetunes
  cmp -s "$nodetunes/package-lock.json" "$folder/.stamp" && return
  say "installing nodetunes"
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$nodetunes"/package*.json "$folder"
  npm --prefix "$folder" ci --ignore-scripts --no-audit --no-fund --loglevel error >"$lab/nodetunes.log" 2>&1 ||
    fail "npm failed, see $lab/nodetunes.log"
  cp "$nodetunes/package-lock.json" "$folder/.stamp"
}

[[ $(id -u) == 0 ]] || fail "needs root: sudo scripts/receivers install"
command -v apt-get >/dev/null || fail "needs Debian or a relative of it (apt-get)"
missing=()
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v nft >/dev/null || missing+=(nftables)
command -v ip >/dev/null || missing+=(iproute2)
# Home Assistant turns speech into MP3 with them, as its own images do.
command -v ffmpeg >/dev/null || missing+=(ffmpeg)
command -v espeak-ng >/dev/null || missing+=(espeak-ng)
command -v npm >/dev/null || missing+=(npm)
if ((${#missing[@]})); then
  say "installing ${missing[*]}"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}" >/dev/null
fi
{ ip netns add airplay-try && ip netns del airplay-try; } 2>/dev/null ||
  fail "this machine allows no network namespaces (in a container: run it privileged)"

# The mirror that this machine uses already; security updates are on another one.
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | sort -u | head -n 1)
mkdir -p "$lab"
exec 9>"$lab/lock"
flock 9
install_root forky shairport-sync nqptp avahi-daemon dbus
install_root bookworm shairport-sync avahi-daemon dbus
install_root trixie shairport-sync shairplay libavahi-compat-libdnssd1 nodejs avahi-daemon avahi-utils dbus
install_nodetunes
for suite in forky trixie bookworm; do
  say "$suite: $(chroot "$lab/$suite" shairport-sync -V)"
done
