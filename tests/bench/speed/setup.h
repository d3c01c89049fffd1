/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The PCMs that the programs here measure, by name, all of this build:
 *
 *   null                the device that takes everything at once
 *   through_null        headroom before it
 *   copy_null file_null plain_null threaded_null     what people use, before it
 *   card                the paced device of tests/clocked
 *   through_card        headroom before it; ctl.through_card shows its counters
 *
 * Whatever fails here ends the program: a subject that cannot be measured is an error.
 */
#ifndef TESTS_BENCH_SPEED_SETUP_H
#define TESTS_BENCH_SPEED_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <alsa/asoundlib.h>
#include "tests/bench/hardware.h"

#define SPEED_FRAME_BYTES 4u
/* headroom's depth_ms, as it is when nobody sets it. */
#define SPEED_DEPTH_FRAMES (2 * BENCH_RATE)

/** Load the definitions; the counters get a directory of their own, which is removed
 * when the process that called this exits. Once. */
void speed_begin(void);

/** How many bytes the pages of the counters take. */
size_t speed_counter_bytes(void);

/** Remove the pages of streams that are closed. */
void speed_forget_counters(void);

snd_pcm_t *speed_open(const char *name, snd_pcm_stream_t stream);

snd_ctl_t *speed_open_ctl(const char *name);

/** Hardware and software parameters: S16_LE stereo at 48 kHz. Playback starts when start
 * frames were written. The stream is prepared afterwards. */
void speed_set_up(snd_pcm_t *pcm, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer,
		  snd_pcm_uframes_t start);

/** Write or read up to 4096 frames. Dies on an error, or if they were fewer. */
void speed_move(snd_pcm_t *pcm, snd_pcm_uframes_t frames);

/** "playback" or "capture" */
const char *speed_direction(snd_pcm_stream_t stream);

#endif
