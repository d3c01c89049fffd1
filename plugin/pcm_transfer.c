/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Frames between the program's memory and the stream, by absolute position.
 */
#include <errno.h>
#include "plugin/copy.h"
#include "plugin/pcm.h"

/* Divisions are for the moves that never come: pointers wrap after years. */
static uint64_t wrapped(uint64_t ptr, uint64_t boundary)
{
	return ptr < boundary ? ptr : ptr % boundary;
}

snd_pcm_uframes_t hr_pcm_ptr_of(const struct hr_pcm *pcm, uint64_t pos)
{
	uint64_t ptr = wrapped(pos, pcm->boundary) + pcm->zero_ptr;

	return (snd_pcm_uframes_t)(ptr < pcm->boundary ? ptr : ptr - pcm->boundary);
}

void hr_pcm_set_ptr(struct hr_pcm *pcm, snd_pcm_uframes_t ptr)
{
	/* relaxed: a value by itself, which the I/O thread may look at. */
	if (ptr != pcm->ioplug.appl_ptr)
		__atomic_store_n(&pcm->ioplug.appl_ptr, ptr, __ATOMIC_RELAXED);
}

static void tell_appl(struct hr_pcm *pcm)
{
	hr_io_set_appl_pos(&pcm->io, pcm->appl_pos, hr_pcm_ptr_of(pcm, pcm->appl_pos));
}

/* How far the program's pointer is from where it was last seen, -boundary/2 to
 * boundary/2. */
static int64_t appl_delta(const struct hr_pcm *pcm)
{
	uint64_t was = hr_pcm_ptr_of(pcm, pcm->appl_pos);
	/* Moved by more than there is, it may be anything. */
	uint64_t is = wrapped(pcm->ioplug.appl_ptr, pcm->boundary);
	uint64_t ahead = hr_ptr_ahead(is, was, pcm->boundary);

	return ahead <= pcm->boundary / 2 ? (int64_t)ahead :
	       -(int64_t)(pcm->boundary - ahead);
}

/* Playback: end the stream at pos, or as near after it as the device allows that
 * has the frames already, if the I/O thread can ask it by then. Returns where it ends. */
static uint64_t go_back_until(struct hr_pcm *pcm, uint64_t pos, uint64_t until_ns)
{
	uint64_t reached = hr_stream_rewind(pcm->stream, pos);

	if (reached <= pos || hr_pcm_is_foreign(pcm))
		return reached;
	pcm->io.rewind_pos = pos;
	(void)hr_io_request_until(&pcm->io, HR_REQUEST_REWIND, until_ns);
	return hr_stream_write_pos(pcm->stream);
}

/* A program that goes back while it runs is about to write again, and in time if that is
 * before the sound up to there is over. With the thread held up for longer it would be late
 * by our fault; so what is in the device is heard as it was. */
static void go_back(struct hr_pcm *pcm)
{
	uint64_t until_ns = hr_position_end_ns(&pcm->io.position, pcm->io.rate, pcm->appl_pos);
	uint64_t least_ns = hr_now_ns() + HR_PCM_PATIENCE_NS;

	if (pcm->ioplug.state != SND_PCM_STATE_RUNNING)
		until_ns = HR_NEVER_NS;
	go_back_until(pcm, pcm->appl_pos, until_ns > least_ns ? until_ns : least_ns);
}

/* snd_pcm_reset() sets alsa-lib's pointers to 0: what was queued, or not read
 * yet, is forgotten. */
static void notice_reset(struct hr_pcm *pcm)
{
	uint64_t pos;

	/* What a fault has let us know, and it not yet, leaves its pointers at 0, too. */
	if (!pcm->given_hw_ptr || pcm->ioplug.hw_ptr || pcm->ioplug.appl_ptr)
		return;
	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK) {
		pos = go_back_until(pcm, pcm->hw_pos, HR_NEVER_NS);
	} else {
		pos = hr_stream_write_pos(pcm->stream);
		hr_stream_read_done(pcm->stream, pos, hr_now_ns());
	}
	pcm->appl_pos = pos;
	pcm->hw_pos = pos;
	pcm->zero_ptr = pcm->boundary - (snd_pcm_uframes_t)(pos % pcm->boundary);
	pcm->told_hw_ptr = 0;
	pcm->given_hw_ptr = 0;
	tell_appl(pcm);
}

/* alsa-lib lets a program of this kind of PCM rewind and forward as far as it
 * likes; the kernel goes as far as there is something. */
static uint64_t within_buffer(const struct hr_pcm *pcm, int64_t pos)
{
	uint64_t buffer = pcm->ioplug.buffer_size, least = pcm->hw_pos, most;

	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK) {
		most = least + buffer;
	} else {
		most = least;
		least = least > buffer ? least - buffer : 0;
	}
	if (pos < (int64_t)least)
		return least;
	return pos > (int64_t)most ? most : (uint64_t)pos;
}

static bool is_mmap(const struct hr_pcm *pcm)
{
	return pcm->ioplug.access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
	       pcm->ioplug.access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/* The time of what is written now. alsa-lib asks for the position before it writes, and
 * the time is taken then; by mmap a program fills its buffer first. */
static uint64_t write_time(struct hr_pcm *pcm)
{
	uint64_t now_ns = is_mmap(pcm) ? 0 : pcm->asked_ns;

	pcm->asked_ns = 0;
	return now_ns ? now_ns : hr_now_ns();
}

/* Write frames at the end of the stream; areas NULL writes silence. Returns how
 * many there was room for. */
static snd_pcm_uframes_t append(struct hr_pcm *pcm, const snd_pcm_channel_area_t *areas,
				snd_pcm_uframes_t offset, snd_pcm_uframes_t frames,
				uint64_t now_ns)
{
	snd_pcm_uframes_t done = 0;

	/* Forward while draining: there is nothing to wait for. relaxed: set by this
	 * side. */
	if (atomic_load_explicit(&pcm->io.draining, memory_order_relaxed))
		return frames;
	while (done < frames) {
		struct hr_span span = hr_stream_write_begin(pcm->stream, now_ns);
		snd_pcm_uframes_t n = frames - done;

		if (!span.frames)
			break;
		if (n > span.frames)
			n = span.frames;
		hr_copy_in(&pcm->slave, &span, areas, offset + done, n);
		hr_stream_write_commit(pcm->stream, (uint32_t)n);
		done += n;
	}
	return done;
}

static void follow_playback(struct hr_pcm *pcm)
{
	uint64_t written = hr_stream_write_pos(pcm->stream);

	if (pcm->appl_pos < written)
		go_back(pcm);
	else if (pcm->appl_pos > written)
		/* snd_pcm_forward(): nobody wrote these, nor need the position have been
		 * asked for. */
		append(pcm, NULL, 0, pcm->appl_pos - written, hr_now_ns());
}

/* Capture: what is before the program is not needed any more. A program that has gone
 * beyond what was captured must not let go of what is being captured. */
static void let_go(struct hr_pcm *pcm)
{
	uint64_t captured = hr_stream_write_pos(pcm->stream);

	hr_stream_read_done(pcm->stream, pcm->appl_pos < captured ? pcm->appl_pos : captured,
			    hr_now_ns());
}

void hr_pcm_settle_wake(struct hr_pcm *pcm, bool readable)
{
	if (!hr_io_ready(&pcm->io)) {
		hr_wake_arm(&pcm->io.app_wake, readable);
		if (!hr_io_ready(&pcm->io))
			return;
	}
	hr_wake_signal(&pcm->io.app_wake);
}

/* alsa-lib moves its pointer after transfer(), when we hold no lock any more. To
 * another thread that looks in between it is behind by just what was transferred, as
 * it would be by a rewind, which the mover itself tells by its next call. */
static bool is_being_moved(struct hr_pcm *pcm, int64_t delta)
{
	if (delta != -(int64_t)pcm->moving)
		pcm->moving = 0;
	return pcm->moving && !pthread_equal(pcm->mover, pthread_self());
}

void hr_pcm_trust_pointer(struct hr_pcm *pcm)
{
	if (pcm->is_locked)
		pcm->moving = 0;
}

void hr_pcm_ask_pointer(struct hr_pcm *pcm)
{
	bool doubtful;

	pthread_mutex_lock(&pcm->lock);
	doubtful = pcm->is_locked && pcm->stream && pcm->boundary &&
		   is_being_moved(pcm, appl_delta(pcm));
	pthread_mutex_unlock(&pcm->lock);
	if (doubtful)
		snd_pcm_hwsync(pcm->ioplug.pcm);
}

void hr_pcm_sync_appl(struct hr_pcm *pcm)
{
	int64_t delta;

	if (!pcm->stream || !pcm->boundary)
		return;
	notice_reset(pcm);
	delta = appl_delta(pcm);
	if (is_being_moved(pcm, delta) || !delta)
		return;
	pcm->appl_pos = within_buffer(pcm, (int64_t)pcm->appl_pos + delta);
	hr_pcm_set_ptr(pcm, hr_pcm_ptr_of(pcm, pcm->appl_pos));
	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK)
		follow_playback(pcm);
	else
		let_go(pcm);
	tell_appl(pcm);
	hr_pcm_settle_wake(pcm, false);
}

/* relaxed: a count by itself, which only this side writes. */
static void count_late(struct hr_pcm *pcm, snd_pcm_uframes_t frames)
{
	uint64_t late = atomic_load_explicit(&pcm->io.late, memory_order_relaxed);

	if (frames)
		atomic_store_explicit(&pcm->io.late, late + frames,
				      memory_order_relaxed);
}

/* Frames below the end of the stream are with the device already (a rewind came
 * too late for them): what the program writes there is taken and not heard, which
 * counts as dropped. */
static snd_pcm_uframes_t late_frames(const struct hr_pcm *pcm, snd_pcm_uframes_t size)
{
	uint64_t written = hr_stream_write_pos(pcm->stream);
	uint64_t late = written > pcm->appl_pos ? written - pcm->appl_pos : 0;

	return late < size ? late : size;
}

static snd_pcm_uframes_t read_frames(struct hr_pcm *pcm,
				     const snd_pcm_channel_area_t *areas,
				     snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	snd_pcm_uframes_t done = 0;
	uint64_t now_ns = hr_now_ns();

	while (done < size) {
		struct hr_span span = hr_stream_read_begin(pcm->stream,
							   pcm->appl_pos + done, now_ns);
		snd_pcm_uframes_t n = size - done;

		if (!span.frames)
			break;
		if (n > span.frames)
			n = span.frames;
		hr_copy_out(&pcm->slave, &span, areas, offset + done, n);
		done += n;
	}
	return done;
}

/* After this the program will be at appl_pos + moved. */
static void moved_on(struct hr_pcm *pcm, snd_pcm_uframes_t moved)
{
	pcm->appl_pos += moved;
	pcm->mover = pthread_self();
	pcm->moving = moved;
	if (pcm->ioplug.stream == SND_PCM_STREAM_CAPTURE)
		let_go(pcm);
	tell_appl(pcm);
	hr_pcm_settle_wake(pcm, false);
}

/* Write, and take back what an underrun was quicker than: it was not taken then,
 * and the program will write it again after its prepare. What the device got
 * before it ran dry was heard, though, and stays. */
static snd_pcm_sframes_t write_in_time(struct hr_pcm *pcm,
				       const snd_pcm_channel_area_t *areas,
				       snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	uint64_t before = hr_stream_write_pos(pcm->stream), reached;
	uint64_t from = pcm->appl_pos, now_ns = write_time(pcm);
	snd_pcm_uframes_t late = late_frames(pcm, size), done = late;
	bool overdue = pcm->ioplug.state == SND_PCM_STATE_RUNNING &&
		       hr_io_is_overdue(&pcm->io, before, now_ns);

	if (late < size)
		done += append(pcm, areas, offset + late, size - late, now_ns);
	moved_on(pcm, done);
	if (overdue)
		hr_io_settle_overdue(&pcm->io);
	if (!hr_io_too_late(&pcm->io, before)) {
		count_late(pcm, late);
		return (snd_pcm_sframes_t)done;
	}
	reached = hr_stream_rewind(pcm->stream, before);
	done = reached > before ? (snd_pcm_uframes_t)(reached - from) : 0;
	count_late(pcm, done ? late : 0);
	pcm->appl_pos = from + done;
	pcm->moving = done;
	tell_appl(pcm);
	snd_pcm_ioplug_set_state(&pcm->ioplug, SND_PCM_STATE_XRUN);
	return done ? (snd_pcm_sframes_t)done : -EPIPE;
}

/* alsa-lib asks where the stream is before it transfers, and not whether it still runs. */
static int stopped_by_device(struct hr_pcm *pcm)
{
	enum hr_fault fault = hr_pcm_fault(pcm);

	return fault == HR_FAULT_SUSPENDED || fault == HR_FAULT_LOST ?
	       hr_pcm_show_fault(pcm) : 0;
}

/* Go on by what was read, unless the stream has ended meanwhile: then it counts as not read,
 * and the program is told. One of the two sides sees the other, as in hr_io_too_late(). */
static snd_pcm_sframes_t read_in_time(struct hr_pcm *pcm, snd_pcm_uframes_t done)
{
	enum hr_fault fault;

	moved_on(pcm, done);
	fault = hr_pcm_fault(pcm);
	if (fault != HR_FAULT_LOST && (fault != HR_FAULT_XRUN || pcm->config.depth_ms))
		return (snd_pcm_sframes_t)done;
	pcm->appl_pos -= done;
	pcm->moving = 0;
	let_go(pcm);
	tell_appl(pcm);
	return hr_pcm_show_fault(pcm);
}

static snd_pcm_sframes_t transfer(struct hr_pcm *pcm, const snd_pcm_channel_area_t *areas,
				  snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	snd_pcm_sframes_t done;

	if (!pcm->stream)
		return 0;
	/* A draining device takes no more. relaxed: set by this side. */
	if (atomic_load_explicit(&pcm->io.draining, memory_order_relaxed))
		return -EBADFD;
	pcm->moving = 0;	/* alsa-lib lets one thread in at a time */
	hr_pcm_sync_appl(pcm);
	done = stopped_by_device(pcm);
	if (done < 0)
		return done;
	if (pcm->ioplug.stream == SND_PCM_STREAM_PLAYBACK)
		return write_in_time(pcm, areas, offset, size);
	done = (snd_pcm_sframes_t)read_frames(pcm, areas, offset, size);
	/* With mmap this was a look; the commit is seen later. */
	return is_mmap(pcm) ? done : read_in_time(pcm, (snd_pcm_uframes_t)done);
}

snd_pcm_sframes_t hr_pcm_transfer(snd_pcm_ioplug_t *ioplug,
				  const snd_pcm_channel_area_t *areas,
				  snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct hr_pcm *pcm = ioplug->private_data;
	snd_pcm_sframes_t done;

	/* mmap_begin of a capture asks for all there is, which may be nothing. */
	if (!size)
		return 0;
	if (hr_pcm_is_foreign(pcm))
		return -EBADFD;
	pthread_mutex_lock(&pcm->lock);
	done = transfer(pcm, areas, offset, size);
	pthread_mutex_unlock(&pcm->lock);
	/* 0 would make alsa-lib ask again for ever. */
	return done ? done : -EIO;
}
