/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define PATH_BYTES 128

static void counters_path(const struct rig *rig, char path[static PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/counters", rig->dir);
}

void pcm_rig_init(struct rig *rig)
{
	char path[PATH_BYTES];

	rig_init(rig);
	counters_path(rig, path);
	ck_assert_int_eq(setenv("HEADROOM_DIR", path, 1), 0);
}

static int remove_one(const char *path, const struct stat *stat, int kind,
		      struct FTW *ftw)
{
	(void)stat;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* What a page has counted as lost or invented is what its episodes have. */
static void assert_account_of(const char *name, enum hr_direction direction, uint32_t slot)
{
	struct hr_episode episodes[HR_EPISODES_KEPT];
	struct hr_health_snapshot snapshot;
	uint64_t frames = 0, counted;
	struct hr_page *page;
	uint32_t n;

	if (hr_page_attach(&page, HR_PAGE_OWN, name, direction, slot) < 0)
		return;
	hr_health_get_snapshot(hr_page_health_const(page), 0, &snapshot, 0);
	counted = snapshot.frames_dropped + snapshot.frames_silence;
	n = hr_page_get_episodes(page, episodes);
	for (uint32_t i = 0; i < n; i++)
		frames += episodes[i].frames;
	if (hr_page_count_episodes(page) <= HR_EPISODES_KEPT && frames != counted)
		ck_abort_msg("%s.%d.%u: %llu frames in %u episodes, %llu counted", name,
			     (int)direction, slot, (unsigned long long)frames, n,
			     (unsigned long long)counted);
	hr_page_close(page, 0);
}

static void assert_accounts(void)
{
	static const char *const names[] = { "x", "mine", "headroom" };

	for (size_t i = 0; i < N_OF(names); i++) {
		for (uint32_t slot = 0; slot < 4; slot++) {
			assert_account_of(names[i], HR_PLAYBACK, slot);
			assert_account_of(names[i], HR_CAPTURE, slot);
		}
	}
}

uint32_t rig_episodes(enum hr_direction direction,
		      struct hr_episode episodes[HR_EPISODES_KEPT])
{
	struct hr_page *page;
	uint32_t n;

	ck_assert_int_eq(hr_page_attach(&page, HR_PAGE_OWN, "x", direction, 0), 0);
	n = hr_page_get_episodes(page, episodes);
	hr_page_close(page, 0);
	return n;
}

void pcm_rig_finish(struct rig *rig)
{
	char path[PATH_BYTES];

	if (rig->pcm)
		ck_assert_int_eq(snd_pcm_close(rig->pcm), 0);
	rig->pcm = NULL;
	assert_accounts();
	counters_path(rig, path);
	if (access(path, F_OK) == 0)
		ck_assert_int_eq(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	rig_finish(rig);
}

int rig_try_open_defined(struct rig *rig, const char *name, const char *definitions,
			 snd_pcm_stream_t stream, int mode, const char *card_keys)
{
	const char *pcm_lib = getenv("HEADROOM_PCM_LIB");
	const char *ctl_lib = getenv("HEADROOM_CTL_LIB");
	char text[3072];

	ck_assert_msg(pcm_lib && ctl_lib,
		      "HEADROOM_PCM_LIB or HEADROOM_CTL_LIB is not set");
	snprintf(text, sizeof(text),
		 "pcm_type.headroom.lib \"%s\"\n"
		 "ctl_type.headroom.lib \"%s\"\n"
		 "ctl.x { type headroom }\n"
		 "%s", pcm_lib, ctl_lib, definitions);
	return rig_try_open_as(rig, name, text, stream, mode, card_keys);
}

int rig_try_open_headroom(struct rig *rig, snd_pcm_stream_t stream, int mode,
			  const char *card_keys, const char *headroom_keys)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "pcm.x { type headroom slave.pcm card %s }\n", headroom_keys);
	return rig_try_open_defined(rig, "x", text, stream, mode, card_keys);
}

void rig_open_headroom(struct rig *rig, snd_pcm_stream_t stream, int mode,
		       const char *card_keys, const char *headroom_keys,
		       const struct rig_params *params)
{
	ck_assert_int_eq(rig_try_open_headroom(rig, stream, mode, card_keys,
					       headroom_keys), 0);
	rig_install(rig, params);
}

void rig_open_either(struct rig *rig, bool headroom, snd_pcm_stream_t stream,
		     int mode, const char *card_keys, const char *headroom_keys,
		     const struct rig_params *params)
{
	if (headroom)
		rig_open_headroom(rig, stream, mode, card_keys, headroom_keys, params);
	else
		rig_open(rig, stream, mode, card_keys, params);
}

static int64_t value_of(snd_ctl_t *ctl, snd_ctl_elem_id_t *id)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_info_t *info;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_info_set_id(info, id);
	ck_assert_int_eq(snd_ctl_elem_info(ctl, info), 0);
	snd_ctl_elem_value_set_id(value, id);
	ck_assert_int_eq(snd_ctl_elem_read(ctl, value), 0);
	switch (snd_ctl_elem_info_get_type(info)) {
	case SND_CTL_ELEM_TYPE_BOOLEAN:
		return snd_ctl_elem_value_get_boolean(value, 0);
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		return snd_ctl_elem_value_get_enumerated(value, 0);
	case SND_CTL_ELEM_TYPE_INTEGER:
		return snd_ctl_elem_value_get_integer(value, 0);
	case SND_CTL_ELEM_TYPE_INTEGER64:
		return snd_ctl_elem_value_get_integer64(value, 0);
	default:
		ck_abort_msg("a counter of an unknown type");
	}
	return 0;
}

int64_t rig_counter_of(const struct rig *rig, const char *name, unsigned int slot)
{
	snd_ctl_elem_id_t *id;
	snd_ctl_t *ctl;
	int64_t value;

	/* A handle of its own each time: one that is kept may show what it has
	 * read a moment ago. */
	ck_assert_int_eq(snd_ctl_open_lconf(&ctl, "x", 0, rig->config), 0);
	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_id_set_subdevice(id, slot);
	snd_ctl_elem_id_set_name(id, name);
	value = value_of(ctl, id);
	snd_ctl_close(ctl);
	return value;
}

int64_t rig_counter(const struct rig *rig, const char *name)
{
	return rig_counter_of(rig, name, 0);
}

int64_t rig_stream_counter(const struct rig *rig, enum hr_direction direction,
			   const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "Headroom %s %s",
		 direction == HR_PLAYBACK ? "Playback" : "Capture", what);
	return rig_counter(rig, name);
}

size_t rig_heard(const struct rig *rig)
{
	struct stat st;

	ck_assert_int_eq(stat(rig->heard, &st), 0);
	return (size_t)st.st_size / rig->frame_bytes;
}

TCase *pcm_rig_case(Suite *suite, const char *name, void (*set_up)(void),
		    void (*tear_down)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int pcm_rig_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
