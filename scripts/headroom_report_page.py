# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The page that headroom-report makes, put together."""
import datetime
import shlex
from html import escape

import headroom_words as words
from headroom_report_plots import all_plots
from headroom_report_style import SCRIPT, STYLE
from headroom_report_tables import counter_table, episode_table, tiles
from headroom_report_words import (
    advice, complaint_text, ended_text, overall, sentences, title_of)


def stream_section(stream, recording, place):
    return (f'<section class="stream"><h2>{escape(title_of(stream, recording))}</h2>'
            f'<p class="said">{escape(sentences(stream, recording))}</p>'
            + "".join(f'<p>{escape(text)}</p>' for text in advice(stream, recording))
            + tiles(stream, recording)
            + all_plots(stream, recording, place)
            + episode_table(stream, recording, place)
            + counter_table(stream) + "</section>")


def warnings(recording):
    if not recording.complaints:
        return ""
    number, why = recording.complaints[0]
    return f'<p class="warning">{escape(complaint_text(recording, number, why))}</p>'


def page(recording):
    streams = recording.that_took_part()
    is_bad = any(stream.in_order() or stream.frames_lost() or stream.counted("xruns")
                 for stream in streams)
    badge = ("nothing to tell", "dim") if not streams else (
        ("gaps", "bad") if is_bad else ("cut off", "bad")
        if any(stream.broken_off() for stream in streams) else ("no gaps", "good"))
    moment = datetime.datetime.fromtimestamp(recording.began).astimezone()
    command = shlex.join(recording.command)
    first, stop, others = (overall(recording, streams) + " ").partition(". ")
    sections = "".join(stream_section(stream, recording, place)
                       for place, stream in enumerate(streams))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>headroom: {escape(overall(recording, streams))}</title>"
        f"<style>{STYLE}</style></head><body><header>"
        f'<span class="badge {badge[1]}">{badge[0]}</span>'
        f'<h1>{escape(first + stop)}</h1>'
        + (f'<p class="said">{escape(others)}</p>' if others else "") +
        f"<p><code>{escape(command)}</code></p>"
        f'<p class="dim">{words.duration(recording.duration)} on {escape(recording.host)}, '
        f"{moment:%Y-%m-%d %H:%M:%S %Z}. {escape(ended_text(recording))}</p>"
        f"{warnings(recording)}</header>{sections}"
        "<footer>Made by headroom-report from a recording of headroom-record. Times of day are "
        "local to where the page was made. Bands in the plots are the gaps of the table.</footer>"
        f"<script>{SCRIPT}</script></body></html>\n")
