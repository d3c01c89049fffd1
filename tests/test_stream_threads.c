/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The stream between two threads. The reader is the test's own thread and
 * judges; the writer only writes.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "tests/stream_frames.h"
#include "tests/suite.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define N_FRAMES 200000u
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define N_FRAMES 200000u
#endif
#endif
#ifndef N_FRAMES
#define N_FRAMES 3000000u	/* that the reader takes */
#endif
#define SLACK 8192u		/* the writer may be that far ahead */

static const struct shape {
	uint32_t chunk_frames, capacity_frames, hold_frames;
} shapes[] = {
	{ 1, 1, 0 }, { 1, 5, 3 }, { 7, 20, 0 }, { 16, 16, 30 }, { 64, 1000, 0 },
	{ 480, 960, 960 },
};

struct run {
	struct hr_stream *stream;
	const struct shape *shape;
	uint32_t n_frames;
	bool rewinds;
	uint32_t *written;		/* generation by position: the writer's */
	uint32_t *seen;			/* the reader's */
	uint64_t n_rewound;		/* frames taken back: the writer's */
	_Atomic bool over;
};

/* ---- writer ---- */

static void go_back(struct run *run, uint32_t *seed)
{
	uint64_t pos = hr_stream_write_pos(run->stream);
	uint32_t most = run->shape->capacity_frames + run->shape->chunk_frames;
	uint64_t back = 1 + random_below(seed, random_below(seed, 4) ? 8 : most);

	run->n_rewound += pos - hr_stream_rewind(run->stream,
						 pos > back ? pos - back : 0);
}

static void *write_on(void *arg)
{
	struct run *run = arg;
	uint32_t seed = 1234567u, generation = 0;

	/* relaxed: the join orders what the threads leave behind. */
	while (!atomic_load_explicit(&run->over, memory_order_relaxed)) {
		uint64_t pos = hr_stream_write_pos(run->stream);
		uint32_t n = 1 + random_below(&seed, random_below(&seed, 2) ?
					      4 : 2 * run->shape->chunk_frames);

		if (pos + n > run->n_frames + SLACK / 2)
			n = 0;
		generation++;
		n = put_frames(run->stream, n, generation, 0);
		for (uint32_t i = 0; i < n; i++)
			run->written[pos + i] = generation;
		if (run->rewinds && random_below(&seed, 3) == 0)
			go_back(run, &seed);
		else if (!n)
			sched_yield();
	}
	return NULL;
}

/* ---- reader ---- */

/* Every frame is of its place, whole, and was committed; and none changes while
 * it is claimed. */
static void check_span(struct run *run, uint64_t pos, const struct hr_span *span)
{
	const struct frame *frames = span_frames(span);

	for (uint32_t i = 0; i < span->frames; i++) {
		if (!frame_is(&frames[i], pos + i))
			ck_abort_msg("frame %u of %u at %llu is torn or of %llu", i,
				     span->frames, (unsigned long long)pos,
				     (unsigned long long)frames[i].pos);
		if (frames[i].generation == FRAME_POISON)
			ck_abort_msg("frame at %llu was never committed",
				     (unsigned long long)pos + i);
		run->seen[pos + i] = frames[i].generation;
	}
	for (uint32_t i = 0; i < span->frames; i++)
		if (frames[i].generation != run->seen[pos + i])
			ck_abort_msg("frame at %llu changed while claimed",
				     (unsigned long long)pos + i);
}

/* What was read before is still what it was. */
static void look_back(struct run *run, uint64_t pos, uint32_t *seed)
{
	uint64_t back = random_below(seed, run->shape->hold_frames + 1);
	uint64_t from = pos > back ? pos - back : 0;
	struct hr_span span;

	if (from == pos)
		return;
	/* None at all is possible while the writer is about to rewind. */
	span = hr_stream_read_begin(run->stream, from, 0);
	for (uint32_t i = 0; i < span.frames && from + i < pos; i++)
		if (!frame_is(&span_frames(&span)[i], from + i) ||
		    span_frames(&span)[i].generation != run->seen[from + i])
			ck_abort_msg("frame at %llu changed after it was read",
				     (unsigned long long)from + i);
}

/* Look at a span or two, take all or, as a device may, a part of it. Returns how
 * many frames were taken. */
static uint32_t take_some(struct run *run, uint64_t pos, uint32_t *seed)
{
	uint32_t n = 0, spans = 1 + random_below(seed, 2);

	if (random_below(seed, 8) == 0)
		look_back(run, pos, seed);
	for (uint32_t i = 0; i < spans; i++) {
		struct hr_span span = hr_stream_read_begin(run->stream, pos + n, 0);

		if (!span.frames)
			break;
		check_span(run, pos + n, &span);
		n += span.frames;
	}
	if (random_below(seed, 4) == 0)
		n = random_below(seed, n + 1);
	hr_stream_read_done(run->stream, pos + n, 0);
	return n;
}

static void start(struct run *run, int shape, bool rewinds)
{
	struct hr_stream_config config = {
		.chunk_frames = shapes[shape].chunk_frames,
		.frame_bytes = sizeof(struct frame), .rate = 48000,
		.capacity_frames = shapes[shape].capacity_frames,
		.hold_frames = shapes[shape].hold_frames,
	};

	*run = (struct run) {
		.shape = &shapes[shape], .rewinds = rewinds,
		/* In a tiny stream nearly every chunk costs a switch of threads. */
		.n_frames = shapes[shape].capacity_frames < 16 ? N_FRAMES / 16 : N_FRAMES,
	};
	ck_assert_int_eq(hr_stream_create(&run->stream, &config), 0);
	run->written = calloc(run->n_frames + SLACK, sizeof(uint32_t));
	run->seen = calloc(run->n_frames + SLACK, sizeof(uint32_t));
	ck_assert_ptr_nonnull(run->written);
	ck_assert_ptr_nonnull(run->seen);
}

static void finish(struct run *run)
{
	hr_stream_destroy(run->stream);
	free(run->written);
	free(run->seen);
}

/* Have the two threads at it, and compare what was read with what was written
 * last at each place. */
static void stream_on(struct run *run)
{
	uint32_t seed = 7654321u;
	pthread_t writer;
	uint64_t pos = 0;

	ck_assert_int_eq(pthread_create(&writer, NULL, write_on, run), 0);
	while (pos < run->n_frames) {
		uint32_t n = take_some(run, pos, &seed);

		pos += n;
		if (!n)
			sched_yield();
	}
	/* relaxed: see write_on(). */
	atomic_store_explicit(&run->over, true, memory_order_relaxed);
	ck_assert_int_eq(pthread_join(writer, NULL), 0);
	ck_assert_uint_ge(hr_stream_write_pos(run->stream), pos);
	for (uint64_t i = 0; i < pos; i++)
		if (run->written[i] != run->seen[i])
			ck_abort_msg("at %llu generation %u was read, %u was written last",
				     (unsigned long long)i, run->seen[i],
				     run->written[i]);
}

START_TEST(the_reader_sees_every_frame_in_order)
{
	struct run run;

	start(&run, _i, false);
	stream_on(&run);
	ck_assert_uint_eq(run.n_rewound, 0);
	finish(&run);
}
END_TEST

START_TEST(the_reader_sees_every_frame_as_written_last_though_the_writer_goes_back)
{
	struct run run;

	start(&run, _i, true);
	stream_on(&run);
	ck_assert_uint_gt(run.n_rewound, 0);
	finish(&run);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream_threads");
	TCase *tcase = tcase_create("threads");
	int n_shapes = sizeof(shapes) / sizeof(shapes[0]);

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, the_reader_sees_every_frame_in_order, 0, n_shapes);
	tcase_add_loop_test(tcase,
		the_reader_sees_every_frame_as_written_last_though_the_writer_goes_back,
		0, n_shapes);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
