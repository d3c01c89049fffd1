/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What is recorded through headroom is what the card recorded, bit for bit,
 * whatever way it is read. What goes wrong, and how a stream starts and stops:
 * test_pcm_overrun.c and test_pcm_capture_states.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *sound;		/* what the card will record */

static void set_up(void)
{
	pcm_rig_init(&rig);
	sound = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(sound);
}

/* Two seconds in the device, so that a machine that stalls loses nothing. */
static void open_capture(int mode, const struct rig_params *params, size_t n)
{
	char keys[64];
	FILE *file;

	rig.frame_bytes = params->channels *
		(size_t)snd_pcm_format_physical_width(params->format) / 8;
	sound = rig_noise(&rig, n, 5);
	file = fopen(rig.supply, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(sound, rig.frame_bytes, n, file), n);
	fclose(file);
	snprintf(keys, sizeof(keys), "slave.buffer %u", 2 * params->rate);
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, mode, "", keys, params);
}

static void assert_same(const uint8_t *got, size_t at, size_t n)
{
	ck_assert_mem_eq(got, sound + at * rig.frame_bytes, n * rig.frame_bytes);
}

/* ---- ways to read up to n frames into got; each returns what alsa-lib does ---- */

static snd_pcm_sframes_t read_planar(uint8_t *got, size_t n)
{
	size_t sample = rig.frame_bytes / rig.params.channels;
	uint8_t *planes = malloc(n * rig.frame_bytes);
	void *bufs[32];
	snd_pcm_sframes_t done;

	for (unsigned int c = 0; c < rig.params.channels; c++)
		bufs[c] = planes + c * n * sample;
	done = rig.params.access == SND_PCM_ACCESS_RW_NONINTERLEAVED ?
	       snd_pcm_readn(rig.pcm, bufs, n) : snd_pcm_mmap_readn(rig.pcm, bufs, n);
	for (snd_pcm_sframes_t i = 0; i < done; i++)
		for (unsigned int c = 0; c < rig.params.channels; c++)
			memcpy(got + (size_t)i * rig.frame_bytes + c * sample,
			       (uint8_t *)bufs[c] + (size_t)i * sample, sample);
	free(planes);
	return done;
}

static snd_pcm_sframes_t read_some(uint8_t *got, size_t n)
{
	switch (rig.params.access) {
	case SND_PCM_ACCESS_RW_INTERLEAVED:
		return snd_pcm_readi(rig.pcm, got, n);
	case SND_PCM_ACCESS_MMAP_INTERLEAVED:
		return snd_pcm_mmap_readi(rig.pcm, got, n);
	default:
		return read_planar(got, n);
	}
}

/* Sizes from one frame to more than the buffer, in no order. */
static size_t odd_size(size_t i)
{
	static const size_t sizes[] = { 1, 333, 2, 64, 7, 1, 1021, 480, 90, 31 };

	return i % 23 == 22 ? rig.params.buffer + 77 : sizes[i % N_OF(sizes)];
}

static const struct rig_params shapes[] = {
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 1, 8000, 80, 800 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, 44100, 1103, 8824 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S24_3LE, 1, 48000, 480, 960 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S32_LE, 8, 48000, 997, 3988 },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_FLOAT_LE, 2, 96000, 64, 2048 },
	{ SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_S24_3LE, 8, 48000, 480, 4800 },
	{ SND_PCM_ACCESS_RW_NONINTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, 192000, 4096, 8192 },
	{ SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, 48000, 480, 4800 },
	{ SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_S24_3LE, 1, 44100, 337, 1011 },
	{ SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_FORMAT_S32_LE, 2, 48000, 500, 5000 },
	{ SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_FORMAT_S16_LE, 8, 16000, 160, 1280 },
};

START_TEST(blocking_reads_of_any_size_give_what_the_card_recorded)
{
	size_t n = shapes[_i].rate / 4, most = n + shapes[_i].buffer + 2048;
	uint8_t *got;

	open_capture(0, &shapes[_i], most);
	got = malloc(most * rig.frame_bytes);
	for (size_t at = 0, i = 0; at < n; i++) {
		size_t want = odd_size(i);

		if (want > most - at)
			want = most - at;
		ck_assert_int_eq(read_some(got, want), (snd_pcm_sframes_t)want);
		assert_same(got, at, want);
		at += want;
	}
	free(got);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
}
END_TEST

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

enum { N_FRAMES = 19200 };		/* 0.4 s */

static void wait_by_poll(void)
{
	unsigned short revents = 0;
	struct pollfd fds[4];
	int n = snd_pcm_poll_descriptors_count(rig.pcm);

	ck_assert_int_ge(n, 1);
	ck_assert_int_le(n, 4);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, fds, 4), n);
	ck_assert_int_ge(poll(fds, (nfds_t)n, -1), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, fds,
							  (unsigned int)n, &revents), 0);
	ck_assert_int_eq(revents & ~POLLIN, 0);
}

START_TEST(non_blocking_reads_give_what_the_card_recorded)
{
	uint8_t got[4 * 1024];
	unsigned int waits = 0;

	open_capture(SND_PCM_NONBLOCK, &stereo, N_FRAMES);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (size_t at = 0, i = 0; at < N_FRAMES; i++) {
		size_t want = odd_size(i) % 1024 + 1;
		snd_pcm_sframes_t n;

		if (want > N_FRAMES - at)
			want = N_FRAMES - at;
		n = snd_pcm_readi(rig.pcm, got, want);
		if (n == -EAGAIN) {
			waits++;
			if (_i)
				wait_by_poll();
			else
				ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
			continue;
		}
		ck_assert_int_gt(n, 0);
		assert_same(got, at, (size_t)n);
		at += (size_t)n;
	}
	/* It slept: one wait brings a period. */
	ck_assert_uint_ge(waits, 1);
	ck_assert_uint_le(waits, 3 * N_FRAMES / 480);
}
END_TEST

/* avail_min is what wakes, whatever the period is. */
START_TEST(wait_returns_with_avail_min)
{
	static const snd_pcm_uframes_t mins[] = { 1, 100, 480, 500, 4799, 4800 };
	uint8_t got[4 * 4800];

	open_capture(0, &stereo, 5 * 4800);
	rig_thresholds(&rig, 0, 0, (long)mins[_i]);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (size_t at = 0; at < 3 * 4800;) {
		snd_pcm_sframes_t avail;

		ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
		avail = snd_pcm_avail_update(rig.pcm);
		ck_assert_int_ge(avail, (snd_pcm_sframes_t)mins[_i]);
		ck_assert_int_le(avail, 4800);
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, mins[_i]), mins[_i]);
		assert_same(got, at, mins[_i]);
		at += mins[_i];
		if (mins[_i] == 1 && at == 480)
			break;
	}
}
END_TEST

static void assert_areas(const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
			 size_t at, size_t n)
{
	size_t sample = rig.frame_bytes / rig.params.channels;

	for (size_t i = 0; i < n; i++)
		for (unsigned int c = 0; c < rig.params.channels; c++)
			ck_assert_mem_eq((uint8_t *)areas[c].addr +
					 (areas[c].first + (offset + i) * areas[c].step) / 8,
					 sound + (at + i) * rig.frame_bytes + c * sample,
					 sample);
}

/* PortAudio does, in both directions at once. */
START_TEST(mmap_of_no_frames_is_no_error)
{
	struct rig_params params = stereo;
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, n = 64;

	params.access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	open_capture(0, &params, N_FRAMES);
	ck_assert_int_eq(snd_pcm_avail_update(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_mmap_begin(rig.pcm, &areas, &offset, &n), 0);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(snd_pcm_mmap_commit(rig.pcm, offset, 0), 0);
}
END_TEST

/* Each begin twice, and less committed than was looked at. */
START_TEST(mmap_is_a_repeatable_look)
{
	struct rig_params params = stereo;
	size_t at = 0;

	params.access = _i ? SND_PCM_ACCESS_MMAP_NONINTERLEAVED :
			     SND_PCM_ACCESS_MMAP_INTERLEAVED;
	params.period = 337;
	params.buffer = 1011;
	open_capture(0, &params, 3 * N_FRAMES);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (at < N_FRAMES) {
		const snd_pcm_channel_area_t *areas;
		snd_pcm_uframes_t offset, n;

		ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
		ck_assert_int_gt(snd_pcm_avail_update(rig.pcm), 0);
		for (int look = 0; look < 3; look++) {
			n = look == 1 ? 30 : 700;
			ck_assert_int_eq(snd_pcm_mmap_begin(rig.pcm, &areas,
							    &offset, &n), 0);
			assert_areas(areas, offset, at, n);
		}
		n -= n / 3;
		ck_assert_int_eq(snd_pcm_mmap_commit(rig.pcm, offset, n), n);
		at += n;
	}
}
END_TEST

START_TEST(rewound_frames_are_read_again)
{
	uint8_t got[4 * 4800];
	size_t at = 0;

	open_capture(0, &stereo, 4 * N_FRAMES);
	for (size_t i = 0; at < N_FRAMES; i++) {
		snd_pcm_sframes_t back;

		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 700), 700);
		assert_same(got, at, 700);
		at += 700;
		back = snd_pcm_rewindable(rig.pcm);
		ck_assert_int_ge(back, 0);
		ck_assert_int_le(back, 4800);
		if ((size_t)back > 5 * i)
			back = (snd_pcm_sframes_t)(5 * i);
		back = snd_pcm_rewind(rig.pcm, (snd_pcm_uframes_t)back);
		ck_assert_int_ge(back, 0);
		at -= (size_t)back;
		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, (size_t)back + 1), back + 1);
		assert_same(got, at, (size_t)back + 1);
		at += (size_t)back + 1;
	}
}
END_TEST

START_TEST(skipped_frames_are_not_read)
{
	uint8_t got[4 * 700];
	size_t at = 0;

	open_capture(0, &stereo, 2 * N_FRAMES);
	while (at < N_FRAMES) {
		snd_pcm_sframes_t n;

		ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 200), 200);
		assert_same(got, at, 200);
		at += 200;
		while ((n = snd_pcm_avail_update(rig.pcm)) < 300)
			ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
		ck_assert_int_eq(snd_pcm_forward(rig.pcm, 300), 300);
		at += 300;
	}
}
END_TEST

START_TEST(another_rate_and_format_on_the_same_handle)
{
	struct rig_params params = stereo;
	uint8_t got[4 * 1000];

	open_capture(0, &params, N_FRAMES);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 1000), 1000);
	assert_same(got, 0, 1000);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	if (_i)
		ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
	/* Another rate is another world: the card begins anew at frame 0. */
	params.rate = 32000;
	params.format = SND_PCM_FORMAT_S32_LE;
	params.channels = 1;
	rig_install(&rig, &params);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, got, 1000), 1000);
	assert_same(got, 0, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pcm_capture");
	TCase *content = pcm_rig_case(suite, "content", set_up, tear_down);
	TCase *position = pcm_rig_case(suite, "position", set_up, tear_down);

	tcase_add_loop_test(content,
			    blocking_reads_of_any_size_give_what_the_card_recorded,
			    0, N_OF(shapes));
	tcase_add_loop_test(content, non_blocking_reads_give_what_the_card_recorded,
			    0, 2);
	tcase_add_loop_test(content, another_rate_and_format_on_the_same_handle, 0, 2);
	tcase_add_loop_test(position, wait_returns_with_avail_min, 0, 6);
	tcase_add_test(position, mmap_of_no_frames_is_no_error);
	tcase_add_loop_test(position, mmap_is_a_repeatable_look, 0, 2);
	tcase_add_test(position, rewound_frames_are_read_again);
	tcase_add_test(position, skipped_frames_are_not_read);
	return pcm_rig_run(suite);
}
