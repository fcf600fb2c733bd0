// The device that device.h asks for, on a processor: every thread of a block is a fibre, blocks run one after the other. Fibres go on in an order that the
// launch chooses, so a kernel that forgets to synchronize gives other numbers in another order; shared memory starts as NaNs.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __launch_bounds__(threads)

struct Fibre {
    int thread, threads, block[3], blocks[3];
    unsigned value;  // what it offers to its warp, and what it gets
    int mask;
};

extern thread_local Fibre* current;

void wait_for_block();
void wait_for_warp();
[[noreturn]] void fault(const char* what);
void register_shared(void* memory, size_t bytes);

template <typename T, size_t Count> struct SharedArray {
    alignas(16) T values[Count];
    SharedArray() { register_shared(values, sizeof values); }
};

#define SHARED(type, name, count)                               \
    static thread_local SharedArray<type, (count)> name##_memory; \
    type* const name = name##_memory.values

inline int thread() { return current->thread; }
inline int threads() { return current->threads; }
inline int block_x() { return current->block[0]; }
inline int block_y() { return current->block[1]; }
inline int block_z() { return current->block[2]; }
inline int blocks_z() { return current->blocks[2]; }
inline void synchronize() { wait_for_block(); }

inline unsigned shuffle_xor(unsigned value, int mask) {
    current->value = value;
    current->mask = mask;
    wait_for_warp();
    return current->value;
}

inline float exp2_of(float x) { return exp2f(x); }
inline float log2_of(float x) { return log2f(x); }
inline float inverse_root(float x) { return 1 / sqrtf(x); }
inline void check_aligned(const void* address, int bytes) {
    if ((uintptr_t)address % bytes) fault("an address is not aligned");
}
