# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The numbers of a stream in a page of headroom-report: the tiles, each episode, the counters."""
import datetime
from html import escape

import headroom_plots as plots
import headroom_words as words

COUNTS = (
    ("frames", "frames moved"),
    ("frames_dropped", "frames lost"),
    ("frames_silence", "frames of silence, invented"),
    ("xruns", "gaps that the program was told of"),
    ("device_xruns", "times that the card ran dry or full"),
    ("pressure_count", "times that pressure began"),
    ("pressure_ms", "ms of pressure"),
    ("chunks_pushed", "chunks into the ring"),
    ("chunks_popped", "chunks out of the ring"),
    ("chunks_dropped", "chunks lost"),
    ("pool_misses", "times that no chunk was free"),
)


def grouped(number):
    return f"{number:,.0f}".replace(",", "\u202f")


def tile(value, label, style=""):
    return (f'<div class="tile"><b class="{style}">{escape(str(value))}</b>'
            f"<span>{escape(label)}</span></div>")


def lost_text(stream):
    """What the frames are that are not right: lost in a recording, invented in a gap."""
    if not stream.counted("frames_silence"):
        return "frames lost"
    return "lost or invented" if stream.counted("frames_dropped") else "frames invented"


def latest_tile(stream):
    found = stream.since_began("wakeup_late_max_us")
    before = stream.before_began("wakeup_late_max_us")
    if found or not before:
        most = max((value for _, value in found), default=0)
        return tile(words.duration(most / 1e6) if found else "–", "latest wake-up")
    return tile("≤ " + words.duration(before / 1e6), "latest wake-up")


def buffer_text(stream, rate):
    frames = stream.last_known("buffer_frames")
    return words.duration(frames / rate) if rate and frames else "–"


def priority_text(stream):
    priority = stream.most("realtime")
    return f"{priority:g}" if priority else "none"


def drift_text(stream, rate):
    """How far the card's clock is from what it says."""
    measured = stream.last_known("rate_measured")
    if not rate or not measured:
        return "–"
    return f"{(measured - rate) / rate * 1e6:+.0f} ppm".replace("-", "\u2212")


def tiles(stream, recording):
    rate = stream.last_known("rate")
    found = words.gaps(stream.in_order())
    live = sum(until - since for since, until in stream.live(recording.duration))
    lost = stream.frames_lost()
    channels = words.count(stream.last_known("channels"), "channel")
    parts = [
        tile(len(found), "gaps" if len(found) != 1 else "gap", "bad" if found else "good"),
        tile(grouped(lost), lost_text(stream), "bad" if lost else ""),
        tile(words.duration(live) if live < 99 else plots.clock(live, 60), "open"),
        tile(f"{rate / 1000:g} kHz" if rate else "–", channels),
        tile(buffer_text(stream, rate), "buffer"),
        latest_tile(stream),
        tile(priority_text(stream), "rt priority"),
        tile(drift_text(stream, rate), "card's clock"),
    ]
    return f'<div class="tiles">{"".join(parts)}</div>'


def clock_time(recording, at):
    """By the clock of whoever makes the page."""
    moment = datetime.datetime.fromtimestamp(recording.began + at)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def episode_row(stream, recording, episode, place, number):
    lasted = words.duration(episode["lasted"]) + ("+" if episode["going_on"] else "")
    return (
        f'<tr id="gap-{place}-{number}"><td class="n">{number}</td>'
        f'<td class="n roomy">{clock_time(recording, episode["at"])}</td>'
        f'<td class="n">{episode["at"]:.2f} s</td>'
        f'<td class="n">{lasted}</td><td class="n">{grouped(episode["frames"])}</td>'
        f'<td class="who {episode["late"]}">{episode["late"]}</td>'
        f'<td class="n roomy">{episode["ring"]:g}%</td>'
        f'<td class="words">{escape(words.meaning(episode["what"], stream.direction))}</td></tr>')


def episode_table(stream, recording, place):
    episodes = stream.in_order()
    if not episodes:
        return ""
    rows = [episode_row(stream, recording, episode, place, number)
            for number, episode in enumerate(episodes, start=1)]
    going_on = ('<p class="note">+: it had not ended when the recording did, or its program '
                "ended in it.</p>" if any(e["going_on"] for e in episodes) else "")
    if stream.direction == "playback" and any(e["frames"] == 0 for e in episodes):
        going_on += '<p class="note">0 frames: the sound was late, and none of it is lost.</p>'
    return ('<h3>Each of them</h3><div class="wide"><table><thead><tr><th class="n">#</th>'
            '<th class="n roomy">when</th><th class="n">after</th><th class="n">lasted</th>'
            '<th class="n">frames</th><th>late was</th><th class="n roomy">ring</th><th>what</th>'
            f'</tr></thead><tbody>{"".join(rows)}</tbody></table></div>{going_on}')


def counter_table(stream):
    n_gaps = len(words.gaps(stream.in_order()))
    counts = [(stream.counted(field), label) for field, label in COUNTS]
    rows = [f'<tr><td>{label}</td><td class="n">{grouped(number)}</td></tr>'
            for number, label in [(n_gaps, "gaps")] + counts]
    return ("<details><summary>What was counted meanwhile</summary><div class=\"wide\"><table>"
            f'<tbody>{"".join(rows)}</tbody></table></div>{card_note(stream, n_gaps)}</details>')


def card_note(stream, n_gaps):
    """The card counts what nobody hears of."""
    text = words.card_times(stream.counted("device_xruns"), n_gaps, stream.direction)
    which = "the gap" if n_gaps == 1 else f"the {n_gaps} gaps"
    return f'<p class="note">{which.capitalize()}: {text}.</p>' if text else ""
