// output = silu(gate) · up. A block per row and 2048 columns.
#include "gate.h"

extern "C" __global__ void __launch_bounds__(256) gated_activation(
    const bfloat16* merged,  // (rows, 2 · columns): gate, then up
    bfloat16* output,        // (rows, columns)
    int columns) {           // a multiple of 8
    const int column = (block_y() * threads() + thread()) * 8;
    if (column >= columns) return;
    const bfloat16* row = merged + (long long)block_x() * 2 * columns;
    float x[8];
    gate8(row + column, row + columns + column, x);
    store8(output + (long long)block_x() * columns + column, x);
}
