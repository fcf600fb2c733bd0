// Keys and values of a few extents as bfloat16, at their places in an arena of the same positions: for attention that reads no e4m3. A block per position and extent.
#include "fp8.h"

static __device__ inline void expand8(const e4m3* codes, float scale, bfloat16* output) {
    float x[8];
    widen_small(load_eight(codes), x);
    for (int i = 0; i < 8; i++) x[i] = x[i] * E4M3_UNIT * scale;
    store8(output, x);
}

extern "C" __global__ void __launch_bounds__(256) expand_extents(
    const e4m3* keys,           // (positions, shared, size)
    const e4m3* values,         // (positions, shared, size)
    const float* key_scales,    // (shared, positions)
    const float* value_scales,  // (shared, positions)
    const int* starts,          // (extents)
    const int* lengths,         // (extents): positions that are wanted
    bfloat16* plain_keys,       // (positions, shared, size)
    bfloat16* plain_values,     // (positions, shared, size)
    int shared,                 // heads that keys and values have
    int size,                   // of a head; a multiple of 8
    int positions) {
    if (block_x() >= lengths[block_y()]) return;
    const long long slot = starts[block_y()] + block_x();
    for (int column = thread() * 8; column < shared * size; column += threads() * 8) {
        const long long place = slot * shared * size + column, scale = (long long)(column / size) * positions + slot;
        expand8(keys + place, key_scales[scale], plain_keys + place);
        expand8(values + place, value_scales[scale], plain_values + place);
    }
}
