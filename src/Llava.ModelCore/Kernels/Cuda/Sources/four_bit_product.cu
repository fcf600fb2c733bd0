// output = input · weightᵀ for a few tokens, bound by reading the weights: a warp takes one output, a lane 32 columns at a time.
#include "four_bit.h"

#define PRODUCT_BLOCK 128

template <typename Format, int TOKENS> static __device__ inline void multiply(
    const unsigned char* codes, const typename Format::Scale* scales, const bfloat16* input, bfloat16* output, int rows, int columns) {
    SHARED(float, book, 16);
    fill_book<Format>(book);
    const int row = block_x() * (PRODUCT_BLOCK / WARP) + thread() / WARP;
    if (row >= rows) return;
    float sum[TOKENS] = {};
    for (int column = thread() % WARP * RUN; column < columns; column += WARP * RUN) {
        const long long place = (long long)row * columns + column;
        const Sixteen run = load16(codes + place / 2);
        const float scale = Format::scale(scales[place / Format::Group]);
        float weight[RUN];
#pragma unroll
        for (int i = 0; i < RUN; i++) weight[i] = book[code_at(run, i)];
#pragma unroll
        for (int token = 0; token < TOKENS; token++) {
            float dot = 0;
#pragma unroll
            for (int i = 0; i < RUN; i += 8) {
                float x[8];
                load8(input + (long long)token * columns + column + i, x);
                for (int j = 0; j < 8; j++) dot += weight[i + j] * x[j];
            }
            sum[token] += scale * dot;
        }
    }

#pragma unroll
    for (int token = 0; token < TOKENS; token++) {
        const float total = lane_sum(sum[token], WARP);
        if (thread() % WARP == 0) output[(long long)token * rows + row] = narrow(total);
    }
}

#define FOUR_BIT_PRODUCT(name, Format, TOKENS)                                                                              \
    extern "C" __global__ void __launch_bounds__(PRODUCT_BLOCK) name(                                                               \
        const unsigned char* codes,        /* (rows, columns / 2) */                                                        \
        const Format::Scale* scales,       /* (rows, columns / group) */                                                    \
        const bfloat16* input,             /* (tokens, columns) */                                                          \
        bfloat16* output,                  /* (tokens, rows) */                                                             \
        int rows, int columns) {           /* columns: a multiple of the group */                                           \
        multiply<Format, TOKENS>(codes, scales, input, output, rows, columns);                                              \
    }

FOUR_BIT_PRODUCT(int4_product_1, Int4, 1)
FOUR_BIT_PRODUCT(int4_product_2, Int4, 2)
FOUR_BIT_PRODUCT(int4_product_4, Int4, 4)
FOUR_BIT_PRODUCT(int4_product_8, Int4, 8)
FOUR_BIT_PRODUCT(nf4_product_1, Nf4, 1)
FOUR_BIT_PRODUCT(nf4_product_2, Nf4, 2)
FOUR_BIT_PRODUCT(nf4_product_4, Nf4, 4)
FOUR_BIT_PRODUCT(nf4_product_8, Nf4, 8)
