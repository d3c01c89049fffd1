/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "paced.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/bench/hardware.h"
#include "tests/bench/record.h"


static const char *module_path(const char *variable)
{
	const char *path = getenv(variable);

	if (!path)
		bench_die("%s is not set", variable);
	return path;
}

static void make_files(struct paced *paced)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(paced->dir, sizeof(paced->dir), "%.40s/paced-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(paced->dir))
		bench_die("cannot make %s", paced->dir);
	snprintf(paced->heard, sizeof(paced->heard), "%s/heard", paced->dir);
	snprintf(paced->log, sizeof(paced->log), "%s/log", paced->dir);
	if (setenv("HEADROOM_DIR", paced->dir, 1) < 0)
		bench_die("out of memory");
}

static void configure(struct paced *paced)
{
	snd_input_t *input;
	char text[2048];
	int length;

	length = snprintf(text, sizeof(text),
		"pcm_type.clocked.lib \"%s\"\n"
		"pcm_type.headroom.lib \"%s\"\n"
		"pcm.bare { type clocked heard \"%s\" log \"%s\" }\n"
		"pcm.headroom { type headroom slave.pcm bare }\n",
		module_path("CLOCKED_LIB"), module_path("HEADROOM_PCM_LIB"), paced->heard,
		paced->log);
	if (length >= (int)sizeof(text))
		bench_die("the paths of the modules are too long");
	bench_must(snd_config_top(&paced->config), "configuration");
	bench_must(snd_input_buffer_open(&input, text, length), "configuration");
	bench_must(snd_config_load(paced->config, input), "configuration");
	snd_input_close(input);
}

static void set_thresholds(struct paced *paced, bool self_start)
{
	snd_pcm_uframes_t start = PACED_PERIODS * paced->period;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	bench_must(snd_pcm_sw_params_current(paced->pcm, sw), "sw_params");
	if (!self_start)
		bench_must(snd_pcm_sw_params_get_boundary(sw, &start), "boundary");
	if (paced->playback)
		bench_must(snd_pcm_sw_params_set_start_threshold(paced->pcm, sw, start), "start");
	bench_must(snd_pcm_sw_params_set_avail_min(paced->pcm, sw, paced->period), "avail_min");
	bench_must(snd_pcm_sw_params(paced->pcm, sw), "sw_params");
}

void paced_open(struct paced *paced, bool headroom, bool playback,
		snd_pcm_uframes_t period, bool self_start)
{
	*paced = (struct paced){ .headroom = headroom, .playback = playback,
				 .period = period };
	make_files(paced);
	configure(paced);
	bench_must(snd_pcm_open_lconf(&paced->pcm, headroom ? "headroom" : "bare",
				playback ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE,
				0, paced->config), "open");
	bench_set_hardware(paced->pcm, paced->period, PACED_PERIODS * paced->period);
	set_thresholds(paced, self_start);
	paced->frames = calloc(period, sizeof(*paced->frames));
	if (!paced->frames)
		bench_die("out of memory");
}

snd_pcm_uframes_t paced_move(struct paced *paced)
{
	snd_pcm_uframes_t done = 0;

	while (done < paced->period) {
		void *at = paced->frames + done;
		snd_pcm_sframes_t n = paced->playback ?
			snd_pcm_writei(paced->pcm, at, paced->period - done) :
			snd_pcm_readi(paced->pcm, at, paced->period - done);

		if (n == -EPIPE) {
			bench_must(snd_pcm_prepare(paced->pcm), "prepare");
			break;
		}
		bench_must(n, paced->playback ? "writei" : "readi");
		done += (snd_pcm_uframes_t)n;
	}
	return done;
}

void paced_close(struct paced *paced)
{
	bench_must(snd_pcm_close(paced->pcm), "close");
	snd_config_delete(paced->config);
	free(paced->frames);
	paced->frames = NULL;
}

static FILE *open_log(const struct paced *paced)
{
	FILE *file = fopen(paced->log, "r");

	if (!file)
		bench_die("the device has left no log");
	return file;
}

uint64_t paced_began_ns(const struct paced *paced)
{
	FILE *file = open_log(paced);
	uint64_t ns = 0;
	char line[128];

	while (!ns && fgets(line, sizeof(line), file))
		if (sscanf(line, "world %*s at frame 0 ns %" SCNu64, &ns) != 1)
			ns = 0;
	fclose(file);
	if (!ns)
		bench_die("the device has not started");
	return ns;
}

unsigned int paced_breaks(const struct paced *paced)
{
	FILE *file = open_log(paced);
	unsigned int n = 0;
	char line[128];

	while (fgets(line, sizeof(line), file))
		n += strncmp(line, "xrun ", 5) == 0 || strncmp(line, "gap ", 4) == 0;
	fclose(file);
	return n;
}

uint32_t *paced_heard(const struct paced *paced, size_t *n_frames)
{
	FILE *file = fopen(paced->heard, "rb");
	uint32_t *frames = NULL;
	struct stat stat;

	if (!file || fstat(fileno(file), &stat) < 0)
		bench_die("nothing was heard");
	*n_frames = (size_t)stat.st_size / sizeof(*frames);
	frames = malloc((size_t)stat.st_size + 1);
	if (!frames || fread(frames, sizeof(*frames), *n_frames, file) != *n_frames)
		bench_die("what was heard cannot be read");
	fclose(file);
	return frames;
}

void paced_remove(struct paced *paced)
{
	unlink(paced->heard);
	unlink(paced->log);
}
