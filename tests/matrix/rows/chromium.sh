# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages chromium

# chromium_plays: a page that plays three seconds of a sine with Web Audio. Without a
# screen, as it runs on servers. The browser keeps the device for some seconds after
# the page has closed its context, and lets it run dry: only when it has closed it has
# the card told of that with headroom and without.
chromium_plays() {
	local browser
	cat > page.html <<-'END'
		<!DOCTYPE html>
		<script>
		const context = new AudioContext({ sampleRate: 48000 });
		const tone = new OscillatorNode(context, { frequency: 997 });
		tone.connect(new GainNode(context, { gain: 0.5 })).connect(context.destination);
		tone.onended = () => setTimeout(() => context.close(), 500);
		tone.start(context.currentTime + 0.3);
		tone.stop(context.currentTime + 3.3);
		</script>
	END
	chromium --headless=new --no-sandbox --disable-gpu --autoplay-policy=no-user-gesture-required \
		--no-first-run --user-data-dir="$PWD/profile" --alsa-output-device="$DEVICE" \
		"file://$PWD/page.html" &
	browser=$!
	until grep -qs '^close playback' card.log; do
		kill -0 "$browser" || return 1
		sleep 0.05
	done
	kill "$browser"
	wait "$browser"
}
row Chromium "playback, Web Audio" tone 997 -- chromium_plays
