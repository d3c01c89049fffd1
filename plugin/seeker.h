/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The seeker: an ordinary thread that looks for a device that is gone, once a second, and
 * opens it again with the same parameters. The I/O thread gives it the dead handle, goes on
 * without a device, and takes the new one when it is there; neither waits for the other.
 * While the device is there it sleeps.
 *
 * Who may call is given as
 *   [program]  a thread of the program that holds hr_pcm's lock
 *   [io]       the I/O thread
 */
#ifndef HR_PLUGIN_SEEKER_H
#define HR_PLUGIN_SEEKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "plugin/reporter.h"
#include "plugin/slave.h"
#include "plugin/wake.h"

/* Where the device is. */
enum hr_seek {
	HR_SEEK_NOT,		/* with the I/O thread */
	HR_SEEK_LOST,		/* the seeker has the dead handle, and looks */
	HR_SEEK_FOUND,		/* the seeker has a new one */
};

struct hr_seeker {
	/* Set by hr_seeker_init(), constant until hr_seeker_finish(). */
	const struct hr_pcm_config *config;
	struct hr_reporter *reporter;
	char *pcm_name;			/* NULL = none */
	snd_config_t *root;		/* a reference */
	int mode;			/* of the open */

	/* Set by hr_seeker_start(), constant until hr_seeker_stop(). */
	struct hr_slave_params params;
	struct hr_slave wanted;		/* what the device was like */
	snd_pcm_chmap_t *chmap;		/* that the program has set, or NULL; guarded by lock */
	pthread_t thread;
	bool is_running;		/* guarded by lock for who has no other */
	struct hr_wake wake;		/* the thread waits; fd -1 = no thread */
	_Atomic bool stop;

	_Atomic int seek;		/* enum hr_seek */
	snd_pcm_t *handle;		/* dead or new; ordered by seek */
	bool told_other;		/* the seeker's: it came back as another */

	pthread_mutex_t lock;		/* never taken by the I/O thread */
	snd_pcm_t *shown;		/* for others than the I/O thread; guarded by lock */
};

/** Remember how the slave was opened. root is referred to, the rest must outlive the
 * seeker. pcm_name is copied. Returns 0 or -ENOMEM. [program] */
int hr_seeker_init(struct hr_seeker *seeker, const struct hr_pcm_config *config,
		   struct hr_reporter *reporter, const char *pcm_name,
		   snd_config_t *root, int mode);

/** A zeroed seeker is allowed. [program] */
void hr_seeker_finish(struct hr_seeker *seeker);

/** The device is one that lags, or not: it is to be so again. Before the I/O thread has
 * been asked for anything. [program] */
void hr_seeker_note_lag(struct hr_seeker *seeker, const struct hr_slave *slave);

/** The slave was configured by params: start the thread. Returns 0, or -errno after one
 * line: then a device that goes is an error, as without the seeker. [program] */
int hr_seeker_start(struct hr_seeker *seeker, const struct hr_slave *slave,
		    const struct hr_slave_params *params);

/** Join the thread; the I/O thread is gone. The slave has the device then, if that is
 * there. One that was not started is allowed. [program] */
void hr_seeker_stop(struct hr_seeker *seeker, struct hr_slave *slave);

/** In a forked child: close what it has inherited, touch nothing. [program] */
void hr_seeker_abandon(struct hr_seeker *seeker);

/** The device is gone: look for it. slave->pcm becomes NULL. Wait-free. [io] */
void hr_seeker_lose(struct hr_seeker *seeker, struct hr_slave *slave);

/** Take the device if it was found: slave->pcm is prepared then. Wait-free. [io] */
bool hr_seeker_take(struct hr_seeker *seeker, struct hr_slave *slave);

/** The program has set a channel map: the device is to have it again. Returns 0 or -ENOMEM.
 * [program, with the lock] */
int hr_seeker_note_chmap(struct hr_seeker *seeker, const snd_pcm_chmap_t *map);

/** The slave for a look by the program while the I/O thread has it; NULL while it is
 * gone. hr_seeker_unlock() is owed in any case. [program] */
snd_pcm_t *hr_seeker_lock(struct hr_seeker *seeker, const struct hr_slave *slave);
void hr_seeker_unlock(struct hr_seeker *seeker);

#endif
