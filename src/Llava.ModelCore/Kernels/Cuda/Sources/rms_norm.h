// The sum of a row and its norm, which rounds to bfloat16 where the reference model does: after the sum, after the norm, after the weight.
#pragma once
#include "device.h"

// Adds delta, unless it is null, to a row of the residual stream; what its norm multiplies by, in every thread.
static __device__ inline float add_row(bfloat16* residual, const bfloat16* delta, int columns, float epsilon) {
    float squares = 0;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8];
        load8(residual + column, x);
        if (delta) {
            float change[8];
            load8(delta + column, change);
            for (int i = 0; i < 8; i++) x[i] = rounded(x[i] + change[i]);
            store8(residual + column, x);
        }
        for (int i = 0; i < 8; i++) squares += x[i] * x[i];
    }

    return inverse_root(block_sum(squares) / columns + epsilon);
}

// Eight numbers of the norm, not yet rounded; a thread reads back what it wrote itself.
static __device__ inline void norm8(const bfloat16* residual, const bfloat16* weight, float scale, float* x) {
    float factor[8];
    load8(residual, x);
    load8(weight, factor);
    for (int i = 0; i < 8; i++) x[i] = rounded(x[i] * scale) * factor[i];
}
