// output = silu(gate) · up, with silu(x) = x / (1 + e⁻ˣ). A block per row and 2048 columns.
#include "device.h"

extern "C" __global__ void __launch_bounds__(256) gated_activation(
    const bfloat16* merged,  // (rows, 2 · columns): gate, then up
    bfloat16* output,        // (rows, columns)
    int columns) {           // a multiple of 8
    const int column = (block_y() * threads() + thread()) * 8;
    if (column >= columns) return;
    const bfloat16* row = merged + (long long)block_x() * 2 * columns;
    float gate[8], up[8];
    load8(row + column, gate);
    load8(row + columns + column, up);
    // Rounded between, as the reference model's two operations are.
    for (int i = 0; i < 8; i++) up[i] *= rounded(gate[i] / (1 + exp2_of(-gate[i] * LOG2_E)));
    store8(output + (long long)block_x() * columns + column, up);
}
