/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The reporter: an ordinary thread of each open stream, which tells others what the
 * streaming threads may not stop to tell. They wake it, with eight bytes into an
 * eventfd; it announces the change to those who watch the page, and keeps the card's
 * elements. While nothing changes it sleeps.
 *
 * Who may call is given as
 *   [program]  a thread of the program that opens or closes the stream
 *   [any]      any thread of the process
 */
#ifndef HR_PLUGIN_REPORTER_H
#define HR_PLUGIN_REPORTER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include "core/health_page.h"
#include "plugin/card_elements.h"
#include "plugin/wake.h"
#include "plugin/witness.h"

struct hr_reporter {
	/* Set by hr_reporter_start(), constant until hr_reporter_stop(). */
	struct hr_page *page;
	struct hr_card_elements *card;	/* NULL = none */
	pthread_t thread;
	bool is_running;
	bool keep_elements;		/* on the card, when the stream ends */
	_Atomic int renewed;		/* index + 1 of a card that is back; 0 = none */
	struct hr_wake wake;		/* the thread waits; fd -1 = no thread */
	struct hr_witness witness;	/* the thread is one */
	sem_t is_there;			/* it has opened what it needs */
	_Atomic bool stop;
};

/** Start the thread; the witness is initialised. card may be NULL; it is the reporter's
 * from here in any case. Without a thread (one line says so) changes are seen late by
 * those who watch, and the card shows nothing. [program] */
void hr_reporter_start(struct hr_reporter *reporter, struct hr_page *page,
		       struct hr_card_elements *card, bool keep_elements);

/** Something has changed that is to be told at once. [any] */
void hr_reporter_notify(struct hr_reporter *reporter);

/** The card of this index is back: its elements are to be made again, if it had any.
 * [any] */
void hr_reporter_renew(struct hr_reporter *reporter, int index);

/** Whether the process was stopped as a whole, as far as the thread can tell: see
 * witness.h. [io] */
bool hr_reporter_was_stopped(struct hr_reporter *reporter);

/** Join the thread and take the elements from the card, or keep them there as the
 * stream ends. One that was not started (zeroed, wake.fd -1) is allowed. [program] */
void hr_reporter_stop(struct hr_reporter *reporter);

/** In a forked child: close what it has inherited, touch nothing. [program] */
void hr_reporter_abandon(struct hr_reporter *reporter);

#endif
