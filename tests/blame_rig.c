/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/blame_rig.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "tests/threads.h"

struct rig rig;
uint8_t sound[2 * RATE * 2];
struct hr_episode episodes[HR_EPISODES_KEPT];
uint32_t n_episodes;
int64_t written;

void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
	memset(sound, 0x55, sizeof(sound));
}

void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void open_stream(snd_pcm_stream_t stream, const char *keys, snd_pcm_uframes_t buffer)
{
	const struct rig_params params = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED,
		.format = SND_PCM_FORMAT_S16_LE,
		.channels = 1, .rate = RATE, .period = PERIOD, .buffer = buffer,
	};

	rig_open_headroom(&rig, stream, SND_PCM_NONBLOCK, "", keys, &params);
}

static enum hr_direction direction(void)
{
	return snd_pcm_stream(rig.pcm) == SND_PCM_STREAM_PLAYBACK ? HR_PLAYBACK : HR_CAPTURE;
}

int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, direction(), what);
}

void read_episodes(void)
{
	n_episodes = rig_episodes(direction(), episodes);
}

/* The device's xrun is counted a moment before. */
static void wait_for_episode(void)
{
	read_episodes();
	while (n_episodes == 0) {
		rig_sleep_ms(1);
		read_episodes();
	}
}

const struct hr_episode *assert_last(enum hr_episode_kind kind, enum hr_cause cause)
{
	const struct hr_episode *last;

	wait_for_episode();
	last = &episodes[n_episodes - 1];
	ck_assert_msg(last->cause == cause && last->kind == kind,
		      "%s, by the %s; not %s, by the %s", hr_episode_kind_name(last->kind),
		      hr_cause_name(last->cause), hr_episode_kind_name(kind),
		      hr_cause_name(cause));
	/* There may have been another one meanwhile. */
	ck_assert(counter("Xrun Cause") == (int64_t)cause ||
		  rig_episodes(direction(), episodes) > n_episodes);
	return last;
}

void assert_first_xrun(enum hr_cause cause, bool waits)
{
	wait_for_episode();
	ck_assert_msg(episodes[0].cause == cause, "by the %s, not by the %s",
		      hr_cause_name(episodes[0].cause), hr_cause_name(cause));
	ck_assert(episodes[0].kind == HR_EPISODE_DEVICE ||
		  (episodes[0].kind == HR_EPISODE_XRUN && !waits));
}

/* ---- who is late ---- */

static void be_realtime(pid_t tid, int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	ck_assert_msg(sched_setscheduler(tid, SCHED_FIFO, &param) == 0,
		      "no right to a real-time priority (%s): run as root, or with "
		      "RLIMIT_RTPRIO", strerror(errno));
}

/* The first of the processors that we may use. */
static int some_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

static void pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ck_assert_int_eq(sched_setaffinity(tid, sizeof(set), &set), 0);
}

static struct {
	pthread_t thread;
	unsigned int ms;
	int cpu;
} hog;

static void *spin(void *arg)
{
	uint64_t until_ns;

	(void)arg;
	pin(0, hog.cpu);
	be_realtime(0, 90);
	until_ns = hr_now_ns() + hog.ms * HR_NS_PER_MS;
	while (hr_now_ns() < until_ns)
		;
	return NULL;
}

/* The I/O thread, and where it is to be kept from running. */
static void prepare_hog(void)
{
	pid_t io = thread_by_name("headroom-io");

	hog.cpu = some_cpu();
	be_realtime(io, 60);
	pin(io, hog.cpu);
}

void begin_to_hog(unsigned int ms)
{
	hog.ms = ms;
	ck_assert_int_eq(pthread_create(&hog.thread, NULL, spin, NULL), 0);
}

void share_its_processor(void)
{
	pin(0, hog.cpu);
}

void end_hogging(void)
{
	ck_assert_int_eq(pthread_join(hog.thread, NULL), 0);
}

/* ---- a program in time ---- */

bool fill_up(void)
{
	snd_pcm_sframes_t n;

	while ((n = snd_pcm_writei(rig.pcm, sound, PERIOD)) > 0)
		written += n;
	return n == 0 || n == -EAGAIN;
}

bool play_for_ms(unsigned int ms)
{
	uint64_t until_ns = hr_now_ns() + ms * HR_NS_PER_MS;

	while (hr_now_ns() < until_ns) {
		if (!fill_up())
			return false;
		if (snd_pcm_wait(rig.pcm, 5) < 0)
			return false;
	}
	return fill_up();
}

void forget_it(void)
{
	struct hr_page *page;

	ck_assert_int_eq(hr_page_attach(&page, HR_PAGE_OWN, "x", direction(), 0), 0);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	snd_config_delete(rig.config);
	rig.config = NULL;
	ck_assert_int_eq(hr_page_reset(page), 0);
	hr_page_close(page, 0);
}

static bool try_to_play(const char *keys, snd_pcm_uframes_t buffer)
{
	open_stream(SND_PCM_STREAM_PLAYBACK, keys, buffer);
	written = 0;
	be_realtime(0, 70);
	prepare_hog();
	rig_thresholds(&rig, 2 * (long)buffer, 0, 0);
	ck_assert(fill_up());
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	/* Where sound waits, nothing is told of what the card lost; but to ask takes time. */
	return play_for_ms(30) && (buffer < 20 * PERIOD || counter("Device Xruns") == 0);
}

void start_playing(const char *keys, snd_pcm_uframes_t buffer)
{
	while (!try_to_play(keys, buffer))
		forget_it();
}

bool record_for_ms(unsigned int ms)
{
	uint64_t until_ns = hr_now_ns() + ms * HR_NS_PER_MS;
	snd_pcm_sframes_t n = 0;

	while (hr_now_ns() < until_ns && (n >= 0 || n == -EAGAIN)) {
		n = snd_pcm_readi(rig.pcm, sound, PERIOD);
		if (n == -EAGAIN && snd_pcm_wait(rig.pcm, 5) < 0)
			return false;
	}
	return n >= 0 || n == -EAGAIN;
}

static bool try_to_record(const char *keys, snd_pcm_uframes_t buffer)
{
	open_stream(SND_PCM_STREAM_CAPTURE, keys, buffer);
	be_realtime(0, 70);
	prepare_hog();
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	/* Those that drop tell of nothing, and have time to be asked. */
	return record_for_ms(50) && (!strstr(keys, "depth_ms 1000 on_overrun drop") ||
				     counter("Device Xruns") == 0);
}

void start_recording(const char *keys, snd_pcm_uframes_t buffer)
{
	while (!try_to_record(keys, buffer))
		forget_it();
}

void wait_for(const char *what, int64_t least)
{
	while (counter(what) < least)
		rig_sleep_ms(1);
}
