#!/usr/bin/env bash
# One receiver, inside its own network, mount and process namespace, with its own system bus and
# avahi: receiver.sh NUMBER MODE ROOT OUTPUT. All of it dies with the process that network.sh starts.
set -euo pipefail
number=$1 mode=$2 root=$3 output=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
in_root() { chroot "$root" "$@"; }

mkdir -p "$root/dev/shm"
for folder in run tmp dev/shm; do mount -t tmpfs tmpfs "$root/$folder"; done
mount -t proc proc "$root/proc"
chmod 1777 "$root/tmp" "$root/dev/shm"
mkdir -p "$root/run/dbus" "$root/run/avahi-daemon"
cp "$output.conf" "$root/tmp/receiver.conf"
in_root dbus-daemon --system --nopidfile --fork
sed -e "s/^#\?host-name=.*/host-name=lab-rx$number/" -e 's/^#\?use-ipv6=.*/use-ipv6=yes/' \
  -e 's/^#\?rlimit/#rlimit/' "$root/etc/avahi/avahi-daemon.conf" >"$root/tmp/avahi.conf"
in_root avahi-daemon --no-drop-root --no-rlimits -f /tmp/avahi.conf -D

mkfifo -m 666 "$root/tmp/metadata"
cat <>"$root/tmp/metadata" >"$output.metadata" &

arguments=(-c /tmp/receiver.conf)
case $mode in
  ap1) arguments+=(--service-type classic) ;;
  ap2)
    arguments+=(--service-type airplay2)
    in_root nqptp >"$output.nqptp.log" 2>&1 &
    sleep 0.5
    ;;
esac
in_root shairport-sync "${arguments[@]}" 2>"$output.log" |
  exec python3 "$here/pcm_recorder.py" "$output.pcm" "$output.idx"
