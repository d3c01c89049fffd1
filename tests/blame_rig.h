/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream of which somebody is late: the program, which is in time otherwise, the I/O thread,
 * kept from its processor by another of a higher real-time priority, or the virtual card.
 *
 * The program has a real-time priority, so that on a busy machine it is in time where it
 * is to be. Without the right to one these tests fail, and say so.
 */
#ifndef TESTS_BLAME_RIG_H
#define TESTS_BLAME_RIG_H

#include "core/clock.h"
#include "tests/pcm_rig.h"

#define RATE 48000
#define PER_MS (RATE / 1000)
#define PERIOD 480		/* 10 ms */

extern struct rig rig;
extern uint8_t sound[2 * RATE * 2];
extern int64_t written;			/* frames of the stream that is open */
extern struct hr_episode episodes[HR_EPISODES_KEPT];
extern uint32_t n_episodes;

/** Fixture of each case. */
void set_up(void);
void tear_down(void);

/** The counter of the stream's direction, and to wait until it is that at least. */
int64_t counter(const char *what);
void wait_for(const char *what, int64_t least);

/** Read the log of episodes. */
void read_episodes(void);

/** The last episode, and what the counters say; it is waited for. */
const struct hr_episode *assert_last(enum hr_episode_kind kind, enum hr_cause cause);

/** The same of the first, where it is the program's luck whether it had written in time for
 * the stream to go on: as the position goes on by the clock, it can. */
void assert_first_xrun(enum hr_cause cause, bool waits);

/** Keep the I/O thread from its processor for so long. */
void begin_to_hog(unsigned int ms);
void end_hogging(void);

/** Go on on that processor. */
void share_its_processor(void);

/** Open, and play or record until all is well. */
void start_playing(const char *keys, snd_pcm_uframes_t buffer);
void start_recording(const char *keys, snd_pcm_uframes_t buffer);

/** Write what there is room for. False in an xrun. */
bool fill_up(void);

/** Play or record for so long as a program does that is in time. False in an xrun. */
bool play_for_ms(unsigned int ms);
bool record_for_ms(unsigned int ms);

/** Close, and set all to 0: the machine itself stood still for longer than the buffer lasts,
 * and that is not what is looked at here. */
void forget_it(void);

#endif
