// add_rms_norm, whose output is rounded to e4m3 by rows: bit for bit what quantize_rows makes of it. One block per row.
#include "fp8.h"
#include "rms_norm.h"

static __device__ inline void rounded_norm8(const bfloat16* residual, const bfloat16* weight, float scale, float* x) {
    norm8(residual, weight, scale, x);
    for (int i = 0; i < 8; i++) x[i] = rounded(x[i]);
}

extern "C" __global__ void __launch_bounds__(256) add_rms_norm_fp8(
    bfloat16* residual,      // (rows, columns), changed in place
    const bfloat16* delta,   // (rows, columns); null adds nothing
    const bfloat16* weight,  // (columns)
    e4m3* codes,             // (rows, columns)
    float* scales,           // (rows)
    int columns,             // a multiple of 8
    float epsilon) {
    const long long row = (long long)block_x() * columns;
    const float norm = add_row(residual + row, delta ? delta + row : nullptr, columns, epsilon);
    unsigned largest = 0;
    float x[8];
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        rounded_norm8(residual + row + column, weight + column, norm, x);
        largest = larger_magnitude(x, largest);
    }

    const RowScale scale(block_largest(largest));
    if (thread() == 0) scales[block_x()] = scale.scale;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        rounded_norm8(residual + row + column, weight + column, norm, x);
        scale.store8(codes + row + column, x);
    }
}
