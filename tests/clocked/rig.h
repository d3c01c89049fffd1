/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A virtual sound card in a temporary directory of its own, for Check tests: a
 * helper that fails, fails the test. The module is found by the environment
 * variable CLOCKED_LIB, an absolute path.
 *
 * No test may depend on being quick. An underrun loses nothing here, since all
 * that was written was heard: rig_write() recovers from it and goes on.
 */
#ifndef TESTS_CLOCKED_RIG_H
#define TESTS_CLOCKED_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <alsa/asoundlib.h>

#include "tests/clocked/command.h"

struct rig_params {
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int channels, rate;
	snd_pcm_uframes_t period, buffer;
};

struct rig {
	char dir[64];
	char heard[96], supply[96], log[96], command[96];
	int command_fd;			/* of command.h; 0 = none */
	snd_config_t *config;
	snd_pcm_t *pcm;
	struct rig_params params;
	size_t frame_bytes;
};

/** Make the directory. */
void rig_init(struct rig *rig);

/** Close, and remove the directory. */
void rig_finish(struct rig *rig);

/** Let the card be commanded; before it is opened. Then RIG_COMMAND(rig, still, 1). */
void rig_be_commanded(struct rig *rig);
#define RIG_COMMAND(rig, word, value) \
	ck_assert(CLOCKED_COMMAND((rig)->command_fd, word, value))

/** Open a card whose block holds keys, on top of heard and log; supply is used
 * if its file is there. Returns what snd_pcm_open_lconf() does. */
int rig_try_open(struct rig *rig, snd_pcm_stream_t stream, int mode,
		 const char *keys);

/** The same with more definitions, given as text, of which one of that name is
 * opened. The card is called "card" in there. */
int rig_try_open_as(struct rig *rig, const char *name, const char *definitions,
		    snd_pcm_stream_t stream, int mode, const char *keys);

/** Install params exactly on the PCM that was opened. */
void rig_install(struct rig *rig, const struct rig_params *params);

/** Open a card, which must succeed, and install params exactly. */
void rig_open(struct rig *rig, snd_pcm_stream_t stream, int mode, const char *keys,
	      const struct rig_params *params);

/** Set the thresholds; 0 leaves one as it is, stop -1 is the boundary. */
void rig_thresholds(struct rig *rig, long start, long stop, long avail_min);

/** n frames of noise that repeat for the same seed. To be freed. */
uint8_t *rig_noise(const struct rig *rig, size_t n, unsigned int seed);

/** Write n frames with blocking writei of at most chunk frames. */
void rig_write(struct rig *rig, const uint8_t *data, size_t n, size_t chunk);

/** Read n frames, blocking. */
void rig_read(struct rig *rig, uint8_t *data, size_t n);

/** All of a file. To be freed. */
uint8_t *rig_slurp(const char *path, size_t *sizep);

/** Fail unless exactly these n frames were heard. */
void rig_assert_heard(const struct rig *rig, const uint8_t *data, size_t n);

/** Lines of the log that begin with event; *frame and *last of the last of them
 * (lost or ms) if not NULL. */
unsigned int rig_log(const struct rig *rig, const char *event,
		     unsigned long long *frame, unsigned long long *last);

/** Wait until n frames can be written or read, by looking. */
void rig_wait_avail(struct rig *rig, snd_pcm_sframes_t n);

/** Wait until the stream is in that state, by looking where it is. */
void rig_wait_state(struct rig *rig, snd_pcm_state_t state);

/** Sleep at least so long between two looks at what is waited for, or two steps of a
 * program that is slow. */
void rig_sleep_ms(unsigned int ms);

/** The same where there is no event to wait for: nothing is to happen meanwhile, or the
 * program under test is to be late. */
void rig_let_pass_ms(unsigned int ms);

#endif
