/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Stream: frames addressed by absolute position, on their way from one writer
 * to one reader in the chunks of a pool, by way of a ring.
 *
 *   position   0 ......... read_pos ............ write_pos
 *              | released | held |  readable     | open chunk grows |
 *
 * Position p lives in the chunk of sequence number p / chunk_frames. A chunk is
 * pushed when its first frame is about to be written and grows in place, so a frame is
 * readable as soon as it is committed. The reader may look at the same position again and again,
 * also some way back (hold_frames), until it says that it is done.
 *
 * The writer may go back (rewind) to any position that the reader has not
 * claimed. Who wins is settled by one sequentially consistent exchange of words:
 * the reader stores its claim, then looks at the chunk's frame count again; the
 * writer lowers frame counts, then looks at the claim. At least one of them sees
 * the other (Dekker's argument), so no frame is read while it is rewritten.
 *
 * Who may call is given per function:
 *   [writer]  the one thread that writes      [any]    any thread
 *   [reader]  the one thread that reads       [setup]  no other call in progress
 */
#ifndef HR_CORE_STREAM_H
#define HR_CORE_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include "core/chunk.h"
#include "core/health.h"
#include "core/pool.h"
#include "core/ring.h"

struct hr_stream;

struct hr_stream_config {
	uint32_t chunk_frames;		/* frames per chunk, not 0 */
	uint32_t frame_bytes;		/* not 0 */
	uint32_t rate;			/* Hz, not 0 */
	uint64_t capacity_frames;	/* most that are written and not yet read, not 0 */
	uint64_t hold_frames;		/* how far back the reader may look again */
	struct hr_health *health;	/* gets every chunk read; NULL: nobody does */
};

/* A run of frames inside one chunk. */
struct hr_span {
	struct hr_chunk *chunk;
	uint32_t offset;		/* frames from the start of its payload */
	uint32_t frames;		/* 0: nothing there, chunk is NULL */
};

/** Create a stream: allocates all that it will ever use, touches it, and locks
 * it into memory as far as the limits allow. Returns 0, -EINVAL, -ENOMEM;
 * *streamp is written only on success. [setup] */
int hr_stream_create(struct hr_stream **streamp,
		     const struct hr_stream_config *config);

/** NULL is allowed. [setup] */
void hr_stream_destroy(struct hr_stream *stream);

/** Forget all frames; both positions are 0 again. Counters of ring and pool go
 * on, and a chunk that was read in part is recorded as read. [setup] */
void hr_stream_reset(struct hr_stream *stream, uint64_t now_ns);

/** Forget all frames; both positions are pos, which need not be where a chunk
 * begins and may be below where either was. [setup] */
void hr_stream_restart(struct hr_stream *stream, uint64_t pos);

/**
 * Where the next frames may be written: up to the end of the chunk that holds
 * write_pos. frames is 0 when ring or pool are exhausted. now_ns becomes the time
 * stamp of a chunk that begins here. Repeatable. Wait-free but for the pool
 * (lock-free); never allocates. [writer]
 */
struct hr_span hr_stream_write_begin(struct hr_stream *stream, uint64_t now_ns);

/** The first frames of the span are written: make them readable. frames is at
 * most what the span had. [writer] */
void hr_stream_write_commit(struct hr_stream *stream, uint32_t frames);

/**
 * Go back to pos (at most write_pos), so that what follows can be written anew.
 * Returns the position reached: pos, or a later one when the reader has claimed
 * frames beyond pos. [writer]
 */
uint64_t hr_stream_rewind(struct hr_stream *stream, uint64_t pos);

/** Position after the last committed frame. Exact for the writer, a lower bound
 * for the reader unless the writer rewinds. [any] */
uint64_t hr_stream_write_pos(const struct hr_stream *stream);

/**
 * Frames readable from pos to the end of their chunk, claimed against rewinding
 * until hr_stream_read_done(). pos is at least hold_frames below the furthest
 * read_pos. frames is 0 beyond write_pos; at the very moment at which the writer
 * rewinds it may be 0, or less than there is, even where the claim stops the
 * rewind: look again later. now_ns ends the waiting time of a chunk that is seen
 * for the first time. Wait-free. [reader]
 */
struct hr_span hr_stream_read_begin(struct hr_stream *stream, uint64_t pos,
				    uint64_t now_ns);

/** All before pos is done with; read_pos becomes pos, which may also go back
 * within hold_frames, and forward over frames never looked at, up to write_pos, unless
 * the writer might rewind them. Chunks that are not held any more are the writer's, which gives
 * them back to the pool when it needs the next. Wait-free. [reader] */
void hr_stream_read_done(struct hr_stream *stream, uint64_t pos, uint64_t now_ns);

/** Position up to which the reader is done. [any] */
uint64_t hr_stream_read_pos(const struct hr_stream *stream);

/** Copy of the counters of ring and pool. [any] */
void hr_stream_get_stats(const struct hr_stream *stream,
			 struct hr_ring_stats *ring, struct hr_pool_stats *pool);

#endif
