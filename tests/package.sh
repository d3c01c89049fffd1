#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# What scripts/package makes: the tarball is built, tested and packed where there is no git;
# the packages are looked over, installed, used and purged in a clean root; and what meson
# installs it takes away again. Prints "ok NAME" or "not ok NAME: why".
#
# usage: tests/package.sh FOLDER   (as root, or where sudo asks for no password; in FOLDER
#                                   the clean root is kept for the next time)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
mkdir -p "${1:?usage: tests/package.sh FOLDER}"
kept=$(cd "$1" && pwd)
in_own_mounts "packages" "$kept"
work=$(mktemp -d)
root=$work/layers/root
finish() {
	cd /
	umount -R "$work/layers" 2> /dev/null
	rm -rf --one-file-system "$work"
}
trap finish EXIT
cd "$work" || exit 1
export LC_ALL=C.UTF-8

# give_up NAME: without it, all else would be in vain.
give_up() {
	fail "$1" "$(tail -n 20 log)"
	end_of_tests
}

# --- the source, packed and unpacked ---

HEADROOM_BUILD=$work/source "$here/scripts/package" --tarball > log 2>&1 ||
	give_up "a tarball is made"
tar -xf "$(tail -n 1 log)" && cd headroom-* || give_up "the tarball is unpacked"
source=$PWD
cd "$work" || exit 1
HEADROOM_BUILD=$work/built "$source/scripts/package" > log 2>&1 ||
	give_up "it is built, tested and packed outside git"
pass "it is built, tested and packed outside git"
equal "what is to be typed is said" \
	"sudo apt-get install $(echo built/*-plugin-headroom_*.deb built/headroom_*.deb)" \
	"$(tail -n 1 log | sed "s,^ *,,; s,$work/,,g")"

# --- the packages, as they are ---

deb() { echo "$work"/built/"$1"_*.deb; }
plug_in=$(deb libasound2-plugin-headroom)
tools=$(deb headroom)

equal "lintian has nothing to say" "" \
	"$(lintian --no-cfg --allow-root --fail-on none --tag-display-limit 0 built/*.changes 2>&1)"

mkdir unpacked
dpkg-deb -x "$plug_in" unpacked/plug-in
dpkg-deb -x "$tools" unpacked/tools
place=usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)/alsa-lib
equal "the plug-in's package has nothing else" "$(cat << END
etc/alsa/conf.d/50-headroom.conf
$place/libasound_module_ctl_headroom.so
$place/libasound_module_pcm_headroom.so
usr/share/doc/libasound2-plugin-headroom/changelog.Debian.gz
usr/share/doc/libasound2-plugin-headroom/copyright
usr/share/man/man5/alsa-headroom.5.gz
END
)" "$(cd unpacked/plug-in && find . ! -type d -printf '%P\n' | sort)"
equal "it needs alsa-lib and libc, and no Python" "libasound2 libc6" \
	"$(dpkg-deb -f "$plug_in" Depends | sed 's/([^)]*)//g' | tr -d ' ' | tr , ' ')"
equal "dpkg keeps its configuration as it was changed" "/etc/alsa/conf.d/50-headroom.conf" \
	"$(dpkg-deb -I "$plug_in" conffiles)"
equal "nothing runs when the plug-in is installed or removed" "conffiles control md5sums" \
	"$(dpkg-deb --ctrl-tarfile "$plug_in" | tar -t | tr -d ./ | sort | xargs)"
equal "when the tools are, only what compiles their modules" "set -e set -e" \
	"$(for script in postinst prerm; do dpkg-deb -I "$tools" $script; done |
		sed '/^# Automatically added by dh_python3/,/^# End/d; /^#/d' | xargs)"

# The rest of what README.md links to is in the packages or, as the licence, in Debian.
docs=usr/share/doc/headroom
links=$(grep -oE '\]\([^)#:]+\)' "unpacked/tools/$docs/README.md" | sed 's/^](//; s/)$//')
equal "README.md has links to files" yes "$([ -n "$links" ] && echo yes || echo no)"
equal "they lead nowhere" "" "$(while IFS= read -r link; do
	case $link in
	/usr/share/common-licenses/*) [ -e "$link" ] ;;
	/*) [ -e "unpacked/plug-in$link" ] ;;
	*) [ -e "unpacked/tools/$docs/$link" ] ;;
	esac || echo "$link"
done <<< "$links")"

# hardened FILE: every flag that Debian has is in it.
hardened() {
	local name=${1##*/} missing='' symbols
	symbols=$(readelf --dyn-syms -W "$1")
	readelf -lW "$1" | grep -q GNU_RELRO || missing+=' relro'
	readelf -dW "$1" | grep -Eq 'BIND_NOW|FLAGS.*NOW' || missing+=' bindnow'
	[ "$(readelf -h "$1" | awk '/Type:/ { print $2 }')" = DYN ] || missing+=' pie'
	grep -q __stack_chk_fail <<< "$symbols" || missing+=' stackprotector'
	grep -Eq '__[a-z]+_chk@' <<< "$symbols" || missing+=' fortify'
	! readelf -lW "$1" | grep -Eq 'GNU_STACK .*E ' || missing+=' noexecstack'
	equal "what $name lacks of Debian's hardening" "" "$missing"
}
for name in built/*-dbgsym_*.deb; do dpkg-deb -c "$name"; done > symbols
for name in unpacked/plug-in/"$place"/*.so unpacked/tools/usr/bin/headroom-log; do
	hardened "$name"
	id=$(readelf -n "$name" | sed -n 's/.*Build ID: //p')
	equal "the symbols of ${name##*/} are in a package of their own" 1 \
		"$(grep -c "/${id:0:2}/${id:2}.debug$" symbols)"
done

# --- what was built of it ---

objects=$(echo built/headroom-*/obj-*)
if meson test -C "$objects" --no-rebuild ctl pcm_config > log 2>&1; then
	pass "the plug-in passes outside git"
else
	fail "the plug-in passes outside git" "$(tail -n 20 log)"
fi

# What meson installs, it takes away.
list() { (cd "$1" && find . -printf '%P %y %m %l\n' | sort); }
mkdir -p destination/usr/bin destination/etc/alsa/conf.d
echo "# another's" > destination/etc/alsa/conf.d/60-other.conf
list destination > before
export DESTDIR=$work/destination
meson install -C "$objects" --no-rebuild > log 2>&1 || fail "meson installs" "$(tail -n 5 log)"
destination/usr/bin/headroom-log --help > log 2>&1 || fail "what is installed runs" "$(cat log)"
ninja -C "$objects" uninstall > log 2>&1 || fail "meson takes it away" "$(tail -n 5 log)"
unset DESTDIR
equal "meson leaves nothing behind" "" "$(list destination | diff before -)"

# --- a clean root ---

in_root() {
	chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}
apt() { in_root apt-get -q -y -o Dpkg::Use-Pty=0 "$@" < /dev/null; }
to_be_installed() { apt -s install "${debs[@]}" | sed -n 's/^Inst \([^ ]*\) .*/\1/p' | sort; }
debs=("/tmp/${plug_in##*/}" "/tmp/${tools##*/}")

# make_root: Debian's smallest, from the servers that this machine asks, and what the packages
# need, but not these themselves; and a user.
make_root() {
	local root=$kept/root others
	rm -rf "$root" "$kept/needed"
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' > sources
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries)' > options
	mmdebstrap --mode=root --quiet --variant=minbase --aptopt="$PWD/options" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" sources || return
	cp "$plug_in" "$tools" "$root/tmp"
	apt update || return
	others=$(to_be_installed | grep -v headroom) || return
	# shellcheck disable=SC2086 # a list
	apt install --no-install-recommends $others || return
	rm "$root"/tmp/*
	in_root useradd -m listener
}

needed=$(for name in "$plug_in" "$tools"; do dpkg-deb -f "$name" Depends Recommends; done |
	sed 's/(= [^)]*)//')
if [ "$needed" != "$(cat "$kept/needed" 2> /dev/null)" ]; then
	echo "(making a clean root)"
	make_root > log 2>&1 || give_up "a clean root is made"
	echo "$needed" > "$kept/needed"
fi
mkdir -p layers && mount -t tmpfs tmpfs layers && mkdir layers/{over,work,root} &&
	mount -t overlay overlay "$root" \
		-o "lowerdir=$kept/root,upperdir=$work/layers/over,workdir=$work/layers/work" &&
	mount -t proc proc "$root/proc" && mkdir -p "$root/dev/shm" &&
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" || give_up "a copy of the clean root"

# everything: all files but what dpkg and apt note down for themselves, each with its content.
everything() {
	(cd "$root" && find . -xdev \( -path ./tmp -o -path ./var/log -o -path ./var/cache/apt \
		-o -path ./var/cache/ldconfig -o -path ./var/lib/apt -o -path './var/lib/dpkg/status*' \
		-o -path './var/lib/dpkg/*-old' \) -prune -o -printf '%P %y %m %U %G %l\n' -type f -exec md5sum {} + | sort)
}

# as_listener COMMAND…: in the root, an ordinary user; what it says is in out and err.
as_listener() {
	chroot --userspec=listener:listener "$root" env -i -C /home/listener HOME=/home/listener \
		PATH=/usr/bin:/bin LC_ALL=C.UTF-8 timeout 20 "$@" > out 2> err
}

# does NAME STATUS PATTERN COMMAND…: it ends with STATUS, and says what has the pattern.
does() {
	local name=$1 wanted=$2 pattern=$3 status
	shift 3
	as_listener "$@"
	status=$?
	if [ $status -ne "$wanted" ]; then
		fail "$name" "exit status $status: $(tail -n 5 out err)"
	elif [ -n "$pattern" ] && ! grep -Eq "$pattern" out; then
		fail "$name" "no '$pattern' in what it says: $(tail -n 5 out err)"
	else
		pass "$name"
	fi
}

# --- installed, used, purged ---

home=$root/home/listener
echo "defaults.headroom.rt_priority 0" > "$home/.asoundrc"
everything > before
cp "$plug_in" "$tools" "$root/tmp"
equal "apt needs nothing else" "headroom libasound2-plugin-headroom" "$(to_be_installed | xargs)"
apt install "${debs[@]}" > log 2>&1 || give_up "apt installs it"
everything > installed
equal "Python's modules are compiled" "$(find unpacked/tools -name '*.py' | wc -l)" \
	"$(grep -c '^usr/share/headroom/__pycache__/.* f ' installed)"

aplay=(aplay -q -t raw -f S16_LE -r 48000 -c 2 --period-size=1000 --buffer-size=4000)
head -c 400000 /dev/urandom > "$home/song"
does "a program finds the device" 0 '^headroom$' aplay -L
does "aplay plays" 0 '' "${aplay[@]}" -D file:bare,raw song
does "aplay plays through it" 0 '' "${aplay[@]}" -D "headroom:'file:heard,raw'" song
equal "what is heard is what is heard without" "$(md5sum < "$home/bare")" "$(md5sum < "$home/heard")"
does "amixer reads the counters" 0 ": values=$(($(stat -c %s "$home/bare") / 4))\$" \
	amixer -D headroom cget iface=PCM,name='Headroom Playback Frames'
does "headroom-log" 0 "^no episodes since" headroom-log headroom
does "headroom-top" 0 "^  headroom .* play .* 48k Closed" headroom-top --once
does "headroom-exporter" 0 '^headroom_frames_total' sh -c \
	'headroom-exporter --textfile x.prom & sleep 2; kill $!; wait; cat x.prom'
does "headroom-record" 0 '' headroom-record -- \
	sh -c '(cat song; sleep 1; cat song) | "$@"' sh "${aplay[@]}" -D headroom:null
does "headroom-report" 0 '' headroom-report
does "headroom-doctor" 0 '^ok  *module' headroom-doctor headroom:null
rm "$home"/{song,bare,heard,x.prom,headroom.*}
equal "nothing of it is where it was installed" "" "$(everything | diff installed -)"

# What an administrator has changed, or removed.
conf=etc/alsa/conf.d/50-headroom.conf
in_root sh -c "echo '# changed' >> /$conf"
apt reinstall "${debs[@]}" > log 2>&1 || fail "it is installed again" "$(tail -n 5 log)"
equal "its configuration stays as it was changed" "# changed" "$(tail -n 1 "$root/$conf")"
rm "$root/$conf"
apt reinstall "${debs[@]}" > log 2>&1 || fail "it is installed again" "$(tail -n 5 log)"
equal "its configuration stays away" no "$([ -e "$root/$conf" ] && echo yes || echo no)"

apt purge libasound2-plugin-headroom > log 2>&1 || fail "apt purges it" "$(tail -n 5 log)"
equal "nothing is left behind" "" "$(everything | diff before -)"

end_of_tests
