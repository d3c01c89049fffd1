# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What headroom-doctor says of what a user may. Sourced by tests/headroom_doctor.sh.
# shellcheck disable=SC2154 # the variables are that one's

# --- limits ---

# A terminal of a user who may nothing. nice and chrt: so that the tests may be run in the idle
# class.
well
sed -i 's/rt_priority 0 depth_ms 100/depth_ms 1000/' home/.asoundrc
[ "$(id -u)" -ne 0 ] || chown nobody home
as_user=()
nobody=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
	nobody=nobody
	as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all --bounding-set=-all)
fi
mkfifo typed_in
mkdir -p limits/etc/security/limits.d user
chmod 777 user
: > limits/etc/group
(
	ulimit -r 0
	ulimit -S -l 64
	ulimit -e 40 2> /dev/null
	chrt -o -p 0 $BASHPID 2> /dev/null
	HEADROOM_DIR=$work/user/pages HEADROOM_DOCTOR_ROOT=$work/limits exec "${as_user[@]}" bash < typed_in > /dev/null 2>&1
) &
terminal=$!
children+=("$terminal")
exec 8> typed_in
# in_terminal LINE: it is typed there, and has ended.
in_terminal() {
	rm -f user/done
	printf '%s\n: > user/done\n' "$1" >&8
	until_true test -e user/done
}
examine_there() {
	in_terminal "timeout 60 $program --json mine > user/out 2> user/err"
	cp user/out out
	cp user/err err
}
# typed_as_root LINE: what sudo or su would do, with the terminal's own number.
typed_as_root() {
	local line=$1
	line=${line#sudo }
	line=${line#su - -c }
	line=${line#\"}
	line=${line%\"}
	eval "${line//\$\$/$terminal}"
}

examine_there
finds "no real-time priority" real-time note "60 is asked for, and $nobody may have none"
in_terminal "COLUMNS=80 timeout 60 $program mine > user/shown"
equal "no real-time priority: it takes four lines" 4 \
	"$(awk '/^[^ ]/ { here = /real-time/ } here' user/shown | grep -c .)"
equal "what root has to do, with root's PATH" 1 "$(grep -cE '^(sudo|su - -c|usermod)' <<< "$(has real-time 1)")"
equal "no limit hinders: exit status" 0 "$(/usr/bin/python3 -c \
	'import json; print(json.load(open("out"))["exit_status"])')"
finds "no memory to lock" "memory lock" note "64 KiB may be locked"
equal "for good, no file" 1 "$(grep -c "@audio - rtprio 95.*limits.d/headroom.conf && usermod -aG audio $nobody" <<< "$(has real-time 1)")"
mkdir -p limits/proc/1
echo 'CapBnd:	000001fffeffffff' > limits/proc/1/status
examine_there
equal "where root may raise no limit: only what does not fail" "docker no such line" \
	"$(has real-time 0 | cut -d' ' -f1) $(has real-time 1)"
rm -r limits/proc/1
examine_there
lockable=$(ulimit -H -l)
{ [ "$lockable" = unlimited ] || [ "$lockable" -gt 65536 ]; } && lockable=65536
gives "no memory to lock: a line" "memory lock" 0 "ulimit -Sl $lockable"
cp out first
in_terminal "$(has "memory lock" 0 | grep '^ulimit')"
examine_there
finds "no memory to lock: the line" "memory lock" ok "may be locked"
if [ "$(id -u)" -eq 0 ]; then
	cp first out
	if ! typed_as_root "$(has real-time 0)" 2> typed; then
		if grep -q "Operation not permitted" typed; then
			pass "no real-time priority: the line # SKIP this root may not raise limits"
		else
			fail "no real-time priority: the line" "$(cat typed)"
		fi
	else
		examine_there
		finds "no real-time priority: the line" real-time ok "gets priority 60"
		in_terminal "ulimit -Sr 0"
		examine_there
		gives "a limit that one can raise oneself" real-time 0 "ulimit -Sr 95"
		in_terminal "$(has real-time 0 | grep '^ulimit')"
		equal "a limit that one can raise oneself: the line" 95 \
			"$(awk '/realtime priority/ { print $4 }' /proc/$terminal/limits)"
		prlimit --pid $terminal --rtprio=0:0
	fi
	echo '@studio - rtprio 95' > limits/etc/security/limits.d/audio.conf
	examine_there
	equal "for good, a group that there is not" 1 "$(grep -c "usermod -aG audio nobody" <<< "$(has real-time 1)")"
	echo "studio:x:3000:" > limits/etc/group
	examine_there
	equal "for good, a group that may" "usermod -aG studio nobody" "$(has real-time 1 | sed 's/^sudo //; s/^su - -c "\(.*\)"/\1/')"
	echo "studio:x:3000:nobody" > limits/etc/group
	examine_there
	gives "for good, a group that was joined" real-time 1 "su - nobody"
	head -c 3000 /dev/urandom > limits/etc/security/limits.d/noise.conf
	examine_there
	finds "noise for limits" real-time note "may have none"
	in_terminal "ALSA_CONFIG_PATH=$work/broken timeout 60 $program --json mine > user/out 2> user/err"
	cp user/out out
	cp user/err err
	equal "a file that only root may mend: the line" 1 \
		"$(grep -cE "^(sudo|su - -c) \"?$EDITOR \+[0-9]+ $work/broken" <<< "$(has configuration 0)")"
	# A node that is another group's.
	mkdir -p limits/proc limits/dev/snd
	rm limits/etc/security/limits.d/noise.conf
	cp -r root/proc/asound limits/proc/
	cp root/dev/snd/pcmC0D0p limits/dev/snd/
	head -n 2 root/proc/asound/cards > limits/proc/asound/cards
	chgrp audio limits/dev/snd/pcmC0D0p && chmod 660 limits/dev/snd/pcmC0D0p
	in_terminal "timeout 60 $program --json real > user/out 2> user/err"
	cp user/out out
	cp user/err err
	finds "a card that one may not use" device hinders "nobody may not open .*for group audio"
	equal "a card that one may not use: the line" "usermod -aG audio nobody" "$(has device 0 | sed 's/^sudo //; s/^su - -c "\(.*\)"/\1/')"
	echo "audio:x:29:nobody" > limits/etc/group
	in_terminal "timeout 60 $program --json real > user/out 2> user/err"
	cp user/out out
	gives "a group that was joined after the login" device 0 "newgrp audio"
fi
exec 8>&-
wait $terminal
