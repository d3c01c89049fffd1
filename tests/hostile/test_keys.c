/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Every key of a definition with every kind of value that somebody may write there, by
 * mistake or on purpose: it is a stream, without a word, or one clear line that names the
 * key, and an error. Also twice, and with others, drawn by a seed.
 *
 * HOSTILE_SEED repeats a run of those that are drawn.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define DRAWN 3000

static snd_config_t *top;
static char lines[4096];
static unsigned int n_lines, n_opened, n_refused;

static const char *const pcm_keys[] = {
	"slave", "slave.pcm", "slave.period", "slave.buffer", "slave.other", "name", "trigger",
	"clear", "depth_ms", "on_underrun", "on_overrun", "on_device_loss", "latency_samples",
	"rt_priority", "card_elements", "ipc_perm", "ipc_gid", "tstamp_type", "comment", "hint",
	"type", "unknown", "\xc3\xa4", "Trigger", "trigger2", "0",
};
static const char *const ctl_keys[] = {
	"name", "user", "comment", "hint", "type", "unknown", "\xc3\xa4", "slave", "0",
};

/* As they are written. */
static const char *const values[] = {
	"0", "1", "2", "50", "99", "100", "101", "-1", "16", "65536", "65537", "2147483647",
	"2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
	"9223372036854775807", "9223372036854775808", "-9223372036854775809",
	"99999999999999999999999999999999999999", "1e300", "-1e300", "1e-300", "0.5", "99.9999",
	"0x10", "010", "0600", "0640", "0644", "0666", "07777", "08", "0x", "1k", "+5", "--5",
	"nan", "inf", "null", "yes", "no", "on", "off", "true", "keep", "xrun", "silence",
	"drop", "error", "reconnect", "monotonic", "gettimeofday", "root", "card", "XRUN",
	"\"\"", "\" \"", "\"50 \"", "\" 50\"", "\"50%\"", "\"0600\"", "\"-1\"", "\"4294967295\"",
	"\"\xc3\xa4\xc3\xb6\"", "\"\xff\xfe\x80\"", "\"%s%n%s%n%d\"", "\"a\\nb\"", "\"a\\0b\"",
	"\"../../etc/passwd\"", "\"/\"", "\".\"", "\"..\"", "\"$HOME\"", "\"@args\"",
	"{ }", "{ a 1 }", "[ ]", "[ 1 2 3 ]", "{ a { b { c { d 1 } } } }",
	"{ @func getenv vars [ HOME ] default 5 }", "{ @func nonsense }",
	"{ pcm card }", "{ pcm { type null } }", "{ pcm null period 0 }", "{ period 5 }",
};

__attribute__((format(printf, 5, 6)))
static void keep_line(const char *file, int line, const char *function, int err,
		      const char *format, ...)
{
	char text[2048];
	va_list args;

	(void)file, (void)line, (void)function, (void)err;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!strstr(text, "headroom: "))
		return;
	n_lines++;
	snprintf(lines, sizeof(lines), "%.2000s", text);
}

static void set_up(void)
{
	static char dir[] = "/tmp/keys-XXXXXX";
	snd_input_t *input;
	char text[1024];

	ck_assert_msg(getenv("HEADROOM_PCM_LIB") && getenv("HEADROOM_CTL_LIB"), "no modules");
	/* None that can be: pages are not what this is about, and there would be thousands. */
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", dir, 1), 0);
	snprintf(text, sizeof(text), "pcm_type.headroom.lib \"%s\"\nctl_type.headroom.lib "
		 "\"%s\"\npcm.card { type null }\npcm_slave.s { pcm null }\n",
		 getenv("HEADROOM_PCM_LIB"), getenv("HEADROOM_CTL_LIB"));
	ck_assert_int_eq(snd_config_top(&top), 0);
	ck_assert_int_eq(snd_input_buffer_open(&input, text, (ssize_t)strlen(text)), 0);
	ck_assert_int_eq(snd_config_load(top, input), 0);
	snd_input_close(input);
	snd_lib_error_set_handler(keep_line);
}

static void tear_down(void)
{
	char command[256];

	snd_config_delete(top);
	snprintf(command, sizeof(command), "rm -rf '%s'", getenv("HEADROOM_DIR"));
	ck_assert_int_eq(system(command), 0);
}

/* alsa-lib itself may not take it: then it never comes to us. */
static bool define(const char *what, const char *text)
{
	snd_config_t *old;
	snd_input_t *input;
	int err;

	if (snd_config_search(top, what, &old) == 0)
		snd_config_delete(old);
	ck_assert_int_eq(snd_input_buffer_open(&input, text, (ssize_t)strlen(text)), 0);
	err = snd_config_load(top, input);
	snd_input_close(input);
	return err == 0;
}

/* A stream without a word, or one line that names one of the keys; nothing else. The
 * counters' page is not a matter of the keys. */
static void assert_told(int err, const char *text, const char *key)
{
	ck_assert_msg(err <= 0 && err > -200, "%d: %s", err, text);
	if (err == 0) {
		ck_assert_msg(n_lines == 0 || strstr(lines, "card_elements") ||
			      strstr(lines, "counters of"), "%s: %s", text, lines);
		return;
	}
	/* What alsa-lib evaluates, as @func, is refused before it reaches us. */
	if (strchr(text, '@') && n_lines == 0)
		return;
	ck_assert_msg(n_lines == 1, "%u lines: %s: %s", n_lines, text, lines);
	ck_assert_msg(!key || strstr(lines, key), "'%s' is not in: %s", key, lines);
	ck_assert_msg(!strchr(lines, '\n') || strchr(text, '\\'), "%s: %s", text, lines);
}

static int open_pcm(const char *text)
{
	snd_pcm_t *pcm = NULL;
	int err;

	n_lines = 0;
	lines[0] = '\0';
	if (!define("pcm.x", text))
		return 1;
	err = snd_pcm_open_lconf(&pcm, "x", SND_PCM_STREAM_PLAYBACK, 0, top);
	if (err == 0)
		ck_assert_int_eq(snd_pcm_close(pcm), 0);
	else
		ck_assert_ptr_null(pcm);
	return err;
}

START_TEST(every_key_with_every_value)			/* _i: key */
{
	const char *key = pcm_keys[_i];
	bool gives_slave = strcmp(key, "slave") == 0 || strcmp(key, "slave.pcm") == 0;

	for (size_t v = 0; v < N_OF(values); v++) {
		for (int twice = 0; twice < 2; twice++) {
			char text[512], also[256] = "";
			int err;

			if (twice)
				snprintf(also, sizeof(also), "%s %s", key, values[v]);
			snprintf(text, sizeof(text), "pcm.x { type headroom %s %s %s %s %s }",
				 gives_slave ? "" : "slave.pcm card",
				 strcmp(key, "rt_priority") ? "rt_priority 0" : "",
				 key, values[v], also);
			err = open_pcm(text);
			/* A type that is none of ours. */
			if (err != 1 && strcmp(key, "type") != 0)
				assert_told(err, text, strncmp(key, "slave", 5) == 0 ?
						       "slave" : key);
			n_opened += err == 0;
			n_refused += err < 0;
		}
	}
	ck_assert_uint_gt(n_opened + n_refused, strcmp(key, "type") ? N_OF(values) : 0);
}
END_TEST

START_TEST(every_key_of_a_control_with_every_value)	/* _i: key */
{
	const char *key = ctl_keys[_i];

	for (size_t v = 0; v < N_OF(values); v++) {
		snd_ctl_t *ctl = NULL;
		char text[512];
		int err;

		n_lines = 0;
		lines[0] = '\0';
		snprintf(text, sizeof(text), "ctl.x { type headroom %s %s }", key, values[v]);
		if (!define("ctl.x", text) || strcmp(key, "type") == 0)
			continue;
		err = snd_ctl_open_lconf(&ctl, "x", 0, top);
		if (err == 0)
			ck_assert_int_eq(snd_ctl_close(ctl), 0);
		assert_told(err, text, key);
	}
}
END_TEST

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

/* A value, or some bytes of no meaning. */
static void draw_value(char *to, size_t room)
{
	size_t n = 0, length = 1 + draw(40);

	if (draw(4)) {
		snprintf(to, room, "%s", values[draw(N_OF(values))]);
		return;
	}
	to[n++] = '"';
	while (n < length) {
		char c = (char)(1 + draw(255));

		if (!strchr("\"\\@\n", c))
			to[n++] = c;
	}
	to[n++] = '"';
	to[n] = '\0';
}

START_TEST(keys_and_values_as_they_are_drawn)
{
	const char *given = getenv("HOSTILE_SEED");
	struct timeval now;

	gettimeofday(&now, NULL);
	random_state = given ? (uint32_t)strtoul(given, NULL, 0) :
			       (uint32_t)(now.tv_sec * 1000003 + now.tv_usec);
	printf("HOSTILE_SEED=%u\n", random_state);
	fflush(stdout);
	for (int n = 0; n < DRAWN; n++) {
		char text[2048] = "pcm.x { type headroom slave.pcm card rt_priority 0 ";
		uint32_t n_keys = 1 + draw(5);
		bool has_type = false;
		int err;

		for (uint32_t i = 0; i < n_keys; i++) {
			const char *key = pcm_keys[draw(N_OF(pcm_keys))];
			char value[256];

			draw_value(value, sizeof(value));
			has_type = has_type || strcmp(key, "type") == 0;
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s ",
				 key, value);
		}
		strncat(text, "}", sizeof(text) - strlen(text) - 1);
		err = open_pcm(text);
		if (err != 1 && !has_type)
			assert_told(err, text, NULL);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tcase = pcm_rig_case(suite, "keys", set_up, tear_down);

	tcase_add_loop_test(tcase, every_key_with_every_value, 0, (int)N_OF(pcm_keys));
	tcase_add_loop_test(tcase, every_key_of_a_control_with_every_value, 0,
			    (int)N_OF(ctl_keys));
	tcase_add_test(tcase, keys_and_values_as_they_are_drawn);
	return pcm_rig_run(suite);
}
