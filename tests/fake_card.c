/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* So that open() is what it is called here. */
#undef _FILE_OFFSET_BITS

#include "tests/fake_card.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sound/asound.h>	/* its names are also alsa-lib's: here alone */

#define N_ELEMENTS 512
#define N_HANDLES 32
#define N_ITEMS 16

struct handle {
	int read_fd, write_fd;		/* the first is the program's */
	bool is_open, is_subscribed;
};

struct element {
	struct snd_ctl_elem_info info;
	char items[N_ITEMS][64];
	long value;
	const struct handle *owner;
	bool is_there;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle handles[N_HANDLES];
static struct element elements[N_ELEMENTS];
static unsigned int last_numid, n_requests, fails_at, card;
static int fails_with;
static bool fails_for_ever, has_card;

/* ---- handles ---- */

/* Closing is not ours to see, but the other end of the pipe is. */
static bool is_open(struct handle *handle)
{
	struct pollfd fd = { .fd = handle->write_fd };

	if (handle->is_open && poll(&fd, 1, 0) == 1 && fd.revents & POLLERR) {
		close(handle->write_fd);
		handle->is_open = false;
		for (size_t i = 0; i < N_ELEMENTS; i++)
			if (elements[i].owner == handle)
				elements[i].owner = NULL;
	}
	return handle->is_open;
}

static struct handle *find_handle(int fd)
{
	for (size_t i = 0; i < N_HANDLES; i++)
		if (is_open(&handles[i]) && handles[i].read_fd == fd)
			return &handles[i];
	return NULL;
}

static int open_handle(int flags)
{
	int fds[2];

	for (size_t i = 0; i < N_HANDLES; i++) {
		if (is_open(&handles[i]))
			continue;
		if (pipe2(fds, O_NONBLOCK | (flags & O_CLOEXEC)) < 0)
			return -1;
		handles[i] = (struct handle) {
			.read_fd = fds[0], .write_fd = fds[1], .is_open = true,
		};
		return fds[0];
	}
	errno = EMFILE;
	return -1;
}

static void tell(const struct element *element, unsigned int mask)
{
	struct snd_ctl_event event = {
		.type = SNDRV_CTL_EVENT_ELEM,
		.data.elem = { .mask = mask, .id = element->info.id },
	};

	for (size_t i = 0; i < N_HANDLES; i++) {
		if (is_open(&handles[i]) && handles[i].is_subscribed &&
		    write(handles[i].write_fd, &event, sizeof(event)) < 0)
			abort();	/* nobody leaves so many unread */
	}
}

/* ---- elements ---- */

static struct element *find(const struct snd_ctl_elem_id *id)
{
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		const struct snd_ctl_elem_id *own = &elements[i].info.id;

		if (!elements[i].is_there)
			continue;
		if (id->numid ? id->numid == own->numid :
		    id->iface == own->iface && id->device == own->device &&
		    id->subdevice == own->subdevice && id->index == own->index &&
		    strcmp((const char *)id->name, (const char *)own->name) == 0)
			return &elements[i];
	}
	return NULL;
}

static void keep_items(struct element *element)
{
	const char *name = (const char *)(uintptr_t)
			   element->info.value.enumerated.names_ptr;

	for (unsigned int i = 0; i < element->info.value.enumerated.items && i < N_ITEMS; i++) {
		strncpy(element->items[i], name, sizeof(element->items[i]) - 1);
		name += strlen(name) + 1;
	}
}

static int add(const struct handle *handle, struct snd_ctl_elem_info *info)
{
	if (find(&info->id))
		return -EBUSY;
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		struct element *element = &elements[i];

		if (element->is_there)
			continue;
		info->id.numid = ++last_numid;
		*element = (struct element) { .info = *info, .owner = handle,
					      .is_there = true };
		element->info.access = SNDRV_CTL_ELEM_ACCESS_READWRITE |
				       SNDRV_CTL_ELEM_ACCESS_USER;
		element->info.count = 1;
		if (info->type == SNDRV_CTL_ELEM_TYPE_ENUMERATED)
			keep_items(element);
		tell(element, SNDRV_CTL_EVENT_MASK_ADD);
		return 0;
	}
	return -ENOMEM;
}

static int get_info(const struct element *element, const struct handle *handle,
		    struct snd_ctl_elem_info *info)
{
	unsigned int item = info->value.enumerated.item;

	*info = element->info;
	if (element->owner)
		info->access |= SNDRV_CTL_ELEM_ACCESS_LOCK;
	if (element->owner == handle)
		info->access |= SNDRV_CTL_ELEM_ACCESS_OWNER;
	if (info->type == SNDRV_CTL_ELEM_TYPE_ENUMERATED) {
		if (item >= info->value.enumerated.items)
			item = info->value.enumerated.items - 1;
		info->value.enumerated.item = item;
		strcpy(info->value.enumerated.name, element->items[item]);
	}
	return 0;
}

static int write_value(struct element *element, const struct handle *handle,
		       const struct snd_ctl_elem_value *value)
{
	long wanted = element->info.type == SNDRV_CTL_ELEM_TYPE_ENUMERATED ?
		      (long)value->value.enumerated.item[0] : value->value.integer.value[0];

	if (element->owner && element->owner != handle)
		return -EPERM;
	if (wanted == element->value)
		return 0;
	element->value = wanted;
	tell(element, SNDRV_CTL_EVENT_MASK_VALUE);
	return 1;
}

static int read_value(const struct element *element, struct snd_ctl_elem_value *value)
{
	value->id = element->info.id;
	if (element->info.type == SNDRV_CTL_ELEM_TYPE_ENUMERATED)
		value->value.enumerated.item[0] = (unsigned int)element->value;
	else
		value->value.integer.value[0] = element->value;
	return 0;
}

static int remove_element(struct element *element, const struct handle *handle)
{
	if (element->owner && element->owner != handle)
		return -EBUSY;
	tell(element, SNDRV_CTL_EVENT_MASK_REMOVE);
	element->is_there = false;
	return 0;
}

static int take(struct element *element, const struct handle *handle)
{
	if (element->owner)
		return -EBUSY;
	element->owner = handle;
	return 0;
}

static int give(struct element *element, const struct handle *handle)
{
	if (element->owner != handle)
		return element->owner ? -EPERM : -EINVAL;
	element->owner = NULL;
	return 0;
}

static int obey(struct handle *handle, unsigned long request, void *arg)
{
	/* An id is the first in all of them. */
	struct element *element = find(arg);

	if (request == SNDRV_CTL_IOCTL_ELEM_ADD)
		return add(handle, arg);
	if (!element)
		return -ENOENT;
	switch (request) {
	case SNDRV_CTL_IOCTL_ELEM_INFO: return get_info(element, handle, arg);
	case SNDRV_CTL_IOCTL_ELEM_READ: return read_value(element, arg);
	case SNDRV_CTL_IOCTL_ELEM_WRITE: return write_value(element, handle, arg);
	case SNDRV_CTL_IOCTL_ELEM_REMOVE: return remove_element(element, handle);
	case SNDRV_CTL_IOCTL_ELEM_LOCK: return take(element, handle);
	case SNDRV_CTL_IOCTL_ELEM_UNLOCK: return give(element, handle);
	default: return -ENOTTY;
	}
}

static int request_to(struct handle *handle, unsigned long request, void *arg)
{
	if (request == SNDRV_CTL_IOCTL_PVERSION) {
		*(int *)arg = SNDRV_CTL_VERSION;
		return 0;
	}
	if (request == SNDRV_CTL_IOCTL_CARD_INFO) {
		*(struct snd_ctl_card_info *)arg = (struct snd_ctl_card_info) { .card = 0 };
		return 0;
	}
	n_requests++;
	if (fails_at && (n_requests == fails_at || (fails_for_ever && n_requests > fails_at)))
		return -fails_with;
	if (request == SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS) {
		handle->is_subscribed = *(int *)arg > 0;
		return 0;
	}
	return obey(handle, request, arg);
}

/* ---- what alsa-lib calls ---- */

static int open_path(const char *path, int flags, mode_t mode)
{
	int fd;

	if (!has_card || strcmp(path, "/dev/snd/controlC0") != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	pthread_mutex_lock(&lock);
	fd = open_handle(flags);
	pthread_mutex_unlock(&lock);
	return fd;
}

static mode_t mode_in(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_in(flags, args);
	va_end(args);
	return open_path(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_in(flags, args);
	va_end(args);
	return open_path(path, flags | O_LARGEFILE, mode);
}

/* What open() is in libraries built with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_path(path, flags, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
	struct handle *handle;
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	pthread_mutex_lock(&lock);
	handle = find_handle(fd);
	ret = handle ? request_to(handle, request, arg) : 0;
	pthread_mutex_unlock(&lock);
	if (!handle)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : ret;
}

struct _snd_pcm_info;
int snd_pcm_info_get_card(const struct _snd_pcm_info *info);
int snd_pcm_info_get_card(const struct _snd_pcm_info *info)
{
	(void)info;
	return has_card ? (int)card : -1;
}

/* ---- what a test asks ---- */

void fake_card_reset(void)
{
	pthread_mutex_lock(&lock);
	memset(elements, 0, sizeof(elements));
	last_numid = n_requests = fails_at = 0;
	pthread_mutex_unlock(&lock);
}

void fake_card_put_streams_on(int index)
{
	has_card = index >= 0;
	card = (unsigned int)index;
}

void fake_card_fail(unsigned int request, int error, bool for_ever)
{
	pthread_mutex_lock(&lock);
	fails_at = request ? n_requests + request : 0;
	fails_with = error;
	fails_for_ever = for_ever;
	pthread_mutex_unlock(&lock);
}

unsigned int fake_card_requests(void)
{
	unsigned int n;

	pthread_mutex_lock(&lock);
	n = n_requests;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned int fake_card_count(void)
{
	unsigned int n = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < N_ELEMENTS; i++)
		n += elements[i].is_there;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned int fake_card_handles(void)
{
	unsigned int n = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < N_HANDLES; i++)
		n += is_open(&handles[i]);
	pthread_mutex_unlock(&lock);
	return n;
}

/* A copy; is_there tells whether there is one. */
static struct element look_at(const char *name, unsigned int subdevice)
{
	struct snd_ctl_elem_id id = {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM, .subdevice = subdevice,
	};
	struct element found = { 0 }, *element;

	strncpy((char *)id.name, name, sizeof(id.name) - 1);
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < N_HANDLES; i++)
		is_open(&handles[i]);
	element = find(&id);
	if (element)
		found = *element;
	pthread_mutex_unlock(&lock);
	return found;
}

long fake_card_value(const char *name, unsigned int subdevice)
{
	struct element element = look_at(name, subdevice);

	return element.is_there ? element.value : -1;
}

unsigned int fake_card_numid(const char *name, unsigned int subdevice)
{
	return look_at(name, subdevice).info.id.numid;
}

bool fake_card_is_locked(const char *name, unsigned int subdevice)
{
	return look_at(name, subdevice).owner != NULL;
}
