// silu(gate) · up, with silu(x) = x / (1 + e⁻ˣ).
#pragma once
#include "device.h"

// Eight numbers, not yet rounded; rounded between, as the reference model's two operations are.
static __device__ inline void gate8(const bfloat16* gates, const bfloat16* ups, float* x) {
    float gate[8];
    load8(gates, gate);
    load8(ups, x);
    for (int i = 0; i < 8; i++) x[i] *= rounded(gate[i] / (1 + exp2_of(-gate[i] * LOG2_E)));
}
