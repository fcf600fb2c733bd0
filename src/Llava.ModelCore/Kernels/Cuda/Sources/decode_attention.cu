// softmax(q·Kᵀ·scale)·V for one query per sequence, whose keys and values are one extent of the arena. A block takes one row, up to GROUP of the
// query heads that share a key head, and one run of split positions; merge_attention joins the runs. A run's bounds depend on its own
// sequence alone, and runs that a sequence does not have add exact zeros: a row's bits do not depend on its neighbours.
#include "device.h"

#define MAX_SIZE 128
#define ATTENTION_BLOCK 128
// Sixteen lanes share a key, eight numbers each; so eight teams read eight keys at once, and each reads ahead.
#define LANES 16
#define TEAMS (ATTENTION_BLOCK / LANES)
#define AHEAD 4

template <int GROUP> struct Running { float largest[GROUP], weights[GROUP], mixed[GROUP][8]; };

template <int GROUP> static __device__ inline void add_keys(
    Running<GROUP>& run, const float (&query)[GROUP][8], const bfloat16* keys, const bfloat16* values, long long stride, int first, int end, bool reads) {
    float score[AHEAD][GROUP], value[AHEAD][8];
#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
        const int position = first + a * TEAMS;
        float key[8] = {};
        if (reads && position < end) load8(keys + position * stride, key);
#pragma unroll
        for (int g = 0; g < GROUP; g++) {
            float dot = 0;
            for (int i = 0; i < 8; i++) dot += query[g][i] * key[i];
            dot = lane_sum(dot, LANES);
            score[a][g] = position < end ? dot : -infinity();
        }
    }

#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
        const int position = first + a * TEAMS;
        for (int i = 0; i < 8; i++) value[a][i] = 0;
        if (reads && position < end) load8(values + position * stride, value[a]);
    }

#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        float largest = run.largest[g];
        for (int a = 0; a < AHEAD; a++) largest = larger(score[a][g], largest);
        // Nothing seen yet: any finite number does, and all weights are zero.
        const float base = largest == -infinity() ? 0 : largest;
        const float fade = exp2_of(run.largest[g] - base);
        run.largest[g] = largest;
        run.weights[g] *= fade;
        for (int i = 0; i < 8; i++) run.mixed[g][i] *= fade;
        for (int a = 0; a < AHEAD; a++) {
            const float weight = exp2_of(score[a][g] - base);
            run.weights[g] += weight;
            for (int i = 0; i < 8; i++) run.mixed[g][i] += weight * value[a][i];
        }
    }
}

template <int GROUP> static __device__ inline void attend(
    const bfloat16* queries, const bfloat16* keys, const bfloat16* values, const int* starts, const int* lengths, float* sums, float* scales, int heads, int shared,
    int size, int split, float scale) {
    const int row = block_x(), group = heads / shared, parts = (group + GROUP - 1) / GROUP;
    const int head = block_y() / parts, member = block_y() % parts * GROUP, members = smaller(GROUP, group - member);
    const int team = thread() / LANES, column = thread() % LANES * 8;
    const bool reads = column < size;
    const long long first_head = (long long)row * heads + head * group + member;
    Running<GROUP> run;
    float query[GROUP][8];
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        run.largest[g] = -infinity();
        run.weights[g] = 0;
        for (int i = 0; i < 8; i++) run.mixed[g][i] = query[g][i] = 0;
        if (reads && g < members) load8(queries + (first_head + g) * size + column, query[g]);
        for (int i = 0; i < 8; i++) query[g][i] *= scale * LOG2_E;
    }

    const long long stride = (long long)shared * size, offset = (long long)starts[row] * stride + head * size + column;
    const int begin = block_z() * split, end = smaller(lengths[row], begin + split);
    for (int first = begin; first < end; first += TEAMS * AHEAD) add_keys(run, query, keys + offset, values + offset, stride, first + team, end, reads);

    SHARED(float, largest, TEAMS * GROUP);
    SHARED(float, weights, TEAMS * GROUP);
    SHARED(float, mixed, TEAMS * GROUP * MAX_SIZE);
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        if (column == 0) largest[team * GROUP + g] = run.largest[g];
        if (column == 0) weights[team * GROUP + g] = run.weights[g];
        for (int i = 0; i < 8; i++) mixed[(team * GROUP + g) * MAX_SIZE + column + i] = run.mixed[g][i];
    }
    synchronize();

    for (int place = thread(); place < members * size; place += ATTENTION_BLOCK) {
        const int g = place / size, i = place % size;
        float most = -infinity(), weight = 0, sum = 0;
        for (int t = 0; t < TEAMS; t++) most = larger(largest[t * GROUP + g], most);
        for (int t = 0; t < TEAMS; t++) {
            const float factor = most == -infinity() ? 0 : exp2_of(largest[t * GROUP + g] - most);
            weight += factor * weights[t * GROUP + g];
            sum += factor * mixed[(t * GROUP + g) * MAX_SIZE + i];
        }
        const long long part = (first_head + g) * blocks_z() + block_z();
        sums[part * size + i] = sum;
        if (i == 0) scales[2 * part] = most;
        if (i == 0) scales[2 * part + 1] = weight;
    }
}

#define DECODE_ATTENTION(GROUP)                                                                                                           \
    extern "C" __global__ void __launch_bounds__(ATTENTION_BLOCK) decode_attention_##GROUP(                                                         \
        const bfloat16* queries, /* (rows, heads, size) */                                                                                \
        const bfloat16* keys,    /* (positions, shared, size) */                                                                          \
        const bfloat16* values,  /* (positions, shared, size) */                                                                          \
        const int* starts,       /* (rows): where the extent starts */                                                                    \
        const int* lengths,      /* (rows): positions that are seen; 0 for padding */                                                     \
        float* sums,             /* (rows, heads, runs, size) */                                                                          \
        float* scales,           /* (rows, heads, runs, 2): the largest score, in powers of two, and the sum of the weights beside it */  \
        int heads, int shared, int size, int split, float scale) {                                                                        \
        attend<GROUP>(queries, keys, values, starts, lengths, sums, scales, heads, shared, size, split, scale);                           \
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
