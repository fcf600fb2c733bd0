// rotary_append, whose keys and values are rounded to e4m3 in the arena, each head of a position with a scale. One block per row; eight lanes take a key or a value.
#include "fp8.h"
#include "rotary.h"

#define HEAD_LANES 8

extern "C" __global__ void __launch_bounds__(256) rotary_append_fp8(
    const bfloat16* merged,  // (rows, heads + 2 · shared, size): queries, keys, values
    const float* cosines,    // (angles, size / 2)
    const float* sines,      // (angles, size / 2)
    const int* angles,       // (rows): which line of the tables; most often the position in the sequence
    const int* slots,        // (rows): position in the arena; a negative one is padding and stores nothing
    bfloat16* queries,       // (rows, heads, size)
    e4m3* keys,              // (positions, shared, size)
    e4m3* values,            // (positions, shared, size)
    float* key_scales,       // (shared, positions)
    float* value_scales,     // (shared, positions)
    int heads,
    int shared,              // heads that keys and values have
    int size,                // of a head; a multiple of 16, 128 at most
    int positions) {
    const int row = block_x(), half = size / 2, per_head = half / 8;
    const bfloat16* from = merged + (long long)row * (heads + 2 * shared) * size;
    const long long line = (long long)angles[row] * half;
    for (int unit = thread(); unit < heads * per_head; unit += threads()) {
        const int head = unit / per_head, column = unit % per_head * 8;
        rotate8(from + head * size + column, queries + ((long long)row * heads + head) * size + column, half, cosines + line + column, sines + line + column);
    }

    const long long slot = slots[row];
    if (slot < 0) return;
    const int column = thread() % HEAD_LANES * 8;
    // Whole warps go round together, because lanes of a head ask each other.
    for (int begin = 0; begin < 2 * shared; begin += threads() / HEAD_LANES) {
        const int index = begin + thread() / HEAD_LANES, head = index % shared;
        const bool is_key = index < shared, works = index < 2 * shared && column < half;
        const bfloat16* place = from + (heads + index) * size + column;
        float first[8] = {}, second[8] = {};
        if (works && is_key) turn8(place, half, cosines + line + column, sines + line + column, first, second);
        if (works && !is_key) load8(place, first);
        if (works && !is_key) load8(place + half, second);
        for (int i = 0; i < 8; i++) first[i] = rounded(first[i]);
        for (int i = 0; i < 8; i++) second[i] = rounded(second[i]);
        const RowScale scale(lane_largest(larger_magnitude(first, larger_magnitude(second, 0)), HEAD_LANES));
        if (!works) continue;
        e4m3* to = (is_key ? keys : values) + (slot * shared + head) * size + column;
        scale.store8(to, first);
        scale.store8(to + half, second);
        if (column == 0) (is_key ? key_scales : value_scales)[(long long)head * positions + slot] = scale.scale;
    }
}
