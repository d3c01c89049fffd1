/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Files of the clients of sound libraries: raw S16_LE, stereo, 48000 Hz. */
#ifndef TESTS_MATRIX_CLIENT_H
#define TESTS_MATRIX_CLIENT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE 48000u
#define CHANNELS 2u
#define RECORD_FRAMES ((size_t)RATE * 3)

struct frame {
	int16_t sample[CHANNELS];
};

_Noreturn static inline void give_up(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/** All frames of a file. To be freed. */
static inline struct frame *slurp_frames(const char *path, size_t *np)
{
	struct frame *frames;
	FILE *file = fopen(path, "rb");
	long size = 0;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) <= 0)
		give_up(path, "cannot be read");
	rewind(file);
	*np = (size_t)size / sizeof(*frames);
	frames = malloc(*np * sizeof(*frames));
	if (!frames || fread(frames, sizeof(*frames), *np, file) != *np)
		give_up(path, "cannot be read");
	fclose(file);
	return frames;
}

static inline void spill_frames(const char *path, const struct frame *frames, size_t n)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(frames, sizeof(*frames), n, file) != n || fclose(file) != 0)
		give_up(path, "cannot be written");
}

#endif
