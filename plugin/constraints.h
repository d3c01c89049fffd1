/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the slave can do, told to the ioplug, so that a program is offered the
 * same formats, rates, channels and sizes as on the device itself.
 */
#ifndef HR_PLUGIN_CONSTRAINTS_H
#define HR_PLUGIN_CONSTRAINTS_H

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

/** Ask the open slave and set the lists and ranges of io. Returns 0 or -errno
 * after one line. */
int hr_constraints_apply(snd_pcm_ioplug_t *io, snd_pcm_t *slave);

#endif
