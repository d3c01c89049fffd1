/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The virtual card of tests/clocked/rig.h, seen through headroom: pcm.x is a
 * headroom whose slave is pcm.card, ctl.x shows its counters. What a test does
 * with rig->pcm is then the same as on the bare card.
 *
 * The modules are found by the environment variables HEADROOM_PCM_LIB and
 * HEADROOM_CTL_LIB, the card as in rig.h. The counters live in a directory of the
 * rig's own, so that no test sees another's.
 */
#ifndef TESTS_PCM_RIG_H
#define TESTS_PCM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include <check.h>

#include "core/episodes.h"
#include "tests/clocked/rig.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/** Make the rig, and a place for the counters. */
void pcm_rig_init(struct rig *rig);

/** Close, and remove both. */
void pcm_rig_finish(struct rig *rig);

/** Open pcm.x with the slave pcm.card; the keys are those of the two blocks.
 * Returns what snd_pcm_open_lconf() does. */
int rig_try_open_headroom(struct rig *rig, snd_pcm_stream_t stream, int mode,
			  const char *card_keys, const char *headroom_keys);

/** The same, which must succeed, and install params exactly. */
void rig_open_headroom(struct rig *rig, snd_pcm_stream_t stream, int mode,
		       const char *card_keys, const char *headroom_keys,
		       const struct rig_params *params);

/** The one or the other: the bare card without, or through headroom. */
void rig_open_either(struct rig *rig, bool headroom, snd_pcm_stream_t stream,
		     int mode, const char *card_keys, const char *headroom_keys,
		     const struct rig_params *params);

/** Open any of the definitions; the types headroom and clocked are known. */
int rig_try_open_defined(struct rig *rig, const char *name, const char *definitions,
			 snd_pcm_stream_t stream, int mode, const char *card_keys);

/** What ctl.x shows now under a full name, as "Headroom Playback Xruns"; slot 0
 * is the first stream of the name. */
int64_t rig_counter(const struct rig *rig, const char *name);
int64_t rig_counter_of(const struct rig *rig, const char *name, unsigned int slot);

/** The same of one direction, by what comes after it, as "Xruns". */
int64_t rig_stream_counter(const struct rig *rig, enum hr_direction direction,
			   const char *what);

/** The log of episodes of x: those of the first stream, and how many. */
uint32_t rig_episodes(enum hr_direction direction,
		      struct hr_episode episodes[HR_EPISODES_KEPT]);

/** Frames heard so far. */
size_t rig_heard(const struct rig *rig);

/** A test case with a watchdog and a fixture; in the suite. */
TCase *pcm_rig_case(Suite *suite, const char *name, void (*set_up)(void),
		    void (*tear_down)(void));

/** Run the suite; the exit status of the program. */
int pcm_rig_run(Suite *suite);

#endif
