/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The boundary at which alsa-lib's pointers wrap is chosen by alsa-lib, years
 * away, and no call changes it. But its software parameters are the kernel's
 * structure, whose layout is fixed.
 */
#ifndef TESTS_SET_BOUNDARY_H
#define TESTS_SET_BOUNDARY_H

/** sw_params is a snd_pcm_sw_params_t; boundary in frames, a multiple of the
 * buffer. */
void set_boundary(void *sw_params, unsigned long boundary);

#endif
