/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The configuration block of the virtual device:
 *
 *   pcm.card {
 *     type clocked
 *     heard "path"          playback: the frames that were heard, raw and
 *                           interleaved; truncated by open, unless
 *     heard_append 1        says to keep what is there: a card that comes back
 *     supply "path"         capture: raw interleaved frames to record, silence
 *                           after the last; without it a counter of frames
 *     log "path"            one line per event is appended, see tape.h
 *     rate_ppm 0            drift of the clock, -500000..500000
 *     formats [ S16_LE ]    also as one string, "S16_LE S32_LE"; default: all of
 *                           S8 U8 S16_LE S16_BE S24_LE S24_3LE S32_LE FLOAT_LE
 *                           FLOAT64_LE
 *     access [ RW_NONINTERLEAVED ]    all it takes; default: these and
 *                           RW_INTERLEAVED MMAP_INTERLEAVED MMAP_NONINTERLEAVED
 *     rates [ 44100 48000 ] all it takes, instead of what rate_min and rate_max
 *                           say; up to 16
 *     rate_min 4000         rate_max 384000       Hz
 *     channels_min 1        channels_max 32
 *     period_min 16         period_max 65536      frames
 *     buffer_max 524288     frames
 *     periods_min 2         periods_max 1024
 *     command "path"        what befalls the card meanwhile, see command.h
 *     chmaps 1              it has the channel map that it is given; none without
 *     extra_delay 0         frames that the delay has beyond the buffer, as of a
 *                           converter behind it
 *   }
 *
 * alsa-lib limits period and buffer in bytes. The limits above are exact where
 * formats and channels leave one frame size; where they leave several, minima
 * count frames of the smallest size and maxima frames of 8 bytes.
 *
 * Anything else in the block, a wrong type or a value out of range: one line on
 * stderr, and the open fails with -EINVAL.
 */
#ifndef TESTS_CLOCKED_CONFIG_H
#define TESTS_CLOCKED_CONFIG_H

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#define CLOCKED_CHANNELS_MAX 32
#define CLOCKED_N_FORMATS 9
#define CLOCKED_N_ACCESSES 4
#define CLOCKED_N_RATES 16

struct clocked_config {
	char *heard;			/* paths; NULL = not given */
	char *supply;
	char *log;
	char *command;
	long rate_ppm;
	long rate_min, rate_max;
	long channels_min, channels_max;
	long period_min, period_max;	/* frames */
	long buffer_max;		/* frames */
	long periods_min, periods_max;
	long extra_delay;		/* frames */
	long heard_append;		/* 0 or 1 */
	long chmaps;			/* 0 or 1 */
	unsigned int n_formats;
	unsigned int formats[CLOCKED_N_FORMATS];	/* snd_pcm_format_t */
	unsigned int n_accesses;
	unsigned int accesses[CLOCKED_N_ACCESSES];	/* snd_pcm_access_t */
	unsigned int n_rates;		/* 0 = a range */
	unsigned int rates[CLOCKED_N_RATES];		/* Hz */
};

/** Read and check the block of the PCM called name. Returns 0, -EINVAL after one
 * line on stderr, -ENOMEM. On failure there is nothing to finish. */
int clocked_config_init(struct clocked_config *config, const char *name,
			snd_config_t *block);

/** Free the strings. A zeroed config is allowed. */
void clocked_config_finish(struct clocked_config *config);

/** Tell alsa-lib what the configuration allows. Returns 0 or -errno. */
int clocked_config_constrain(const struct clocked_config *config,
			     snd_pcm_ioplug_t *io);

#endif
