/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "tests/clocked/rig.h"

void rig_init(struct rig *rig)
{
	const char *tmp = getenv("TMPDIR");

	*rig = (struct rig){ 0 };
	snprintf(rig->dir, sizeof(rig->dir), "%.40s/clocked-XXXXXX",
		 tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(rig->dir));
	snprintf(rig->heard, sizeof(rig->heard), "%s/heard", rig->dir);
	snprintf(rig->supply, sizeof(rig->supply), "%s/supply", rig->dir);
	snprintf(rig->log, sizeof(rig->log), "%s/log", rig->dir);
	snprintf(rig->command, sizeof(rig->command), "%s/command", rig->dir);
}

void rig_finish(struct rig *rig)
{
	if (rig->pcm)
		ck_assert_int_eq(snd_pcm_close(rig->pcm), 0);
	if (rig->config)
		snd_config_delete(rig->config);
	unlink(rig->heard);
	unlink(rig->supply);
	unlink(rig->log);
	if (rig->command_fd)
		close(rig->command_fd);
	unlink(rig->command);
	ck_assert_int_eq(rmdir(rig->dir), 0);
}

void rig_be_commanded(struct rig *rig)
{
	rig->command_fd = clocked_command_make(rig->command);
	ck_assert_int_gt(rig->command_fd, 0);
}

int rig_try_open_as(struct rig *rig, const char *name, const char *definitions,
		    snd_pcm_stream_t stream, int mode, const char *keys)
{
	const char *lib = getenv("CLOCKED_LIB");
	snd_input_t *input;
	char text[4096];

	ck_assert_msg(lib, "CLOCKED_LIB is not set");
	snprintf(text, sizeof(text),
		 "pcm_type.clocked.lib \"%s\"\n"
		 "pcm.card { type clocked heard \"%s\" log \"%s\" %s%s%s %s%s%s %s }\n%s",
		 lib, rig->heard, rig->log,
		 rig->command_fd ? "command \"" : "",
		 rig->command_fd ? rig->command : "", rig->command_fd ? "\"" : "",
		 access(rig->supply, R_OK) == 0 ? "supply \"" : "",
		 access(rig->supply, R_OK) == 0 ? rig->supply : "",
		 access(rig->supply, R_OK) == 0 ? "\"" : "", keys,
		 definitions);
	ck_assert_int_eq(snd_config_top(&rig->config), 0);
	ck_assert_int_eq(snd_input_buffer_open(&input, text,
					       (ssize_t)strlen(text)), 0);
	ck_assert_int_eq(snd_config_load(rig->config, input), 0);
	snd_input_close(input);
	return snd_pcm_open_lconf(&rig->pcm, name, stream, mode, rig->config);
}

int rig_try_open(struct rig *rig, snd_pcm_stream_t stream, int mode,
		 const char *keys)
{
	return rig_try_open_as(rig, "card", "", stream, mode, keys);
}

void rig_install(struct rig *rig, const struct rig_params *p)
{
	snd_pcm_hw_params_t *hw;

	rig->params = *p;
	rig->frame_bytes = p->channels *
		(size_t)snd_pcm_format_physical_width(p->format) / 8;
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig->pcm, hw), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_access(rig->pcm, hw, p->access), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_format(rig->pcm, hw, p->format), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_channels(rig->pcm, hw,
							p->channels), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_rate(rig->pcm, hw, p->rate, 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_period_size(rig->pcm, hw,
							   p->period, 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_buffer_size(rig->pcm, hw,
							   p->buffer), 0);
	ck_assert_int_eq(snd_pcm_hw_params(rig->pcm, hw), 0);
	ck_assert_int_eq(snd_pcm_state(rig->pcm), SND_PCM_STATE_PREPARED);
}

void rig_open(struct rig *rig, snd_pcm_stream_t stream, int mode, const char *keys,
	      const struct rig_params *params)
{
	ck_assert_int_eq(rig_try_open(rig, stream, mode, keys), 0);
	rig_install(rig, params);
}

void rig_thresholds(struct rig *rig, long start, long stop, long avail_min)
{
	snd_pcm_uframes_t boundary;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	ck_assert_int_eq(snd_pcm_sw_params_current(rig->pcm, sw), 0);
	snd_pcm_sw_params_get_boundary(sw, &boundary);
	if (start != 0)
		snd_pcm_sw_params_set_start_threshold(rig->pcm, sw,
						      (snd_pcm_uframes_t)start);
	if (stop != 0)
		snd_pcm_sw_params_set_stop_threshold(rig->pcm, sw,
			stop < 0 ? boundary : (snd_pcm_uframes_t)stop);
	if (avail_min != 0)
		snd_pcm_sw_params_set_avail_min(rig->pcm, sw,
						(snd_pcm_uframes_t)avail_min);
	ck_assert_int_eq(snd_pcm_sw_params(rig->pcm, sw), 0);
}

uint8_t *rig_noise(const struct rig *rig, size_t n, unsigned int seed)
{
	uint8_t *data = malloc(n * rig->frame_bytes);
	uint32_t x = seed * 2654435761u + 1;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < n * rig->frame_bytes; i++) {
		x = x * 1664525u + 1013904223u;
		data[i] = (uint8_t)(x >> 24);
	}
	return data;
}

void rig_write(struct rig *rig, const uint8_t *data, size_t n, size_t chunk)
{
	while (n > 0) {
		snd_pcm_sframes_t done = snd_pcm_writei(rig->pcm, data,
							n < chunk ? n : chunk);

		if (done == -EPIPE) {
			ck_assert_int_eq(snd_pcm_prepare(rig->pcm), 0);
			continue;
		}
		ck_assert_int_gt(done, 0);
		data += (size_t)done * rig->frame_bytes;
		n -= (size_t)done;
	}
}

void rig_read(struct rig *rig, uint8_t *data, size_t n)
{
	while (n > 0) {
		snd_pcm_sframes_t done = snd_pcm_readi(rig->pcm, data, n);

		ck_assert_int_gt(done, 0);
		data += (size_t)done * rig->frame_bytes;
		n -= (size_t)done;
	}
}

uint8_t *rig_slurp(const char *path, size_t *sizep)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long size;

	ck_assert_ptr_nonnull(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	ck_assert_int_ge(size, 0);
	rewind(file);
	data = calloc(1, (size_t)size + 1);
	ck_assert_ptr_nonnull(data);
	*sizep = fread(data, 1, (size_t)size, file);
	fclose(file);
	return data;
}

void rig_assert_heard(const struct rig *rig, const uint8_t *data, size_t n)
{
	size_t size, at = 0;
	uint8_t *heard = rig_slurp(rig->heard, &size);

	while (at < size && at < n * rig->frame_bytes && heard[at] == data[at])
		at++;
	ck_assert_msg(at == size && at == n * rig->frame_bytes,
		      "heard %zu frames, expected %zu, the same up to byte %zu",
		      size / rig->frame_bytes, n, at);
	free(heard);
}

unsigned int rig_log(const struct rig *rig, const char *event,
		     unsigned long long *frame, unsigned long long *last)
{
	size_t size;
	char *text = (char *)rig_slurp(rig->log, &size);
	unsigned int n = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long long first, second;
		char word[16], direction[16], unit[16];

		if (strncmp(line, "params ", 7) == 0)
			continue;
		ck_assert_int_eq(sscanf(line, "%15s %15s at frame %llu %15s %llu",
					word, direction, &first, unit, &second), 5);
		if (strcmp(word, event) != 0)
			continue;
		n++;
		if (frame)
			*frame = first;
		if (last)
			*last = second;
	}
	free(text);
	return n;
}

void rig_sleep_ms(unsigned int ms)
{
	struct timespec rest = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		;
}

void rig_let_pass_ms(unsigned int ms)
{
	rig_sleep_ms(ms);
}

void rig_wait_avail(struct rig *rig, snd_pcm_sframes_t n)
{
	snd_pcm_sframes_t avail;

	while ((avail = snd_pcm_avail(rig->pcm)) < n) {
		ck_assert_int_ge(avail, 0);
		rig_sleep_ms(1);
	}
}

void rig_wait_state(struct rig *rig, snd_pcm_state_t state)
{
	while (snd_pcm_state(rig->pcm) != state) {
		(void)snd_pcm_avail(rig->pcm);
		rig_sleep_ms(1);
	}
}
