/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The size of a cache line: what two threads must not share, if one of them writes it.
 */
#ifndef HR_CORE_LINE_H
#define HR_CORE_LINE_H

#define HR_LINE 64u	/* bytes */

#endif
