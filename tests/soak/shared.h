/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the three processes of a soak have in common, in memory that they share:
 *
 *   program  plays and records, on two pairs of streams: "long" is opened once, "again"
 *            is opened and closed all the time
 *   far end  listens to what the virtual cards play, and checks each frame
 *   monitor  the parent: looks at the program from outside, shows, judges
 *
 * Frames are 8 bytes, two samples of 32 bits. A frame that is played is its number and a
 * checksum of it, silence is all zeros; a frame that is recorded is twice the number that
 * the card gives it.
 *
 * All numbers are each written by one thread and read by any (relaxed), unless said
 * otherwise.
 */
#ifndef TESTS_SOAK_SHARED_H
#define TESTS_SOAK_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SOAK_FRAME_BYTES 8u
#define SOAK_LONG_RATE 48000u	/* Hz */
#define SOAK_CAUSES 4		/* as the element Xrun Cause has them */

typedef _Atomic uint64_t soak_number;

/* Playback is even, capture odd. */
enum soak_stream {
	SOAK_LONG_PLAYBACK,
	SOAK_LONG_CAPTURE,
	SOAK_AGAIN_PLAYBACK,
	SOAK_AGAIN_CAPTURE,
	SOAK_STREAMS,
};

/* The account of a stream: of all its openings that have ended, but for the first two,
 * which go on meanwhile. Frames, unless it says otherwise. */
struct soak_account {
	soak_number supplied;		/* taken from the program; recorded by the card */
	soak_number delivered;		/* heard; read by the program */
	soak_number dropped;		/* as the counter has it */
	soak_number thrown;		/* by the program, which ended or began anew */
	soak_number silence;		/* as the counter has it */
	soak_number silence_heard;
	soak_number difference;		/* what does not come out even, all added up */
	soak_number damaged;		/* other content, twice, or in another order */
	soak_number openings;
	soak_number stalls;		/* that must be survived */
	soak_number provoked;		/* longer ones, which must cost something */
	soak_number unnoticed;		/* of those: no counter has told of them */
	soak_number xruns, device_xruns;	/* as the counters have them */
	/* Of openings in which nothing was provoked. */
	soak_number unprovoked_xruns, unprovoked_frames;
	soak_number causes[SOAK_CAUSES], unprovoked_causes[SOAK_CAUSES];
	/* µs that the I/O thread woke too late at most, in the openings that ended since the
	 * monitor took it from here. It says nothing of the others. */
	soak_number late_us;
};

/* What was heard of a pair. */
struct soak_far {
	soak_number heard, silence, damaged;
	soak_number last;		/* number of the latest frame heard */
	/* Frames in all. release, pairs with the acquire in soak_far_wait(): who sees it
	 * sees the numbers above as of then. */
	soak_number total;
};

/* The program when "again" is closed: nothing is in motion that comes and goes. */
struct soak_rest {
	soak_number resident_kib, heap_bytes, fds, threads;
	/* How often. release, pairs with the acquire in soak_constant_look(). */
	soak_number n;
};

struct soak_shared {
	struct soak_account accounts[SOAK_STREAMS];
	struct soak_far far[SOAK_STREAMS / 2];
	struct soak_rest rest;
	soak_number io_thread[2];	/* of "long": their tids; 0 = not open yet */
	/* The monitor asks the program to end. Nothing is ordered by it. */
	_Atomic bool stop;
};

struct soak_options {
	unsigned int seconds, settle_s;
	uint64_t seed;
	bool busy;			/* the machine has other things to do */
	const char *results, *work;	/* folders */
};

static inline uint64_t soak_get(const soak_number *number)
{
	/* relaxed: see above. */
	return atomic_load_explicit(number, memory_order_relaxed);
}

static inline void soak_set(soak_number *number, uint64_t value)
{
	/* relaxed: see above. */
	atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline void soak_add(soak_number *number, uint64_t more)
{
	soak_set(number, soak_get(number) + more);
}

/** Raise it to value. Another process may set it to 0 meanwhile. */
static inline void soak_raise(soak_number *number, uint64_t value)
{
	uint64_t is = soak_get(number);

	/* relaxed: see above. */
	while (is < value &&
	       !atomic_compare_exchange_weak_explicit(number, &is, value, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

/** What it is, and 0 from now on. */
static inline uint64_t soak_take(soak_number *number)
{
	/* relaxed: see above. */
	return atomic_exchange_explicit(number, 0, memory_order_relaxed);
}

/** The second sample of a frame that is played: such that no frame is silence. */
static inline uint32_t soak_checksum(uint32_t number)
{
	return (number ^ 0x5bd1e995u) * 0x9e3779b1u;
}

/** One line on stderr, and the process ends with status 1. */
void soak_die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/** Die of what alsa-lib returned, unless it is 0 or more. */
void soak_must(long result, const char *what);

#endif
