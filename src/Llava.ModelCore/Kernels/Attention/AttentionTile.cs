using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels.Attention;

/// <summary>The loops of attention: scores, exponentials, weighted sum of values; for one query, and for four that share every load.</summary>
internal static unsafe class AttentionTile
{
    /// <summary>Queries that share a load.</summary>
    public const int Width = 4;

    private const int Lanes = KeyValueStore.BlockPositions;

    // Vectors of values that are summed side by side.
    private const int Abreast = 4;

    /// <summary>Positions filled up to whole blocks.</summary>
    public static int Padded(int positions) => (positions + Lanes - 1) / Lanes * Lanes;

    /// <summary>Floats of scratch memory that attention needs.</summary>
    /// <param name="positions">The most that a query sees.</param>
    /// <param name="paddedSize">Of a head.</param>
    public static int Scratch(int positions, int paddedSize) => Width * (Padded(positions) + paddedSize);

    /// <summary>q·k for one query and all positions, filled up to whole blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScoreOne<T>(byte* keys, float* query, int size, int positions, float* scores)
        where T : struct, IFloatElement
    {
        var (block, blocks) = (0, Padded(positions) / Lanes);
        var bytes = (long)size * Lanes * T.Bytes;
        for (; block + Abreast <= blocks; block += Abreast)
        {
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            var k = keys + (block * bytes);
            for (var i = 0; i < size; i++, k += Lanes * T.Bytes)
            {
                var q = Vector512.Create(query[i]);
                s0 = Vector512.FusedMultiplyAdd(T.Load(k), q, s0);
                s1 = Vector512.FusedMultiplyAdd(T.Load(k + bytes), q, s1);
                s2 = Vector512.FusedMultiplyAdd(T.Load(k + (2 * bytes)), q, s2);
                s3 = Vector512.FusedMultiplyAdd(T.Load(k + (3 * bytes)), q, s3);
            }

            var target = scores + (block * Lanes);
            s0.Store(target);
            s1.Store(target + Lanes);
            s2.Store(target + (2 * Lanes));
            s3.Store(target + (3 * Lanes));
        }

        for (; block < blocks; block++)
        {
            var sum = Vector512<float>.Zero;
            var k = keys + (block * bytes);
            for (var i = 0; i < size; i++, k += Lanes * T.Bytes)
            {
                sum = Vector512.FusedMultiplyAdd(T.Load(k), Vector512.Create(query[i]), sum);
            }

            sum.Store(scores + (block * Lanes));
        }
    }

    /// <summary>q·k for four queries; their scores lie <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScoreFour<T>(byte* keys, float** queries, int size, int positions, float* scores, int stride)
        where T : struct, IFloatElement
    {
        float* q0 = queries[0], q1 = queries[1], q2 = queries[2], q3 = queries[3];
        var (block, blocks) = (0, Padded(positions) / Lanes);
        var bytes = (long)size * Lanes * T.Bytes;
        for (; block < blocks; block += 2)
        {
            // A last block without a neighbour is its own neighbour, and stored once.
            var other = block + 1 < blocks ? bytes : 0;
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            var k = keys + (block * bytes);
            for (var i = 0; i < size; i++, k += Lanes * T.Bytes)
            {
                var (first, second) = (T.Load(k), T.Load(k + other));
                var q = Vector512.Create(q0[i]);
                (a0, b0) = (Vector512.FusedMultiplyAdd(first, q, a0), Vector512.FusedMultiplyAdd(second, q, b0));
                q = Vector512.Create(q1[i]);
                (a1, b1) = (Vector512.FusedMultiplyAdd(first, q, a1), Vector512.FusedMultiplyAdd(second, q, b1));
                q = Vector512.Create(q2[i]);
                (a2, b2) = (Vector512.FusedMultiplyAdd(first, q, a2), Vector512.FusedMultiplyAdd(second, q, b2));
                q = Vector512.Create(q3[i]);
                (a3, b3) = (Vector512.FusedMultiplyAdd(first, q, a3), Vector512.FusedMultiplyAdd(second, q, b3));
            }

            Store(scores + (block * Lanes), stride, a0, a1, a2, a3);
            if (other > 0)
            {
                Store(scores + ((block + 1) * Lanes), stride, b0, b1, b2, b3);
            }
        }
    }

    /// <summary>Takes from each score slope · distance (ALiBi; spec 1.4.2): the last visible position is the query's own.</summary>
    /// <param name="scores">(padded).</param>
    /// <param name="visible">Positions that the query sees.</param>
    /// <param name="slope">Of the head, in the scores' own scale.</param>
    public static void Slope(float* scores, int visible, float slope)
    {
        var (slopes, steps) = (Vector512.Create(slope), Vector512.Create((float)Lanes));
        var distances = Vector512.CreateSequence((float)(1 - visible), 1f);
        for (var i = 0; i < visible; i += Lanes)
        {
            Vector512.FusedMultiplyAdd(distances, slopes, Vector512.Load(scores + i)).Store(scores + i);
            distances += steps;
        }
    }

    /// <summary>Turns scores into e^(scale·(score − largest)), zero behind the last visible position; returns their sum.</summary>
    /// <param name="scores">(padded).</param>
    /// <param name="visible">Positions that the query sees.</param>
    /// <param name="padded">Positions of the tile, filled up.</param>
    /// <param name="scale">1/√size.</param>
    public static float Exponentials(float* scores, int visible, int padded, float scale)
    {
        for (var i = visible; i < padded; i++)
        {
            scores[i] = float.NegativeInfinity;
        }

        var highest = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < padded; i += Lanes)
        {
            highest = Vector512.MaxNative(highest, Vector512.Load(scores + i));
        }

        var largest = float.NegativeInfinity;
        for (var i = 0; i < Lanes; i++)
        {
            largest = MathF.Max(largest, highest[i]);
        }

        var (shift, scales, sums) = (Vector512.Create(largest), Vector512.Create(scale), Vector512<float>.Zero);
        for (var i = 0; i < padded; i += Lanes)
        {
            var exponentials = Vector512.Exp((Vector512.Load(scores + i) - shift) * scales);
            exponentials.Store(scores + i);
            sums += exponentials;
        }

        return Vector512.Sum(sums);
    }

    /// <summary>Σ weight·value for one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MixOne<T>(byte* values, int size, int positions, float* weights, float* mixed)
        where T : struct, IFloatElement
    {
        var column = 0;
        for (; column + (Abreast * Lanes) <= size; column += Abreast * Lanes)
        {
            Vector512<float> m0 = default, m1 = default, m2 = default, m3 = default;
            var v = values + (column * T.Bytes);
            for (var i = 0; i < positions; i++, v += size * T.Bytes)
            {
                var w = Vector512.Create(weights[i]);
                m0 = Vector512.FusedMultiplyAdd(T.Load(v), w, m0);
                m1 = Vector512.FusedMultiplyAdd(T.Load(v + (Lanes * T.Bytes)), w, m1);
                m2 = Vector512.FusedMultiplyAdd(T.Load(v + (2 * Lanes * T.Bytes)), w, m2);
                m3 = Vector512.FusedMultiplyAdd(T.Load(v + (3 * Lanes * T.Bytes)), w, m3);
            }

            Store(mixed + column, Lanes, m0, m1, m2, m3);
        }

        for (; column < size; column += Lanes)
        {
            var sum = Vector512<float>.Zero;
            var v = values + (column * T.Bytes);
            for (var i = 0; i < positions; i++, v += size * T.Bytes)
            {
                sum = Vector512.FusedMultiplyAdd(T.Load(v), Vector512.Create(weights[i]), sum);
            }

            sum.Store(mixed + column);
        }
    }

    /// <summary>Σ weight·value for four queries; their weights lie <paramref name="stride"/> apart, their results a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MixFour<T>(byte* values, int size, int positions, float* weights, int stride, float* mixed)
        where T : struct, IFloatElement
    {
        float* w0 = weights, w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride;
        for (var column = 0; column < size; column += 2 * Lanes)
        {
            // A last vector without a neighbour is its own neighbour, and stored once.
            var other = column + Lanes < size ? Lanes * T.Bytes : 0;
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            var v = values + (column * T.Bytes);
            for (var i = 0; i < positions; i++, v += size * T.Bytes)
            {
                var (first, second) = (T.Load(v), T.Load(v + other));
                var w = Vector512.Create(w0[i]);
                (a0, b0) = (Vector512.FusedMultiplyAdd(first, w, a0), Vector512.FusedMultiplyAdd(second, w, b0));
                w = Vector512.Create(w1[i]);
                (a1, b1) = (Vector512.FusedMultiplyAdd(first, w, a1), Vector512.FusedMultiplyAdd(second, w, b1));
                w = Vector512.Create(w2[i]);
                (a2, b2) = (Vector512.FusedMultiplyAdd(first, w, a2), Vector512.FusedMultiplyAdd(second, w, b2));
                w = Vector512.Create(w3[i]);
                (a3, b3) = (Vector512.FusedMultiplyAdd(first, w, a3), Vector512.FusedMultiplyAdd(second, w, b3));
            }

            Store(mixed + column, size, a0, a1, a2, a3);
            if (other > 0)
            {
                Store(mixed + column + Lanes, size, b0, b1, b2, b3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, int stride, Vector512<float> first, Vector512<float> second, Vector512<float> third, Vector512<float> fourth)
    {
        first.Store(target);
        second.Store(target + stride);
        third.Store(target + (2 * stride));
        fourth.Store(target + (3 * stride));
    }
}
