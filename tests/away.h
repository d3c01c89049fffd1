/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A card that goes while a stream has it, seen from both sides: what it has heard or
 * recorded and what it takes along, by its own log; and since when it is away to headroom.
 */
#ifndef TESTS_AWAY_H
#define TESTS_AWAY_H

#include "tests/pcm_rig.h"

#define AWAY_RATE 48000
#define AWAY_STEP 480
#define AWAY_BUFFER (96 * AWAY_STEP)	/* so long may a busy machine hold up the test */

/* A sample of four bytes. */
extern const struct rig_params away_params;

struct away {
	uint64_t frames;	/* heard or recorded, the last one included */
	uint64_t along;		/* given to it and not heard; recorded and not read */
	uint64_t since_ns;	/* headroom's last look at it */
	uint64_t unseen;	/* frames between that look and its going, by the card's clock */
};

/** Let the card stand still, and wait until headroom knows where. What befalls it from
 * then on costs exactly what its log says. */
void away_let_stand(const struct rig *rig);

/** Once headroom knows that it is away, and before it is back. */
struct away away_read(const struct rig *rig, enum hr_direction direction);

#endif
