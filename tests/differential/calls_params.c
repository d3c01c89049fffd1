/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <limits.h>

#include "tests/differential/calls.h"
#include "tests/differential/world.h"

#define MS UINT64_C(1000000)
#define FRAMES_MAX 8192

static void learn_setup(struct side *side, snd_pcm_hw_params_t *hw)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_hw_params_get_access(hw, &side->access);
	snd_pcm_hw_params_get_format(hw, &side->format);
	snd_pcm_hw_params_get_rate(hw, &side->rate, NULL);
	snd_pcm_hw_params_get_channels(hw, &side->channels);
	snd_pcm_hw_params_get_period_size(hw, &side->period, NULL);
	snd_pcm_hw_params_get_buffer_size(hw, &side->buffer);
	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(side->pcm, sw);
	snd_pcm_sw_params_get_boundary(sw, &side->boundary);
	side->frame_bytes = side->channels *
		(size_t)snd_pcm_format_physical_width(side->format) / 8;
	/* A few times what the buffer lasts. */
	side->patience_ns = 200 * MS + 3 * (uint64_t)side->buffer * 1000 * MS / side->rate;
	world_set_patience(side->patience_ns);
	side->pos = 0;
	side->limit = LIMIT_NONE;
	side->stop = side->buffer;
	side->apart = side->period;
	side->goes_on = side->was_reset = false;
	note_exact(side, (long)side->access);
	note_exact(side, (long)side->format);
	note_exact(side, (long)side->rate);
	note_exact(side, (long)side->channels);
	note_exact(side, (long)side->period);
	note_exact(side, (long)side->buffer);
	note_exact(side, (long)side->boundary);
	note_exact(side, snd_pcm_hw_params_can_pause(hw) |
			 snd_pcm_hw_params_can_resume(hw) << 1 |
			 snd_pcm_hw_params_is_batch(hw) << 2);
}

void call_hw_params(struct side *side, struct rng *rng, bool absurd)
{
	static const snd_pcm_format_t formats[] = {
		SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S32_LE, SND_PCM_FORMAT_S16_LE,
		SND_PCM_FORMAT_U8, SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_FLOAT_LE,
		SND_PCM_FORMAT_S16_BE, SND_PCM_FORMAT_MU_LAW,
	};
	static const unsigned int rates[] = { 48000, 44100, 8000, 96000, 192000, 22050,
					      5512, 0, UINT_MAX };
	static const unsigned int channels[] = { 2, 1, 2, 4, 3, 6, 32, 0, 1000 };
	static const snd_pcm_uframes_t absurds[] = { 0, 1, 3, UINT_MAX, ULONG_MAX };
	snd_pcm_format_t format = formats[rng_below(rng, absurd ? 8 : 7)];
	unsigned int rate = rates[rng_below(rng, absurd ? 9 : 6)];
	unsigned int n_channels = channels[rng_below(rng, absurd ? 9 : 6)];
	snd_pcm_access_t access = rng_chance(rng, 50) ? SND_PCM_ACCESS_RW_INTERLEAVED :
				  (snd_pcm_access_t)rng_below(rng, 5);
	snd_pcm_uframes_t period = 16 + rng_below(rng, rng_chance(rng, 50) ? 200 : 2000);
	snd_pcm_uframes_t buffer = period * (2 + rng_below(rng, 5)), least = FRAMES_MAX;
	snd_pcm_hw_params_t *hw;

	if (rng_chance(rng, 40)) {
		period = (snd_pcm_uframes_t)64 << rng_below(rng, 5);
		buffer = period << (1 + rng_below(rng, 3));
	}
	if (rng_chance(rng, 20))
		buffer += rng_below(rng, period);
	if (absurd && rng_chance(rng, 50))
		period = absurds[rng_below(rng, 5)];
	if (absurd && rng_chance(rng, 50))
		buffer = absurds[rng_below(rng, 5)];
	SAY(side, "hw_params %s %s %u Hz %u ch period %lu buffer %lu",
	    snd_pcm_access_name(access), snd_pcm_format_name(format), rate, n_channels,
	    period, buffer);
	snd_pcm_hw_params_alloca(&hw);
	note_exact(side, snd_pcm_hw_params_any(side->pcm, hw));
	note_exact(side, snd_pcm_hw_params_set_access(side->pcm, hw, access));
	note_exact(side, snd_pcm_hw_params_set_format(side->pcm, hw, format));
	note_exact(side, snd_pcm_hw_params_set_channels(side->pcm, hw, n_channels));
	note_exact(side, snd_pcm_hw_params_set_rate(side->pcm, hw, rate, 0));
	if (absurd) {
		note_exact(side, snd_pcm_hw_params_set_period_size(side->pcm, hw, period, 0));
		note_exact(side, snd_pcm_hw_params_set_buffer_size(side->pcm, hw, buffer));
	} else {
		snd_pcm_hw_params_set_buffer_size_near(side->pcm, hw, &buffer);
		snd_pcm_hw_params_set_period_size_near(side->pcm, hw, &period, NULL);
	}
	/* A program that ignores errors gets what is left; not all of the memory. */
	snd_pcm_hw_params_set_channels_near(side->pcm, hw, &n_channels);
	/* Where alsa-lib chooses, ioplug is not told what: it sees old values. */
	snd_pcm_hw_params_set_access_first(side->pcm, hw, &access);
	snd_pcm_hw_params_set_format_first(side->pcm, hw, &format);
	snd_pcm_hw_params_set_rate_near(side->pcm, hw, &rate, NULL);
	snd_pcm_hw_params_set_buffer_size_max(side->pcm, hw, &least);
	side->result->ret = snd_pcm_hw_params(side->pcm, hw);
	if (side->result->ret == 0) {
		learn_setup(side, hw);
	} else {
		side_limit(side, LIMIT_FREED);
		/* alsa-lib may keep a setup that it has refused, with periods of 0
		 * frames, on which it fails itself. */
		snd_pcm_hw_free(side->pcm);
	}
}

static snd_pcm_uframes_t draw_start(const struct side *side, struct rng *rng)
{
	const snd_pcm_uframes_t starts[] = {
		0, 1, side->period, side->buffer, side->buffer + 1,
		side->boundary - 1, side->boundary, side->boundary, ULONG_MAX,
	};

	return rng_chance(rng, 50) ? draw_frames(side, rng, true) : starts[rng_below(rng, 9)];
}

static snd_pcm_uframes_t draw_stop(const struct side *side, struct rng *rng)
{
	const snd_pcm_uframes_t stops[] = {
		side->boundary, side->boundary, side->boundary - 1, ULONG_MAX,
		side->buffer + 1, 2 * side->buffer, side->buffer - 1, side->period,
		1 + rng_below(rng, side->buffer), 1 + rng_below(rng, 4 * side->buffer),
	};

	return rng_chance(rng, 60) ? side->buffer : stops[rng_below(rng, 10)];
}

/* A multiple of the period, or little enough for the end of the period in which it is
 * reached, at which the card wakes, not to be an overrun. */
static snd_pcm_uframes_t draw_avail_min(const struct side *side, struct rng *rng)
{
	const snd_pcm_uframes_t whole = side->buffer / side->period;
	const snd_pcm_uframes_t avail_mins[] = {
		0, 1, side->period, side->period, side->period * (1 + rng_below(rng, whole)),
		side->buffer, side->buffer + 1, side->boundary,
		1 + rng_below(rng, (whole > 1 ? whole - 1 : 1) * side->period),
	};

	return avail_mins[rng_below(rng, 9)];
}

/* Mostly what the kernel takes. */
static void draw_silence(const struct side *side, struct rng *rng,
			 snd_pcm_uframes_t *threshold, snd_pcm_uframes_t *size)
{
	*threshold = *size = 0;
	switch (rng_below(rng, 8)) {
	case 0:		/* before the end, so much */
		*threshold = rng_below(rng, side->buffer + 1);
		*size = rng_below(rng, *threshold + 1);
		break;
	case 1:		/* what was played, always */
		*size = side->boundary;
		break;
	case 2:
		*threshold = draw_frames(side, rng, true);
		*size = rng_chance(rng, 50) ? side->boundary : draw_frames(side, rng, true);
		break;
	default:
		break;
	}
}

void call_sw_params(struct side *side, struct rng *rng)
{
	snd_pcm_uframes_t start = draw_start(side, rng), stop = draw_stop(side, rng);
	snd_pcm_uframes_t avail_min = draw_avail_min(side, rng), threshold, size;
	snd_pcm_sw_params_t *sw;

	/* Ready and over in one step: which of them is seen is a matter of steps. */
	if (stop > avail_min && stop - avail_min < side->period)
		avail_min = 1;
	/* So are the wake-up at the end of a period and an end just after it. */
	if (stop < side->buffer && stop % side->period <= side->rate / 100)
		stop = side->buffer;
	/* Of periods this short the steps in which silence is counted miss some. */
	if (stop > side->buffer && side->period < side->rate / 250)
		stop = side->boundary;
	draw_silence(side, rng, &threshold, &size);
	snd_pcm_sw_params_alloca(&sw);
	note_exact(side, snd_pcm_sw_params_current(side->pcm, sw));
	note_exact(side, snd_pcm_sw_params_set_start_threshold(side->pcm, sw, start));
	note_exact(side, snd_pcm_sw_params_set_stop_threshold(side->pcm, sw, stop));
	note_exact(side, snd_pcm_sw_params_set_avail_min(side->pcm, sw, avail_min));
	/* The virtual card has no timer that would tell of periods by themselves. */
	note_exact(side, snd_pcm_sw_params_set_period_event(side->pcm, sw, 0));
	note_exact(side, snd_pcm_sw_params_set_tstamp_mode(side->pcm, sw,
		rng_chance(rng, 50) ? SND_PCM_TSTAMP_ENABLE : SND_PCM_TSTAMP_NONE));
	note_exact(side, snd_pcm_sw_params_set_silence_threshold(side->pcm, sw, threshold));
	note_exact(side, snd_pcm_sw_params_set_silence_size(side->pcm, sw, size));
	SAY(side, "sw_params start %ld stop %ld avail_min %ld silence %ld %ld", (long)start,
	    (long)stop, (long)avail_min, (long)threshold, (long)size);
	/* What has happened by now is judged by the old values: the card looks only
	 * when it is asked. */
	snd_pcm_hwsync(side->pcm);
	side->result->ret = snd_pcm_sw_params(side->pcm, sw);
	if (side->result->ret < 0)
		return;
	side->stop = stop;
	/* The card wakes at the end of a period, headroom a little sooner or later: one
	 * of them may have to wait for as much again. */
	side->apart = side->period * (side->was_reset ? 2 : 1);
	if (avail_min <= side->buffer && avail_min != side->period)
		side->apart += avail_min;
	/* Played beyond the end, or stopped by the step before it. */
	if (stop != side->buffer)
		side->goes_on = side->went_on = true;
}
