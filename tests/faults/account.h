/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream through headroom to a card that misbehaves, and its account. Frames are
 * numbered: what was heard says which of the program's it was, what was read which of
 * the card's. The account is closed at the end, whatever befell:
 *
 *   playback: taken from the program = heard + Frames Dropped + what the card itself
 *   left out by a jump; in order, none twice but what a jump back repeats, and silence
 *   only as Frames Silence has it.
 *   capture: what was read is in order, none twice; what is missing in between was
 *   recorded and is counted, or passed while the card stood, or was lost in it by a
 *   jump back, by what its log says.
 *
 * A program that is held up may run dry: that is told and costs nothing, so the
 * account closes then, too. No test here depends on being quick.
 */
#ifndef TESTS_FAULTS_ACCOUNT_H
#define TESTS_FAULTS_ACCOUNT_H

#include "tests/pcm_rig.h"

struct account {
	struct rig rig;
	bool playback;
	uint32_t taken;			/* playback: frames 1 to that were taken */
	uint32_t read;			/* capture: frames that were read */
	uint32_t next;			/* capture: number that should come next */
	uint32_t missing;		/* capture: numbers left out before that */
	uint32_t silent;		/* capture: frames of silence */
	bool waits;			/* it is not started but by account_start() */
	unsigned int n_xruns, n_suspends;	/* told to the program */
	uint64_t calm_ns;
	uint32_t calm_looks;
};

extern struct account account;

/** The fixture: a commanded rig and an empty account. */
void account_set_up(void);
void account_tear_down(void);

/** Open through headroom and install mono S32_LE 48000 Hz with 200 ms of
 * buffer in periods of 10 ms. A playback starts by account_start() only. */
void account_open(snd_pcm_stream_t stream, const char *headroom_keys);

/** The same, prepared for but not installed. */
void account_open_only(snd_pcm_stream_t stream, const char *card_keys,
		       const char *headroom_keys);
void account_install(snd_pcm_uframes_t period, snd_pcm_uframes_t buffer);

/** Start, by the program's call. */
void account_start(void);

/** Write up to frame `last`, or read until the next would be `last`, as a program does
 * that goes on after each xrun and suspend. Returns 0, or the error it does not
 * survive. */
int account_go_on(uint32_t last);

/** Drain, however often it takes; the last result. */
int account_drain(void);

/** A counter of the stream's direction: "Frames Dropped". */
int64_t account_counter(const char *name);

/** What the log's lines of an event lost together. */
uint64_t account_log(const char *event);

/** Close the stream, and the account. */
void account_close(void);

/** Let calls of the card fail from now on. */
void account_let_fail(enum clocked_call call, int error, uint32_t skip, uint32_t times);

/** From here on nobody is to be busy: up to account_assert_calm() the card is looked at
 * no more often than a few times a period. A thread that spins does so by thousands. */
void account_begin_calm(void);
void account_assert_calm(void);

#endif
