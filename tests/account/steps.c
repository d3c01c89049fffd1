/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>

#include "tests/account/episodes.h"
#include "tests/account/program.h"
#include "tests/differential/world.h"

#define MOVES_MAX 24
#define MOVE_NS (1000 * MS)
#define HOUR_NS (3600 * UINT64_C(1000000000))

static void advance(struct program *p, uint64_t ns)
{
	world_advance_to(world_now_ns() + ns);
	program_note(p, 0, "sleep %.3f ms", (double)ns / 1e6);
}

/* --- thresholds --- */

static void draw_thresholds(struct program *p, struct rng *rng)
{
	const struct plan *plan = p->plan;
	const snd_pcm_uframes_t whole = p->buffer / p->period * p->period;
	const snd_pcm_uframes_t starts[] = { 1, p->period, whole, whole };

	p->start = plan->starts_itself ? starts[plan->index % 4] : p->boundary;
	p->stop = plan->never_stops ? p->boundary : p->buffer;
	p->card.may_dodge = p->card.may_dodge || plan->never_stops || plan->on_underrun_silence;
	if (!rng)
		return;
	p->start = rng_chance(rng, 85) ? starts[rng_below(rng, 4)] : p->boundary;
	switch (rng_below(rng, 6)) {
	case 0: p->stop = p->boundary; break;
	case 1: p->stop = p->buffer + 1 + rng_below(rng, 2 * p->buffer); break;
	case 2: p->stop = p->buffer / 2 + rng_below(rng, p->buffer / 2 + 1); break;
	default: p->stop = p->buffer; break;
	}
	p->stopped_early = p->stopped_early || p->stop < p->buffer;
	p->card.may_dodge = p->card.may_dodge || p->stop > p->buffer;
}

void program_set_thresholds(struct program *p, struct rng *rng)
{
	snd_pcm_uframes_t avail_min = p->period, silence = 0;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(p->pcm, sw);
	snd_pcm_sw_params_get_boundary(sw, &p->boundary);
	draw_thresholds(p, rng);
	/* What never comes to pass is nothing to wait for. */
	if (p->period > p->stop)
		avail_min = p->stop;
	if (rng && rng_chance(rng, 30))
		avail_min = 1 + rng_below(rng, p->stop < p->buffer ? p->stop : p->buffer);
	if (rng && rng_chance(rng, 20))
		silence = p->boundary;
	snd_pcm_sw_params_set_start_threshold(p->pcm, sw, p->start);
	snd_pcm_sw_params_set_stop_threshold(p->pcm, sw, p->stop);
	snd_pcm_sw_params_set_avail_min(p->pcm, sw, avail_min);
	snd_pcm_sw_params_set_silence_threshold(p->pcm, sw, 0);
	snd_pcm_sw_params_set_silence_size(p->pcm, sw, silence);
	err = snd_pcm_sw_params(p->pcm, sw);
	program_note(p, err, "sw_params start %ld stop %ld avail_min %ld", (long)p->start,
		     (long)p->stop, (long)avail_min);
	if (err < 0)
		program_fail(p, "sw_params: %s", snd_strerror(err));
}

/* --- moving --- */

static void resume(struct program *p)
{
	snd_pcm_state_t before;
	bool refused;
	int err;

	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	before = p->state;
	if (before != SND_PCM_STATE_SUSPENDED)
		return;
	err = snd_pcm_resume(p->pcm);
	program_note(p, err, "resume");
	/* alsa-lib says that it was: then it is prepared anew. */
	refused = p->card.words.resume_errno != 0;
	if (refused && p->state == SND_PCM_STATE_PREPARED)
		program_close_account(p, before);
}

/* What a program does about the state that it finds. */
static void recover(struct program *p, struct rng *rng)
{
	switch (p->state) {
	case SND_PCM_STATE_SETUP:
	case SND_PCM_STATE_XRUN:
		program_prepare(p);
		break;
	case SND_PCM_STATE_SUSPENDED:
		if (rng_chance(rng, 70))
			resume(p);
		if (p->state == SND_PCM_STATE_SUSPENDED && rng_chance(rng, 50))
			program_prepare(p);
		break;
	case SND_PCM_STATE_PAUSED:
		if (rng_chance(rng, 60))
			program_note(p, snd_pcm_pause(p->pcm, 0), "unpause");
		break;
	case SND_PCM_STATE_PREPARED:
		if (!p->plan->playback)
			program_note(p, snd_pcm_start(p->pcm), "start");
		break;
	default:
		break;
	}
}

/* A writer that does not start by itself would wait for ever. */
static bool would_wait_for_ever(struct program *p)
{
	return p->state == SND_PCM_STATE_PAUSED || p->state == SND_PCM_STATE_PREPARED;
}

static snd_pcm_sframes_t move_once(struct program *p, snd_pcm_uframes_t n)
{
	snd_pcm_sframes_t avail;
	int err;

	if (p->plan->habit == HABIT_SLEEPS)
		return program_move(p, n);
	if (!would_wait_for_ever(p) &&
	    (p->plan->habit == HABIT_WAITS ||
	     p->plan->access < SND_PCM_ACCESS_RW_INTERLEAVED)) {
		err = snd_pcm_wait(p->pcm, p->plan->habit == HABIT_WAITS ? 500 : -1);
		program_note(p, err, "wait");
		if (err < 0)
			return err;
	}
	if (would_wait_for_ever(p) || p->plan->habit == HABIT_WAITS) {
		avail = snd_pcm_avail_update(p->pcm);
		if (avail <= 0) {
			program_note(p, avail, "avail_update");
			if (avail == 0 && p->state == SND_PCM_STATE_PREPARED)
				program_note(p, snd_pcm_start(p->pcm), "start");
			return avail ? avail : -EAGAIN;
		}
		if (n > (snd_pcm_uframes_t)avail)
			n = (snd_pcm_uframes_t)avail;
	}
	return program_move(p, n);
}

static snd_pcm_uframes_t draw_frames(const struct program *p, struct rng *rng, unsigned int how)
{
	switch (how) {
	case 0: return p->period;
	case 1: return 1 + rng_below(rng, p->buffer);
	case 2: return 1 + rng_below(rng, 40);
	case 3: return p->buffer;
	default: return p->period * (1 + rng_below(rng, 3));
	}
}

static void move(struct program *p, struct rng *rng)
{
	unsigned int how = (unsigned int)rng_below(rng, 6);
	unsigned int moves = 2 + (unsigned int)rng_below(rng, MOVES_MAX);
	uint64_t end_ns = world_now_ns() + MOVE_NS;

	for (unsigned int i = 0; i < moves && world_now_ns() < end_ns && !p->failed; i++) {
		snd_pcm_uframes_t n = draw_frames(p, rng, how);
		snd_pcm_sframes_t done;

		world_next_call();
		if (p->state != SND_PCM_STATE_RUNNING)
			recover(p, rng);
		if (p->state == SND_PCM_STATE_DISCONNECTED)
			return;
		done = move_once(p, n);
		if (done == -EAGAIN || p->plan->habit == HABIT_SLEEPS)
			advance(p, frames_ns(p, 1 + rng_below(rng, p->period)));
		else if (done < 0 && rng_chance(rng, 30))
			return;
	}
}

static void stall(struct program *p, struct rng *rng)
{
	bool stands;

	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	stands = p->state != SND_PCM_STATE_RUNNING && p->state != SND_PCM_STATE_DRAINING &&
		 (p->plan->playback || p->state != SND_PCM_STATE_XRUN);
	if (stands && rng_chance(rng, 10))
		advance(p, 1 + rng_below(rng, HOUR_NS));
	else if (rng_chance(rng, 60))
		advance(p, 1 + rng_below(rng, 3 * frames_ns(p, p->buffer)));
	else
		advance(p, 1 + rng_below(rng, 2000 * MS));
}

/* --- moves of the pointer --- */

static void go_back(struct program *p, struct rng *rng)
{
	snd_pcm_sframes_t most, n;

	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	most = snd_pcm_rewindable(p->pcm);
	if ((p->state != SND_PCM_STATE_RUNNING && p->state != SND_PCM_STATE_PREPARED &&
	     p->state != SND_PCM_STATE_PAUSED) || most <= 0)
		return;
	/* A card that says where it was, or was believed to be elsewhere, may be further than
	 * where a rewind leads to. What is behind a reset is not the program's any more. */
	if (p->slow_us || p->has_jumped || p->was_reset)
		return;
	n = 1 + (snd_pcm_sframes_t)rng_below(rng, (unsigned long)most);
	if ((uint64_t)n > p->book.pos)
		n = (snd_pcm_sframes_t)p->book.pos;
	if (n == 0)
		return;
	most = n;
	p->card.may_dodge = true;
	n = snd_pcm_rewind(p->pcm, (snd_pcm_uframes_t)n);
	if (n > 0)
		book_go_back(&p->book, (uint64_t)n);
	p->book.is_empty = false;
	program_note(p, n, "rewind %ld", (long)most);
	/* ioplug tells nobody of a move: the next call does, and soon. */
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
}

static void go_forward(struct program *p, struct rng *rng)
{
	snd_pcm_sframes_t most, n;

	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	most = snd_pcm_forwardable(p->pcm);
	if ((p->state != SND_PCM_STATE_RUNNING && p->state != SND_PCM_STATE_PREPARED) ||
	    most <= 0)
		return;
	most = 1 + (snd_pcm_sframes_t)rng_below(rng, (unsigned long)most);
	n = snd_pcm_forward(p->pcm, (snd_pcm_uframes_t)most);
	if (n > 0)
		book_go_forward(&p->book, (uint64_t)n, p->plan->playback);
	program_note(p, n, "forward %ld", (long)most);
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
}

/* What waits is not to be heard, or read, any more. What the card would not give back is. */
static void forget(struct program *p)
{
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	if (p->state != SND_PCM_STATE_RUNNING && p->state != SND_PCM_STATE_PREPARED)
		return;
	/* It is a rewind, as above. */
	if (p->slow_us || p->has_jumped)
		return;
	program_note(p, snd_pcm_reset(p->pcm), "reset");
	p->was_reset = true;
	p->befell |= BEFELL_RESET;
	book_reset(&p->book);
	p->card.may_dodge = true;
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
}

/* --- steering --- */

/* Without waiting a drain ends when somebody looks. */
static int await_drain(struct program *p, int err)
{
	for (int i = 0; i < 400 && err == -EAGAIN && p->state == SND_PCM_STATE_DRAINING; i++) {
		snd_pcm_wait(p->pcm, 50);
		program_note(p, 0, "wait");
		if (p->state == SND_PCM_STATE_DRAINING)
			err = snd_pcm_drain(p->pcm);
		else if (p->state == SND_PCM_STATE_SETUP)
			err = 0;
		world_next_call();
	}
	return err;
}

static void drain(struct program *p)
{
	snd_pcm_state_t before;
	int err;

	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	before = p->state;
	/* What is queued in a pause is dropped. */
	if (before == SND_PCM_STATE_PAUSED || before == SND_PCM_STATE_SUSPENDED ||
	    before == SND_PCM_STATE_SETUP || before == SND_PCM_STATE_XRUN)
		return;
	err = snd_pcm_drain(p->pcm);
	program_note(p, err, "drain");
	if (p->plan->playback)
		err = await_drain(p, err);
	program_note(p, err, "drained");
	p->drain_failed = err == -EIO;
	p->was_drained = err == 0 && p->plan->playback && p->state == SND_PCM_STATE_SETUP;
	if (err == -EAGAIN && !p->is_disturbed)
		program_fail(p, "a drain never ends");
	if (p->state == SND_PCM_STATE_SETUP)
		program_close_account(p, SND_PCM_STATE_SETUP);
	else if (p->drain_failed && p->state == SND_PCM_STATE_DRAINING)
		program_drop(p);
}

static void empty(struct program *p)
{
	int err;

	if (p->plan->playback) {
		drain(p);
		return;
	}
	err = snd_pcm_pause(p->pcm, 1);
	program_note(p, err, "pause");
	if (err == 0)
		program_read_rest(p);
}

/* What the counters' page shows, unless it is ahead of the program. */
static void check_shown_state(struct program *p)
{
	static const enum hr_state states[] = {
		[SND_PCM_STATE_SETUP] = HR_STATE_SETUP,
		[SND_PCM_STATE_PREPARED] = HR_STATE_PREPARED,
		[SND_PCM_STATE_RUNNING] = HR_STATE_RUNNING,
		[SND_PCM_STATE_XRUN] = HR_STATE_XRUN,
		[SND_PCM_STATE_DRAINING] = HR_STATE_DRAINING,
		[SND_PCM_STATE_PAUSED] = HR_STATE_PAUSED,
		[SND_PCM_STATE_SUSPENDED] = HR_STATE_SUSPENDED,
		[SND_PCM_STATE_DISCONNECTED] = HR_STATE_DISCONNECTED,
	};
	enum hr_state shown;

	world_settle();
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
	shown = card_state(&p->card);
	if ((shown == HR_STATE_SUSPENDED || shown == HR_STATE_DISCONNECTED) &&
	    !p->may_fault && !p->card.words.losses)
		program_fail(p, "State: %d is shown, nothing befell the card", (int)shown);
	if (shown == HR_STATE_SUSPENDED || shown == HR_STATE_DISCONNECTED ||
	    (shown == HR_STATE_XRUN && !p->plan->playback))
		return;
	if (p->state < sizeof(states) / sizeof(*states) && shown != states[p->state])
		program_fail(p, "State: %d is shown in %s", (int)shown,
			     snd_pcm_state_name(p->state));
}

static void look(struct program *p)
{
	snd_pcm_sframes_t avail, delay = 0;

	avail = snd_pcm_avail(p->pcm);
	program_note(p, avail, "avail");
	if (avail > (snd_pcm_sframes_t)p->buffer)
		program_fail(p, "avail is %ld of %lu", (long)avail, p->buffer);
	program_note(p, snd_pcm_delay(p->pcm, &delay), "delay");
	if (delay < 0)
		program_fail(p, "delay is %ld", (long)delay);
	check_shown_state(p);
}

void program_step(struct program *p, const struct step *step)
{
	struct rng rng = { step->seed };

	switch ((enum step_kind)step->kind) {
	case STEP_MOVE:
		move(p, &rng);
		break;
	case STEP_STALL:
		stall(p, &rng);
		break;
	case STEP_REWIND:
		go_back(p, &rng);
		break;
	case STEP_FORWARD:
		go_forward(p, &rng);
		break;
	case STEP_PAUSE:
		program_note(p, snd_pcm_pause(p->pcm, 1), "pause");
		break;
	case STEP_UNPAUSE:
		program_note(p, snd_pcm_pause(p->pcm, 0), "unpause");
		break;
	case STEP_START:
		program_note(p, snd_pcm_start(p->pcm), "start");
		break;
	case STEP_DROP:
		program_drop(p);
		break;
	case STEP_DRAIN:
		drain(p);
		break;
	case STEP_PREPARE:
		program_prepare(p);
		break;
	case STEP_RESUME:
		resume(p);
		break;
	case STEP_SW_PARAMS:
		program_set_thresholds(p, &rng);
		break;
	case STEP_LOOK:
		look(p);
		break;
	case STEP_RESET:
		forget(p);
		break;
	case STEP_EMPTY:
		empty(p);
		break;
	case STEP_HOLD:
	case STEP_SUSPEND:
	case STEP_STILL:
	case STEP_SLOW:
	case STEP_XRUN:
	case STEP_STORM:
	case STEP_BURST:
	case STEP_SHORT:
	case STEP_WAKE:
	case STEP_KEEP:
	case STEP_LOSE:
	case STEP_FAIL:
	case STEP_JUMP:
		program_befall(p, (enum step_kind)step->kind, &rng);
		break;
	case N_STEP_KINDS:
		break;
	}
}

/* Then the stream is closed, in whatever state it is. */
void program_end(struct program *p)
{
	struct rng rng = { p->plan->index };

	switch (rng_below(&rng, 5)) {
	case 0:
	case 1:
		empty(p);
		break;
	case 2:
		program_drop(p);
		break;
	case 3:
		program_prepare(p);
		break;
	default:
		break;
	}
	snd_pcm_hwsync(p->pcm);
	program_note(p, 0, "hwsync");
}
