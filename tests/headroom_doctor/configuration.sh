# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What headroom-doctor says of a configuration. Sourced by tests/headroom_doctor.sh.
# shellcheck disable=SC2154 # the variables are that one's

# --- the configuration ---

# An editor that takes out the line that it is to begin at.
printf '#!/bin/sh\nsed -i "${1#+}d" "$2"\n' > bin/remover
chmod 755 bin/remover
export EDITOR=$work/bin/remover
well
cp home/.asoundrc good
sed -i '4i}' home/.asoundrc
cp home/.asoundrc broken
doctor mine
equal "a syntax error: exit status" 1 $?
finds "a syntax error: file and line" configuration hinders "$HOME/.asoundrc cannot .* line 4:"
equal "a syntax error: the module is not mentioned" "no such line no such line" \
	"$(has module both) $(has "control module" both)"
equal "a syntax error: what is not there without the file" 1 "$(grep -c 'the devices in it are gone, too' out)"
cp out syntax
mends "a syntax error: the line" configuration 0 mine "mine -> card"
cp syntax out
cp broken home/.asoundrc
has configuration 1 > typed
eval "$(has configuration 1)"
equal "a syntax error: without the file" "broken" \
	"$([ ! -e home/.asoundrc ] && cmp -s broken home/.asoundrc.broken && echo broken)"

# refuses NAME PATTERN DEFINITION [SLAVE]: that is found in a definition of wrong, and mended by
# the line; what follows it can still be read.
refuses() {
	{ cat good; printf '%s\n' "$3" 'defaults.pcm.rate_converter "any"'; } > home/.asoundrc
	doctor wrong
	finds "$1" configuration hinders "$2"
	mends "$1: the line" configuration 0 wrong "wrong -> ${4-(card|hw:|null)}"
}
refuses "a wrong value" "trigger is '120', allowed" \
	'pcm.wrong { type headroom slave.pcm "card" trigger 120 rt_priority 0 }' card
refuses "a key that is none" "unknown key 'triger'" \
	'pcm.wrong { type headroom slave.pcm "card" triger "80" }' card
refuses "a slave that is not there" "no device 'crad'" \
	'pcm.wrong { type headroom slave.pcm "crad" }' card
refuses "a wrong value, on a line of its own" "trigger is '120'" 'pcm.wrong { type headroom slave.pcm card }
pcm.wrong.trigger 120'
refuses "a wrong value of slave" "slave.period is '-1'" 'pcm.wrong { type headroom slave.pcm card slave.period -1 }'
refuses "a key of slave that is none" "'slave.peri'" 'pcm.wrong { type headroom slave { pcm card peri 1; } }'
refuses "clear above trigger" "clear is 95" 'pcm.wrong { type headroom slave.pcm card clear 95 }'
refuses "trigger below clear" "trigger is 40" 'pcm.wrong { type headroom slave.pcm card trigger 40 }'
refuses "the name of a PCM for a slave" "slave takes" 'pcm.wrong { type headroom slave "card" }'
refuses "no slave" "no slave is given" 'pcm.wrong { type headroom }'
refuses "a wrong default" "depth_ms is '-1'" "<$here/conf/50-headroom.conf>
defaults.headroom.slave card
defaults.headroom.depth_ms -1
pcm.wrong headroom"

{ cat good; printf 'pcm.a "b"\npcm.b "a"\n'; } > home/.asoundrc
doctor a
finds "a circle" configuration hinders "back to itself"
{ cat good; printf 'pcm.open { type null # }\npcm.c { type null }\n'; } > home/.asoundrc
doctor mine
finds "a brace that is not closed" configuration hinders "the brace opened in line $(grep -n 'pcm.open' home/.asoundrc | cut -d: -f1) is not closed"
mends "a brace that is not closed: the line" configuration 0 mine "mine -> card"
{ cat good; printf '# no end'; } > home/.asoundrc
doctor new
mends "a file whose last line has no end: the line" configuration 1 new "new -> (hw:|card|null)"
cp good home/.asoundrc
doctor new
finds "a device that is not there" configuration hinders "no device 'new'"
equal "a device that is not there: which there are" 1 "$(grep -c '"Those that go through headroom: mine, real"' out)"
gives "a device that is not there: a line" configuration 0 "$program mine"
doctor
finds "no device is named" configuration hinders "no device 'headroom'"
doctor new
mends "a device that is not there: the line" configuration 1 new "new -> (hw:|card|null)"
finds "a device that is not there: its counters, too" "control device" ok "amixer -D new"
{ cat good; echo 'pcm.!default "card"'; } > home/.asoundrc
doctor default
finds "the default goes past headroom" configuration hinders "'default' does not go through"
mends "the default goes past headroom: the line" configuration 0 default "watched -> card"
equal "the default goes through headroom: exit status" 0 "$(/usr/bin/python3 -c \
	'import json; print(json.load(open("out"))["exit_status"])')"
{ grep -v ctl.mine good; } > home/.asoundrc
doctor mine
finds "no control device" "control device" hinders "'mine'"
mends "no control device: the line" "control device" 0 mine "amixer -D mine"
# --- words that are nearly right ---

{ grep -v ctl.mine good; echo 'ctl.mine { type headrom }'; } > home/.asoundrc
doctor mine
finds "a control device of a misspelt type" "control device" hinders "'headrom': did you mean headroom"
mends "a control device of a misspelt type: the line" "control device" 0 mine "amixer -D mine"
{ cat good; echo 'pcm.headrom { type headrom slave.pcm card rt_priority 0 }'; } > home/.asoundrc
doctor headrom
finds "a misspelt type" configuration hinders "'headrom': did you mean headroom"
equal "a misspelt type: no package is proposed" 0 "$(grep -c libasound2-plugins out)"
mends "a misspelt type: the line" configuration 0 headrom "headrom -> card"
# misspelt NAME RIGHT DEFINITION: of wrong; the line puts RIGHT there.
misspelt() {
	{ cat good; printf '%s\n' "$3"; } > home/.asoundrc
	doctor wrong
	mends "$1: the line" configuration 0 wrong "wrong -> card"
	equal "$1: what is there then" 1 "$(grep -cF -- "$2" home/.asoundrc)"
}
misspelt "a misspelt key" "depth_ms 500" 'pcm.wrong { type headroom slave.pcm card depth 500 }'
misspelt "a misspelt key like another" "on_overrun drop" 'pcm.wrong { type headroom slave.pcm card on_overun drop }'
misspelt "a misspelt slave" "slave.pcm card }" 'pcm.wrong { type headroom slave.pmc card }'
{ cat good; echo 'pcm.wrong { type headroom nonsense card }'; } > home/.asoundrc
doctor wrong
gives "the only thing that may be the slave is not taken out" configuration 0 \
	"$EDITOR +$(grep -n pcm.wrong home/.asoundrc | cut -d: -f1) $HOME/.asoundrc"
{ cat good; echo 'pcm.wrong { type headroom slave.pcm card depth_ms -1 }'; } > home/.asoundrc
doctor wrong
equal "a wrong value: what holds without it" 1 "$(grep -c 'Or take it out to use the default (2000)' out)"
misspelt "a number that is too large" "depth_ms 60000 }" 'pcm.wrong { type headroom slave.pcm card depth_ms 70000 }'
misspelt "a number that is too small" "latency_samples = 16;" \
	'pcm.wrong { type headroom; slave.pcm card; latency_samples = 3; }'
misspelt "a number in quotes" 'trigger "100" }' 'pcm.wrong { type headroom slave.pcm card trigger "1000" }'
misspelt "a misspelt word" "on_overrun drop }" 'pcm.wrong { type headroom slave.pcm card on_overrun drpo }'
{ cat good; echo 'pcm.wrong { type headroom slave.pcm card depth_ms two }'; } > home/.asoundrc
doctor wrong
mends "no number at all is only taken out: the line" configuration 0 wrong "wrong -> card"
equal "no number at all is only taken out" "pcm.wrong { type headroom slave.pcm card }" \
	"$(tail -n 1 home/.asoundrc | tr -s ' ')"
cat > defaults.py << END
import sys
sys.path.insert(0, '$work/tree/scripts')
from headroom_doctor_names import DEFAULTS
text = ' '.join(open('$here/conf/50-headroom.conf').read().replace('"', '').split())
print([key for key, value in DEFAULTS.items()
       if f'defaults.headroom.{key.replace(".", "_")} {value} ' not in text])
END
equal "the defaults that it names are those" "[]" "$(/usr/bin/python3 defaults.py)"
{ cat good; echo 'pcm.a_speech { type headroom slave.pcm card }'; echo 'pcm.speech { type headroom slave.pcm card }'; } > home/.asoundrc
doctor speach
gives "a misspelt device" configuration 0 "$program speech"

# unread NAME PATTERN TEXT: what is wrong in a file that cannot be read, of which TEXT begins in
# line 100.
unread() {
	{ cat good; yes '# more' | head -n $((99 - $(wc -l < good))); printf '%s\n' "$3"; } > home/.asoundrc
	doctor mine
	finds "$1" configuration hinders "$2"
	equal "$1: it shows the line" 1 "$(grep -c "\"line ${2//[!0-9]/}: " out)"
}
unread "a value that is forgotten" "in line 101 'trigger' has no value" 'pcm.wrong { type headroom slave.pcm card
	trigger
	clear 70
}'
unread "a value that is forgotten, the last" "in line 100 'slave.pcm' has no value" 'pcm.wrong { type headroom slave.pcm
}
ctl.wrong { type headroom }'
unread "a quote that is not closed" "the quote opened in line 100 is not closed" 'pcm.wrong { type headroom slave.pcm "card }
ctl.wrong { type headroom name "x" }'
unread "a brace too many" "no brace is open that line 102 could close" 'pcm.wrong { @args [ A B ] type null
}
}'

# edits NAME LINE EDITOR PROGRAM…: where those programs are, and no other, LINE opens the file.
edits() {
	local name=$1 wanted=$2 own=$3 program
	shift 3
	rm -rf editors
	mkdir editors
	for program; do ln -s /bin/true "editors/$program"; done
	equal "$name" "$wanted" "$(PATH=$work/editors EDITOR=$own PYTHONPATH=$work/tree/scripts /usr/bin/python3 -c '
import headroom_doctor_patient
print(headroom_doctor_patient.edit("good", 7))' 2>&1)"
}
edits "an editor of one's own" "mine -x +7 good" "mine -x" mine sensible-editor vi
edits "one of one's own that is not there" "sensible-editor +7 good" "mine -x" sensible-editor vi nano
edits "what calls an editor, and there is none" "# good, line 7" "" sensible-editor
edits "no editor but nano" "nano +7 good" "" nano
edits "no editor but vi" "vi +7 good" "" vi
edits "no editor" "# good, line 7" ""

# The demo's devices are known only where its variables are.
mkdir -p tree/build/demo
printf 'export ALSA_CONFIG_PATH=%s HEADROOM_DIR=%s\n' "$work/demo.conf" "$work/pages" > tree/build/demo/env
{ echo '</usr/share/alsa/alsa.conf>'; echo 'pcm.tape { type clocked }'; } > demo.conf
{ cat good; echo 'pcm.wrong { type headroom slave.pcm tape }'; } > home/.asoundrc
doctor wrong
gives "a device of the demo" configuration 0 ". $work/tree/build/demo/env"
mends "a device of the demo: the line" configuration 0 wrong "wrong -> tape"
export HEADROOM_DIR=$work/pages
unset ALSA_CONFIG_PATH
rm -r tree/build/demo

# --- noise ---

why=
for seed in 1 2; do
	/usr/bin/python3 -c "import random; random.seed($seed)
open('home/.asoundrc', 'wb').write(bytes(random.getrandbits(8) for _ in range(3000)))"
	doctor mine
	case $? in 0 | 1 | 2) ;; *) why="exit status $?" ;; esac
	[ ! -s err ] || why=$(tail -n 1 err)
done
if [ -z "$why" ]; then pass "noise for a configuration"; else fail "noise for a configuration" "$why"; fi
