/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/away.h"

#include "core/clock.h"

const struct rig_params away_params = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = AWAY_RATE, .period = AWAY_STEP, .buffer = AWAY_BUFFER,
};

void away_let_stand(const struct rig *rig)
{
	uint32_t looks;

	RIG_COMMAND(rig, still, 1);
	looks = clocked_command_looks(rig->command_fd);
	/* One may be under way, and one be the last that has not been understood yet. */
	while (clocked_command_looks(rig->command_fd) - looks < 3)
		rig_sleep_ms(1);
}

static uint64_t since_ns(enum hr_direction direction)
{
	struct hr_episode episodes[HR_EPISODES_KEPT];
	uint32_t n = rig_episodes(direction, episodes);

	for (uint32_t i = 0; i < n; i++)
		if (episodes[i].kind == HR_EPISODE_AWAY)
			return episodes[i].begin_ns;
	return 0;
}

struct away away_read(const struct rig *rig, enum hr_direction direction)
{
	struct away away = { .since_ns = since_ns(direction) };
	unsigned long long frames = 0, along = 0, world_ns = 0;
	uint64_t seen = 0;

	/* One that never went has nothing of either. */
	(void)rig_log(rig, "stands", &frames, NULL);
	(void)rig_log(rig, direction == HR_PLAYBACK ? "unheard" : "unread", NULL, &along);
	(void)rig_log(rig, "world", NULL, &world_ns);
	if (away.since_ns > world_ns)
		seen = hr_ns_to_frames(away.since_ns - world_ns, AWAY_RATE);
	away.frames = frames;
	away.along = along;
	away.unseen = frames > seen ? frames - seen : 0;
	return away;
}
