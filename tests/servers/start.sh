# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Sound servers that play to nowhere and let that be recorded: start_pulse,
# start_pipewire and start_jack. Sourced, after tap.sh, with $here set; makes the folder
# $work and goes there. With the servers it goes again when the script ends.
#
# The servers are private to this run: no session bus, no card, nothing of the user's
# is touched. Those packages that exclude each other, or would start a service, are
# not installed but unpacked, in build-servers/ or $HEADROOM_SERVERS_DIR.

unpacked=${HEADROOM_SERVERS_DIR:-$here/build-servers}
work=$(mktemp -d)
running=()
clean_up() {
	[ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2> /dev/null
	wait 2> /dev/null
	rm -rf "$work"
}
trap clean_up EXIT
mkdir -m 700 "$work/run" "$work/home"
mkdir -p "$unpacked"
cd "$work" || exit 1
export HOME=$work/home
export XDG_RUNTIME_DIR=$work/run PULSE_RUNTIME_PATH=$work/run PULSE_SERVER=unix:$work/run/native
export XDG_CONFIG_HOME=$work/home XDG_STATE_HOME=$work/home
export JACK_DEFAULT_SERVER=headroom-$$ JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS PIPEWIRE_REMOTE

lib=$unpacked/usr/lib/$(gcc -print-multiarch)
# Frames that pipewire and jack work in. Pipewire takes this in a virtual machine.
quantum=1024
# Of jackd, which takes the right to it if it can.
realtime=--no-realtime

# server_pcms: definitions of what plays to the servers and records from them.
server_pcms() {
	cat << END
pcm_type.pipewire.lib "$lib/alsa-lib/libasound_module_pcm_pipewire.so"
pcm.pulse_out { type pulse device out }
pcm.pulse_in { type pulse device out.monitor }
pcm.pipewire_out { type pipewire server "pipewire-0" playback_node "-1" capture_node "-1" }
pcm.pipewire_in { type pipewire server "pipewire-0" playback_node "-1" capture_node "-1" }
pcm.jack_in { type jack name recorder capture_ports { 0 "system:capture_1" 1 "system:capture_2" } }
pcm.jack_alone { type jack name alone playback_ports { 0 "system:playback_1" 1 "system:playback_2" } }
END
}

# unpack PACKAGE FILE: unless its FILE is there.
unpack() {
	local dir
	[ ! -e "$unpacked/$2" ] || return 0
	dir=$(mktemp -d "$unpacked/get.XXXXXX") && chmod 755 "$dir" &&
		(cd "$dir" && apt-get -q download "$1" && dpkg-deb -x "$1"_*.deb all &&
			cp -a all/. "$unpacked") > "$work/log" 2>&1 || {
		tail -n 3 "$work/log" >&2
		return 1
	}
	rm -rf "$dir"
}

start_pulse() {
	local modules
	unpack pulseaudio usr/bin/pulseaudio || return
	modules=$(echo "$unpacked"/usr/lib/pulse-*/modules)
	LD_LIBRARY_PATH=$lib/pulseaudio:$modules "$unpacked/usr/bin/pulseaudio" -n --daemonize=no \
		--exit-idle-time=-1 --use-pid-file=false --log-target=stderr -p "$modules" \
		-L "module-null-sink sink_name=out rate=48000 channels=2 format=s16le norewinds=1" \
		-L "module-native-protocol-unix socket=$work/run/native auth-anonymous=1" 2> pulse.log &
	running+=($!)
	until_true pactl info > /dev/null 2>&1
}

has_default_sink() { pw-metadata 0 default.audio.sink 2> /dev/null | grep -q '"out"'; }

start_pipewire() {
	unpack pipewire-alsa "${lib#"$unpacked/"}/alsa-lib/libasound_module_pcm_pipewire.so" &&
		unpack wireplumber usr/bin/wireplumber || return
	cat > pipewire.conf << END
context.properties = {
	core.daemon = true core.name = pipewire-0 support.dbus = false
	default.clock.rate = 48000 default.clock.quantum = $quantum default.clock.min-quantum = $quantum
}
context.spa-libs = { audio.convert.* = audioconvert/libspa-audioconvert  support.* = support/libspa-support }
context.modules = [
	{ name = libpipewire-module-rt flags = [ ifexists nofail ] }
	{ name = libpipewire-module-protocol-native }
	{ name = libpipewire-module-metadata }
	{ name = libpipewire-module-spa-node-factory }
	{ name = libpipewire-module-client-node }
	{ name = libpipewire-module-client-device }
	{ name = libpipewire-module-access }
	{ name = libpipewire-module-adapter }
	{ name = libpipewire-module-link-factory }
	{ name = libpipewire-module-session-manager }
]
context.objects = [
	{ factory = adapter args = {
		factory.name = support.null-audio-sink node.name = out media.class = Audio/Sink
		object.linger = true audio.position = [ FL FR ] audio.rate = 48000
	} }
]
END
	pipewire -c "$work/pipewire.conf" 2> pipewire.log &
	running+=($!)
	until_true pw-cli info 0 > /dev/null 2>&1 || return
	# Its policies, but no cards, no bus, no memory of earlier runs.
	cp -r "$unpacked/usr/share/wireplumber" manager
	sed -i '/bluetooth.lua/d' manager/wireplumber.conf
	cat > manager/main.lua.d/60-alone.lua << END
alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
device_defaults.properties["use-persistent-storage"] = false
stream_defaults.enabled = false
default_access.properties["enable-flatpak-portal"] = false
END
	WIREPLUMBER_DATA_DIR=$work/manager WIREPLUMBER_CONFIG_DIR=$work/manager \
		WIREPLUMBER_MODULE_DIR=$(echo /usr/lib/*/wireplumber-*) \
		"$unpacked/usr/bin/wireplumber" 2> manager.log &
	running+=($!)
	until_true has_default_sink
}

start_jack() {
	# -S: waits for its clients. Else it plays on without one that is late.
	jackd -S --no-mlock "$realtime" -n "$JACK_DEFAULT_SERVER" \
		-d dummy -r 48000 -p "$quantum" > jack.log 2>&1 &
	running+=($!)
	until_true eval 'jack_lsp 2> /dev/null | grep -q system:playback_2'
}
