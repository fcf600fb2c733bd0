// residual += delta; output = residual / sqrt(mean(residual²) + epsilon) · weight. One block per row.
// Rounds to bfloat16 where the reference model does: after the sum, after the norm, after the weight.
#include "device.h"

extern "C" __global__ void __launch_bounds__(256) add_rms_norm(
    bfloat16* residual,      // (rows, columns), changed in place
    const bfloat16* delta,   // (rows, columns); null adds nothing
    const bfloat16* weight,  // (columns)
    bfloat16* output,        // (rows, columns)
    int columns,             // a multiple of 8
    float epsilon) {
    const long long row = (long long)block_x() * columns;
    float squares = 0;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8];
        load8(residual + row + column, x);
        if (delta) {
            float change[8];
            load8(delta + row + column, change);
            for (int i = 0; i < 8; i++) x[i] = rounded(x[i] + change[i]);
            store8(residual + row + column, x);
        }
        for (int i = 0; i < 8; i++) squares += x[i] * x[i];
    }

    const float scale = inverse_root(block_sum(squares) / columns + epsilon);
    // A thread reads back what it wrote itself.
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8], factor[8];
        load8(residual + row + column, x);
        load8(weight + column, factor);
        for (int i = 0; i < 8; i++) x[i] = rounded(x[i] * scale) * factor[i];
        store8(output + row + column, x);
    }
}
