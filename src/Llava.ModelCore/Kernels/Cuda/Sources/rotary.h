// Rotation of heads, whose first half is paired with their second.
#pragma once
#include "device.h"

// Eight pairs: what they become, not yet rounded.
static __device__ inline void turn8(const bfloat16* from, int half, const float* cosines, const float* sines, float* first, float* second) {
    float x[8], y[8];
    load8(from, x);
    load8(from + half, y);
    for (int i = 0; i < 8; i++) first[i] = x[i] * cosines[i] - y[i] * sines[i];
    for (int i = 0; i < 8; i++) second[i] = y[i] * cosines[i] + x[i] * sines[i];
}

// Turns eight pairs from one place to another.
static __device__ inline void rotate8(const bfloat16* from, bfloat16* to, int half, const float* cosines, const float* sines) {
    float first[8], second[8];
    turn8(from, half, cosines, sines, first, second);
    store8(to, first);
    store8(to + half, second);
}
