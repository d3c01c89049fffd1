#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Hostile and careless surroundings that take another user or a /dev/shm of our own: each
# is made, in a mount namespace of the script's own, and what must happen is asserted.
# Sound goes on, with one line at most; nobody is shown what is not so. Prints "ok NAME"
# or "not ok NAME: why". The rest of them is in tests/hostile/.
#
# usage: tests/hostile.sh BUILD   (as root, or where sudo asks for no password)
set -u
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"
build=$(cd "${1:?usage: tests/hostile.sh BUILD}" && pwd)
in_own_mounts "hostile surroundings" "$build"

work=$(mktemp -d)
player='' hers='' his=''
finish() {
	for pid in $player $hers $his; do kill -KILL "$pid" 2> /dev/null; done
	cd /
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
unset HEADROOM_DIR
export ALSA_CONFIG_PATH=$work/asound.conf
place=/dev/shm/headroom-0
page=$place/x.playback.0
alice=64001 bob=64002

# Where everybody can read them.
chmod 711 "$work"
cp "$build"/plugin/libasound_module_*_headroom.so "$build"/tests/clocked/libasound_module_pcm_clocked.so .
mkdir -m 777 heard
cat > asound.conf << END
</usr/share/alsa/alsa.conf>
pcm_type.headroom.lib "$work/libasound_module_pcm_headroom.so"
ctl_type.headroom.lib "$work/libasound_module_ctl_headroom.so"
pcm_type.clocked.lib "$work/libasound_module_pcm_clocked.so"
pcm.x { @args [ F ] @args.F { type string default "$work/heard/root" } type headroom name x ipc_perm 0644 slave.pcm { type clocked heard \$F } }
ctl.x { @args [ U ] @args.U { type string default "" } type headroom name x user \$U }
ctl.own { type headroom name x }
END
chmod 644 asound.conf ./*.so
head -c 19200 /dev/urandom > song	# a tenth of a second
chmod 644 song

shm() { mount -t tmpfs -o "mode=1777${1:+,$1}" shm /dev/shm; }
no_shm() { umount /dev/shm; }
aplay_raw() { timeout 20 aplay -q -t raw -f S16_LE -r 48000 -c 2 "$@"; }
# In the background, so that $! is the player.
play_on() { exec aplay -q -t raw -f S16_LE -r 48000 -c 2 -d 60 -D "$1" /dev/zero; }
stop() {
	kill -TERM "$player" 2> /dev/null
	wait "$player" 2> /dev/null
}
value() { counter own "Playback $1"; }
is_running() { [ "$(value State)" = 4 ]; }

# plays NAME LINES: root plays the song, it is heard, and so many lines of ours are said,
# each of which says that sound goes on.
plays() {
	local status
	rm -f heard/root
	aplay_raw -D x song > out 2> err
	status=$?
	if [ "$status" -ne 0 ]; then
		fail "$1" "aplay ends with $status: $(tail -n 1 err)"
	elif ! cmp -s -n 19200 song heard/root; then
		fail "$1" "it is not heard"
	elif [ "$(grep -c 'headroom: ' err)" -ne "$2" ] || [ "$(grep -c 'sound goes on' err)" -ne "$2" ]; then
		fail "$1" "expected $2 lines: $(cat err)"
	else
		pass "$1"
	fi
}

# shows NAME FRAMES: the counters can be read, or at least asked for; a mixer of what
# cannot be read shows nothing.
shows() {
	if ! timeout 10 amixer -D own contents > out 2> err; then
		fail "$1" "amixer: $(tail -n 1 err)"
	else
		equal "$1" "$2" "$(value Frames)"
	fi
}

# --- /dev/shm ---

shm size=4k
plays "without room for the counters' page sound goes on" 1
equal "and no part of a page stays" 0 "$(find $place -type f | wc -l)"
shows "and the counters are empty" 0
no_shm

shm
mount -o remount,ro /dev/shm
plays "with /dev/shm read-only sound goes on" 1
shows "and the counters are empty" 0
no_shm

shm
mount -o remount,nr_inodes=1 /dev/shm
plays "without an inode for the page sound goes on" 1
no_shm

mkdir dev
mount -t tmpfs dev dev
for node in null zero full urandom; do cp -a /dev/$node dev/; done
mount --bind dev /dev
plays "without a /dev/shm sound goes on" 1
shows "and the counters are empty" 0
umount /dev
umount dev

# What is in the file is there already: a store needs no room.
shm size=256k
rm -f heard/root
play_on x > out 2> err &
player=$!
until_true is_running
head -c 1M /dev/zero > /dev/shm/filler 2> /dev/null
had=$(value Frames)
counted_more() { [ "$(value Frames)" -gt $((had + 9600)) ]; }
if until_true counted_more; then
	pass "a page counts on when /dev/shm is filled up under it"
else
	fail "a page counts on when /dev/shm is filled up under it" "$(value Frames) frames"
fi
shared=$(find $place -type f | wc -l)
rm -f heard/root
aplay_raw -D "x:$work/heard/second" song > out 2> err
equal "a second stream then plays without one, and says so" "0 1" \
	"$? $(grep -c 'headroom: the counters of .* sound goes on' err)"
equal "and leaves no part of one" "$shared" "$(find $place -type f | wc -l)"
rm /dev/shm/filler
stop
no_shm

# Taken away under the stream: it keeps what it has, and the next begins anew.
shm
play_on x > out 2> err &
player=$!
until_true is_running
umount -l /dev/shm
shm
plays "a /dev/shm that is another now is used by the next stream" 0
if kill -0 $player; then
	pass "and the one before plays on"
else
	fail "and the one before plays on" "$(tail -n 1 err)"
fi
stop
no_shm

# --- what was put in the page's place ---

shm
plays "a page is made" 0
had=$(value Frames)

printf '\377' | dd of=$page bs=1 seek=4 conv=notrunc status=none
plays "a page of another version is made anew" 0
shows "and counts from 0" "$had"
truncate -s 4096 $page
plays "a page that is cut off is made anew" 0
: > $page
plays "a page that is empty is made anew" 0
head -c "$(stat -c %s $page)" /dev/urandom > noise
cat noise > $page
plays "a page of noise is made anew" 0
shows "and counts from 0" "$had"

ln $page /dev/shm/second_name
plays "a page that has a second name is not used" 1
rm /dev/shm/second_name
before=$(cksum < song)
ln -sf "$work/song" $page
plays "a symbolic link is not followed" 1
equal "nor written to" "$before" "$(cksum < song)"
rm $page
mkfifo $page
plays "a pipe holds nobody up" 1
rm $page
mkdir $page
plays "a folder in the page's place is not used" 1
rmdir $page
: > $page
chown $alice $page
plays "a page of another user's is not used" 1
rm $page
chmod 1777 $place
plays "a place that all can write to is not used" 1
no_shm

shm
mkdir $place
chown $alice $place
plays "a place that another user has planted is not used" 1
shows "nor believed" 0
rm -r $place
mkdir /dev/shm/elsewhere
ln -s elsewhere $place
plays "a place that is a symbolic link is not followed" 1
equal "nor written to" 0 "$(find /dev/shm/elsewhere -type f | wc -l)"
rm $place
: > $place
plays "a file in the place's stead is not used" 1
no_shm

# Only its owner can do that, who could as well kill the program: but there is no way to
# a page that cannot be cut off. What must be is that nobody is harmed but the stream, and
# the next one is sound. (What the shell says of a bus error is no news.)
exec {errors}>&2 2> /dev/null
shm
play_on x > out 2> err &
player=$!
until_true is_running
: > $page
amixer -D own contents > out 2> err
equal "a reader of a page that is cut off under its stream ends as usual" 0 $?
# Nobody ends it but the kernel, by SIGBUS (128 + 7): within a step, not after its 60 s.
wait "$player"
equal "and its stream's program is ended by a bus error, which README tells of" 135 $?
exec 2>&$errors
plays "and the next stream is sound" 0
shows "and its counters are" "$(($(stat -c %s heard/root) / 4))"
no_shm

# --- two users, one name ---

shm
as() { local uid=$1; shift; setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"; }
their() { as "$1" amixer -D own cget "iface=PCM,name=Headroom Playback $2" 2> /dev/null | sed -n 's/.*: values=//p'; }
both_run() { [ "$(their $alice State)$(their $bob State)" = 44 ]; }
play_as() { exec setpriv --reuid "$1" --regid "$1" --clear-groups aplay -q -t raw -f S16_LE -r 48000 -c 2 -d 60 -D "x:$work/heard/$1" /dev/zero; }
play_as $alice 2> alice.err &
hers=$!
play_as $bob 2> bob.err &
his=$!
if until_true both_run; then
	pass "two users play by the same name"
else
	fail "two users play by the same name" "$(cat alice.err bob.err)"
fi
equal "each in a place of their own" "$alice $bob" \
	"$(stat -c %u /dev/shm/headroom-$alice /dev/shm/headroom-$bob | tr '\n' ' ' | sed 's/ $//')"
equal "each sees their own stream" "$hers $his" \
	"$(their $alice Process) $(their $bob Process)"
equal "and can ask for the other's" "$his" \
	"$(as $alice amixer -D x:$bob cget 'iface=PCM,name=Headroom Playback Process' 2> /dev/null | sed -n 's/.*: values=//p')"
as $alice amixer -q -D x:$bob cset "iface=PCM,name=Headroom Playback Reset" on > out 2>&1
equal "but not reset it" "1 no" "$? $([ "$(their $bob Frames)" -gt 0 ] && echo no)"
kill -TERM $hers $his
wait $hers $his
equal "neither was told of anything" "" "$(grep -h 'headroom: ' alice.err bob.err)"
no_shm
end_of_tests
