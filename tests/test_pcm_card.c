/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Cards that are not like the others: a delay behind the buffer, planar memory,
 * a few rates only, periods of one frame; and pointers that wrap. Bodies with a
 * loop of two run on the bare card (0) and through headroom (1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"
#include "tests/set_boundary.h"

static struct rig rig;
static uint8_t *data;
static uint32_t got[8192];

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

/* A card of S32_LE and one channel records the number of each frame. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = 48000, .period = 480, .buffer = 4800,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	data = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

/* Read n frames; an overrun may cut them into pieces, each of which is whole. */
static void read_pieces(size_t n)
{
	while (n > 0) {
		snd_pcm_sframes_t done =
			snd_pcm_readi(rig.pcm, got, n < N_OF(got) ? n : N_OF(got));

		if (done == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
			continue;
		}
		ck_assert_int_gt(done, 0);
		for (size_t i = 1; i < (size_t)done; i++)
			ck_assert_uint_eq(got[i], got[0] + i);
		n -= (size_t)done;
	}
}

/* ---- delay behind the buffer ---- */

#define EXTRA 40000
#define EXTRA_DELAY "extra_delay 40000"

START_TEST(the_delay_of_playback_has_what_lies_behind_the_buffer)
{
	struct rig_params params = stereo;
	snd_pcm_sframes_t delay = 0, avail;

	params.buffer = 96000;		/* two seconds: it does not end meanwhile */
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, EXTRA_DELAY, "", &params);
	rig_thresholds(&rig, 96001, 0, 0);
	data = rig_noise(&rig, 96000, 51);
	rig_write(&rig, data, 96000, 96000);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 2400);
	/* Paused, so that avail and delay are of the same moment. */
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	avail = snd_pcm_avail(rig.pcm);
	ck_assert_int_gt(avail, 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_eq(delay, 96000 - avail + EXTRA);
}
END_TEST

START_TEST(the_delay_of_capture_has_what_lies_before_the_buffer)
{
	snd_pcm_sframes_t delay = 0, avail;
	struct rig_params params = mono;

	params.buffer = 48000;
	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0, EXTRA_DELAY, "", &params);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), 1);
	avail = snd_pcm_avail(rig.pcm);
	ck_assert_int_gt(avail, 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	ck_assert_int_ge(delay, avail + EXTRA);
}
END_TEST

/* ---- memory channel by channel ---- */

static const char *const planar[] = {
	"access [ RW_NONINTERLEAVED ]", "access [ MMAP_NONINTERLEAVED ]",
};

/* Writes that end within a chunk, so that the next one begins there. */
START_TEST(a_card_with_planar_memory_is_heard_bit_for_bit)
{
	const size_t n = 3 * 4800 + 77;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, planar[_i], "", &stereo);
	rig_thresholds(&rig, 1000, 0, 0);
	data = rig_noise(&rig, n, 52);
	rig_write(&rig, data, n, 331);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, n);
}
END_TEST

static void supply(const uint8_t *bytes, size_t n_bytes)
{
	FILE *file = fopen(rig.supply, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, n_bytes, file), n_bytes);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_card_with_planar_memory_is_recorded_bit_for_bit)
{
	const size_t n = 2 * 4800 + 77;
	uint8_t *read;

	rig.frame_bytes = 4;
	data = rig_noise(&rig, n, 53);
	supply(data, n * 4);
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, planar[_i],
			  "depth_ms 10000 slave.buffer 48000", &stereo);
	read = calloc(n, 4);
	ck_assert_ptr_nonnull(read);
	for (size_t at = 0; at < n; at += 137)
		rig_read(&rig, read + at * 4, n - at < 137 ? n - at : 137);
	ck_assert_int_eq(memcmp(read, data, n * 4), 0);
	free(read);
}
END_TEST

/* ---- rates ---- */

START_TEST(only_the_rates_of_the_card_are_offered)
{
	static const unsigned int refused[] = { 22050, 32000, 44101, 64000, 95999 };
	static const unsigned int taken[] = { 16000, 44100, 48000, 96000 };
	snd_pcm_hw_params_t *hw;
	unsigned int rate = 60000;

	if (_i)
		ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0,
			"rates [ 16000 44100 48000 96000 ]", ""), 0);
	else
		ck_assert_int_eq(rig_try_open(&rig, SND_PCM_STREAM_PLAYBACK, 0,
			"rates [ 16000 44100 48000 96000 ]"), 0);
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	for (size_t i = 0; i < N_OF(taken); i++)
		ck_assert_int_eq(snd_pcm_hw_params_test_rate(rig.pcm, hw, taken[i], 0), 0);
	for (size_t i = 0; i < N_OF(refused); i++)
		ck_assert_int_lt(snd_pcm_hw_params_test_rate(rig.pcm, hw, refused[i], 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_rate_near(rig.pcm, hw, &rate, NULL), 0);
	ck_assert(rate == 48000 || rate == 96000);
}
END_TEST

/* ---- sizes ---- */

START_TEST(periods_of_one_frame_are_recorded)
{
	struct rig_params params = mono;

	params.rate = 384000;
	params.period = 1;
	params.buffer = 1024;
	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0,
			"period_min 1 periods_max 65536", "slave.buffer 65536", &params);
	read_pieces(8192);
}
END_TEST

/* ---- pointers that wrap ---- */

static void wrap_early(void)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	ck_assert_int_eq(snd_pcm_sw_params_current(rig.pcm, sw), 0);
	set_boundary(sw, 4 * rig.params.buffer);
	ck_assert_int_eq(snd_pcm_sw_params(rig.pcm, sw), 0);
}

START_TEST(playback_goes_on_when_the_pointers_wrap)
{
	struct rig_params params = stereo;
	snd_pcm_sframes_t avail;
	const size_t n = 30000;		/* seven times around */

	params.period = 120;
	params.buffer = 960;
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	wrap_early();
	data = rig_noise(&rig, n, 54);
	for (size_t at = 0; at < n; at += 100) {
		rig_write(&rig, data + at * 4, 100, 100);
		avail = snd_pcm_avail(rig.pcm);
		if (avail != -EPIPE)	/* a slow machine: written on the next round */
			ck_assert_int_le(avail, 960);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, n);
}
END_TEST

START_TEST(capture_goes_on_when_the_pointers_wrap)
{
	struct rig_params params = mono;

	params.period = 120;
	params.buffer = 960;
	rig_open_either(&rig, _i, SND_PCM_STREAM_CAPTURE, 0, "",
			"depth_ms 10000 slave.buffer 48000", &params);
	wrap_early();
	for (size_t at = 0; at < 30000; at += 100)
		read_pieces(100);
	if (_i)		/* nothing was lost: this is the last of so many */
		ck_assert_uint_eq(got[99], 29999);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("card");
	TCase *tcase = pcm_rig_case(suite, "delay", set_up, tear_down);

	tcase_add_loop_test(tcase, the_delay_of_playback_has_what_lies_behind_the_buffer,
			    0, 2);
	tcase_add_loop_test(tcase, the_delay_of_capture_has_what_lies_before_the_buffer,
			    0, 2);
	tcase = pcm_rig_case(suite, "planar", set_up, tear_down);
	tcase_add_loop_test(tcase, a_card_with_planar_memory_is_heard_bit_for_bit,
			    0, N_OF(planar));
	tcase_add_loop_test(tcase, a_card_with_planar_memory_is_recorded_bit_for_bit,
			    0, N_OF(planar));
	tcase = pcm_rig_case(suite, "limits", set_up, tear_down);
	tcase_add_loop_test(tcase, only_the_rates_of_the_card_are_offered, 0, 2);
	tcase_add_loop_test(tcase, periods_of_one_frame_are_recorded, 0, 2);
	tcase = pcm_rig_case(suite, "pointers", set_up, tear_down);
	tcase_add_loop_test(tcase, playback_goes_on_when_the_pointers_wrap, 0, 2);
	tcase_add_loop_test(tcase, capture_goes_on_when_the_pointers_wrap, 0, 2);
	return pcm_rig_run(suite);
}
