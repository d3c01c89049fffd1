/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/bench/speed/setup.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/record.h"

#define MOVE_FRAMES_MAX 4096
#define PATH_BYTES 512

static const char definitions[] =
	"pcm_type.headroom.lib \"" HEADROOM_PCM_LIB "\"\n"
	"ctl_type.headroom.lib \"" HEADROOM_CTL_LIB "\"\n"
	"pcm_type.clocked.lib \"" CLOCKED_LIB "\"\n"
	"pcm_type.bench_plain.lib \"" PLAIN_LIB "\"\n"
	"pcm_type.bench_threaded.lib \"" THREADED_LIB "\"\n"
	"pcm.null { type null }\n"
	"pcm.through_null { type headroom slave.pcm null }\n"
	"pcm.copy_null { type copy slave.pcm null }\n"
	"pcm.file_null { type file slave.pcm null file /dev/null format raw }\n"
	"pcm.plain_null { type bench_plain slave.pcm null }\n"
	"pcm.threaded_null { type bench_threaded slave.pcm null }\n"
	"pcm.card { type clocked }\n"
	"pcm.through_card { type headroom slave.pcm card }\n"
	"ctl.through_card { type headroom }\n";

static snd_config_t *config;
static char dir[] = "/dev/shm/headroom-bench-XXXXXX";
static pid_t owner;

static void for_each_counter(void (*visit)(const char *path, void *arg), void *arg)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[PATH_BYTES];

	while (stream && (entry = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_name[0] != '.')
			visit(path, arg);
	}
	if (stream)
		closedir(stream);
}

static void remove_one(const char *path, void *arg)
{
	(void)arg;
	unlink(path);
}

void speed_forget_counters(void)
{
	for_each_counter(remove_one, NULL);
}

static void remove_counters(void)
{
	if (getpid() != owner)
		return;
	speed_forget_counters();
	rmdir(dir);
}

static void add_bytes(const char *path, void *arg)
{
	struct stat st;

	if (stat(path, &st) == 0)
		*(size_t *)arg += (size_t)st.st_blocks * 512;
}

size_t speed_counter_bytes(void)
{
	size_t bytes = 0;

	for_each_counter(add_bytes, &bytes);
	return bytes;
}

void speed_begin(void)
{
	snd_input_t *input;

	if (!mkdtemp(dir) || setenv("HEADROOM_DIR", dir, 1) != 0)
		bench_die("%s: cannot make a directory for the counters", dir);
	owner = getpid();
	atexit(remove_counters);
	bench_must(snd_config_top(&config), "configuration");
	bench_must(snd_input_buffer_open(&input, definitions, sizeof(definitions) - 1),
		    "configuration");
	bench_must(snd_config_load(config, input), "configuration");
	snd_input_close(input);
}

snd_pcm_t *speed_open(const char *name, snd_pcm_stream_t stream)
{
	snd_pcm_t *pcm = NULL;

	bench_must(snd_pcm_open_lconf(&pcm, name, stream, 0, config), name);
	return pcm;
}

snd_ctl_t *speed_open_ctl(const char *name)
{
	snd_ctl_t *ctl = NULL;

	bench_must(snd_ctl_open_lconf(&ctl, name, 0, config), name);
	return ctl;
}

static void set_thresholds(snd_pcm_t *pcm, snd_pcm_uframes_t start)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	bench_must(snd_pcm_sw_params_current(pcm, sw), "sw_params_current");
	bench_must(snd_pcm_sw_params_set_start_threshold(pcm, sw, start), "start threshold");
	bench_must(snd_pcm_sw_params(pcm, sw), "sw_params");
}

void speed_set_up(snd_pcm_t *pcm, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer,
		  snd_pcm_uframes_t start)
{
	bench_set_hardware(pcm, period, buffer);
	set_thresholds(pcm, start);
}

void speed_move(snd_pcm_t *pcm, snd_pcm_uframes_t frames)
{
	/* Not of the thread: libc would give as much to each of a plug-in's threads. What
	 * is in it is nobody's concern. */
	static char data[MOVE_FRAMES_MAX * SPEED_FRAME_BYTES];
	bool playback = snd_pcm_stream(pcm) == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_sframes_t done;

	if (frames > MOVE_FRAMES_MAX)
		bench_die("too many frames at once");
	done = playback ? snd_pcm_writei(pcm, data, frames) : snd_pcm_readi(pcm, data, frames);
	bench_must(done, playback ? "writei" : "readi");
	if ((snd_pcm_uframes_t)done != frames)
		bench_die("%s moved %ld of %lu frames", snd_pcm_name(pcm), done, frames);
}

const char *speed_direction(snd_pcm_stream_t stream)
{
	return stream == SND_PCM_STREAM_PLAYBACK ? "playback" : "capture";
}
