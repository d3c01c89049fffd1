#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
#
# usage: build_crossbeam.sh RUSTC CRATES SOURCE OUTPUT WORK
#
# Compiles what is needed of the crossbeam that lies in the folder CRATES, as the
# distribution packs it, and SOURCE with it, to the static library OUTPUT. Intermediate
# files go to the folder WORK. Nothing is fetched.
set -eu
rustc=$1 crates=$2 source=$3 output=$4 work=$5

mkdir -p "$work"
# crate NAME FOLDER [OPTION...]: one of the crates.
crate() {
	name=$1 folder=$2
	shift 2
	"$rustc" --crate-type rlib --crate-name "$name" --edition 2018 -C opt-level=3 \
		-C panic=abort --cap-lints allow -L "$work" --out-dir "$work" "$@" \
		"$folder/src/lib.rs"
}
crate cfg_if "$(echo "$crates"/cfg-if-1.*)"
crate crossbeam_utils "$(echo "$crates"/crossbeam-utils-0.8.*)" \
	--cfg 'feature="std"' --extern "cfg_if=$work/libcfg_if.rlib"
crate crossbeam_queue "$(echo "$crates"/crossbeam-queue-0.3.*)" \
	--cfg 'feature="std"' --cfg 'feature="alloc"' --extern "cfg_if=$work/libcfg_if.rlib" \
	--extern "crossbeam_utils=$work/libcrossbeam_utils.rlib"
"$rustc" --crate-type staticlib --crate-name bench_crossbeam --edition 2018 \
	-C opt-level=3 -C panic=abort -A non_upper_case_globals -L "$work" \
	--extern "crossbeam_queue=$work/libcrossbeam_queue.rlib" -o "$output" "$source"
