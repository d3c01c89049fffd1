/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A sound card's control device as the kernel has it, as far as elements made by users
 * go: /dev/snd/controlC0 for this process. Programs linked with this have the open() and
 * ioctl() of fake_card.c, so that all of alsa-lib is as it is; sound/core/control.c of
 * Linux says what the kernel does. The same is tested on a real one in tests/vm/card.sh;
 * here what a real one cannot be made to do is: any request may fail.
 *
 * Any thread may call; a handle that was closed is known by the end of its pipe.
 */
#ifndef TESTS_FAKE_CARD_H
#define TESTS_FAKE_CARD_H

#include <stdbool.h>

/** A card without elements, from which nobody reads. */
void fake_card_reset(void);

/** The card that the next streams are on; -1: none. */
void fake_card_put_streams_on(int index);

/** Elements there are, of any name and subdevice. */
unsigned int fake_card_count(void);

/** Requests so far that were not about opening the device. */
unsigned int fake_card_requests(void);

/** That request, counted from now on from 1, and all from then on if it is for ever, fail
 * with error, a positive errno. 0: none does. */
void fake_card_fail(unsigned int request, int error, bool for_ever);

/** The value of an element, or -1 if there is none such. */
long fake_card_value(const char *name, unsigned int subdevice);

/** The numid of an element, or 0. */
unsigned int fake_card_numid(const char *name, unsigned int subdevice);

/** Whether a handle that is open has it for itself. */
bool fake_card_is_locked(const char *name, unsigned int subdevice);

/** Handles that are open. */
unsigned int fake_card_handles(void);

#endif
