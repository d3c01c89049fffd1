# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
packages chromium

# chromium_plays: a page that plays three seconds of a sine with Web Audio and then closes
# its window, which ends the browser. Without a screen, as it runs on servers.
chromium_plays() {
	cat > page.html <<-'END'
		<!DOCTYPE html>
		<script>
		const context = new AudioContext({ sampleRate: 48000 });
		const tone = new OscillatorNode(context, { frequency: 997 });
		tone.connect(new GainNode(context, { gain: 0.5 })).connect(context.destination);
		tone.onended = () => setTimeout(() => window.close(), 500);
		tone.start(context.currentTime + 0.3);
		tone.stop(context.currentTime + 3.3);
		</script>
	END
	chromium --headless=new --no-sandbox --disable-gpu --autoplay-policy=no-user-gesture-required \
		--no-first-run --user-data-dir="$PWD/profile" --alsa-output-device="$DEVICE" \
		"file://$PWD/page.html"
}
row Chromium "playback, Web Audio" tone 997 -- chromium_plays
