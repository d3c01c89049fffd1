/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/episodes.h"

#include <stdio.h>

#include "core/episodes.h"

static bool may_be(const struct card *card, const struct hr_episode *episode,
		   unsigned int befell)
{
	bool of_card = befell & ~(unsigned int)BEFELL_HOLD;

	switch (episode->cause) {
	case HR_CAUSE_PROGRAM:
		/* A card that is away or lost was nobody else's doing; and a player that was
		 * late is told, unless its stream goes on or it goes back. */
		return episode->kind != HR_EPISODE_AWAY && episode->kind != HR_EPISODE_LOST &&
		       (episode->kind != HR_EPISODE_DEVICE || befell ||
			!card->plan->playback || card->may_dodge);
	case HR_CAUSE_SCHEDULER:
		/* One that the card has not woken is late like one without a processor. A
		 * recording card that fails by itself may do so as if it had been left alone
		 * for as long as its buffer lasts. */
		return befell & (BEFELL_HOLD | BEFELL_SLOW | BEFELL_MUTE) ||
		       (of_card && !card->plan->playback);
	case HR_CAUSE_DEVICE:
		/* Nor is it known which of them it was when the thread is back. */
		return of_card || (befell && !card->plan->playback);
	case HR_CAUSE_NONE:
		break;
	}
	return false;
}

bool episodes_agree(struct card *card, const struct counters *more, unsigned int befell,
		    bool *knownp, char *why, size_t why_bytes)
{
	struct hr_episode episodes[HR_EPISODES_KEPT];
	uint64_t all = hr_page_count_episodes(card->page), came = all - card->episodes;
	uint32_t n = hr_page_get_episodes(card->page, episodes);
	struct hr_episode last = { .kind = HR_EPISODE_XRUN };
	uint64_t frames = 0;

	card->episodes = all;
	*knownp = came <= n;
	if (!*knownp)
		return true;
	for (uint32_t i = n - (uint32_t)came; i < n; i++) {
		frames += episodes[i].frames;
		if (!may_be(card, &episodes[i], befell)) {
			snprintf(why, why_bytes, "%s, %llu frames, by %s: what befell does not "
				 "explain it", hr_episode_kind_name(episodes[i].kind),
				 (unsigned long long)episodes[i].frames,
				 hr_cause_name(episodes[i].cause));
			return false;
		}
	}
	if (frames != more->dropped + more->silence) {
		snprintf(why, why_bytes, "%llu frames in %llu episodes, %llu counted",
			 (unsigned long long)frames, (unsigned long long)came,
			 (unsigned long long)(more->dropped + more->silence));
		return false;
	}
	/* It may have been set since by an xrun of the card in a stream that was over. */
	last.cause = (enum hr_cause)hr_page_get(card->page, HR_STAT_XRUN_CAUSE);
	if ((came || more->device_xruns) && !may_be(card, &last, befell)) {
		snprintf(why, why_bytes, "Xrun Cause is %s: what befell does not explain it",
			 hr_cause_name(last.cause));
		return false;
	}
	return true;
}
