/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <alsa/asoundlib.h>

#include "core/clock.h"
#include "tests/clocked/tape.h"

static int open_file(const char *path, int flags, int *fdp)
{
	int err;

	if (!path)
		return 0;
	*fdp = open(path, flags | O_CLOEXEC, 0666);
	if (*fdp >= 0)
		return 0;
	err = -errno;
	SNDERR("clocked: cannot open %s: %s", path, snd_strerror(err));
	return err;
}

int clocked_tape_init(struct clocked_tape *tape, const struct clocked_config *config,
		      bool playback)
{
	int err = 0;

	*tape = (struct clocked_tape){
		.playback = playback,
		.heard_fd = -1, .supply_fd = -1, .log_fd = -1,
	};
	if (playback)
		err = open_file(config->heard, O_WRONLY | O_CREAT |
				(config->heard_append ? O_APPEND : O_TRUNC),
				&tape->heard_fd);
	else
		err = open_file(config->supply, O_RDONLY, &tape->supply_fd);
	if (err >= 0)
		err = open_file(config->log, O_WRONLY | O_CREAT | O_APPEND,
				&tape->log_fd);
	if (err < 0)
		clocked_tape_finish(tape);
	return err;
}

void clocked_tape_finish(struct clocked_tape *tape)
{
	if (tape->heard_fd >= 0)
		close(tape->heard_fd);
	if (tape->supply_fd >= 0)
		close(tape->supply_fd);
	if (tape->log_fd >= 0)
		close(tape->log_fd);
	tape->heard_fd = tape->supply_fd = tape->log_fd = -1;
}

static void report(struct clocked_tape *tape, const char *what, int err)
{
	if (!tape->failed)
		SNDERR("clocked: cannot %s: %s", what, snd_strerror(-err));
	tape->failed = true;
}

void clocked_tape_hear(struct clocked_tape *tape, const void *data, size_t bytes)
{
	const uint8_t *from = data;

	while (tape->heard_fd >= 0 && bytes > 0) {
		ssize_t n = write(tape->heard_fd, from, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			report(tape, "write what was heard", errno);
			return;
		}
		from += n;
		bytes -= (size_t)n;
	}
}

/* The number of the frame, again and again through all its bytes. */
static void supply_counter(uint64_t world, uint8_t *data, size_t n,
			   size_t frame_bytes)
{
	for (; n > 0; n--, world++) {
		const uint8_t number[4] = {
			(uint8_t)world, (uint8_t)(world >> 8),
			(uint8_t)(world >> 16), (uint8_t)(world >> 24),
		};
		size_t i = 0;

		/* By fours: much of a test's time goes into this. */
		for (; i + sizeof(number) <= frame_bytes; i += sizeof(number))
			memcpy(data + i, number, sizeof(number));
		for (; i < frame_bytes; i++)
			data[i] = number[i % sizeof(number)];
		data += frame_bytes;
	}
}

static size_t supply_from_file(struct clocked_tape *tape, uint64_t at,
			       uint8_t *data, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(tape->supply_fd, data + done, bytes - done,
				  (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			report(tape, "read the supply", errno);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

void clocked_tape_supply(struct clocked_tape *tape, uint64_t world, uint8_t *data,
			 size_t n, size_t frame_bytes, snd_pcm_format_t format)
{
	size_t whole, sample_bytes;

	if (tape->supply_fd < 0) {
		supply_counter(world, data, n, frame_bytes);
		return;
	}
	whole = supply_from_file(tape, world * frame_bytes, data, n * frame_bytes);
	whole -= whole % frame_bytes;
	sample_bytes = (size_t)snd_pcm_format_physical_width(format) / 8;
	snd_pcm_format_set_silence(format, data + whole,
		(unsigned int)((n * frame_bytes - whole) / sample_bytes));
}

static void write_log(struct clocked_tape *tape, const char *line, int length)
{
	/* One write per line: O_APPEND keeps the lines of two streams whole. */
	if (write(tape->log_fd, line, (size_t)length) != length)
		report(tape, "write the log", errno);
}

static const char *direction(const struct clocked_tape *tape)
{
	return tape->playback ? "playback" : "capture";
}

void clocked_tape_log_event(struct clocked_tape *tape, const char *event,
			    uint64_t frame)
{
	char line[128];

	if (tape->log_fd < 0)
		return;
	write_log(tape, line, snprintf(line, sizeof(line),
		"%s %s at frame %" PRIu64 " ms %" PRIu64 "\n", event,
		direction(tape), frame, (uint64_t)(hr_now_ns() / HR_NS_PER_MS)));
}

static void log_moment(struct clocked_tape *tape, const char *event, uint64_t frame,
		       uint64_t ns)
{
	char line[128];

	if (tape->log_fd < 0)
		return;
	write_log(tape, line, snprintf(line, sizeof(line),
		"%s %s at frame %" PRIu64 " ns %" PRIu64 "\n", event,
		direction(tape), frame, ns));
}

void clocked_tape_log_world(struct clocked_tape *tape, uint64_t start_ns)
{
	log_moment(tape, "world", 0, start_ns);
}

void clocked_tape_log_vanish(struct clocked_tape *tape, uint64_t frame, uint64_t now_ns)
{
	log_moment(tape, "vanish", frame, now_ns);
}

void clocked_tape_log_params(struct clocked_tape *tape, snd_pcm_format_t format,
			     unsigned int channels, unsigned int rate,
			     uint64_t period, uint64_t buffer)
{
	char line[128];

	if (tape->log_fd < 0)
		return;
	write_log(tape, line, snprintf(line, sizeof(line),
		"params %s %s %u channels %u Hz period %" PRIu64 " buffer %" PRIu64 "\n",
		direction(tape), snd_pcm_format_name(format), channels, rate,
		period, buffer));
}

void clocked_tape_log_loss(struct clocked_tape *tape, const char *event,
			   uint64_t frame, uint64_t lost)
{
	char line[128];

	if (tape->log_fd < 0)
		return;
	write_log(tape, line, snprintf(line, sizeof(line),
		"%s %s at frame %" PRIu64 " lost %" PRIu64 "\n", event,
		direction(tape), frame, lost));
}
