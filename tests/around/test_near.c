/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * How programs choose their parameters: whatever they ask for by the *_near calls, in
 * whatever order, they get what the bare card would have given them, and it installs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pcm_rig.h"

#define N_REQUESTS 1500		/* for each direction */
#define INSTALL_EACH 25

static struct rig bare, through;
static uint32_t seed;

static const char *const cards[] = {
	"",
	"formats [ S16_LE S32_LE ] rates [ 44100 48000 96000 ] channels_min 2 channels_max 8 "
	"period_min 32 period_max 4096 buffer_max 16384 periods_max 32",
};

static void set_up(void)
{
	pcm_rig_init(&bare);
	pcm_rig_init(&through);
	seed = 1;
}

static void tear_down(void)
{
	pcm_rig_finish(&through);
	pcm_rig_finish(&bare);
}

static uint32_t any_of(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Evenly over the orders of magnitude. */
static uint32_t any_size(void)
{
	return 1u + any_of(1u << (1 + any_of(20)));
}

enum step { FORMAT, RATE, CHANNELS, PERIOD, PERIOD_TIME, BUFFER, BUFFER_TIME, PERIODS,
	    N_STEPS };

struct request {
	unsigned int n;
	struct {
		enum step step;
		uint32_t value;
	} steps[N_STEPS];
};

static uint32_t any_value(enum step step)
{
	static const unsigned int rates[] = { 8000, 11025, 44100, 48000, 96000, 192000 };

	switch (step) {
	case FORMAT:
		return any_of(SND_PCM_FORMAT_FLOAT64_LE + 1);
	case RATE:
		return any_of(2) ? rates[any_of(N_OF(rates))] : 1 + any_of(400000);
	case CHANNELS:
	case PERIODS:
		return 1 + any_of(40);
	default:
		return any_size();
	}
}

static void make_request(struct request *request)
{
	unsigned int order[N_STEPS];

	for (unsigned int i = 0; i < N_STEPS; i++)
		order[i] = i;
	for (unsigned int i = N_STEPS - 1; i > 0; i--) {
		unsigned int j = any_of(i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
	request->n = 1 + any_of(N_STEPS);
	for (unsigned int i = 0; i < request->n; i++) {
		request->steps[i].step = (enum step)order[i];
		request->steps[i].value = any_value((enum step)order[i]);
	}
}

/* One step; *value becomes what it led to. */
static int take(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, enum step step, uint32_t *value)
{
	snd_pcm_uframes_t frames = *value;
	int err = -EINVAL;

	switch (step) {
	case FORMAT:
		return snd_pcm_hw_params_set_format(pcm, hw, (snd_pcm_format_t)*value);
	case RATE:
		return snd_pcm_hw_params_set_rate_near(pcm, hw, value, NULL);
	case CHANNELS:
		return snd_pcm_hw_params_set_channels_near(pcm, hw, value);
	case PERIODS:
		return snd_pcm_hw_params_set_periods_near(pcm, hw, value, NULL);
	case PERIOD_TIME:
		return snd_pcm_hw_params_set_period_time_near(pcm, hw, value, NULL);
	case BUFFER_TIME:
		return snd_pcm_hw_params_set_buffer_time_near(pcm, hw, value, NULL);
	case PERIOD:
		err = snd_pcm_hw_params_set_period_size_near(pcm, hw, &frames, NULL);
		break;
	case BUFFER:
		err = snd_pcm_hw_params_set_buffer_size_near(pcm, hw, &frames);
		break;
	case N_STEPS:
		break;
	}
	*value = (uint32_t)frames;
	return err;
}

/* All that is left to choose from, as text. To be freed. */
static char *left_of(snd_pcm_hw_params_t *hw)
{
	snd_output_t *out;
	char *text, *copy;
	size_t size;

	ck_assert_int_eq(snd_output_buffer_open(&out), 0);
	ck_assert_int_eq(snd_pcm_hw_params_dump(hw, out), 0);
	size = snd_output_buffer_string(out, &text);
	copy = strndup(text, size);
	ck_assert_ptr_nonnull(copy);
	snd_output_close(out);
	return copy;
}

/* Both have the same left to choose from. False if that is nothing: some calls of
 * alsa-lib succeed with that, and the next would abort the program. */
static bool have_same_left(snd_pcm_hw_params_t *hw_bare, snd_pcm_hw_params_t *hw_through)
{
	char *a = left_of(hw_bare), *b = left_of(hw_through);
	bool something = !strstr(a, "NONE");

	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	return something;
}

/* Put one request to both. Returns whether it was granted as a whole. */
static bool compare(const struct request *request, snd_pcm_hw_params_t *hw_bare,
		    snd_pcm_hw_params_t *hw_through)
{
	ck_assert_int_ge(snd_pcm_hw_params_any(bare.pcm, hw_bare), 0);
	ck_assert_int_ge(snd_pcm_hw_params_any(through.pcm, hw_through), 0);
	ck_assert(have_same_left(hw_bare, hw_through));
	for (unsigned int i = 0; i < request->n; i++) {
		uint32_t asked = request->steps[i].value, got[2] = { asked, asked };
		enum step step = request->steps[i].step;
		int err[2] = { take(bare.pcm, hw_bare, step, &got[0]),
			       take(through.pcm, hw_through, step, &got[1]) };

		ck_assert_msg(err[0] == err[1] && (err[0] < 0 || got[0] == got[1]),
			      "step %u of %u, kind %d, %u: the card %u (%d), headroom %u (%d)",
			      i, request->n, (int)step, asked, got[0], err[0], got[1], err[1]);
		if (err[0] < 0)
			return false;	/* what is left is undefined */
		if (!have_same_left(hw_bare, hw_through))
			return false;
	}
	return true;
}

/* Settle what the request left open, as a program does before it installs. */
static int settle(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw)
{
	snd_pcm_uframes_t buffer = 4096, period = 1024;
	unsigned int rate = 48000, channels = 2;
	snd_pcm_format_t format;
	int err;

	if ((err = snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED)) < 0 ||
	    (err = snd_pcm_hw_params_set_format_first(pcm, hw, &format)) < 0 ||
	    (err = snd_pcm_hw_params_set_channels_near(pcm, hw, &channels)) < 0 ||
	    (err = snd_pcm_hw_params_set_rate_near(pcm, hw, &rate, NULL)) < 0 ||
	    (err = snd_pcm_hw_params_set_buffer_size_near(pcm, hw, &buffer)) < 0 ||
	    (err = snd_pcm_hw_params_set_period_size_near(pcm, hw, &period, NULL)) < 0)
		return err;
	return 0;
}

START_TEST(near_calls_choose_what_the_card_would_have_chosen)
{
	snd_pcm_stream_t stream = _i % 2 ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK;
	snd_pcm_hw_params_t *hw_bare, *hw_through;
	unsigned int installed = 0;

	snd_pcm_hw_params_alloca(&hw_bare);
	snd_pcm_hw_params_alloca(&hw_through);
	ck_assert_int_eq(rig_try_open(&bare, stream, 0, cards[_i / 2]), 0);
	ck_assert_int_eq(rig_try_open_headroom(&through, stream, 0, cards[_i / 2],
					       "depth_ms 0"), 0);
	for (unsigned int n = 0; n < N_REQUESTS; n++) {
		struct request request;
		int err[2];

		make_request(&request);
		if (!compare(&request, hw_bare, hw_through) || n % INSTALL_EACH)
			continue;
		err[0] = settle(bare.pcm, hw_bare);
		err[1] = settle(through.pcm, hw_through);
		ck_assert_int_eq(err[0], err[1]);
		if (err[0] < 0)
			continue;
		err[0] = snd_pcm_hw_params(bare.pcm, hw_bare);
		err[1] = snd_pcm_hw_params(through.pcm, hw_through);
		ck_assert_int_eq(err[0], err[1]);
		if (err[1] == 0)
			installed++;
		snd_pcm_hw_free(bare.pcm);
		snd_pcm_hw_free(through.pcm);
	}
	ck_assert_uint_ge(installed, N_REQUESTS / INSTALL_EACH / 6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("near");
	TCase *tcase = pcm_rig_case(suite, "near", set_up, tear_down);

	tcase_add_loop_test(tcase, near_calls_choose_what_the_card_would_have_chosen, 0,
			    2 * (int)N_OF(cards));
	return pcm_rig_run(suite);
}
