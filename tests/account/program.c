/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/account/episodes.h"
#include "tests/account/tally.h"
#include "tests/differential/world.h"

#define BIT(state) (1u << SND_PCM_STATE_ ## state)

void program_fail(struct program *p, const char *format, ...)
{
	va_list args;

	if (p->failed)
		return;
	p->failed = true;
	va_start(args, format);
	vsnprintf(p->why, sizeof(p->why), format, args);
	va_end(args);
}

/* Where a stream may get to by itself; a call leads to some others. */
static const unsigned int by_itself[] = {
	[SND_PCM_STATE_OPEN] = BIT(OPEN) | BIT(PREPARED),
	[SND_PCM_STATE_SETUP] = BIT(SETUP),
	[SND_PCM_STATE_PREPARED] = BIT(PREPARED),
	[SND_PCM_STATE_RUNNING] = BIT(RUNNING) | BIT(XRUN),
	[SND_PCM_STATE_XRUN] = BIT(XRUN),
	[SND_PCM_STATE_DRAINING] = BIT(DRAINING) | BIT(SETUP) | BIT(XRUN),
	[SND_PCM_STATE_PAUSED] = BIT(PAUSED),
	[SND_PCM_STATE_SUSPENDED] = BIT(SUSPENDED),
	[SND_PCM_STATE_DISCONNECTED] = 0,
};

static const struct {
	const char *call;
	unsigned int before, after;
} by_call[] = {
	{ "prepare", BIT(SETUP) | BIT(PREPARED) | BIT(RUNNING) | BIT(XRUN) | BIT(DRAINING) |
	  BIT(PAUSED) | BIT(SUSPENDED), BIT(PREPARED) },
	{ "drop", BIT(SETUP) | BIT(PREPARED) | BIT(RUNNING) | BIT(XRUN) | BIT(DRAINING) |
	  BIT(PAUSED) | BIT(SUSPENDED), BIT(SETUP) },
	{ "start", BIT(PREPARED), BIT(RUNNING) | BIT(XRUN) },
	{ "write", BIT(PREPARED), BIT(RUNNING) | BIT(XRUN) },
	{ "commit", BIT(PREPARED), BIT(RUNNING) | BIT(XRUN) },
	{ "read", BIT(PREPARED), BIT(RUNNING) | BIT(XRUN) },
	{ "drain", BIT(PREPARED) | BIT(RUNNING) | BIT(PAUSED), BIT(DRAINING) | BIT(SETUP) },
	{ "pause", BIT(RUNNING), BIT(PAUSED) },
	{ "unpause", BIT(PAUSED), BIT(RUNNING) | BIT(XRUN) },
	{ "resume", BIT(SUSPENDED), BIT(PREPARED) | BIT(RUNNING) | BIT(PAUSED) |
	  BIT(DRAINING) | BIT(XRUN) },
};

static bool is_legal(const struct program *p, snd_pcm_state_t after, const char *call)
{
	unsigned int may = by_itself[p->state];

	/* Else the stream goes on, or is told of an xrun. */
	if (!p->plan->reconnects)
		may |= BIT(DISCONNECTED);

	if (p->state != SND_PCM_STATE_SETUP && p->state != SND_PCM_STATE_XRUN)
		may |= BIT(SUSPENDED);
	for (size_t i = 0; i < sizeof(by_call) / sizeof(*by_call); i++)
		if (strncmp(call, by_call[i].call, strlen(by_call[i].call)) == 0 &&
		    (by_call[i].before & 1u << p->state))
			may |= by_call[i].after;
	return may & 1u << after;
}

static void see_state(struct program *p, const char *call)
{
	snd_pcm_state_t state = snd_pcm_state(p->pcm);

	if (!is_legal(p, state, call))
		program_fail(p, "%s led from %s to %s", call, snd_pcm_state_name(p->state),
			     snd_pcm_state_name(state));
	if ((state == SND_PCM_STATE_SUSPENDED || state == SND_PCM_STATE_DISCONNECTED) &&
	    !p->may_fault)
		program_fail(p, "%s led to %s, nothing befell the card", call,
			     snd_pcm_state_name(state));
	if (state == SND_PCM_STATE_RUNNING)
		p->book.is_empty = false;
	p->saw_xrun = p->saw_xrun || state == SND_PCM_STATE_XRUN;
	p->was_paused = p->was_paused || state == SND_PCM_STATE_PAUSED;
	p->was_fault = p->was_fault || state == SND_PCM_STATE_SUSPENDED ||
		       state == SND_PCM_STATE_DISCONNECTED;
	p->state = state;
}

void program_note(struct program *p, long ret, const char *format, ...)
{
	char call[64];
	va_list args;

	va_start(args, format);
	vsnprintf(call, sizeof(call), format, args);
	va_end(args);
	see_state(p, call);
	if (p->traces)
		printf("  %10.3f ms  %-34s %ld%s%s  %s, at %llu\n",
		       (double)(world_now_ns() % (1000000 * UINT64_C(1000000000))) / 1e6,
		       call, ret, ret < 0 ? " " : "",
		       ret < 0 ? strerrorname_np((int)-ret) : "",
		       snd_pcm_state_name(p->state), (unsigned long long)p->book.pos);
	if (ret == -EDEADLK && p->state != SND_PCM_STATE_PAUSED)
		program_fail(p, "%s never returns", call);
	if (ret == -EBADF || ret == -ENOMEM || ret == -EINVAL)
		program_fail(p, "%s gave %s", call, strerrorname_np((int)-ret));
	if (p->traces)
		fflush(stdout);
}

static enum book_end end_of(const struct program *p, snd_pcm_state_t in,
			    const struct counters *more)
{
	bool may_fault = p->may_fault && world_now_ns() >= p->first_fault_ns;

	switch (in) {
	case SND_PCM_STATE_XRUN:
		return may_fault ? END_EITHER : END_LOST;
	case SND_PCM_STATE_SUSPENDED:
	case SND_PCM_STATE_DISCONNECTED:
		return END_FAULT;
	default:
		break;
	}
	/* A reader is told of an overrun when it has read what was kept. */
	if (more->xruns)
		return may_fault ? END_EITHER : END_LOST;
	/* Whether it broke off, or was refused. */
	if (p->drain_failed)
		return p->refuses ? END_EITHER : END_LOST;
	if (may_fault)
		return END_EITHER;
	/* Whether a drain went on until it failed, or was dropped before. */
	if (in == SND_PCM_STATE_DRAINING && p->is_disturbed)
		return END_EITHER;
	/* One that does not wait is not told that it failed. */
	if (p->was_drained && p->loses_its_place)
		return END_EITHER;
	if (p->was_drained)
		return p->is_disturbed && p->plan->habit != HABIT_BLOCKS ? END_LOST : END_HEARD;
	return END_OWN;
}

static void say_facts(const struct program *p, const struct book_facts *facts)
{
	static const char *const ends[] = { "own", "lost", "fault", "heard", "either" };
	const struct card_log *log = &facts->log;

	printf("  -- end %s: at %llu of %llu, gone back %llu; frames %llu dropped %llu silence %llu "
	       "xruns %llu device %llu\n", ends[facts->end], (unsigned long long)p->book.pos,
	       (unsigned long long)p->book.reach, (unsigned long long)p->book.gone_back,
	       (unsigned long long)facts->more.frames, (unsigned long long)facts->more.dropped,
	       (unsigned long long)facts->more.silence, (unsigned long long)facts->more.xruns,
	       (unsigned long long)facts->more.device_xruns);
	printf("     card: heard %zu, xruns %u lost %llu, left %llu, went", facts->n_heard,
	       log->xruns, (unsigned long long)log->xrun_lost, (unsigned long long)log->left);
	for (unsigned int i = 0; i < log->n_spans && i < 12; i++)
		printf(" %llu..%llu", (unsigned long long)log->spans[i].from,
		       (unsigned long long)log->spans[i].to);
	printf("%s\n", log->n_spans > 12 ? " ..." : "");
	if (log->vanishes || log->began_away)
		printf("     away: %s%u times (%u in an xrun), had %llu, %.3f ms, %.3f at least%s\n",
		       log->began_away ? "from before, " : "", log->vanishes,
		       log->vanishes_in_xrun, (unsigned long long)log->vanished,
		       (double)log->away_ns / 1e6, (double)log->away_least_ns / 1e6,
		       log->ended_away ? ", until the end" : "");
}

/* Each over- or underrun of the card is counted once, but for one that came when the
 * stream ended for other reasons. Stop thresholds below the buffer are ours. */
static void check_xruns(struct program *p, const struct book_facts *facts)
{
	uint64_t own = p->plan->playback && p->stopped_early;
	unsigned int known = facts->log.xruns + facts->log.vanishes;

	/* That a drop has found it gone, the next call tells. */
	own += p->n_unnoticed;
	p->n_unnoticed = facts->log.ended_away &&
			 facts->more.device_xruns < known + p->n_unnoticed;

	if (facts->more.xruns > 1 || (p->saw_xrun && !facts->more.xruns))
		program_fail(p, "xruns: %llu counted, %d seen",
			     (unsigned long long)facts->more.xruns, p->saw_xrun);
	/* One that was made of an error, or of a place where the card could not be. */
	if (facts->more.device_xruns > known + own) {
		uint64_t beyond = facts->more.device_xruns - known - own;

		own += beyond < p->fails ? beyond : p->fails;
		p->fails -= beyond < p->fails ? (unsigned int)beyond : p->fails;
	}
	if (facts->more.device_xruns > known + own ||
	    facts->more.device_xruns + 1 + facts->log.vanishes_in_xrun < known)
		program_fail(p, "device xruns: %llu counted, %u are",
			     (unsigned long long)facts->more.device_xruns, known);
}

static void set_tolerance(struct program *p, struct book_facts *facts)
{
	const struct plan *plan = p->plan;
	snd_pcm_uframes_t slave = plan->slave_buffer ? plan->slave_buffer : p->buffer;
	uint64_t ppm = (uint64_t)(plan->rate_ppm < 0 ? -plan->rate_ppm : plan->rate_ppm);

	if (!plan->playback && plan->depth_ms && slave < plan->rate / 5)
		slave += plan->rate / 5;
	/* A time that may have passed since a look, of a clock that runs like this. */
	facts->by_clock = 2 + (uint64_t)plan->rate * 7 * ppm / 1000000 +
			  p->slow_us * UINT64_C(40) * plan->rate / 1000000;
	if (p->is_unsteady)
		facts->by_clock += slave + p->period + p->buffer;
	if (p->is_unsteady)
		facts->by_standstill = (world_now_ns() - p->begin_ns) / 1000 * plan->rate / 1000000;
	facts->by_slowness = p->slow_us ? facts->by_clock : 0;
	facts->by_step = slave + facts->by_clock + p->period;
	facts->by_period = (plan->slave_period ? plan->slave_period : p->period) +
			   facts->by_clock;
	facts->was_drained = p->was_drained;
	facts->lied = p->has_lied;
	facts->by_failure = p->fails_to_tell ? facts->by_step : 0;
	facts->away_most = facts->log.away_ns / 1000 * plan->rate / 1000000 + 2;
	if (!p->was_paused && !p->may_fault && !p->is_unsteady)
		facts->away_least = facts->log.away_least_ns / 1000 * plan->rate / 1000000;
}

static void tally_account(const struct book_facts *facts, bool knows_episodes)
{
	atomic_fetch_add(&tally->accounts, 1);
	atomic_fetch_add(&tally->either, facts->end == END_EITHER);
	atomic_fetch_add(&tally->unknown, !knows_episodes);
}

void program_close_account(struct program *p, snd_pcm_state_t ended_in)
{
	struct book_facts facts = { 0 };
	uint32_t *heard = NULL;
	char why[200];
	bool known;

	world_settle();
	if (!card_count(&p->card, &facts.more) || 
	    !card_read_log(&p->card, &facts.log, p->traces)) {
		program_fail(p, "no counters, or no log");
		return;
	}
	if (p->plan->playback)
		heard = card_read_heard(&p->card, &facts.n_heard);
	facts.heard = heard;
	facts.silence = card_silence(p->plan);
	facts.end = end_of(p, ended_in, &facts.more);
	set_tolerance(p, &facts);
	if (p->slow_us || p->is_unsteady)
		facts.log.doubtful = facts.log.broken;
	if (p->traces)
		say_facts(p, &facts);
	check_xruns(p, &facts);
	if (facts.log.overflows)
		atomic_fetch_add(&tally->overflows, 1);
	else if (!book_balance(&p->book, &facts, p->plan->playback, why, sizeof(why)))
		program_fail(p, "%s", why);
	if (!episodes_agree(&p->card, &facts.more, p->befell, &known, why, sizeof(why)))
		program_fail(p, "%s", why);
	tally_account(&facts, known);
	free(heard);
	book_begin(&p->book);
	p->saw_xrun = p->drain_failed = p->was_drained = p->was_fault = p->was_paused = false;
	p->was_reset = false;
	p->stopped_early = p->stop < p->buffer;
	p->begin_ns = world_now_ns();
	/* The card was looked at, and begins anew, too. */
	if (world_now_ns() >= p->fault_ns)
		p->may_fault = false;
	if (world_now_ns() > p->end_ns) {
		p->is_disturbed = p->is_unsteady = p->has_jumped = p->has_lied = false;
		p->loses_its_place = p->refuses = p->fails_to_tell = false;
		p->slow_us = 0;
	}
}

/* The program looks, so that it knows what the stream is in. */
static snd_pcm_state_t look(struct program *p)
{
	snd_pcm_hwsync(p->pcm);
	see_state(p, "hwsync");
	return p->state;
}

int program_prepare(struct program *p)
{
	snd_pcm_state_t before = look(p);
	int err = snd_pcm_prepare(p->pcm);

	program_note(p, err, "prepare");
	if (err == 0)
		program_close_account(p, before);
	return err;
}

int program_drop(struct program *p)
{
	snd_pcm_state_t before = look(p);
	int err = snd_pcm_drop(p->pcm);

	program_note(p, err, "drop");
	/* In a state without a stream alsa-lib tells nobody. */
	if (err == 0 && before != SND_PCM_STATE_DISCONNECTED)
		program_close_account(p, before);
	return err;
}

static bool install(struct program *p)
{
	const struct plan *plan = p->plan;
	const struct plan_format *format = &plan_formats[plan->format];
	snd_pcm_hw_params_t *hw;
	int err;

	p->period = plan->period;
	p->buffer = plan->buffer;
	snd_pcm_hw_params_alloca(&hw);
	if ((err = snd_pcm_hw_params_any(p->pcm, hw)) < 0 ||
	    (err = snd_pcm_hw_params_set_access(p->pcm, hw, plan->access)) < 0 ||
	    (err = snd_pcm_hw_params_set_format(p->pcm, hw, format->format)) < 0 ||
	    (err = snd_pcm_hw_params_set_channels(p->pcm, hw, format->channels)) < 0 ||
	    (err = snd_pcm_hw_params_set_rate(p->pcm, hw, plan->rate, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_period_size_near(p->pcm, hw, &p->period, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_set_buffer_size_near(p->pcm, hw, &p->buffer)) < 0 ||
	    (err = snd_pcm_hw_params(p->pcm, hw)) < 0) {
		program_fail(p, "not installed: %s", snd_strerror(err));
		return false;
	}
	snd_pcm_hw_params_get_period_size(hw, &p->period, NULL);
	snd_pcm_hw_params_get_buffer_size(hw, &p->buffer);
	return true;
}

static void run(struct program *p)
{
	if (!install(p))
		return;
	p->state = snd_pcm_state(p->pcm);
	program_set_thresholds(p, NULL);
	if (!card_attach(&p->card))
		program_fail(p, "no counters");
	for (p->step = 0; p->step < p->plan->n && !p->failed; p->step++) {
		world_next_call();
		program_step(p, &p->plan->steps[p->step]);
	}
	world_next_call();
	if (!p->failed)
		program_end(p);
}

bool program_run(struct program *p, const struct plan *plan, bool traces)
{
	snd_config_t *config = NULL;
	snd_pcm_state_t last;
	int err = -EIO;

	*p = (struct program){ .plan = plan, .traces = traces, .number = 1 };
	world_begin();
	p->begin_ns = world_now_ns();
	world_set_serial(plan->serial);
	world_set_patience(20000 * MS);
	if (card_begin(&p->card, plan, &config))
		err = snd_pcm_open_lconf(&p->pcm, "x", plan->playback ?
			SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE,
			plan->habit == HABIT_BLOCKS ? 0 : SND_PCM_NONBLOCK, config);
	if (err < 0) {
		program_fail(p, "open: %s", snd_strerror(err));
	} else {
		run(p);
		last = p->state;
		snd_pcm_close(p->pcm);
		if (!p->failed)
			program_close_account(p, last);
		if (world_threads() && !p->failed)
			program_fail(p, "%u threads are left", world_threads());
	}
	if (config)
		snd_config_delete(config);
	card_end(&p->card);
	book_finish(&p->book);
	return !p->failed;
}
