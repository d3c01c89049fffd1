/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* That what is written to headroom is heard, bit for bit and to the last frame,
 * by every way there is to write. An underrun loses nothing: the tests prepare and
 * go on, since a slow machine may bring one about at any time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

static struct rig rig;
static uint8_t *data;
static uint32_t seed;

static void set_up(void)
{
	pcm_rig_init(&rig);
	data = NULL;
	seed = 1;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

/* 1 frame to somewhat more than a buffer. */
static size_t irregular_size(void)
{
	const struct rig_params *p = &rig.params;

	switch (random_below(8)) {
	case 0:
		return 1;
	case 1:
		return 1 + random_below(16);
	case 2:
		return p->period;
	case 3:
		return p->period - 1 + random_below(3);
	case 4:
		return p->buffer;
	case 5:
		return p->buffer + 1 + random_below(100);
	default:
		return 1 + random_below((uint32_t)p->buffer);
	}
}

static void describe(snd_pcm_channel_area_t *areas, uint8_t *memory, bool interleaved,
		     size_t n)
{
	unsigned int bits = (unsigned int)snd_pcm_format_physical_width(rig.params.format);

	for (unsigned int c = 0; c < rig.params.channels; c++) {
		areas[c].addr = interleaved ? memory : memory + c * n * bits / 8;
		areas[c].first = interleaved ? c * bits : 0;
		areas[c].step = interleaved ? rig.params.channels * bits : bits;
	}
}

static snd_pcm_sframes_t write_apart(uint8_t *frames, size_t n)
{
	uint8_t *apart = malloc(n * rig.frame_bytes);
	snd_pcm_channel_area_t from[8], to[8];
	void *channels[8];
	snd_pcm_sframes_t done;

	describe(from, frames, true, n);
	describe(to, apart, false, n);
	snd_pcm_areas_copy(to, 0, from, 0, rig.params.channels, n, rig.params.format);
	for (unsigned int c = 0; c < rig.params.channels; c++)
		channels[c] = to[c].addr;
	done = snd_pcm_writen(rig.pcm, channels, n);
	free(apart);
	return done;
}

/* As a program with its own mixer does; starts the stream as writei would. */
static snd_pcm_sframes_t commit(uint8_t *frames, size_t n)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, part = n;
	snd_pcm_sframes_t done = snd_pcm_avail_update(rig.pcm);
	snd_pcm_channel_area_t from[8];
	int err;

	if (done < 0)
		return done;
	err = snd_pcm_mmap_begin(rig.pcm, &areas, &offset, &part);
	if (err < 0)
		return err;
	if (part == 0)
		return -EAGAIN;
	describe(from, frames, true, n);
	snd_pcm_areas_copy(areas, offset, from, 0, rig.params.channels, part,
			   rig.params.format);
	done = snd_pcm_mmap_commit(rig.pcm, offset, part);
	if (done > 0 && snd_pcm_state(rig.pcm) == SND_PCM_STATE_PREPARED)
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	return done;
}

static snd_pcm_sframes_t write_some(uint8_t *frames, size_t n)
{
	switch (rig.params.access) {
	case SND_PCM_ACCESS_RW_INTERLEAVED:
		return snd_pcm_writei(rig.pcm, frames, n);
	case SND_PCM_ACCESS_RW_NONINTERLEAVED:
		return write_apart(frames, n);
	default:
		return commit(frames, n);
	}
}

enum waiting { BLOCKING, BY_POLL, BY_WAIT, N_WAITING };

static void wait_by_poll(void)
{
	unsigned short revents = 0;
	struct pollfd fds[4];
	int n = snd_pcm_poll_descriptors(rig.pcm, fds, 4);

	ck_assert_int_gt(n, 0);
	while (!revents) {
		ck_assert_int_gt(poll(fds, (nfds_t)n, -1), 0);
		ck_assert_int_eq(snd_pcm_poll_descriptors_revents(
			rig.pcm, fds, (unsigned int)n, &revents), 0);
	}
	ck_assert_int_eq(revents & ~(POLLOUT | POLLERR), 0);
}

static void write_all(enum waiting waiting, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t size = irregular_size();
		snd_pcm_sframes_t done;

		if (size > n - at)
			size = n - at;
		done = write_some(data + at * rig.frame_bytes, size);
		if (done == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		} else if (done == -EAGAIN && waiting == BY_POLL) {
			wait_by_poll();
		} else if (done == -EAGAIN) {
			/* An underrun meanwhile is seen by the next write. */
			ck_assert(waiting == BY_WAIT ||
				  rig.params.access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
				  rig.params.access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED);
			snd_pcm_wait(rig.pcm, -1);
		} else {
			ck_assert_int_gt(done, 0);
			ck_assert_uint_le((size_t)done, size);
			at += (size_t)done;
		}
	}
}

static void drain(enum waiting waiting)
{
	int err;

	while ((err = snd_pcm_drain(rig.pcm)) == -EAGAIN) {
		ck_assert_int_ne(waiting, BLOCKING);
		wait_by_poll();
	}
	/* An underrun just before: all that was written was heard. */
	ck_assert_msg(err == 0 || err == -EPIPE || err == -EBADFD, "drain: %d", err);
}

static void play(enum waiting waiting, size_t n)
{
	data = rig_noise(&rig, n, 1);
	write_all(waiting, n);
	drain(waiting);
	rig_assert_heard(&rig, data, n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), (int64_t)n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Silence"), 0);
}

static void open_and_play(const struct rig_params *params, enum waiting waiting, size_t n)
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK,
			  waiting == BLOCKING ? 0 : SND_PCM_NONBLOCK, "", "", params);
	play(waiting, n);
}

static const snd_pcm_access_t accesses[] = {
	SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED,
	SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
};

static const struct {
	snd_pcm_format_t format;
	unsigned int channels, rate;
} shapes[] = {
	{ SND_PCM_FORMAT_S16_LE, 1, 8000 },
	{ SND_PCM_FORMAT_S16_LE, 2, 44100 },
	{ SND_PCM_FORMAT_S16_LE, 8, 22050 },
	{ SND_PCM_FORMAT_S24_3LE, 1, 31337 },
	{ SND_PCM_FORMAT_S24_3LE, 2, 48000 },
	{ SND_PCM_FORMAT_S24_3LE, 8, 96000 },
	{ SND_PCM_FORMAT_S32_LE, 2, 192000 },
	{ SND_PCM_FORMAT_S32_LE, 8, 48000 },
	{ SND_PCM_FORMAT_FLOAT_LE, 1, 11025 },
	{ SND_PCM_FORMAT_FLOAT_LE, 2, 44100 },
};

/* A tenth of a second and some frames through a buffer of 40 ms. */
START_TEST(every_format_and_access_is_heard_bit_for_bit)
{
	unsigned int rate = shapes[_i / 4].rate;
	struct rig_params params = {
		.access = accesses[_i % 4],
		.format = shapes[_i / 4].format,
		.channels = shapes[_i / 4].channels,
		.rate = rate, .period = rate / 100, .buffer = rate / 100 * 4,
	};

	seed = (uint32_t)_i;
	open_and_play(&params, BLOCKING, rate / 10 + 17);
}
END_TEST

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 1920,
};

START_TEST(every_way_to_wait_is_heard_bit_for_bit)
{
	struct rig_params params = stereo;

	params.access = accesses[_i % 4];
	seed = (uint32_t)_i;
	open_and_play(&params, (enum waiting)(_i / 4), 7000 + 13);
}
END_TEST

static const struct {
	unsigned int rate;
	snd_pcm_uframes_t period, buffer;
	const char *keys;
	size_t n;
} geometries[] = {
	{ 48000, 480, 960, "", 5000 },
	{ 48000, 32, 128, "", 3001 },
	{ 48000, 32, 64, "", 1001 },
	{ 48000, 16, 4096, "", 9001 },
	{ 44100, 1102, 8820, "", 12000 },	/* not a whole number of periods */
	{ 48000, 112, 1009, "", 5003 },
	{ 8000, 8000, 16000, "", 2001 },
	{ 48000, 48000, 96000, "", 6007 },
	{ 48000, 4800, 9600, "slave.period 64", 12001 },
	{ 48000, 480, 4800, "slave.buffer 960", 12002 },
	{ 48000, 480, 960, "slave.buffer 9600", 6003 },
	{ 48000, 480, 4800, "slave.period 100 slave.buffer 1000", 12004 },
	{ 48000, 32, 128, "slave.period 480 slave.buffer 4800", 3005 },
	{ 48000, 480, 4800, "slave.period 16 slave.buffer 32", 5006 },
	{ 48000, 480, 4800, "slave.period 2000 slave.buffer 4000", 12007 },
	{ 48000, 480, 4800, "rt_priority 0", 7008 },
};

/* Buffer first and both near: how a program comes by a last period that is cut
 * short. */
static void install_near(const struct rig_params *p)
{
	snd_pcm_uframes_t period = p->period, buffer = p->buffer;
	snd_pcm_hw_params_t *hw;

	rig.params = *p;
	rig.frame_bytes = 4;
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_access(rig.pcm, hw, p->access), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_format(rig.pcm, hw, p->format), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_channels(rig.pcm, hw, 2), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_rate(rig.pcm, hw, p->rate, 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_buffer_size_near(rig.pcm, hw,
								&buffer), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_period_size_near(rig.pcm, hw,
								&period, 0), 0);
	ck_assert_uint_eq(period, p->period);
	ck_assert_uint_eq(buffer, p->buffer);
	ck_assert_int_eq(snd_pcm_hw_params(rig.pcm, hw), 0);
}

START_TEST(every_size_of_period_and_buffer_is_heard_bit_for_bit)
{
	struct rig_params params = stereo;

	params.rate = geometries[_i].rate;
	params.period = geometries[_i].period;
	params.buffer = geometries[_i].buffer;
	seed = (uint32_t)_i;
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "",
					       geometries[_i].keys), 0);
	install_near(&params);
	play(BLOCKING, geometries[_i].n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Period"),
			 (int64_t)params.period);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Buffer"),
			 (int64_t)params.buffer);
}
END_TEST

/* A period of half a second and a buffer of two: nothing fills them up. */
START_TEST(a_write_is_heard_without_the_period_being_full)
{
	struct rig_params params = stereo;

	params.period = 24000;
	params.buffer = 96000;
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	rig_thresholds(&rig, 1, 0, 0);
	data = rig_noise(&rig, 20, 3);
	for (size_t at = 0; at < 20; at += 10) {
		ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + at * 4, 10), 10);
		while (snd_pcm_state(rig.pcm) == SND_PCM_STATE_RUNNING)
			if (snd_pcm_avail(rig.pcm) >= 0)
				rig_sleep_ms(1);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_XRUN);
		rig_assert_heard(&rig, data, at + 10);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	}
}
END_TEST

/* Nothing is heard before the threshold, and all after it. */
START_TEST(the_start_threshold_starts)
{
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	rig_thresholds(&rig, 1000, 0, 0);
	data = rig_noise(&rig, 1000, 4);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 999), 999);
	rig_let_pass_ms(30);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	ck_assert_uint_eq(rig_heard(&rig), 0);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data + 999 * 4, 1), 1);
	ck_assert_int_ne(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	drain(BLOCKING);
	rig_assert_heard(&rig, data, 1000);
}
END_TEST

START_TEST(a_stream_without_frames_does_not_start)
{
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), -EPIPE);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	data = rig_noise(&rig, 100, 5);
	rig_write(&rig, data, 100, 100);
	drain(BLOCKING);
	rig_assert_heard(&rig, data, 100);
}
END_TEST

START_TEST(a_full_buffer_refuses_more_at_once_when_non_blocking)
{
	rig_open_either(&rig, _i, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", "",
			&stereo);
	rig_thresholds(&rig, 1000000, 0, 0);
	data = rig_noise(&rig, 3000, 6);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 3000), 1920);
	ck_assert_int_le(snd_pcm_writei(rig.pcm, data, 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("playback");
	TCase *tcase = pcm_rig_case(suite, "content", set_up, tear_down);

	tcase_add_loop_test(tcase, every_format_and_access_is_heard_bit_for_bit, 0,
			    4 * (int)N_OF(shapes));
	tcase_add_loop_test(tcase, every_way_to_wait_is_heard_bit_for_bit, 0,
			    4 * N_WAITING);
	tcase_add_loop_test(tcase, every_size_of_period_and_buffer_is_heard_bit_for_bit,
			    0, (int)N_OF(geometries));
	tcase = pcm_rig_case(suite, "start", set_up, tear_down);
	tcase_add_loop_test(tcase, a_write_is_heard_without_the_period_being_full, 0, 2);
	tcase_add_loop_test(tcase, the_start_threshold_starts, 0, 2);
	tcase_add_loop_test(tcase, a_stream_without_frames_does_not_start, 0, 2);
	tcase_add_loop_test(tcase,
		a_full_buffer_refuses_more_at_once_when_non_blocking, 0, 2);
	return pcm_rig_run(suite);
}
