# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Prints a recording in which all happens that can."""
import json
import math

COMMAND = ["mpv", "A song <b>&.flac"]
EPISODES = (
    (1.0, "xrun", 0.021, "program", 0),
    (5.2, "silence", 0.43, "scheduler", 20640),
    (6.1, "silence", 0.01, "scheduler", 480),
    (16.0, "card xrun", 0.6, "device", 0),
    (23.3, "card lost", 3.2, "device", 1400),
    (28.5, "rewind", 0.01, "program", 100),
    (30.5, "xrun", 0.029, "none", 0),
)
AT_FIRST = {
    "state": "Running", "rate": 48000, "channels": 2, "buffer_frames": 9600, "realtime": 60,
    "trigger_percent": 90, "clear_percent": 70, "rate_measured": 47998, "xruns": 0,
    "wakeup_late_max_us": 100, "chunks_dropped": 0, "frames_silence": 0, "frames_dropped": 0, "pool_misses": 5000,
}


def line(t, **rest):
    print(json.dumps({"t": round(t, 3), **rest}))


def of_stream(t, **rest):
    line(t, name="living room", direction="playback", slot=0, **rest)


def look(number):
    t = number / 10
    near = any(begin - 0.5 < t < begin + lasted for begin, _, lasted, _, _ in EPISODES)
    values = {
        "fill_percent": int(50 + 20 * math.sin(t)), "frames": int(t * 48000),
        "pressure_percent": 95 if near else int(20 + 15 * math.cos(t)),
        "latency_p50_us": int(2000 + 300 * math.sin(t)), "latency_p95_us": 3900,
        "latency_p99_us": 5200 + 1500 * near,
        "wakeup_late_max_us": 100 + 20 * max(number - 100, 0),
    }
    if number == 0:
        values.update(AT_FIRST)
    if number == 250:
        values["state"] = "Closed"
    if number == 260:
        values["state"] = "Running"
    if number in (120, 140):
        values["stopped"] = number == 120
    if number == 338:
        values["broken_off"] = 9600
    # Up by 6000, then reset, then up by 1000.
    values["pool_misses"] = 11000 if 100 < number < 200 else 1000 if number >= 200 else 5000
    of_stream(t, values=values)


def main():
    print(json.dumps({"format": "headroom-record 1", "command": COMMAND, "host": "kiosk",
                      "began": 1764380412.34, "every": 0.1}))
    for number in range(340):
        look(number)
        for begin, what, lasted, late, frames in EPISODES:
            if round((begin + lasted) * 10) == number:
                of_stream(number / 10, episode={
                    "at": begin, "what": what, "lasted": lasted, "going_on": False,
                    "frames": frames, "late": late, "ring": 0})
    line(34, end={"signal": 15})


main()
