// Attention of rows that decode over keys and values in e4m3, see attention.h.
#include "attention.h"
#include "fp8.h"

// Numbers come as 2⁻¹²⁰ of what they are (widen_small); half of that is in the queries and the sums, half in the scales, so that nothing overflows.
struct Fp8 {
    typedef e4m3 Number;
    typedef Eight Packed;
    static constexpr float Root = 1.152921504606846976e18f;
    static __device__ inline Packed load(const Number* from) { return load_eight(from); }
    static __device__ inline void widen(const Packed& packed, float* to) { widen_small(packed, to); }
    static __device__ inline float scale(const float* scales, int position) { return scales[position] * Root; }
};

#define DECODE_ATTENTION_FP8(GROUP)                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(ATTENTION_BLOCK) decode_attention_fp8_##GROUP(                                                             \
        const bfloat16* queries, const e4m3* keys, const e4m3* values, const float* key_scales, const float* value_scales, const int* starts,               \
        const int* lengths, float* sums, float* scales, int heads, int shared, int size, int positions, int split, float scale) {                           \
        attend<Fp8, GROUP>({queries, keys, values, key_scales, value_scales, starts, lengths, sums, scales, heads, shared, size, positions, split, scale}); \
    }

DECODE_ATTENTION_FP8(1)
DECODE_ATTENTION_FP8(2)
DECODE_ATTENTION_FP8(4)
DECODE_ATTENTION_FP8(8)
