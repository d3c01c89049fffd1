/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Every scenario on the virtual card and through headroom on it, one Check test each.
 */
#include <check.h>
#include <stdlib.h>

#include "tests/contract/contract.h"
#include "tests/pcm_rig.h"

#define PERIOD 480
#define BUFFER 9600

static struct rig rig;

static int open_card(struct device *device, snd_pcm_t **pcmp, snd_pcm_stream_t stream)
{
	const char *through = device->data;
	int err;

	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
	rig.frame_bytes = 4;
	err = through ? rig_try_open_headroom(&rig, stream, 0, "", through) :
			rig_try_open(&rig, stream, 0, "");
	*pcmp = rig.pcm;
	return err;
}

static void close_card(struct device *device, snd_pcm_t *pcm)
{
	(void)device;
	(void)pcm;		/* the rig's own */
	pcm_rig_finish(&rig);
}

static void suspend_card(struct device *device)
{
	(void)device;
	RIG_COMMAND(&rig, suspends, 1);
}

static void refuse_resume(struct device *device)
{
	(void)device;
	RIG_COMMAND(&rig, resume_errno, 38);
}

static void hold_card(struct device *device, bool still)
{
	(void)device;
	RIG_COMMAND(&rig, still, still);
}

static void lose_card(struct device *device)
{
	(void)device;
	RIG_COMMAND(&rig, lost, 1);
}

static int16_t *heard_of_card(struct device *device, size_t *n_frames)
{
	uint8_t *data = rig_slurp(rig.heard, n_frames);

	(void)device;
	*n_frames /= 4;
	return (int16_t *)(void *)data;
}

#define CARD(name, through) { \
	.label = name, .data = through, .open = open_card, .close = close_card, \
	.suspend = suspend_card, .refuse_resume = refuse_resume, \
	.stand_still = hold_card, .lose = lose_card, .heard = heard_of_card, \
}

START_TEST(headroom_is_as_the_bare_card)
{
	static char options[] = "depth_ms 0";
	struct device bare = CARD("card", NULL);
	struct device through = CARD("headroom", options);
	const struct scenario *scenario = scenario_at((size_t)_i);

	if (!device_can(&bare, scenario))
		return;		/* on the cards of a kernel, then: pair.c */
	ck_assert_msg(scenario_agrees(scenario, &bare, &through, PERIOD, BUFFER, stdout),
		      "%s", scenario->name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contract");
	TCase *tcase = tcase_create("scenarios");
	int n = 0;

	while (scenario_at((size_t)n))
		n++;
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, headroom_is_as_the_bare_card, 0, n);
	suite_add_tcase(suite, tcase);
	return pcm_rig_run(suite);
}
