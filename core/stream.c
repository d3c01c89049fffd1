/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "core/stream.h"

#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "core/line.h"
#include "core/pool_cache.h"
#include "core/probe.h"

/* To ask where the reader is costs the writer a wait for its line: not for each chunk. */
#define TAKE_BACK_EVERY 8

/* What the reader remembers of a chunk it has taken out of the ring. */
struct held {
	struct hr_chunk *chunk;
	uint64_t latency_ns;		/* NOT_READ until its first frame is read */
};

#define NOT_READ UINT64_MAX

struct hr_stream {
	/* Set by create, constant until destroy. */
	struct hr_ring *ring;
	struct hr_pool *pool;
	struct hr_health *health;
	uint64_t hold_frames;
	uint32_t chunk_frames;
	uint32_t n_chunks;		/* in the pool */
	uint32_t rate;
	uint32_t mask;			/* of written[] and held[] */

	/* The writer's. It alone takes chunks from the pool and gives them back: that
	 * they come back in the order in which they went, the reader's position says
	 * it all. So no line travels for their return, and what the reader left last,
	 * and is the warmest, is written next. */
	alignas(HR_LINE) struct hr_chunk **written;	/* by seq & mask: back_seq..pushed_seq */
	uint64_t pushed_seq;		/* chunks below this were pushed */
	uint64_t back_seq;		/* chunks below this are back in the pool */
	struct hr_pool_cache cache;
	_Atomic uint64_t write_pos;

	/* The reader's. */
	alignas(HR_LINE) struct held *held;	/* by seq & mask: tail_seq..head_seq */
	uint64_t tail_seq;		/* oldest chunk that may be looked at again */
	uint64_t head_seq;		/* next chunk to pop */
	uint64_t done_seq;		/* chunks below this were recorded as read */
	uint64_t given;			/* end of what the reader may look at */
	_Atomic uint64_t claim;
	_Atomic uint64_t read_pos;
};

static uint32_t power_of_two(uint64_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static bool config_is_valid(const struct hr_stream_config *config)
{
	uint64_t most = (uint64_t)HR_POOL_LIMIT_MAX / 2 * config->chunk_frames;

	return config->chunk_frames && config->frame_bytes && config->rate &&
	       config->capacity_frames && config->capacity_frames < most &&
	       config->hold_frames < most / 2;
}

int hr_stream_create(struct hr_stream **streamp,
		     const struct hr_stream_config *config)
{
	struct hr_stream *s;
	uint64_t queued, chunks;
	uint32_t places;
	int err;

	if (!config_is_valid(config))
		return -EINVAL;

	/* One more than full chunks need: the first and the last may be partly
	 * used. The reader's current chunk and the writer's next are the others. */
	queued = (config->capacity_frames + config->chunk_frames - 1) /
		 config->chunk_frames + 1;
	chunks = queued + (config->hold_frames + config->chunk_frames - 1) /
		 config->chunk_frames + 2;
	if (chunks > HR_POOL_LIMIT_MAX)
		return -EINVAL;
	places = power_of_two(chunks);

	s = aligned_alloc(HR_LINE, sizeof(*s));
	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof(*s));
	s->health = config->health;
	s->hold_frames = config->hold_frames;
	s->chunk_frames = config->chunk_frames;
	s->n_chunks = (uint32_t)chunks;
	s->rate = config->rate;
	s->mask = places - 1;

	err = -ENOMEM;
	s->written = calloc(places, sizeof(struct hr_chunk *));
	s->held = calloc(places, sizeof(struct held));
	if (!s->written || !s->held)
		goto err_destroy;
	err = hr_ring_create(&s->ring, power_of_two(queued));
	if (err < 0)
		goto err_destroy;
	err = hr_pool_create(&s->pool, (uint32_t)chunks, (uint32_t)chunks,
			     config->chunk_frames, config->frame_bytes);
	if (err < 0)
		goto err_destroy;

	/* Nobody else takes from the pool: the cache may have all of it. */
	err = hr_pool_cache_open(&s->cache, s->pool, HR_POOL_CACHE_MAX);
	if (err < 0)
		goto err_destroy;

	/* Without the right to lock memory it works as well: the pages have been
	 * touched and are only lost when the machine is short of memory. */
	(void)hr_pool_lock_memory(s->pool);
	*streamp = s;
	return 0;

err_destroy:
	hr_stream_destroy(s);
	return err;
}

void hr_stream_destroy(struct hr_stream *stream)
{
	if (!stream)
		return;
	hr_ring_destroy(stream->ring);
	hr_pool_destroy(stream->pool);
	free(stream->written);
	free(stream->held);
	free(stream);
}

static void note_latency(struct held *held, uint64_t now_ns)
{
	uint64_t time_ns = held->chunk->time_ns;

	if (held->latency_ns == NOT_READ)
		held->latency_ns = now_ns > time_ns ? now_ns - time_ns : 0;
}

static void record_chunk(struct hr_stream *s, uint32_t frames, uint64_t now_ns)
{
	struct held *held = &s->held[s->done_seq & s->mask];

	/* One that was skipped has waited until now. */
	note_latency(held, now_ns);
	if (s->health)
		hr_health_chunk(s->health, frames, held->latency_ns, now_ns);
	s->done_seq++;
}

static void record_read(struct hr_stream *s, uint64_t pos, uint64_t now_ns)
{
	while (s->done_seq < s->head_seq &&
	       (s->done_seq + 1) * s->chunk_frames <= pos)
		record_chunk(s, s->chunk_frames, now_ns);
}

/* Chunks below this are not looked at any more by a reader that is done up to pos. */
static uint64_t first_held(const struct hr_stream *s, uint64_t pos)
{
	return pos > s->hold_frames ? (pos - s->hold_frames) / s->chunk_frames : 0;
}

/* Give chunks below seq back to the pool. */
static void give_back(struct hr_stream *s, uint64_t seq)
{
	for (; s->back_seq < seq && s->back_seq < s->pushed_seq; s->back_seq++)
		(void)hr_pool_cache_release(&s->cache, s->written[s->back_seq & s->mask]);
}

/* Give back what the reader has left. */
static void take_back(struct hr_stream *s)
{
	/* acquire, pairs with the store in hr_stream_read_done(): the reader has
	 * looked at these chunks for the last time. */
	give_back(s, first_held(s, atomic_load_explicit(&s->read_pos,
							memory_order_acquire)));
}

void hr_stream_restart(struct hr_stream *s, uint64_t pos)
{
	uint64_t seq = pos / s->chunk_frames;

	hr_ring_clear(s->ring, NULL, NULL);
	give_back(s, s->pushed_seq);
	s->pushed_seq = seq;
	s->back_seq = seq;
	s->tail_seq = seq;
	s->head_seq = seq;
	s->done_seq = seq;
	s->given = pos;
	/* relaxed: [setup], the caller orders this before either side goes on. */
	atomic_store_explicit(&s->write_pos, pos, memory_order_relaxed);
	atomic_store_explicit(&s->claim, pos, memory_order_relaxed);
	atomic_store_explicit(&s->read_pos, pos, memory_order_relaxed);
}

void hr_stream_reset(struct hr_stream *s, uint64_t now_ns)
{
	/* relaxed: [setup]. */
	uint64_t read_pos = atomic_load_explicit(&s->read_pos, memory_order_relaxed);
	uint64_t done_pos = s->done_seq * s->chunk_frames;

	/* The last chunk was read in part only: it counts all the same. */
	if (s->done_seq < s->head_seq && read_pos > done_pos)
		record_chunk(s, (uint32_t)(read_pos - done_pos), now_ns);
	hr_stream_restart(s, 0);
}

/* Begin the chunk of seq: take one from the pool and push it, still without
 * frames. */
static bool push_new_chunk(struct hr_stream *s, uint64_t seq, uint64_t now_ns)
{
	struct hr_chunk *chunk;

	if (seq % TAKE_BACK_EVERY == 0 || s->pushed_seq - s->back_seq == s->n_chunks)
		take_back(s);
	chunk = hr_pool_cache_acquire(&s->cache);
	if (!chunk)
		return false;
	chunk->seq = seq;
	chunk->rate = s->rate;
	chunk->time_ns = now_ns;
	if (!hr_ring_push(s->ring, chunk)) {
		(void)hr_pool_cache_release(&s->cache, chunk);
		return false;
	}
	HR_PROBE(push, s, seq, now_ns);
	s->written[seq & s->mask] = chunk;
	s->pushed_seq = seq + 1;
	return true;
}

struct hr_span hr_stream_write_begin(struct hr_stream *s, uint64_t now_ns)
{
	struct hr_span span = { NULL, 0, 0 };
	/* relaxed: only this thread writes write_pos. */
	uint64_t pos = atomic_load_explicit(&s->write_pos, memory_order_relaxed);
	uint64_t seq = pos / s->chunk_frames;

	if (seq >= s->pushed_seq && !push_new_chunk(s, seq, now_ns))
		return span;
	span.chunk = s->written[seq & s->mask];
	span.offset = (uint32_t)(pos % s->chunk_frames);
	span.frames = s->chunk_frames - span.offset;
	/* After a rewind the chunk begins once more. Nobody reads the time of a
	 * chunk without frames, and no claim reaches into it. */
	if (!span.offset)
		span.chunk->time_ns = now_ns;
	return span;
}

void hr_stream_write_commit(struct hr_stream *s, uint32_t frames)
{
	uint64_t pos = atomic_load_explicit(&s->write_pos, memory_order_relaxed);
	struct hr_chunk *chunk = s->written[pos / s->chunk_frames & s->mask];

	if (!frames)
		return;
	hr_chunk_set_frames(chunk, (uint32_t)(pos % s->chunk_frames) + frames);
	/* release, pairs with the load in hr_stream_write_pos(): who sees the
	 * position finds the chunk in the ring and its frames counted. */
	atomic_store_explicit(&s->write_pos, pos + frames, memory_order_release);
}

/* Lower the frame counts of all pushed chunks so that the readable frames end at
 * pos. First to last: the reader meets them in that order. */
static void lower_counts(struct hr_stream *s, uint64_t pos, uint64_t write_pos)
{
	uint64_t seq = pos / s->chunk_frames;
	uint32_t keep = (uint32_t)(pos % s->chunk_frames);

	for (; seq < s->pushed_seq && seq * s->chunk_frames < write_pos; seq++) {
		/* seq_cst: ordered before the load of claim in hr_stream_rewind(), as
		 * the reader's store of claim is before its load of frames. */
		atomic_store_explicit(&s->written[seq & s->mask]->frames, keep,
				      memory_order_seq_cst);
		keep = 0;
	}
}

/* The reader was there first: put back the counts up to pos. The payload has not
 * been touched. */
static void restore_counts(struct hr_stream *s, uint64_t from, uint64_t pos)
{
	uint64_t seq = from / s->chunk_frames;

	for (; seq * s->chunk_frames < pos; seq++) {
		uint64_t in_chunk = pos - seq * s->chunk_frames;

		if (in_chunk > s->chunk_frames)
			in_chunk = s->chunk_frames;
		hr_chunk_set_frames(s->written[seq & s->mask], (uint32_t)in_chunk);
	}
}

uint64_t hr_stream_rewind(struct hr_stream *s, uint64_t pos)
{
	uint64_t write_pos = atomic_load_explicit(&s->write_pos, memory_order_relaxed);
	/* acquire, pairs with the store in hr_stream_read_begin() and _done(): below
	 * it chunks may be gone already. */
	uint64_t claim = atomic_load_explicit(&s->claim, memory_order_acquire);

	if (pos < claim)
		pos = claim;
	if (pos >= write_pos)
		return write_pos;

	lower_counts(s, pos, write_pos);
	/* seq_cst: see lower_counts(). */
	claim = atomic_load_explicit(&s->claim, memory_order_seq_cst);
	if (claim > pos) {
		/* A claim made on a count from before an earlier rewind may be beyond
		 * write_pos for a moment; what is there was never committed. */
		if (claim > write_pos)
			claim = write_pos;
		restore_counts(s, pos, claim);
		pos = claim;
	}
	atomic_store_explicit(&s->write_pos, pos, memory_order_release);
	return pos;
}

uint64_t hr_stream_write_pos(const struct hr_stream *s)
{
	/* acquire, pairs with the store in hr_stream_write_commit(). */
	return atomic_load_explicit(&s->write_pos, memory_order_acquire);
}

/* Take chunks out of the ring until the one of seq is held. */
static bool hold_up_to(struct hr_stream *s, uint64_t seq)
{
	while (s->head_seq <= seq) {
		struct hr_chunk *chunk = hr_ring_pop(s->ring);
		struct held *held = &s->held[s->head_seq & s->mask];

		if (!chunk)
			return false;
		HR_PROBE(pop, s, chunk->seq, chunk->time_ns);
		held->chunk = chunk;
		held->latency_ns = NOT_READ;
		s->head_seq++;
	}
	return seq >= s->tail_seq;
}

/* Claim up to end, and no less than what was given before. */
static void claim_up_to(struct hr_stream *s, uint64_t end, memory_order order)
{
	atomic_store_explicit(&s->claim, end > s->given ? end : s->given, order);
}

struct hr_span hr_stream_read_begin(struct hr_stream *s, uint64_t pos,
				    uint64_t now_ns)
{
	struct hr_span span = { NULL, 0, 0 };
	uint64_t seq = pos / s->chunk_frames;
	uint32_t offset = (uint32_t)(pos % s->chunk_frames);
	uint32_t frames, frames_now;
	struct hr_chunk *chunk;

	if (!hold_up_to(s, seq))
		return span;
	chunk = s->held[seq & s->mask].chunk;
	frames = hr_chunk_frames(chunk);
	if (frames <= offset)
		return span;

	/* seq_cst both: the claim is ordered before the second look at the count,
	 * as the writer's lowering is before its look at the claim in
	 * hr_stream_rewind(). Whatever of the claim is still counted cannot be taken
	 * back; what has been counted since is not claimed, so it can. */
	claim_up_to(s, pos - offset + frames, memory_order_seq_cst);
	frames_now = atomic_load_explicit(&chunk->frames, memory_order_seq_cst);
	if (frames_now < frames) {
		frames = frames_now;
		/* release, pairs with the loads in hr_stream_rewind(): no more is
		 * looked at than what is claimed from here on. */
		claim_up_to(s, pos - offset + frames, memory_order_release);
	}
	if (frames <= offset)
		return span;
	if (pos - offset + frames > s->given)
		s->given = pos - offset + frames;
	note_latency(&s->held[seq & s->mask], now_ns);
	span.chunk = chunk;
	span.offset = offset;
	span.frames = frames - offset;
	return span;
}

void hr_stream_read_done(struct hr_stream *s, uint64_t pos, uint64_t now_ns)
{
	/* Chunks that are skipped are not to stay in the ring, nor their place in
	 * it taken. */
	if (pos >= s->chunk_frames)
		(void)hold_up_to(s, pos / s->chunk_frames - 1);
	record_read(s, pos, now_ns);
	if (s->tail_seq < first_held(s, pos))
		s->tail_seq = first_held(s, pos);
	s->given = pos;
	/* release, pairs with the loads in hr_stream_rewind(): nothing below the
	 * claim is needed there any more. */
	atomic_store_explicit(&s->claim, pos, memory_order_release);
	/* release, pairs with the load in hr_stream_read_pos() and push_new_chunk():
	 * who sees the room may have the chunks. */
	atomic_store_explicit(&s->read_pos, pos, memory_order_release);
}

uint64_t hr_stream_read_pos(const struct hr_stream *s)
{
	/* acquire, pairs with the store in hr_stream_read_done(). */
	return atomic_load_explicit(&s->read_pos, memory_order_acquire);
}

void hr_stream_get_stats(const struct hr_stream *s, struct hr_ring_stats *ring,
			 struct hr_pool_stats *pool)
{
	hr_ring_get_stats(s->ring, ring);
	hr_pool_get_stats(s->pool, pool);
}
