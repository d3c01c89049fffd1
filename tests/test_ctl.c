/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The control device, seen through alsa-lib's public interface only: what it
 * offers, how it is configured, what a handle costs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/clock.h"
#include "tests/ctl_fixture.h"

START_TEST(everything_reads_at_rest_when_nothing_ever_ran)
{
	snd_ctl_t *ctl = open_ctl();

	for (size_t i = 0; i < N_EXPECTED; i++) {
		ck_assert_int_eq(read_slot(ctl, HR_PLAYBACK, 0, expected[i].suffix),
				 expected[i].at_rest);
		ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, expected[i].suffix),
				 expected[i].at_rest);
	}
	ck_assert_str_eq(complaints, "");
	snd_ctl_close(ctl);
}
END_TEST

static void check_items(snd_ctl_t *ctl, snd_ctl_elem_info_t *info, const char *items)
{
	unsigned int n_items = snd_ctl_elem_info_get_items(info);
	char joined[128] = "";

	for (unsigned int i = 0; i < n_items; i++) {
		snd_ctl_elem_info_set_item(info, i);
		ck_assert_int_eq(snd_ctl_elem_info(ctl, info), 0);
		strcat(joined, snd_ctl_elem_info_get_item_name(info));
		strcat(joined, ",");
	}
	ck_assert_str_eq(joined, items);
	/* Beyond the last. */
	snd_ctl_elem_info_set_item(info, UINT_MAX);
	snd_ctl_elem_info(ctl, info);
	ck_assert_int_lt(strlen(snd_ctl_elem_info_get_item_name(info)), 64);
}

/* Read-only or read-write, and nothing else. */
static void check_access(const snd_ctl_elem_info_t *info, bool is_writable)
{
	ck_assert(snd_ctl_elem_info_is_readable(info));
	ck_assert_int_eq(snd_ctl_elem_info_is_writable(info) != 0, is_writable);
	ck_assert(!snd_ctl_elem_info_is_volatile(info));
	ck_assert(!snd_ctl_elem_info_is_inactive(info));
	ck_assert(!snd_ctl_elem_info_is_locked(info));
	ck_assert(!snd_ctl_elem_info_is_owner(info));
	ck_assert(!snd_ctl_elem_info_is_user(info));
	ck_assert(!snd_ctl_elem_info_is_tlv_readable(info));
	ck_assert(!snd_ctl_elem_info_is_tlv_writable(info));
	ck_assert(!snd_ctl_elem_info_is_tlv_commandable(info));
}

START_TEST(every_element_has_its_name_type_and_range)
{
	const struct expected *e = &expected[(size_t)_i % N_EXPECTED];
	enum hr_direction direction = (size_t)_i < N_EXPECTED ? HR_PLAYBACK : HR_CAPTURE;
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, direction, 0, e->suffix);
	ck_assert_int_le(strlen(snd_ctl_elem_id_get_name(id)), 43);
	snd_ctl_elem_info_set_id(info, id);
	ck_assert_int_eq(snd_ctl_elem_info(ctl, info), 0);
	ck_assert_int_eq(snd_ctl_elem_info_get_type(info), e->type);
	ck_assert_int_eq(snd_ctl_elem_info_get_count(info), 1);
	check_access(info, is_setting(e->suffix));
	if (e->type == SND_CTL_ELEM_TYPE_ENUMERATED) {
		check_items(ctl, info, e->items);
	} else if (e->type == SND_CTL_ELEM_TYPE_INTEGER64) {
		ck_assert_int_eq(snd_ctl_elem_info_get_min64(info), e->min);
		ck_assert_int_eq(snd_ctl_elem_info_get_max64(info), e->max);
	} else if (e->type == SND_CTL_ELEM_TYPE_INTEGER) {
		ck_assert_int_eq(snd_ctl_elem_info_get_min(info), e->min);
		ck_assert_int_eq(snd_ctl_elem_info_get_max(info), e->max);
	}
	snd_ctl_close(ctl);
}
END_TEST

static unsigned int list_elements(snd_ctl_t *ctl, snd_ctl_elem_list_t *list)
{
	unsigned int count;

	ck_assert_int_eq(snd_ctl_elem_list(ctl, list), 0);
	count = snd_ctl_elem_list_get_count(list);
	ck_assert_int_eq(snd_ctl_elem_list_alloc_space(list, count + 10), 0);
	ck_assert_int_eq(snd_ctl_elem_list(ctl, list), 0);
	ck_assert_int_eq(snd_ctl_elem_list_get_used(list), count);
	return count;
}

START_TEST(the_list_is_playback_then_capture_in_order_of_the_table)
{
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_list_t *list;

	snd_ctl_elem_list_alloca(&list);
	ck_assert_int_eq(list_elements(ctl, list), 2 * N_EXPECTED);
	for (unsigned int i = 0; i < 2 * N_EXPECTED; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s",
			 prefix[i < N_EXPECTED ? HR_PLAYBACK : HR_CAPTURE],
			 expected[i % N_EXPECTED].suffix);
		ck_assert_str_eq(snd_ctl_elem_list_get_name(list, i), name);
		ck_assert_int_eq(snd_ctl_elem_list_get_numid(list, i), i + 1);
		ck_assert_int_eq(snd_ctl_elem_list_get_interface(list, i),
				 SND_CTL_ELEM_IFACE_PCM);
	}
	snd_ctl_elem_list_free_space(list);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(ids_are_unique_with_several_streams)
{
	struct hr_page *pages[3] = {
		open_page(HR_PLAYBACK, hr_now_ns()),
		open_page(HR_PLAYBACK, hr_now_ns()),
		open_page(HR_PLAYBACK, hr_now_ns()),
	};
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_list_t *list;
	unsigned int count;

	snd_ctl_elem_list_alloca(&list);
	count = list_elements(ctl, list);
	ck_assert_int_eq(count, 4 * N_EXPECTED);
	for (unsigned int i = 0; i < count; i++) {
		ck_assert_int_eq(snd_ctl_elem_list_get_index(list, i), 0);
		ck_assert_int_eq(snd_ctl_elem_list_get_device(list, i), 0);
		for (unsigned int j = 0; j < i; j++)
			ck_assert(strcmp(snd_ctl_elem_list_get_name(list, i),
					 snd_ctl_elem_list_get_name(list, j)) ||
				  snd_ctl_elem_list_get_subdevice(list, i) !=
				  snd_ctl_elem_list_get_subdevice(list, j));
	}
	snd_ctl_elem_list_free_space(list);
	snd_ctl_close(ctl);
	for (size_t i = 0; i < N_ITEMS(pages); i++)
		hr_page_close(pages[i], hr_now_ns());
}
END_TEST

/* _i: of a stream that lives, or none. */
START_TEST(writes_are_refused_and_change_nothing)
{
	struct hr_page *page = _i ? open_busy_page(HR_PLAYBACK) : NULL;
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_value_t *value;
	int64_t before;

	snd_ctl_elem_value_alloca(&value);
	for (unsigned int i = 0; i < 2 * N_EXPECTED; i++) {
		snd_ctl_elem_type_t type = expected[i % N_EXPECTED].type;

		if (is_setting(expected[i % N_EXPECTED].suffix))
			continue;
		snd_ctl_elem_value_clear(value);
		snd_ctl_elem_value_set_numid(value, i + 1);
		ck_assert_int_eq(snd_ctl_elem_read(ctl, value), 0);
		before = value_in(value, type);
		ck_assert_int_eq(snd_ctl_elem_write(ctl, value), -EPERM);
		memset(value, 0xa5, snd_ctl_elem_value_sizeof());
		snd_ctl_elem_value_set_numid(value, i + 1);
		ck_assert_int_eq(snd_ctl_elem_write(ctl, value), -EPERM);
		ck_assert_int_eq(snd_ctl_elem_read(ctl, value), 0);
		ck_assert_int_eq(value_in(value, type), before);
	}
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(a_numid_out_of_range_is_no_element)
{
	static const unsigned int bad[] = {
		2 * N_EXPECTED + 1, 9999, INT_MAX, 0x80000000u, UINT_MAX,
	};
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_info_t *info;
	unsigned int tlv[16];
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_id_set_numid(id, bad[_i]);
	snd_ctl_elem_value_set_id(value, id);
	snd_ctl_elem_info_set_id(info, id);
	ck_assert_int_eq(snd_ctl_elem_read(ctl, value), -ENOENT);
	snd_ctl_elem_value_set_id(value, id);	/* alsa-lib may have changed it */
	ck_assert_int_eq(snd_ctl_elem_write(ctl, value), -ENOENT);
	ck_assert_int_eq(snd_ctl_elem_info(ctl, info), -ENOENT);
	ck_assert_int_lt(snd_ctl_elem_tlv_read(ctl, id, tlv, sizeof(tlv)), 0);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_numid_out_of_range_is_not_saved_by_a_good_name)
{
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, HR_PLAYBACK, 0, "State");
	snd_ctl_elem_id_set_numid(id, 9999);
	snd_ctl_elem_value_set_id(value, id);
	ck_assert_int_eq(snd_ctl_elem_read(ctl, value), -ENOENT);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(every_part_of_an_id_counts)
{
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, HR_PLAYBACK, 0, "State");
	switch (_i) {
	case 0:
		snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
		break;
	case 1:
		snd_ctl_elem_id_set_device(id, 1);
		break;
	case 2:
		snd_ctl_elem_id_set_subdevice(id, 1);
		break;
	case 3:
		snd_ctl_elem_id_set_index(id, 1);
		break;
	case 4:
		snd_ctl_elem_id_set_name(id, "Headroom Playback Stat");
		break;
	case 5:
		snd_ctl_elem_id_set_name(id, "Headroom Playback State ");
		break;
	}
	snd_ctl_elem_value_set_id(value, id);
	ck_assert_int_eq(snd_ctl_elem_read(ctl, value), -ENOENT);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(bad_configuration_is_refused_in_one_line)
{
	static const struct { const char *name, *body, *words[3]; } bad[] = {
		{ "x", "nmae foo", { "nmae", "foo", "name" } },
		{ "x", "slave.pcm hw", { "slave", "type", "name" } },
		{ "x", "name 5", { "name", "5", "string" } },
		{ "x", "name 123456789012", { "name", "123456789012", "string" } },
		{ "x", "name -12345678901234", { "name", "-12345678901234", "string" } },
		{ "x", "name 1.5", { "name", "1.5", "string" } },
		{ "x", "name { a 1 }", { "name", "{", "string" } },
		{ "x", "name \"\"", { "name", "\"\"", "1 to 63" } },
		{ "x", "name a234567890123456789012345678901234567890"
		       "123456789012345678901234",
		  { "name", "a23456789", "1 to 63" } },
	};
	snd_ctl_t *ctl = NULL;

	ck_assert_int_eq(try_open(&ctl, bad[_i].name, bad[_i].body), -EINVAL);
	for (size_t i = 0; i < N_ITEMS(bad[_i].words); i++)
		ck_assert_msg(strstr(complaints, bad[_i].words[i]) != NULL,
			      "no %s in: %s", bad[_i].words[i], complaints);
	ck_assert_ptr_null(strchr(complaints, '\n'));
}
END_TEST

START_TEST(good_configuration_chooses_the_streams)
{
	static const struct { const char *ask, *body, *name; } good[] = {
		{ "x", "", "x" },
		{ "x", "comment foo hint { show on }", "x" },
		{ "x:y", "@args [ A ] @args.A { type string }", "x" },
		{ "x:A=y", "@args [ A ] @args.A { type string } name other", "other" },
		/* Longer than a stream's name can be. */
		{ "y234567890123456789012345678901234567890123456789012345678901234",
		  "} ctl.y234567890123456789012345678901234567890123456789012345678901234 "
		  "{ type headroom", "headroom" },
		{ "x", "name a2345678901234567890123456789012345678901234567890"
		       "1234567890123",
		  "a23456789012345678901234567890123456789012345678901234567890123" },
		{ "x", "name 'a.b c'", "a.b c" },
	};
	char name[HR_PAGE_NAME_MAX + 1];
	struct hr_page_config config = {
		.name = name,
		.direction = HR_CAPTURE,
		.perm = 0600,
		.gid = (gid_t)-1,
		.trigger = 80,
		.clear = 60,
		.window = 16,
	};
	struct hr_page *page;
	snd_ctl_t *ctl;

	snprintf(name, sizeof(name), "%s", good[_i].name);
	ck_assert_int_eq(hr_page_open(&page, &config, hr_now_ns()), 0);
	ck_assert_int_eq(try_open(&ctl, good[_i].ask, good[_i].body), 0);
	ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, "State"), HR_STATE_OPEN);
	ck_assert_int_eq(read_slot(ctl, HR_CAPTURE, 0, "Trigger"), 80);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(handles_of_one_process_do_not_mix)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *one, *other;

	ck_assert_int_eq(try_open(&one, "x", ""), 0);
	ck_assert_int_eq(try_open(&other, "x", "name other"), 0);
	ck_assert_int_eq(read_playback(one, "Frames"), 5000000002);
	ck_assert_int_eq(read_playback(other, "Frames"), 0);
	snd_ctl_close(one);
	ck_assert_int_eq(read_playback(other, "Frames"), 0);
	snd_ctl_close(other);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(the_card_says_what_it_is)
{
	snd_ctl_card_info_t *info;
	snd_ctl_t *ctl;

	snd_ctl_card_info_alloca(&info);
	ck_assert_int_eq(try_open(&ctl, "x", "name a2345678901234567890123456789012"
				  "3456789012345678901234567890123"), 0);
	ck_assert_int_eq(snd_ctl_card_info(ctl, info), 0);
	ck_assert_int_eq(snd_ctl_card_info_get_card(info), -1);
	ck_assert_str_eq(snd_ctl_card_info_get_id(info), "headroom");
	ck_assert_str_eq(snd_ctl_card_info_get_driver(info), "headroom");
	ck_assert_str_eq(snd_ctl_card_info_get_name(info),
			 "headroom a234567890123456789012");
	ck_assert_str_eq(snd_ctl_card_info_get_longname(info),
			 "Stream health: a2345678901234567890123456789012"
			 "3456789012345678901234567890123");
	ck_assert_str_eq(snd_ctl_card_info_get_mixername(info), "headroom");
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(who_waits_for_events_sleeps)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_event_t *event;
	struct pollfd fds;

	snd_ctl_event_alloca(&event);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	ck_assert_int_eq(snd_ctl_poll_descriptors_count(ctl), 1);
	ck_assert_int_eq(snd_ctl_poll_descriptors(ctl, &fds, 1), 1);
	ck_assert_int_eq(poll(&fds, 1, 50), 0);
	ck_assert_int_eq(snd_ctl_wait(ctl, 10), 0);
	ck_assert_int_eq(snd_ctl_read(ctl, event), -EAGAIN);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 0), 0);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(the_simple_mixer_loads)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns());
	struct hr_page *second = open_page(HR_PLAYBACK, hr_now_ns());
	snd_hctl_t *hctl;
	snd_mixer_t *mixer;

	ck_assert_int_eq(snd_hctl_open_ctl(&hctl, open_ctl()), 0);
	ck_assert_int_eq(snd_mixer_open(&mixer, 0), 0);
	ck_assert_int_eq(snd_mixer_attach_hctl(mixer, hctl), 0);
	ck_assert_int_eq(snd_mixer_selem_register(mixer, NULL, NULL), 0);
	ck_assert_int_eq(snd_mixer_load(mixer), 0);
	ck_assert_int_eq(snd_hctl_get_count(hctl), 3 * N_EXPECTED);
	/* Counters are no volume sliders. */
	ck_assert_int_eq(snd_mixer_get_count(mixer), 0);
	ck_assert_int_eq(snd_mixer_wait(mixer, 10), 0);
	snd_mixer_close(mixer);
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
}
END_TEST

START_TEST(a_thousand_handles_leave_nothing_behind)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	unsigned int n_fds;
	bool close_on_exec;
	size_t n_bytes;
	snd_ctl_t *ctl = open_ctl();

	snd_ctl_close(ctl);	/* the module itself stays */
	n_fds = count_fds(&close_on_exec);
	n_bytes = count_address_space();
	for (int i = 0; i < 1000; i++) {
		ctl = open_ctl();
		ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
		snd_ctl_close(ctl);
	}
	ck_assert_int_eq(count_fds(&close_on_exec), n_fds);
	ck_assert_uint_lt(count_address_space(), n_bytes + 1000 * LEAKED_BYTES);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(no_descriptor_is_inherited)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	bool before, after;
	snd_ctl_t *ctl;

	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);	/* those of the test itself */
	count_fds(&before);
	ctl = open_ctl();
	read_playback(ctl, "Frames");
	count_fds(&after);
	ck_assert(before);
	ck_assert(after);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(only_the_entry_is_exported)
{
	void *module = dlopen(getenv("HEADROOM_CTL_LIB"), RTLD_NOW | RTLD_LOCAL);

	ck_assert_msg(module != NULL, "%s", dlerror());
	ck_assert_ptr_nonnull(dlsym(module, "_snd_ctl_headroom_open"));
	ck_assert_ptr_nonnull(dlsym(module, "__snd_ctl_headroom_open_dlsym_control_001"));
	ck_assert_ptr_null(dlsym(module, "hr_elements"));
	ck_assert_ptr_null(dlsym(module, "hr_page_attach"));
	dlclose(module);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl");
	TCase *tcase;

	tcase = add_case(suite, "elements");
	tcase_add_test(tcase, everything_reads_at_rest_when_nothing_ever_ran);
	tcase_add_loop_test(tcase, every_element_has_its_name_type_and_range,
			    0, 2 * N_EXPECTED);
	tcase_add_test(tcase, the_list_is_playback_then_capture_in_order_of_the_table);
	tcase_add_test(tcase, ids_are_unique_with_several_streams);
	tcase_add_loop_test(tcase, writes_are_refused_and_change_nothing, 0, 2);
	tcase_add_loop_test(tcase, a_numid_out_of_range_is_no_element, 0, 5);
	tcase_add_test(tcase, a_numid_out_of_range_is_not_saved_by_a_good_name);
	tcase_add_loop_test(tcase, every_part_of_an_id_counts, 0, 6);

	tcase = add_case(suite, "configuration");
	tcase_add_loop_test(tcase, bad_configuration_is_refused_in_one_line, 0, 9);
	tcase_add_loop_test(tcase, good_configuration_chooses_the_streams, 0, 7);
	tcase_add_test(tcase, handles_of_one_process_do_not_mix);
	tcase_add_test(tcase, the_card_says_what_it_is);

	tcase = add_case(suite, "handles");
	tcase_add_test(tcase, who_waits_for_events_sleeps);
	tcase_add_test(tcase, the_simple_mixer_loads);
	tcase_add_test(tcase, a_thousand_handles_leave_nothing_behind);
	tcase_add_test(tcase, no_descriptor_is_inherited);
	tcase_add_test(tcase, only_the_entry_is_exported);
	return run_suite(suite);
}
