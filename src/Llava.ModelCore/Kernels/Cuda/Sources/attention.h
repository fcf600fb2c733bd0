// softmax(q·Kᵀ·scale)·V for one query per sequence, whose keys and values are one extent of the arena. A block takes one row, up to GROUP of the
// query heads that share a key head, and one run of split positions; merge_attention joins the runs. A run's bounds depend on its own
// sequence alone, and runs that a sequence does not have add exact zeros: a row's bits do not depend on its neighbours.
#pragma once
#include "device.h"

#define MAX_SIZE 128
#define ATTENTION_BLOCK 128
// Sixteen lanes share a key, eight numbers each; so eight teams read eight keys at once, and each reads ahead.
#define LANES 16
#define TEAMS (ATTENTION_BLOCK / LANES)
#define AHEAD 4

// One key head of an extent, as Cache keeps it. A Cache says what a number is and what eight of them are read as; numbers
// come as 1 / Root² of what they are, one Root of which is in the scales.
template <typename Cache> struct Extent {
    const typename Cache::Number *keys, *values;
    const float *key_scales, *value_scales;
    long long stride;
};

template <int GROUP> struct Running { float largest[GROUP], weights[GROUP], mixed[GROUP][8]; };

template <typename Cache, int GROUP> static __device__ inline void add_keys(
    Running<GROUP>& run, const float (&query)[GROUP][8], const Extent<Cache>& extent, int first, int end, bool reads) {
    float score[AHEAD][GROUP];
    typename Cache::Packed value[AHEAD];
#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
        const int position = first + a * TEAMS;
        float key[8] = {};
        if (reads && position < end) Cache::widen(Cache::load(extent.keys + position * extent.stride), key);
        const float scale = position < end ? Cache::scale(extent.key_scales, position) : 0;
#pragma unroll
        for (int g = 0; g < GROUP; g++) {
            float dot = 0;
            for (int i = 0; i < 8; i++) dot += query[g][i] * key[i];
            dot = lane_sum(dot, LANES);
            score[a][g] = position < end ? dot * scale : -infinity();
        }
    }

#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
        const int position = first + a * TEAMS;
        value[a] = {};
        if (reads && position < end) value[a] = Cache::load(extent.values + position * extent.stride);
    }

#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        float largest = run.largest[g];
#pragma unroll
        for (int a = 0; a < AHEAD; a++) largest = larger(score[a][g], largest);
        // Nothing seen yet: any finite number does, and all weights are zero.
        const float base = largest == -infinity() ? 0 : largest;
        const float fade = exp2_of(run.largest[g] - base);
        run.largest[g] = largest;
        run.weights[g] *= fade;
        for (int i = 0; i < 8; i++) run.mixed[g][i] *= fade;
#pragma unroll
        for (int a = 0; a < AHEAD; a++) {
            score[a][g] = exp2_of(score[a][g] - base);
            run.weights[g] += score[a][g];
        }
    }

#pragma unroll
    for (int a = 0; a < AHEAD; a++) {
        const int position = first + a * TEAMS;
        float numbers[8];
        Cache::widen(value[a], numbers);
        const float scale = position < end ? Cache::scale(extent.value_scales, position) : 0;
#pragma unroll
        for (int g = 0; g < GROUP; g++) {
            for (int i = 0; i < 8; i++) run.mixed[g][i] += score[a][g] * scale * numbers[i];
        }
    }
}

// All that a launch is told.
template <typename Cache> struct Attention {
    const bfloat16* queries;               // (rows, heads, size)
    const typename Cache::Number* keys;    // (positions, shared, size)
    const typename Cache::Number* values;  // (positions, shared, size)
    const float* key_scales;               // (shared, positions), unless Cache has none
    const float* value_scales;             // (shared, positions), unless Cache has none
    const int* starts;                     // (rows): where the extent starts
    const int* lengths;                    // (rows): positions that are seen; 0 for padding
    float* sums;                           // (rows, heads, runs, size)
    float* scales;                         // (rows, heads, runs, 2): the largest score, in powers of two, and the sum of the weights beside it
    int heads, shared, size, positions, split;
    float scale;
};

template <typename Cache, int GROUP> static __device__ inline void attend(const Attention<Cache>& all) {
    const int size = all.size, row = block_x(), group = all.heads / all.shared, parts = (group + GROUP - 1) / GROUP;
    const int head = block_y() / parts, member = block_y() % parts * GROUP, members = smaller(GROUP, group - member);
    const int team = thread() / LANES, column = thread() % LANES * 8;
    const bool reads = column < size;
    const long long first_head = (long long)row * all.heads + head * group + member;
    Running<GROUP> run;
    float query[GROUP][8];
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        run.largest[g] = -infinity();
        run.weights[g] = 0;
        for (int i = 0; i < 8; i++) run.mixed[g][i] = query[g][i] = 0;
        if (reads && g < members) load8(all.queries + (first_head + g) * size + column, query[g]);
        for (int i = 0; i < 8; i++) query[g][i] *= all.scale * LOG2_E * Cache::Root;
    }

    const long long stride = (long long)all.shared * size, start = all.starts[row], offset = start * stride + head * size + column, line = (long long)head * all.positions + start;
    const Extent<Cache> extent = {all.keys + offset, all.values + offset, all.key_scales + line, all.value_scales + line, stride};
    const int begin = block_z() * all.split, end = smaller(all.lengths[row], begin + all.split);
    for (int first = begin; first < end; first += TEAMS * AHEAD) add_keys(run, query, extent, first + team, end, reads);

    SHARED(float, largest, TEAMS * GROUP);
    SHARED(float, weights, TEAMS * GROUP);
    SHARED(float, mixed, TEAMS * GROUP * MAX_SIZE);
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        if (column == 0) largest[team * GROUP + g] = run.largest[g];
        if (column == 0) weights[team * GROUP + g] = run.weights[g];
        for (int i = 0; i < 8; i++) mixed[(team * GROUP + g) * MAX_SIZE + column + i] = run.mixed[g][i] * Cache::Root;
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
        all.sums[part * size + i] = sum;
        if (i == 0) all.scales[2 * part] = most;
        if (i == 0) all.scales[2 * part + 1] = weight;
    }
}
