// What the kernels use of a device: no header of a toolkit. The same text is compiled by NVRTC, by clang without a toolkit, and for the
// processor with EMULATED defined, where emulation.h gives what is PTX here.
#pragma once

typedef unsigned short bfloat16;

#ifdef EMULATED
#include "emulation.h"
#else

#ifndef __CUDACC_RTC__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(threads) __attribute__((launch_bounds(threads)))
#endif

#define SHARED(type, name, count) __shared__ type name[count]
#define REGISTER_READER(name, source) \
    static __device__ inline int name() { int value; asm("mov.u32 %0, %%" source ";" : "=r"(value)); return value; }

REGISTER_READER(thread, "tid.x")
REGISTER_READER(threads, "ntid.x")
REGISTER_READER(block_x, "ctaid.x")
REGISTER_READER(block_y, "ctaid.y")
REGISTER_READER(block_z, "ctaid.z")
REGISTER_READER(blocks_z, "nctaid.z")

static __device__ inline void synchronize() { asm volatile("bar.sync 0;" ::: "memory"); }

static __device__ inline unsigned shuffle_xor(unsigned value, int mask) {
    unsigned other;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;" : "=r"(other) : "r"(value), "r"(mask));
    return other;
}

static __device__ inline float exp2_of(float x) { float y; asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }
static __device__ inline float log2_of(float x) { float y; asm("lg2.approx.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }
static __device__ inline float inverse_root(float x) { float y; asm("rsqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x)); return y; }
static __device__ inline void check_aligned(const void*, int) {}
#endif

#define LOG2_E 1.44269504088896341f
#define LN_2 0.693147180559945309f
#define WARP 32

static __device__ inline unsigned bits_of(float x) { union { float number; unsigned bits; } both; both.number = x; return both.bits; }
static __device__ inline float from_bits(unsigned x) { union { unsigned bits; float number; } both; both.bits = x; return both.number; }
static __device__ inline float infinity() { return from_bits(0x7F800000u); }
static __device__ inline int smaller(int a, int b) { return a < b ? a : b; }
static __device__ inline float larger(float a, float b) { return a > b ? a : b; }

static __device__ inline float widen(bfloat16 x) { return from_bits((unsigned)x << 16); }

// The nearest, ties to even; a NaN stays one.
static __device__ inline bfloat16 narrow(float x) {
    const unsigned bits = bits_of(x);
    return x != x ? (bfloat16)(bits >> 16 | 0x40) : (bfloat16)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static __device__ inline float rounded(float x) { return widen(narrow(x)); }

// Sixteen bytes, read and written at once.
struct alignas(16) Sixteen { unsigned word[4]; };

static __device__ inline Sixteen load16(const void* from) {
    check_aligned(from, 16);
    return *(const Sixteen*)from;
}

static __device__ inline void store16(void* to, unsigned a, unsigned b, unsigned c, unsigned d) {
    check_aligned(to, 16);
    const Sixteen packed = {{a, b, c, d}};
    *(Sixteen*)to = packed;
}

static __device__ inline void widen8(const Sixteen& packed, float* to) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        to[2 * i] = from_bits(packed.word[i] << 16);
        to[2 * i + 1] = from_bits(packed.word[i] & 0xFFFF0000u);
    }
}

static __device__ inline void load8(const bfloat16* from, float* to) { widen8(load16(from), to); }

static __device__ inline unsigned pair(float low, float high) { return narrow(low) | (unsigned)narrow(high) << 16; }

static __device__ inline void store8(bfloat16* to, const float* from) {
    store16(to, pair(from[0], from[1]), pair(from[2], from[3]), pair(from[4], from[5]), pair(from[6], from[7]));
}

static __device__ inline float shuffle_xor(float value, int mask) { return from_bits(shuffle_xor(bits_of(value), mask)); }

static __device__ inline unsigned long long shuffle_xor(unsigned long long value, int mask) {
    const unsigned low = shuffle_xor((unsigned)value, mask);
    return (unsigned long long)shuffle_xor((unsigned)(value >> 32), mask) << 32 | low;
}

// The sum over neighbouring lanes, in all of them; lanes is a power of two.
template <typename T> static __device__ inline T lane_sum(T value, int lanes) {
    for (int mask = lanes / 2; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
    return value;
}

// The sum over the block, in every thread; the same whatever runs beside it, because its order is fixed. Blocks are whole warps.
template <typename T> static __device__ inline T block_sum(T value) {
    SHARED(T, partial, WARP);
    value = lane_sum(value, WARP);
    if (thread() % WARP == 0) partial[thread() / WARP] = value;
    synchronize();
    T total = 0;
    for (int warp = 0; warp < threads() / WARP; warp++) total += partial[warp];
    synchronize();
    return total;
}
