// Weights of four bits as bfloat16, for products of many tokens by the library's kernels. A thread takes 32 columns.
#include "four_bit.h"

#define DEQUANTIZE_BLOCK 128

template <typename Format> static __device__ inline void dequantize(const unsigned char* codes, const typename Format::Scale* scales, bfloat16* output, long long count) {
    SHARED(float, book, 16);
    fill_book<Format>(book);
    const long long place = ((long long)block_x() * DEQUANTIZE_BLOCK + thread()) * RUN;
    if (place >= count) return;
    const Sixteen run = load16(codes + place / 2);
    const float scale = Format::scale(scales[place / Format::Group]);
#pragma unroll
    for (int i = 0; i < RUN; i += 8) {
        float x[8];
#pragma unroll
        for (int j = 0; j < 8; j++) x[j] = book[code_at(run, i + j)] * scale;
        store8(output + place + i, x);
    }
}

#define FOUR_BIT_DEQUANTIZE(name, Format)                                        \
    extern "C" __global__ void __launch_bounds__(DEQUANTIZE_BLOCK) name(                    \
        const unsigned char* codes,  /* (count / 2) */                           \
        const Format::Scale* scales, /* (count / group) */                       \
        bfloat16* output,            /* (count) */                               \
        long long count) {           /* a multiple of the group */               \
        dequantize<Format>(codes, scales, output, count);                        \
    }

FOUR_BIT_DEQUANTIZE(int4_dequantize, Int4)
FOUR_BIT_DEQUANTIZE(nf4_dequantize, Nf4)
