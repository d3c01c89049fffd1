/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * One open headroom PCM, and the program's side of it: what alsa-lib's callbacks
 * work on.
 *
 * alsa-lib holds the PCM's own mutex in some callbacks, drops it in others, and
 * has none at all when told so (LIBASOUND_THREAD_SAFE=0). So the program's threads
 * are ordered by `lock` here, which the callbacks take. The I/O thread never does.
 */
#ifndef HR_PLUGIN_PCM_H
#define HR_PLUGIN_PCM_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include "plugin/io_thread.h"
#include "plugin/pcm_config.h"
#include "plugin/reporter.h"
#include "plugin/seeker.h"
#include "plugin/slave.h"

/* For an answer of the I/O thread: one that is let in has given it long before. */
#define HR_PCM_PATIENCE_NS (1 * HR_NS_PER_MS)

struct hr_pcm {
	snd_pcm_ioplug_t ioplug;
	snd_pcm_ioplug_callback_t callbacks;	/* what is in it tells what it can do */

	/* Set by open, constant until close. */
	struct hr_pcm_config config;
	struct hr_page *page;
	struct hr_reporter reporter;
	unsigned int forks;		/* a forked child leaves everything alone */
	bool can_pause, can_resume;	/* the slave can */
	bool is_locked;			/* alsa-lib's own mutex is in use */
	pthread_mutex_t lock;		/* [program]; below alsa-lib's own */

	/* Set by hw_params, gone after hw_free; guarded by lock. */
	struct hr_slave slave;
	struct hr_seeker seeker;	/* zeroed unless on_device_loss is reconnect */
	struct hr_stream *stream;	/* NULL: not set up */
	struct hr_io io;
	snd_pcm_uframes_t boundary;

	/* Guarded by lock. Positions count frames since prepare. */
	uint64_t appl_pos;		/* the program's, as last seen */
	uint64_t asked_ns;		/* when the position was last asked for; 0: written since */
	uint64_t in_vain_ns;		/* when the I/O thread was last asked for a look and gave none */
	uint64_t hw_pos;		/* as last told to the program; never goes back */
	snd_pcm_uframes_t zero_ptr;	/* what alsa-lib calls position 0 */
	snd_pcm_uframes_t told_hw_ptr;	/* what alsa-lib is to be returned, and */
	snd_pcm_uframes_t given_hw_ptr;	/* what it was the last time */
	pthread_t mover;		/* who moved last, by writing or reading, and */
	snd_pcm_uframes_t moving;	/* how far, until alsa-lib's pointer is seen there */
	uint64_t rest_offered_at;	/* capture: appl_pos at which a rest was offered */
};

/** Fill in the callbacks; pause and resume only if the slave can. */
void hr_pcm_set_callbacks(struct hr_pcm *pcm, bool can_pause, bool can_resume);

/** Refuse a pause while the stream runs, where the slave cannot. [program] */
void hr_pcm_guard_pause(struct hr_pcm *pcm, bool runs);

/** Answer a resume while the stream is set up, where the slave cannot. [program] */
void hr_pcm_guard_resume(struct hr_pcm *pcm, bool is_set_up);

/** Everything that an open PCM holds but the ioplug itself. Allowed on one that is
 * half built: zeroed, with app_wake and io_wake -1. */
void hr_pcm_free(struct hr_pcm *pcm);

/** Stop the I/O thread and give back what hw_params made. [program] */
void hr_pcm_teardown(struct hr_pcm *pcm);

/* pcm_params.c */
int hr_pcm_hw_params(snd_pcm_ioplug_t *ioplug, snd_pcm_hw_params_t *params);
int hr_pcm_hw_free(snd_pcm_ioplug_t *ioplug);
int hr_pcm_sw_params(snd_pcm_ioplug_t *ioplug, snd_pcm_sw_params_t *params);
snd_pcm_chmap_query_t **hr_pcm_query_chmaps(snd_pcm_ioplug_t *ioplug);
snd_pcm_chmap_t *hr_pcm_get_chmap(snd_pcm_ioplug_t *ioplug);
int hr_pcm_set_chmap(snd_pcm_ioplug_t *ioplug, const snd_pcm_chmap_t *map);
void hr_pcm_dump(snd_pcm_ioplug_t *ioplug, snd_output_t *out);

/* pcm_transfer.c */

/** Notice where the program has moved to by rewind, forward or reset, none of
 * which calls us. [program] */
void hr_pcm_sync_appl(struct hr_pcm *pcm);

/** The caller holds alsa-lib's mutex, if that is in use: no other thread is about to
 * move the pointer, so where it is now is where the program is. [program] */
void hr_pcm_trust_pointer(struct hr_pcm *pcm);

/** The caller does not hold it, and another thread may be about to move the pointer or
 * have gone back by just as much: wait for it, and be told. For what is answered
 * without that mutex and not asked again: poll, drain. [program] */
void hr_pcm_ask_pointer(struct hr_pcm *pcm);

/** Put alsa-lib's pointer where it did not put it itself. [program] */
void hr_pcm_set_ptr(struct hr_pcm *pcm, snd_pcm_uframes_t ptr);

/** Where alsa-lib's pointer is for a position. [program] */
snd_pcm_uframes_t hr_pcm_ptr_of(const struct hr_pcm *pcm, uint64_t pos);

/** Make the program's descriptor readable exactly if it is ready; readable says
 * that it was seen so. [program] */
void hr_pcm_settle_wake(struct hr_pcm *pcm, bool readable);

snd_pcm_sframes_t hr_pcm_transfer(snd_pcm_ioplug_t *ioplug,
				  const snd_pcm_channel_area_t *areas,
				  snd_pcm_uframes_t offset, snd_pcm_uframes_t size);

/* pcm_told.c */

/** What has befallen the stream. [any] */
enum hr_fault hr_pcm_fault(const struct hr_pcm *pcm);
bool hr_pcm_is_drained(const struct hr_pcm *pcm);
bool hr_pcm_is_draining(const struct hr_pcm *pcm);

/** Whether there is a stream that runs, drains or is paused. [program] */
bool hr_pcm_is_moving(const struct hr_pcm *pcm);

/** Bring appl_pos and hw_pos up to now. [program] */
void hr_pcm_update(struct hr_pcm *pcm);

/** Turn a fault into the PCM's state. An xrun is left to alsa-lib where a negative
 * return does that. Returns 0 or -errno. [program] */
int hr_pcm_show_fault(struct hr_pcm *pcm);

/** What the I/O thread has refused: the device was suspended, or went, while nobody
 * looked at it. [program] */
void hr_pcm_note_refusal(struct hr_pcm *pcm, int err);

snd_pcm_sframes_t hr_pcm_pointer(snd_pcm_ioplug_t *ioplug);
int hr_pcm_delay(snd_pcm_ioplug_t *ioplug, snd_pcm_sframes_t *delay);

/* pcm_poll.c */
int hr_pcm_poll_descriptors_count(snd_pcm_ioplug_t *ioplug);
int hr_pcm_poll_descriptors(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
			    unsigned int space);
int hr_pcm_poll_revents(snd_pcm_ioplug_t *ioplug, struct pollfd *fds,
			unsigned int n_fds, unsigned short *revents);

/** The PCM is this process's. Returns 0 or -ENOMEM. */
int hr_pcm_note_process(struct hr_pcm *pcm);

/** Whether this process only inherited the PCM by fork: it has no part in what is
 * shared with the parent still, as the descriptors, and locks may be held for ever. */
bool hr_pcm_is_foreign(const struct hr_pcm *pcm);

#endif
