/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that sleeps now and then instead of moving sound: what is lost of it, and
 * how often it breaks off.
 *
 * Programs on the device itself and on headroom, with stalls of each length, run at one
 * time, each a process, and those that differ in nothing else have the same stalls. A
 * stall begins when a period has just been moved, so that the buffer has the same to go
 * on with. Only headroom's thread has a use for real-time rights: its program, and the
 * one on the device, run without in any case.
 *
 * Each frame has its number, so that nothing has to be guessed:
 *   lost, playback   frames that were taken from the program and not heard
 *   lost, capture    frames of the device that the program did not get
 *   gaps             playback: how often the device ran dry; capture: how often the
 *                    next frame that the program got was not the next one
 *   silence          playback: frames that might have been heard in the gaps
 *
 * usage: bench_stalls idle|loaded	(which is for the caller to see to)
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/bench/record.h"
#include "tests/bench/stalls/crew.h"
#include "tests/bench/stalls/paced.h"
#include "tests/bench/stalls/rights.h"
#include "tests/bench/stalls/sleeps.h"

#define PERIOD 256u		/* frames: a buffer of 21.3 ms */
#define ROUNDS 2u
#define PLAYED_MS 11300u
#define PLAYED_QUICK_MS 5600u
#define SECONDS_MAX 60u

struct cell {
	unsigned int round;
	bool playback, realtime, random;
	const struct length *length;
};

struct result {
	double lost, gaps, silence;
};

static const struct length {
	const char *label;
	unsigned int ms;
} lengths[] = {
	{ "1 ms", 1 }, { "10 ms", 10 }, { "100 ms", 100 }, { "1 s", 1000 }, { "5 s", 5000 },
};

#define N_LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define CELLS_MAX (8 * N_LENGTHS)

/* Those that run at one time: member 2 i + 1 is headroom in cells[i], 2 i is the device.
 * Each round of a cell is another one; they need not wait for each other. */
static struct cell cells[CELLS_MAX];
static unsigned int n_cells;
static struct result *results;

static uint64_t played_ns(void)
{
	return (bench_is_quick() ? PLAYED_QUICK_MS : PLAYED_MS) * HR_NS_PER_MS;
}

/* --- a program --- */

struct program {
	struct paced paced;
	struct sleeps sleeps;
	uint64_t begin_ns, end_ns;
	struct result result;
};

static bool goes_on(struct program *program)
{
	sleeps_take(&program->sleeps, program->begin_ns);
	return hr_now_ns() < program->end_ns;
}

/* Frames of the world that had begun by then. */
static uint64_t world_at(const struct program *program, uint64_t ns)
{
	return hr_ns_to_frames(ns - paced_began_ns(&program->paced), BENCH_RATE);
}

/* Of the frames 1 to written, all were heard but those still in the buffer? */
static void judge_heard(struct program *program, uint64_t written, uint64_t dropped_ns)
{
	uint64_t last = 0, n_heard = 0, world = world_at(program, dropped_ns);
	uint32_t *heard;
	size_t n;

	heard = paced_heard(&program->paced, &n);
	for (size_t i = 0; i < n; i++) {
		if (!heard[i])
			continue;
		if (heard[i] <= last)
			bench_die("frame %u was heard after %u", heard[i], (unsigned int)last);
		last = heard[i];
		n_heard++;
	}
	free(heard);
	if (last + PACED_PERIODS * PERIOD < written)
		last = written - PACED_PERIODS * PERIOD;
	program->result.lost = (double)(last - n_heard);
	program->result.silence = world > n_heard ? (double)(world - n_heard) : 0;
	program->result.gaps = paced_breaks(&program->paced);
}

static void play(struct program *program)
{
	struct paced *paced = &program->paced;
	uint64_t written = 0, dropped_ns;

	do {
		/* What was not taken is written again. */
		for (unsigned int i = 0; i < PERIOD; i++)
			paced->frames[i] = (uint32_t)written + 1 + i;
		written += paced_move(paced);
	} while (goes_on(program));
	dropped_ns = hr_now_ns();
	snd_pcm_drop(paced->pcm);
	(void)crew_meet();	/* what follows is not to disturb the others */
	paced_close(paced);
	judge_heard(program, written, dropped_ns);
}

/* The frames are those of the world from expected on? Returns what follows them. */
static uint64_t judge_captured(struct program *program, snd_pcm_uframes_t n,
			       uint64_t expected)
{
	for (snd_pcm_uframes_t i = 0; i < n; i++) {
		uint64_t frame = program->paced.frames[i];

		if (frame < expected)
			bench_die("frame %u was captured before frame %u",
				  (unsigned int)expected, (unsigned int)frame);
		program->result.gaps += frame > expected;
		program->result.lost += (double)(frame - expected);
		expected = frame + 1;
	}
	return expected;
}

static void capture(struct program *program)
{
	uint64_t expected = 0;

	do {
		expected = judge_captured(program, paced_move(&program->paced), expected);
	} while (goes_on(program));
	/* What was captured by now has been lost or is still to come. */
	for (uint64_t end = world_at(program, program->end_ns); expected < end; )
		expected = judge_captured(program, paced_move(&program->paced), expected);
	snd_pcm_drop(program->paced.pcm);
	(void)crew_meet();	/* what follows is not to disturb the others */
	paced_close(&program->paced);
}

static void open_stream(struct paced *paced, const struct cell *cell, bool headroom)
{
	if (!cell->realtime)
		rights_drop();
	paced_open(paced, headroom, cell->playback, PERIOD, true);
	if (headroom && rights_are_used() != cell->realtime)
		bench_die("there is no right to a real-time priority, and part of this is to "
			  "see what it is good for: run as root, or raise ulimit -r to 60");
}

static void member(unsigned int i)
{
	const struct cell *cell = &cells[i / 2];
	struct program program = { 0 };
	/* Another one for each cell and round, but not for the rights. */
	uint32_t seed = cell->round * 20000 + cell->length->ms * 2 + cell->playback;

	sleeps_make(&program.sleeps, cell->length->ms, cell->random,
		    (unsigned int)(played_ns() / HR_NS_PER_MS), seed);
	open_stream(&program.paced, cell, i % 2 == 1);
	/* One after the other, so that not all are woken at one time. */
	program.begin_ns = crew_meet() +
			   hr_frames_to_ns(PERIOD, BENCH_RATE) * i / (2 * n_cells);
	program.end_ns = program.begin_ns + played_ns();
	crew_sleep_until(program.begin_ns);
	if (cell->playback)
		play(&program);
	else
		capture(&program);
	results[i] = program.result;
	paced_remove(&program.paced);
}

/* --- all of them --- */

static void record(const char *what, const char *unit, const struct cell *cell,
		   const char *load, const double *bare, const double *headroom)
{
	char row[128];

	snprintf(row, sizeof(row), "alsa: %s, %s, %s %s, %s, %s", what,
		 cell->playback ? "playback" : "capture", cell->length->label,
		 cell->random ? "random" : "periodic", load, cell->realtime ? "rt" : "no rt");
	bench_record(row, "bare", cell->round, *bare, unit);
	bench_record(row, "headroom", cell->round, *headroom, unit);
}

static void run_cells(const char *load)
{
	if (!results)
		results = crew_memory(2 * CELLS_MAX * sizeof(*results));
	crew_run(2 * n_cells, member, SECONDS_MAX);
	for (unsigned int i = 0; i < n_cells; i++) {
		const struct result *bare = &results[2 * i], *ours = &results[2 * i + 1];

		record("lost", "frames", &cells[i], load, &bare->lost, &ours->lost);
		record("gaps", "count", &cells[i], load, &bare->gaps, &ours->gaps);
		if (cells[i].playback)
			record("silence", "frames", &cells[i], load, &bare->silence,
			       &ours->silence);
	}
	n_cells = 0;
}

static void add_cells(unsigned int round, bool playback, bool realtime)
{
	for (unsigned int i = 0; i < 2 * N_LENGTHS; i++)
		cells[n_cells++] = (struct cell){ round, playback, realtime, i % 2 == 1,
						  &lengths[i / 2] };
}

int main(int argc, char **argv)
{
	bool quick = bench_is_quick();

	if (argc != 2)
		bench_die("usage: %s idle|loaded", argv[0]);
	for (unsigned int i = 0; i < 4; i++) {
		bool playback = i % 2 == 0, realtime = i < 2;

		for (unsigned int round = 1; round <= (quick ? 1 : ROUNDS); round++)
			add_cells(round, playback, realtime);
		/* No more at one time, or the machine would not be idle. */
		if (quick && playback)
			continue;
		bench_say("stalls: %s, %s real-time rights", argv[1],
			  realtime ? "with" : "without");
		run_cells(argv[1]);
	}
	return EXIT_SUCCESS;
}
