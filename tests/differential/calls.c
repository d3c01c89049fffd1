/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/differential/calls.h"
#include "tests/differential/world.h"

#define MS UINT64_C(1000000)
#define FRAMES_MAX 8192

static void learn_setup(struct side *side, snd_pcm_hw_params_t *hw)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_hw_params_get_access(hw, &side->access);
	snd_pcm_hw_params_get_format(hw, &side->format);
	snd_pcm_hw_params_get_rate(hw, &side->rate, NULL);
	snd_pcm_hw_params_get_channels(hw, &side->channels);
	snd_pcm_hw_params_get_period_size(hw, &side->period, NULL);
	snd_pcm_hw_params_get_buffer_size(hw, &side->buffer);
	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(side->pcm, sw);
	snd_pcm_sw_params_get_boundary(sw, &side->boundary);
	side->frame_bytes = side->channels *
		(size_t)snd_pcm_format_physical_width(side->format) / 8;
	/* A few times what the buffer lasts. */
	side->patience_ns = 200 * MS + 3 * (uint64_t)side->buffer * 1000 * MS / side->rate;
	world_set_patience(side->patience_ns);
	side->pos = 0;
	side->limit = LIMIT_NONE;
	side->stops_early = false;
	note_exact(side, (long)side->access);
	note_exact(side, (long)side->format);
	note_exact(side, (long)side->rate);
	note_exact(side, (long)side->channels);
	note_exact(side, (long)side->period);
	note_exact(side, (long)side->buffer);
	note_exact(side, (long)side->boundary);
	note_exact(side, snd_pcm_hw_params_can_pause(hw) |
			 snd_pcm_hw_params_can_resume(hw) << 1 |
			 snd_pcm_hw_params_is_batch(hw) << 2);
}

static void call_hw_params(struct side *side, struct rng *rng, bool absurd)
{
	static const snd_pcm_format_t formats[] = {
		SND_PCM_FORMAT_S16_LE, SND_PCM_FORMAT_S32_LE, SND_PCM_FORMAT_S16_LE,
		SND_PCM_FORMAT_U8, SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_FLOAT_LE,
		SND_PCM_FORMAT_S16_BE, SND_PCM_FORMAT_MU_LAW,
	};
	static const unsigned int rates[] = { 48000, 44100, 8000, 96000, 192000, 22050,
					      5512, 0, UINT_MAX };
	static const unsigned int channels[] = { 2, 1, 2, 4, 3, 6, 32, 0, 1000 };
	static const snd_pcm_uframes_t absurds[] = { 0, 1, 3, UINT_MAX, ULONG_MAX };
	snd_pcm_format_t format = formats[rng_below(rng, absurd ? 8 : 7)];
	unsigned int rate = rates[rng_below(rng, absurd ? 9 : 6)];
	unsigned int n_channels = channels[rng_below(rng, absurd ? 9 : 6)];
	snd_pcm_access_t access = rng_chance(rng, 50) ? SND_PCM_ACCESS_RW_INTERLEAVED :
				  (snd_pcm_access_t)rng_below(rng, 5);
	snd_pcm_uframes_t period = 16 + rng_below(rng, rng_chance(rng, 50) ? 200 : 2000);
	snd_pcm_uframes_t buffer = period * (2 + rng_below(rng, 5)), least = FRAMES_MAX;
	snd_pcm_hw_params_t *hw;

	if (rng_chance(rng, 40)) {
		period = (snd_pcm_uframes_t)64 << rng_below(rng, 5);
		buffer = period << (1 + rng_below(rng, 3));
	}
	if (rng_chance(rng, 20))
		buffer += rng_below(rng, period);
	if (absurd && rng_chance(rng, 50))
		period = absurds[rng_below(rng, 5)];
	if (absurd && rng_chance(rng, 50))
		buffer = absurds[rng_below(rng, 5)];
	SAY(side, "hw_params %s %s %u Hz %u ch period %lu buffer %lu",
	    snd_pcm_access_name(access), snd_pcm_format_name(format), rate, n_channels,
	    period, buffer);
	snd_pcm_hw_params_alloca(&hw);
	note_exact(side, snd_pcm_hw_params_any(side->pcm, hw));
	note_exact(side, snd_pcm_hw_params_set_access(side->pcm, hw, access));
	note_exact(side, snd_pcm_hw_params_set_format(side->pcm, hw, format));
	note_exact(side, snd_pcm_hw_params_set_channels(side->pcm, hw, n_channels));
	note_exact(side, snd_pcm_hw_params_set_rate(side->pcm, hw, rate, 0));
	if (absurd) {
		note_exact(side, snd_pcm_hw_params_set_period_size(side->pcm, hw, period, 0));
		note_exact(side, snd_pcm_hw_params_set_buffer_size(side->pcm, hw, buffer));
	} else {
		snd_pcm_hw_params_set_buffer_size_near(side->pcm, hw, &buffer);
		snd_pcm_hw_params_set_period_size_near(side->pcm, hw, &period, NULL);
	}
	/* A program that ignores errors gets what is left; not all of the memory. */
	snd_pcm_hw_params_set_channels_near(side->pcm, hw, &n_channels);
	/* Where alsa-lib chooses, ioplug is not told what: it sees old values. */
	snd_pcm_hw_params_set_access_first(side->pcm, hw, &access);
	snd_pcm_hw_params_set_format_first(side->pcm, hw, &format);
	snd_pcm_hw_params_set_rate_near(side->pcm, hw, &rate, NULL);
	snd_pcm_hw_params_set_buffer_size_max(side->pcm, hw, &least);
	side->result->ret = snd_pcm_hw_params(side->pcm, hw);
	if (side->result->ret == 0) {
		learn_setup(side, hw);
	} else {
		side->limit = LIMIT_FREED;
		/* alsa-lib may keep a setup that it has refused, with periods of 0
		 * frames, on which it fails itself. */
		snd_pcm_hw_free(side->pcm);
	}
}

static void call_sw_params(struct side *side, struct rng *rng)
{
	const snd_pcm_uframes_t avail_mins[] = {
		0, 1, side->period, side->period, side->buffer + 1,
	};
	snd_pcm_uframes_t start, stop, avail_min;
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	start = rng_chance(rng, 30) ? side->boundary : draw_frames(side, rng, true);
	stop = rng_chance(rng, 70) ? side->buffer :
	       rng_chance(rng, 50) ? side->boundary : 1 + rng_below(rng, side->buffer);
	/* Between two periods the card wakes at the later one, perhaps in an overrun;
	 * headroom at once. */
	avail_min = avail_mins[rng_below(rng, 5)];
	note_exact(side, snd_pcm_sw_params_current(side->pcm, sw));
	note_exact(side, snd_pcm_sw_params_set_start_threshold(side->pcm, sw, start));
	note_exact(side, snd_pcm_sw_params_set_stop_threshold(side->pcm, sw, stop));
	note_exact(side, snd_pcm_sw_params_set_avail_min(side->pcm, sw, avail_min));
	note_exact(side, snd_pcm_sw_params_set_period_event(side->pcm, sw,
							    rng_chance(rng, 20)));
	note_exact(side, snd_pcm_sw_params_set_tstamp_mode(side->pcm, sw,
		rng_chance(rng, 50) ? SND_PCM_TSTAMP_ENABLE : SND_PCM_TSTAMP_NONE));
	SAY(side, "sw_params start %ld stop %ld avail_min %ld", (long)start, (long)stop,
	    (long)avail_min);
	/* What has happened by now is judged by the old values: the card looks only
	 * when it is asked. */
	snd_pcm_hwsync(side->pcm);
	side->result->ret = snd_pcm_sw_params(side->pcm, sw);
	if (side->result->ret == 0)
		side->stops_early = stop < side->buffer;
	if (side->stops_early && side->limit == LIMIT_NONE)
		side->limit = LIMIT_STOP;
	/* Played beyond the end, or stopped by the step before it. */
	if (stop != side->buffer)
		side->silence = true;
}

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
	if (side->silence)
		side->limit = LIMIT_SILENCE;
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

static void begin_anew(struct side *side)
{
	if (side->result->ret < 0)
		return;
	side->pos = 0;
	side->limit = side->stops_early ? LIMIT_STOP : LIMIT_NONE;
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
		break;
	case CALL_DROP:
		SAY(side, "drop");
		*ret = snd_pcm_drop(side->pcm);
		break;
	case CALL_DRAIN:
		SAY(side, "drain");
		*ret = snd_pcm_drain(side->pcm);
		if (side->silence)
			side->limit = LIMIT_SILENCE;
		break;
	case CALL_PAUSE:
	case CALL_UNPAUSE:
		SAY(side, "pause %d", kind == CALL_PAUSE);
		*ret = snd_pcm_pause(side->pcm, kind == CALL_PAUSE);
		break;
	case CALL_RESUME:
		SAY(side, "resume");
		*ret = snd_pcm_resume(side->pcm);
		break;
	case CALL_RESET:
		SAY(side, "reset");
		*ret = snd_pcm_reset(side->pcm);
		side->rewound = true;
		side->pos = 0;
		if (side->limit == LIMIT_NONE)
			side->limit = LIMIT_RESET;
		break;
	case CALL_RECOVER:
		error = errors[rng_below(rng, 6)];
		SAY(side, "recover %d", error);
		*ret = snd_pcm_recover(side->pcm, error, 1);
		if (error == -EPIPE || error == EPIPE)
			begin_anew(side);
		break;
	case CALL_HW_FREE:
		SAY(side, "hw_free");
		*ret = snd_pcm_hw_free(side->pcm);
		side->limit = LIMIT_FREED;
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
	case CALL_SETTLE:
		SAY(side, "advance a period");
		world_advance_to(world_now_ns() + (uint64_t)side->period * 1000 * MS /
				 side->rate + MS);
		break;
	default:
		SAY(side, "state");
		call_steer(side, kind, &rng);
		call_others(side, kind, &rng);
		call_describe(side, kind);
		break;
	}
}
