/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* That what is recorded is the world, and jumps by what was lost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/clocked/rig.h"
#include "tests/clocked/tests.h"

static struct rig rig;

/* Ten seconds of buffer: no test stalls so long. */
static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = 48000, .period = 480, .buffer = 480000,
};

static void set_up(void)
{
	rig_init(&rig);
}

static void tear_down(void)
{
	rig_finish(&rig);
}

static void assert_counter(const uint8_t *data, size_t n, uint32_t first)
{
	for (size_t i = 0; i < n * rig.frame_bytes; i++) {
		uint32_t world = first + (uint32_t)(i / rig.frame_bytes);
		size_t byte = i % rig.frame_bytes % 4;

		ck_assert_uint_eq(data[i], (uint8_t)(world >> (8 * byte)));
	}
}

static const struct {
	snd_pcm_format_t format;
	unsigned int channels;
} shapes[] = {
	{ SND_PCM_FORMAT_U8, 1 }, { SND_PCM_FORMAT_S16_LE, 1 },
	{ SND_PCM_FORMAT_S24_3LE, 1 }, { SND_PCM_FORMAT_S24_3LE, 2 },
	{ SND_PCM_FORMAT_FLOAT64_LE, 3 },
};

START_TEST(the_counter_is_continuous_from_0)
{
	struct rig_params params = mono;
	uint8_t data[300 * 24];

	params.format = shapes[_i].format;
	params.channels = shapes[_i].channels;
	params.buffer = 48000;
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &params);
	for (uint32_t at = 0; at < 4000;) {
		size_t n = 1 + at % 300;

		rig_read(&rig, data, n);
		assert_counter(data, n, at);
		at += (uint32_t)n;
	}
}
END_TEST

START_TEST(the_supply_is_recorded_and_silence_after_it)
{
	uint8_t text[400], data[4 * 200];
	FILE *file = fopen(rig.supply, "wb");

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + 1);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, sizeof(text), file), sizeof(text));
	fclose(file);
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &mono);
	rig_read(&rig, data, 200);
	ck_assert_mem_eq(data, text, 400);
	for (size_t i = 400; i < sizeof(data); i++)
		ck_assert_uint_eq(data[i], 0);
}
END_TEST

static uint32_t first_counter(void)
{
	uint32_t data;

	rig_read(&rig, (uint8_t *)&data, 1);
	return data;
}

START_TEST(an_overrun_is_logged_once_and_the_counter_jumps)
{
	struct rig_params params = mono;
	unsigned long long frame = 0, lost = 0, start = 0;
	uint8_t data[4 * 100];

	params.buffer = 4800;
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &params);
	rig_read(&rig, data, 100);
	while (snd_pcm_avail(rig.pcm) >= 0)
		rig_sleep_ms(10);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
	ck_assert_int_eq(snd_pcm_readi(rig.pcm, data, 1), -EPIPE);
	ck_assert_uint_eq(rig_log(&rig, "xrun", &frame, &lost), 1);
	ck_assert_uint_eq(frame, 100 + 4800);
	ck_assert_uint_ge(lost, 4800);
	rig_let_pass_ms(5);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_uint_eq(rig_log(&rig, "start", &start, NULL), 2);
	ck_assert_uint_ge(start, 100 + lost + 5 * 48);
	ck_assert_uint_eq(first_counter(), start);
}
END_TEST

START_TEST(waiting_ends_with_the_overrun)
{
	struct rig_params params = mono;

	params.buffer = 4800;
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &params);
	rig_thresholds(&rig, 0, 0, 4801);	/* more than there can be */
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_wait(rig.pcm, -1), -EPIPE);
}
END_TEST

START_TEST(a_stream_that_never_stops_keeps_what_it_has)
{
	struct rig_params params = mono;
	unsigned long long frame = 0, lost = 0;
	uint8_t data[4 * 960];

	params.buffer = 960;
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &params);
	rig_thresholds(&rig, 0, -1, 0);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_let_pass_ms(100);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), 960);
	rig_read(&rig, data, 960);
	assert_counter(data, 960, 0);
	rig_read(&rig, data, 1);
	ck_assert_uint_eq(rig_log(&rig, "gap", &frame, &lost), 1);
	ck_assert_uint_eq(frame, 960);
	ck_assert_uint_ge(lost, 4800 - 960);
	assert_counter(data, 1, (uint32_t)(frame + lost));
}
END_TEST

START_TEST(the_world_goes_on_while_paused)
{
	uint8_t data[4 * 2400];
	snd_pcm_sframes_t kept;

	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &mono);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, 960);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	kept = snd_pcm_avail(rig.pcm);
	rig_let_pass_ms(50);
	ck_assert_int_eq(snd_pcm_avail(rig.pcm), kept);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	for (uint32_t at = 0; at < (uint32_t)kept;) {
		uint32_t n = (uint32_t)kept - at < 2400 ? (uint32_t)kept - at : 2400;

		rig_read(&rig, data, n);
		assert_counter(data, n, at);
		at += n;
	}
	ck_assert_uint_ge(first_counter(), (uint32_t)kept + 50 * 48);
}
END_TEST

START_TEST(the_world_goes_on_while_stopped)
{
	uint32_t before;

	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &mono);
	before = first_counter();
	ck_assert_uint_eq(before, 0);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	rig_let_pass_ms(30);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_uint_ge(first_counter(), 30 * 48);
}
END_TEST

static uint32_t area_counter(const snd_pcm_channel_area_t *area,
			     snd_pcm_uframes_t offset)
{
	uint32_t value;

	memcpy(&value, (char *)area->addr + (area->first + offset * area->step) / 8,
	       4);
	return value;
}

/* Each begin twice, and less committed than was looked at. */
START_TEST(mmap_capture_is_a_repeatable_look)
{
	struct rig_params params = mono;
	uint32_t at = 0;

	params.access = _i ? SND_PCM_ACCESS_MMAP_NONINTERLEAVED :
			     SND_PCM_ACCESS_MMAP_INTERLEAVED;
	params.channels = 2;
	params.period = 24007;
	params.buffer = 2 * params.period;
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &params);
	rig_thresholds(&rig, 0, 0, 500);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (at < 5000) {
		const snd_pcm_channel_area_t *areas;
		snd_pcm_uframes_t offset, n = 700;

		ck_assert_int_ge(snd_pcm_avail_update(rig.pcm), 0);
		for (int look = 0; look < 2; look++) {
			ck_assert_int_eq(snd_pcm_mmap_begin(rig.pcm, &areas,
							    &offset, &n), 0);
			for (snd_pcm_uframes_t i = 0; i < n; i++)
				ck_assert_uint_eq(area_counter(&areas[0],
							       offset + i), at + i);
		}
		n -= n / 3;
		ck_assert_int_eq(snd_pcm_mmap_commit(rig.pcm, offset, n),
				 (snd_pcm_sframes_t)n);
		at += (uint32_t)n;
		if (n == 0)
			rig_sleep_ms(2);
	}
}
END_TEST

START_TEST(poll_wakes_a_reader_once_per_period)
{
	unsigned int wakes = 0, empty = 0;
	unsigned short revents;
	struct pollfd pfd;
	uint8_t data[4 * 960];
	uint32_t at = 0;

	rig_open(&rig, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK, "", &mono);
	rig_thresholds(&rig, 0, 0, 480);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &pfd, 1), 1);
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);	/* prepared: nothing to read */
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	while (at < 9600) {
		snd_pcm_sframes_t n = snd_pcm_readi(rig.pcm, data, 960);

		if (n == -EAGAIN) {
			ck_assert_int_eq(poll(&pfd, 1, -1), 1);
			snd_pcm_poll_descriptors_revents(rig.pcm, &pfd, 1,
							 &revents);
			ck_assert_int_eq(revents & ~POLLIN, 0);
			wakes++;
			empty += revents == 0;
			continue;
		}
		ck_assert_int_gt(n, 0);
		assert_counter(data, (size_t)n, at);
		at += (uint32_t)n;
	}
	ck_assert_uint_le(wakes, 2 * 9600 / 480);
	ck_assert_uint_le(empty, 2);
}
END_TEST

START_TEST(drain_of_a_capture_stops_it)
{
	rig_open(&rig, SND_PCM_STREAM_CAPTURE, 0, "", &mono);
	first_counter();
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
	ck_assert_uint_eq(rig_log(&rig, "stop", NULL, NULL), 1);
}
END_TEST

TCase *clocked_capture_tests(void)
{
	TCase *tcase = tcase_create("capture");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, the_counter_is_continuous_from_0, 0,
			    (int)(sizeof(shapes) / sizeof(shapes[0])));
	tcase_add_test(tcase, the_supply_is_recorded_and_silence_after_it);
	tcase_add_test(tcase, an_overrun_is_logged_once_and_the_counter_jumps);
	tcase_add_test(tcase, waiting_ends_with_the_overrun);
	tcase_add_test(tcase, a_stream_that_never_stops_keeps_what_it_has);
	tcase_add_test(tcase, the_world_goes_on_while_paused);
	tcase_add_test(tcase, the_world_goes_on_while_stopped);
	tcase_add_loop_test(tcase, mmap_capture_is_a_repeatable_look, 0, 2);
	tcase_add_test(tcase, poll_wakes_a_reader_once_per_period);
	tcase_add_test(tcase, drain_of_a_capture_stops_it);
	return tcase;
}
