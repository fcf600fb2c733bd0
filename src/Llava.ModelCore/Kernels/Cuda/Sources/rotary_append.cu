// Rotates queries and keys and stores keys and values in the arena. One block per row.
#include "rotary.h"

extern "C" __global__ void __launch_bounds__(256) rotary_append(
    const bfloat16* merged,  // (rows, heads + 2 · shared, size): queries, keys, values
    const float* cosines,    // (angles, size / 2)
    const float* sines,      // (angles, size / 2)
    const int* angles,       // (rows): which line of the tables; most often the position in the sequence
    const int* slots,        // (rows): position in the arena; a negative one is padding and stores nothing
    bfloat16* queries,       // (rows, heads, size)
    bfloat16* keys,          // (positions, shared, size)
    bfloat16* values,        // (positions, shared, size)
    int heads,
    int shared,              // heads that keys and values have
    int size) {              // of a head; a multiple of 16
    const int row = block_x(), half = size / 2, per_head = half / 8;
    const bfloat16* from = merged + (long long)row * (heads + 2 * shared) * size;
    const long long slot = slots[row];
    const long long place = slot * shared * size;
    const int known = slot < 0 ? heads : heads + shared;
    for (int unit = thread(); unit < known * per_head; unit += threads()) {
        const int head = unit / per_head, column = unit % per_head * 8;
        bfloat16* to = head < heads ? queries + ((long long)row * heads + head) * size : keys + place + (head - heads) * size;
        const long long angle = (long long)angles[row] * half + column;
        rotate8(from + head * size + column, to + column, half, cosines + angle, sines + angle);
    }

    if (slot < 0) return;
    const bfloat16* value = from + (heads + shared) * size;
    for (int column = thread() * 8; column < shared * size; column += threads() * 8) {
        const Sixteen eight = load16(value + column);
        store16(values + place + column, eight.word[0], eight.word[1], eight.word[2], eight.word[3]);
    }
}
