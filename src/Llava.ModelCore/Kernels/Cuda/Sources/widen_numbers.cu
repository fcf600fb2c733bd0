// bfloat16 → float32, as many as there are.
#include "device.h"

extern "C" __global__ void __launch_bounds__(256) widen_numbers(
    const bfloat16* numbers,
    float* output,
    long long count) {
    // A block's run is eight numbers a thread, neighbours beside each other.
    const long long run = (long long)block_x() * threads() * 8;
    for (int i = 0; i < 8; i++) {
        const long long place = run + i * threads() + thread();
        if (place < count) output[place] = widen(numbers[place]);
    }
}
