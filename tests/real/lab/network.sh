#!/usr/bin/env bash
# The network of real receivers; scripts/receivers explains the commands.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=${AIRPLAY_LAB:-$(cd "$here/../../.." && pwd)/.lab}
prefix=${AIRPLAY_LAB_NAME:-lab}
run=$lab/run/$prefix
subnet=10.77.0

fail() {
  printf 'receivers: %s\n' "$*" >&2
  exit 1
}

namespaces() { ip netns list | awk -v prefix="$prefix-" 'index($1, prefix) == 1 {print $1}'; }

add_port() {  # namespace address bridge-port
  ip netns add "$1"
  ip -n "$1" link set lo up
  plug "$@"
}

plug() {
  # One card all its life: others remember for a while which one has an address.
  local card
  card=$(printf '02:00:00:00:00:%02x' "${2##*.}")
  ip link add eth0 netns "$1" type veth peer name "$3" netns "$prefix-sw"
  ip -n "$prefix-sw" link set dev "$3" master br0 up
  ip -n "$1" link set eth0 address "$card"
  ip -n "$1" addr add "$2/24" dev eth0
  ip -n "$1" link set eth0 up
  # Nothing is there, but multicast wants a route.
  ip -n "$1" route add default via "$subnet.254" dev eth0
}

up() {
  local i
  down
  mkdir -p "$run"
  ip netns add "$prefix-sw"
  ip -n "$prefix-sw" link set lo up
  ip -n "$prefix-sw" link add br0 type bridge mcast_snooping 0
  ip -n "$prefix-sw" link set br0 up
  add_port "$prefix-tx" "$subnet.1" tx
  for i in $(seq "${1:-4}"); do add_port "$prefix-rx$i" "$subnet.$((10 + i))" "rx$i"; done
}

down() {
  local namespace
  stop_all
  for namespace in $(namespaces); do ip netns del "$namespace"; done
  rm -rf "$run"
}

quoted() {  # shairport-sync reads a value between quotes
  local value=${1//\\/\\\\}
  printf '%s' "${value//\"/\\\"}"
}

configuration() {
  local secret=""
  [[ -z $password ]] || secret="password = \"$(quoted "$password")\";"
  cat <<CONF
general = {
  name = "$(quoted "$name")"; port = $port; output_backend = "stdout"; mdns_backend = "avahi";
  interpolation = "basic"; ignore_volume_control = "yes";
  drift_tolerance_in_seconds = 0.002; resync_threshold_in_seconds = 0.05;
  audio_backend_buffer_desired_length_in_seconds = $desired;
  audio_backend_latency_offset_in_seconds = $latency_offset;
  $secret
};
stdout = { output_rate = 44100; output_format = "S16_LE"; };
metadata = { enabled = "yes"; include_cover_art = "yes"; pipe_name = "/tmp/metadata"; };
diagnostics = {
  log_verbosity = $verbose; statistics = "yes"; log_output_to = "stderr";
  log_show_time_since_startup = "yes";
};
CONF
}

start() {
  local i=$1 mode=$2 root=forky option
  shift 2
  local name="Lab $i" port=5000 password="" verbose=1 latency_offset=0.0 desired=0.2
  case $mode in
    ap1) ;;
    ap1old) root=bookworm ;;
    ap1mid | shairplay | nodetunes) root=trixie ;;
    ap2) port=7000 ;;
    *) fail "unknown mode $mode: ap1, ap1mid, ap1old, ap2, shairplay or nodetunes" ;;
  esac
  for option in "$@"; do
    [[ $option =~ ^(name|port|password|verbose|latency_offset|desired)=(.*)$ ]] || fail "unknown option $option"
    printf -v "${BASH_REMATCH[1]}" '%s' "${BASH_REMATCH[2]}"
  done
  # nodetunes takes the first one that is free.
  [[ $mode != nodetunes || $port == 5000 ]] || fail "nodetunes chooses its port itself"
  [[ -e $lab/$root/.stamp ]] || fail "not installed: scripts/receivers install"
  namespaces | grep -qx "$prefix-rx$i" || fail "no place for receiver $i: scripts/receivers up $i"
  stop "$i"
  rm -f "$run/rx$i".*
  configuration >"$run/rx$i.conf"
  echo "$lab/$root" >"$run/rx$i.root"
  setsid ip netns exec "$prefix-rx$i" unshare --mount --pid --fork --kill-child --propagation private \
    "$here/receiver.sh" "$i" "$mode" "$lab/$root" "$run/rx$i" "$name" "$port" "$password" >"$run/rx$i.inner.log" 2>&1 </dev/null 9>&- &
  echo $! >"$run/rx$i.pid"
  disown
  for _ in $(seq 100); do
    if ip netns exec "$prefix-rx$i" ss -ltn | grep -q ":$port "; then
      echo "$subnet.$((10 + i)):$port $name"
      return
    fi
    sleep 0.1
  done
  fail "receiver $i did not open port $port, see $run/rx$i.log and $run/rx$i.inner.log"
}

stop() {
  local file=$run/rx$1.pid
  [[ -e $file ]] || return 0
  # unshare ignores SIGTERM while it waits for its child.
  kill -KILL "$(cat "$file")" 2>/dev/null || true
  rm -f "$file"
  # What it started dies a moment later.
  for _ in $(seq 100); do
    [[ -n $(ip netns pids "$prefix-rx$1") ]] || return 0
    sleep 0.02
  done
  fail "receiver $1 does not end"
}

stop_all() {
  local file
  for file in "$run"/rx*.pid; do
    [[ -e $file ]] || continue
    file=${file##*/rx}
    stop "${file%.pid}"
  done
}

loss() {  # nftables drops at random, since not every kernel has netem
  local namespace=$prefix-rx$1 per_myriad
  per_myriad=$(awk -v percent="$2" 'BEGIN {printf "%d", percent * 100 + 0.5}')
  ip netns exec "$namespace" nft delete table inet lab 2>/dev/null || true
  ((per_myriad)) || return 0
  ip netns exec "$namespace" nft -f - <<NFT
table inet lab {
  chain loss {
    type filter hook input priority 0; policy accept;
    meta l4proto udp udp length > 700 numgen random mod 10000 < $per_myriad counter drop
  }
}
NFT
}

blackout() {  # on: nothing goes in or out, as with a pulled cable; off: it is plugged in again
  local namespace=$prefix-rx$1
  ip netns exec "$namespace" nft delete table inet dark 2>/dev/null || true
  [[ $2 == on ]] || return 0
  ip netns exec "$namespace" nft -f - <<NFT
table inet dark {
  chain in { type filter hook input priority 0; policy accept; iifname eth0 drop; }
  chain out { type filter hook output priority 0; policy accept; oifname eth0 drop; }
}
NFT
}

replug() {  # behind another link that was in its place and is gone
  plug "$prefix-rx$1" "$subnet.$((10 + $1))" "rx$1"
}

bus() {  # the bus of a receiver's own, where its remote control is
  local i=$1
  shift
  nsenter --target "$(cat "$run/rx$i.pid")" --mount -- \
    chroot "$(cat "$run/rx$i.root")" dbus-send --system --print-reply=literal "$@"
}

status() {
  local file i
  for file in "$run"/rx*.pid; do
    [[ -e $file ]] || continue
    i=${file##*/rx}
    i=${i%.pid}
    if kill -0 "$(cat "$file")" 2>/dev/null; then
      echo "rx$i up, $(stat -c %s "$run/rx$i.pcm" 2>/dev/null || echo 0) bytes played"
    else
      echo "rx$i dead"
    fi
  done
}

root() {
  local part
  for part in forky trixie bookworm nodetunes; do
    [[ -e $lab/$part/.stamp ]] || fail "not installed: scripts/receivers install"
  done
  echo "$lab"
}

command=$1
shift
[[ $command == root || $(id -u) == 0 ]] || fail "needs root: sudo scripts/receivers $command"
case $command in
  stop-all) stop_all ;;
  exec) exec ip netns exec "$prefix-tx" "$@" ;;
  *) "$command" "$@" ;;
esac
