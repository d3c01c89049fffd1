/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/ctl_events.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "core/clock.h"

#define NEVER UINT64_MAX
#define AT_ONCE 1u			/* a time in the past */
#define COMPARE_NS (500 * HR_NS_PER_MS)
/* The file of a process that was killed is closed a moment before its lock is gone. */
#define AGAIN_NS (50 * HR_NS_PER_MS)

static bool add_to_poll(struct hr_ctl_events *events, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return fd >= 0 && epoll_ctl(events->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

int hr_ctl_events_init(struct hr_ctl_events *events)
{
	memset(events, 0, sizeof(*events));
	events->inotify_fd = -1;
	events->watch = -1;
	events->again_ns = NEVER;
	events->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	events->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (events->poll_fd < 0 || !add_to_poll(events, events->timer_fd))
		return -errno;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void hr_ctl_events_finish(struct hr_ctl_events *events)
{
	close_fd(&events->inotify_fd);
	close_fd(&events->timer_fd);
	close_fd(&events->poll_fd);
}

/* --- the timer --- */

static void arm(struct hr_ctl_events *events, uint64_t at_ns)
{
	struct itimerspec timer = {
		.it_value.tv_sec = (time_t)(at_ns / HR_NS_PER_S),
		.it_value.tv_nsec = (long)(at_ns % HR_NS_PER_S),
	};

	if (at_ns == NEVER)
		at_ns = 0;
	if (at_ns == 0)
		timer = (struct itimerspec) { 0 };
	/* Setting it also takes away that it has expired. */
	if (at_ns != events->armed_ns)
		timerfd_settime(events->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
	events->armed_ns = at_ns;
}

static uint64_t next_look_ns(const struct hr_ctl_events *events)
{
	uint64_t compare_ns = events->compare_all ? events->compared_ns + COMPARE_NS : NEVER;

	return compare_ns < events->again_ns ? compare_ns : events->again_ns;
}

/* Whether the timer has expired; it is then not armed any more. */
static bool has_expired(struct hr_ctl_events *events)
{
	uint64_t times;

	if (read(events->timer_fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return false;
	events->armed_ns = 0;
	return true;
}

/* --- the directory --- */

/* One that is gone, or has gone elsewhere, is no longer the place to watch. */
static void read_one(struct hr_ctl_events *events, const struct inotify_event *event)
{
	if (event->wd != events->watch)
		return;
	if (event->mask & IN_MOVE_SELF)
		inotify_rm_watch(events->inotify_fd, events->watch);
	if (event->mask & (IN_IGNORED | IN_MOVE_SELF | IN_DELETE_SELF))
		events->watch = -1;
}

/* Whether something was announced. */
static bool was_announced(struct hr_ctl_events *events)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool any = false;
	ssize_t n;

	while (events->inotify_fd >= 0 &&
	       (n = read(events->inotify_fd, buf, sizeof(buf))) > 0) {
		any = true;
		for (char *at = buf; at < buf + n;) {
			const struct inotify_event *event = (const void *)at;

			read_one(events, event);
			at += sizeof(*event) + event->len;
		}
	}
	return any;
}

/* --- looking --- */

/* Note what has changed. Of what is told, only what was compared moves on. */
static void compare(struct hr_ctl_events *events, size_t stream, bool all,
		    const struct hr_snapshot *now)
{
	struct hr_snapshot *told = &events->streams[stream].told;

	for (size_t i = 0; i < hr_n_elements; i++) {
		const struct hr_element *element = &hr_elements[i];

		if (!all && !element->is_urgent)
			continue;
		if (hr_element_value(element, told) != hr_element_value(element, now))
			events->streams[stream].changed |= UINT64_C(1) << i;
		memcpy((char *)told + element->offset, (const char *)now + element->offset,
		       sizeof(uint64_t));
	}
}

/* Begin with what a stream is like now; its elements are news unless the program has
 * listed them. */
static void get_to_know(struct hr_ctl_events *events, size_t stream, bool is_news,
			const struct hr_snapshot *now)
{
	uint64_t all = UINT64_MAX >> (HR_ELEMENTS_MAX - hr_n_elements);

	events->streams[stream].told = *now;
	events->streams[stream].changed = 0;
	events->streams[stream].added = is_news ? all : 0;
}

/* Whether any stream is live. */
static bool look_at_streams(struct hr_ctl_events *events, struct hr_ctl_view *view,
			    bool all, uint64_t now_ns)
{
	bool any_live = false;

	for (size_t i = 0; i < view->n_streams; i++) {
		bool is_known = i < events->n_known;
		struct hr_snapshot now;
		int live = hr_ctl_view_look(view, i, all || !is_known, now_ns, &now);

		if (live > 0)
			any_live = true;
		if (live < 0)
			continue;	/* no memory: next time */
		if (is_known)
			compare(events, i, all, &now);
		else
			get_to_know(events, i, true, &now);
	}
	events->n_known = view->n_streams;
	return any_live;
}

static void look(struct hr_ctl_events *events, struct hr_ctl_view *view, bool announced)
{
	uint64_t now_ns = hr_now_ns();
	bool all = events->compare_all && now_ns - events->compared_ns >= COMPARE_NS;
	bool any_live;

	if (events->watch < 0 && events->inotify_fd >= 0)
		events->watch = hr_page_watch(view->owner, events->inotify_fd);
	if (announced)
		events->again_ns = now_ns + AGAIN_NS;
	else if (now_ns >= events->again_ns)
		events->again_ns = NEVER;
	if (announced || events->watch < 0)
		hr_ctl_view_find_new(view);
	any_live = look_at_streams(events, view, all, now_ns);
	if (all)
		events->compared_ns = now_ns;
	/* What was looked at in part is to be looked at whole. */
	events->compare_all = !all || any_live || events->watch < 0;
}

/* --- the program's calls --- */

static bool has_more(const struct hr_ctl_events *events)
{
	for (size_t i = 0; i < events->n_known; i++) {
		if (events->streams[i].added || events->streams[i].changed)
			return true;
	}
	return false;
}

/* Begin with what there is. What is not in the view yet came after the program has
 * listed it. Returns whether any stream is live. */
static bool meet_streams(struct hr_ctl_events *events, struct hr_ctl_view *view,
			 uint64_t now_ns)
{
	size_t n_listed = view->n_streams;
	bool any_live = false;

	hr_ctl_view_find_new(view);
	for (size_t i = 0; i < view->n_streams; i++) {
		struct hr_snapshot now;
		int live = hr_ctl_view_look(view, i, true, now_ns, &now);

		if (live > 0)
			any_live = true;
		if (live >= 0)
			get_to_know(events, i, i >= n_listed, &now);
	}
	events->n_known = view->n_streams;
	return any_live;
}

static void begin(struct hr_ctl_events *events, struct hr_ctl_view *view)
{
	uint64_t now_ns = hr_now_ns();

	events->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (!add_to_poll(events, events->inotify_fd))
		close_fd(&events->inotify_fd);
	if (events->inotify_fd >= 0)
		events->watch = hr_page_watch(view->owner, events->inotify_fd);
	/* After the watch, or what happens in between would be missed. */
	events->n_known = 0;
	events->compared_ns = now_ns;
	events->compare_all = meet_streams(events, view, now_ns) || events->watch < 0;
	arm(events, has_more(events) ? AT_ONCE : next_look_ns(events));
}

static void end(struct hr_ctl_events *events)
{
	/* Closing it is not enough: a forked child may have it still. */
	if (events->inotify_fd >= 0)
		epoll_ctl(events->poll_fd, EPOLL_CTL_DEL, events->inotify_fd, NULL);
	close_fd(&events->inotify_fd);
	events->watch = -1;
	events->again_ns = NEVER;
	arm(events, NEVER);
	for (size_t i = 0; i < events->n_known; i++) {
		events->streams[i].changed = 0;
		events->streams[i].added = 0;
	}
}

void hr_ctl_events_subscribe(struct hr_ctl_events *events, struct hr_ctl_view *view,
			     bool subscribe)
{
	if (subscribe == events->is_subscribed)
		return;
	events->is_subscribed = subscribe;
	if (subscribe)
		begin(events, view);
	else
		end(events);
}

static bool take_bit(uint64_t *bits, size_t *element)
{
	if (!*bits)
		return false;
	*element = (size_t)__builtin_ctzll(*bits);
	*bits &= *bits - 1;
	return true;
}

static bool take(struct hr_ctl_events *events, size_t *stream, size_t *element,
		 bool *is_new)
{
	for (size_t i = 0; i < events->n_known; i++) {
		*stream = i;
		*is_new = take_bit(&events->streams[i].added, element);
		if (*is_new || take_bit(&events->streams[i].changed, element))
			return true;
	}
	return false;
}

bool hr_ctl_events_next(struct hr_ctl_events *events, struct hr_ctl_view *view,
			size_t *stream, size_t *element, bool *is_new)
{
	bool any;

	if (!events->is_subscribed)
		return false;
	any = take(events, stream, element, is_new);
	if (!any) {
		bool announced = was_announced(events);
		bool expired = has_expired(events);

		if (announced || expired)
			look(events, view, announced);
		any = take(events, stream, element, is_new);
	}
	arm(events, has_more(events) ? AT_ONCE : next_look_ns(events));
	return any;
}
