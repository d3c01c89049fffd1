# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""The plots of a stream in a page of headroom-report."""
from html import escape

import headroom_plots as plots
import headroom_words as words

# The latencies are of so many chunks, unless latency_samples says another number.
LATENCY_CHUNKS = 1024


def marks(stream, place):
    found = []
    for number, episode in enumerate(stream.in_order(), start=1):
        text = (f"{number}: {words.meaning(episode['what'], stream.direction)}, "
                f"{words.duration(episode['lasted'])}, because {words.REASONS[episode['late']]}")
        found.append(plots.Mark(episode["at"], episode["lasted"], episode["late"], number,
                                f"gap-{place}-{number}", text))
    return found


def line(numbers, spans, label, style, scale=1):
    changes = [(t, value * scale) for t, value in numbers]
    return plots.Line(label, style, plots.stretches(changes, spans))


def most_of(lines):
    return max((value for one in lines for points in one.stretches for _, value in points),
               default=0)


def time_plot(title, lines, found, times, holes, note=""):
    """Of seconds."""
    if not any(one.stretches for one in lines):
        return plots.empty(title, note)
    most = most_of(lines)
    factor, unit = (1, " s") if most >= 1 else (1000, " ms")
    for one in lines:
        one.stretches = [[(t, value * factor) for t, value in points]
                         for points in one.stretches]
    return plots.plot(title, lines, found, times, plots.value_axis(most * factor, unit),
                      unit=unit, note=note, holes=holes)


def late_note(stream):
    before = stream.before_began("wakeup_late_max_us")
    if not before:
        return ""
    before = words.duration(before / 1e6)
    if stream.since_began("wakeup_late_max_us"):
        return f"Only what is later than the {before} from before this recording is shown."
    return f"None was later than the {before} from before this recording."


def latency_note(stream, since):
    if since == 0:
        return ""
    if since is None:
        return (f"Of the last {LATENCY_CHUNKS} chunks, some were of earlier streams all the time: "
                "left out. r in headroom-top resets them.")
    return (f"Of the last {LATENCY_CHUNKS} chunks, some were of earlier streams until "
            f"{words.duration(since)}: left out.")


def latency_plot(stream, spans, found, times, holes):
    since = stream.own_since("chunks_popped", LATENCY_CHUNKS)
    spans = [] if since is None else [(max(begin, since), end) for begin, end in spans
                                      if end > since]
    lines = [line(stream.numbers(f"latency_{name}_us"), spans, name, name, 1e-6)
             for name in ("p50", "p95", "p99")]
    return time_plot("Latency in the ring", lines, found, times, holes,
                     latency_note(stream, since))


def plot_keys(found, holes):
    causes = [cause for cause in words.REASONS if cause in {mark.style for mark in found}]
    keys = "".join(f'<span class="key mark {cause}">{escape(words.reason(cause))}</span>'
                   for cause in causes)
    if holes:
        keys += '<span class="key unmeasured">stopped as a whole: nothing was measured</span>'
    return f"<figcaption>{keys}</figcaption>" if keys else ""


def all_plots(stream, recording, place):
    if not stream.live(recording.duration):
        return ('<p class="note">It was open for less than the time between two looks: there '
                "is nothing to plot. headroom-record --every makes that shorter.</p>")
    spans = stream.measured(recording.duration)
    holes = stream.stopped(recording.duration)
    times = plots.time_axis(recording.duration)
    found = marks(stream, place)
    limits = [(stream.last_known(field), style) for field, style in
              (("trigger_percent", "Trigger"), ("clear_percent", "Clear"))
              if stream.last_known(field)]
    fill = [line(stream.numbers("fill_percent"), spans, "fill of the ring", "fill"),
            line(stream.numbers("pressure_percent"), spans, "pressure", "pressure")]
    late = [line(stream.since_began("wakeup_late_max_us"), spans, "the latest so far", "late",
                 1e-6)]
    flags = (f'<div class="flags">{plots.mark_labels(found, times)}</div>' if found else "")
    return (f"<h3>How near to a gap, and what happened</h3>{plot_keys(found, holes)}"
            + plots.plot("Fill and pressure", fill, found, times, plots.percent_axis(),
                         limits=limits, unit="%", above=flags, holes=holes)
            + latency_plot(stream, spans, found, times, holes)
            + time_plot("Wake-up lateness", late, found, times, holes, late_note(stream)))
