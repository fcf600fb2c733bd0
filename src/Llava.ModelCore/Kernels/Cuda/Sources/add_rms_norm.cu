// residual += delta; output = residual / sqrt(mean(residual²) + epsilon) · weight. One block per row.
#include "rms_norm.h"

extern "C" __global__ void __launch_bounds__(256) add_rms_norm(
    bfloat16* residual,      // (rows, columns), changed in place
    const bfloat16* delta,   // (rows, columns); null adds nothing
    const bfloat16* weight,  // (columns)
    bfloat16* output,        // (rows, columns)
    int columns,             // a multiple of 8
    float epsilon) {
    const long long row = (long long)block_x() * columns;
    const float scale = add_row(residual + row, delta ? delta + row : nullptr, columns, epsilon);
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8];
        norm8(residual + row + column, weight + column, scale, x);
        store8(output + row + column, x);
    }
}
