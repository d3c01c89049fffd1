/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The callbacks of the PCM type clocked: the way from alsa-lib to device.h.
 *
 * [locked] callbacks run with alsa-lib's mutex held and may trust io->appl_ptr;
 * [unlocked] ones may not, and go through snd_pcm_hwsync() where they need it,
 * which takes that mutex and comes back as a call of pointer. The order is
 * alsa-lib's mutex, then ours. alsa-lib's may be switched off, ours may not.
 */
#ifndef TESTS_CLOCKED_CALLBACKS_H
#define TESTS_CLOCKED_CALLBACKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "tests/clocked/commanded.h"
#include "tests/clocked/device.h"

struct clocked_pcm {
	snd_pcm_ioplug_t io;
	pthread_mutex_t lock;		/* for all below */
	struct clocked_device dev;
	struct clocked_commanded commanded;
	struct clocked_words words;	/* as of the last lock */
	snd_pcm_uframes_t boundary;	/* 0 = not known yet */
	snd_pcm_uframes_t told;		/* what pointer returned last */
	long extra_delay;		/* frames; set by open, constant until close */
	bool has_chmaps;		/* the same */
	snd_pcm_chmap_t *chmap;		/* as given; NULL = none was */
	int timer_fd;			/* set by open, constant until close */
	uint64_t armed_ns;		/* what it is set to; 0 = off */
};

/** Take our lock, and obey what was commanded. */
struct clocked_pcm *clocked_lock(snd_pcm_ioplug_t *io);

/** Set the timer anew and let go. Every callback that changed something ends here,
 * so that a program in poll() is woken at the right time. */
void clocked_unlock(struct clocked_pcm *pcm);

/** Bring the device up to date. [locked] */
void clocked_sync(struct clocked_pcm *pcm);

/* params.c [unlocked] */
int clocked_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params);
int clocked_hw_free(snd_pcm_ioplug_t *io);
int clocked_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params);

/** The table. Its close callback finishes pcm by clocked_pcm_free(). */
extern const snd_pcm_ioplug_callback_t clocked_callbacks;

/** Finish the device, and free pcm. */
void clocked_pcm_free(struct clocked_pcm *pcm);

#endif
