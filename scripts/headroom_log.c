/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * headroom-log: prints what befell the streams of a name, from the log in their pages.
 *
 * Exit status: 0, also if nothing befell them; 1 if a page cannot be read; 2 for a wrong
 * call, or a user or a name that cannot be.
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/episodes.h"
#include "scripts/headroom_log_names.h"

#define DEFAULT_NAME "headroom"
#define N_DIRECTIONS 2

/* An episode and whose it is. */
struct line {
	struct hr_episode episode;
	enum hr_direction direction;
	uint32_t slot;
	bool is_live;
};

/* A stream whose process is gone, and did not close it. */
struct broken_off {
	enum hr_direction direction;
	uint32_t slot;
	uint64_t process, rate, frames;	/* at most so many were not heard; 0: not known */
};

/* How many episodes a stream has had, also those that are not kept any more. */
struct total {
	enum hr_direction direction;
	uint32_t slot;
	uint64_t episodes;
};

static struct line lines[N_DIRECTIONS * HR_PAGE_SLOTS * HR_EPISODES_KEPT];
static size_t n_lines;
static struct broken_off broken_off[N_DIRECTIONS * HR_PAGE_SLOTS];
static size_t n_broken_off;
static struct total totals[N_DIRECTIONS * HR_PAGE_SLOTS];
static unsigned int n_pages, n_bad;
static uint64_t n_more;		/* episodes that are not kept any more */

static const char *direction_name(enum hr_direction direction)
{
	return direction == HR_PLAYBACK ? "playback" : "capture";
}

/* Whether there was something in its buffer that was thus thrown away. */
static bool was_broken_off(const struct hr_page *page)
{
	uint64_t state = hr_page_get(page, HR_STAT_STATE);

	return !hr_page_is_live(page) && (state == HR_STATE_RUNNING ||
					  state == HR_STATE_DRAINING ||
					  state == HR_STATE_PAUSED);
}

static void add_broken_off(const struct hr_page *page, enum hr_direction direction,
			   uint32_t slot)
{
	uint64_t buffer = hr_page_get(page, HR_STAT_BUFFER);
	uint64_t rate = hr_page_get(page, HR_STAT_RATE);
	bool is_known = direction == HR_PLAYBACK && rate && rate <= INT32_MAX &&
			buffer <= INT32_MAX;

	broken_off[n_broken_off++] = (struct broken_off){
		.direction = direction, .slot = slot,
		.process = hr_page_get(page, HR_STAT_PROCESS) & INT32_MAX,
		.rate = rate, .frames = is_known ? buffer : 0,
	};
}

static void add_page(const struct hr_page *page, enum hr_direction direction, uint32_t slot)
{
	struct hr_episode episodes[HR_EPISODES_KEPT];
	uint32_t n = hr_page_get_episodes(page, episodes);
	uint64_t all = hr_page_count_episodes(page);
	bool is_live = hr_page_is_live(page);

	/* Of a page that is none it may be any number. */
	if (all < n || all >= UINT32_MAX)
		all = n;
	totals[n_pages++] = (struct total){ direction, slot, all };
	if (was_broken_off(page))
		add_broken_off(page, direction, slot);
	if (all > HR_EPISODES_KEPT)
		n_more += all - HR_EPISODES_KEPT;
	for (uint32_t i = 0; i < n; i++)
		lines[n_lines++] = (struct line){ episodes[i], direction, slot, is_live };
}

static const char *error_text(int err)
{
	switch (err) {
	case -EPROTO:
		return "it is damaged, or of another version of headroom";
	case -EPERM:
		return "others than its owner could have written it";
	default:
		return strerror(-err);
	}
}

/* Returns -EINVAL for a name that cannot be, else 0. */
static int add_slot(uid_t owner, const char *name, enum hr_direction direction, uint32_t slot)
{
	struct hr_page *page;
	int err = hr_page_attach(&page, owner, name, direction, slot);

	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err == -EINVAL)
		return err;
	if (err < 0) {
		fprintf(stderr, "headroom-log: the page of %s %u of '%s': %s\n",
			direction_name(direction), slot, name, error_text(err));
		n_bad++;
		return 0;
	}
	add_page(page, direction, slot);
	hr_page_close(page, 0);
	return 0;
}

static int by_begin(const void *a, const void *b)
{
	uint64_t x = ((const struct line *)a)->episode.begin_ns;
	uint64_t y = ((const struct line *)b)->episode.begin_ns;

	return (x > y) - (x < y);
}

/* As long as text: at least 19 bytes, "" for a time that cannot be. */
static void put_time(char *text, size_t size, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / HR_NS_PER_S);
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&seconds, &tm))
		n = strftime(text, size, "%m-%d %H:%M:%S", &tm);
	if (n)
		snprintf(text + n, size - n, ".%03u",
			 (unsigned int)(wall_ns % HR_NS_PER_S / HR_NS_PER_MS));
	else
		text[0] = '\0';
}

static uint64_t length_ns(const struct line *line)
{
	uint64_t now_ns = hr_now_ns();

	/* Nobody writes down how long a stream has been in an xrun while it is. */
	if (line->episode.going_on && line->is_live && now_ns > line->episode.begin_ns)
		return now_ns - line->episode.begin_ns;
	return line->episode.length_ns;
}

static void put_length(char *text, size_t size, const struct line *line)
{
	double s = (double)length_ns(line) / (double)HR_NS_PER_S;

	if (s < 1)
		snprintf(text, size, "%.1f ms", s * 1000);
	else if (s < 1000)
		snprintf(text, size, "%.2f s", s);
	else if (s < 100 * 3600)
		snprintf(text, size, "%.0f min", s / 60);
	else
		snprintf(text, size, "%.0f h", s / 3600);
}

static void print_line(const struct line *line)
{
	const struct hr_episode *episode = &line->episode;
	char when[32], length[16], stream[16];

	put_time(when, sizeof(when), episode->wall_ns);
	put_length(length, sizeof(length), line);
	snprintf(stream, sizeof(stream), "%s %u", direction_name(line->direction), line->slot);
	printf("%-18s  %-11s %-9s %8s%c %9llu  %-9s %3u%%\n", when, stream,
	       hr_episode_kind_name(episode->kind), length, episode->going_on ? '+' : ' ',
	       (unsigned long long)episode->frames, hr_cause_name(episode->cause),
	       episode->fill);
}

static void print_no_stream(uid_t owner, const char *name)
{
	if (n_bad)
		return;
	printf("no stream has run under the name '%s'", name);
	print_other_names(stdout, owner, name, ", but under: ");
	printf("\n");
}

static void print_broken_off(const struct broken_off *stream)
{
	printf("%s %u: process %llu was killed, or ended without closing it.\n",
	       direction_name(stream->direction), stream->slot,
	       (unsigned long long)stream->process);
	if (stream->frames)
		printf("    What it had written and was not heard yet is lost: at most "
		       "%.0f ms.\n",
		       (double)stream->frames * 1000 / (double)stream->rate);
	else
		printf("    What it had not %s yet is lost.\n",
		       stream->direction == HR_CAPTURE ? "read" : "played");
}

static void print_episodes(void)
{
	if (!n_lines) {
		printf("no episodes since the counters were reset\n");
		return;
	}
	qsort(lines, n_lines, sizeof(lines[0]), by_begin);
	printf("%-18s  %-11s %-9s %8s  %9s  %-9s %4s\n", "when", "stream", "what",
	       "lasted", "frames", "late was", "ring");
	for (size_t i = 0; i < n_lines; i++)
		print_line(&lines[i]);
	if (n_more)
		printf("and %llu before them\n", (unsigned long long)n_more);
}

/* name: NULL if none was asked for, by somebody who may not know that it matters. */
static void print_lines(uid_t owner, const char *name)
{
	if (!n_pages) {
		print_no_stream(owner, name ? name : DEFAULT_NAME);
		return;
	}
	print_episodes();
	for (size_t i = 0; i < n_broken_off; i++)
		print_broken_off(&broken_off[i]);
	if (!name && print_other_names(stdout, owner, DEFAULT_NAME,
				       "(of '" DEFAULT_NAME "'; there are also: "))
		printf(")\n");
}

static void print_json(void)
{
	const char *comma = "";

	qsort(lines, n_lines, sizeof(lines[0]), by_begin);
	printf("{\"episodes\": [");
	for (size_t i = 0; i < n_lines; i++) {
		const struct hr_episode *episode = &lines[i].episode;

		printf("%s\n{\"direction\": \"%s\", \"slot\": %u, \"what\": \"%s\", "
		       "\"late\": \"%s\", \"begin_ns\": %llu, \"wall_ns\": %llu, "
		       "\"length_ns\": %llu, \"frames\": %llu, \"ring_percent\": %u, "
		       "\"going_on\": %s, \"live\": %s}", comma,
		       direction_name(lines[i].direction), lines[i].slot,
		       hr_episode_kind_name(episode->kind), hr_cause_name(episode->cause),
		       (unsigned long long)episode->begin_ns,
		       (unsigned long long)episode->wall_ns,
		       (unsigned long long)length_ns(&lines[i]),
		       (unsigned long long)episode->frames, episode->fill,
		       episode->going_on ? "true" : "false",
		       lines[i].is_live ? "true" : "false");
		comma = ",";
	}
	printf("\n], \"broken_off\": [");
	comma = "";
	for (size_t i = 0; i < n_broken_off; i++) {
		printf("%s\n{\"direction\": \"%s\", \"slot\": %u, \"process\": %llu, "
		       "\"frames\": %llu}", comma, direction_name(broken_off[i].direction),
		       broken_off[i].slot, (unsigned long long)broken_off[i].process,
		       (unsigned long long)broken_off[i].frames);
		comma = ",";
	}
	printf("], \"streams\": %u, \"not_kept\": %llu, \"totals\": [", n_pages,
	       (unsigned long long)n_more);
	for (unsigned int i = 0; i < n_pages; i++)
		printf("%s{\"direction\": \"%s\", \"slot\": %u, \"episodes\": %llu}",
		       i ? ", " : "", direction_name(totals[i].direction), totals[i].slot,
		       (unsigned long long)totals[i].episodes);
	printf("]}\n");
}

static void usage(FILE *to)
{
	fprintf(to,
"usage: headroom-log [-u USER] [--json] [NAME]\n"
"\n"
"Prints what befell the streams of that name (" DEFAULT_NAME ") since their counters\n"
"were reset, the last %u of each; or under which names streams have run:\n"
"\n"
"  when       it began, month, day and local time\n"
"  stream     direction, and 0 for the first stream of that name at one time\n"
"  what       xrun: the program was told\n"
"             silence: it filled the gap\n"
"             dropped: a recording left out frames and went on\n"
"             card xrun: the card had one, the program did not see it\n"
"             card lost: it went, was not resumed, or stood still in a drain\n"
"             card away: it was gone, and the stream went on without it\n"
"             rewind: what was written again had been handed on already\n"
"  lasted     until it went on; +: it has not yet, or its process has ended\n"
"  frames     that were lost or invented\n"
"  late was   the program, the scheduler (headroom could not run), the device\n"
"  ring       how full it was\n"
"\n"
"Then each stream whose program was killed, or ended without closing it, until\n"
"the next one takes its place: what was in its buffer is in no counter.\n"
"\n"
"  -u USER, --user USER  the streams of this user, by name or number\n"
"  --json                for programs: begin_ns by CLOCK_MONOTONIC, wall_ns since\n"
"                        1970\n"
"  -h, --help            this help\n",
		HR_EPISODES_KEPT);
}

/* False for one that there is not. */
static bool find_user(const char *text, uid_t *uid)
{
	const struct passwd *entry = getpwnam(text);
	char *end;
	unsigned long number;

	if (entry) {
		*uid = entry->pw_uid;
		return true;
	}
	errno = 0;
	number = strtoul(text, &end, 10);
	*uid = (uid_t)number;
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && number < (uid_t)-1;
}

/* Returns 0, or an exit status. */
static int read_arguments(int argc, char **argv, uid_t *owner, const char **name,
			  bool *for_programs)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "u:h", options, NULL)) != -1) {
		if (option == 'h') {
			usage(stdout);
			exit(0);
		}
		if (option == 'j') {
			*for_programs = true;
			continue;
		}
		if (option != 'u') {
			fprintf(stderr, "headroom-log: no such option, or without its "
				"value: see headroom-log --help\n");
			return 2;
		}
		if (!find_user(optarg, owner)) {
			fprintf(stderr, "headroom-log: there is no user '%s'\n", optarg);
			return 2;
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "headroom-log: one name, not %d: see headroom-log --help\n",
			argc - optind);
		return 2;
	}
	if (optind < argc)
		*name = argv[optind];
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = NULL;
	uid_t owner = HR_PAGE_OWN;
	bool for_programs = false;
	int status = read_arguments(argc, argv, &owner, &name, &for_programs);

	if (status)
		return status;
	for (int direction = 0; direction < N_DIRECTIONS; direction++) {
		for (uint32_t slot = 0; slot < HR_PAGE_SLOTS; slot++) {
			if (add_slot(owner, name ? name : DEFAULT_NAME,
				     (enum hr_direction)direction, slot) == 0)
				continue;
			fprintf(stderr, "headroom-log: a name has 1 to %u bytes\n",
				HR_PAGE_NAME_MAX);
			return 2;
		}
	}
	if (for_programs)
		print_json();
	else
		print_lines(owner, name);
	return fflush(stdout) || n_bad ? 1 : 0;
}
