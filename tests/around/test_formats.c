/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Every form that sound comes in: sample formats, numbers of channels and ways of access.
 * What is written is heard and what is supplied is read, bit for bit, on the bare card
 * and through headroom.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

#define RATE 256000
#define SLOWEST 8000
#define PERIOD 128
#define BUFFER 1024
#define N 1200			/* frames of a stream: once around the buffer */
#define CHUNK 333
/* Streams this short outrun a busy machine now and then. What the log or the program
 * calls an xrun or a gap is tried again, and nothing else is. */
#define N_TRIES 50

static struct rig rig;

/* All that the card has but S16_LE, which comes with every number of channels. */
static const snd_pcm_format_t formats[] = {
	SND_PCM_FORMAT_S8, SND_PCM_FORMAT_U8, SND_PCM_FORMAT_S16_BE, SND_PCM_FORMAT_S24_LE,
	SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_S32_LE, SND_PCM_FORMAT_FLOAT_LE,
	SND_PCM_FORMAT_FLOAT64_LE,
};

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
	SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

static const unsigned int some_channels[] = { 1, 2, 3, 6, 8, 17, 32 };

static void set_up(void)
{
}

static void tear_down(void)
{
}

static bool is_planar(void)
{
	return rig.params.access == SND_PCM_ACCESS_RW_NONINTERLEAVED ||
	       rig.params.access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/* The same sound with each channel by itself, or back again. To be freed. */
static uint8_t *laid_out(const uint8_t *from, bool to_planar)
{
	size_t channels = rig.params.channels, bytes = rig.frame_bytes / channels;
	uint8_t *to = malloc(N * rig.frame_bytes);

	ck_assert_ptr_nonnull(to);
	for (size_t i = 0; i < N; i++) {
		for (size_t c = 0; c < channels; c++) {
			size_t in_frames = (i * channels + c) * bytes;
			size_t in_planes = (c * N + i) * bytes;

			memcpy(to + (to_planar ? in_planes : in_frames),
			       from + (to_planar ? in_frames : in_planes), bytes);
		}
	}
	return to;
}

/* One call of the program, from frame at on. */
static snd_pcm_sframes_t move(uint8_t *data, size_t at, size_t n)
{
	size_t bytes = rig.frame_bytes / rig.params.channels;
	bool plays = snd_pcm_stream(rig.pcm) == SND_PCM_STREAM_PLAYBACK;
	uint8_t *frames = data + at * rig.frame_bytes;
	void *planes[32];

	ck_assert_uint_le(rig.params.channels, N_OF(planes));
	for (size_t c = 0; c < rig.params.channels; c++)
		planes[c] = data + (c * N + at) * bytes;
	switch (rig.params.access) {
	case SND_PCM_ACCESS_RW_INTERLEAVED:
		return plays ? snd_pcm_writei(rig.pcm, frames, n) :
			       snd_pcm_readi(rig.pcm, frames, n);
	case SND_PCM_ACCESS_RW_NONINTERLEAVED:
		return plays ? snd_pcm_writen(rig.pcm, planes, n) :
			       snd_pcm_readn(rig.pcm, planes, n);
	case SND_PCM_ACCESS_MMAP_INTERLEAVED:
		return plays ? snd_pcm_mmap_writei(rig.pcm, frames, n) :
			       snd_pcm_mmap_readi(rig.pcm, frames, n);
	case SND_PCM_ACCESS_MMAP_NONINTERLEAVED:
		return plays ? snd_pcm_mmap_writen(rig.pcm, planes, n) :
			       snd_pcm_mmap_readn(rig.pcm, planes, n);
	default:
		ck_abort_msg("no such access");
	}
	return -EINVAL;
}

/* False after an xrun. */
static bool move_all(uint8_t *data)
{
	size_t at = 0;

	while (at < N) {
		snd_pcm_sframes_t done = move(data, at, N - at < CHUNK ? N - at : CHUNK);

		if (done == -EPIPE)
			return false;
		ck_assert_int_gt(done, 0);
		at += (size_t)done;
	}
	return true;
}

static void open_stream(bool headroom, snd_pcm_stream_t stream,
			const struct rig_params *params)
{
	pcm_rig_init(&rig);
	if (stream == SND_PCM_STREAM_CAPTURE) {
		FILE *file = fopen(rig.supply, "wb");
		uint8_t *data;

		rig.frame_bytes = params->channels *
			(size_t)snd_pcm_format_physical_width(params->format) / 8;
		data = rig_noise(&rig, N, 1);
		ck_assert_ptr_nonnull(file);
		ck_assert_uint_eq(fwrite(data, rig.frame_bytes, N, file), N);
		ck_assert_int_eq(fclose(file), 0);
		free(data);
	}
	rig_open_either(&rig, headroom, stream, 0, "", "", params);
}

/* The stream went on without a hole, as far as the card knows. Closes it. */
static bool close_whole(void)
{
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	return rig_log(&rig, "xrun", NULL, NULL) == 0 &&
	       rig_log(&rig, "gap", NULL, NULL) == 0;
}

static void assert_same(const char *what, bool headroom, const uint8_t *got, size_t bytes,
			const uint8_t *data)
{
	size_t at = 0, n = N * rig.frame_bytes;

	while (at < n && at < bytes && got[at] == data[at])
		at++;
	ck_assert_msg(at == n && bytes == n,
		      "%s %s, %u x %s by %s: %zu of %zu bytes, the same up to %zu", what,
		      headroom ? "through headroom" : "on the bare card",
		      rig.params.channels, snd_pcm_format_name(rig.params.format),
		      snd_pcm_access_name(rig.params.access), bytes, n, at);
}

/* False if the machine was too slow. */
static bool play(bool headroom, const struct rig_params *params)
{
	uint8_t *data, *planar, *heard;
	bool whole;
	size_t bytes;

	open_stream(headroom, SND_PCM_STREAM_PLAYBACK, params);
	rig_thresholds(&rig, BUFFER, 0, 0);
	data = rig_noise(&rig, N, 1);
	planar = laid_out(data, true);
	whole = move_all(is_planar() ? planar : data);
	if (whole)
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	if (close_whole() && whole) {
		heard = rig_slurp(rig.heard, &bytes);
		assert_same("heard", headroom, heard, bytes, data);
		free(heard);
	} else {
		whole = false;
	}
	free(planar);
	free(data);
	pcm_rig_finish(&rig);
	return whole;
}

/* False if the machine was too slow. */
static bool record(bool headroom, const struct rig_params *params)
{
	uint8_t *data, *got, *frames;
	bool whole;

	open_stream(headroom, SND_PCM_STREAM_CAPTURE, params);
	data = rig_noise(&rig, N, 1);
	got = calloc(N, rig.frame_bytes);
	ck_assert_ptr_nonnull(got);
	whole = move_all(got);
	if (whole) {
		/* What comes after the last frame that is read is nobody's loss. */
		frames = is_planar() ? laid_out(got, false) : NULL;
		whole = rig_log(&rig, "xrun", NULL, NULL) == 0 &&
			rig_log(&rig, "gap", NULL, NULL) == 0;
		if (whole)
			assert_same("read", headroom, frames ? frames : got,
				    N * rig.frame_bytes, data);
		free(frames);
	}
	free(got);
	free(data);
	pcm_rig_finish(&rig);
	return whole;
}

static void try_each_access(struct rig_params *params,
			    bool (*run)(bool headroom, const struct rig_params *params))
{
	for (size_t i = 0; i < N_OF(accesses); i++) {
		params->access = accesses[i];
		for (int headroom = 0; headroom < 2; headroom++) {
			int tries = 0;

			params->rate = RATE;
			while (!run(headroom, params)) {
				ck_assert_int_lt(++tries, N_TRIES);
				/* Slower, for a machine that cannot. */
				if (params->rate > SLOWEST)
					params->rate /= 2;
			}
		}
	}
}

static void try_form(snd_pcm_format_t format, unsigned int channels)
{
	struct rig_params params = {
		.format = format, .channels = channels, .rate = RATE, .period = PERIOD,
		.buffer = BUFFER,
	};

	try_each_access(&params, play);
	try_each_access(&params, record);
}

START_TEST(every_number_of_channels_is_heard_and_read_as_it_is)
{
	try_form(SND_PCM_FORMAT_S16_LE, (unsigned int)_i);
}
END_TEST

START_TEST(every_format_is_heard_and_read_as_it_is)
{
	for (size_t i = 0; i < N_OF(some_channels); i++)
		try_form(formats[_i], some_channels[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("formats");
	TCase *tcase = pcm_rig_case(suite, "channels", set_up, tear_down);

	tcase_add_loop_test(tcase, every_number_of_channels_is_heard_and_read_as_it_is, 1, 33);
	tcase = pcm_rig_case(suite, "formats", set_up, tear_down);
	tcase_add_loop_test(tcase, every_format_is_heard_and_read_as_it_is, 0,
			    (int)N_OF(formats));
	return pcm_rig_run(suite);
}
