// Rounds rows to e4m3, each with a scale of its own. One block per row.
#include "fp8.h"

extern "C" __global__ void __launch_bounds__(256) quantize_rows(
    const bfloat16* input,  // (rows, columns)
    e4m3* codes,            // (rows, columns)
    float* scales,          // (rows)
    int columns) {          // a multiple of 8
    const long long row = (long long)block_x() * columns;
    unsigned largest = 0;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8];
        load8(input + row + column, x);
        largest = larger_magnitude(x, largest);
    }

    const RowScale scale(block_largest(largest));
    if (thread() == 0) scales[block_x()] = scale.scale;
    for (int column = thread() * 8; column < columns; column += threads() * 8) {
        float x[8];
        load8(input + row + column, x);
        scale.store8(codes + row + column, x);
    }
}
