/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/silence.h"

#include <string.h>

void hr_silence_reset(struct hr_silence *silence)
{
	memset(silence, 0, sizeof(*silence));
}

void hr_silence_add(struct hr_silence *s, uint64_t at, uint64_t frames)
{
	if (s->n_gaps) {
		uint64_t end = s->gap[s->n_gaps - 1].at + s->gap[s->n_gaps - 1].frames;

		/* Full: the newest two become one, the program's frames between them
		 * count as played that much later. */
		if (end == at || s->n_gaps == HR_SILENCE_GAPS) {
			s->gap[s->n_gaps - 1].frames += frames;
			return;
		}
	}
	s->gap[s->n_gaps].at = at;
	s->gap[s->n_gaps].frames = frames;
	s->n_gaps++;
}

uint64_t hr_silence_program_frames(struct hr_silence *s, uint64_t played)
{
	while (s->n_gaps && s->gap[0].at + s->gap[0].frames <= played) {
		s->before += s->gap[0].frames;
		s->n_gaps--;
		memmove(&s->gap[0], &s->gap[1], s->n_gaps * sizeof(s->gap[0]));
	}
	if (s->n_gaps && s->gap[0].at < played)
		return s->gap[0].at - s->before;	/* in the midst of a gap */
	return played - s->before;
}

uint64_t hr_silence_since(const struct hr_silence *s, uint64_t handed)
{
	if (!s->n_gaps)
		return handed;
	return handed - s->gap[s->n_gaps - 1].at - s->gap[s->n_gaps - 1].frames;
}
