/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A playback that runs dry while the program writes: hr_io_too_late() against
 * hr_io_declare_dry(). tests/model/dry.pml has all that can happen between the two; here
 * the I/O thread is held at one of its steps by doing what it has done until then.
 */
#include <check.h>
#include <stdlib.h>
#include "plugin/io_thread.h"
#include "tests/suite.h"

static struct hr_io io;

static void set_up(void)
{
	struct hr_stream_config config = {
		.chunk_frames = 4, .frame_bytes = 2, .rate = 48000, .capacity_frames = 16,
	};

	io = (struct hr_io) { .io_wake.fd = -1, .app_wake.fd = -1 };
	ck_assert_int_eq(hr_stream_create(&io.stream, &config), 0);
}

static void tear_down(void)
{
	hr_stream_destroy(io.stream);
}

/* The program writes a frame. Returns whether it came too late. */
static bool write_too_late(void)
{
	uint64_t before = hr_stream_write_pos(io.stream);

	ck_assert_uint_gt(hr_stream_write_begin(io.stream, 0).frames, 0);
	hr_stream_write_commit(io.stream, 1);
	hr_io_set_appl_pos(&io, before + 1, before + 1);
	return hr_io_too_late(&io, before);
}

/* The I/O thread has declared the stream dry and not looked at appl_pos yet. */
static void stand_in_declaration(void)
{
	atomic_store_explicit(&io.fault, HR_FAULT_DRY, memory_order_seq_cst);
}

START_TEST(what_is_written_before_the_declaration_is_in_time)
{
	ck_assert(!write_too_late());
	ck_assert(!hr_io_declare_dry(&io));
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_NONE);
}
END_TEST

START_TEST(what_is_written_after_the_declaration_is_too_late)
{
	ck_assert(hr_io_declare_dry(&io));
	ck_assert(write_too_late());
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_XRUN);
}
END_TEST

START_TEST(who_comes_first_during_the_declaration_decides)
{
	stand_in_declaration();
	ck_assert(write_too_late());
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_XRUN);
}
END_TEST

/* The first was in time, and so the thread will find it: a second write that ends the
 * stream would lose it. */
START_TEST(a_second_write_during_the_declaration_does_not_lose_the_first)
{
	ck_assert(!write_too_late());
	stand_in_declaration();
	ck_assert(!write_too_late());
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_DRY);
	ck_assert(!hr_io_declare_dry(&io));
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_NONE);
}
END_TEST

START_TEST(a_write_during_the_declaration_after_all_was_taken_is_too_late)
{
	ck_assert(!write_too_late());
	io.taken = 1;
	ck_assert_uint_eq(hr_stream_read_begin(io.stream, 0, 0).frames, 1);
	hr_stream_read_done(io.stream, 1, 0);
	stand_in_declaration();
	ck_assert(write_too_late());
	ck_assert_int_eq(atomic_load(&io.fault), HR_FAULT_XRUN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io_dry");
	TCase *tcase = tcase_create("dry");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_is_written_before_the_declaration_is_in_time);
	tcase_add_test(tcase, what_is_written_after_the_declaration_is_too_late);
	tcase_add_test(tcase, who_comes_first_during_the_declaration_decides);
	tcase_add_test(tcase, a_second_write_during_the_declaration_does_not_lose_the_first);
	tcase_add_test(tcase, a_write_during_the_declaration_after_all_was_taken_is_too_late);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
