// Weights of four bits: two in a byte, row by row, the first in the high half, and a scale for each group of columns.
#pragma once
#include "device.h"

struct Int4 {
    typedef bfloat16 Scale;
    static const int Group = 32;
    static __device__ inline float scale(Scale x) { return widen(x); }
    static __device__ inline float value(int code) { return (float)(code - 8); }
};

// The normal float of QLoRA (Dettmers et al. 2023, appendix E).
struct Nf4 {
    typedef float Scale;
    static const int Group = 64;
    static __device__ inline float scale(Scale x) { return x; }
    static __device__ inline float value(int code) {
        const float values[16] = {
            -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0,
            0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1};
        return values[code];
    }
};

// A value for each code, one in each bank of shared memory: lanes that look up different codes do not wait for each other.
template <typename Format> static __device__ inline void fill_book(float* book) {
    if (thread() < 16) book[thread()] = Format::value(thread());
    synchronize();
}

// The codes that 32 columns take.
#define RUN 32

// The code of a column of such a run.
static __device__ inline int code_at(const Sixteen& codes, int column) { return codes.word[column / 8] >> (column % 8 / 2 * 8 + (column % 2 == 0 ? 4 : 0)) & 15; }
