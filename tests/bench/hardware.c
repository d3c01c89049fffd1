/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/hardware.h"

#include "tests/bench/record.h"

void bench_must(long err, const char *what)
{
	if (err < 0)
		bench_die("%s: %s", what, snd_strerror((int)err));
}

void bench_set_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw)
{
	bench_must(snd_pcm_hw_params_any(pcm, hw), "any configuration");
	bench_must(snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED),
		   "interleaved");
	bench_must(snd_pcm_hw_params_set_format(pcm, hw, SND_PCM_FORMAT_S16_LE), "S16_LE");
	bench_must(snd_pcm_hw_params_set_channels(pcm, hw, BENCH_CHANNELS), "stereo");
	bench_must(snd_pcm_hw_params_set_rate(pcm, hw, BENCH_RATE, 0), "48 kHz");
}

void bench_set_hardware(snd_pcm_t *pcm, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	bench_set_format(pcm, hw);
	bench_must(snd_pcm_hw_params_set_period_size(pcm, hw, period, 0), "period");
	bench_must(snd_pcm_hw_params_set_buffer_size(pcm, hw, buffer), "buffer");
	bench_must(snd_pcm_hw_params(pcm, hw), "hw_params");
}
