// Numbers of eight bits, e4m3 without infinities: a sign, four bits of exponent (bias 7), three of mantissa. The largest is 448, 0x7F is no number.
#pragma once
#include "device.h"

typedef unsigned char e4m3;

// The largest number, which a row's largest magnitude becomes.
#define E4M3_LARGEST 448.0f
// Rows of smaller numbers only are zeros, so that nothing is divided by less.
#define LEAST_MAGNITUDE 1e-30f

// The nearest, ties to even; what is larger than the largest becomes it; a NaN stays one.
static __device__ inline unsigned to_e4m3(float x) {
    const unsigned sign = bits_of(x) >> 24 & 0x80, magnitude = bits_of(x) & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return sign | 0x7F;
    // Below 2⁻⁶ the step is 2⁻⁹, which is that of float32 at 2¹⁴: the sum rounds.
    if (magnitude < 0x3C800000u) return sign | (bits_of(from_bits(magnitude) + 16384.0f) & 0xF);
    const unsigned code = ((magnitude + 0x7FFFF + (magnitude >> 20 & 1)) >> 20) - (120 << 3);
    return sign | (code > 0x7E ? 0x7E : code);
}

// Eight codes, read and written at once.
struct alignas(8) Eight { unsigned word[2]; };

static __device__ inline Eight load_eight(const e4m3* from) {
    check_aligned(from, 8);
    return *(const Eight*)from;
}

// The codes' bits in the places of float32's, which are 2⁻¹²⁰ of their numbers: exact, and no multiplication. 0x7F is 480 here; rows that have it
// have no number for a scale.
#define E4M3_UNIT 1.329227995784916e36f

static __device__ inline void widen_small(const Eight& codes, float* to) {
#pragma unroll
    for (int i = 0; i < 8; i++) to[i] = from_bits((unsigned)((int)(codes.word[i / 4] << (24 - i % 4 * 8)) >> 4) & 0x87F00000u);
}

// Magnitudes are compared as bits: their order is the same, and what is no number is larger than all.
static __device__ inline unsigned larger_magnitude(const float* eight, unsigned largest) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
        const unsigned magnitude = bits_of(eight[i]) & 0x7FFFFFFFu;
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

// The largest over neighbouring lanes, in all of them; lanes is a power of two.
static __device__ inline unsigned lane_largest(unsigned value, int lanes) {
    for (int mask = lanes / 2; mask > 0; mask /= 2) {
        const unsigned other = shuffle_xor(value, mask);
        value = other > value ? other : value;
    }
    return value;
}

// The largest over the block, in every thread. Blocks are whole warps.
static __device__ inline unsigned block_largest(unsigned value) {
    SHARED(unsigned, partial, WARP);
    value = lane_largest(value, WARP);
    if (thread() % WARP == 0) partial[thread() / WARP] = value;
    synchronize();
    for (int warp = 0; warp < threads() / WARP; warp++) value = partial[warp] > value ? partial[warp] : value;
    synchronize();
    return value;
}

// How a row is rounded: codes are numbers times inverse, numbers codes times scale. A row with an infinity or a NaN has a NaN for a scale.
struct RowScale {
    float scale, inverse;

    __device__ inline RowScale(unsigned largest) {
        const float magnitude = larger(from_bits(largest), LEAST_MAGNITUDE);
        scale = largest >= 0x7F800000u ? from_bits(0x7FC00000u) : magnitude / E4M3_LARGEST;
        inverse = E4M3_LARGEST / magnitude;
    }

    __device__ inline void store8(e4m3* to, const float* from) const {
        Eight packed;
#pragma unroll
        for (int i = 0; i < 2; i++) {
            packed.word[i] = to_e4m3(from[4 * i] * inverse) | to_e4m3(from[4 * i + 1] * inverse) << 8 | to_e4m3(from[4 * i + 2] * inverse) << 16 | to_e4m3(from[4 * i + 3] * inverse) << 24;
        }
        check_aligned(to, 8);
        *(Eight*)to = packed;
    }
};
