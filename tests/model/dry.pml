/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A playback that runs dry in the moment at which the program writes (plugin/io_handover.c,
 * io_playback_end.c, pcm_transfer.c): either the frames are played, or the program is told that
 * they were not taken.
 *
 *   write()          write_in_time() with hr_io_set_appl_pos()
 *   too_late()       hr_io_too_late() with hr_stream_read_pos()
 *   feed()           hr_playback_feed()
 *   declare_dry()    hr_io_declare_dry(), in device_xrun(); hr_playback_underrun()
 *                    follows, or start_again()
 *
 * Checked: when all is over, what the program believes to be taken is what the device got,
 * and nothing else is left in the stream; who was told of an xrun has one.
 *
 * Abstracted: reading and rewinding the stream are one step each (stream.pml has them); how
 * much write_pos the I/O thread sees is not. The device may run dry whenever it has played
 * all that it got, also before it is fed again. No silence is played, and no
 * write is overdue: that one waits for the I/O thread before too_late().
 *
 * Sizes: writes.
 */
#define dry_is_declared_by_a_release_only MUTANT(1)
#define the_thread_looks_at_appl_pos_by_an_acquire_only MUTANT(2)
#define appl_pos_is_stored_by_a_release_only MUTANT(3)
#define the_program_looks_at_the_fault_by_an_acquire_only MUTANT(4)
#define the_thread_does_not_look_again_once_it_has_declared MUTANT(5)
#define the_program_takes_dry_for_an_xrun_as_it_stands MUTANT(6)
#define the_thread_takes_dry_back_though_the_program_was_first MUTANT(7)
#define frames_that_are_too_late_stay_in_the_stream MUTANT(8)
#define frames_that_the_device_took_are_taken_back MUTANT(9)
#define the_program_looks_at_the_fault_before_it_moves MUTANT(10)
#define the_thread_latches_the_xrun_at_once MUTANT(11)
#define frames_that_wait_from_before_make_no_difference MUTANT(12)

#define WRITES (SIZE + 1)

#define THREADS 2
#define APPL 0
#define FAULT 1
#define WRITE_POS 2
#define READ_POS 3
#define LOCATIONS 4
#define PLAINS 1
#define KEPT 12
#include "memory.pml"

#define NONE 0
#define DRY 1
#define XRUN 2

byte written, taken;		/* the stream's ends */
byte believed;			/* the program's: what was taken of it */
bool told_late, has_ended;

/* late: the answer, for what was written from `before` on. */
inline too_late()
{
	load(FAULT, OR_IF(the_program_looks_at_the_fault_by_an_acquire_only, ACQUIRE, SEQ_CST),
	     v);
	late = (v == XRUN);
	if
	:: v == DRY && the_program_takes_dry_for_an_xrun_as_it_stands -> late = true
	:: v == DRY && !the_program_takes_dry_for_an_xrun_as_it_stands ->
		load(READ_POS, ACQUIRE, was)
	:: else
	fi;
	if
	:: v == DRY && !late &&
	   (was >= before || frames_that_wait_from_before_make_no_difference) ->
		compare_exchange(FAULT, v, XRUN, SEQ_CST, SEQ_CST, late);
		late = late || v == XRUN
	:: else
	fi;
	told_late = late;
	v = 0;
	was = 0
}

inline set_appl_pos(pos)
{
	store(APPL, pos, OR_IF(appl_pos_is_stored_by_a_release_only, RELEASE, SEQ_CST))
}

proctype program()
{
	byte me = 0, pick, v, was, before, n;
	bool late;

	do
	:: n < WRITES && !late ->
		n++;
		before = believed;
		atomic {
			written++;
			store(WRITE_POS, written, RELEASE)
		}
		if
		:: the_program_looks_at_the_fault_before_it_moves -> too_late()
		:: else
		fi;
		set_appl_pos(before + 1);
		if
		:: !the_program_looks_at_the_fault_before_it_moves -> too_late()
		:: else
		fi;
		believed = before + 1;
		if
		:: late ->
			atomic {
				if
				:: frames_that_are_too_late_stay_in_the_stream -> believed = before
				:: frames_that_the_device_took_are_taken_back ->
					written = before;
					believed = before
				:: else ->
					written = (taken > before -> taken : before);
					believed = written
				fi;
				store(WRITE_POS, written, RELEASE)
			}
			set_appl_pos(believed)
		:: else
		fi
	:: else -> break
	od;
	has_ended = true;
	leave()
}

inline feed()
{
	load(WRITE_POS, ACQUIRE, v);
	atomic {
		v = (v > written -> written : v);
		if
		:: v > taken ->
			taken = v;
			store(READ_POS, taken, RELEASE)
		:: else
		fi;
		v = 0
	}
}

/* dry: the answer. */
inline declare_dry()
{
	store(FAULT, OR_IF(the_thread_latches_the_xrun_at_once, XRUN, DRY),
	      OR_IF(dry_is_declared_by_a_release_only, RELEASE, SEQ_CST));
	load(APPL, OR_IF(the_thread_looks_at_appl_pos_by_an_acquire_only, ACQUIRE, SEQ_CST), v);
	dry = (v <= taken || the_thread_does_not_look_again_once_it_has_declared);
	v = DRY;
	if
	:: !dry && the_thread_takes_dry_back_though_the_program_was_first ->
		store(FAULT, NONE, SEQ_CST)
	:: !dry && !the_thread_takes_dry_back_though_the_program_was_first ->
		compare_exchange(FAULT, v, NONE, SEQ_CST, SEQ_CST, went_on);
		dry = !went_on
	:: else
	fi;
	assert(dry || !told_late);
	v = 0;
	went_on = false
}

proctype io()
{
	byte me = 1, pick, v, was;
	bool dry, went_on;

	do
	:: !dry ->
		feed();
		if
		:: true ->		/* all of it is played by now */
			load(WRITE_POS, ACQUIRE, v);
			if
			:: v <= taken -> declare_dry()
			:: else
			fi;
			v = 0
		:: has_news(WRITE_POS)
		fi
	:: else -> break
	od;
	skip;
	store(FAULT, XRUN, SEQ_CST);
	leave();
	has_ended ->
	assert(believed == taken && written == taken)
}

init {
	atomic {
		choose_mutant();
		run program();
		run io()
	}
}
