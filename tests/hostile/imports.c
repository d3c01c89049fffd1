/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/hostile/imports.h"

#include <alsa/asoundlib.h>
#include <alsa/control_external.h>
#include <alsa/pcm_external.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#if defined(__x86_64__)
#define IS_IMPORT(type) ((type) == R_X86_64_JUMP_SLOT || (type) == R_X86_64_GLOB_DAT)
#elif defined(__aarch64__)
#define IS_IMPORT(type) ((type) == R_AARCH64_JUMP_SLOT || (type) == R_AARCH64_GLOB_DAT)
#else
#error "how does this machine's linker import?"
#endif

#define HELD_MAX 4096

extern int _snd_pcm_empty_open(snd_pcm_t **pcmp, const char *name, snd_config_t *root,
			       snd_config_t *conf, snd_pcm_stream_t stream, int mode);
extern int __register_atfork(void (*before)(void), void (*parent)(void),
			     void (*child)(void), void *module);

/* ---- which call fails ---- */

static _Atomic unsigned int n_calls, fails_at;
static _Atomic bool fails_onwards;
static const char *_Atomic only_name, *_Atomic failed_name;
static _Atomic uint64_t failed_errnos;

void imports_fail(unsigned int n, bool onwards, const char *only)
{
	atomic_store(&fails_at, 0);
	atomic_store(&n_calls, 0);
	atomic_store(&failed_name, NULL);
	atomic_store(&failed_errnos, 0);
	atomic_store(&only_name, only);
	atomic_store(&fails_onwards, onwards);
	atomic_store(&fails_at, n);
}

const char *imports_failed(void)
{
	return atomic_load(&failed_name);
}

bool imports_failed_with(int error)
{
	return error > 0 && error < 64 && atomic_load(&failed_errnos) >> error & 1;
}

static bool must_fail(const char *name, int error)
{
	const char *only = atomic_load(&only_name), *none = NULL;
	unsigned int at = atomic_load(&fails_at), n;

	if (at == 0 || (only && strcmp(only, name) != 0))
		return false;
	n = atomic_fetch_add(&n_calls, 1) + 1;
	if (n != at && !(n > at && atomic_load(&fails_onwards)))
		return false;
	atomic_compare_exchange_strong(&failed_name, &none, name);
	atomic_fetch_or(&failed_errnos, UINT64_C(1) << error);
	errno = error;
	return true;
}

/* ---- what is held ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const void *held[HELD_MAX];
static long n_held;

static void hold(const void *thing)
{
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; thing && i < HELD_MAX && held[i]; i++)
		;
	if (thing && i < HELD_MAX) {
		held[i] = thing;
		n_held++;
	}
	pthread_mutex_unlock(&lock);
}

static void let_go(const void *thing)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; thing && i < HELD_MAX; i++) {
		if (held[i] != thing)
			continue;
		held[i] = NULL;
		n_held--;
		break;
	}
	pthread_mutex_unlock(&lock);
}

long imports_held(void)
{
	long n;

	pthread_mutex_lock(&lock);
	n = n_held;
	pthread_mutex_unlock(&lock);
	return n;
}

/* ---- the calls ---- */

/* One that fails with -1 and errno, or whatever else; or goes through. */
#define PASS(type, name, params, args, error, failure) \
	static type on_##name params \
	{ \
		return must_fail(#name, error) ? (failure) : name args; \
	}
#define POSIX(name, params, args, error) PASS(int, name, params, args, error, -1)
#define SND(name, params, args) PASS(int, name, params, args, ENOMEM, -ENOMEM)

/* One whose result is held. */
#define TAKE(name, params, args) \
	static void *on_##name params \
	{ \
		void *got = must_fail(#name, ENOMEM) ? NULL : name args; \
		hold(got); \
		return got; \
	}

TAKE(malloc, (size_t n), (n))
TAKE(calloc, (size_t n, size_t size), (n, size))
TAKE(aligned_alloc, (size_t align, size_t n), (align, n))
TAKE(strdup, (const char *text), (text))

static int on_posix_memalign(void **p, size_t align, size_t n)
{
	int err = must_fail("posix_memalign", ENOMEM) ? ENOMEM : posix_memalign(p, align, n);

	hold(err ? NULL : *p);
	return err;
}

static void on_free(void *p)
{
	let_go(p);
	free(p);
}

static void *on_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	void *map = must_fail("mmap", ENOMEM) ? MAP_FAILED :
						mmap(at, n, prot, flags, fd, offset);

	hold(map == MAP_FAILED ? NULL : map);
	return map;
}

static int on_munmap(void *map, size_t n)
{
	let_go(map);
	return munmap(map, n);
}

POSIX(mlock, (const void *at, size_t n), (at, n), ENOMEM)
POSIX(madvise, (void *at, size_t n, int advice), (at, n, advice), EPERM)
POSIX(eventfd, (unsigned int n, int flags), (n, flags), EMFILE)
POSIX(epoll_create1, (int flags), (flags), EMFILE)
POSIX(epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event),
      (epoll, op, fd, event), ENOSPC)
POSIX(timerfd_settime, (int fd, int flags, const struct itimerspec *to,
			struct itimerspec *from), (fd, flags, to, from), EINVAL)
POSIX(inotify_init1, (int flags), (flags), EMFILE)
POSIX(inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask), ENOSPC)
POSIX(fstat, (int fd, struct stat *st), (fd, st), EIO)
POSIX(fstatat, (int dir, const char *path, struct stat *st, int flags),
      (dir, path, st, flags), EACCES)
POSIX(ftruncate, (int fd, off_t size), (fd, size), ENOSPC)
POSIX(fchmod, (int fd, mode_t mode), (fd, mode), EPERM)
POSIX(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), EPERM)
POSIX(mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
POSIX(unlinkat, (int dir, const char *path, int flags), (dir, path, flags), EACCES)
POSIX(linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags),
      (from_dir, from, to_dir, to, flags), EACCES)
POSIX(getrlimit, (int what, struct rlimit *limit), ((__rlimit_resource_t)what, limit), EPERM)
PASS(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), EIO, -1)
PASS(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at),
     ENOSPC, -1)
PASS(int, posix_fallocate, (int fd, off_t from, off_t n), (fd, from, n), ENOSPC, ENOSPC)
POSIX(sem_init, (sem_t *sem, int shared, unsigned int n), (sem, shared, n), ENOSYS)
PASS(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr,
			   void *(*main)(void *), void *arg), (thread, attr, main, arg),
     EAGAIN, EAGAIN)
PASS(int, pthread_key_create, (pthread_key_t *key, void (*end)(void *)), (key, end),
     EAGAIN, EAGAIN)
PASS(int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value),
     ENOMEM, ENOMEM)
PASS(int, pthread_setschedparam, (pthread_t thread, int policy,
				  const struct sched_param *param), (thread, policy, param),
     EPERM, EPERM)
PASS(int, pthread_attr_init, (pthread_attr_t *attr), (attr), ENOMEM, ENOMEM)
PASS(int, __register_atfork, (void (*before)(void), void (*parent)(void),
			      void (*child)(void), void *module),
     (before, parent, child, module), ENOMEM, ENOMEM)

static int on_open(const char *path, int flags, ...)
{
	return must_fail("open", EMFILE) ? -1 : open(path, flags, 0600);
}

static int on_openat(int dir, const char *path, int flags, ...)
{
	return must_fail("openat", EMFILE) ? -1 : openat(dir, path, flags, 0600);
}

static int on_fcntl(int fd, int command, void *arg)
{
	return must_fail("fcntl", ENOLCK) ? -1 : fcntl(fd, command, arg);
}

static long on_syscall(long number, long a, long b, long c, long d)
{
	return must_fail("syscall", EPERM) ? -1 : syscall(number, a, b, c, d);
}

static _Atomic bool other_clock;
static _Atomic long long shift_ns;

static int on_timerfd_create(int clock, int flags)
{
	if (clock != CLOCK_MONOTONIC)
		atomic_store(&other_clock, true);
	return must_fail("timerfd_create", EMFILE) ? -1 : timerfd_create(clock, flags);
}

static int on_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int err = clock_gettime(clock, ts);
	long long ns = ts->tv_sec * 1000000000ll + ts->tv_nsec + atomic_load(&shift_ns);

	if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)
		atomic_store(&other_clock, true);
	ts->tv_sec = (time_t)(ns / 1000000000ll);
	ts->tv_nsec = (long)(ns % 1000000000ll);
	return err;
}

void imports_shift_clock(long long ns)
{
	atomic_store(&shift_ns, ns);
}

bool imports_used_other_clock(void)
{
	return atomic_load(&other_clock);
}

/* --- of alsa-lib --- */

#define SND_TAKE(name, params, args, out) \
	static int on_##name params \
	{ \
		int err = must_fail(#name, ENOMEM) ? -ENOMEM : name args; \
		hold(err < 0 ? NULL : *(out)); \
		return err; \
	}

SND_TAKE(_snd_pcm_empty_open, (snd_pcm_t **pcmp, const char *name, snd_config_t *root,
			       snd_config_t *conf, snd_pcm_stream_t stream, int mode),
	 (pcmp, name, root, conf, stream, mode), pcmp)
SND_TAKE(snd_config_copy, (snd_config_t **to, snd_config_t *from), (to, from), to)
SND_TAKE(snd_config_make_compound, (snd_config_t **to, const char *key, int join),
	 (to, key, join), to)
SND_TAKE(snd_config_imake_string, (snd_config_t **to, const char *key, const char *text),
	 (to, key, text), to)
SND_TAKE(snd_config_get_ascii, (const snd_config_t *node, char **text), (node, text), text)

static int on_snd_config_add(snd_config_t *parent, snd_config_t *child)
{
	int err = must_fail("snd_config_add", ENOMEM) ? -ENOMEM :
							snd_config_add(parent, child);

	if (err >= 0)
		let_go(child);
	return err;
}

static int on_snd_config_delete(snd_config_t *node)
{
	let_go(node);
	return snd_config_delete(node);
}

static int on_snd_pcm_close(snd_pcm_t *pcm)
{
	let_go(pcm);
	return snd_pcm_close(pcm);
}

SND(snd_pcm_nonblock, (snd_pcm_t *pcm, int nonblock), (pcm, nonblock))
SND(snd_pcm_prepare, (snd_pcm_t *pcm), (pcm))
SND(snd_pcm_info, (snd_pcm_t *pcm, snd_pcm_info_t *info), (pcm, info))
SND(snd_pcm_hw_params, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw), (pcm, hw))
SND(snd_pcm_hw_params_any, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw), (pcm, hw))
PASS(int, snd_pcm_hw_params_set_access, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				   snd_pcm_access_t access), (pcm, hw, access),
     EINVAL, -EINVAL)
SND(snd_pcm_hw_params_set_format, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				   snd_pcm_format_t format), (pcm, hw, format))
SND(snd_pcm_hw_params_set_channels, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				     unsigned int n), (pcm, hw, n))
SND(snd_pcm_hw_params_set_rate, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, unsigned int rate,
				 int dir), (pcm, hw, rate, dir))
SND(snd_pcm_hw_params_set_period_size_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
					     snd_pcm_uframes_t *n, int *dir), (pcm, hw, n, dir))
SND(snd_pcm_hw_params_set_buffer_size_near, (snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
					     snd_pcm_uframes_t *n), (pcm, hw, n))
SND(snd_pcm_sw_params, (snd_pcm_t *pcm, snd_pcm_sw_params_t *sw), (pcm, sw))
SND(snd_pcm_sw_params_current, (snd_pcm_t *pcm, snd_pcm_sw_params_t *sw), (pcm, sw))
SND(snd_pcm_sw_params_set_avail_min, (snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
				      snd_pcm_uframes_t n), (pcm, sw, n))
SND(snd_pcm_sw_params_set_start_threshold, (snd_pcm_t *pcm, snd_pcm_sw_params_t *sw,
					    snd_pcm_uframes_t n), (pcm, sw, n))
SND(snd_pcm_ioplug_create, (snd_pcm_ioplug_t *io, const char *name, snd_pcm_stream_t stream,
			    int mode), (io, name, stream, mode))
SND(snd_pcm_ioplug_set_param_list, (snd_pcm_ioplug_t *io, int type, unsigned int n,
				    const unsigned int *list), (io, type, n, list))
SND(snd_pcm_ioplug_set_param_minmax, (snd_pcm_ioplug_t *io, int type, unsigned int min,
				      unsigned int max), (io, type, min, max))
SND(snd_pcm_areas_silence, (const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
			    unsigned int channels, snd_pcm_uframes_t n,
			    snd_pcm_format_t format), (areas, offset, channels, n, format))
SND(snd_ctl_ext_create, (snd_ctl_ext_t *ext, const char *name, int mode), (ext, name, mode))

/* ---- putting them in place ---- */

#define HOOK(name) { #name, (void *)(uintptr_t)on_##name }
#define HOOK_64(name) { #name, (void *)(uintptr_t)on_##name }, \
		      { #name "64", (void *)(uintptr_t)on_##name }

static const struct {
	const char *name;
	void *function;
} hooks[] = {
	HOOK(malloc), HOOK(calloc), HOOK(aligned_alloc), HOOK(strdup), HOOK(posix_memalign),
	HOOK(free), HOOK_64(mmap), HOOK(munmap), HOOK(mlock), HOOK(madvise), HOOK(eventfd),
	HOOK(epoll_create1), HOOK(epoll_ctl), HOOK(timerfd_create), HOOK(timerfd_settime),
	HOOK(inotify_init1), HOOK(inotify_add_watch), HOOK_64(fstat), HOOK_64(fstatat),
	HOOK_64(ftruncate), HOOK(fchmod), HOOK(fchown), HOOK(mkdir), HOOK(unlinkat),
	HOOK(linkat), HOOK_64(getrlimit), HOOK_64(pread), HOOK_64(pwrite),
	HOOK_64(posix_fallocate), HOOK(sem_init), HOOK(pthread_create),
	HOOK(pthread_key_create), HOOK(pthread_setspecific), HOOK(pthread_setschedparam),
	HOOK(pthread_attr_init), HOOK(__register_atfork), HOOK_64(open), HOOK_64(openat),
	HOOK_64(fcntl), HOOK(syscall), HOOK(clock_gettime),
	HOOK(_snd_pcm_empty_open), HOOK(snd_config_copy), HOOK(snd_config_make_compound),
	HOOK(snd_config_imake_string), HOOK(snd_config_get_ascii), HOOK(snd_config_add),
	HOOK(snd_config_delete), HOOK(snd_pcm_close), HOOK(snd_pcm_nonblock),
	HOOK(snd_pcm_prepare), HOOK(snd_pcm_info), HOOK(snd_pcm_hw_params),
	HOOK(snd_pcm_hw_params_any), HOOK(snd_pcm_hw_params_set_access),
	HOOK(snd_pcm_hw_params_set_format), HOOK(snd_pcm_hw_params_set_channels),
	HOOK(snd_pcm_hw_params_set_rate), HOOK(snd_pcm_hw_params_set_period_size_near),
	HOOK(snd_pcm_hw_params_set_buffer_size_near), HOOK(snd_pcm_sw_params),
	HOOK(snd_pcm_sw_params_current), HOOK(snd_pcm_sw_params_set_avail_min),
	HOOK(snd_pcm_sw_params_set_start_threshold), HOOK(snd_pcm_ioplug_create),
	HOOK(snd_pcm_ioplug_set_param_list), HOOK(snd_pcm_ioplug_set_param_minmax),
	HOOK(snd_pcm_areas_silence), HOOK(snd_ctl_ext_create),
};

static void *hook_of(const char *name)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		if (strcmp(hooks[i].name, name) == 0)
			return hooks[i].function;
	}
	return NULL;
}

static bool put(void **place, void *function)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *at = (void *)((uintptr_t)place & ~(page - 1));

	if (mprotect(at, page, PROT_READ | PROT_WRITE) < 0)
		return false;
	*place = function;
	return true;
}

static unsigned int take_from(const struct link_map *map, const ElfW(Rela) *relocations,
			      size_t bytes, const ElfW(Sym) *symbols, const char *names)
{
	unsigned int n = 0;

	for (size_t i = 0; i < bytes / sizeof(*relocations); i++) {
		const ElfW(Rela) *r = &relocations[i];
		void *hook = hook_of(names + symbols[ELF64_R_SYM(r->r_info)].st_name);

		if (hook && IS_IMPORT(ELF64_R_TYPE(r->r_info)))
			n += put((void **)(map->l_addr + r->r_offset), hook);
	}
	return n;
}

unsigned int imports_take(const char *module)
{
	const ElfW(Rela) *plain = NULL, *calls = NULL;
	size_t plain_bytes = 0, calls_bytes = 0;
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	struct link_map *map;
	void *handle = dlopen(module, RTLD_NOW);

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0)
		return 0;
	for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			symbols = (const void *)d->d_un.d_ptr;
		else if (d->d_tag == DT_STRTAB)
			names = (const void *)d->d_un.d_ptr;
		else if (d->d_tag == DT_RELA)
			plain = (const void *)d->d_un.d_ptr;
		else if (d->d_tag == DT_JMPREL)
			calls = (const void *)d->d_un.d_ptr;
		else if (d->d_tag == DT_RELASZ)
			plain_bytes = d->d_un.d_val;
		else if (d->d_tag == DT_PLTRELSZ)
			calls_bytes = d->d_un.d_val;
	}
	if (!symbols || !names)
		return 0;
	return take_from(map, plain, plain ? plain_bytes : 0, symbols, names) +
	       take_from(map, calls, calls ? calls_bytes : 0, symbols, names);
}
