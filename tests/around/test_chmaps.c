/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Channel maps: what a device says of its channels, headroom over it says too, at each
 * stage of a stream's life; and it refuses what the device refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/pcm_rig.h"

static struct rig rig;

/* The last of them are wrong: then the device does not open. */
static const struct {
	const char *inner;
	const char *map;		/* that it has with two channels, or NULL */
	bool opens;
} devices[] = {
	{ "type null chmap [ \"FL,FR\" ]", "FL FR", true },
	{ "type null chmap [ \"FR,FL\" \"FL,FR,RL,RR\" \"FL,FR,RL,RR,FC,LFE\" ]", "FR FL",
	  true },
	{ "type null chmap [ \"FL,FR,RL,RR\" ]", NULL, true },
	{ "type null", NULL, true },
	{ "type route slave { pcm card channels 2 } ttable.0.1 1 ttable.1.0 1 "
	  "chmap [ \"FR,FL\" ]", "FR FL", true },
	{ "type route slave { pcm { type null chmap [ \"FL,FR\" ] } channels 2 } "
	  "ttable.0.1 1 ttable.1.0 1", "FR FL", true },
	{ "type hooks slave.pcm { type null chmap [ \"RL,RR\" \"FL,FR,RL,RR\" ] }", "RL RR",
	  true },
	{ "type null chmap [ \"FL,NOWHERE\" ]", NULL, false },
	{ "type null chmap 2", NULL, false },
};

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void say_map(FILE *out, const snd_pcm_chmap_t *map)
{
	char text[256];

	ck_assert_int_ge(snd_pcm_chmap_print(map, sizeof(text), text), 0);
	fprintf(out, " %u: %s\n", map->channels, text);
}

static void say_query(FILE *out)
{
	snd_pcm_chmap_query_t **maps = snd_pcm_query_chmaps(rig.pcm);

	fprintf(out, "query%s\n", maps ? "" : " none");
	for (size_t i = 0; maps && maps[i]; i++) {
		fputs(snd_pcm_chmap_type_name(maps[i]->type), out);
		say_map(out, &maps[i]->map);
	}
	snd_pcm_free_chmaps(maps);
}

static void say_get(FILE *out)
{
	snd_pcm_chmap_t *map = snd_pcm_get_chmap(rig.pcm);

	fputs(map ? "get" : "get none\n", out);
	if (map)
		say_map(out, map);
	free(map);
}

static void say_set(FILE *out)
{
	static const char *const wishes[] = {
		"FL,FR", "FR,FL", "RL,RR", "FL", "FL,FL", "FL,FR,RL,RR", "FR,FL,RL,RR",
		"NA,NA", "UNKNOWN,UNKNOWN",
	};

	for (size_t i = 0; i < N_OF(wishes); i++) {
		snd_pcm_chmap_t *map = snd_pcm_chmap_parse_string(wishes[i]);

		ck_assert_ptr_nonnull(map);
		fprintf(out, "set %s %d\n", wishes[i], snd_pcm_set_chmap(rig.pcm, map));
		free(map);
		say_get(out);
	}
}

static void say_all(FILE *out, const char *stage)
{
	fprintf(out, "%s\n", stage);
	say_query(out);
	say_get(out);
	say_set(out);
}

/* Some devices do not have so many channels. */
static bool install(unsigned int channels)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_access(rig.pcm, hw,
				SND_PCM_ACCESS_RW_INTERLEAVED), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_format(rig.pcm, hw,
						      SND_PCM_FORMAT_S16_LE), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_rate(rig.pcm, hw, 48000, 0), 0);
	if (snd_pcm_hw_params_set_channels(rig.pcm, hw, channels) < 0)
		return false;
	ck_assert_int_eq(snd_pcm_hw_params_set_period_size(rig.pcm, hw, 480, 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_set_buffer_size(rig.pcm, hw, 4800), 0);
	ck_assert_int_eq(snd_pcm_hw_params(rig.pcm, hw), 0);
	return true;
}

/* There if leaks are looked for. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

static int try_open(int i, bool headroom, snd_pcm_stream_t stream)
{
	char text[1024];
	int err;

	snprintf(text, sizeof(text),
		 "pcm.inner { %s }\npcm.x { type headroom slave.pcm inner }\n",
		 devices[i].inner);
	/* The null plug-in of alsa-lib never frees the maps that it reads here. */
	if (__lsan_disable)
		__lsan_disable();
	err = rig_try_open_defined(&rig, headroom ? "x" : "inner", text, stream, 0, "");
	if (__lsan_enable)
		__lsan_enable();
	return err;
}

/* All that the device says from open to close. To be freed. */
static char *life_of(int i, bool headroom, snd_pcm_stream_t stream)
{
	static const unsigned int channels[] = { 2, 4, 6, 2, 1 };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(try_open(i, headroom, stream), 0);
	say_all(out, "open");
	for (size_t k = 0; k < N_OF(channels); k++) {
		fprintf(out, "%u channels\n", channels[k]);
		if (!install(channels[k])) {
			fputs("not installed\n", out);
			continue;
		}
		say_all(out, "installed");
		ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
		say_all(out, "freed");
	}
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	snd_config_delete(rig.config);
	rig.config = NULL;
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(maps_are_those_of_the_device)
{
	for (int stream = SND_PCM_STREAM_PLAYBACK; stream <= SND_PCM_STREAM_LAST; stream++) {
		char *bare, *through;
		size_t at = 0;

		if (!devices[_i].opens) {
			int err = try_open(_i, false, (snd_pcm_stream_t)stream);

			ck_assert_int_lt(err, 0);
			snd_config_delete(rig.config);
			ck_assert_int_eq(try_open(_i, true, (snd_pcm_stream_t)stream), err);
			snd_config_delete(rig.config);
			rig.config = NULL;
			continue;
		}
		bare = life_of(_i, false, (snd_pcm_stream_t)stream);
		through = life_of(_i, true, (snd_pcm_stream_t)stream);
		while (bare[at] && bare[at] == through[at])
			at++;
		ck_assert_msg(bare[at] == through[at],
			      "%s: the same for %zu bytes, then \"%.40s\", "
			      "through headroom \"%.40s\"", devices[_i].inner, at,
			      bare + at, through + at);
		free(through);
		free(bare);
	}
}
END_TEST

/* That both say the same must not come from both saying nothing. */
START_TEST(the_map_is_the_one_that_was_defined)
{
	snd_pcm_chmap_t *map;
	char text[64];

	if (!devices[_i].opens)
		return;
	ck_assert_int_eq(try_open(_i, true, SND_PCM_STREAM_PLAYBACK), 0);
	ck_assert(install(2));
	map = snd_pcm_get_chmap(rig.pcm);
	ck_assert(!map == !devices[_i].map);
	if (map) {
		ck_assert_int_ge(snd_pcm_chmap_print(map, sizeof(text), text), 0);
		ck_assert_str_eq(text, devices[_i].map);
		ck_assert_int_eq(snd_pcm_set_chmap(rig.pcm, map), 0);
		map->pos[0] = SND_CHMAP_TC;
		ck_assert_int_eq(snd_pcm_set_chmap(rig.pcm, map), -ENXIO);
	}
	free(map);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chmaps");
	TCase *tcase = pcm_rig_case(suite, "chmaps", set_up, tear_down);

	tcase_add_loop_test(tcase, maps_are_those_of_the_device, 0, (int)N_OF(devices));
	tcase_add_loop_test(tcase, the_map_is_the_one_that_was_defined, 0,
			    (int)N_OF(devices));
	return pcm_rig_run(suite);
}
