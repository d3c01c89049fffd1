/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The calls themselves, as a program on one of the sides makes them.
 */
#ifndef TESTS_DIFFERENTIAL_CALLS_H
#define TESTS_DIFFERENTIAL_CALLS_H

#include "tests/clocked/command.h"
#include "tests/differential/side.h"

struct side {
	snd_pcm_t *pcm;
	bool playback;
	bool nonblock;
	/* As installed; format UNKNOWN: nothing is. */
	snd_pcm_format_t format;
	snd_pcm_access_t access;
	unsigned int rate, channels;
	snd_pcm_uframes_t period, buffer, boundary;
	size_t frame_bytes;
	uint64_t patience_ns;		/* longer than it may have to wait for anything */
	uint64_t pos;			/* frames since prepare: what is written there */
	int command_fd;			/* -1: nothing befalls the card */
	uint32_t suspends;		/* so far */
	bool refuses_resume;		/* since the last of them */
	enum limit limit;
	bool prepared_idle;		/* when it was suspended */
	snd_pcm_uframes_t stop;		/* threshold */
	snd_pcm_uframes_t apart;	/* frames by which the two may wake apart */
	bool was_reset;			/* since prepare: within a step of each other */
	bool goes_on;			/* beyond its end, or stops before it */
	bool adrift;			/* took longer than the other: it hears what is later */
	bool went_on, rewound;		/* the sound need not be the same any more */
	const struct result *first;	/* the other side's of the same call, or NULL */
	struct result *result;
};

/** Make the call and fill in side->result, times and states excepted. */
void call_make(struct side *side, const struct call *call);

/** Memory for what is written and read, made once. */
bool calls_init(void);

/* calls_params.c */
void call_hw_params(struct side *side, struct rng *rng, bool absurd);
void call_sw_params(struct side *side, struct rng *rng);

/* calls_transfer.c */
void call_transfer(struct side *side, struct rng *rng);
void call_wrong_transfer(struct side *side, struct rng *rng);
void call_mmap(struct side *side, struct rng *rng);
void call_move(struct side *side, struct rng *rng, bool forward);

/** A number of frames that somebody might ask for. */
snd_pcm_uframes_t draw_frames(const struct side *side, struct rng *rng, bool absurd);

#define SAY(side, ...) \
	snprintf((side)->result->text, sizeof((side)->result->text), __VA_ARGS__)

/** Say why nothing is compared from here on. The first reason stays, but outside of the
 * buffer the card is lost whatever comes. */
static inline void side_limit(struct side *side, enum limit limit)
{
	if (side->limit == LIMIT_NONE || limit == LIMIT_POSITION)
		side->limit = limit;
}

static inline void note_exact(struct side *side, long value)
{
	side->result->exact[side->result->n_exact++] = value;
}

static inline void note_rough(struct side *side, long value)
{
	side->result->rough[side->result->n_rough++] = value;
}

#endif
