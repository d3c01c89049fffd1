# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# The figures of a soak, for gnuplot: gnuplot -c plot.gp SAMPLES SVG
set terminal svg size 1100,1500 font "sans-serif,13" noenhanced background "white"
set output ARG2
set datafile separator ","
set datafile columnheaders
samples = ARG1

blue = 0x1f6fb4; pale = 0x8fbbe0; sand = 0xe3b95c; red = 0xc8463c; green = 0x3b9a57; ink = 0x30363d

# Few seconds are shown as such.
stats samples using "second" nooutput
minutes = STATS_max > 180
by(second) = minutes ? second / 60.0 : second
set border 3 lc rgb ink
set tics nomirror textcolor rgb ink
set grid lc rgb "#d8dde3" lt 1 lw 0.7
set key above left horizontal samplen 1.5 textcolor rgb ink
set format y "%g"
set lmargin 12
set rmargin 3
set xrange [0:by(STATS_max)]
set xlabel minutes ? "minutes" : "seconds" textcolor rgb ink offset 0,0.6
set multiplot layout 5,1 title "headroom soak: one point a second"

set ylabel "memory, MiB" textcolor rgb ink
set yrange [0:*]
plot samples using (by($1)):(column("resident KiB")/1024) with points pt 7 ps 0.4 lc rgb pale title "resident, with what is open just then", \
     samples using (by($1)):(column("resident at rest KiB")/1024) with lines lw 1.6 lc rgb blue title "resident, at rest", \
     samples using (by($1)):(column("heap bytes")/1048576) with lines lw 1.6 lc rgb green title "heap in use, at rest"

set ylabel "number" textcolor rgb ink
plot samples using (by($1)):(column("descriptors")) with lines lw 1.6 lc rgb blue title "descriptors, at rest", \
     samples using (by($1)):(column("threads")) with lines lw 1.6 lc rgb green title "threads, at rest", \
     samples using (by($1)):(column("faults p")) with lines lw 1.6 lc rgb sand title "page faults of the I/O threads: long playback", \
     samples using (by($1)):(column("faults c")) with lines lw 1.6 lc rgb red title "long capture"

set ylabel "fill of the ring, %" textcolor rgb ink
set yrange [0:100]
plot samples using (by($1)):(column("again c Fill")) with points pt 7 ps 0.4 lc rgb sand title "again capture", \
     samples using (by($1)):(column("again p Fill")) with points pt 7 ps 0.4 lc rgb pale title "again playback", \
     samples using (by($1)):(column("long c Fill")) with points pt 7 ps 0.5 lc rgb red title "long capture", \
     samples using (by($1)):(column("long p Fill")) with points pt 7 ps 0.5 lc rgb blue title "long playback"

set ylabel "latency of long, ms" textcolor rgb ink
set yrange [*:*]
set logscale y
plot samples using (by($1)):(column("long c Latency P99")/1000) with lines lw 1.4 lc rgb red title "capture: p99", \
     samples using (by($1)):(column("long c Latency P95")/1000) with lines lw 1.4 lc rgb sand title "capture: p95", \
     samples using (by($1)):(column("long c Latency P50")/1000) with lines lw 1.4 lc rgb green title "capture: p50", \
     samples using (by($1)):(column("long p Latency P99")/1000) with lines lw 1.4 lc rgb ink title "playback: p99", \
     samples using (by($1)):(column("long p Latency P95")/1000) with lines lw 1.4 lc rgb blue title "playback: p95", \
     samples using (by($1)):(column("long p Latency P50")/1000) with lines lw 1.4 lc rgb pale title "playback: p50"

# What is 0 has no place on this scale.
late(us) = us > 0 ? us / 1000.0 : NaN
set ylabel "wake-up late at most, ms" textcolor rgb ink
plot samples using (by($1)):(late(column("again p Wakeup Late Max"))) with points pt 7 ps 0.5 lc rgb pale title "again playback, by opening", \
     samples using (by($1)):(late(column("again c Wakeup Late Max"))) with points pt 7 ps 0.5 lc rgb sand title "again capture, by opening", \
     samples using (by($1)):(late(column("long p Wakeup Late Max"))) with lines lw 1.6 lc rgb blue title "long playback, so far", \
     samples using (by($1)):(late(column("long c Wakeup Late Max"))) with lines lw 1.6 lc rgb red title "long capture, so far"
unset multiplot
