/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "row.h"
#include "rows.h"
#include "subject.h"
#include "tests/bench/record.h"

#define FRAME_BYTES 8u		/* stereo, S32 */

/* The program's buffer, the device's, and the way between them. */
struct sound {
	void *way;
	uint32_t bytes;
	void *from, *to;
};

struct job {
	const struct period_ops *ops;
	const struct sound *sound;
	uint64_t n;
};

static void *open_sound(const void *data, uint32_t bytes)
{
	static struct sound sound;
	const struct period_ops *ops = data;

	sound = (struct sound) {
		ops->create(bytes), bytes, aligned_alloc(64, bytes), aligned_alloc(64, bytes)
	};
	for (uint32_t i = 0; i < bytes; i++)
		((unsigned char *)sound.from)[i] = (unsigned char)(i * 7 + i / 256);
	memset(sound.to, 0, bytes);
	return &sound;
}

static void close_sound(const void *data, void *object)
{
	const struct period_ops *ops = data;
	struct sound *sound = object;

	ops->destroy(sound->way);
	free(sound->from);
	free(sound->to);
}

/* What was read last is what was written, each time. */
static void check_sound(const struct sound *sound)
{
	if (memcmp(sound->from, sound->to, sound->bytes) != 0)
		bench_die("a period came out other than it went in");
}

static uint64_t run_one_thread(const void *data, void *object, uint64_t n)
{
	const struct period_ops *ops = data;
	struct sound *sound = object;
	uint64_t begin_ns = bench_now_ns();
	uint64_t ns;

	ops->one_thread(sound->way, sound->from, sound->to, n);
	ns = bench_now_ns() - begin_ns;
	check_sound(sound);
	return ns;
}

static void write_all(void *arg)
{
	struct job *job = arg;

	job->ops->write(job->sound->way, job->sound->from, job->n);
}

static void read_all(void *arg)
{
	struct job *job = arg;

	job->ops->read(job->sound->way, job->sound->to, job->n);
}

static uint64_t run_two_threads(const void *ops, void *object, uint64_t n)
{
	struct sound *sound = object;
	struct job job = { ops, sound, n };
	uint64_t ns = pair_run((struct pair_half) { write_all, &job },
			       (struct pair_half) { read_all, &job });

	check_sound(sound);
	return ns;
}

static void measure(struct row *row, uint32_t frames, const char *how)
{
	struct row_subject chosen[ROW_SUBJECTS_MAX] = { { 0 } };
	unsigned int n = 0;
	char name[40];

	for (size_t i = 0; subjects[i]; i++)
		if (subjects[i]->period)
			chosen[n++] = (struct row_subject) { subjects[i]->name,
							     subjects[i]->period };
	snprintf(name, sizeof(name), "period of %u, %s", frames, how);
	row->name = name;
	row->param = frames * FRAME_BYTES;
	row_measure(row, chosen, n);
}

void rows_period(void)
{
	static const uint32_t frames[] = { 64, 256, 1024 };
	struct row row = { .unit = "ns", .open = open_sound, .close = close_sound };

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		row.needs_two = true;
		row.run = run_two_threads;
		measure(&row, frames[i], "two threads");
		row.needs_two = false;
		row.run = run_one_thread;
		measure(&row, frames[i], "one thread");
	}
}
