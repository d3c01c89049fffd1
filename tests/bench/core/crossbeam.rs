// SPDX-License-Identifier: LGPL-2.1-or-later
// Copyright (C) 2026 The headroom authors

//! crossbeam's ArrayQueue and SegQueue, with the loops of ring_loops.h, period_loops.h
//! and pool_loops.h in Rust, so that their calls are inlined too. Exports the tables of
//! operations of subject.h.

use crossbeam_queue::{ArrayQueue, SegQueue};
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::arch::asm;
use std::ffi::c_void;
use std::ptr::{addr_of, addr_of_mut, copy_nonoverlapping, null_mut};
use std::sync::atomic::{AtomicU64, Ordering::*};

// As in subject.h and handover.h.
const RING_CHUNKS: usize = 256;
const POOL_CHUNKS: u64 = 256;
const PERIOD_CHUNKS: usize = 16;
const N_ITEMS: u64 = 64;
const HANDOVER_ITEMS: u64 = 64;
const HANDOVER_BATCH: u64 = 8;

type Reference = *mut u8;
type Object = *mut c_void;

extern "C" {
    static mut bench_items: [[u8; 64]; N_ITEMS as usize];
}

fn item(i: u64) -> Reference {
    unsafe { (addr_of_mut!(bench_items) as Reference).add((i % N_ITEMS) as usize * 64) }
}

fn number(item: Reference) -> u64 {
    (item as usize).wrapping_sub(unsafe { addr_of!(bench_items) } as usize) as u64
}

trait Queue {
    fn make() -> Self;
    fn push_to(&self, item: Reference) -> bool;
    fn pop_from(&self) -> Reference;
}

impl Queue for ArrayQueue<Reference> {
    fn make() -> Self {
        ArrayQueue::new(RING_CHUNKS)
    }

    #[inline(always)]
    fn push_to(&self, item: Reference) -> bool {
        self.push(item).is_ok()
    }

    #[inline(always)]
    fn pop_from(&self) -> Reference {
        self.pop().unwrap_or(null_mut())
    }
}

impl Queue for SegQueue<Reference> {
    fn make() -> Self {
        SegQueue::new()
    }

    #[inline(always)]
    fn push_to(&self, item: Reference) -> bool {
        self.push(item);
        true
    }

    #[inline(always)]
    fn pop_from(&self) -> Reference {
        self.pop().unwrap_or(null_mut())
    }
}

unsafe fn queue<'a, Q>(object: Object) -> &'a Q {
    &*(object as *const Q)
}

#[inline(always)]
fn push_waiting<Q: Queue>(queue: &Q, item: Reference) {
    while !queue.push_to(item) {}
}

#[inline(always)]
fn pop_waiting<Q: Queue>(queue: &Q) -> Reference {
    loop {
        let item = queue.pop_from();
        if !item.is_null() {
            return item;
        }
    }
}

extern "C" fn ring_create<Q: Queue>() -> Object {
    Box::into_raw(Box::new(Q::make())) as Object
}

unsafe extern "C" fn destroy<Q>(object: Object) {
    drop(Box::from_raw(object as *mut Q))
}

unsafe extern "C" fn ring_one_thread<Q: Queue>(ring: Object, n: u64) -> u64 {
    let ring = queue::<Q>(ring);
    let mut sum = 0u64;
    for i in 0..n {
        if ring.push_to(item(i)) {
            sum = sum.wrapping_add(number(ring.pop_from()));
        }
    }
    sum
}

unsafe extern "C" fn ring_produce<Q: Queue>(ring: Object, n: u64) {
    let ring = queue::<Q>(ring);
    for i in 0..n {
        push_waiting(ring, item(i));
    }
}

unsafe extern "C" fn ring_consume<Q: Queue>(ring: Object, n: u64) -> u64 {
    let ring = queue::<Q>(ring);
    let mut sum = 0u64;
    for _ in 0..n {
        sum = sum.wrapping_add(number(pop_waiting(ring)));
    }
    sum
}

unsafe extern "C" fn ring_ping<Q: Queue>(there: Object, back: Object, n: u64) {
    let (there, back) = (queue::<Q>(there), queue::<Q>(back));
    let mut item = item(1);
    for _ in 0..n {
        push_waiting(there, item);
        item = pop_waiting(back);
    }
}

unsafe extern "C" fn ring_pong<Q: Queue>(there: Object, back: Object, n: u64) {
    let (there, back) = (queue::<Q>(there), queue::<Q>(back));
    for _ in 0..n {
        push_waiting(back, pop_waiting(there));
    }
}

unsafe extern "C" fn ring_push_one<Q: Queue>(ring: Object, item: Reference) -> i32 {
    queue::<Q>(ring).push_to(item) as i32
}

unsafe extern "C" fn ring_pop_one<Q: Queue>(ring: Object) -> Reference {
    queue::<Q>(ring).pop_from()
}

#[repr(C)]
pub struct RingOps {
    create: extern "C" fn() -> Object,
    destroy: unsafe extern "C" fn(Object),
    one_thread: unsafe extern "C" fn(Object, u64) -> u64,
    produce: unsafe extern "C" fn(Object, u64),
    consume: unsafe extern "C" fn(Object, u64) -> u64,
    ping: unsafe extern "C" fn(Object, Object, u64),
    pong: unsafe extern "C" fn(Object, Object, u64),
    push_one: unsafe extern "C" fn(Object, Reference) -> i32,
    pop_one: unsafe extern "C" fn(Object) -> Reference,
}

const fn ring_ops<Q: Queue>() -> RingOps {
    RingOps {
        create: ring_create::<Q>,
        destroy: destroy::<Q>,
        one_thread: ring_one_thread::<Q>,
        produce: ring_produce::<Q>,
        consume: ring_consume::<Q>,
        ping: ring_ping::<Q>,
        pong: ring_pong::<Q>,
        push_one: ring_push_one::<Q>,
        pop_one: ring_pop_one::<Q>,
    }
}

#[no_mangle]
pub static array_queue_ring_ops: RingOps = ring_ops::<ArrayQueue<Reference>>();
#[no_mangle]
pub static seg_queue_ring_ops: RingOps = ring_ops::<SegQueue<Reference>>();

extern "C" fn pool_create<Q: Queue>(_n_threads: u32) -> Object {
    let pool = Q::make();
    for i in 0..POOL_CHUNKS {
        push_waiting(&pool, item(i));
    }
    Box::into_raw(Box::new(pool)) as Object
}

unsafe extern "C" fn pool_one_thread<Q: Queue>(pool: Object, n: u64) {
    let pool = queue::<Q>(pool);
    for _ in 0..n {
        let mut buffer = pop_waiting(pool);
        // As if it were used: the compiler must not know where it came from.
        asm!("/* {0} */", inout(reg) buffer, options(nostack));
        push_waiting(pool, buffer);
    }
}

#[repr(align(64))]
struct Line<T>(T);

#[repr(C)]
pub struct Handover {
    written: Line<AtomicU64>,
    read: Line<AtomicU64>,
    items: Line<[Reference; HANDOVER_ITEMS as usize]>,
}

unsafe extern "C" fn pool_acquire<Q: Queue>(pool: Object, way: *mut Handover, n: u64) {
    let pool = queue::<Q>(pool);
    for i in 0..n {
        if i % HANDOVER_BATCH == 0 {
            while i - (*way).read.0.load(Acquire) > HANDOVER_ITEMS - HANDOVER_BATCH {}
        }
        (*way).items.0[(i % HANDOVER_ITEMS) as usize] = pop_waiting(pool);
        if (i + 1) % HANDOVER_BATCH == 0 {
            (*way).written.0.store(i + 1, Release);
        }
    }
}

unsafe extern "C" fn pool_release<Q: Queue>(pool: Object, way: *mut Handover, n: u64) {
    let pool = queue::<Q>(pool);
    for i in 0..n {
        if i % HANDOVER_BATCH == 0 {
            while (*way).written.0.load(Acquire) <= i {}
        }
        push_waiting(pool, (*way).items.0[(i % HANDOVER_ITEMS) as usize]);
        if (i + 1) % HANDOVER_BATCH == 0 {
            (*way).read.0.store(i + 1, Release);
        }
    }
}

#[repr(C)]
pub struct PoolOps {
    create: extern "C" fn(u32) -> Object,
    destroy: unsafe extern "C" fn(Object),
    one_thread: unsafe extern "C" fn(Object, u64),
    acquire: unsafe extern "C" fn(Object, *mut Handover, u64),
    release: unsafe extern "C" fn(Object, *mut Handover, u64),
}

const fn pool_ops<Q: Queue>() -> PoolOps {
    PoolOps {
        create: pool_create::<Q>,
        destroy: destroy::<Q>,
        one_thread: pool_one_thread::<Q>,
        acquire: pool_acquire::<Q>,
        release: pool_release::<Q>,
    }
}

#[no_mangle]
pub static array_queue_pool_ops: PoolOps = pool_ops::<ArrayQueue<Reference>>();
#[no_mangle]
pub static seg_queue_pool_ops: PoolOps = pool_ops::<SegQueue<Reference>>();

// An ArrayQueue of periods that lie between the threads, and one of those that are free.
struct Way {
    ring: ArrayQueue<Reference>,
    pool: ArrayQueue<Reference>,
    memory: Reference,
    layout: Layout,
    bytes: usize,
}

extern "C" fn period_create(bytes: u32) -> Object {
    let bytes = bytes as usize;
    let n = PERIOD_CHUNKS + 2;
    let layout = Layout::from_size_align(n * bytes, 64).unwrap();
    let memory = unsafe { alloc_zeroed(layout) };
    let pool = ArrayQueue::new(n);
    for i in 0..n {
        unsafe {
            memory.add(i * bytes).write_bytes(0, bytes);
            push_waiting(&pool, memory.add(i * bytes));
        }
    }
    let ring = ArrayQueue::new(PERIOD_CHUNKS);
    Box::into_raw(Box::new(Way { ring, pool, memory, layout, bytes })) as Object
}

unsafe extern "C" fn period_destroy(object: Object) {
    let way = Box::from_raw(object as *mut Way);
    dealloc(way.memory, way.layout);
}

#[inline(always)]
unsafe fn write_one(way: &Way, from: *const u8) {
    let period = pop_waiting(&way.pool);
    copy_nonoverlapping(from, period, way.bytes);
    push_waiting(&way.ring, period);
}

#[inline(always)]
unsafe fn read_one(way: &Way, to: *mut u8) {
    let period = pop_waiting(&way.ring);
    copy_nonoverlapping(period, to, way.bytes);
    push_waiting(&way.pool, period);
}

unsafe extern "C" fn period_one_thread(object: Object, from: *const u8, to: *mut u8, n: u64) {
    let way = queue::<Way>(object);
    for _ in 0..n {
        write_one(way, from);
        read_one(way, to);
    }
}

unsafe extern "C" fn period_write(object: Object, from: *const u8, n: u64) {
    let way = queue::<Way>(object);
    for _ in 0..n {
        write_one(way, from);
    }
}

unsafe extern "C" fn period_read(object: Object, to: *mut u8, n: u64) {
    let way = queue::<Way>(object);
    for _ in 0..n {
        read_one(way, to);
    }
}

#[repr(C)]
pub struct PeriodOps {
    create: extern "C" fn(u32) -> Object,
    destroy: unsafe extern "C" fn(Object),
    one_thread: unsafe extern "C" fn(Object, *const u8, *mut u8, u64),
    write: unsafe extern "C" fn(Object, *const u8, u64),
    read: unsafe extern "C" fn(Object, *mut u8, u64),
}

#[no_mangle]
pub static array_queue_period_ops: PeriodOps = PeriodOps {
    create: period_create,
    destroy: period_destroy,
    one_thread: period_one_thread,
    write: period_write,
    read: period_read,
};
