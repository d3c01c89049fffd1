#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# Breaks the plugin on purpose, one requirement at a time, in a copy of the source, and
# expects the test of that requirement to fail: tests/README.md has the table. Prints
# "ok R…" or "not ok R…: why". Takes some minutes; scripts/test only looks whether there is
# still something to break.
#
# usage: tests/mutants.sh [--look] [R…]   (all)
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# R, file, sed expression, test program, name of the Check test (of the contract, of the
# scenario; of a script, of the test as it says it). G: not a requirement, but what
# guard.sh guards. A: what the account of tests/account/ has to notice.
mutants=(
	'R1@plugin/io_playback.c@s/^\t\thr_playback_plan(io, plan);/&\n\thr_plan_within(io, plan, HR_NS_PER_MS);/@contract/test_promises@a_stream_costs_little_and_wakes_seldom'
	'R2@plugin/pcm_transfer.c@s/\(hr_stream_write_commit(pcm->stream, (uint32_t)\)n)/\1n - (pcm->appl_pos % 4096 == 0 \&\& n > 1))/@contract/test_promises@writes_of_any_size_to_a_card_that_jitters_are_heard'
	'R3@plugin/io_playback_end.c@s/hr_playback_end_drain(io, -EIO)/hr_playback_end_drain(io, 0)/@contract/test_promises@a_drain_on_a_card_that_stands_still_ends_with_an_error'
	'R4@plugin/pcm_callbacks.c@s/drain_playback(pcm) : 0;/drain_playback(pcm) : -EAGAIN;/@contract/test_promises@drain_of_a_capture_from_a_dead_card_returns'
	'R5@plugin/io_playback_end.c@s/^\thr_health_overrun(hr_page_health(io->page));/&\n&/@test_pcm_underrun@an_underrun_is_reported_and_counted_once'
	'R6@plugin/io_playback.c@s/\(queued = (uint64_t)avail < buffer ? buffer - (uint64_t)avail : 0\);/\1; if (queued < 450 \&\& io->run == HR_RUN_RUNNING) return -EPIPE;/@contract/test_promises@a_writer_just_ahead_has_no_underrun'
	'R7@plugin/pcm_told.c@s/(pcm->appl_pos - pos) + extra/(pcm->appl_pos - pos) + 600 + extra/@contract/test_contract@underrun'
	'R8@plugin/pcm_transfer.c@s/hr_copy_in(&pcm->slave, &span, areas, offset + done, n)/hr_copy_in(\&pcm->slave, \&span, areas, done, n)/@test_pcm_playback@every_format_and_access_is_heard_bit_for_bit'
	'R9@plugin/io_playback_end.c@s/^\tint err = -EAGAIN;/\tint err = io->queued < 64 ? 0 : -EAGAIN;/@test_pcm_playback@every_size_of_period_and_buffer_is_heard_bit_for_bit'
	'R10@plugin/pcm_params.c@s/\.rate = pcm->ioplug\.rate,/.rate = 48000,/@test_pcm_life@one_handle_plays_at_one_rate_after_the_other'
	'R11@plugin/pcm_told.c@/^int hr_pcm_delay/,/^}/s/pthread_mutex_unlock(&pcm->lock);//@contract/test_promises@one_thread_writes_and_others_hammer'
	'R12@plugin/io_request.c@s/hr_wake_force(&io->app_wake);//@contract/test_promises@closing_while_another_thread_polls_is_safe'
	'R13@plugin/pcm_told.c@/^int hr_pcm_show_fault/,/^}/s/SND_PCM_STATE_DISCONNECTED/SND_PCM_STATE_XRUN/@contract/test_promises@a_card_that_is_lost_leaves_nobody_running'
	'R14@plugin/io_handover.c@s/return avail >= atomic_load_explicit(&io->avail_min, memory_order_seq_cst);/return avail >= 1;/@contract/test_contract@waits and avail_min'
	'R14@plugin/io_capture.c@s/hr_plan_within(io, plan, hr_frames_to_ns(frames_to_look(io), io->rate));/hr_plan_for_device(io, plan);/@test_pcm_wakeups@a_recorder_is_woken_at_the_end_of_each_period'
	'R15@plugin/io_handover.c@s/avail = pos > appl ? pos - appl : 0;/avail = pos > appl ? pos - appl : io->buffer;/@test_pcm_wakeups@prepared_capture_is_not_readable_by_its_descriptor'
	'R16@plugin/pcm_poll.c@s/^\t\t\t       POLLOUT : POLLIN;/\t\t\t       POLLIN : POLLOUT;/@test_pcm_wakeups@prepared_playback_is_writable_by_its_descriptor_alone'
	'R17@plugin/wake.c@s/^\t\tclose(wake->fd);/\t\t(void)0;/@test_pcm_life@opening_and_closing_leaves_nothing_behind'
	'R18@plugin/pcm_transfer.c@s/^\t\tgo_back(pcm);/\t\t(void)0;/@test_pcm_positions@what_is_rewound_and_written_again_is_heard_as_written_last'
	'R19@plugin/pcm_transfer.c@s/return (snd_pcm_uframes_t)(ptr < pcm->boundary ? ptr : ptr - pcm->boundary);/return (snd_pcm_uframes_t)(pos + pcm->zero_ptr);/@test_pcm_card@playback_goes_on_when_the_pointers_wrap'
	'R20@plugin/pcm_headroom.c@s/pcm->config.monotonic ? SND_PCM_IOPLUG_FLAG_MONOTONIC : 0/0/@test_pcm_life@time_stamps_are_of_the_clock_that_was_asked_for'
	'R21@plugin/pcm_callbacks.c@s/return forks != pcm->forks;/return false;/@test_pcm_process@a_forked_child_leaves_the_stream_alone'
	'R22@plugin/pcm_params.c@s/^\terr = make_stream(pcm);/\tif (pcm->ioplug.buffer_size > 20000) return -EINVAL;\n&/@contract/test_promises@whatever_is_offered_can_be_installed'
	'R23@plugin/io_request.c@s/^\tio->run = HR_RUN_RUNNING;\n*/\tnanosleep(\&(struct timespec){ 0, 2000000 }, NULL);\n&/@contract/test_promises@start_prepare_and_non_blocking_calls_are_quick'
	'R24@plugin/pcm_callbacks.c@s/^\t\tif (pcm->ioplug.nonblock)$/\t\tif (pcm->ioplug.nonblock == 2)/@contract/test_contract@drain without waiting'
	'R25@plugin/io_request.c@s/^\thr_stream_reset(io->stream, io->now_ns);//@test_pcm_capture_states@a_stream_that_was_stopped_starts_again_fresh'
	'R26@plugin/wake.c@s/^\t\tclose(wake->fd);/\t\t(void)0;/@contract/test_promises@a_process_short_of_descriptors_leaks_none'
	'R28@plugin/io_request.c@s/err = hr_slave_pause(io->slave, enable);/err = 0;/@contract/test_contract@pause'
	'R29@plugin/pcm_transfer.c@s/^\tdone = (snd_pcm_sframes_t)read_frames(/\tif (pcm->ioplug.nonblock) return -EAGAIN;\n&/@programs.sh@alsaloop from headroom to headroom'
	'R30@plugin/elements.c@s/snd_ctl_elem_id_set_subdevice(id, slot)/snd_ctl_elem_id_set_subdevice(id, 0)/@test_ctl@ids_are_unique_with_several_streams'
	'R31@plugin/io_thread.c@s/^\thr_io_await_answer(io);/&\n\tif (io->config->rt_priority \&\& !hr_page_get(io->page, HR_STAT_REALTIME)) { err = -EPERM; goto err_line; }/@test_pcm_life@without_the_right_to_real_time_it_plays_and_the_counter_says_so'
	'G1@core/ring_inline.h@s/slots\[p\([a-z]*\) & ring->mask\]/slots[p\1 % ring->capacity]/@guard.sh@instructions: ring: a chunk pushed and popped'
	'G2@plugin/pcm_transfer.c@s/return now_ns ? now_ns : hr_now_ns();/return hr_now_ns();/@guard.sh@virtual time, playback of 256 frames, with room: readings a period'
	'G3@plugin/wake.c@s/^\tif (read(wake->fd, &count, sizeof(count)) < 0) {/\tif (read(wake->fd, \&count, sizeof(count)) > 0 \&\& read(wake->fd, \&count, sizeof(count)) < 0) {/@guard.sh@virtual time, playback of 64 frames, waiting: calls a period'
	'G4@plugin/wake.c@s/^\tif (atomic_load_explicit(&wake->armed, memory_order_seq_cst) &&/\tif (wake->fd >= 0)\n\t\tmake_readable(wake);\n\tif (false \&\&/@guard.sh@real time, playback of 256 frames, with room: system calls'
	'G5@plugin/io_playback_plan.c@s/^\treturn room > 0 && .*/\treturn room > 0; (void)need;/;/^\t\t\t    need + room < io->slave->avail_min);/d@guard.sh@virtual time, playback of 256 frames, waiting: waits a period'
	'A1@plugin/io_capture.c@s/^\thr_stats_dropped(io, gone);//@account/test_account@cases_of_a_fixed_seed_pass'
	'A2@plugin/io_stats.c@s/hr_health_silence(hr_page_health(io->page), frames)/hr_health_silence(hr_page_health(io->page), 2 * frames)/@account/test_account@cases_of_a_fixed_seed_pass'
	'A3@plugin/io_playback.c@s/^\t\t\tio->taken += (uint64_t)n;/\t\t\tio->taken += (uint64_t)n - (n == 64 \&\& io->taken % 7 == 0);/@account/test_account@cases_of_a_fixed_seed_pass'
	'A4@plugin/io_capture.c@s/^\thr_stats_dropped(io, passed);/\thr_stats_dropped(io, passed - passed \/ 8);/@account/test_account@cases_of_a_fixed_seed_pass'
	'A5@plugin/pcm_transfer.c@/^static void count_late/,/^}/s/if (frames)/if (frames > 100)/@account/test_account@cases_of_a_fixed_seed_pass'
	'A6@plugin/io_capture.c@s/hr_stream_write_commit(io->stream, (uint32_t)n)/hr_stream_write_commit(io->stream, (uint32_t)n - (n == 128))/@account/test_account@cases_of_a_fixed_seed_pass'
	'A7@plugin/io_request.c@s/^\thr_stream_reset(io->stream, io->now_ns);//@account/test_account@cases_of_a_fixed_seed_pass'
	'A8@plugin/io_fault.c@s/^\tlost += io->unheard;//@account/test_account@cases_of_a_fixed_seed_pass'
	'A9@plugin/pcm_transfer.c@s/!pcm->given_hw_ptr ||/!pcm->told_hw_ptr ||/@account/test_account@cases_of_a_fixed_seed_pass'
	'A10@plugin/io_playback.c@s/HR_STAT_FRAMES, frames - again/HR_STAT_FRAMES, frames/@account/test_account@cases_of_a_fixed_seed_pass'
	'A11@plugin/pcm_poll.c@s/^\t\tif (!hr_io_ready(&pcm->io))$/\t\tif (!hr_io_ready(\&pcm->io) || pcm->appl_pos % 1000 == 7)/@account/test_account@cases_of_a_fixed_seed_pass'
	'A12@plugin/io_absent.c@s/^\thr_stats_silence(io, frames);/\thr_stats_silence(io, frames - frames \/ 8);/@account/test_account@cases_of_a_fixed_seed_pass'
	'A13@plugin/io_absent.c@/^static void lose_in_device/,/^}/s/^\thr_stats_dropped(io, frames);//@account/test_account@cases_of_a_fixed_seed_pass'
	'A14@plugin/io_absent.c@s/^\tio->absent_passed += frames;/\tio->absent_passed += frames + frames \/ 8;/@account/test_account@cases_of_a_fixed_seed_pass'
	'A15@plugin/episodes.c@s/if (!hr_page_grow_episode(io->page, frames, /if (!hr_page_grow_episode(io->page, frames - frames \/ 64, /@account/test_account@cases_of_a_fixed_seed_pass'
	'A16@plugin/io_absent.c@s/HR_EPISODE_AWAY, HR_CAUSE_DEVICE, io/HR_EPISODE_AWAY, HR_CAUSE_PROGRAM, io/@account/test_account@cases_of_a_fixed_seed_pass'
)

# look R FILE SED: whether it would change anything.
look() {
	if [ "$(sed "$3" "$here/$2" | cksum)" != "$(cksum < "$here/$2")" ]; then
		pass "$1: there is something to break in $2"
	else
		fail "$1: there is something to break in $2" "the expression changes nothing: $3"
	fi
}

run_test() {
	case $1 in
	*.sh) timeout 300 bash "$work/src/tests/$1" "$work/build" ;;
	*) timeout 300 "$work/build/tests/$1" ;;
	esac
}

# broken R FILE SED PROGRAM TEST
broken() {
	local name="$1, $2 broken: $5 fails"
	cp "$here/$2" "$work/src/$2"
	sed -i "$3" "$work/src/$2"
	if cmp -s "$here/$2" "$work/src/$2"; then
		fail "$name" "the expression changes nothing"
		return
	fi
	if ! ninja -C "$work/build" > "$work/log" 2>&1; then
		fail "$name" "it does not build: $(grep -m 1 error "$work/log")"
	elif run_test "$4" > "$work/log" 2>&1 && ! grep -q "^not ok" "$work/log"; then
		fail "$name" "the whole program passes"
	elif grep -q "^not ok $5" "$work/log"; then
		pass "$name"
	elif grep -aqE ":[FE]:[^:]*:($5|.*: $5\$)|:[FE]:.*: $5\$" "$work/log"; then
		pass "$name"
	else
		fail "$name" "only $(grep -aoE ':[FE]:[^:]*:[^:]*' "$work/log" | tr '\n' ' ')"
	fi
	cp "$here/$2" "$work/src/$2"
	touch "$work/src/$2"
}

# A copy of the source, built whole: what is broken is built anew each time.
build_copy() {
	mkdir "$work/src"
	cp -r "$here"/{core,plugin,conf,tests,scripts,meson.build,README.md,LICENSE} "$work/src/"
	CFLAGS=-w meson setup "$work/build" "$work/src" > "$work/log" 2>&1 && ninja -C "$work/build" >> "$work/log" 2>&1 || {
		tail -n 5 "$work/log"
		exit 1
	}
	modules=$work/build
	export HEADROOM_PCM_LIB=$modules/plugin/libasound_module_pcm_headroom.so
	export HEADROOM_CTL_LIB=$modules/plugin/libasound_module_ctl_headroom.so
	export CLOCKED_LIB=$modules/tests/clocked/libasound_module_pcm_clocked.so
}

only_looks=false
[ "${1-}" != --look ] || { only_looks=true; shift; }
$only_looks || build_copy
for mutant in "${mutants[@]}"; do
	IFS='@' read -r r file expression program test <<< "$mutant"
	[ $# -eq 0 ] || [[ " $* " == *" $r "* ]] || continue
	if $only_looks; then
		look "$r" "$file" "$expression"
	else
		broken "$r" "$file" "$expression" "$program" "$test"
	fi
done
end_of_tests
