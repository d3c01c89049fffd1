/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/plan.h"

#include <stdio.h>
#include <string.h>

#include "tests/differential/sequence.h"

const struct plan_format plan_formats[N_PLAN_FORMATS] = {
	{ SND_PCM_FORMAT_S16_LE, 2 }, { SND_PCM_FORMAT_S32_LE, 1 },
	{ SND_PCM_FORMAT_U8, 4 }, { SND_PCM_FORMAT_S24_3LE, 4 },
	{ SND_PCM_FORMAT_S16_LE, 6 }, { SND_PCM_FORMAT_FLOAT_LE, 2 },
};

/* How often each kind is drawn, in relation to the others. */
static const uint8_t weights[N_STEP_KINDS] = {
	[STEP_MOVE] = 45, [STEP_STALL] = 10, [STEP_REWIND] = 4, [STEP_FORWARD] = 1,
	[STEP_PAUSE] = 3, [STEP_UNPAUSE] = 4, [STEP_START] = 3, [STEP_DROP] = 2,
	[STEP_DRAIN] = 3, [STEP_PREPARE] = 4, [STEP_RESUME] = 1, [STEP_SW_PARAMS] = 2,
	[STEP_LOOK] = 4, [STEP_RESET] = 1, [STEP_EMPTY] = 3,
};

static const uint8_t fault_weights[N_STEP_KINDS] = {
	[STEP_HOLD] = 6, [STEP_SUSPEND] = 4, [STEP_STILL] = 3, [STEP_SLOW] = 2,
	[STEP_XRUN] = 3, [STEP_STORM] = 1, [STEP_BURST] = 2, [STEP_SHORT] = 2, [STEP_WAKE] = 2,
	[STEP_KEEP] = 1, [STEP_LOSE] = 1, [STEP_FAIL] = 4, [STEP_JUMP] = 2,
};

static enum step_kind draw_kind(struct rng *rng, const uint8_t *of)
{
	unsigned int total = 0, at;

	for (unsigned int i = 0; i < N_STEP_KINDS; i++)
		total += of[i];
	at = (unsigned int)rng_below(rng, total);
	for (unsigned int i = 0; ; i++) {
		if (at < of[i])
			return (enum step_kind)i;
		at -= of[i];
	}
}

static void draw_sizes(struct plan *plan, struct rng *rng)
{
	static const unsigned int rates[] = { 8000, 44100, 48000, 48000, 96000 };

	plan->rate = rates[rng_below(rng, 5)];
	if (rng_chance(rng, 40))
		plan->period = (snd_pcm_uframes_t)64 << rng_below(rng, 6);
	else
		plan->period = 32 + rng_below(rng, rng_chance(rng, 50) ? 200 : 2000);
	plan->buffer = plan->period * (2 + rng_below(rng, 6));
	if (rng_chance(rng, 20))
		plan->buffer += rng_below(rng, plan->period);
	if (rng_chance(rng, 20))
		plan->slave_period = 32 + (unsigned int)rng_below(rng, 1000);
	if (rng_chance(rng, 20))
		plan->slave_buffer = 100 + (unsigned int)rng_below(rng, 3 * plan->buffer);
}

static void draw_policies(struct plan *plan, struct rng *rng)
{
	static const unsigned int depths[] = { 0, 0, 0, 1, 20, 20, 200, 200, 2000 };
	static const int drifts[] = { 0, 0, 0, 100, -200, 10000, -10000 };

	plan->on_underrun_silence = rng_chance(rng, 35);
	plan->on_overrun_drop = rng_chance(rng, 40);
	plan->reconnects = rng_chance(rng, 30);
	plan->depth_ms = depths[rng_below(rng, 9)];
	/* As if it were 2000 of a lower rate: memory costs time. */
	if (plan->depth_ms == 2000 && plan->rate > 8000)
		plan->depth_ms = 600;
	plan->rate_ppm = drifts[rng_below(rng, 7)];
	plan->starts_itself = rng_chance(rng, 85);
	plan->never_stops = rng_chance(rng, 12);
}

void plan_make(struct plan *plan, uint64_t seed, uint64_t index)
{
	struct rng rng = { seed };
	unsigned int faults;

	/* So that neighbours have nothing in common. */
	rng.state = rng_next(&rng) ^ index;
	rng.state = rng_next(&rng);
	*plan = (struct plan){
		.seed = seed,
		.index = index,
		.playback = rng_chance(&rng, 50),
		.serial = rng_chance(&rng, 80),
		.habit = (enum habit)rng_below(&rng, N_HABITS),
		.access = rng_chance(&rng, 40) ? SND_PCM_ACCESS_RW_INTERLEAVED :
			  (snd_pcm_access_t)(rng_chance(&rng, 50) ?
			  SND_PCM_ACCESS_RW_NONINTERLEAVED : rng_below(&rng, 2)),
		.format = (unsigned int)rng_below(&rng, N_PLAN_FORMATS),
	};
	draw_sizes(plan, &rng);
	draw_policies(plan, &rng);
	faults = rng_chance(&rng, 40) ? 0 : 3 + (unsigned int)rng_below(&rng, 25);
	plan->n = 2 + (unsigned int)rng_below(&rng, STEPS_MAX - 1);
	for (unsigned int i = 0; i < plan->n; i++) {
		enum step_kind kind = draw_kind(&rng, rng_chance(&rng, faults) ?
						fault_weights : weights);

		/* Which then is the end of nothing. */
		if (plan->reconnects && faults && rng_chance(&rng, 6))
			kind = STEP_LOSE;
		plan->steps[i] = (struct step){ (uint8_t)kind, (uint32_t)rng_next(&rng) };
	}
}

void plan_remove(struct plan *plan, unsigned int at, unsigned int n)
{
	memmove(&plan->steps[at], &plan->steps[at + n],
		(plan->n - at - n) * sizeof(*plan->steps));
	plan->n -= n;
}

void plan_print(const struct plan *plan)
{
	static const char *const habits[N_HABITS] = { "blocks", "waits", "sleeps" };
	const struct plan_format *format = &plan_formats[plan->format];

	printf("  %s, %s%s, %s %s %u channels %u Hz period %lu buffer %lu\n",
	       plan->playback ? "playback" : "capture", habits[plan->habit],
	       plan->serial ? ", serial" : "", snd_pcm_access_name(plan->access),
	       snd_pcm_format_name(format->format), format->channels, plan->rate,
	       plan->period, plan->buffer);
	printf("  slave.period %u slave.buffer %u depth_ms %u on_underrun %s on_overrun %s "
	       "on_device_loss %s, card %+d ppm\n", plan->slave_period, plan->slave_buffer, plan->depth_ms,
	       plan->on_underrun_silence ? "silence" : "xrun",
	       plan->on_overrun_drop ? "drop" : "xrun", plan->reconnects ? "reconnect" : "error",
	       plan->rate_ppm);
}
