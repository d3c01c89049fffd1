#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# The documents: the man pages are without faults and say what the source says; and what
# README.md, the guide and the pages' examples tell one to type is typed, with a virtual card
# in place of each card and sound server.
#
# usage: tests/documents.sh BUILD   (a build folder of meson)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
build=$(cd "${1:?usage: tests/documents.sh BUILD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset ALSA_CONFIG_PATH ALSA_PLUGIN_DIR ALSA_CARD XDG_CONFIG_HOME EDITOR
export HOME=$work/home HEADROOM_DIR=$work/pages PYTHONDONTWRITEBYTECODE=1 COLUMNS=80
export PATH=$work/bin:$PATH
tools=(doctor exporter log record report top)
pages=("$here"/scripts/man/*.[15])
mkdir bin help
cp "$here"/scripts/headroom-* "$here"/scripts/headroom_*.py bin/
cp "$build/scripts/headroom-log" bin/

# What is not typed, and why; wanted: what else may come of it than the exit status 0.
judge() {
	wanted=0 why=
	case $1 in
	*sudo\ *) why="it takes root, and most of it changes the machine" ;;
	"chmod "*/dev/shm/*) why="it changes the folder of whoever runs this" ;;
	"systemctl "* | "pasuspender "*) why="it takes a sound server" ;;
	"alsactl "* | "amixer -c "* | "fuser "*/dev/snd/* | *"--remove-elements "*)
		why="it takes a card, see tests/vm.sh" ;;
	". build/demo/env") why="the demo makes it" ;;
	./scripts/bench*) why="it takes minutes on an idle machine" ;;
	./scripts/* | scripts/* | tests/* | "meson "* | "shellcheck "*)
		why="scripts/test does it, or the like" ;;
	# Until somebody ends it.
	headroom-top | *" --plain "* | "headroom-exporter" | *" --listen "* | *" --statsd "* | \
		*" events"* | *" sleep 8h") wanted=124 ;;
	# It says what it finds on this machine.
	headroom-doctor*) wanted="0 1 2" ;;
	"aplay -l"*) wanted="0 1" ;;
	# Nothing has played in that night.
	"headroom-report night.jsonl") wanted=1 ;;
	"ls "*/dev/shm/*) wanted="0 2" ;;
	# What is refused, as is told there.
	*" Clear' 85" | *" Frames' 0") wanted=1 ;;
	esac
}

# strangers COMMAND: programs of ours and their options in it that there are not.
strangers() {
	local word words program=
	read -r -d '' -a words <<< "$1"
	for word in "${words[@]}"; do
		word=${word%;}
		case $word in
		-- | '|' | '#') program= ;;
		headroom-* | scripts/* | ./scripts/* | tests/*)
			program=$(command -v "$word" || realpath -e "$here/$word" 2> /dev/null)
			[ -n "$program" ] || compgen -G "$here/$word" > /dev/null || echo "$word"
			[ ! -f "help/$word" ] || program=$work/help/$word ;;
		--*) [ -z "$program" ] || grep -qE -- "$word([^-a-z]|$)" "$program" || echo "$word" ;;
		-?) [[ $program != "$work"/help/* ]] || grep -qE -- "[ ,[]$word([^-a-z]|$)" "$program" ||
			echo "$word" ;;
		esac
	done
}

# typed NAME COMMAND: after the functions that were defined before in the same block.
typed() {
	local status odd
	odd=$(strangers "$2")
	if [ -n "$odd" ]; then
		fail "$1" "there is no $odd"
		return
	fi
	judge "$2"
	if [ -n "$why" ]; then
		pass "$1 (not typed: $why)"
		return
	fi
	(cd tree && exec timeout -s INT "$([ "$wanted" = 124 ] && echo 2 || echo 60)" \
		bash -o pipefail -c "$functions$2") > out 2> err < /dev/null
	status=$?
	if [[ " $wanted " == *" $status "* ]] && ! grep -qE 'Traceback|^bash: ' err; then
		pass "$1"
	else
		fail "$1" "exit status $status: $(tail -n 3 err)"
	fi
}

# type_block FILE NAME: each command of it, a command being as many lines as bash takes for
# whole.
type_block() {
	local line command='' complaint='' functions=''
	while IFS= read -r line; do
		command+=${command:+$'\n'}$line
		complaint=$(bash -n <<< "$command" 2>&1)
		[ -z "$complaint" ] || continue
		case $command in
		'' | '#'*) ;;
		*'() {'*) functions+=$command$'\n' ;;
		*) typed "$2: ${command%%$'\n'*}" "${command%%  *#*}" ;;
		esac
		command=
	done < "$1"
	[ -z "$command" ] || fail "$2: ${command%%$'\n'*}" "$complaint"
}

# opens NAME FILE: the devices that are defined there, and nowhere else, can be opened.
opens() {
	local kind device
	cat base "$2" > home/.asoundrc
	while IFS=. read -r kind device; do
		if [ "$kind" = pcm ]; then
			aplay -q -D "$device" tree/sound.wav > out 2> err
		else
			amixer -D "$device" contents > out 2> err
		fi
		equal "$1: $kind.$device" "0 " "$? $(grep -v 'sound goes on' err)"
	done < <(sed -nE 's/^(pcm|ctl)\.!?([a-z]+) .*/\1.\2/p' "$2")
}

# As if headroom were installed, and the machine had cards and sound servers.
make_base() {
	local name
	printf 'pcm_type.%s.lib "%s"\n' \
		headroom "$build/plugin/libasound_module_pcm_headroom.so" \
		clocked "$build/tests/clocked/libasound_module_pcm_clocked.so"
	printf 'ctl_type.headroom.lib "%s"\n' "$build/plugin/libasound_module_ctl_headroom.so"
	echo "<$here/conf/50-headroom.conf>"
	for name in hw plughw sysdefault pipewire dmix; do
		echo "pcm.!$name { @args [ CARD DEV ] @args.CARD { type string default \"0\" }
			@args.DEV { type integer default 0 } type clocked }"
	done
}

# document FILE: all that is in it, as if it were read from the top to the end.
document() {
	local name=${1#"$here/"} file line
	rm -rf home tree pages blocks
	mkdir home tree blocks
	ln -s "$here"/{scripts,tests} tree/
	ln -s "$build" tree/build
	cp sound.wav tree/
	python3 "$here/tests/documents/blocks.py" "$1" blocks
	: > blocks/00000.conf
	# A user and a group that there are.
	sed -i "s/ipc_gid monitor/ipc_gid $(id -g)/; s/user \"service\"/user \"$(id -u)\"/" blocks/*.conf
	for file in blocks/*; do
		line=${file#blocks/}
		line=$name:$((10#${line%.*}))
		case $file in
		*.conf) opens "$line" "$file" ;;
		*.said) said+=$(while IFS= read -r text; do strangers "$text"; done < "$file" | sed "s|^| $line: |") ;;
		esac
	done
	cat base blocks/*.conf > home/.asoundrc
	for file in blocks/*.sh; do
		[ ! -f "$file" ] || type_block "$file" "$name:$((10#$(basename "$file" .sh)))"
	done
}

# --- the pages ---

for page in "${pages[@]}"; do
	equal "${page##*/}: man" "" "$(LC_ALL=C MANWIDTH=80 man --warnings -l "$page" 2>&1 > out)"
	equal "${page##*/}: groff" "" "$(groff -ww -z -mandoc "$page" 2>&1)"
	equal "${page##*/}: fits in 80 columns" "" "$(awk 'length > 80' out)"
done
equal "all keys, their values and defaults" "" "$(python3 "$here/tests/documents/facts.py" keys 2>&1)"
equal "all elements, their types and ranges" "" "$(python3 "$here/tests/documents/facts.py" elements 2>&1)"
for tool in "${tools[@]}"; do
	"headroom-$tool" --help > "help/headroom-$tool"
	equal "headroom-$tool: all options" "" \
		"$(python3 "$here/tests/documents/facts.py" options "headroom-$tool" "help/headroom-$tool" 2>&1)"
done

# --- what is to be typed ---

python3 -c 'import sys, wave
with wave.open(sys.argv[1], "wb") as sound:
    sound.setparams((2, 2, 48000, 4800, "NONE", ""))
    sound.writeframes(bytes(4 * 4800))' sound.wav
make_base > base
said=
for file in "$here/README.md" "$here/conf/troubleshooting.md" "$here/conf/asoundrc.example" \
	"${pages[@]}"; do
	document "$file"
done

# The guide's lines change a definition, however its slave is written.
grep -oE "'pcm\.mine\.[^']+'" "$here/conf/troubleshooting.md" | tr -d "'" | sort -u > changes
for slave in 'slave.pcm "hw:0"' 'slave.pcm { type clocked }' \
	'slave { pcm { type clocked } period 480 }'; do
	refused=
	while IFS= read -r line; do
		printf '%s\n' "pcm.mine { type headroom $slave }" "$line" | cat base - > home/.asoundrc
		aplay -q -D mine tree/sound.wav > out 2> err || refused+="$line: $(tail -n 1 err)"
	done < changes
	equal "the guide's $(wc -l < changes) changes of $slave" "" "$refused"
done

equal "programs and options that are named in the text" "" "$said"

end_of_tests
