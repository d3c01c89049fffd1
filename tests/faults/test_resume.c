/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A card that is suspended and cannot be resumed, or will not. Of a virtual card alsa-lib
 * says each time that it was; here it is as a kernel's: an error, and for the one kind
 * (most of HDA) nothing in the hardware parameters that announces a resume.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "tests/faults/account.h"

#define FIRST 9600u

static bool is_opening, announces;
static unsigned int n_refused;

/* What is hidden by the functions below. */
static int call_real(const char *name, const void *what)
{
	union {
		void *symbol;
		int (*function)(const void *);
	} real = { .symbol = dlsym(RTLD_NEXT, name) };

	ck_assert_ptr_nonnull(real.symbol);
	return real.function(what);
}

/* Called by headroom for its slave while it opens it, and by the tests. */
int snd_pcm_hw_params_can_resume(const snd_pcm_hw_params_t *params)
{
	return is_opening && !announces ? 0 : call_real("snd_pcm_hw_params_can_resume", params);
}

int snd_pcm_resume(snd_pcm_t *pcm)
{
	if (pcm == account.rig.pcm)
		return call_real("snd_pcm_resume", pcm);
	n_refused++;
	return -ENOSYS;
}

static bool can_resume(void)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(account.rig.pcm, hw), 0);
	return snd_pcm_hw_params_can_resume(hw);
}

/* _i: capture; announces */
static void open_card(int i)
{
	announces = i / 2 % 2;
	is_opening = true;
	n_refused = 0;
	account_open_only(i % 2 ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK, "", "");
	is_opening = false;
	ck_assert_int_eq(can_resume(), announces);
	account_install(480, 9600);
}

static void suspend(unsigned int n)
{
	RIG_COMMAND(&account.rig, suspends, n);
	rig_wait_state(&account.rig, SND_PCM_STATE_SUSPENDED);
}

/* alsa-lib lets no error through: what the program does next must work. */
START_TEST(a_stream_whose_card_does_not_resume_is_prepared_anew)
{
	open_card(_i);
	ck_assert_int_eq(account_go_on(account.playback ? FIRST : 1), 0);
	for (unsigned int n = 1; n <= 3; n++) {
		suspend(n);
		ck_assert_int_eq(snd_pcm_resume(account.rig.pcm), 0);
		ck_assert_uint_eq(n_refused, n);
		ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_PREPARED);
		ck_assert_int_eq(account_go_on(account.playback ? FIRST * (n + 1) :
					       account.next + 1000), 0);
	}
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
	account_close();
}
END_TEST

START_TEST(what_can_be_resumed_is_announced_anew_after_each_setup)
{
	open_card(_i);
	ck_assert_int_eq(snd_pcm_hw_free(account.rig.pcm), 0);
	ck_assert_int_eq(can_resume(), announces);
	account_install(480, 9600);
	ck_assert_int_eq(snd_pcm_hw_free(account.rig.pcm), 0);
	ck_assert_int_eq(can_resume(), announces);
}
END_TEST

/* Before it was started, too. */
START_TEST(a_prepared_stream_is_prepared_anew)
{
	open_card(_i);
	account.waits = true;
	if (account.playback)
		ck_assert_int_eq(account_go_on(480), 0);
	RIG_COMMAND(&account.rig, suspends, 1);
	ck_assert_int_eq(snd_pcm_start(account.rig.pcm), -ESTRPIPE);
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_SUSPENDED);
	ck_assert_int_eq(snd_pcm_resume(account.rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_state(account.rig.pcm), SND_PCM_STATE_PREPARED);
	account.waits = false;
	ck_assert_int_eq(account_go_on(account.playback ? 960 : 480), 0);
	if (account.playback)
		ck_assert_int_eq(account_drain(), 0);
	account_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resume");
	TCase *tcase = pcm_rig_case(suite, "resume", account_set_up, account_tear_down);

	tcase_add_loop_test(tcase, a_stream_whose_card_does_not_resume_is_prepared_anew, 0, 4);
	tcase_add_loop_test(tcase, what_can_be_resumed_is_announced_anew_after_each_setup, 0, 4);
	tcase_add_loop_test(tcase, a_prepared_stream_is_prepared_anew, 0, 4);
	return pcm_rig_run(suite);
}
