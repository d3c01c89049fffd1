/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What a virtual card has logged of one opening, see tests/clocked/tape.h. */
#ifndef TESTS_SOAK_CARD_LOG_H
#define TESTS_SOAK_CARD_LOG_H

#include <stdint.h>

struct soak_card_log {
	uint64_t end;		/* frame at the close: heard so far; of the world */
	uint64_t begin;		/* capture: the first that was recorded */
	uint64_t stood;		/* capture: frames that passed while it was stopped, in between */
	uint64_t stop;		/* capture: the frame before which it was stopped at last */
};

/** Read and remove the log at path. */
struct soak_card_log soak_card_log_read(const char *path);

#endif
