/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The stream between its writer and its reader (core/stream.c): the open chunk that grows,
 * the claim against the rewind, and the chunks that come back by the reader's position.
 *
 *   push_new_chunk()             push_new_chunk() with hr_pool_reset_chunk(), take_back()
 *   write_begin(), commit()      hr_stream_write_begin(), hr_stream_write_commit()
 *   rewind()                     hr_stream_rewind() with lower_counts(), restore_counts()
 *   hold_up_to()                 hold_up_to()
 *   read_begin(), read_done()    hr_stream_read_begin(), hr_stream_read_done()
 *
 * Checked: the reader gets to the end, each frame is that of its place; what it is given
 * lies below write_pos and no write and no rewind gets there before it says that it is
 * done; payload and time of a chunk are touched by one side at a time, also when the chunk
 * has come back and is another; what hr_stream_write_pos() counts can be read.
 *
 * Abstracted: the pool is a stack of the writer's (pool.pml has the pool); chunks are taken
 * back each 2nd, not each 8th time; restart and reset, when neither side uses the stream;
 * latencies, but for the look at time_ns. Who has no frames or no room goes on when there
 * is something new to see. The reader may look again or back, and take less than it was
 * given, `looks` times; the writer goes back `rewinds` times.
 *
 * Sizes: 1: chunks of one frame, room for one frame. 2: chunks of two, room for two, one
 * more is held to look back at.
 */
#define frames_are_counted_before_they_are_written MUTANT(1)
#define frames_are_counted_relaxed MUTANT(2)
#define the_counts_are_loaded_relaxed MUTANT(3)
#define the_claim_is_stored_by_a_release_only MUTANT(4)
#define the_second_look_at_the_count_is_an_acquire_only MUTANT(5)
#define counts_are_lowered_by_a_release_only MUTANT(6)
#define the_claim_is_looked_at_by_an_acquire_only MUTANT(7)
#define the_reader_looks_at_the_count_but_once MUTANT(8)
#define the_writer_rewinds_into_what_the_reader_has_begun MUTANT(9)
#define counts_are_not_put_back_after_a_rewind_that_was_stopped MUTANT(10)
#define the_reader_s_position_is_stored_relaxed MUTANT(11)
#define the_reader_s_position_is_loaded_relaxed MUTANT(12)
#define the_reader_is_done_before_it_has_read MUTANT(13)
#define a_held_chunk_is_given_back MUTANT(14)	/* size 2 */
#define a_claim_beyond_the_end_is_believed MUTANT(15)
#define a_chunk_is_pushed_before_its_count_is_0 MUTANT(16)
#define write_pos_is_stored_relaxed MUTANT(17)
#define write_pos_is_stored_before_the_count MUTANT(18)
#define a_look_back_gives_up_what_was_claimed MUTANT(19)	/* size 2 */
#define the_writer_does_not_ask_what_is_claimed_before_it_lowers MUTANT(20)

#define CHUNK SIZE
#define CAP SIZE
#define HOLD (SIZE - 1)
#define RING 2
#define CHUNKS ((CAP + CHUNK - 1) / CHUNK + 1 + (HOLD + CHUNK - 1) / CHUNK + 2)
#define PLACES 8			/* of written[] and held[]: a power of two */
#define TAKE_BACK_EVERY 2

#define THREADS 2
#define SLOT(i) ((i) % RING)
#define POPPED RING
#define CLAIM (RING + 1)
#define READ_POS (RING + 2)
#define WRITE_POS (RING + 3)
#define FRAMES(c) (RING + 4 + (c))
#define LOCATIONS (RING + 4 + CHUNKS)
#define PAYLOAD(c, frame) ((c) * CHUNK + (frame))
#define TIME(c) (CHUNKS * CHUNK + (c))
#define PLAINS (CHUNKS * CHUNK + CHUNKS)
#define KEPT 12
/* Only without rewinds does the reader look at write_pos; only with, the writer at the claim. */
#define reads(t, l) ((l != WRITE_POS || now.sees_write_pos) && (l != CLAIM || now.may_rewind))
#include "memory.pml"

byte payload[CHUNKS * CHUNK];	/* the position that was written there */
byte committed;			/* write_pos by the frame counts */
byte begun;			/* the reader's `given`: end of what it may look at */
bool may_rewind, sees_write_pos;

/* --- writer --- */

#define first_held(pos) \
	((pos) > OR_IF(a_held_chunk_is_given_back, 0, HOLD) -> \
	 ((pos) - OR_IF(a_held_chunk_is_given_back, 0, HOLD)) / CHUNK : 0)

inline take_back()
{
	load(READ_POS, OR_IF(the_reader_s_position_is_loaded_relaxed, RELAXED, ACQUIRE), v);
	d_step {
		do
		:: back_seq < first_held(v) && back_seq < pushed_seq ->
			free[n_free] = written[back_seq % PLACES];
			written[back_seq % PLACES] = 0;
			n_free++;
			back_seq++
		:: else -> break
		od;
		v = 0
	}
}

inline store_slot()
{
	store(SLOT(pushed_seq), 2 * c + (pushed_seq / RING) % 2, RELEASE)
}

/* has: whether there is a chunk to write into now. */
inline push_new_chunk()
{
	if
	:: pushed_seq % TAKE_BACK_EVERY == 0 || pushed_seq - back_seq == CHUNKS ->
		take_back()
	:: else
	fi;
	if
	:: n_free && pushed_seq == room_end ->
		load(POPPED, ACQUIRE, v);
		room_end = v + RING;
		v = 0
	:: else
	fi;
	if
	:: n_free && pushed_seq != room_end ->
		d_step {
			n_free--;
			c = free[n_free];
			free[n_free] = 0
		}
		if
		:: a_chunk_is_pushed_before_its_count_is_0 -> store_slot()
		:: else
		fi;
		atomic {
			touch(TIME(c));
			store(FRAMES(c), 0, RELAXED)
		}
		if
		:: !a_chunk_is_pushed_before_its_count_is_0 -> store_slot()
		:: else
		fi;
		written[pushed_seq % PLACES] = c;
		pushed_seq++;
		has = true
	:: else
	fi
}

inline write_begin()
{
	has = write_pos / CHUNK < pushed_seq;
	if
	:: !has -> push_new_chunk()
	:: else
	fi;
	if
	:: has -> c = written[(write_pos / CHUNK) % PLACES]
	:: else
	fi
}

/* And the time of a chunk that begins. */
inline write_payload()
{
	atomic {
		if
		:: write_pos % CHUNK == 0 -> touch(TIME(c))
		:: else
		fi;
		for (f : write_pos % CHUNK .. write_pos % CHUNK + n - 1) {
			touch(PAYLOAD(c, f));
			payload[PAYLOAD(c, f)] = write_pos - write_pos % CHUNK + f
		}
		f = 0;
		assert(write_pos >= begun)
	}
}

/* Of the chunk in which the frames from `from` on are written. */
inline set_frames(from)
{
	atomic {
		committed = from + n;
		store(FRAMES(c), (from) % CHUNK + n,
		      OR_IF(frames_are_counted_relaxed, RELAXED, RELEASE))
	}
}

inline commit()
{
	if
	:: !write_pos_is_stored_before_the_count &&
	   !frames_are_counted_before_they_are_written -> set_frames(write_pos)
	:: else
	fi;
	atomic {
		write_pos = write_pos + n;
		store(WRITE_POS, write_pos, OR_IF(write_pos_is_stored_relaxed, RELAXED, RELEASE))
	}
	if
	:: write_pos_is_stored_before_the_count -> set_frames(write_pos - n)
	:: else
	fi
}

inline lower_counts()
{
	seq = to / CHUNK;
	v = to % CHUNK;
	do
	:: seq < pushed_seq && seq * CHUNK < write_pos ->
		store(FRAMES(written[seq % PLACES]), v,
		      OR_IF(counts_are_lowered_by_a_release_only, RELEASE, SEQ_CST));
		v = 0;
		seq++
	:: else -> break
	od
}

inline restore_counts()
{
	seq = to / CHUNK;
	do
	:: seq * CHUNK < v ->
		store(FRAMES(written[seq % PLACES]),
		      (v - seq * CHUNK > CHUNK -> CHUNK : v - seq * CHUNK), RELEASE);
		seq++
	:: else -> break
	od
}

/* Back to `to`, or as near as the reader's claim allows. */
inline rewind()
{
	if
	:: !the_writer_does_not_ask_what_is_claimed_before_it_lowers ->
		load(CLAIM, ACQUIRE, v)
	:: else
	fi;
	to = (v > to -> v : to);
	v = 0;
	if
	:: to < write_pos ->
		lower_counts();
		load(CLAIM, OR_IF(the_claim_is_looked_at_by_an_acquire_only, ACQUIRE, SEQ_CST), v);
		if
		:: v > to && !the_writer_rewinds_into_what_the_reader_has_begun ->
			v = (v > write_pos && !a_claim_beyond_the_end_is_believed ->
			     write_pos : v);
			if
			:: !counts_are_not_put_back_after_a_rewind_that_was_stopped ->
				restore_counts()
			:: else
			fi;
			to = v
		:: else
		fi;
		atomic {
			write_pos = to;
			committed = to;
			may_rewind = rewinds > 0;
			store(WRITE_POS, write_pos, RELEASE);
			assert(begun <= committed)
		}
	:: else
	fi;
	seq = 0;
	v = 0;
	to = 0
}

proctype writer(byte total; byte rewinds)
{
	byte me = 0, pick, v, c, f, n, seq, to, i;
	byte free[CHUNKS], written[PLACES], write_pos;
	byte n_free = CHUNKS, pushed_seq, back_seq, room_end = RING;
	bool has;

	d_step {
		for (i : 0 .. CHUNKS - 1) {
			free[i] = CHUNKS - 1 - i
		}
		i = 0
	}
	do
	:: write_pos < total ->
		write_begin();
		if
		:: has ->
			n = 1;
			if
			:: n < CHUNK - write_pos % CHUNK && write_pos + n < total -> n++
			:: skip
			fi;
			if
			:: frames_are_counted_before_they_are_written ->
				set_frames(write_pos);
				write_payload()
			:: else ->
				write_payload()
			fi;
			commit();
			n = 0
		:: else -> has_news(READ_POS) || has_news(POPPED)
		fi;
		has = false;
		c = 0
	:: rewinds && write_pos ->
		rewinds--;
		to = write_pos - 1;
		do
		:: to -> to--
		:: break
		od;
		rewind()
	:: write_pos == total -> break
	od;
	leave()
}

/* --- reader --- */

/* Until the chunk of `want` is held. has: whether it is. */
inline hold_up_to(want)
{
	has = true;
	do
	:: has && head_seq <= want ->
		load(SLOT(head_seq), ACQUIRE, v);
		if
		:: v % 2 == (head_seq / RING) % 2 ->
			store(POPPED, head_seq + 1, RELEASE);
			held[head_seq % PLACES] = v / 2;
			head_seq++
		:: else -> has = false
		fi;
		v = 0
	:: else -> break
	od
}

inline claim_up_to(end, order)
{
	store(CLAIM, ((end) > given && !a_look_back_gives_up_what_was_claimed ||
		      a_look_back_gives_up_what_was_claimed -> end : given), order)
}

/* end: of the frames of the chunk that may be read, from `at`; 0: none. */
inline read_begin(at)
{
	end = 0;
	hold_up_to((at) / CHUNK);
	if
	:: has ->
		c = held[((at) / CHUNK) % PLACES];
		load(FRAMES(c), OR_IF(the_counts_are_loaded_relaxed, RELAXED, ACQUIRE), frames);
		if
		:: frames > (at) % CHUNK ->
			end = (at) - (at) % CHUNK + frames;
			claim_up_to(end, OR_IF(the_claim_is_stored_by_a_release_only,
					       RELEASE, SEQ_CST));
			if
			:: !the_reader_looks_at_the_count_but_once ->
				load(FRAMES(c), OR_IF(the_counts_are_loaded_relaxed, RELAXED,
				     OR_IF(the_second_look_at_the_count_is_an_acquire_only,
					   ACQUIRE, SEQ_CST)), v);
				if
				:: v < frames ->
					frames = v;
					end = (at) - (at) % CHUNK + frames;
					claim_up_to(end, RELEASE);
					end = (frames > (at) % CHUNK -> end : 0)
				:: else
				fi;
				v = 0
			:: else
			fi;
		:: else
		fi;
		frames = 0;
		if
		:: end ->
			atomic {
				assert(end <= committed);
				given = (end > given -> end : given);
				begun = given;
				touch(TIME(c))
			}
		:: else
		fi
	:: else
	fi
}

inline read_payload(at)
{
	atomic {
		for (f : (at) % CHUNK .. (end - 1) % CHUNK) {
			touch(PAYLOAD(c, f));
			assert(payload[PAYLOAD(c, f)] == (at) - (at) % CHUNK + f)
		}
		f = 0
	}
}

inline read_done(to)
{
	if
	:: (to) >= CHUNK -> hold_up_to((to) / CHUNK - 1)
	:: else
	fi;
	atomic {
		given = to;
		begun = to;
		store(CLAIM, to, RELEASE)
	}
	store(READ_POS, to, OR_IF(the_reader_s_position_is_stored_relaxed, RELAXED, RELEASE));
	d_step {
		/* Not looked at any more. */
		do
		:: tail_seq < ((to) > HOLD -> ((to) - HOLD) / CHUNK : 0) ->
			held[tail_seq % PLACES] = 0;
			tail_seq++
		:: else -> break
		od
	}
}

proctype reader(byte total; byte looks; bool looks_at_write_pos)
{
	byte me = 1, pick, v, c, f, end, frames, to;
	byte held[PLACES];
	byte pos, head_seq, tail_seq, given;
	bool has, is_there;

	do
	:: pos < total ->
		if
		:: looks_at_write_pos && looks ->
			looks--;
			load(WRITE_POS, ACQUIRE, v);
			is_there = v > pos;
			v = 0
		:: true
		fi;
		read_begin(pos);
		if
		:: end ->
			to = pos + 1;
			if
			:: to < end -> to = end
			:: looks && to == end -> looks--; to = pos
			:: looks && to < end -> looks--
			:: to == end
			fi;
			if
			:: the_reader_is_done_before_it_has_read ->
				read_done(to);
				read_payload(pos)
			:: else ->
				read_payload(pos);
				if
				:: HOLD && looks && pos && to != pos ->
					looks--;
					read_begin(pos - 1);
					if
					:: end -> read_payload(pos - 1)
					:: else
					fi
				:: true
				fi;
				read_done(to)
			fi;
			pos = to;
			to = 0;
			end = 0
		:: else ->
			assert(!is_there);
			if
			:: has -> has_news(FRAMES(c))
			:: !has -> has_news(SLOT(head_seq))
			fi
		fi;
		is_there = false;
		has = false;
		c = 0
	:: else -> break
	od;
	leave()
}

init {
	byte i, total, rewinds, looks;

	atomic {
		choose_mutant();
		for (i : 0 .. RING - 1) {
			initial(SLOT(i), 1)
		}
		i = 0;
		if
		:: total = 4 + 2 * HOLD; looks = 1
		:: total = 2 + HOLD; rewinds = 2
		:: total = 3; rewinds = 1; looks = 1
		fi;
		may_rewind = rewinds > 0;
		sees_write_pos = !may_rewind;
		run writer(total, rewinds);
		run reader(total, looks, sees_write_pos)
	}
}
