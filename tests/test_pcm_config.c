/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What a user may write in an asoundrc, and what is said about the rest: the right
 * error, and exactly one line of ours that names the definition, the key, the value and
 * what is allowed. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

static struct rig rig;
static char lines[4096];	/* ours, each with its end of line */
static unsigned int n_lines;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

__attribute__((format(printf, 5, 6)))
static void keep_line(const char *file, int line, const char *function, int err,
		      const char *format, ...)
{
	char text[512];
	va_list args;

	(void)file;
	(void)line;
	(void)function;
	(void)err;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!strstr(text, "headroom: "))
		return;
	n_lines++;
	strncat(lines, text, sizeof(lines) - strlen(lines) - 2);
	strcat(lines, "\n");
}

static void set_up(void)
{
	pcm_rig_init(&rig);
	lines[0] = '\0';
	n_lines = 0;
	snd_lib_error_set_handler(keep_line);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static void assert_one_line(const char *const *words)
{
	ck_assert_msg(n_lines == 1, "%u lines of ours: %s", n_lines, lines);
	for (; *words; words++)
		ck_assert_msg(strstr(lines, *words), "'%s' is not in: %s", *words, lines);
}

static const struct {
	const char *keys;
	const char *words[5];		/* that the line has, up to a NULL */
} refused[] = {
	{ "depth_ms -14294967295", { "depth_ms", "'-14294967295'" } },
	{ "card_elements 123456789012345", { "card_elements", "'123456789012345'" } },
	{ "trigger 0", { "trigger", "'0'", "2 to 100" } },
	{ "trigger 101", { "trigger", "'101'", "2 to 100" } },
	{ "trigger -5", { "trigger", "'-5'", "2 to 100" } },
	{ "trigger high", { "trigger", "'high'", "2 to 100" } },
	{ "trigger 80.5", { "trigger", "'80.5", "2 to 100" } },
	{ "trigger { a 1 }", { "trigger", "2 to 100" } },
	{ "trigger \"\"", { "trigger", "''", "2 to 100" } },
	{ "trigger \"90%\"", { "trigger", "'90%'", "2 to 100" } },
	{ "trigger 99999999999999999999", { "trigger", "1e+20" } },
	{ "clear 0", { "clear", "'0'", "1 to 99" } },
	{ "clear 101", { "clear", "'101'", "1 to 99" } },
	{ "clear low", { "clear", "'low'", "1 to 99" } },
	{ "clear [ 1 2 ]", { "clear", "1 to 99" } },
	{ "trigger 60 clear 60", { "clear", "60", "trigger", "below" } },
	{ "trigger 60 clear 61", { "61", "60", "below" } },
	{ "trigger 70", { "clear is 70", "trigger is 70", "below" } },
	{ "clear 90", { "clear is 90", "trigger is 90", "below" } },
	{ "depth_ms -1", { "depth_ms", "'-1'", "0 to 60000" } },
	{ "depth_ms 60001", { "depth_ms", "'60001'", "0 to 60000" } },
	{ "depth_ms long", { "depth_ms", "'long'", "0 to 60000" } },
	{ "latency_samples 15", { "latency_samples", "'15'", "16 to 65536" } },
	{ "latency_samples 65537", { "latency_samples", "'65537'", "16 to 65536" } },
	{ "latency_samples many", { "latency_samples", "'many'" } },
	{ "rt_priority -1", { "rt_priority", "'-1'", "0 to 99" } },
	{ "rt_priority 100", { "rt_priority", "'100'", "0 to 99" } },
	{ "rt_priority max", { "rt_priority", "'max'", "0 to 99" } },
	{ "on_underrun stop", { "on_underrun", "'stop'", "xrun, silence" } },
	{ "on_underrun 1", { "on_underrun", "'1'", "xrun, silence" } },
	{ "on_underrun { a b }", { "on_underrun", "xrun, silence" } },
	{ "on_overrun silence", { "on_overrun", "'silence'", "xrun, drop" } },
	{ "on_overrun 0", { "on_overrun", "'0'", "xrun, drop" } },
	{ "on_device_loss panic", { "on_device_loss", "'panic'", "error, reconnect" } },
	{ "card_elements maybe", { "card_elements", "'maybe'", "no, yes, keep" } },
	{ "card_elements 2", { "card_elements", "'2'", "no, yes, keep" } },
	{ "card_elements { a b }", { "card_elements", "no, yes, keep" } },
	{ "tstamp_type realtime", { "tstamp_type", "'realtime'",
				    "gettimeofday, monotonic" } },
	{ "tstamp_type 1", { "tstamp_type", "'1'", "gettimeofday, monotonic" } },
	{ "name \"\"", { "name", "''", "1 to 63" } },
	{ "name 12", { "name", "'12'", "1 to 63" } },
	{ "name { a b }", { "name", "1 to 63" } },
	{ "name x123456789012345678901234567890123456789012345678901234567890123",
	  { "name", "'x123456789", "1 to 63" } },
	{ "ipc_perm 0666", { "ipc_perm", "octal" } },
	{ "ipc_perm 0200", { "ipc_perm", "octal" } },
	{ "ipc_perm 01600", { "ipc_perm", "octal" } },
	{ "ipc_perm \"0800\"", { "ipc_perm", "'0800'", "octal" } },
	{ "ipc_perm rw", { "ipc_perm", "'rw'", "octal" } },
	{ "ipc_gid -2", { "ipc_gid", "'-2'", "group" } },
	{ "ipc_gid \"no such group\"", { "ipc_gid", "'no such group'", "group" } },
	{ "ipc_gid { a b }", { "ipc_gid", "group" } },
	{ "slave.period -1", { "slave.period", "'-1'", "0 to" } },
	{ "slave.period short", { "slave.period", "'short'" } },
	{ "slave.buffer -1", { "slave.buffer", "'-1'" } },
	{ "slave.buffer 999999999", { "slave.buffer", "'999999999'" } },
	{ "slave.buffer { a b }", { "slave.buffer" } },
	{ "slave.periods 4", { "unknown key", "'slave.periods'", "slave.period, " } },
	{ "triger 90", { "unknown key", "'triger'", "trigger" } },
	{ "Trigger 90", { "unknown key", "'Trigger'", "trigger" } },
};

START_TEST(what_is_wrong_is_refused_and_named)
{
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "",
					       refused[_i].keys), -EINVAL);
	ck_assert_ptr_null(rig.pcm);
	assert_one_line(refused[_i].words);
	/* Where an asoundrc has several. */
	ck_assert_msg(strstr(lines, "in pcm.x: "), "%s", lines);
	/* Nothing was opened on the way. */
	ck_assert_int_ne(access(rig.heard, F_OK), 0);
}
END_TEST

/* The ends of each range and every choice. */
static const char *const accepted[] = {
	"trigger 100", "trigger 2 clear 1", "trigger \"95\"", "clear 1", "clear 89",
	"depth_ms 0", "depth_ms 60000", "latency_samples 16", "latency_samples 65536",
	"rt_priority 0", "rt_priority 99", "on_underrun xrun", "on_underrun silence",
	"on_overrun xrun", "on_overrun drop", "on_device_loss error", "on_device_loss reconnect",
	"card_elements no", "card_elements off", "card_elements 0", "tstamp_type monotonic",
	"tstamp_type gettimeofday", "name other", "name \"a name with / and .\"",
	"name 012345678901234567890123456789012345678901234567890123456789x12",
	"ipc_perm 0600", "ipc_perm 0640", "ipc_perm \"0644\"", "slave.period 1",
	"slave.buffer 1", "slave.period 0 slave.buffer \"0\"",
	"slave.period 480 slave.buffer 960", "comment anything",
	"hint.description \"in a list\"",
};

static void play_some(void)
{
	uint8_t *data;

	rig_install(&rig, &stereo);
	data = rig_noise(&rig, 1500, 51);
	rig_write(&rig, data, 1500, 700);
	(void)snd_pcm_drain(rig.pcm);
	rig_assert_heard(&rig, data, 1500);
	free(data);
}

START_TEST(what_is_right_is_taken_and_plays)
{
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "",
					       accepted[_i]), 0);
	play_some();
	ck_assert_msg(n_lines == 0, "%s", lines);
}
END_TEST

static const struct {
	const char *definitions;
	int error;
	const char *words[4];
} slaves[] = {
	{ "pcm.x { type headroom slave { pcm card } }", 0, { NULL } },
	{ "pcm.x { type headroom slave { pcm { type plug slave.pcm card } } }", 0,
	  { NULL } },
	{ "pcm.x { type headroom slave.pcm { type headroom slave.pcm card } }", 0,
	  { NULL } },
	{ "pcm_slave.s { pcm card }\npcm.x { type headroom slave s }", 0, { NULL } },
	{ "pcm.x { type headroom slave.pcm \"x2:card\" }\n"
	  "pcm.x2 { @args [ S ] @args.S { type string } type headroom slave.pcm $S }",
	  0, { NULL } },
	{ "pcm.x { type headroom }", -EINVAL, { "no slave", "slave.pcm" } },
	{ "pcm.x { type headroom slave card }", -EINVAL, { "slave of 'x'", "slave.pcm" } },
	{ "pcm.x { type headroom slave 3 }", -EINVAL, { "slave of 'x'", "slave.pcm" } },
	{ "pcm.x { type headroom slave { } }", -EINVAL, { "slave" } },
	{ "pcm.x { type headroom slave { pcm card color red } }", -EINVAL,
	  { "in pcm.x: ", "'slave.color'", "slave.pcm" } },
	{ "pcm.x { type plug slave.pcm y }\n"
	  "pcm.y { @args [ S ] @args.S { type string default card } type headroom "
	  "slave.pcm $S trigger 0 }", -EINVAL, { "in pcm.y: ", "trigger", "'0'" } },
	{ "pcm.x { type headroom slave.pcm nowhere }", -ENOENT,
	  { "slave of 'x'", "No such file" } },
	{ "pcm.x { type headroom slave.pcm { type nonsense } }", -ENXIO,
	  { "slave of 'x'" } },
	{ "pcm.x { type headroom slave.pcm x }", -ELOOP,
	  { "slave of 'x'", "leads back to itself" } },
	{ "pcm.x { type headroom slave.pcm y }\npcm.y { type headroom slave.pcm x }",
	  -ELOOP, { "leads back to itself" } },
	{ "pcm.x { type headroom slave.pcm y }\npcm.y { type plug slave.pcm x }",
	  -ELOOP, { "slave of 'x'", "leads back to itself" } },
};

START_TEST(a_slave_may_be_given_in_many_ways_or_not_be_one)
{
	int err = rig_try_open_defined(&rig, "x", slaves[_i].definitions,
				       SND_PCM_STREAM_PLAYBACK, 0, "");

	ck_assert_int_eq(err, slaves[_i].error);
	if (err == 0) {
		play_some();
		ck_assert_msg(n_lines == 0, "%s", lines);
	} else {
		ck_assert_ptr_null(rig.pcm);
		assert_one_line(slaves[_i].words);
	}
}
END_TEST

/* A coder to half bytes. */
START_TEST(a_slave_without_a_format_of_whole_bytes_is_refused)
{
	static const char *const words[] = { "no format with whole bytes", NULL };

	ck_assert_int_eq(rig_try_open_defined(&rig, "x",
		"pcm.x { type headroom slave.pcm { type adpcm slave { pcm card "
		"format S16_LE } } }", SND_PCM_STREAM_PLAYBACK, 0, ""), -EINVAL);
	ck_assert_ptr_null(rig.pcm);
	assert_one_line(words);
}
END_TEST

/* A setting with a value that is refused, and the key that the line then names. */
static const struct {
	const char *setting, *key;
} installed[] = {
	{ "trigger 0", "trigger" }, { "clear 0", "clear" }, { "depth_ms -1", "depth_ms" },
	{ "slave_period -1", "slave.period" }, { "slave_buffer -1", "slave.buffer" },
	{ "name \"\"", "name" }, { "on_underrun \"drop\"", "on_underrun" },
	{ "on_overrun \"silence\"", "on_overrun" },
	{ "on_device_loss \"panic\"", "on_device_loss" },
	{ "latency_samples 1", "latency_samples" }, { "rt_priority 100", "rt_priority" },
	{ "card_elements \"maybe\"", "card_elements" }, { "ipc_perm 0666", "ipc_perm" },
	{ "ipc_gid \"no such group\"", "ipc_gid" },
	{ "tstamp_type \"realtime\"", "tstamp_type" },
};

static int try_open_installed(const char *name, const char *setting)
{
	const char *conf = getenv("HEADROOM_CONF");
	char definitions[1024];

	ck_assert_msg(conf != NULL, "HEADROOM_CONF is not set");
	snprintf(definitions, sizeof(definitions), "<%s>\ndefaults.namehint.basic on\n"
		 "defaults.headroom.%s\n", conf, setting);
	return rig_try_open_defined(&rig, name, definitions, SND_PCM_STREAM_PLAYBACK, 0, "");
}

START_TEST(every_setting_of_the_installed_device_reaches_it)
{
	const char *const words[] = { "in pcm.headroom: ", installed[_i].key, "allowed", NULL };

	ck_assert_int_eq(try_open_installed("headroom:card", installed[_i].setting), -EINVAL);
	assert_one_line(words);
}
END_TEST

START_TEST(the_installed_device_plays)
{
	ck_assert_int_eq(try_open_installed("headroom", "slave \"card\""), 0);
	play_some();
	ck_assert_msg(n_lines == 0, "%s", lines);
}
END_TEST

/* The virtual card has no number, as a sound server has none. */
START_TEST(elements_on_a_card_that_is_none_are_done_without)
{
	static const char *const words[] = { "card_elements", "no card", "sound goes on",
					     NULL };

	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "",
					       _i ? "card_elements keep" :
						    "card_elements yes"), 0);
	play_some();
	assert_one_line(words);
}
END_TEST

/* What a card that is in use would say; this one cannot be in use, but its file
 * can be a directory. */
START_TEST(the_error_of_the_device_is_the_programs_error)
{
	static const char *const words[] = { "slave of 'x'", NULL };
	char definitions[256];

	snprintf(definitions, sizeof(definitions),
		 "pcm.x { type headroom slave.pcm { type clocked heard \"%s\" } }\n",
		 rig.dir);	/* a directory cannot be written to */
	ck_assert_int_eq(rig_try_open_defined(&rig, "x", definitions,
					      SND_PCM_STREAM_PLAYBACK, 0, ""), -EISDIR);
	assert_one_line(words);
}
END_TEST

static int64_t state_of(const char *name)
{
	char definition[128];
	snd_input_t *input;

	snprintf(definition, sizeof(definition), "!ctl.x { type headroom name \"%s\" }\n",
		 name);
	ck_assert_int_eq(snd_input_buffer_open(&input, definition,
					       (ssize_t)strlen(definition)), 0);
	ck_assert_int_eq(snd_config_load_override(rig.config, input), 0);
	snd_input_close(input);
	return rig_counter(&rig, "Headroom Playback State");
}

/* By default the counters are found under the name of the PCM, without its
 * arguments. */
START_TEST(the_name_is_the_pcms_or_the_one_given)
{
	static const struct {
		const char *open, *definition, *name;
	} names[] = {
		{ "abc", "pcm.abc { type headroom slave.pcm card }", "abc" },
		{ "abc", "pcm.abc { type headroom slave.pcm card name def }", "def" },
		{ "abc:card", "pcm.abc { @args [ S ] @args.S { type string } "
			      "type headroom slave.pcm $S }", "abc" },
		/* Inside of another it has none. */
		{ "y", "pcm.y { type plug slave.pcm { type headroom slave.pcm card } }",
		  "headroom" },
	};

	ck_assert_int_eq(rig_try_open_defined(&rig, names[_i].open, names[_i].definition,
					      SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	ck_assert_int_eq(state_of("another"), 0);
	ck_assert_int_ne(state_of(names[_i].name), 0);
}
END_TEST

/* One that we may give away: any, as root, or our own. */
START_TEST(the_counters_belong_to_the_group_that_is_given)	/* _i: how */
{
	struct group *group = geteuid() == 0 ? getgrnam("daemon") : getgrgid(getegid());
	char keys[128], path[128];
	struct stat st;

	ck_assert_ptr_nonnull(group);
	if (_i == 2)
		snprintf(keys, sizeof(keys), "ipc_gid \"%s\" ipc_perm 0640", group->gr_name);
	else
		snprintf(keys, sizeof(keys), _i ? "ipc_gid \"%u\" ipc_perm 0640" :
			 "ipc_gid %u ipc_perm 0640", (unsigned int)group->gr_gid);
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", keys), 0);
	snprintf(path, sizeof(path), "%s/counters/x.playback.0", rig.dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_gid, group->gr_gid);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_msg(n_lines == 0, "%s", lines);
}
END_TEST

START_TEST(impossible_parameters_are_refused_before_they_are_installed)
{
	snd_pcm_hw_params_t *hw;

	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0,
		"formats \"S16_LE\" rate_min 44100 rate_max 48000 channels_min 2 "
		"channels_max 2 period_min 64 period_max 4096 buffer_max 8192", ""), 0);
	snd_pcm_hw_params_alloca(&hw);
	ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
	ck_assert_int_eq(snd_pcm_hw_params_test_format(rig.pcm, hw,
						       SND_PCM_FORMAT_S32_LE), -EINVAL);
	ck_assert_int_eq(snd_pcm_hw_params_test_rate(rig.pcm, hw, 96000, 0), -EINVAL);
	ck_assert_int_eq(snd_pcm_hw_params_test_channels(rig.pcm, hw, 1), -EINVAL);
	ck_assert_int_eq(snd_pcm_hw_params_test_period_size(rig.pcm, hw, 63, 0), -EINVAL);
	ck_assert_int_eq(snd_pcm_hw_params_test_buffer_size(rig.pcm, hw, 8193), -EINVAL);
	ck_assert_int_eq(snd_pcm_hw_params_test_format(rig.pcm, hw,
						       SND_PCM_FORMAT_S16_LE), 0);
	ck_assert_int_eq(snd_pcm_hw_params_test_rate(rig.pcm, hw, 45000, 0), 0);
	ck_assert_int_eq(snd_pcm_hw_params_test_buffer_size(rig.pcm, hw, 8192), 0);
	ck_assert_msg(n_lines == 0, "%s", lines);
	play_some();
}
END_TEST

/* The stream as it is goes on being usable. */
START_TEST(what_the_slave_alone_refuses_fails_cleanly)
{
	snd_pcm_hw_params_t *hw;

	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0,
					       "buffer_max 100000", "slave.period 50001 "
					       "slave.buffer 50001"), 0);
	snd_pcm_hw_params_alloca(&hw);
	for (int i = 0; i < 3; i++) {
		int err;

		ck_assert_int_ge(snd_pcm_hw_params_any(rig.pcm, hw), 0);
		ck_assert_int_eq(snd_pcm_hw_params_set_access(rig.pcm, hw,
							      stereo.access), 0);
		err = snd_pcm_hw_params(rig.pcm, hw);
		ck_assert_int_le(err, 0);
		ck_assert_uint_eq(n_lines, err < 0 ? (unsigned int)i + 1 : 0);
	}
}
END_TEST

/* The counters cannot be shown: one line, and the sound goes on. */
START_TEST(a_place_for_the_counters_that_is_none_does_not_stop_the_sound)
{
	static const char *const words[] = { "counters of 'x'", "sound goes on", NULL };
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/counters", rig.dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", ""), 0);
	assert_one_line(words);
	play_some();
	ck_assert_uint_eq(n_lines, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("configuration");
	TCase *tcase = pcm_rig_case(suite, "keys", set_up, tear_down);

	tcase_add_loop_test(tcase, what_is_wrong_is_refused_and_named, 0,
			    (int)N_OF(refused));
	tcase_add_loop_test(tcase, what_is_right_is_taken_and_plays, 0,
			    (int)N_OF(accepted));
	tcase_add_loop_test(tcase, the_name_is_the_pcms_or_the_one_given, 0, 4);
	tcase_add_loop_test(tcase, the_counters_belong_to_the_group_that_is_given, 0, 3);
	tcase = pcm_rig_case(suite, "slave", set_up, tear_down);
	tcase_add_loop_test(tcase, a_slave_may_be_given_in_many_ways_or_not_be_one, 0,
			    (int)N_OF(slaves));
	tcase_add_test(tcase, a_slave_without_a_format_of_whole_bytes_is_refused);
	tcase_add_test(tcase, the_error_of_the_device_is_the_programs_error);
	tcase_add_loop_test(tcase, elements_on_a_card_that_is_none_are_done_without, 0, 2);
	tcase_add_test(tcase, impossible_parameters_are_refused_before_they_are_installed);
	tcase_add_test(tcase, what_the_slave_alone_refuses_fails_cleanly);
	tcase = pcm_rig_case(suite, "installed", set_up, tear_down);
	tcase_add_test(tcase, the_installed_device_plays);
	tcase_add_loop_test(tcase, every_setting_of_the_installed_device_reaches_it, 0,
			    (int)N_OF(installed));
	tcase = pcm_rig_case(suite, "counters", set_up, tear_down);
	tcase_add_test(tcase,
		a_place_for_the_counters_that_is_none_does_not_stop_the_sound);
	return pcm_rig_run(suite);
}
