/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/differential/calls.h"
#include "tests/differential/world.h"

#define MS UINT64_C(1000000)

struct drainer {
	snd_pcm_t *pcm;
	int ret;
	_Atomic bool done;
};

static void *drain_main(void *arg)
{
	struct drainer *drainer = arg;

	drainer->ret = snd_pcm_drain(drainer->pcm);
	atomic_store(&drainer->done, true);
	return NULL;
}

/* One thread drains while another drops. */
static void call_drain_and_drop(struct side *side, struct rng *rng)
{
	uint64_t wait_ns = rng_below(rng, 20) * MS;
	struct drainer drainer = { .pcm = side->pcm };
	pthread_t thread;

	/* Who has just gone back by what it wrote last is believed by its own next call
	 * only. */
	snd_pcm_hwsync(side->pcm);
	SAY(side, "drain in a thread, drop after %llu ms",
	    (unsigned long long)(wait_ns / MS));
	if (pthread_create(&thread, NULL, drain_main, &drainer) != 0)
		return;
	world_advance_to(world_now_ns() + wait_ns + 1);
	side->result->ret = snd_pcm_drop(side->pcm);
	/* Within two of the moments at which the card's drain looks. */
	for (int i = 0; i < 40 && !atomic_load(&drainer.done); i++)
		world_advance_to(world_now_ns() + 5 * MS);
	note_exact(side, atomic_load(&drainer.done));
	pthread_join(thread, NULL);
	note_exact(side, drainer.ret);
	if (side->goes_on)
		side_limit(side, LIMIT_SILENCE);
}

static void call_poll(struct side *side)
{
	unsigned short revents = 0;
	struct pollfd fds[16];
	int n = snd_pcm_poll_descriptors_count(side->pcm);

	SAY(side, "poll");
	side->result->ret = n;
	if (n < 0 || n > 16)
		return;
	note_exact(side, snd_pcm_poll_descriptors(side->pcm, fds, (unsigned int)n));
	(void)poll(fds, (nfds_t)n, 0);
	note_exact(side, snd_pcm_poll_descriptors_revents(side->pcm, fds,
							  (unsigned int)n, &revents));
	note_exact(side, revents);
}

static void call_status(struct side *side)
{
	snd_pcm_status_t *status;

	SAY(side, "status");
	snd_pcm_status_alloca(&status);
	side->result->ret = snd_pcm_status(side->pcm, status);
	note_exact(side, (long)snd_pcm_status_get_state(status));
	note_rough(side, (long)snd_pcm_status_get_avail(status));
	note_rough(side, (long)snd_pcm_status_get_delay(status));
}

static void call_others(struct side *side, enum call_kind kind, struct rng *rng)
{
	static const int timeouts[] = { 0, 1, 20, 100, -1 };
	snd_pcm_sframes_t avail = 0, delay = 0;
	snd_pcm_uframes_t frames = 0;
	snd_htimestamp_t stamp;
	long *ret = &side->result->ret;
	int timeout;

	switch (kind) {
	case CALL_AVAIL:
		SAY(side, "avail");
		*ret = snd_pcm_avail(side->pcm);
		side->result->transfers = true;
		break;
	case CALL_AVAIL_UPDATE:
		SAY(side, "avail_update");
		*ret = snd_pcm_avail_update(side->pcm);
		side->result->transfers = true;
		break;
	case CALL_AVAIL_DELAY:
		SAY(side, "avail_delay");
		*ret = snd_pcm_avail_delay(side->pcm, &avail, &delay);
		note_rough(side, *ret < 0 ? 0 : avail);
		note_rough(side, *ret < 0 ? 0 : delay);
		break;
	case CALL_DELAY:
		SAY(side, "delay");
		*ret = snd_pcm_delay(side->pcm, &delay);
		note_rough(side, *ret < 0 ? 0 : delay);
		break;
	case CALL_HTIMESTAMP:
		SAY(side, "htimestamp");
		*ret = snd_pcm_htimestamp(side->pcm, &frames, &stamp);
		note_rough(side, *ret < 0 ? 0 : (long)frames);
		break;
	case CALL_REWINDABLE:
		SAY(side, "hwsync, rewindable");
		snd_pcm_hwsync(side->pcm);
		*ret = snd_pcm_rewindable(side->pcm);
		side->result->transfers = true;
		break;
	case CALL_FORWARDABLE:
		SAY(side, "hwsync, forwardable");
		snd_pcm_hwsync(side->pcm);
		*ret = snd_pcm_forwardable(side->pcm);
		side->result->transfers = true;
		break;
	case CALL_WAIT:
		timeout = timeouts[rng_below(rng, 5)];
		SAY(side, "hwsync, wait %d ms", timeout);
		/* It looks at the position that was seen last. */
		snd_pcm_hwsync(side->pcm);
		*ret = snd_pcm_wait(side->pcm, timeout);
		break;
	default:
		break;
	}
}

static void call_describe(struct side *side, enum call_kind kind)
{
	snd_pcm_chmap_query_t **maps;
	snd_pcm_info_t *info;
	snd_output_t *out;

	switch (kind) {
	case CALL_INFO:
		SAY(side, "info");
		snd_pcm_info_alloca(&info);
		side->result->ret = snd_pcm_info(side->pcm, info);
		note_exact(side, (long)snd_pcm_info_get_stream(info));
		note_exact(side, snd_pcm_info_get_card(info));
		note_exact(side, snd_pcm_info_get_subdevices_count(info));
		break;
	case CALL_CHMAP:
		SAY(side, "chmaps");
		maps = snd_pcm_query_chmaps(side->pcm);
		note_exact(side, maps != NULL);
		if (maps)
			snd_pcm_free_chmaps(maps);
		note_exact(side, snd_pcm_get_chmap(side->pcm) != NULL);
		break;
	case CALL_DUMP:
		SAY(side, "dump");
		if (snd_output_buffer_open(&out) < 0)
			break;
		side->result->ret = snd_pcm_dump(side->pcm, out);
		snd_output_close(out);
		break;
	case CALL_LINK:
		SAY(side, "link with itself, unlink");
		side->result->ret = snd_pcm_link(side->pcm, side->pcm);
		note_exact(side, snd_pcm_unlink(side->pcm));
		break;
	default:
		break;
	}
}

static void call_advance(struct side *side, struct rng *rng)
{
	snd_pcm_uframes_t frames = 1 + rng_below(rng, side->buffer);
	uint64_t ns;

	if (rng_chance(rng, 25))
		frames *= 3;
	ns = (uint64_t)frames * 1000 * MS / side->rate;
	SAY(side, "advance %lu frames, %llu ns", frames, (unsigned long long)ns);
	world_advance_to(world_now_ns() + ns);
}

/* It may be over for one of the two and not for the other. */
static bool is_near_end(const struct side *side)
{
	snd_pcm_sframes_t avail = snd_pcm_avail_update(side->pcm);

	return side->stop < side->boundary &&
	       (avail < 0 || (snd_pcm_uframes_t)avail + side->period + side->rate / 50 >=
		side->stop);
}

/* Both cards stop at this moment, whenever their program looks. */
static void call_suspend(struct side *side, struct rng *rng)
{
	struct clocked_words words = {
		.suspends = ++side->suspends,
		.resume_errno = rng_chance(rng, 30) ? ENOSYS : 0,
		.suspended_ns = world_now_ns(),
	};
	bool looks = rng_chance(rng, 50);
	snd_pcm_state_t state;
	bool near_end;

	/* Whether it still runs is not known before somebody looks. */
	snd_pcm_hwsync(side->pcm);
	near_end = is_near_end(side);
	state = snd_pcm_state(side->pcm);
	SAY(side, "hwsync, suspend%s%s", words.resume_errno ? " for good" : "",
	    looks ? ", hwsync" : "");
	if (pwrite(side->command_fd, &words, sizeof(words), 0) < 0)
		return;
	if (state != SND_PCM_STATE_RUNNING && state != SND_PCM_STATE_DRAINING) {
		side->prepared_idle = state == SND_PCM_STATE_PREPARED &&
				      side->limit == LIMIT_NONE;
		side_limit(side, LIMIT_IDLE);
	} else if (near_end) {
		side_limit(side, LIMIT_END);
	}
	side->refuses_resume = words.resume_errno != 0;
	/* A step of the device's side, which need not have been waiting for it. */
	world_advance_to(world_now_ns() + 11 * MS);
	/* Else the next call is the first to be told. */
	if (looks)
		side->result->ret = snd_pcm_hwsync(side->pcm);
}

static void begin_anew(struct side *side)
{
	if (side->result->ret < 0)
		return;
	side->pos = 0;
	side->limit = LIMIT_NONE;
	if (side->was_reset)
		side->apart -= side->period;
	side->was_reset = false;
	side->goes_on = side->stop != side->buffer;
}

/* Calls that steer the stream. */
static void call_steer(struct side *side, enum call_kind kind, struct rng *rng)
{
	static const int errors[] = { -EPIPE, -EPIPE, -ESTRPIPE, -EINTR, -EIO, EPIPE };
	long *ret = &side->result->ret;
	int error;

	switch (kind) {
	case CALL_PREPARE:
		SAY(side, "prepare");
		*ret = snd_pcm_prepare(side->pcm);
		begin_anew(side);
		break;
	case CALL_START:
		SAY(side, "start");
		*ret = snd_pcm_start(side->pcm);
		/* Here the device is needed, and both say the same again. */
		if (side->limit == LIMIT_IDLE && side->prepared_idle)
			side->limit = LIMIT_NONE;
		break;
	case CALL_DROP:
		SAY(side, "drop");
		*ret = snd_pcm_drop(side->pcm);
		break;
	case CALL_DRAIN:
		SAY(side, "drain");
		*ret = snd_pcm_drain(side->pcm);
		if (side->goes_on)
			side_limit(side, LIMIT_SILENCE);
		break;
	case CALL_PAUSE:
	case CALL_UNPAUSE:
		SAY(side, "pause %d", kind == CALL_PAUSE);
		*ret = snd_pcm_pause(side->pcm, kind == CALL_PAUSE);
		break;
	case CALL_RESUME:
		SAY(side, "resume");
		*ret = snd_pcm_resume(side->pcm);
		side->prepared_idle = false;
		if (side->refuses_resume && side->result->before == SND_PCM_STATE_SUSPENDED)
			side_limit(side, LIMIT_REFUSED);
		break;
	case CALL_RESET:
		SAY(side, "hwsync, reset, hwsync");
		/* One that begins at 0 leaves no trace at all. */
		snd_pcm_hwsync(side->pcm);
		*ret = snd_pcm_reset(side->pcm);
		/* ioplug tells nobody of it: what comes before the next call belongs to
		 * what was forgotten. So that is now, and what follows from it as well. */
		snd_pcm_hwsync(side->pcm);
		world_settle();
		snd_pcm_hwsync(side->pcm);
		/* And then one of them may need another period for as much. */
		if (!side->was_reset)
			side->apart += side->period;
		side->rewound = side->was_reset = true;
		if (snd_pcm_state(side->pcm) == SND_PCM_STATE_XRUN)
			side_limit(side, LIMIT_RESET);
		side->pos = 0;
		break;
	case CALL_RECOVER:
		error = errors[rng_below(rng, 6)];
		SAY(side, "recover %d", error);
		*ret = snd_pcm_recover(side->pcm, error, 1);
		side->prepared_idle = false;
		if (error == -EPIPE || error == EPIPE)
			begin_anew(side);
		else if (error == -ESTRPIPE && side->refuses_resume &&
			 side->result->before == SND_PCM_STATE_SUSPENDED)
			side_limit(side, LIMIT_REFUSED);
		break;
	case CALL_HW_FREE:
		SAY(side, "hw_free");
		*ret = snd_pcm_hw_free(side->pcm);
		side_limit(side, LIMIT_FREED);
		break;
	case CALL_NONBLOCK:
		side->nonblock = rng_chance(rng, 50);
		SAY(side, "nonblock %d", side->nonblock);
		*ret = snd_pcm_nonblock(side->pcm, side->nonblock);
		break;
	default:
		break;
	}
}

void call_make(struct side *side, const struct call *call)
{
	struct rng rng = { call->seed };
	enum call_kind kind = (enum call_kind)call->kind;

	switch (kind) {
	case CALL_HW_PARAMS:
	case CALL_HW_PARAMS_ABSURD:
		call_hw_params(side, &rng, kind == CALL_HW_PARAMS_ABSURD);
		break;
	case CALL_SW_PARAMS:
		call_sw_params(side, &rng);
		break;
	case CALL_DRAIN_AND_DROP:
		call_drain_and_drop(side, &rng);
		break;
	case CALL_TRANSFER:
		call_transfer(side, &rng);
		break;
	case CALL_WRONG_TRANSFER:
		call_wrong_transfer(side, &rng);
		break;
	case CALL_MMAP:
		call_mmap(side, &rng);
		break;
	case CALL_REWIND:
	case CALL_FORWARD:
		call_move(side, &rng, kind == CALL_FORWARD);
		break;
	case CALL_HWSYNC:
		SAY(side, "hwsync");
		side->result->ret = snd_pcm_hwsync(side->pcm);
		break;
	case CALL_POLL:
		call_poll(side);
		break;
	case CALL_STATUS:
		call_status(side);
		break;
	case CALL_ADVANCE:
		call_advance(side, &rng);
		break;
	case CALL_SUSPEND:
		call_suspend(side, &rng);
		break;
	case CALL_SETTLE:
		SAY(side, "advance a period");
		/* Where the end is counted in steps of silence it comes later by some. */
		world_advance_to(world_now_ns() + (uint64_t)side->period * 1000 * MS /
				 side->rate + (side->goes_on ? 10 : 1) * MS);
		break;
	default:
		SAY(side, "state");
		call_steer(side, kind, &rng);
		call_others(side, kind, &rng);
		call_describe(side, kind);
		break;
	}
}
