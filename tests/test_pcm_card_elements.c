/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The counters as elements of a card, on one that can be made to fail (fake_card.h): what
 * is on the card while a stream lives and after it, what others set there, and that a
 * card that refuses costs no sound and is left as it was found.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_card.h"
#include "tests/pcm_rig.h"

#define N_ELEMENTS 41u

/* As the names of the states count them. */
enum { CLOSED, OPEN, SETUP, PREPARED, RUNNING };

static struct rig rig;
static unsigned int n_lines;
static snd_ctl_t *other;		/* somebody else's handle of the card */

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

__attribute__((format(printf, 5, 6)))
static void count_line(const char *file, int line, const char *function, int err,
		       const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	n_lines += strstr(format, "headroom: ") != NULL;
}

static void set_up(void)
{
	pcm_rig_init(&rig);
	fake_card_reset();
	fake_card_put_streams_on(0);
	n_lines = 0;
	snd_lib_error_set_handler(count_line);
	ck_assert_int_eq(snd_ctl_open(&other, "hw:0", SND_CTL_NONBLOCK), 0);
}

static void tear_down(void)
{
	fake_card_fail(0, 0, false);
	pcm_rig_finish(&rig);
	ck_assert_uint_eq(fake_card_handles(), 1);
	snd_ctl_close(other);
}

static const char *full(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "Headroom Playback %s", name);
	return text;
}

static long on_card(const char *name)
{
	return fake_card_value(full(name), 0);
}

static int64_t counter(const char *name)
{
	return rig_counter(&rig, full(name));
}

/* The thread that writes them is not waited for. */
static void wait_on_card(const char *name, long value)
{
	while (on_card(name) != value)
		rig_sleep_ms(1);
}

static void wait_counter(const char *name, int64_t value)
{
	while (counter(name) != value)
		rig_sleep_ms(1);
}

/* The one of the stream before it. */
static void forget_config(void)
{
	if (rig.config)
		snd_config_delete(rig.config);
	rig.config = NULL;
}

static void open_with(const char *keys)
{
	forget_config();
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", keys, &stereo);
}

static void close_stream(void)
{
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
}

static int set_by_other(const char *name, long value)
{
	snd_ctl_elem_value_t *elem;

	snd_ctl_elem_value_alloca(&elem);
	snd_ctl_elem_value_set_interface(elem, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_value_set_name(elem, full(name));
	snd_ctl_elem_value_set_integer(elem, 0, value);
	return snd_ctl_elem_write(other, elem);
}

static void play_some(void)
{
	uint8_t *data = rig_noise(&rig, 9600, 5);

	rig_write(&rig, data, 9600, 480);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 9600);
	free(data);
}

/* ---- while it lives, and after ---- */

START_TEST(a_stream_is_on_its_card_as_long_as_it_lives)
{
	open_with("card_elements yes");
	ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
	wait_on_card("State", PREPARED);
	wait_on_card("Rate", 48000);
	ck_assert(fake_card_is_locked(full("State"), 0));
	ck_assert(!fake_card_is_locked(full("Trigger"), 0));
	ck_assert_int_eq(set_by_other("Rate", 1), -EPERM);
	play_some();
	wait_on_card("Frames", 9600);
	close_stream();
	ck_assert_uint_eq(fake_card_count(), 0);
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(a_second_stream_has_a_place_of_its_own)
{
	snd_pcm_t *first;

	open_with("card_elements yes");
	first = rig.pcm;
	open_with("card_elements yes");
	ck_assert_uint_eq(fake_card_count(), 2 * N_ELEMENTS);
	ck_assert_int_ne(fake_card_value(full("State"), 1), -1);
	ck_assert_int_eq(snd_pcm_close(first), 0);
	ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
	ck_assert_int_eq(fake_card_value(full("State"), 0), -1);
}
END_TEST

START_TEST(what_is_kept_is_taken_over_in_its_place)
{
	unsigned int numid;

	open_with("card_elements keep");
	play_some();
	close_stream();
	ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
	ck_assert_int_eq(on_card("State"), CLOSED);
	ck_assert_int_eq(on_card("Frames"), 9600);
	ck_assert(!fake_card_is_locked(full("State"), 0));
	numid = fake_card_numid(full("State"), 0);
	open_with("card_elements keep");
	ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
	ck_assert_uint_eq(fake_card_numid(full("State"), 0), numid);
	ck_assert(fake_card_is_locked(full("State"), 0));
	wait_on_card("State", PREPARED);
}
END_TEST

static void info_of(snd_ctl_elem_info_t *info, const char *name)
{
	snd_ctl_elem_info_clear(info);
	snd_ctl_elem_info_set_interface(info, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_info_set_name(info, full(name));
}

static void plant(const char *name, int kind)
{
	static const char *const items[] = { "Open", "Closed", "c", "d", "e", "f", "g", "h",
					     "i", "j" };
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	info_of(info, name);
	if (kind == 0)
		ck_assert_int_eq(snd_ctl_add_boolean_elem_set(other, info, 1, 1), 0);
	else if (kind == 1)
		ck_assert_int_eq(snd_ctl_add_integer_elem_set(other, info, 1, 1, 0, 7, 0), 0);
	else
		ck_assert_int_eq(snd_ctl_add_enumerated_elem_set(other, info, 1, 1,
				 kind == 2 ? 9 : 10, items), 0);
	snd_ctl_elem_info_get_id(info, id);
	ck_assert_int_eq(snd_ctl_elem_unlock(other, id), 0);
}

/* Nobody has them any more: an older version's, or another program's. */
START_TEST(what_is_of_another_kind_is_made_anew)	/* _i: which kind */
{
	static const char *const names[] = { "State", "Healthy", "Fill" };
	unsigned int numids[3];
	snd_ctl_elem_info_t *info;

	snd_ctl_elem_info_alloca(&info);
	for (size_t i = 0; i < 3; i++) {
		plant(names[i], _i);
		numids[i] = fake_card_numid(full(names[i]), 0);
	}
	open_with("card_elements yes");
	ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
	for (size_t i = 0; i < 3; i++) {
		bool is_alike = i == 1 && _i == 0;	/* a boolean is as good as ours */

		ck_assert_int_eq(fake_card_numid(full(names[i]), 0) == numids[i], is_alike);
	}
	info_of(info, "State");
	ck_assert_int_eq(snd_ctl_elem_info(other, info), 0);
	ck_assert_int_eq(snd_ctl_elem_info_get_type(info), SND_CTL_ELEM_TYPE_ENUMERATED);
	ck_assert_str_eq(snd_ctl_elem_info_get_item_name(info), "Closed");
}
END_TEST

/* ---- what others set ---- */

START_TEST(what_is_set_on_the_card_is_the_streams)
{
	open_with("card_elements yes");
	ck_assert_int_eq(on_card("Trigger"), 90);
	ck_assert_int_eq(set_by_other("Trigger", 80), 0);
	wait_counter("Trigger", 80);
	ck_assert_int_eq(counter("Clear"), 70);
	ck_assert_int_eq(set_by_other("Trigger", 50), 0);	/* takes clear along */
	wait_counter("Trigger", 50);
	wait_on_card("Clear", 49);
	ck_assert_int_eq(set_by_other("Clear", 60), 0);
	wait_counter("Clear", 60);
	wait_on_card("Trigger", 61);
	play_some();
	wait_counter("Frames", 9600);
	ck_assert_int_eq(set_by_other("Reset", 1), 0);
	wait_counter("Frames", 0);
	wait_on_card("Reset", 0);
}
END_TEST

START_TEST(what_is_set_in_between_counts_for_the_next_stream)
{
	open_with("card_elements keep");
	play_some();
	close_stream();
	ck_assert_int_eq(set_by_other("Trigger", 66), 0);
	ck_assert_int_eq(set_by_other("Clear", 33), 0);
	ck_assert_int_eq(set_by_other("Reset", 1), 0);
	open_with("card_elements keep");
	ck_assert_int_eq(counter("Trigger"), 66);
	ck_assert_int_eq(counter("Clear"), 33);
	ck_assert_int_eq(counter("Frames"), 0);
	wait_on_card("Reset", 0);
}
END_TEST

/* The last word counts: here the control device's, that the card has not seen. */
START_TEST(what_is_set_on_the_control_device_is_shown_on_the_card)
{
	snd_ctl_elem_value_t *elem;
	snd_ctl_t *ctl;

	open_with("card_elements yes");
	snd_ctl_elem_value_alloca(&elem);
	snd_ctl_elem_value_set_interface(elem, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_value_set_name(elem, full("Trigger"));
	snd_ctl_elem_value_set_integer(elem, 0, 85);
	ck_assert_int_eq(snd_ctl_open_lconf(&ctl, "x", 0, rig.config), 0);
	ck_assert_int_eq(snd_ctl_elem_write(ctl, elem), 1);
	snd_ctl_close(ctl);
	play_some();
	wait_on_card("Trigger", 85);
	ck_assert_int_eq(counter("Trigger"), 85);
}
END_TEST

START_TEST(an_element_that_somebody_removes_is_done_without)
{
	snd_ctl_elem_id_t *id;

	open_with("card_elements yes");
	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_id_set_name(id, full("Trigger"));
	ck_assert_int_eq(snd_ctl_elem_remove(other, id), 0);
	play_some();
	wait_on_card("Frames", 9600);
	ck_assert_int_eq(on_card("Trigger"), -1);
	close_stream();
	ck_assert_uint_eq(fake_card_count(), 0);
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

/* ---- a card that refuses ---- */

/* Its driver waits until nobody has it open. */
START_TEST(a_card_that_is_gone_is_let_go_of)
{
	open_with("card_elements yes");
	fake_card_fail(1, ENODEV, true);
	play_some();
	while (fake_card_handles() != 1)
		rig_sleep_ms(1);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	close_stream();
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

static const struct { int error; const char *keys; } refusals[] = {
	{ ENOMEM, "card_elements yes" },
	{ EBUSY, "card_elements yes" },
	{ ENODEV, "card_elements keep" },
};

/* One attempt in which the request fails, of which there may be fewer. True if the
 * elements were made all the same. */
static bool open_failing(unsigned int request, int error, const char *keys, bool for_ever)
{
	bool is_made;

	n_lines = 0;
	forget_config();
	fake_card_fail(request, error, for_ever);
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", keys), 0);
	fake_card_fail(0, 0, false);
	is_made = n_lines == 0;
	ck_assert_uint_eq(n_lines, is_made ? 0 : 1);
	return is_made;
}

static unsigned int requests_of_open(void)
{
	unsigned int before = fake_card_requests(), n;

	ck_assert(open_failing(0, 0, "card_elements yes", false));
	n = fake_card_requests() - before;
	close_stream();
	return n;
}

/* Each request of open, one after the other; some can be done without. */
START_TEST(a_refusal_leaves_the_card_as_it_was)		/* _i: of refusals */
{
	unsigned int n = requests_of_open(), n_refused = 0;

	for (unsigned int request = 1; request <= n; request++) {
		if (open_failing(request, refusals[_i].error, refusals[_i].keys, false)) {
			close_stream();
			fake_card_reset();
			continue;
		}
		n_refused++;
		/* A card that is gone cannot be cleared up. */
		if (refusals[_i].error != ENODEV)
			ck_assert_msg(fake_card_count() == 0, "%u elements after request %u of %u",
				      fake_card_count(), request, n);
		close_stream();
		fake_card_reset();
	}
	ck_assert_uint_gt(n_refused, N_ELEMENTS);
}
END_TEST

/* Whoever uses them is not in anybody's way: what was there before stays, free. */
START_TEST(a_refusal_leaves_what_was_kept)
{
	unsigned int n;

	open_with("card_elements keep");
	close_stream();
	n = fake_card_requests();
	open_with("card_elements keep");
	n = fake_card_requests() - n;
	close_stream();
	for (unsigned int request = 1; request <= n; request += 3) {
		open_failing(request, ENOMEM, "card_elements keep", false);
		close_stream();
		ck_assert_uint_eq(fake_card_count(), N_ELEMENTS);
		ck_assert(!fake_card_is_locked(full("State"), 0));
		ck_assert(!fake_card_is_locked(full("Buffer"), 0));
	}
}
END_TEST

START_TEST(sound_goes_on_without_elements)		/* _i: for ever, or not there */
{
	if (_i)
		fake_card_put_streams_on(7);
	ck_assert(!open_failing(_i ? 0 : 1, EACCES, "card_elements yes", true));
	rig_install(&rig, &stereo);
	play_some();
	ck_assert_uint_eq(fake_card_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("card elements");
	TCase *tcase = pcm_rig_case(suite, "life", set_up, tear_down);

	tcase_add_test(tcase, a_stream_is_on_its_card_as_long_as_it_lives);
	tcase_add_test(tcase, a_second_stream_has_a_place_of_its_own);
	tcase_add_test(tcase, what_is_kept_is_taken_over_in_its_place);
	tcase_add_loop_test(tcase, what_is_of_another_kind_is_made_anew, 0, 4);
	tcase = pcm_rig_case(suite, "set by others", set_up, tear_down);
	tcase_add_test(tcase, what_is_set_on_the_card_is_the_streams);
	tcase_add_test(tcase, what_is_set_in_between_counts_for_the_next_stream);
	tcase_add_test(tcase, what_is_set_on_the_control_device_is_shown_on_the_card);
	tcase_add_test(tcase, an_element_that_somebody_removes_is_done_without);
	tcase = pcm_rig_case(suite, "refusals", set_up, tear_down);
	tcase_add_test(tcase, a_card_that_is_gone_is_let_go_of);
	tcase_add_loop_test(tcase, a_refusal_leaves_the_card_as_it_was, 0,
			    (int)N_OF(refusals));
	tcase_add_test(tcase, a_refusal_leaves_what_was_kept);
	tcase_add_loop_test(tcase, sound_goes_on_without_elements, 0, 2);
	return pcm_rig_run(suite);
}
