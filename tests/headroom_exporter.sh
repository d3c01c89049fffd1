#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom-exporter: what Prometheus, node-exporter and statsd are told of real streams that
# run, end, are reset or cannot be read; its alert rules and its service.
#
# usage: tests/headroom_exporter.sh BUILD   (a build folder of meson)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:?usage: tests/headroom_exporter.sh BUILD}" && pwd)
work=$(mktemp -d)
started=()
trap '[ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2> /dev/null; rm -rf "$work"' EXIT
export HEADROOM_DIR=$work/pages ALSA_CONFIG_PATH=$work/asound.conf PYTHONDONTWRITEBYTECODE=1
cd "$work" || exit 1
exporter=$root/scripts/headroom-exporter

cat > asound.conf <<EOF
<$build/tests/asound.conf>
pcm.card { type clocked }
pcm.play { type headroom rt_priority 0 slave.pcm card }
ctl.play { type headroom }
EOF
raw=(-q -t raw -f S16_LE -r 48000 -c 1 --period-time=20000 --buffer-time=200000)
player() { exec aplay -D play "${raw[@]}" "$@" /dev/zero 2> player.err; }

free_port() {
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}
scrape() { python3 -c 'import sys, urllib.request as r
sys.stdout.write(r.urlopen(sys.argv[1], timeout=10).read().decode())' "http://127.0.0.1:$port/metrics" > scraped 2> scrape.err; }
# value METRIC [LABEL]: of the first playback stream of the name play, as a whole number.
value() { sed -n "s/^headroom_$1{.*${2-}.*name=\"play\",slot=\"0\".*} //p" scraped | awk '{ printf "%.0f", $1 }'; }
state() { sed -n 's/^headroom_stream_state{.*name="play",slot="0",state="\(.*\)"} 1.0/\1/p' scraped; }
is_in_state() { scrape && [ "$(state)" = "$1" ]; }
has_played() { scrape && [ "$(value frames_total)" -gt "$1" ] 2> /dev/null; }

# refuses NAME STATUS TEXT ARGUMENT…
refuses() {
	local name=$1 wanted=$2 text=$3
	shift 3
	timeout 10 "$exporter" "$@" > out 2> err
	equal "$name" "$wanted 1" "$? $(grep -c -- "$text" err)"
}

# --- wrong calls, no stream ---

refuses "an address that is none" 2 "'here' is no HOST:PORT" --listen here
refuses "a port that cannot be" 2 "is no HOST:PORT" --listen 127.0.0.1:70000
refuses "a host that there is not" 1 "it cannot listen on no.such.invalid:9894" --listen no.such.invalid:9894
refuses "a file that node-exporter would not read" 2 "ends in .prom" --textfile x.txt
refuses "once, and for whom" 2 "goes with --textfile alone" --once
refuses "a user that there is not" 1 "there is no user" --user "no such user" --once --textfile x.prom
refuses "a folder that there is not" 1 "no/x.prom cannot be written: No such" --once --textfile no/x.prom
mkdir without && echo 'raise ImportError("none here")' > without/prometheus_client.py
PYTHONPATH=$PWD/without "$exporter" --once --textfile none.prom 2> err
equal "without its package: the line to type" "  sudo apt-get install python3-prometheus-client" "$(tail -n 1 err)"
"$exporter" --once --textfile none.prom 2> err
equal "no stream: no counters, and no problem" "0 0 headroom_exporter_problems 0.0" \
	"$? $(grep -c '^headroom_frames' none.prom) $(grep '^headroom_exporter_problems' none.prom)"
equal "no stream: others may read the file, and there is no other" "644 1" \
	"$(stat -c %a none.prom) $(find . -name 'none.prom*' | wc -l)"

# --- a stream, by HTTP and to statsd ---

port=$(free_port)
python3 "$root/tests/headroom_exporter/statsd.py" statsd.port > statsd.out 2>&1 &
statsd=$!
started+=("$statsd")
until_true test -e statsd.port
"$exporter" --listen "127.0.0.1:$port" --statsd "127.0.0.1:$(cat statsd.port)" \
	--textfile live.prom --every 0.1 2> exporter.err &
exporting=$!
started+=("$exporting")
until_true test -e live.prom
until_true scrape
equal "it listens on the loopback alone" "0100007F" \
	"$(awk -v port="$(printf %04X "$port")" '$4 == "0A" { split($2, at, ":"); if (at[2] == port) print at[1] }' /proc/net/tcp /proc/net/tcp6)"
refuses "somebody listens there already" 1 "cannot listen on 127.0.0.1:$port: Address already in use" \
	--listen "127.0.0.1:$port"

player -d 30 &
playing=$!
until_true is_in_state running
equal "a stream runs" "running 48000" "$(state) $(value rate_hertz)"
until_true has_played 24000
before=$(value frames_total)
if until_true has_played "$before"; then pass "its counters go up"; else fail "its counters go up" "$before"; fi
kill -STOP $playing
sleep 0.5
kill -CONT $playing
xrun() { scrape && [ "$(value device_xruns_total)" -gt 0 ]; }
if until_true xrun; then pass "it was held up"; else fail "it was held up" "$(cat scraped)"; fi
causes=(none program scheduler device)
equal "who was late" "${causes[$(counter play "Playback Xrun Cause")]}" \
	"$(sed -n 's/^headroom_last_xrun_cause{cause="\(.*\)",d.*name="play".*} 1.0/\1/p' scraped)"
kill -INT $playing
wait $playing
is_in_state closed
ended=$(value frames_total)
equal "it has ended: its counters stay" "closed yes" "$(state) $([ "$ended" -ge "$before" ] && echo yes)"
(player -s 9600)
scrape
equal "the next one goes on counting" "$((ended + 9600))" "$(value frames_total)"

# The file is whole whenever it is looked at.
why=
for ((looked = 0; looked < 60; looked++)); do
	[ "$(tail -n 1 live.prom | cut -d ' ' -f 1)" = headroom_exporter_read_seconds ] || why="it ends with: $(tail -n 1 live.prom)"
	sleep 0.01
done
equal "the file for node-exporter is always whole" "" "$why"
sleep 0.3
touch statsd.port.end
wait $statsd
equal "to statsd: as much as was counted" "headroom.play.playback.0.frames $((ended + 9600))" \
	"$(grep -v '^headroom' statsd.out; grep '\.frames ' statsd.out)"
equal "to statsd: what is now" "headroom.play.playback.0.rate_hertz 48000" "$(grep '\.rate_hertz ' statsd.out)"

amixer -q -D play cset iface=PCM,name='Headroom Playback Reset' on
scrape
equal "a reset" 0 "$(value frames_total)"

# --- what cannot be read; many streams ---

(player -s 4800)
head -c 1000 pages/play.playback.0 > short
chmod 600 short
mv short pages/other.playback.0
scrape
equal "a page that cannot be read: it is counted, and the others are read" "1.0 4800" \
	"$(sed -n 's/^headroom_exporter_problems //p' scraped) $(value frames_total)"
sleep 0.5
equal "a page that cannot be read: it is said once" 1 "$(grep -c other exporter.err)"
head -c 60000 /dev/urandom > pages/other.playback.0
scrape
equal "noise in a page" 4800 "$(value frames_total)"
rm pages/other.playback.0

players=()
for ((count = 0; count < 8; count++)); do
	player -d 20 &
	players+=($!)
done
eight() { scrape && [ "$(grep -c 'stream_state.*state="running"} 1.0' scraped)" -eq 8 ]; }
if until_true eight; then pass "eight streams at once"; else fail "eight streams at once" "$(grep -c running scraped)"; fi
# The least of many: others may be in the way.
least=$(python3 - "$port" <<'END'
import sys, time, urllib.request
times = []
for _ in range(30):
    begin = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics").read()
    times.append((time.perf_counter() - begin) * 1000)
print(f"{min(times):.1f}")
END
)
echo "# a scrape of eight streams takes $least ms"
if awk -v least="$least" 'BEGIN { exit !(least > 0 && least < 20) }'; then
	pass "eight streams: a scrape takes less than 20 ms"
else
	fail "eight streams: a scrape takes less than 20 ms" "$least ms"
fi
cp scraped eight.prom

# --- Debian's prometheus ---

equal "promtool finds nothing to say of the metrics" "" "$(promtool check metrics < eight.prom 2>&1)"
promtool check rules "$root/conf/headroom.rules.yml" > out 2>&1
equal "the alert rules are rules" 0 $?
sed "s|@RULES@|$root/conf/headroom.rules.yml|" "$root/tests/headroom_exporter/rules_test.yml.in" > rules_test.yml
promtool test rules rules_test.yml > out 2>&1
equal "each alert fires when it should, and only then" "0 " "$? $(grep -A 9 FAILED out)"
ask=$(free_port)
cat > prometheus.yml <<EOF
global: { scrape_interval: 500ms }
scrape_configs: [{ job_name: headroom, static_configs: [{ targets: ["127.0.0.1:$port"] }] }]
EOF
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb --log.level=error \
	--web.listen-address="127.0.0.1:$ask" 2> prometheus.err &
started+=($!)
asked() {
	python3 -c 'import json, sys, urllib.parse, urllib.request as r
query = urllib.parse.quote("count(headroom_stream_state{state=\"running\"} == 1)")
answer = json.load(r.urlopen(sys.argv[1] + "/api/v1/query?query=" + query, timeout=5))
print(answer["data"]["result"][0]["value"][1])' "http://127.0.0.1:$ask" 2> /dev/null
}
knows_eight() { [ "$(asked)" = 8 ]; }
looks=60
if until_true knows_eight; then pass "Prometheus scrapes it and knows of eight streams"; else
	fail "Prometheus scrapes it and knows of eight streams" "$(asked) $(tail -n 2 prometheus.err)"
fi
kill "${players[@]}"
wait "${players[@]}"

# --- statsd itself, as npm has it ---

# What it has by now, asked as an administrator would: "counters" or "gauges".
statsd_has() {
	python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
s.sendall((sys.argv[2] + "\n").encode())
said = b""
while not said.rstrip().endswith(b"END"):
    said += s.recv(65536) or sys.exit("it hung up")
sys.stdout.write(said.decode())' "$manage" "$1" 2>&1
}
counted_by_statsd() { statsd_has counters | sed -n "s/.*headroom\.play\.playback\.0\.$1'*: *\([0-9]*\),*$/\1/p"; }
has_all_new() { [ "$(counted_by_statsd frames)" = 14400 ]; }

node=${HEADROOM_NODE_DIR:-$build/node}
npm install --no-audit --no-fund --omit=optional --prefix "$node" statsd@0.9.0 > npm.out 2>&1 ||
	fail "npm installs statsd" "$(tail -n 2 npm.out)"
manage=$(free_port) listens=$(free_port)
cat > statsd.js <<EOF
{ address: "127.0.0.1", port: $listens, mgmt_address: "127.0.0.1", mgmt_port: $manage,
  backends: [], flushInterval: 3600000 }
EOF
"$node/node_modules/.bin/statsd" statsd.js > statsd.err 2>&1 &
started+=($!)
until_true statsd_has counters > out
"$exporter" --textfile own.prom --statsd "127.0.0.1:$listens" --every 0.1 2> own.err &
started+=($!)
until_true test -e own.prom
(player -s 14400)
if until_true has_all_new; then pass "statsd counts what is played from then on"; else
	fail "statsd counts what is played from then on" "$(counted_by_statsd frames), $(tail -qn 1 statsd.err own.err)"
fi
equal "statsd knows the rate" 48000 \
	"$(statsd_has gauges | sed -n "s/.*headroom\.play\.playback\.0\.rate_hertz'*: *\([0-9]*\),*$/\1/p")"
equal "statsd has seen no bad line" 0 "$(statsd_has stats | sed -n 's/^messages.bad_lines_seen: //p')"

# --- the service ---

sed "s|/usr/bin/headroom-exporter|$exporter|" "$root/conf/headroom-exporter.service" > headroom-exporter.service
equal "the service is one" "" "$(systemd-analyze verify --man=no "$work/headroom-exporter.service" 2>&1 | grep headroom)"
if systemd-analyze security --offline=yes --threshold=20 "$work/headroom-exporter.service" > out 2>&1; then
	pass "the service may do little"
else
	fail "the service may do little" "$(tail -n 1 out)"
fi

kill -TERM $exporting
wait $exporting
equal "it ends when it is told to" 0 $?

end_of_tests
