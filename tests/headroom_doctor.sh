#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# headroom-doctor: each thing that it finds is brought about, and the line that it gives
# is typed, where that can be done without changing this machine. What it takes a sound
# card for is in a folder of its own, see HEADROOM_DOCTOR_ROOT in
# scripts/headroom_doctor_machine.py; processes and limits are real ones.
#
# usage: tests/headroom_doctor.sh BUILD   (a build folder of meson)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
build=$(cd "${1:?usage: tests/headroom_doctor.sh BUILD}" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
children=()
finish() {
	[ ${#children[@]} -eq 0 ] || kill -KILL "${children[@]}" 2> /dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
unset ALSA_CONFIG_PATH ALSA_PLUGIN_DIR XDG_CONFIG_HOME SUDO_USER EDITOR HEADROOM_DOCTOR_ROOT
export HOME=$work/home HEADROOM_DIR=$work/pages PYTHONDONTWRITEBYTECODE=1 COLUMNS=80
mkdir -p home empty tree/scripts tree/build root bin
# As in a folder of the source, with what this build has made.
cp "$here"/scripts/headroom-doctor "$here"/scripts/headroom_*.py tree/scripts/
ln -s "$build/scripts/headroom-log" tree/scripts/headroom-log
ln -s "$build/plugin" tree/build/plugin
program=$work/tree/scripts/headroom-doctor

# has CHECK FIELD: of the last run; FIELD is status, says, both, or a number: that line to
# type. What is not ok goes first.
cat > has.py << 'END'
import json
shown = {}
for finding in json.load(open('out'))['findings']:
    if shown.get(finding['check'], 'ok') == 'ok':
        shown[finding['check']] = finding['status']
        lines = [(i, mend['line']) for i, mend in enumerate(finding['mend'])]
        both = f"{finding['status']} {finding['says']}"
        for field, value in [*lines, ('says', finding['says']), ('status', finding['status']), ('both', both)]:
            print(finding['check'], field, value, sep='\t')
END
has() {
	[ found -nt out ] || /usr/bin/python3 has.py > found 2> /dev/null
	# Of two findings the last is meant: the first was ok.
	awk -F '\t' -v check="$1" -v field="$2" '$1 == check && $2 == field { value = $3; n = 1 }
		END { print n ? value : "no such line" }' found
}

doctor() { timeout 60 "$program" --json "$@" > out 2> err; }

# finds NAME CHECK STATUS PATTERN: the last run has found that, and not fallen.
finds() {
	local found
	found=$(has "$2" both)
	if [ -s err ]; then
		fail "$1" "it says: $(tail -n 3 err)"
	elif grep -Eq -- "^$3 .*($4)" <<< "$found"; then
		pass "$1"
	else
		fail "$1" "$found"
	fi
}

# mends NAME CHECK LINE DEVICE [PATTERN]: with that line of the last run typed, all is well
# with that check, and it says PATTERN.
mends() {
	local line found
	line=$(has "$2" "$3")
	if ! eval "$line" > typed 2>&1; then
		fail "$1" "'$line' ends with $?: $(tail -n 1 typed)"
		return
	fi
	doctor "$4"
	found=$(has "$2" both)
	if grep -Eq -- "^ok .*(${5-})" <<< "$found"; then
		pass "$1"
	else
		fail "$1" "after '$line': $found"
	fi
}

# gives NAME CHECK LINE TEXT: that line of the last run is TEXT.
gives() { equal "$1" "$4" "$(has "$2" "$3")"; }

asoundrc() {
	{
		printf 'pcm_type.clocked.lib "%s"\n' "$build/tests/clocked/libasound_module_pcm_clocked.so"
		printf '%s_type.headroom.lib "%s"\n' pcm "$build/plugin/libasound_module_pcm_headroom.so" \
			ctl "$build/plugin/libasound_module_ctl_headroom.so"
		cat
	} > home/.asoundrc
}

well() {
	asoundrc << 'END'
pcm.card { type clocked }
pcm.mine { type headroom slave.pcm card rt_priority 0 depth_ms 100 }
ctl.mine { type headroom }
pcm.real { type headroom slave.pcm "hw:0" rt_priority 0 }
ctl.real { type headroom }
END
}

# --- how it is called, and all well ---

widest() { awk '!/^             / && length > most { most = length } END { print most + 0 }' "$1"; }

if "$program" --help > out 2> err && [ "$(widest out)" -le 80 ]; then
	pass "it has a help"
else
	fail "it has a help" "$(cat err)"
fi
"$program" --nonsense > out 2> err
equal "an option that it does not know" 2 $?
"$program" "" > out 2> err
equal "an empty device" 2 $?

well
"$program" mine > out 2> err
equal "all is well: exit status" "0 " "$? $(grep -E 'HINDERS|unknown' out err)"
equal "all is well: it says so" "Nothing hinders 'mine'." "$(tail -n 1 out)"
equal "it leaves nothing behind" "" "$(ls -d pages 2> /dev/null)"
aplay -q -D mine -t raw -f S16_LE -r 48000 -c 2 /dev/zero 2> err.play &
player=$!
children+=("$player")
plays() { [ "$(counter mine 'Playback State')" = 4 ]; }
until_true plays
before=$(counter mine 'Playback Process')
doctor mine
equal "beside a stream: exit status" 0 $?
equal "beside a stream: it is the same one" "$player $before" "$player $(counter mine 'Playback Process')"
{ kill -KILL $player; wait $player; } 2> /dev/null
doctor mine
equal "a stream that was killed" 1 "$(grep -c "\"says\": \"$work/pages\"" out)"
{ head -c 200000 /dev/zero; sleep 2; head -c 200000 /dev/zero; } |
	aplay -q -D mine -t raw -f S16_LE -r 48000 -c 2 2> err.play
doctor mine
finds "a gap a moment ago" counters note "[0-9] gaps?.* [0-9]+ s ago, (the program|headroom) "
equal "a gap a moment ago: nothing hinders" "$work/tree/scripts/headroom-log mine" "$(has counters 0)"
doctor real
finds "one that no stream has run under" counters ok "no stream has run under 'real', but under: mine\$"

# It takes its time: meanwhile there is something else to do.
mkfifo nobody_reads
sed 's/pcm.card {.*/pcm.card { type clocked heard "nobody_reads" }/' home/.asoundrc > hanging.conf
sed -i "s,nobody_reads,$work/nobody_reads," hanging.conf
ALSA_CONFIG_PATH=$work/hanging.conf timeout 60 "$program" --json mine > hang.out 2> hang.err &
hanging=$!
children+=("$hanging")

# --- the modules ---

: > home/.asoundrc
export ALSA_PLUGIN_DIR=$work/empty
COLUMNS=40 "$program" null > out 2> err
equal "a narrow terminal: only paths and lines to type are wider" "" \
	"$(awk '!/^             / && length > 40 && NF > 1' out err)"
doctor null
equal "no modules: exit status" 1 $?
finds "no module" module hinders "$work/empty/libasound_module_pcm_headroom.so, and it is not there"
finds "no control module" "control module" hinders "libasound_module_ctl_headroom.so"
cp out both
mends "no module: the line" module 0 null libasound_module_pcm_headroom
cp both out
mends "no control module: the line" "control module" 0 null libasound_module_ctl_headroom
unset ALSA_PLUGIN_DIR

sed 's/module_pcm_headroom/module_pcm_elsewhere/' home/.asoundrc > changed
printf 'pcm_type.headroom.lib "%s"\n' /nowhere/libasound_module_pcm_headroom.so > home/.asoundrc
grep ctl_type changed >> home/.asoundrc
doctor null
finds "a module elsewhere than is said" module hinders "/nowhere/.* it is not there"
mends "a module elsewhere: the line" module 0 null libasound_module_pcm_headroom
echo "no module" > bad.so
printf 'pcm_type.headroom.lib "%s"\n' "$work/bad.so" > home/.asoundrc
doctor null
finds "a module that is none" module hinders "bad.so cannot be loaded"
mends "a module that is none: the line" module 0 null libasound_module_pcm_headroom
: > empty/libasound.so.2
LD_LIBRARY_PATH=$work/empty doctor mine
equal "no alsa-lib: exit status" 1 $?
finds "no alsa-lib" module hinders "alsa-lib itself"
rm empty/libasound.so.2

# shellcheck source=tests/headroom_doctor/configuration.sh
. "$here/tests/headroom_doctor/configuration.sh"

# --- the device ---

# What the card answers when it is opened is where its header says.
cat > offset.c << 'END'
#include <stdio.h>
#include "tests/clocked/command.h"
int main(void) { printf("%zu %zu", offsetof(struct clocked_words, open_errno), sizeof(struct clocked_words)); }
END
cat > crash.c << 'END'
#include <stdlib.h>
int _snd_pcm_crash_open(void) { abort(); }
char __snd_pcm_crash_open_dlsym_pcm_001;
END
cc -D_GNU_SOURCE -I"$here" -o offset offset.c && cc -shared -fPIC -o crash.so crash.c ||
	fail "what the tests need is built"
read -r offset size < <(./offset)
truncate -s "$size" command
printf '\020' | dd of=command bs=1 seek="$offset" conv=notrunc status=none
asoundrc << END
pcm_type.crash.lib "$work/crash.so"
pcm.busy_card { type clocked command "$work/command" }
pcm.busy { type headroom slave.pcm busy_card }
pcm.crashing { type headroom slave.pcm { type crash } }
pcm.lacking { type headroom slave.pcm { type no_such_plugin } }
pcm.real { type headroom slave.pcm "hw:0" rt_priority 0 }
pcm.jacked { type headroom slave.pcm { type jack } }
ctl.real { type headroom }
END
doctor busy
finds "a device that is busy, nobody knows by whom" free hinders "is held"
wait "$hanging"
cp hang.out out
cp hang.err err
finds "a device that hangs" device hinders "no answer"
doctor crashing
finds "a plug-in that crashes" device hinders "crashed .SIGABRT"
doctor lacking
finds "another plug-in that is not there" device hinders "plug-in 'no_such_plugin'"
doctor jacked
case $(has device says) in
*"needs JACK"*)
	finds "a server that does not run" device hinders "needs JACK"
	gives "a server that does not run: the line" device 0 "$(sed 's/$/ \&/' <<< "jackd -d ${cards:-$(
		[ -s /proc/asound/cards ] && echo alsa || echo dummy)}")" ;;
*) pass "a server that does not run # SKIP one runs" ;;
esac

export HEADROOM_DOCTOR_ROOT=$work/root
printf '#!/bin/sh\nexit 1\n' > bin/modinfo
chmod 755 bin/modinfo
PATH=$work/bin:$PATH doctor real
equal "no card: exit status" 1 $?
finds "no card" device hinders "no sound card"
gives "no card, and none to be had" device 0 "no such line"
echo '#!/bin/sh' > bin/modinfo
PATH=$work/bin:$PATH doctor real
equal "no card, but one to be had" "modprobe snd-aloop" "$(has device 0 | grep -o 'modprobe snd-aloop')"
doctor default
finds "no card: what the default is" configuration unknown "what 'default' means depends on a sound card"
mkdir -p root/sys/bus/pci/devices/0000:00:1b.0
echo 0x040300 > root/sys/bus/pci/devices/0000:00:1b.0/class
echo pci:something > root/sys/bus/pci/devices/0000:00:1b.0/modalias
doctor real
gives "a card without a driver: the line" device 0 "$(
	[ "$(id -u)" -eq 0 ] || echo 'sudo ')modprobe \"\$(cat $work/root/sys/bus/pci/devices/0000:00:1b.0/modalias)\""

mkdir -p root/proc/asound/card0/pcm0p/sub0 root/proc/asound/card0/pcm0c/sub0 root/dev/snd
cat > root/proc/asound/cards << 'END'
 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xf7f10000 irq 31
END
: > root/dev/snd/pcmC0D0p
status=root/proc/asound/card0/pcm0p/sub0/status
echo closed > $status
sed -i 's/"hw:0"/"hw:3,0"/' home/.asoundrc
doctor real
finds "another card" device hinders "no card '3'"
mends "another card: the line" device 0 real
equal "another card: it has the name of one that is there" 1 "$(grep -c '"hw:PCH,0"' home/.asoundrc)"
finds "it is free" free ok "nobody"
cp home/.asoundrc before
sed -i 's/slave.pcm "hw:PCH,0"/slave.pcm { type hw card 3 }/' home/.asoundrc
doctor real
mends "another card, in a definition of its own: the line" device 0 real
echo "<$here/conf/50-headroom.conf>" >> home/.asoundrc
doctor headroom
finds "the usual card is not there" configuration hinders "'sysdefault' means card '0'"
mends "the usual card is not there: the line" configuration 0 headroom "headroom -> hw:PCH"
cp before home/.asoundrc
doctor real
equal "not all can be judged: exit status" 2 $?
finds "a card whose elements cannot be read" "card elements" unknown "hw:0 cannot be read"

# held_by NAME: a process of that name has the node open.
held_by() {
	cp "$(command -v sleep)" "bin/$1"
	"bin/$1" 60 < root/dev/snd/pcmC0D0p &
	holder=$!
	children+=("$holder")
	printf 'state: RUNNING\nowner_pid   : %s\n' "$holder" > $status
	until_true test "$(cat /proc/$holder/comm)" = "$1"
}
let_go() {
	wait "$holder" 2> /dev/null
	echo closed > $status
}
held_by recorder
doctor real
equal "held by a program: exit status" 1 $?
finds "held by a program" free hinders "recorder \(process $holder\)"
eval "$(has free 0)"
let_go
if is_gone "$holder"; then pass "held by a program: the line"; else fail "held by a program: the line"; fi
doctor real
finds "held no more" free ok "nobody"
held_by pulseaudio
doctor real
finds "held by PulseAudio" free hinders "pulseaudio \(process $holder\)"
gives "held by PulseAudio: a line" free 0 "pasuspender -- aplay -D real sound.wav"
cp home/.asoundrc before
eval "$(has free 1)"
equal "held by PulseAudio: the line that goes through it" 1 \
	"$(grep -c 'pcm.real { type headroom slave.pcm "pulse" rt_priority 0 }' home/.asoundrc)"
cp before home/.asoundrc
# There may be others.
equal "a sound server" 1 "$(grep -c "\"PulseAudio runs: .*pulseaudio (process $holder)" out)"
line=$(has free 2)
eval "$line"
let_go
if is_gone "$holder"; then pass "held by PulseAudio: the line that ends it"; else fail "held by PulseAudio: $line"; fi

well
aplay -q -D mine -t raw -f S16_LE -r 48000 -c 2 /dev/zero 2> err.play 9< root/dev/snd/pcmC0D0p &
holder=$!
children+=("$holder")
printf 'state: RUNNING\nowner_pid   : %s\n' "$holder" > $status
until_true test -e pages/mine.playback.0
until_true grep -q pcm_headroom "/proc/$holder/maps"
doctor real
finds "held by a program that goes through headroom" free ok "through headroom, by aplay \(process $holder\)"
kill -INT "$holder"
wait "$holder" 2> /dev/null
doctor real
finds "it has ended meanwhile" free hinders "process $holder"
echo closed > $status

# Counters of a stream on a card: here those of a control device, which none has locked.
cat >> home/.asoundrc << 'END'
ctl.!hw { @args [ CARD ] @args.CARD { type string } type headroom name mine }
END
doctor real
finds "elements left over" "card elements" note "[0-9]+ elements .* hw:0"
eval "$(has "card elements" 0)" > out 2> err
equal "elements that cannot be removed: exit status" 1 $?
equal "elements that cannot be removed: it says so" 1 "$(grep -c '^headroom-doctor: hw:0: 0 removed' err)"
sed -i 's/hw:0" rt/hw:0" card_elements keep rt/' home/.asoundrc
doctor real
finds "elements that are to be kept" "card elements" ok "keep"

head -c 2000 /dev/urandom > $status
head -c 2000 /dev/urandom >> root/proc/asound/cards
doctor real
finds "noise for a card" module ok pcm_headroom
unset HEADROOM_DOCTOR_ROOT

# shellcheck source=tests/headroom_doctor/limits.sh
. "$here/tests/headroom_doctor/limits.sh"

# --- the folder of the counters ---

# problem: what is wrong with the folder, then the line that mends it.
cat > problem.py << END
import sys
sys.path.insert(0, '$work/tree/scripts')
from headroom_doctor_counters import check_counters
class NoDevice:
    def is_read(self): return False
finding = list(check_counters(NoDevice()))[0]
print(finding.status, finding.says)
print(finding.mend[0][1] if finding.mend else '')
END
# folder NAME PATTERN
folder() {
	local line
	/usr/bin/python3 problem.py > out 2> err
	if ! head -n 1 out | grep -Eq "^hinders .*$2"; then
		fail "$1" "$(cat out err)"
		return
	fi
	line=$(tail -n 1 out)
	eval "$line"
	equal "$1" "ok ${HEADROOM_DIR-/dev/shm/headroom-$(id -u)}" "$(/usr/bin/python3 problem.py | sed -n 1p)"
}
export HEADROOM_DIR=$work/one
: > one
folder "counters: a file in its place" "is no folder"
mkdir one && chmod 777 one
folder "counters: others can write" "written by others"
ln -s one link
HEADROOM_DIR=$work/link
folder "counters: a link" "is a link"
HEADROOM_DIR=$work/no/such/folder
folder "counters: nothing to make it in" "no/such does not exist"
HEADROOM_DIR=$work/one
limited=$(ulimit -S -f)
ulimit -S -f 8
folder "counters: no file may be so large" "RLIMIT_FSIZE"
ulimit -S -f "$limited"
if [ "$(id -u)" -eq 0 ]; then
	mkdir strange && chown nobody strange
	export HEADROOM_DIR=$work/strange
	folder "counters: somebody else's" "belongs to nobody"
	mkdir full
	export HEADROOM_DIR=$work/full
	# shellcheck disable=SC2016 # the inner shell's
	if unshare -m true 2> /dev/null; then
		unshare -m sh -c 'mount -t tmpfs -o size=16k,mode=700 tmpfs full && /usr/bin/python3 problem.py' > out 2> err
		equal "counters: no room" "hinders $work/full: No space left on device" "$(head -n 1 out)"
	fi
fi

end_of_tests
