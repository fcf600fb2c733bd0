// Attention of rows that decode over keys and values in bfloat16, see attention.h.
#include "attention.h"

struct Half {
    typedef bfloat16 Number;
    typedef Sixteen Packed;
    static constexpr float Root = 1;
    static __device__ inline Packed load(const Number* from) { return load16(from); }
    static __device__ inline void widen(const Packed& packed, float* to) { widen8(packed, to); }
    static __device__ inline float scale(const float*, int) { return 1; }
};

#define DECODE_ATTENTION(GROUP)                                                                                                              \
    extern "C" __global__ void __launch_bounds__(ATTENTION_BLOCK) decode_attention_##GROUP(                                                  \
        const bfloat16* queries, const bfloat16* keys, const bfloat16* values, const int* starts, const int* lengths, float* sums,           \
        float* scales, int heads, int shared, int size, int split, float scale) {                                                            \
        attend<Half, GROUP>({queries, keys, values, nullptr, nullptr, starts, lengths, sums, scales, heads, shared, size, 0, split, scale}); \
    }

DECODE_ATTENTION(1)
DECODE_ATTENTION(2)
DECODE_ATTENTION(4)
DECODE_ATTENTION(8)

// Joins the runs of a head; a row without positions becomes zeros. One block per row and head.
extern "C" __global__ void __launch_bounds__(ATTENTION_BLOCK) merge_attention(
    const float* sums,    // (rows, heads, runs, size)
    const float* scales,  // (rows, heads, runs, 2)
    bfloat16* output,     // (rows, heads, size)
    int heads,
    int runs,
    int size) {
    const long long place = (long long)block_x() * heads + block_y();
    const float* pairs = scales + place * runs * 2;
    float most = -infinity();
    for (int run = 0; run < runs; run++) most = larger(pairs[2 * run], most);
    for (int i = thread(); i < size; i += ATTENTION_BLOCK) {
        float weight = 0, sum = 0;
        for (int run = 0; run < runs; run++) {
            const float factor = most == -infinity() ? 0 : exp2_of(pairs[2 * run] - most);
            weight += factor * pairs[2 * run + 1];
            sum += factor * sums[(place * runs + run) * size + i];
        }
        output[place * size + i] = narrow(weight == 0 ? 0 : sum / weight);
    }
}
