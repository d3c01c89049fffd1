/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * One scenario, run on a device and then through headroom on the same device, and
 * what was seen there compared: the yardstick is the device itself.
 *
 * A scenario is a function that steers a PCM and notes each thing that it sees. A
 * note is a label, a result, and where the stream is. Labels, results, states and
 * their order are compared exactly, and so are avail and delay while the stream
 * stands. While it moves, what counts is how far it lies behind the clock since it
 * was started, and what is left to make up the buffer, each within one period of the
 * device: no run needs to be as quick as the other.
 */
#ifndef TESTS_CONTRACT_CONTRACT_H
#define TESTS_CONTRACT_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#define NOTES_MAX 256

struct note {
	char label[64];
	long result;
	snd_pcm_state_t state;
	bool has_place, moves;
	long avail, delay;	/* standing; moving: avail + delay or avail - delay, and */
	long behind;		/* frames behind the clock */
};

struct trial;

/* A device that scenarios can be run on. What it cannot do is NULL. */
struct device {
	const char *label;
	void *data;
	int (*open)(struct device *device, snd_pcm_t **pcmp, snd_pcm_stream_t stream);
	void (*close)(struct device *device, snd_pcm_t *pcm);
	void (*suspend)(struct device *device);
	void (*refuse_resume)(struct device *device);
	void (*stand_still)(struct device *device, bool still);
	void (*lose)(struct device *device);
	bool tells_periods;	/* by a timer beside its own descriptor: period_event */
	/* All frames heard since it was opened, as 16 bit stereo; to be freed. */
	int16_t *(*heard)(struct device *device, size_t *n_frames);
};

struct trial {
	struct device *device;
	snd_pcm_t *pcm;
	snd_pcm_stream_t stream;
	snd_pcm_uframes_t period, buffer;	/* wanted; then as they are */
	snd_pcm_uframes_t boundary;
	int16_t *sound;				/* of several buffers; frame n has n + 1 */
	size_t written;				/* frames of the sound */
	uint64_t started_ns;
	long place0;				/* frames passed by, as of started_ns */
	unsigned int n_notes;
	struct note notes[NOTES_MAX];
};

enum need {
	NEEDS_NOTHING,
	NEEDS_COMMANDS = 1,	/* suspend, stand_still, lose */
	NEEDS_EAR = 2,		/* heard */
	NEEDS_PAUSE = 4,
	VIRTUAL_ONLY = 8,	/* too fine for an emulated card, or beyond ioplug */
	NEEDS_PERIODS = 16,	/* tells_periods */
};

struct scenario {
	const char *name;
	snd_pcm_stream_t stream;
	unsigned int needs;
	void (*run)(struct trial *trial);
};

/* playback.c, thresholds.c, moves.c, faults.c, capture.c; each ends with a NULL name. */
extern const struct scenario playback_scenarios[], threshold_scenarios[],
	move_scenarios[], fault_scenarios[], capture_scenarios[];

/** All of them, in order; NULL after the last. */
const struct scenario *scenario_at(size_t i);

/* ---- what scenarios use: trial.c ---- */

#define RATE 48000u

/** Note a result, and where the stream is. */
void note(struct trial *trial, long result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Note a result and the state, but not where the stream is. */
void note_result(struct trial *trial, long result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Note a number that may differ by a period of the device. */
void note_near(struct trial *trial, long number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Note how many frames were heard since the device was opened, and which. */
void note_heard(struct trial *trial, const char *label);

/** Write the next n frames of the sound, or read n: what the call returns. */
long move_frames(struct trial *trial, snd_pcm_uframes_t n);

/** Start it, and take the time for what follows. Returns what the call does. */
int start(struct trial *trial);

/** The stream goes on from here: as start(), but it runs already. */
void mark_start(struct trial *trial);

/** Set thresholds; -1 leaves one alone. Returns what the call does. */
int set_thresholds(struct trial *trial, long start_at, long stop_at, long avail_min);

/** Wait until n frames in all have passed by since the start or the stream does not
 * move any more; never for ever. */
void wait_passed(struct trial *trial, snd_pcm_uframes_t n);

/** What poll reports within so many ms; 0 = nothing. */
unsigned short poll_for(struct trial *trial, int ms);

/** Whether the device can be paused. */
bool can_pause(struct trial *trial);

/** Let at least so long pass: where nothing is to happen, there is no event to wait
 * for. */
void let_pass(unsigned int ms);

/** Wait for a state, by looking; never for ever. */
void wait_state(struct trial *trial, snd_pcm_state_t state);

/** Drop, prepare, and begin with the sound anew. */
void begin_anew(struct trial *trial);

/* ---- what runs them: trial.c, compare.c ---- */

/** Run a scenario. Returns 0, or -errno with a line if the device cannot be set up
 * for it. trial->notes is then filled; to be finished in either case. */
int trial_run(struct trial *trial, const struct scenario *scenario,
	      struct device *device, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer);

void trial_finish(struct trial *trial);

/** Compare. True if they agree; if not, what differs is printed to out. */
bool trials_agree(const struct trial *a, const struct trial *b,
		  snd_pcm_uframes_t tolerance, FILE *out);

/** Whether the device can do what the scenario needs. */
bool device_can(const struct device *device, const struct scenario *scenario);

/** Run it on both and compare. Where they differ it is tried again, and more often if
 * the machine is known to have held up threads meanwhile. */
bool scenario_agrees(const struct scenario *scenario, struct device *a, struct device *b,
		     snd_pcm_uframes_t period, snd_pcm_uframes_t buffer, FILE *out);

/* lateness.c */

/** Begin to look how late a sleeping thread is woken. False if that cannot be. */
bool lateness_watch(void);

/** Have done so: the worst, in ns. */
uint64_t lateness_ns(void);

#endif
