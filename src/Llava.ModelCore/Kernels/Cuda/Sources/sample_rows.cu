// Chooses a token from each row of logits: temperature, top-k, top-p, then inverse transform sampling in index order; or the best. One block per row.
// Weights are integers (2⁴⁰ for the best token), so their sums depend on no order and the borders of top-p and of the draw are exact.
#include "device.h"

#define SAMPLE_BLOCK 512

static __device__ inline bool is_bad(float x) { return x != x || x == infinity(); }

// A number whose order is the score's.
static __device__ inline unsigned order_of(float score) {
    const unsigned bits = bits_of(score);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// One row; a score is how far its logit lies below the best, in temperatures.
struct Scores {
    const float* logits;
    int vocabulary;
    float best, temperature;

    __device__ inline float at(int i) const { return (logits[i] - best) / temperature; }
};

static __device__ inline unsigned long long weight_of(float score) { return (unsigned long long)(exp2_of(score * LOG2_E) * 1099511627776.0f); }

// The first of the highest logits, in every thread.
static __device__ inline int best_of(const float* logits, int vocabulary) {
    SHARED(unsigned long long, champions, SAMPLE_BLOCK);
    unsigned long long champion = 0;
    for (int i = thread(); i < vocabulary; i += SAMPLE_BLOCK) {
        // Of equal ones the lower index is the larger number.
        const unsigned long long candidate = (unsigned long long)order_of(logits[i]) << 32 | (0xFFFFFFFFu - i);
        champion = candidate > champion ? candidate : champion;
    }
    champions[thread()] = champion;
    for (int half = SAMPLE_BLOCK / 2; half > 0; half /= 2) {
        synchronize();
        if (thread() < half && champions[thread() + half] > champions[thread()]) champions[thread()] = champions[thread() + half];
    }
    synchronize();
    return (int)(0xFFFFFFFFu - (unsigned)champions[0]);
}

// Scores from lowest up to end, each counted once or by its weight, in every thread.
static __device__ inline unsigned long long total_of(const Scores& scores, unsigned lowest, unsigned end, bool weighs) {
    unsigned long long total = 0;
    for (int i = thread(); i < scores.vocabulary; i += SAMPLE_BLOCK) {
        const float score = scores.at(i);
        const unsigned order = order_of(score);
        if (order >= lowest && order < end) total += weighs ? weight_of(score) : 1;
    }
    return block_sum(total);
}

// The order of the lowest score that is kept when, from below, as much is removed as may be: found bit by bit.
static __device__ inline unsigned lowest_kept(const Scores& scores, unsigned lowest, unsigned long long removable, bool weighs) {
    unsigned kept = 0;
    for (int bit = 31; bit >= 0; bit--) {
        const unsigned candidate = kept | 1u << bit;
        if (total_of(scores, lowest, candidate, weighs) <= removable) kept = candidate;
    }
    return kept > lowest ? kept : lowest;
}

// A share of a total that stays below it, whatever rounding does.
static __device__ inline unsigned long long share_of(double share, unsigned long long total) {
    const unsigned long long part = (unsigned long long)(share * (double)total);
    return part < total ? part : total - 1;
}

// The counter-based generator of the host's sampler (SplitMix64 of seed and counter): 53 bits.
static __device__ inline unsigned long long mix(unsigned long long z) {
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

// The first index whose weights, with all before it, exceed the target; in one thread only, the others get -1.
static __device__ inline int draw(const Scores& scores, unsigned lowest, double uniform) {
    SHARED(unsigned long long, before, SAMPLE_BLOCK + 1);
    const int length = (scores.vocabulary + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK;
    const int begin = smaller(thread() * length, scores.vocabulary), end = smaller(begin + length, scores.vocabulary);
    unsigned long long own = 0;
    for (int i = begin; i < end; i++) {
        const float score = scores.at(i);
        if (order_of(score) >= lowest) own += weight_of(score);
    }
    before[thread() + 1] = own;
    synchronize();
    if (thread() == 0) {
        before[0] = 0;
        for (int t = 1; t <= SAMPLE_BLOCK; t++) before[t] += before[t - 1];
    }
    synchronize();
    const unsigned long long target = share_of(uniform, before[SAMPLE_BLOCK]);
    if (target < before[thread()] || target >= before[thread() + 1]) return -1;
    unsigned long long reached = before[thread()];
    for (int i = begin; i < end; i++) {
        const float score = scores.at(i);
        if (order_of(score) >= lowest) reached += weight_of(score);
        if (reached > target) return i;
    }
    return -1;
}

extern "C" __global__ void __launch_bounds__(SAMPLE_BLOCK) sample_rows(
    const float* logits,         // (rows, stride)
    const float* temperatures,   // (rows); 0 or less takes the best
    const int* top_ks,           // (rows); 0 keeps all
    const float* top_ps,         // (rows); 1 keeps all
    const long long* seeds,      // (rows)
    const int* steps,            // (rows): tokens drawn before this one
    int* tokens,                 // (rows); -1 where the logits are no numbers to choose by
    float* log_probabilities,    // (rows): of the chosen token, without temperature
    int vocabulary,              // ids from here on are never chosen
    int stride) {
    const int row = block_x();
    logits += (long long)row * stride;
    float bad = 0;
    for (int i = thread(); i < vocabulary; i += SAMPLE_BLOCK) bad += is_bad(logits[i]) ? 1 : 0;
    const bool any_bad = block_sum(bad) > 0;
    int token = any_bad ? -1 : best_of(logits, vocabulary);
    if (any_bad || logits[token] == -infinity()) {
        if (thread() == 0) tokens[row] = -1;
        return;
    }

    const float best = logits[token];
    float sum = 0;
    for (int i = thread(); i < vocabulary; i += SAMPLE_BLOCK) sum += exp2_of((logits[i] - best) * LOG2_E);
    const float normalizer = best + LN_2 * log2_of(block_sum(sum));

    if (temperatures[row] > 0) {
        const Scores scores = {logits, vocabulary, best, temperatures[row]};
        unsigned lowest = 0;
        if (top_ks[row] > 0 && top_ks[row] < vocabulary) lowest = lowest_kept(scores, 0, vocabulary - top_ks[row], false);
        if (top_ps[row] < 1) {
            const unsigned long long total = total_of(scores, lowest, 0xFFFFFFFFu, true);
            lowest = lowest_kept(scores, lowest, share_of(1.0 - top_ps[row], total), true);
        }
        const unsigned long long number = mix(mix((unsigned long long)seeds[row]) + (unsigned long long)steps[row] * 0x9E3779B97F4A7C15ull);
        token = draw(scores, lowest, (double)(number >> 11) / 9007199254740992.0);
        if (token < 0) return;
    } else if (thread() != 0) {
        return;
    }

    tokens[row] = token;
    log_probabilities[row] = logits[token] - normalizer;
}
