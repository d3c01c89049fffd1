/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Trace points of provider "headroom", for bpftrace, perf and gdb; scripts/headroom.bt
 * watches them. Built in by -Dc_args=-DHEADROOM_PROBES, which takes sys/sdt.h (Debian:
 * systemtap-sdt-dev). While nobody watches, each is one instruction that does nothing, and
 * its arguments are values that are at hand; without that option there is nothing at all.
 *
 *   push      stream, sequence number, time_ns    a chunk was begun and pushed
 *   pop       stream, sequence number, time_ns    it was taken out of the ring
 *   xrun      io, enum hr_episode_kind, enum hr_cause, fill in percent
 *                                                 frames begin to be lost or invented
 *   pressure  io, 1 raised 0 cleared, level in percent
 *   late      io, ns behind the time for which the I/O thread was to wake up
 *
 * stream and io are addresses, by which streams of one process are told apart; time_ns is
 * the chunk's time stamp (CLOCK_MONOTONIC).
 */
#ifndef HR_CORE_PROBE_H
#define HR_CORE_PROBE_H

#ifdef HEADROOM_PROBES
#define SDT_USE_VARIADIC 1
#include <sys/sdt.h>
#define HR_PROBE(name, ...) STAP_PROBEV(headroom, name, __VA_ARGS__)
#else
#define HR_PROBE(name, ...) ((void)0)
#endif

#endif
