/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How the programs of the benchmark, and of the guard, set up a PCM: interleaved, S16,
 * stereo, 48 kHz.
 */
#ifndef TESTS_BENCH_HARDWARE_H
#define TESTS_BENCH_HARDWARE_H

#include <alsa/asoundlib.h>

#define BENCH_RATE 48000u	/* Hz */
#define BENCH_CHANNELS 2u

/** Dies, saying what it was, if alsa-lib has returned an error. */
void bench_must(long err, const char *what);

/** All but the sizes: hw becomes what is left of what pcm can do. Dies if it cannot. */
void bench_set_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw);

/** Install the format and these sizes, in frames. Dies if it cannot. */
void bench_set_hardware(snd_pcm_t *pcm, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer);

#endif
