// gated_activation, whose output is rounded to e4m3 by rows: bit for bit what quantize_rows makes of it. One block per row, which computes its numbers twice
// instead of keeping them.
#include "fp8.h"
#include "gate.h"

static __device__ inline void rounded_gate8(const bfloat16* row, int column, int columns, float* x) {
    gate8(row + column, row + columns + column, x);
    for (int i = 0; i < 8; i++) x[i] = rounded(x[i]);
}

extern "C" __global__ void __launch_bounds__(256) gated_activation_fp8(
    const bfloat16* merged,  // (rows, 2 · columns): gate, then up
    e4m3* codes,             // (rows, columns)
    float* scales,           // (rows)
    int columns) {           // a multiple of 8
    const bfloat16* row = merged + (long long)block_x() * 2 * columns;
    unsigned largest = 0;
    float x[8];
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        rounded_gate8(row, column, columns, x);
        largest = larger_magnitude(x, largest);
    }

    const RowScale scale(block_largest(largest));
    if (thread() == 0) scales[block_x()] = scale.scale;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        rounded_gate8(row, column, columns, x);
        scale.store8(codes + (long long)block_x() * columns + column, x);
    }
}
