#!/usr/bin/env bash
# One receiver, inside its own network, mount and process namespace, with its own system bus and
# avahi: receiver.sh NUMBER MODE ROOT OUTPUT NAME PORT PASSWORD. All of it dies with the process that
# network.sh starts.
set -euo pipefail
number=$1 mode=$2 root=$3 output=$4 name=$5 port=$6 password=$7
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=$root/../nodetunes
in_root() { chroot "$root" "$@"; }
record() { exec python3 "$here/pcm_recorder.py" "$output.pcm" "$output.idx"; }

mkdir -p "$root/dev/shm"
for folder in run tmp dev/shm; do mount -t tmpfs tmpfs "$root/$folder"; done
mount -t proc proc "$root/proc"
chmod 1777 "$root/tmp" "$root/dev/shm"
mkdir -p "$root/run/dbus" "$root/run/avahi-daemon"
in_root dbus-daemon --system --nopidfile --fork
sed -e "s/^#\?host-name=.*/host-name=lab-rx$number/" -e 's/^#\?use-ipv6=.*/use-ipv6=yes/' \
  -e 's/^#\?rlimit/#rlimit/' "$root/etc/avahi/avahi-daemon.conf" >"$root/tmp/avahi.conf"
in_root avahi-daemon --no-drop-root --no-rlimits -f /tmp/avahi.conf -D

shairport_sync() {
  local arguments=(-c /tmp/receiver.conf)
  cp "$output.conf" "$root/tmp/receiver.conf"
  mkfifo -m 666 "$root/tmp/metadata"
  cat <>"$root/tmp/metadata" >"$output.metadata" &
  case $mode in
    ap1) arguments+=(--service-type classic) ;;
    ap2)
      arguments+=(--service-type airplay2)
      in_root nqptp >"$output.nqptp.log" 2>&1 &
      sleep 0.5
      ;;
  esac
  in_root shairport-sync "${arguments[@]}" 2>"$output.log" | record
}

until_avahi_has_its_name() {
  until in_root dbus-send --system --print-reply=literal --dest=org.freedesktop.Avahi / \
    org.freedesktop.Avahi.Server.GetState 2>&1 | grep -q 'int32 2'; do sleep 0.1; done
}

shairplay() {
  local arguments=("--apname=$name" "--server_port=$port" --ao_driver=alsa --ao_devicename=default)
  arguments+=("$(printf -- '--hwaddr=48:5d:60:7c:ee:%02x' "$number")")
  [[ -z $password ]] || arguments+=("--password=$password")
  # Debian ships it without the key, which is the same in every receiver of its kind.
  cp "$packages/node_modules/nodetunes/private.key" "$root/tmp/airport.key"
  # It looks for mDNS under a name that belongs to the package for compiling.
  ln -s "$(in_root sh -c 'echo /usr/lib/*/libdns_sd.so.1')" "$root/tmp/libdns_sd.so"
  mkfifo "$root/tmp/pcm"
  cat >"$root/tmp/alsa.conf" <<'CONF'
</usr/share/alsa/alsa.conf>
pcm.!default { type file; slave.pcm null; file /tmp/pcm; format raw; }
CONF
  # It registers once, and does not look whether avahi took it.
  until_avahi_has_its_name
  in_root env --chdir=/tmp ALSA_CONFIG_PATH=/tmp/alsa.conf LD_LIBRARY_PATH=/tmp AVAHI_COMPAT_NOWARN=1 \
    shairplay "${arguments[@]}" >"$output.log" 2>&1 &
  record <>"$root/tmp/pcm"
}

nodetunes() {
  mkdir "$root/tmp/packages"
  mount --bind "$packages" "$root/tmp/packages"
  cp "$here/nodetunes/receiver.js" "$root/tmp"
  in_root env --unset=NODE_EXTRA_CA_CERTS NODE_NO_WARNINGS=1 node /tmp/receiver.js /tmp/packages "$number" "$name" "$password" \
    2>"$output.log" | record
}

case $mode in
  shairplay | nodetunes) "$mode" ;;
  *) shairport_sync ;;
esac
